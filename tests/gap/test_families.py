"""Families of q against torch.distributions and autograd's Jacobian."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from vaelab.gap import DiagonalGaussian, FullGaussian


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def covariance_factor(parameters: Tensor, latent_dim: int) -> Tensor:
    """The factor written out number by number, from the docstring."""
    factor = torch.zeros(len(parameters), latent_dim, latent_dim, dtype=torch.float64)
    for b, row in enumerate(parameters.tolist()):
        log_var, slopes = row[latent_dim : 2 * latent_dim], row[2 * latent_dim :]
        k = 0
        for i in range(latent_dim):
            factor[b, i, i] = 1.0
            for j in range(i):
                factor[b, i, j] = slopes[k]
                k += 1
            factor[b, i] *= math.exp(log_var[i] / 2)
    return factor


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
@pytest.mark.parametrize("noise_batch", [1, 3])
def test_diagonal_draws_and_density(latent_dim: int, noise_batch: int) -> None:
    parameters, noise = normal(3, 2 * latent_dim), normal(7, noise_batch, latent_dim, seed=1)

    z, log_density = DiagonalGaussian().transform(parameters, noise)

    mean, log_var = parameters[:, :latent_dim], parameters[:, latent_dim:]
    q = Normal(mean, (log_var / 2).exp())
    torch.testing.assert_close(z, mean + q.scale * noise)
    assert log_density.shape == (7, 3)
    torch.testing.assert_close(log_density, q.log_prob(z).sum(-1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
@pytest.mark.parametrize("noise_batch", [1, 3])
def test_full_draws_and_density(latent_dim: int, noise_batch: int) -> None:
    count = 2 * latent_dim + latent_dim * (latent_dim - 1) // 2
    parameters, noise = normal(3, count), normal(7, noise_batch, latent_dim, seed=1)

    z, log_density = FullGaussian().transform(parameters, noise)

    mean, factor = parameters[:, :latent_dim], covariance_factor(parameters, latent_dim)
    q = MultivariateNormal(mean, scale_tril=factor)
    torch.testing.assert_close(z, mean + (factor @ noise[..., None])[..., 0])
    torch.testing.assert_close(log_density, q.log_prob(z), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("family", [DiagonalGaussian(), FullGaussian()], ids=["diagonal", "full"])
def test_initial_member_is_the_gaussian_asked_for(family) -> None:
    mean, log_var = normal(3, 2), normal(3, 2, seed=1)

    z, log_density = family.transform(family.initial(mean, log_var), normal(7, 1, 2, seed=2))

    expected = Normal(mean, (log_var / 2).exp()).log_prob(z).sum(-1)
    torch.testing.assert_close(log_density, expected)


@pytest.mark.parametrize(("family", "count"), [(DiagonalGaussian(), 6), (FullGaussian(), 9)])
def test_gradients_agree_with_finite_differences(family, count: int) -> None:
    parameters = normal(2, count).requires_grad_()

    assert torch.autograd.gradcheck(
        lambda p: family.transform(p, normal(4, 1, 3, seed=1)), parameters
    )


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    log_var=st.floats(-80, 80),
    dtype=st.sampled_from([torch.float16, torch.float32, torch.float64]),
    batch=st.integers(0, 3),
    family=st.sampled_from([DiagonalGaussian(), FullGaussian()]),
)
def test_any_log_variance_gives_finite_densities_or_overflows_as_its_type_must(
    log_var: float, dtype: torch.dtype, batch: int, family
) -> None:
    mean = torch.zeros(2, batch, dtype=dtype).T  # not contiguous
    noise = normal(3, 1, 2).to(dtype)

    parameters = family.initial(mean, torch.full_like(mean, log_var))
    z, log_density = family.transform(parameters, noise)

    assert z.dtype == log_density.dtype == dtype
    assert z.shape == (3, batch, 2)
    assert log_density.shape == (3, batch)
    assert log_density.isfinite().all()
    if dtype != torch.float16:  # whose largest number, 65504, is exp(22.2 / 2)
        assert z.isfinite().all()
