"""07.4: the gradient that one draw sends to the encoder."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.bugs import BUGS
from vaelab.book.questions import Answer, Mistake, Question
from vaelab.book.questions.ch07.batch import answer_with, batch, hint
from vaelab.book.questions.ch07.loss import draws_with_variance


def encoder_gradient(
    x: Tensor, mean: Tensor, log_var: Tensor, noise: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """Of each picture's loss, in its mean and in its log-variance."""
    slope, step = _slope(x, mean, log_var, noise, weight, bias)
    return torch.stack([slope, 0.5 * slope * step]) + _of_kl(mean, log_var)


def _slope(
    x: Tensor, mean: Tensor, log_var: Tensor, noise: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Of -log p(x | z) in z, and sigma epsilon."""
    step = (0.5 * log_var).exp() * noise
    return (((mean + step) @ weight + bias).sigmoid() - x) @ weight.T, step


def _of_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    return torch.stack([mean, 0.5 * (log_var.exp() - 1)])


def _of(loss: Answer) -> Answer:
    """The gradient of another loss, by autograd."""

    def answer(x: Tensor, mean: Tensor, log_var: Tensor, *decoder: Tensor) -> Tensor:
        at = [t.detach().clone().requires_grad_() for t in (mean, log_var)]
        return torch.stack(torch.autograd.grad(loss(x, *at, *decoder).sum(), at))

    return answer


def _with_factor(factor) -> Answer:
    """Right, but for what multiplies the slope in the log-variance's gradient."""

    def answer(x, mean, log_var, noise, weight, bias):
        slope, step = _slope(x, mean, log_var, noise, weight, bias)
        through_z = torch.stack([slope, slope * factor(step, noise, (0.5 * log_var).exp())])
        return through_z + _of_kl(mean, log_var)

    return answer


def _score_function(x, mean, log_var, noise, weight, bias) -> Tensor:
    sigma = (0.5 * log_var).exp()
    logits = (mean + sigma * noise) @ weight + bias
    cost = (torch.nn.functional.softplus(logits) - x * logits).sum(-1, keepdim=True)
    score = torch.stack([noise / sigma, 0.5 * (noise.square() - 1)])
    return cost * score + _of_kl(mean, log_var)


def _against_the_grid(answer: Answer) -> str:
    """Many draws of one picture, beside the exact gradient of its expected cost."""
    from vaelab.densities import normal_log_density
    from vaelab.exact.quadrature import latent_grid

    (x, mean, log_var), (weight, bias) = (t[:1] for t in batch()[:3]), batch()[4:]
    at = [t.clone().requires_grad_() for t in (mean, log_var)]
    grid = latent_grid(2, step=0.05)[:, None]
    logits = grid @ weight + bias
    cost = (torch.nn.functional.softplus(logits) - x * logits).sum(-1)
    density = normal_log_density(grid, *at).sum(-1).exp()
    exact = torch.stack(torch.autograd.grad((density * cost).sum() * 0.05**2, at))
    exact = (exact + _of_kl(mean, log_var)).flatten()
    many = (t.expand(20_000, -1) for t in (x, mean, log_var))
    noise = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0)).double()
    draws = answer(*many, noise, weight, bias).transpose(0, 1).flatten(1)
    error = draws.std(0) / len(draws) ** 0.5
    furthest = ((draws.mean(0) - exact) / error).abs().max().item()
    return (
        f"Over 20,000 draws your gradient averages to {draws.mean(0)[0].item():.2f} in the first "
        f"mean; a grid says {exact[0].item():.2f}. Of four entries the furthest is "
        f"{furthest:.1f} standard errors off. One draw has a standard deviation of "
        f"{draws.std(0)[0].item():.1f}."
    )


QUESTION = Question(
    solution=encoder_gradient,
    result="means first, then log-variances, for each picture and latent",
    cases={
        "three pictures": batch(),
        "logits in the hundreds": batch(scale=400.0, seed=1),
    },
    mistakes=[
        *(Mistake(_of(answer_with(bug)), hint(bug)) for bug in BUGS),
        Mistake(
            _of(draws_with_variance),
            "Bug 2 of the Ten bugs, in half: the KL is right, but the draw takes the variance for "
            "the deviation. Which q does z come from?",
        ),
        Mistake(
            lambda *a: -encoder_gradient(*a),
            "This is the gradient of the ELBO. The loss is its negative.",
        ),
        Mistake(
            lambda *a: encoder_gradient(*a) / len(a[0]),
            "This is the gradient of the batch's mean. What does one picture's loss owe to the "
            "size of the batch?",
        ),
        Mistake(
            lambda *a: encoder_gradient(*a) - _of_kl(*a[1:3]),
            "The KL's own gradient is missing.",
        ),
        Mistake(
            _with_factor(lambda step, noise, sigma: step),
            "Your second half is the gradient in log sigma, but for the KL. Which of the two does "
            "the encoder give?",
        ),
        Mistake(
            _with_factor(lambda step, noise, sigma: 0.5 * sigma),
            "In the second half the slope is not multiplied by the noise. Where does the noise "
            "stand in z?",
        ),
        Mistake(
            _with_factor(lambda step, noise, sigma: 0.5 * noise),
            "In the second half, what is the derivative of sigma in log sigma squared? Yours does "
            "not know sigma.",
        ),
        Mistake(
            _with_factor(lambda step, noise, sigma: noise),
            "Your second half is the gradient in sigma, but for the KL. Is that what the encoder "
            "gives?",
        ),
        Mistake(
            _score_function,
            "This is a score-function gradient: right on average and far noisier. The question "
            "asks for the way through z.",
        ),
    ],
    afterword=_against_the_grid,
)
