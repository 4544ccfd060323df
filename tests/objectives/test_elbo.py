"""The ELBO held against Gauss-Hermite quadrature, finite differences and log p(x)."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaelab.data import load_digits
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.models.vae import VAE
from vaelab.objectives import ElboTerms, elbo_terms, sample_posterior


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return load_digits(dtype=torch.float64).test[:6]


@pytest.fixture
def vae() -> VAE:
    vae = VAE(latent_dim=1, hidden=8, generator=seeded(0)).double()
    with torch.no_grad():  # larger weights, so that z matters to the image
        for parameter in vae.parameters():
            parameter.mul_(3)
    return vae


def test_posterior_draws_have_its_mean_and_variance() -> None:
    mean = torch.tensor([[1.0, -2.0], [0.0, 3.0]], dtype=torch.float64)
    log_var = torch.tensor([[0.5, -4.0], [2.0, 0.0]], dtype=torch.float64)
    count = 200_000

    z = sample_posterior(mean, log_var, count, seeded(0))

    assert z.shape == (count, 2, 2)
    variance = log_var.exp()
    assert ((z.mean(0) - mean).abs() <= 5 * (variance / count).sqrt()).all()
    assert ((z.var(0) - variance).abs() <= 5 * variance * math.sqrt(2 / count)).all()
    # No two latents or images may share their noise.
    correlation = torch.corrcoef(z.flatten(1).T) - torch.eye(4)
    assert correlation.abs().max() <= 5 / math.sqrt(count)


def test_posterior_draws_repeat_with_the_seed_and_leave_the_global_generator() -> None:
    mean, log_var = torch.zeros(3, 2), torch.zeros(3, 2)
    before = torch.get_rng_state()

    draws = [sample_posterior(mean, log_var, 4, seeded(seed)) for seed in (7, 7, 8)]

    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_gradient_passes_through_the_draws() -> None:
    mean = torch.tensor([[0.3, -1.0]], dtype=torch.float64, requires_grad=True)
    log_var = torch.tensor([[-0.7, 0.4]], dtype=torch.float64, requires_grad=True)

    # gradcheck: finite differences at the same noise.
    assert torch.autograd.gradcheck(
        lambda m, v: sample_posterior(m, v, 3, seeded(0)).sin(), (mean, log_var)
    )


@pytest.mark.parametrize("num_samples", [0, -1])
def test_draws_must_be_one_or_more(num_samples: int, vae: VAE, images: torch.Tensor) -> None:
    message = f"num_samples must be at least 1, got {num_samples}"
    with pytest.raises(ValueError, match=message):
        sample_posterior(torch.zeros(1, 2), torch.zeros(1, 2), num_samples)
    with pytest.raises(ValueError, match=message):
        elbo_terms(vae, images, num_samples)


def test_mean_and_log_var_must_have_one_shape() -> None:
    message = r"mean and log_var must have the same shape, got \(3, 2\) and \(3, 1\)"
    with pytest.raises(ValueError, match=message):
        sample_posterior(torch.zeros(3, 2), torch.zeros(3, 1))


def test_terms_fit_together() -> None:
    terms = ElboTerms(reconstruction=torch.tensor([-5.0]), kl=torch.tensor([[1.0, 0.5]]))

    assert terms.rate.tolist() == [1.5]
    assert terms.distortion.tolist() == [5.0]
    assert terms.elbo.tolist() == [-6.5]
    assert terms.beta_objective(4.0).tolist() == [-11.0]
    assert terms.beta_objective(1.0).tolist() == terms.elbo.tolist()


def test_kl_term_agrees_with_torch_distributions(vae: VAE, images: torch.Tensor) -> None:
    mean, log_var = vae.encode(images)

    kl = elbo_terms(vae, images, generator=seeded(0)).kl

    expected = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(mean * 0, 1.0))
    torch.testing.assert_close(kl, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("num_samples", [1, 5])
def test_reconstruction_is_unbiased(num_samples: int, vae: VAE, images: torch.Tensor) -> None:
    repeats = 4000
    # Gauss-Hermite in the one latent: E_q[log p(x | z)] to rounding.
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    nodes, weights = torch.tensor(nodes), torch.tensor(weights / math.sqrt(2 * math.pi))
    with torch.no_grad():
        mean, log_var = vae.encode(images)
        z = mean + (log_var / 2).exp() * nodes[:, None, None]  # (nodes, batch, 1)
        expected = weights @ vae.log_likelihood(images, z)

        # The same image many times over: one call gives independent estimates.
        many = images.repeat(repeats, 1)
        estimates = elbo_terms(vae, many, num_samples, seeded(0)).reconstruction
    estimates = estimates.reshape(repeats, len(images))

    standard_error = estimates.std(0) / math.sqrt(repeats)
    assert (standard_error < 0.2).all()
    assert ((estimates.mean(0) - expected).abs() <= 5 * standard_error).all()


def test_elbo_is_below_log_marginal(vae: VAE, images: torch.Tensor) -> None:
    with torch.no_grad():
        elbo = elbo_terms(vae, images, 2000, seeded(0)).elbo

    log_marginal = quadrature_log_marginal(images, vae.log_likelihood, 1).log_marginal

    # The gap is KL(q || posterior), here nats; Monte Carlo error of the ELBO is hundredths.
    assert (elbo < log_marginal).all()


def test_gradient_agrees_with_finite_differences(vae: VAE, images: torch.Tensor) -> None:
    def objective() -> torch.Tensor:
        return elbo_terms(vae, images, 2, seeded(3)).beta_objective(1.7).sum()

    objective().backward()

    step = 1e-6
    for parameter in vae.parameters():
        direction = torch.randn(parameter.shape, generator=seeded(1), dtype=torch.float64)
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.add_(sign * step * direction)
                values.append(float(objective()))
                parameter.sub_(sign * step * direction)
        slope = (values[0] - values[1]) / (2 * step)
        assert slope == pytest.approx(float((parameter.grad * direction).sum()), rel=1e-6)
