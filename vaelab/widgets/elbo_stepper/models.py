"""The two models that the derivation is stepped through on: one latent, log p(x) known.

Both have the interface that exact quadrature asks for, ``log_likelihood(x, z)``: the decoder of
one latent that chapter 05 derives the bound on, at the digit that it takes; and a linear one of a
single pixel, whose posterior is a Gaussian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.densities import normal_log_density, standard_normal_log_density
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.quadrature import latent_grid
from vaelab.models.vae import VAE

MODELS = ("digit", "linear")
LEAST_SCALE, MOST_SCALE = 0.05, 2.0
MOST_MEAN = 3.0
IMAGE = 2  # of the held-out digits
#: p(x | z) = N(weight z, noise^2), and the x that is seen.
LINEAR = {"weight": 1.0, "noise": 0.8, "x": 1.2}


@cache
def digit_vae() -> VAE:
    """The chapter's decoder and encoder, in float64."""
    return pretrained.load_vae("beta_latent", beta=1.0, latent_dim=1).double()


def digit_image() -> Tensor:
    """The chapter's digit, (1, pixels) of 0 and 1."""
    return load_digits("binary", dtype=torch.float64).test[IMAGE : IMAGE + 1]


def encoder_q() -> tuple[float, float]:
    """Mean and deviation of the encoder's q for that digit."""
    with torch.no_grad():
        mean, log_var = digit_vae().encode(digit_image())
    return mean.item(), (0.5 * log_var).exp().item()


def model_and_x(name: str) -> tuple[VAE | LinearGaussian, Tensor]:
    """A model by its name, and what it is seen at."""
    if name == "digit":
        return digit_vae(), digit_image()
    weight, x = (torch.tensor([[LINEAR[key]]], dtype=torch.float64) for key in ("weight", "x"))
    return LinearGaussian(weight, 0 * weight[0], LINEAR["noise"] ** 2), x


@dataclass(frozen=True)
class Terms:
    """What the derivation is made of, in nats.

    Attributes:
        log_marginal: log p(x).
        reconstruction: E_q[log p(x | z)].
        log_prior: E_q[log p(z)].
        log_posterior: E_q[log p(z | x)].
        log_q: E_q[log q(z)], minus the entropy.
    """

    log_marginal: float
    reconstruction: float
    log_prior: float
    log_posterior: float
    log_q: float


def terms(name: str, mean: float, scale: float, step: float = 0.002) -> Terms:
    """The terms for q = N(mean, scale^2), every one by quadrature over the line.

    Example:
        >>> found = terms("linear", 0.0, 1.0)
        >>> round(found.log_posterior - found.log_q, 4)  # minus KL(q || p(z | x))
        -0.9967
    """
    model, x = model_and_x(name)
    reach = max(10, math.ceil(abs(mean) + 9 * scale))  # whole steps
    z = latent_grid(1, half_width=reach, step=step)
    with torch.no_grad():
        log_likelihood = model.log_likelihood(x, z[:, None])[:, 0]
    log_prior = standard_normal_log_density(z).sum(-1)
    q = [torch.tensor([[value]], dtype=torch.float64) for value in (mean, scale**2)]
    log_q = normal_log_density(z, q[0], q[1].log()).sum(-1)
    log_joint = log_likelihood + log_prior
    log_marginal = (step * log_joint.exp().sum()).log()

    def average(values: Tensor) -> float:
        return (step * (log_q.exp() * values).sum()).item()

    return Terms(
        log_marginal=log_marginal.item(),
        reconstruction=average(log_likelihood),
        log_prior=average(log_prior),
        log_posterior=average(log_joint - log_marginal),
        log_q=average(log_q),
    )
