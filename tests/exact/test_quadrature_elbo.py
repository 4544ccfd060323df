"""Integrated ELBOs and gaps held against closed forms, finer grids and sampling."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vaelab.exact.quadrature_elbo as module
from vaelab.data import load_digits
from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.linear_gaussian_variational import gaussian_elbo, kl_to_posterior
from vaelab.exact.quadrature_elbo import expected_log_likelihood, quadrature_elbo, quadrature_kl
from vaelab.exact.quadrature_posterior import quadrature_posterior
from vaelab.models.vae import VAE


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def linear(latent_dim: int) -> tuple[LinearGaussian, torch.Tensor]:
    model = LinearGaussian(normal(4, latent_dim), normal(4, seed=1), 0.4)
    return model, normal(6, 4, seed=2)


def random_q(latent_dim: int, batch: int = 6) -> GaussianQ:
    root = normal(batch, latent_dim, latent_dim, seed=3)
    covariance = 0.3 * root @ root.mT + 0.01 * torch.eye(latent_dim).double()
    return GaussianQ.full(normal(batch, latent_dim, seed=4), covariance)


def sharp_vae(latent_dim: int) -> VAE:
    vae = VAE(latent_dim, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(4)
    return vae


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_linear_model_agrees_with_the_closed_form(latent_dim: int) -> None:
    (model, x), q = linear(latent_dim), random_q(latent_dim)

    elbo = quadrature_elbo(x, model.log_likelihood, q, step=0.5)
    gap = quadrature_kl(x, model.log_likelihood, q)

    torch.testing.assert_close(elbo.value, gaussian_elbo(model, x, q), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gap.value, kl_to_posterior(model, x, q), rtol=0, atol=1e-8)
    assert ((gap.value - kl_to_posterior(model, x, q)).abs() <= gap.error + 1e-11).all()


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_decoder_s_gap_agrees_with_the_grid_s_kl(latent_dim: int) -> None:
    # Two integrals of different points: q's own grid, and the prior's.
    vae, x = sharp_vae(latent_dim), load_digits(dtype=torch.float64).test[:6]
    q = random_q(latent_dim)
    posterior = quadrature_posterior(x, vae.log_likelihood, latent_dim)
    on_grid = posterior.kl_from(q.log_density(posterior.grid[:, None]))

    gap = quadrature_kl(x, vae.log_likelihood, q)

    assert ((gap.value - on_grid).abs() <= gap.error + 1e-9).all()
    assert (gap.error < 0.01).all()
    assert (gap.value > 0.01).all()
    elbo = quadrature_elbo(x, vae.log_likelihood, q)
    torch.testing.assert_close(elbo.value + gap.value, posterior.log_marginal)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_error_bounds_the_truth(latent_dim: int) -> None:
    vae, x = sharp_vae(latent_dim), load_digits(dtype=torch.float64).test[:20]
    mean, log_var = normal(20, latent_dim), normal(20, latent_dim, seed=1) - 1
    q = GaussianQ.diagonal(mean, log_var)

    fine = expected_log_likelihood(x, vae.log_likelihood, q, 0.1).value

    for step in (1.0, 0.5, 0.25):
        result = expected_log_likelihood(x, vae.log_likelihood, q, step)

        true_error = (result.value - fine).abs()
        assert true_error.max() <= result.error.max()
        if step == 1.0:  # too coarse for a decoder this sharp, which must be seen
            assert true_error.max() > 0.01


def test_elbo_is_the_mean_of_its_samples() -> None:
    vae, x = sharp_vae(2), load_digits(dtype=torch.float64).test[:5]
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        q = GaussianQ.diagonal(mean, log_var)
        z = torch.distributions.Normal(mean, (log_var / 2).exp())
        draws = z.mean + z.stddev * normal(20_000, 5, 2)
        prior = torch.distributions.Normal(torch.zeros(2).double(), 1.0)
        log_ratio = (prior.log_prob(draws) - z.log_prob(draws)).sum(-1)
        samples = vae.log_likelihood(x, draws) + log_ratio

    elbo = quadrature_elbo(x, vae.log_likelihood, q)

    error = samples.std(0) / math.sqrt(len(samples))
    assert ((elbo.value - samples.mean(0)).abs() <= 5 * error).all()


@settings(deadline=None, derandomize=True, max_examples=30)
@given(log_var=st.floats(-80, 80), batch=st.integers(0, 2), latent_dim=st.integers(1, 2))
def test_any_width_of_q(log_var: float, batch: int, latent_dim: int) -> None:
    model, x = linear(latent_dim)
    mean = normal(latent_dim, batch).T  # not contiguous
    q = GaussianQ.diagonal(mean, torch.full_like(mean, log_var))

    elbo = quadrature_elbo(x[:batch], model.log_likelihood, q)

    expected = gaussian_elbo(model, x[:batch], q)
    assert elbo.value.shape == elbo.error.shape == (batch,)
    torch.testing.assert_close(elbo.value, expected, rtol=1e-10, atol=1e-10)


def test_float32_and_float16_q_are_computed_in_float64() -> None:
    model, x = linear(1)
    zeros = torch.zeros(6, 1, dtype=torch.float64)
    expected = quadrature_elbo(x, model.log_likelihood, GaussianQ.diagonal(zeros, zeros))
    for dtype in (torch.float32, torch.float16):
        q = GaussianQ.diagonal(zeros.to(dtype), zeros.to(dtype))

        elbo = quadrature_elbo(x, model.log_likelihood, q)

        assert torch.equal(elbo.value, expected.value)


def test_memory_is_divided_without_changing_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    (model, x), q = linear(2), random_q(2)
    sizes = []

    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        sizes.append(len(z) * x.numel())
        return model.log_likelihood(x, z)

    whole = quadrature_elbo(x, log_likelihood, q)
    sizes.clear()
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 500)
    pieces = quadrature_elbo(x, log_likelihood, q)

    assert max(sizes) <= 500
    assert sum(sizes) == 65**2 * x.numel()
    torch.testing.assert_close(pieces.value, whole.value, rtol=1e-13, atol=0)


def test_what_is_refused() -> None:
    (model, x), q = linear(2), random_q(2)
    for step in (0.0, -0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=f"step must be positive and at most 1, got {step}"):
            quadrature_elbo(x, model.log_likelihood, q, step)
    with pytest.raises(ValueError, match=r"got x of shape \(5, 4\) and q's mean of \(6, 2\)"):
        quadrature_elbo(x[:5], model.log_likelihood, q)
    with pytest.raises(ValueError, match=r"1 or 2 latents .* \(6, 3\)"):
        quadrature_elbo(x, model.log_likelihood, random_q(3))
    with pytest.raises(ValueError, match="x must be finite, got nan"):
        quadrature_elbo(x * math.nan, model.log_likelihood, q)
    with pytest.raises(ValueError, match=r"vae\.double\(\)"):
        quadrature_elbo(x, VAE(2, pixels=4).log_likelihood, q)
