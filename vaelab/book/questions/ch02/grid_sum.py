"""02.4: the integral over codes as a sum over a grid."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.quadrature import latent_grid


def grid_log_marginal(z: Tensor, step: float, log_likelihood: Tensor) -> Tensor:
    """log p(x) of each picture in nats, by the rectangle rule."""
    latent = z.shape[1]
    return _log_sum(z, log_likelihood) - latent * HALF_LOG_2PI + latent * math.log(step)


HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _log_sum(z: Tensor, log_likelihood: Tensor, half: float = 0.5) -> Tensor:
    """Log of the sum of likelihood times prior, without the prior's constant and the step."""
    return (log_likelihood - half * z.square().sum(1)[:, None]).logsumexp(0)


def linear_model(latent_dim: int, seed: int | torch.Generator) -> tuple[LinearGaussian, Tensor]:
    """A small model whose log p(x) is known, and three pictures of four pixels drawn from it."""
    generator = seed
    if isinstance(seed, int):
        generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(4, latent_dim, generator=generator, dtype=torch.float64)
    model = LinearGaussian(weight, torch.zeros(4, dtype=torch.float64), noise_var=0.5)
    return model, model.sample(3, generator)[0]


def _grid(latent_dim: int, step: float = 0.1, shift: float = 0.0) -> tuple[Argument, ...]:
    """Arguments of a question: grid, step and the log likelihoods of a small linear model."""
    model, x = linear_model(latent_dim, seed=0)
    z = latent_grid(latent_dim, half_width=6.0, step=step)
    return z, step, model.log_likelihood(x, z[:, None]) + shift


def _naive(z: Tensor, step: float, log_likelihood: Tensor) -> Tensor:
    prior = (-0.5 * z.square().sum(1) - z.shape[1] * HALF_LOG_2PI).exp()
    return (log_likelihood.exp() * prior[:, None]).sum(0).mul(step ** z.shape[1]).log()


def _digit(answer: Answer) -> str:
    from vaelab import pretrained
    from vaelab.data import load_digits
    from vaelab.exact.quadrature import quadrature_log_marginal

    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:1]
    z = latent_grid(2, half_width=6.0, step=0.1)
    with torch.no_grad():
        mine = answer(z, 0.1, vae.log_likelihood(x, z[:, None])).item()
    finer = quadrature_log_marginal(x, vae.log_likelihood, 2, step=0.05).log_marginal.item()
    return (
        f"With the chapter's decoder, your sum over {len(z):,} codes gives a held-out digit "
        f"{mine:.6f} nats. A grid twice as fine gives {finer:.6f}."
    )


QUESTION = Question(
    solution=grid_log_marginal,
    result="one number for each picture, with the code summed out",
    cases={
        "two latents": _grid(2),
        "one latent": _grid(1, step=0.05),
        "log likelihoods near -3000": _grid(2, shift=-3000.0),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but exp underflows to 0 below about -745. Add in log space.",
        ),
        Mistake(
            lambda z, h, ll: grid_log_marginal(z, h, ll) + z.shape[1] * HALF_LOG_2PI,
            "The prior lacks its constant: it should integrate to one, and yours integrates to "
            "a power of the square root of 2 pi.",
        ),
        Mistake(
            lambda z, h, ll: grid_log_marginal(z, h, ll) + (z.shape[1] - 1) * HALF_LOG_2PI,
            "The prior has its constant once. How many Gaussian factors has it?",
        ),
        Mistake(
            lambda z, h, ll: grid_log_marginal(z, h, ll) - z.shape[1] * HALF_LOG_2PI,
            "The prior has its constant squared: is it 2 pi in each dimension, or the square "
            "root of that?",
        ),
        Mistake(
            lambda z, h, ll: grid_log_marginal(z, 1.0, ll),
            "The sum lacks the size of a cell. With a grid twice as fine, yours has more terms "
            "and grows.",
        ),
        Mistake(
            lambda z, h, ll: grid_log_marginal(z, 1.0, ll) + math.log(h),
            "You multiply by the step once. What is the area of a cell when there are two latents?",
        ),
        Mistake(
            lambda z, h, ll: _log_sum(z, ll, half=1.0) + z.shape[1] * (math.log(h) - HALF_LOG_2PI),
            "The exponent of the prior lacks its factor of 1/2.",
        ),
        Mistake(
            lambda z, h, ll: ll.logsumexp(0) + z.shape[1] * math.log(h),
            "The prior is missing: your integral weighs all codes alike, out to the grid's ends.",
        ),
        Mistake(
            lambda z, h, ll: _log_sum(z, ll) - z.shape[1] * HALF_LOG_2PI - math.log(len(z)),
            "You average over the grid's points. That would be right for draws from the prior; "
            "here the prior is in the sum already, and what is missing is the size of a cell.",
        ),
        Mistake(
            lambda z, h, ll: ll.logsumexp(0) - math.log(len(z)),
            "You average the likelihoods over the grid's points as if these were draws from "
            "the prior. They lie evenly: where does the prior come in?",
        ),
        Mistake(
            lambda z, h, ll: grid_log_marginal(z, h, ll).exp(),
            "This is p(x) itself. The answer should be its log, in nats.",
        ),
    ],
    afterword=_digit,
)
