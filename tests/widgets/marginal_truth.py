"""What the decoder and marginal widget shows, computed by PyTorch on the same points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.densities import standard_normal_log_density
from vaelab.exact.quadrature import latent_grid, quadrature_log_joint
from vaelab.exact.quadrature_posterior import GridPosterior
from vaelab.models.vae import VAE
from vaelab.widgets.decoder_marginal import SETTING, WEIGHTS

STEP, RADIUS = 0.08, 9.0


@cache
def model() -> VAE:
    return pretrained.load_vae(WEIGHTS, **SETTING).double()


@cache
def held_out() -> Tensor:
    return load_digits(dtype=torch.float64).test


@cache
def odd_images() -> Tensor:
    """Images that no digit is like: blank, full, a checkerboard, stripes, noise, negatives."""
    generator = torch.Generator().manual_seed(0)
    row, column = torch.arange(64) // 8, torch.arange(64) % 8
    images = [torch.zeros(64), torch.ones(64), (row + column) % 2, row % 2]
    images += [(torch.rand(64, generator=generator) < share).double() for share in (0.1, 0.3, 0.5)]
    images += [1 - image for image in held_out()[:3]]
    return torch.stack([image.double() for image in images])


@cache
def disc(step: float = STEP, radius: float = RADIUS) -> Tensor:
    """The points of ``latent_grid`` within a disc, (points, 2)."""
    # In whole steps, which no rounding can make one more or one fewer.
    grid = step * latent_grid(2, half_width=2 * math.ceil(radius / step / 2), step=1.0)
    return grid[grid.norm(dim=1) <= radius * (1 + 1e-12)]


@dataclass(frozen=True)
class Marginal:
    log_marginal: Tensor
    effective_share: Tensor
    prior_mass: Tensor
    peak: Tensor


def marginal(x: Tensor, vae: VAE | None = None) -> Marginal:
    """By definition: sums over the disc."""
    points = disc()
    with torch.no_grad():
        log_joint = quadrature_log_joint(x, (vae or model()).log_likelihood, points)
    log_prior = standard_normal_log_density(points).sum(-1)
    log_cell = 2 * math.log(STEP)
    log_marginal = log_joint.logsumexp(0) + log_cell
    log_second = (2 * log_joint - log_prior[:, None]).logsumexp(0) + log_cell
    posterior = GridPosterior(points, log_joint + log_cell - log_marginal, log_marginal, STEP)
    return Marginal(
        log_marginal=log_marginal,
        effective_share=(2 * log_marginal - log_second).exp(),
        prior_mass=posterior.prior_mass_in_use(0.99),
        peak=points[log_joint.argmax(0)],
    )
