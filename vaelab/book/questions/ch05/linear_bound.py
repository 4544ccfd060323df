"""05.4: the ELBO of a linear decoder, with no draws."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question
from vaelab.densities import LOG_2PI, kl_to_standard_normal


def linear_elbo(
    x: Tensor, weight: Tensor, bias: Tensor, noise_var: float, mean: Tensor, log_var: Tensor
) -> Tensor:
    """The ELBO of each picture in nats."""
    squared, spread, kl = _parts(x, weight, bias, mean, log_var)
    return _log_constant(x, noise_var) - 0.5 * (squared + spread) / noise_var - kl


def _parts(
    x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, log_var: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Squared error at q's mean, what the spread of q adds to it, KL from the prior."""
    squared = (x - bias - mean @ weight.T).square().sum(-1)
    spread = (log_var.exp() * weight.square().sum(0)).sum(-1)
    return squared, spread, kl_to_standard_normal(mean, log_var).sum(-1)


def _log_constant(x: Tensor, noise_var: float) -> float:
    return -0.5 * x.shape[-1] * (LOG_2PI + math.log(noise_var))


def _naive(x: Tensor, weight: Tensor, bias: Tensor, noise_var: float, *q: Tensor) -> Tensor:
    squared, spread, kl = _parts(x, weight, bias, *q)
    constant = torch.tensor(2 * math.pi * noise_var).double() ** (-x.shape[-1] / 2)
    return (constant * (-0.5 * (squared + spread) / noise_var).exp()).log() - kl


def _mean_only(x: Tensor, weight: Tensor, bias: Tensor, noise_var: float, *q: Tensor) -> Tensor:
    squared, _, kl = _parts(x, weight, bias, *q)
    return _log_constant(x, noise_var) - 0.5 * squared / noise_var - kl


def _by_deviations(x: Tensor, weight: Tensor, bias: Tensor, noise_var: float, *q: Tensor) -> Tensor:
    right = linear_elbo(x, weight, bias, noise_var, *q)
    spread = _parts(x, weight, bias, *q)[1]
    wrong = _parts(x, weight, bias, q[0], 0.5 * q[1])[1]
    return right + 0.5 * (spread - wrong) / noise_var


def _plus(amount) -> Answer:
    """An answer that is off by something made of its arguments."""

    def answer(x: Tensor, weight: Tensor, bias: Tensor, noise_var: float, *q: Tensor) -> Tensor:
        right = linear_elbo(x, weight, bias, noise_var, *q)
        return right + amount(x, noise_var, *_parts(x, weight, bias, *q))

    return answer


def _model(pixels: int, noise_var: float, size: float = 1.0) -> tuple[Argument, ...]:
    """A model, three pictures near what it makes, and a q for each."""
    generator = torch.Generator().manual_seed(pixels)
    like = {"generator": generator, "dtype": torch.float64}
    weight, bias = size * torch.randn(pixels, 2, **like), torch.randn(pixels, **like)
    z, noise = torch.randn(3, 2, **like), torch.randn(3, pixels, **like)
    x = z @ weight.T + bias + math.sqrt(noise_var) * noise
    return x, weight, bias, noise_var, z, -2 + 0.5 * torch.randn(3, 2, **like)


def _three_forms(answer: Answer) -> str:
    from vaelab.data import load_digits
    from vaelab.exact.linear_gaussian import LinearGaussian

    digits = load_digits("grey", dtype=torch.float64)
    model, x = LinearGaussian.fit(digits.train, 8), digits.test
    mean, covariance = model.posterior(x)
    log_var = covariance.diagonal().log().expand(mean.shape)
    lines = ["Mean over 360 held-out digits, linear model, 8 latents; q has the posterior's means:"]
    for factor in (0.25, 0.5, 1.0, 2.0):
        q = mean, log_var + 2 * math.log(factor)
        found = answer(x, model.weight, model.bias, model.noise_var, *q).mean().item()
        lines.append(f"  {factor:4g} times its deviations: ELBO {found:7.3f} nats")
    lines.append(f"  exact log p(x):                {model.log_marginal(x).mean().item():7.3f}")
    return "\n".join(lines)


QUESTION = Question(
    solution=linear_elbo,
    result="one ELBO for each picture",
    cases={
        "three pictures of five pixels": _model(5, noise_var=0.3),
        "400 pixels and little noise": _model(400, noise_var=1e-3, size=0.01),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but the density's constant overflows with so many pixels and "
            "so little noise. Its logarithm is a sum.",
        ),
        Mistake(
            _mean_only,
            "This scores the picture at the mean of q alone. The average is over all of q, and a "
            "square averages to more than the square of the average.",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: 0.5 * (spread / s2 - spread)),
            "What the spread of q adds to the squared error is not divided by the noise variance.",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: -0.5 * spread / s2),
            "What the spread of q adds to the squared error lacks its factor of 1/2.",
        ),
        Mistake(
            _by_deviations,
            "What the spread of q adds to the squared error has the deviations of q in it. Is the "
            "average of a square made of those?",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: kl),
            "This is the reconstruction term alone.",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: 2 * kl),
            "You add the divergence from the prior. It is a cost.",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: -_log_constant(x, s2)),
            "The decoder's constant is missing. With a fixed noise it does not move the best q, "
            "but without it this is no bound on log p(x).",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: 0.5 * x.shape[-1] * LOG_2PI),
            "The decoder's constant lacks its 2 pi.",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: 0.5 * x.shape[-1] * math.log(s2)),
            "The decoder's constant lacks the noise variance.",
        ),
        Mistake(
            _plus(lambda x, s2, *_: _log_constant(x, s2) * (1 / x.shape[-1] - 1)),
            "The decoder's constant is there once. Each pixel has one.",
        ),
        Mistake(
            lambda x, w, b, s2, *q: linear_elbo(x, w, b, s2**2, *q),
            "The noise is given as a variance. You take it for a deviation, and square it.",
        ),
        Mistake(
            _plus(
                lambda x, s2, squared, spread, kl: (
                    (0.5 * (squared + spread) / s2 - _log_constant(x, s2)) * (1 - 1 / x.shape[-1])
                )
            ),
            "You average over pixels. Their log densities add up.",
        ),
        Mistake(
            _plus(lambda x, s2, squared, spread, kl: -kl),
            "The divergence from the prior lacks its factor of 1/2.",
        ),
    ],
    afterword=_three_forms,
)
