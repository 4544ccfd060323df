"""Gaussian approximate posteriors held against torch.distributions."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal, kl_divergence

from vaelab.exact.gaussian_q import GaussianQ


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def covariances(*shape: int) -> torch.Tensor:
    root = normal(*shape, shape[-1], seed=1)
    return root @ root.mT + 0.1 * torch.eye(shape[-1], dtype=torch.float64)


@pytest.mark.parametrize("shape", [(1,), (3,), (4, 1), (4, 3)])
def test_full_agrees_with_torch_distributions(shape: tuple[int, ...]) -> None:
    mean, covariance = normal(4, shape[-1]), covariances(*shape)
    expected = MultivariateNormal(mean, covariance)
    prior = MultivariateNormal(torch.zeros_like(mean), torch.eye(shape[-1]).double())
    z = 2 * normal(6, 4, shape[-1], seed=2)

    q = GaussianQ.full(mean, covariance)

    torch.testing.assert_close(q.covariance, covariance, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(q.log_det, torch.logdet(covariance), rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(q.log_density(z), expected.log_prob(z), rtol=1e-11, atol=1e-11)
    every = q.log_density(z[:, :1])
    torch.testing.assert_close(every, expected.log_prob(z[:, :1]), rtol=1e-11, atol=1e-11)
    kl = kl_divergence(expected, prior)
    torch.testing.assert_close(q.kl_to_prior(), kl, rtol=1e-11, atol=1e-11)


def test_draws_have_mean_and_covariance() -> None:
    q, count = GaussianQ.full(normal(2, 3), covariances(2, 3)), 100_000

    z = q.transform(normal(count, 2, 3, seed=5))

    for image in range(2):
        expected = q.covariance[image]
        variance = expected.diagonal()
        # Standard error of a Gaussian's sample covariance: sqrt((v_i v_j + c_ij^2) / n).
        error = ((variance[:, None] * variance + expected**2) / count).sqrt()
        assert ((torch.cov(z[:, image].T) - expected).abs() <= 5 * error).all()
        mean_error = (variance / count).sqrt()
        assert ((z[:, image].mean(0) - q.mean[image]).abs() <= 5 * mean_error).all()


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    log_var=st.floats(-80, 80),
    batch=st.integers(0, 3),
    latent=st.integers(1, 3),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_diagonal_of_any_width(log_var: float, batch: int, latent: int, dtype) -> None:
    mean = normal(latent, batch).to(dtype).T  # not contiguous
    log_vars = torch.full_like(mean, log_var)
    expected = torch.distributions.Normal(mean, (log_vars / 2).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    noise = normal(5, batch, latent, seed=1).to(dtype)

    q = GaussianQ.diagonal(mean, log_vars)

    z = q.transform(noise)
    if dtype == torch.float64:
        kl = kl_divergence(expected, prior).sum(-1)
        torch.testing.assert_close(q.kl_to_prior(), kl, rtol=1e-10, atol=1e-10)
    assert q.kl_to_prior().isfinite().all()
    assert q.log_density(z).isfinite().all()
    assert z.dtype == q.log_density(z).dtype == dtype


def test_what_is_refused() -> None:
    mean = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"same shape, got \(2, 3\) and \(2, 1\)"):
        GaussianQ.diagonal(mean, torch.zeros(2, 1))
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(3, 3, 3\)"):
        GaussianQ(mean, torch.eye(3).expand(3, 3, 3))
    with pytest.raises(ValueError, match=r"got \(3,\) and \(3, 3\)"):
        GaussianQ(mean[0], torch.eye(3))
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match=f"scale_tril must be finite, got {value}"):
            GaussianQ.diagonal(mean, torch.full((2, 3), value))
        with pytest.raises(ValueError, match=f"mean must be finite, got {value}"):
            GaussianQ.diagonal(mean + value, mean)
    with pytest.raises(ValueError, match=r"positive diagonal, got one whose smallest is -1\.0"):
        GaussianQ(mean, -torch.eye(3))
    with pytest.raises(ValueError, match="lower triangular"):
        GaussianQ(mean, torch.ones(3, 3))
    with pytest.raises(ValueError, match="smallest eigenvalue is -1"):
        GaussianQ.full(mean, torch.diag(torch.tensor([1.0, 1.0, -1.0])))
    with pytest.raises(ValueError, match=r"differs from its transpose by 0\.5"):
        GaussianQ.full(mean, torch.eye(3) + 0.5 * torch.ones(3, 3).triu(1))
    with pytest.raises(ValueError, match=r"\(batch, latent, latent\), got \(2, 3\)"):
        GaussianQ.full(mean, mean)
