"""05.2: the divergence between two diagonal Gaussians."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from vaelab.book.questions import Answer, Argument, Mistake, Question


def kl_between(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    """KL(q || p) in nats, summed over latents."""
    return _terms(mean_q, log_var_q, mean_p, log_var_p).sum(-1)


def _terms(
    mean_q: Tensor,
    log_var_q: Tensor,
    mean_p: Tensor,
    log_var_p: Tensor,
    one: float = 1.0,
    log_sign: float = 1.0,
    spread: Tensor | None = None,
) -> Tensor:
    log_ratio = log_var_q - log_var_p
    spread = log_var_p if spread is None else spread
    squared = (mean_q - mean_p).square() * torch.exp(-spread)
    return 0.5 * (log_ratio.exp() - one - log_sign * log_ratio + squared)


def _naive(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    q, p = Normal(mean_q, (0.5 * log_var_q).exp()), Normal(mean_p, (0.5 * log_var_p).exp())
    return kl_divergence(q, p).sum(-1)


def _pair(seed: int, q: float = -1.0, p: float = 0.3) -> tuple[Argument, ...]:
    """Three pictures, four latents; q and p are centred on these log-variances."""
    generator = torch.Generator().manual_seed(seed)
    mean_q, mean_p, noise_q, noise_p = torch.randn(
        4, 3, 4, generator=generator, dtype=torch.float64
    )
    return mean_q, q + 0.5 * noise_q, mean_p, p + 0.5 * noise_p


def _adds_up(answer: Answer) -> str:
    from vaelab.data import load_digits
    from vaelab.exact.linear_gaussian import LinearGaussian

    digits = load_digits("grey", dtype=torch.float64)
    model, x = LinearGaussian.fit(digits.train, 8), digits.test[:1]
    mean, covariance = model.posterior(x)
    log_var = covariance.diagonal().log()[None]
    tried = {
        "the prior": (0 * mean, 0 * log_var),
        "half the deviations": (mean, log_var - math.log(4)),
        "the mean off by one": (mean + 1, log_var),
    }
    lines = ["A held-out digit, linear model, 8 latents, whose posterior is diagonal; by q:"]
    for name, q in tried.items():
        elbo, kl = model.elbo(x, *q).item(), answer(*q, mean, log_var).item()
        lines.append(f"  {name + ':':20} ELBO {elbo:8.3f} + your KL {kl:8.3f} = {elbo + kl:.6f}")
    lines.append(f"  log p(x) by its own formula: {model.log_marginal(x).item():.6f} nats")
    return "\n".join(lines)


QUESTION = Question(
    solution=kl_between,
    result="one divergence for each picture, summed over its latents",
    cases={
        "three pictures with four latents": _pair(0),
        "q wider than p": _pair(1, q=1.0, p=-0.5),
        "variances near e^-400 and e^400": _pair(2, q=-400.0, p=400.0),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but the ratio of the two variances is out of the range of "
            "float64, and its logarithm with it. You are given logarithms: what is the log of a "
            "ratio?",
        ),
        Mistake(
            lambda mq, vq, mp, vp: kl_between(mp, vp, mq, vq),
            "This is the divergence from p to q, the average over draws of p. The two are "
            "different numbers.",
        ),
        Mistake(
            lambda *a: 2 * kl_between(*a),
            "The factor of 1/2 is missing.",
        ),
        Mistake(
            lambda *a: _terms(*a, one=0.0).sum(-1),
            "Try q and p the same: the divergence should be 0. What does yours give?",
        ),
        Mistake(
            lambda *a: _terms(*a, log_sign=-1.0).sum(-1),
            "The logarithm of the ratio has the wrong sign: a q that shrinks to a point should "
            "get ever further from p.",
        ),
        Mistake(
            lambda *a: _terms(*a, log_sign=0.0).sum(-1),
            "The logarithm of the ratio is missing. Without it, a narrow q costs next to nothing.",
        ),
        Mistake(
            lambda mq, vq, mp, vp: _terms(mq, vq, mp, vp, spread=vq).sum(-1),
            "The distance between the means is measured in deviations of q. Which of the two "
            "densities is looked up at a draw of q, and in whose units?",
        ),
        Mistake(
            lambda mq, vq, mp, vp: _terms(mq, vq, mp, vp, spread=0 * vp).sum(-1),
            "The distance between the means is not divided by a variance: it should depend on "
            "the unit of z no more than the rest does.",
        ),
        Mistake(
            lambda mq, vq, mp, vp: kl_between(0 * mq, vq, 0 * mp, vp),
            "The means are missing.",
        ),
        Mistake(
            lambda mq, vq, mp, vp: kl_between(mq, 0.5 * vq, mp, 0.5 * vp),
            "You use deviations where variances belong.",
        ),
        Mistake(
            lambda mq, vq, mp, vp: kl_between(mq, 2 * vq, mp, 2 * vp),
            "exp(log_var) is a variance. You take it for a deviation, and square it once more.",
        ),
        Mistake(
            lambda mq, vq, mp, vp: kl_between(mq, vq, 0 * mp, 0 * vp),
            "This is the divergence to the standard normal. Here p has a mean and a variance of "
            "its own.",
        ),
        Mistake(
            lambda *a: _terms(*a).mean(-1),
            "You average over latents. Independent latents tell independent things, and what "
            "they tell adds up.",
        ),
        Mistake(
            lambda *a: kl_between(*a) / math.log(2),
            "This is in bits. The answer should be in nats.",
        ),
    ],
    afterword=_adds_up,
)
