"""04.2: importance weights of an encoder's draws, in log space."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def log_importance_weights(
    z: Tensor, log_likelihood: Tensor, mean: Tensor, log_var: Tensor
) -> Tensor:
    """log p(x | z) + log p(z) - log q(z) of every draw."""
    return log_likelihood + _log_prior(z) - _log_q(z, mean, log_var)


def _log_prior(z: Tensor) -> Tensor:
    return (-0.5 * z.square() - HALF_LOG_2PI).sum(-1)


def _log_q(z: Tensor, mean: Tensor, log_var: Tensor, half: float = 0.5) -> Tensor:
    squared = (z - mean).square() / log_var.exp()
    return (-half * squared - 0.5 * log_var - HALF_LOG_2PI).sum(-1)


def _naive(z: Tensor, log_likelihood: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    prior, q = _log_prior(z).exp(), _log_q(z, mean, log_var).exp()
    return (log_likelihood.exp() * prior / q).log()


def _half_naive(z: Tensor, log_likelihood: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return log_likelihood + (_log_prior(z).exp() / _log_q(z, mean, log_var).exp()).log()


def _mean_over_latents(z: Tensor, log_likelihood: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    log_ratio = _log_prior(z) - _log_q(z, mean, log_var)
    return log_likelihood + log_ratio / z.shape[-1]


def _draws(spread: float = 1.0, shift: float = 0.0, seed: int = 0) -> tuple[Argument, ...]:
    """Four draws for each of two pictures, three latents: the arguments of the question."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(4, 2, 3, generator=generator, dtype=torch.float64)
    mean = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    log_var = -1 + 0.5 * torch.randn(2, 3, generator=generator, dtype=torch.float64)
    log_likelihood = shift - 3 * torch.rand(4, 2, generator=generator, dtype=torch.float64)
    return mean + spread * (0.5 * log_var).exp() * noise, log_likelihood, mean, log_var


def _perfect_encoder(answer: Answer) -> str:
    from vaelab.data import load_digits
    from vaelab.exact.linear_gaussian import LinearGaussian

    digits = load_digits("grey", dtype=torch.float64)
    model, x = LinearGaussian.fit(digits.train, 8), digits.test[:1]
    mean, covariance = model.posterior(x)
    log_var = covariance.diagonal().log().expand(1, 8)
    noise = torch.randn(1_000, 1, 8, generator=torch.Generator().manual_seed(0)).double()
    z = mean + (0.5 * log_var).exp() * noise
    found = answer(z, model.log_likelihood(x, z), mean, log_var)
    return (
        f"For a linear decoder with 8 latents and an encoder that is exactly the posterior, your "
        f"1,000 log weights lie between {found.min().item():.4f} and {found.max().item():.4f}. "
        f"log p(x) is {model.log_marginal(x).item():.4f}: a single draw would have done."
    )


QUESTION = Question(
    solution=log_importance_weights,
    result="one log weight for each draw and picture",
    cases={
        "four draws for two pictures": _draws(),
        "draws far from the mean, of an unlikely picture": _draws(60.0, -2000.0, seed=1),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but densities underflow to 0 far from the mean. Logarithms "
            "can be added and subtracted as they are.",
        ),
        Mistake(
            _half_naive,
            "The formula is right, but the densities of prior and q underflow to 0 far from the "
            "mean, and you divide one 0 by another. Their logarithms are harmless.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: ll,
            "These draws are not weighted: this is log p(x | z) alone. They come from q, not from "
            "the prior.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: ll - _log_q(z, mean, log_var),
            "The prior is missing: the joint p(x, z) has two factors.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: ll + _log_prior(z),
            "You do not divide by the density that the draws came from.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: ll - _log_prior(z) + _log_q(z, mean, log_var),
            "Prior and q have changed sides. A code that q draws too often should count for less.",
        ),
        Mistake(
            lambda *a: log_importance_weights(*a).exp(),
            "These are the weights themselves. The question asks for their logs.",
        ),
        Mistake(
            lambda *a: log_importance_weights(*a).softmax(0).log(),
            "You normalise the weights to sum to one. Then their average is 1 / K whatever the "
            "picture, and log p(x) is gone.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: log_importance_weights(z, ll, mean, 2 * log_var),
            "exp(log_var) is a variance. You take it for a deviation, and square it once more.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: log_importance_weights(z, ll, mean, 0.5 * log_var),
            "You take the deviation where the variance belongs.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: (
                log_importance_weights(z, ll, mean, log_var) - 0.5 * log_var.sum(-1)
            ),
            "q lacks its log-variance term. A narrow Gaussian is taller than a wide one.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: (
                log_importance_weights(z, ll, mean, log_var) + 0.5 * log_var.sum(-1)
            ),
            "q's log-variance term lacks its factor of 1/2.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: ll + _log_prior(z) - _log_q(z, mean, log_var, half=1.0),
            "q's exponent lacks its factor of 1/2.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: (
                log_importance_weights(z, ll, mean, log_var) + z.shape[-1] * HALF_LOG_2PI
            ),
            "The prior lacks its constant, of 2 pi, and q has it. Leave out both or neither.",
        ),
        Mistake(
            lambda z, ll, mean, log_var: (
                log_importance_weights(z, ll, mean, log_var) - z.shape[-1] * HALF_LOG_2PI
            ),
            "q lacks its constant, of 2 pi, and the prior has it. Leave out both or neither.",
        ),
        Mistake(
            _mean_over_latents,
            "You average over latents. Independent densities multiply: what do their logs do?",
        ),
    ],
    afterword=_perfect_encoder,
)
