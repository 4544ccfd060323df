"""The posterior on a grid held against closed forms, autograd and its own normalisation."""

import math

import pytest
import torch
from scipy import optimize, stats
from torch.distributions import MultivariateNormal, kl_divergence

from vaelab.data import load_digits
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.quadrature import quadrature_log_joint, quadrature_log_marginal
from vaelab.exact.quadrature_posterior import quadrature_posterior
from vaelab.models.vae import VAE


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear(latent_dim: int) -> tuple[LinearGaussian, torch.Tensor]:
    weight = torch.randn(4, latent_dim, generator=seeded(latent_dim), dtype=torch.float64)
    model = LinearGaussian(weight, torch.zeros(4, dtype=torch.float64), 0.4)
    return model, model.sample(6, seeded(1))[0]


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_moments_and_density_agree_with_the_closed_form(latent_dim: int) -> None:
    model, x = linear(latent_dim)
    mean, covariance = model.posterior(x)

    posterior = quadrature_posterior(x, model.log_likelihood, latent_dim)

    torch.testing.assert_close(posterior.mean, mean, rtol=0, atol=1e-10)
    expected = covariance.expand(6, latent_dim, latent_dim)
    torch.testing.assert_close(posterior.covariance, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(posterior.log_marginal, model.log_marginal(x), rtol=0, atol=1e-10)
    log_density = MultivariateNormal(mean, covariance).log_prob(posterior.grid[:, None])
    torch.testing.assert_close(posterior.log_density, log_density, rtol=0, atol=1e-8)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_density_integrates_to_one_over_z_for_each_image(latent_dim: int) -> None:
    vae = VAE(latent_dim, generator=seeded(0)).double()
    x = load_digits(dtype=torch.float64).test[:3]

    posterior = quadrature_posterior(x, vae.log_likelihood, latent_dim, step=0.1)

    assert posterior.log_weights.logsumexp(0).abs().max() < 1e-12
    total = posterior.log_density.exp().sum(0) * posterior.step**latent_dim
    torch.testing.assert_close(total, torch.ones(3).double(), rtol=0, atol=1e-12)
    expected = quadrature_log_marginal(x, vae.log_likelihood, latent_dim, step=0.1)
    torch.testing.assert_close(posterior.log_marginal, expected.log_marginal, rtol=1e-14, atol=0)


def test_bayes_rule_holds_at_every_point() -> None:
    model, x = linear(1)
    posterior = quadrature_posterior(x, model.log_likelihood, 1)
    log_joint = quadrature_log_joint(x, model.log_likelihood, posterior.grid)

    torch.testing.assert_close(
        log_joint - posterior.log_density, model.log_marginal(x).expand(281, 6), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_fishers_identity_agrees_with_autograd_of_the_quadrature(latent_dim: int) -> None:
    vae = VAE(latent_dim, hidden=8, generator=seeded(0)).double()
    x = load_digits(dtype=torch.float64).test[:3]
    posterior = quadrature_posterior(x, vae.log_likelihood, latent_dim, step=0.2)
    parameters = list(vae.decoder.parameters())

    log_joint = quadrature_log_joint(x, vae.log_likelihood, posterior.grid)
    fisher = torch.autograd.grad(
        posterior.expectation(log_joint).sum(), parameters, retain_graph=True
    )
    direct = torch.autograd.grad(log_joint.logsumexp(0).sum(), parameters)

    for ours, theirs in zip(fisher, direct, strict=True):
        assert theirs.abs().max() > 0.01
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_kl_agrees_with_the_closed_form(latent_dim: int) -> None:
    model, x = linear(latent_dim)
    mean, covariance = model.posterior(x)
    q = MultivariateNormal(mean + 0.3, 1.3 * covariance)
    posterior = quadrature_posterior(x, model.log_likelihood, latent_dim)

    kl = posterior.kl_from(q.log_prob(posterior.grid[:, None]))

    expected = kl_divergence(q, MultivariateNormal(mean, covariance))
    torch.testing.assert_close(kl, expected, rtol=0, atol=1e-8)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(posterior.grid).sum(-1, keepdim=True)
    standard = MultivariateNormal(torch.zeros_like(mean), torch.eye(latent_dim).double())
    expected = kl_divergence(standard, MultivariateNormal(mean, covariance))
    torch.testing.assert_close(posterior.kl_from(prior), expected, rtol=0, atol=1e-8)


def test_expectation_of_what_is_minus_infinity_where_nothing_lies() -> None:
    model, x = linear(1)
    posterior = quadrature_posterior(1e3 * x[:1].sign(), model.log_likelihood, 1, half_width=300)
    values = torch.where(posterior.log_weights.exp() > 0, 2.0, -math.inf).double()

    assert float(posterior.expectation(values)) == pytest.approx(2, abs=1e-12)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_draws_have_the_posterior_s_moments(latent_dim: int) -> None:
    model, x = linear(latent_dim)
    mean, covariance = model.posterior(x)
    posterior, count = quadrature_posterior(x, model.log_likelihood, latent_dim), 50_000

    z = posterior.sample(count, seeded(3))

    assert z.shape == (count, 6, latent_dim)
    variance = covariance.diagonal()
    assert ((z.mean(0) - mean).abs() <= 5 * (variance / count).sqrt()).all()
    widened = covariance + posterior.step**2 / 12 * torch.eye(latent_dim).double()
    error = ((variance[:, None] * variance + covariance**2) / count).sqrt()
    for image in range(6):
        found = torch.cov(z[:, image].T).reshape(latent_dim, latent_dim)
        assert ((found - widened).abs() <= 5 * error).all()
    # Jitter fills the cells: no two draws alike, and not all of them on the grid's points.
    assert len(z[:, 0].unique(dim=0)) == count


def test_no_images_and_one() -> None:
    model, x = linear(1)
    for batch in (0, 1):
        posterior = quadrature_posterior(x[:batch], model.log_likelihood, 1)
        assert posterior.mean.shape == (batch, 1)
        assert posterior.covariance.shape == (batch, 1, 1)
        assert posterior.sample(5, seeded(0)).shape == (5, batch, 1)


def test_what_is_refused() -> None:
    model, x = linear(1)
    posterior = quadrature_posterior(x, model.log_likelihood, 1)
    with pytest.raises(ValueError, match=r"with 281 points, got \(280, 6\)"):
        posterior.expectation(torch.zeros(280, 6))
    with pytest.raises(ValueError, match="num_samples must not be negative, got -1"):
        posterior.sample(-1)
    narrow = torch.distributions.Normal(0.012, 0.001).log_prob(posterior.grid)
    with pytest.raises(ValueError, match="log_q must be a density that the grid resolves, got one"):
        posterior.kl_from(narrow)
    with pytest.raises(ValueError, match="resolves, got one that sums to nan"):
        posterior.kl_from(posterior.grid * math.nan)
    with pytest.raises(ValueError, match="latent_dim must be 1 or 2 for quadrature, got 3"):
        quadrature_posterior(x, model.log_likelihood, 3)


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_prior_mass_in_use_agrees_with_the_interval_found_by_roots(share: float) -> None:
    model, x = linear(1)
    mean, covariance = model.posterior(x)
    deviation = float(covariance.sqrt())
    # p(x | z) falls with the distance of z from least squares' answer.
    centres = (x @ model.weight / model.weight.square().sum()).flatten().tolist()
    expected = []
    for centre, m in zip(centres, mean.flatten().tolist(), strict=True):

        def held(r: float, mean: float, deviation: float, centre: float = centre) -> float:
            low, high = stats.norm.cdf([centre - r, centre + r], mean, deviation)
            return high - low

        radius = optimize.brentq(lambda r, m=m, h=held: h(r, m, deviation) - share, 0, 50)
        expected.append(held(radius, 0, 1))

    mass = quadrature_posterior(x, model.log_likelihood, 1, step=0.001).prior_mass_in_use(share)

    # Which points are in is known to a step, 0.001, at either end.
    torch.testing.assert_close(mass, torch.tensor(expected).double(), rtol=0, atol=1e-3)


def test_prior_mass_in_use_is_the_share_itself_where_x_tells_nothing() -> None:
    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return 0 * z.sum(-1) + 0 * x.sum(-1)

    posterior = quadrature_posterior(torch.zeros(2, 3), log_likelihood, 2)

    mass = posterior.prior_mass_in_use(0.9)
    torch.testing.assert_close(mass, torch.full((2,), 0.9).double(), rtol=0, atol=1e-6)
    for share in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="share must be over 0 and under 1, got"):
            posterior.prior_mass_in_use(share)
