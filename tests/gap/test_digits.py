"""The gap on the digits, whose log p(x) and ELBO are known by quadrature."""

import math

import pytest
import torch
from torch import Tensor

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.exact.quadrature_elbo import quadrature_elbo
from vaelab.gap import DiagonalGaussian, Family, FullGaussian, VariationalGap, variational_gap
from vaelab.models.flow_posterior import CouplingFlow

IMAGES = 100


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def digits_gap(x: Tensor, family: Family) -> tuple[VariationalGap, Tensor]:
    """The gap of the book's model with two latents, and the encoder's ELBO by quadrature."""
    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    with torch.no_grad():
        mean, log_var = vae.encode(x)
    log_marginal = quadrature_log_marginal(x, vae.log_likelihood, 2).log_marginal
    result = variational_gap(
        x, vae.log_likelihood, mean, log_var, log_marginal, family=family, starts=3,
        num_samples=400, generator=seeded(0),
    )  # fmt: skip
    return result, quadrature_elbo(x, vae.log_likelihood, GaussianQ.diagonal(mean, log_var)).value


def test_amortisation_is_what_held_out_digits_pay() -> None:
    digits = load_digits(dtype=torch.float64)
    seen, _ = digits_gap(digits.train[:IMAGES], DiagonalGaussian())
    unseen, elbo = digits_gap(digits.test[:IMAGES], DiagonalGaussian())

    assert ((unseen.elbo - elbo).abs() <= 5 * unseen.elbo_standard_error).all()
    for result in (seen, unseen):
        # The best q is no worse than the encoder's for any image, up to the errors.
        assert (result.amortisation > -5 * result.amortisation_standard_error).all()
        assert (result.approximation > -5 * result.approximation_standard_error).all()
    spread = (seen.amortisation.var() + unseen.amortisation.var()).sqrt() / math.sqrt(IMAGES)
    # Three standard errors over the images: that the encoder generalises worse than it fits.
    assert unseen.amortisation.mean() - seen.amortisation.mean() > 3 * spread
    assert unseen.amortisation.mean() > 3 * unseen.approximation.mean()


@pytest.mark.parametrize(
    ("family", "images"), [(FullGaussian(), 20), (CouplingFlow(2, generator=seeded(1)), 3)]
)
def test_richer_families_come_nearer(family: Family, images: int) -> None:
    x = load_digits(dtype=torch.float64).test[:images]

    (diagonal, _), (richer, _) = digits_gap(x, DiagonalGaussian()), digits_gap(x, family)

    better = diagonal.approximation - richer.approximation
    error = torch.hypot(diagonal.approximation_standard_error, richer.approximation_standard_error)
    assert (better > -5 * error).all()
    assert better.sum() > 3 * error.square().sum().sqrt()
