"""07.2: the negative ELBO of a batch, from one draw a picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, logsigmoid, softplus

from vaelab.book.bugs import BUGS
from vaelab.book.questions import Answer, Mistake, Question
from vaelab.book.questions.ch07.batch import answer_with, batch, hint

DETACHED = next(bug for bug in BUGS if bug.name == "detached graph")


def negative_elbo(
    x: Tensor, mean: Tensor, log_var: Tensor, noise: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """KL less log p(x | z) of each picture, with z drawn by the noise."""
    return _kl(mean, log_var) - _log_likelihood(x, _logits(mean, log_var, noise, weight, bias))


def draws_with_variance(
    x: Tensor, mean: Tensor, log_var: Tensor, noise: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """A slip: the KL is right, and the noise is multiplied by the variance."""
    return negative_elbo(x, mean, log_var, (0.5 * log_var).exp() * noise, weight, bias)


def _logits(mean: Tensor, log_var: Tensor, noise: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return (mean + (0.5 * log_var).exp() * noise) @ weight + bias


def _log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    return (x * logits - softplus(logits)).sum(-1)


def _kl(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)


def _with_likelihood(log_likelihood) -> Answer:
    """The right loss, but for the log-likelihood of x given logits."""

    def answer(x, mean, log_var, *decoder):
        return _kl(mean, log_var) - log_likelihood(x, _logits(mean, log_var, *decoder))

    return answer


def _with_kl(kl) -> Answer:
    """The right loss, but for the KL."""

    def answer(x, mean, log_var, *decoder):
        log_likelihood = _log_likelihood(x, _logits(mean, log_var, *decoder))
        return kl(mean, log_var) - log_likelihood

    return answer


def _by_probabilities(x: Tensor, logits: Tensor, inside: float = 0.0) -> Tensor:
    p = logits.sigmoid()
    return (x * (p + inside).log() + (1 - x) * (1 - p + inside).log()).sum(-1)


def _clamped(x: Tensor, logits: Tensor) -> Tensor:
    return -binary_cross_entropy(logits.sigmoid(), x, reduction="none").sum(-1)


def _reversed_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * ((mean.square() + 1) / log_var.exp() - 1 + log_var).sum(-1)


def _train(answer: Answer) -> str:
    """Use the answer as a loss: a linear decoder, and a q for each of 200 digits."""
    from vaelab.data import load_digits
    from vaelab.exact.quadrature import quadrature_log_marginal

    x = load_digits("binary", dtype=torch.float64).train[:200]
    generator = torch.Generator().manual_seed(0)
    like = {"generator": generator, "dtype": torch.float64}
    weight, bias = 0.1 * torch.randn(2, 64, **like), torch.zeros(64, dtype=torch.float64)
    mean, log_var = torch.randn(200, 2, **like), torch.zeros(200, 2, dtype=torch.float64)
    learned = [p.requires_grad_() for p in (mean, log_var, weight, bias)]
    optimiser, values = torch.optim.Adam(learned, lr=0.05), []
    if not _trains(answer, x, mean, log_var, torch.randn(200, 2, **like), weight, bias):
        return f"The values are right, but as a loss it would not train. {hint(DETACHED)}"
    for _ in range(300):
        value = answer(x, mean, log_var, torch.randn(200, 2, **like), weight, bias).mean()
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    exact = quadrature_log_marginal(
        x,
        lambda x, z: _log_likelihood(x, z @ weight.detach() + bias.detach()),
        latent_dim=2,
        step=0.2,
    )
    return (
        f"300 steps down your loss take a linear decoder on 200 digits from {values[0]:.1f} to "
        f"{sum(values[-50:]) / 50:.1f} nats an image. The exact -log p(x) is then "
        f"{-exact.log_marginal.mean().item():.1f}: below the loss, as it has to be."
    )


def _trains(answer: Answer, x: Tensor, mean: Tensor, *others: Tensor) -> bool:
    """Whether the gradient in the mean knows the decoder: it is not that of the KL alone."""
    try:
        by_mean = torch.autograd.grad(answer(x, mean, *others).sum(), mean)[0]
    except RuntimeError:  # what torch says of a graph that was cut
        return False
    return not torch.allclose(by_mean, mean)


QUESTION = Question(
    solution=negative_elbo,
    result="one loss for each picture",
    cases={
        "three pictures": batch(),
        "logits in the hundreds": batch(scale=400.0, seed=1),
    },
    mistakes=[
        *(Mistake(answer_with(bug), hint(bug)) for bug in BUGS if bug is not DETACHED),
        Mistake(
            lambda x, mean, log_var, noise, weight, bias: negative_elbo(
                x, mean, log_var, (0.5 * log_var).exp() * noise, weight, bias
            ),
            "Bug 2 of the Ten bugs, in half: the KL is right, but the draw takes the variance "
            "for the deviation. Which q does z come from?",
        ),
        Mistake(
            lambda *a: -negative_elbo(*a),
            "This is the ELBO itself. Which way does an optimiser go on a loss?",
        ),
        Mistake(
            _with_kl(lambda mean, log_var: 0),
            "The KL is missing. Nothing then keeps the codes near the prior, from which they are "
            "drawn later.",
        ),
        Mistake(
            _with_kl(lambda mean, log_var: _kl(mean, log_var) / mean.shape[1]),
            "You average the KL over latents. It is the divergence of the whole code: what do "
            "independent latents do to it?",
        ),
        Mistake(
            _with_kl(lambda mean, log_var: _kl(mean, log_var).mean()),
            "You average the KL over the batch before adding it. Akin to bug 6 of the Ten bugs: "
            "does a picture's value depend on its company?",
        ),
        Mistake(
            _with_kl(lambda mean, log_var: _kl(mean, log_var).mean() / mean.shape[1]),
            "You average the KL over everything, batch and latents. Which axis is to be summed, "
            "and which one kept?",
        ),
        Mistake(
            _with_kl(lambda mean, log_var: _kl(mean, log_var) + log_var.sum(-1)),
            "The log-variance in the KL has the wrong sign: a narrower q should cost more.",
        ),
        Mistake(
            _with_kl(lambda mean, log_var: _kl(mean, log_var) + 0.5 * mean.shape[1]),
            "What does your KL give where q is the prior itself?",
        ),
        Mistake(
            _with_kl(_reversed_kl),
            "This is the other divergence, of the prior from q. Over whose draws is the ELBO's "
            "expectation?",
        ),
        Mistake(
            _with_likelihood(lambda x, logits: _log_likelihood(x, logits).sum()),
            "You add up the reconstructions of the whole batch. Which sums are over pixels?",
        ),
        Mistake(
            _with_likelihood(lambda x, logits: _log_likelihood(x, logits).mean() / x.shape[1]),
            "Bug 1 of the Ten bugs, and more: torch's own mean is over pixels and over the batch. "
            "What do the log-probabilities of independent pixels do?",
        ),
        Mistake(
            _with_likelihood(lambda x, logits: (x * logsigmoid(logits)).sum(-1)),
            "Only ink is scored. A decoder that inks every pixel would be perfect: what should "
            "paper cost it?",
        ),
        Mistake(
            _with_likelihood(lambda x, logits: (x * logits).sum(-1)),
            "The normaliser is missing: a logit is a log-odds, and e to its power is no "
            "probability. What makes those of ink and paper add up to one?",
        ),
        Mistake(
            _with_likelihood(_by_probabilities),
            "The formula is right, but a sigmoid rounds to 0 or 1 at confident logits, and its "
            "logarithm is infinite. Can you do without the probability?",
        ),
        Mistake(
            _with_likelihood(lambda x, logits: _by_probabilities(x, logits, 1e-8)),
            "A small number inside the logarithm hides an infinity: no pixel, however wrong, "
            "then costs more than some 18 nats. Can you do without the probability?",
        ),
        Mistake(
            _with_likelihood(_clamped),
            "The cross-entropy of torch that takes probabilities cuts a pixel's cost off at 100 "
            "nats. Is there one that takes what the decoder gives?",
        ),
    ],
    afterword=_train,
)
