"""The linear-Gaussian model's closed forms, each held against another way to the same number."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad, quad
from torch.distributions import MultivariateNormal, kl_divergence

from vaelab.exact.linear_gaussian import LinearGaussian


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_model(latent_dim: int, pixels: int = 6, noise_var: float = 0.4) -> LinearGaussian:
    generator = seeded(latent_dim)
    weight = torch.randn(pixels, latent_dim, generator=generator, dtype=torch.float64)
    bias = torch.randn(pixels, generator=generator, dtype=torch.float64)
    return LinearGaussian(weight, bias, noise_var)


def joint(model: LinearGaussian) -> MultivariateNormal:
    """The joint of (x, z) as one Gaussian: what conditioning is checked against."""
    w, eye = model.weight, torch.eye
    top = torch.cat([w @ w.T + model.noise_var * eye(model.pixels, dtype=w.dtype), w], 1)
    bottom = torch.cat([w.T, eye(model.latent_dim, dtype=w.dtype)], 1)
    mean = torch.cat([model.bias, torch.zeros(model.latent_dim, dtype=w.dtype)])
    return MultivariateNormal(mean, torch.cat([top, bottom]))


@pytest.mark.parametrize("latent_dim", [1, 2, 5, 9])
def test_log_marginal_agrees_with_the_full_covariance(latent_dim: int) -> None:
    model = random_model(latent_dim)  # 9 latents on 6 pixels: W W^T of full rank
    x, _ = model.sample(20, seeded(1))
    full = joint(model)
    marginal = MultivariateNormal(full.loc[:6], full.covariance_matrix[:6, :6])

    log_marginal = model.log_marginal(x)

    torch.testing.assert_close(log_marginal, marginal.log_prob(x), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("shape", [(20, 3), (4, 20, 3), (4, 1, 3), (5, 4, 1, 3)])
def test_log_likelihood_agrees_with_torch_distributions(shape: tuple[int, ...]) -> None:
    model = random_model(3)
    x, _ = model.sample(20, seeded(1))
    z = torch.randn(shape, generator=seeded(2), dtype=torch.float64)
    pixels = torch.distributions.Normal(z @ model.weight.T + model.bias, math.sqrt(0.4))

    log_likelihood = model.log_likelihood(x, z)

    expected = pixels.log_prob(x).sum(-1)
    torch.testing.assert_close(log_likelihood, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("latent_dim", [1, 2, 4])
def test_posterior_conditions_the_joint(latent_dim: int) -> None:
    model = random_model(latent_dim)
    x, _ = model.sample(10, seeded(1))
    full = joint(model)
    s_xx, s_xz = full.covariance_matrix[:6, :6], full.covariance_matrix[:6, 6:]
    gain = torch.linalg.solve(s_xx, s_xz)

    mean, covariance = model.posterior(x)

    identity = torch.eye(latent_dim, dtype=torch.float64)
    torch.testing.assert_close(mean, (x - model.bias) @ gain, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(covariance, identity - s_xz.T @ gain, rtol=1e-10, atol=1e-11)


def test_posterior_is_bayes_rule_on_a_grid() -> None:
    model = random_model(1)
    x, _ = model.sample(5, seeded(1))
    grid = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    log_joint = model.log_likelihood(x, grid[:, None, None]) - grid[:, None] ** 2 / 2
    share = log_joint.softmax(0)  # (points, batch)

    mean, covariance = model.posterior(x)

    grid_mean = (share * grid[:, None]).sum(0)
    grid_variance = (share * (grid[:, None] - grid_mean) ** 2).sum(0)
    torch.testing.assert_close(mean[:, 0], grid_mean, rtol=0, atol=1e-10)
    torch.testing.assert_close(grid_variance, covariance[0].expand(5), rtol=0, atol=1e-10)


@pytest.mark.parametrize("latent_dim", [1, 3])
def test_kl_posterior_prior_agrees_with_torch_distributions(latent_dim: int) -> None:
    model = random_model(latent_dim)
    x, _ = model.sample(10, seeded(1))
    posterior = MultivariateNormal(*model.posterior(x))
    prior = MultivariateNormal(torch.zeros_like(posterior.loc), torch.eye(latent_dim).double())

    kl = model.kl_posterior_prior(x)

    torch.testing.assert_close(kl, kl_divergence(posterior, prior), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("noise_var", [0.1, 2.0])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_ess_fraction_agrees_with_integration(latent_dim: int, noise_var: float) -> None:
    model = random_model(latent_dim, pixels=4, noise_var=noise_var)
    x, _ = model.sample(1, seeded(1))
    weight, residual = model.weight.numpy(), (x[0] - model.bias).numpy()
    # Any constant cancels; this one keeps the integrand from being tiny.
    offset = float(model.log_likelihood(x, model.posterior(x)[0]))

    def integrand(power: int):
        def at(*z: float) -> float:
            squared = ((residual - weight @ np.array(z)) ** 2).sum()
            log_w = -0.5 * (4 * math.log(2 * math.pi * noise_var) + squared / noise_var) - offset
            log_prior = -0.5 * (latent_dim * math.log(2 * math.pi) + np.dot(z, z))
            return math.exp(power * log_w + log_prior)

        return at

    def integral(power: int) -> float:
        if latent_dim == 1:
            return quad(integrand(power), -9, 9, points=[-1, 0, 1], limit=200)[0]
        return dblquad(integrand(power), -9, 9, -9, 9, epsabs=1e-10, epsrel=1e-7)[0]

    fraction = model.log_ess_fraction(x).exp()

    assert float(fraction) == pytest.approx(integral(1) ** 2 / integral(2), rel=1e-6)
    assert float(fraction) < 1


def diagonal(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    mean = torch.randn(10, 3, generator=seeded(seed), dtype=torch.float64)
    return mean, torch.randn(10, 3, generator=seeded(seed + 1), dtype=torch.float64)


def test_elbo_is_the_mean_of_its_integrand() -> None:
    model = random_model(3)
    x, _ = model.sample(10, seeded(1))
    mean, log_var = diagonal(2)
    q = torch.distributions.Normal(mean, (log_var / 2).exp())
    noise = torch.randn(100_000, 10, 3, generator=seeded(4), dtype=torch.float64)
    z = mean + q.scale * noise
    log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    integrand = model.log_likelihood(x, z) + log_prior - q.log_prob(z).sum(-1)

    elbo = model.elbo(x, mean, log_var)

    standard_error = integrand.std(0) / math.sqrt(len(z))
    assert ((elbo - integrand.mean(0)).abs() <= 5 * standard_error).all()


def test_elbo_is_log_marginal_less_kl_to_the_posterior() -> None:
    model = random_model(3)
    x, _ = model.sample(10, seeded(1))
    mean, log_var = diagonal(2)
    q = MultivariateNormal(mean, torch.diag_embed(log_var.exp()))
    gap = kl_divergence(q, MultivariateNormal(*model.posterior(x)))

    elbo = model.elbo(x, mean, log_var)

    torch.testing.assert_close(elbo, model.log_marginal(x) - gap, rtol=1e-10, atol=1e-10)
