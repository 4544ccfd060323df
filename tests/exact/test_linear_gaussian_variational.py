"""ELBOs, gaps and best approximations of the linear-Gaussian model, each by another route."""

import math

import pytest
import torch
from scipy.optimize import minimize
from torch.distributions import MultivariateNormal, kl_divergence

from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.linear_gaussian_variational import (
    best_diagonal,
    diagonal_gap,
    expected_log_likelihood,
    gaussian_elbo,
    kl_to_posterior,
    posterior_precision,
    tempered_posterior,
)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_model(latent_dim: int = 3, noise_var: float = 0.4) -> LinearGaussian:
    generator = seeded(latent_dim)
    weight = torch.randn(6, latent_dim, generator=generator, dtype=torch.float64)
    return LinearGaussian(weight, torch.randn(6, generator=generator).double(), noise_var)


def random_q(batch: int, latent_dim: int = 3, seed: int = 5) -> GaussianQ:
    generator = seeded(seed)
    mean = torch.randn(batch, latent_dim, generator=generator, dtype=torch.float64)
    root = torch.randn(batch, latent_dim, latent_dim, generator=generator, dtype=torch.float64)
    return GaussianQ.full(mean, 0.2 * root @ root.mT + 0.05 * torch.eye(latent_dim).double())


def test_expected_log_likelihood_is_the_mean_over_draws() -> None:
    model, q = random_model(), random_q(4)
    x, _ = model.sample(4, seeded(1))
    noise = torch.randn(100_000, 4, 3, generator=seeded(2), dtype=torch.float64)
    draws = MultivariateNormal(q.mean, q.covariance).loc + torch.einsum(
        "bij,kbj->kbi", torch.linalg.cholesky(q.covariance), noise
    )
    pixels = torch.distributions.Normal(draws @ model.weight.T + model.bias, math.sqrt(0.4))
    values = pixels.log_prob(x).sum(-1)

    expected = expected_log_likelihood(model, x, q)

    assert ((expected - values.mean(0)).abs() <= 5 * values.std(0) / math.sqrt(len(noise))).all()


@pytest.mark.parametrize("latent_dim", [1, 2, 4])
def test_elbo_is_log_marginal_less_kl_for_any_gaussian(latent_dim: int) -> None:
    model, q = random_model(latent_dim), random_q(7, latent_dim)
    x, _ = model.sample(7, seeded(1))
    posterior = MultivariateNormal(*model.posterior(x))
    kl = kl_divergence(MultivariateNormal(q.mean, q.covariance), posterior)

    elbo, gap = gaussian_elbo(model, x, q), kl_to_posterior(model, x, q)

    torch.testing.assert_close(gap, kl, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(elbo, model.log_marginal(x) - kl, rtol=1e-10, atol=1e-10)


def test_one_covariance_for_all_images_is_each_of_theirs() -> None:
    model, q = random_model(), random_q(5)
    x, _ = model.sample(5, seeded(1))
    shared = GaussianQ(q.mean, q.scale_tril[0])
    each = GaussianQ(q.mean, q.scale_tril[:1].expand(5, -1, -1))

    for quantity in (gaussian_elbo, kl_to_posterior):
        torch.testing.assert_close(
            quantity(model, x, shared), quantity(model, x, each), rtol=1e-12, atol=1e-12
        )


def test_diagonal_elbo_agrees_with_the_model_s_own() -> None:
    model = random_model()
    x, _ = model.sample(5, seeded(1))
    mean, log_var = torch.randn(2, 5, 3, generator=seeded(2), dtype=torch.float64)

    elbo = gaussian_elbo(model, x, GaussianQ.diagonal(mean, log_var))

    torch.testing.assert_close(elbo, model.elbo(x, mean, log_var), rtol=1e-12, atol=1e-12)


def test_gap_is_zero_for_the_posterior_alone() -> None:
    model = random_model()
    x, _ = model.sample(5, seeded(1))
    posterior = GaussianQ.full(*model.posterior(x))

    assert kl_to_posterior(model, x, posterior).abs().max() < 1e-12
    for seed in range(20):
        assert (kl_to_posterior(model, x, random_q(5, seed=seed)) > 0.01).all()
    narrow = GaussianQ(posterior.mean, 0.99 * posterior.scale_tril)
    assert (kl_to_posterior(model, x, narrow) > 1e-4).all()


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("diagonal", [True, False])
def test_best_q_is_where_scipy_ends(diagonal: bool, beta: float) -> None:
    model = random_model(2)
    x, _ = model.sample(1, seeded(1))

    def q(p: torch.Tensor) -> GaussianQ:
        if diagonal:
            return GaussianQ.diagonal(p[None, :2], p[None, 2:4])
        factor = torch.diag(p[2:4].exp())
        factor = factor + p[4] * torch.tensor([[0.0, 0.0], [1.0, 0.0]]).double()
        return GaussianQ(p[None, :2], factor)

    def negative(p) -> tuple[float, object]:
        p = torch.tensor(p, requires_grad=True)
        value = beta * q(p).kl_to_prior() - expected_log_likelihood(model, x, q(p))
        (gradient,) = torch.autograd.grad(value.sum(), p)
        return float(value.detach()), gradient.numpy()

    found = minimize(negative, [0.0] * 5, jac=True, options={"gtol": 1e-10})

    best = (
        GaussianQ.diagonal(*best_diagonal(model, x, beta))
        if diagonal
        else tempered_posterior(model, x, beta)
    )
    reached = q(torch.tensor(found.x))
    torch.testing.assert_close(best.mean, reached.mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(
        best.covariance.squeeze(), reached.covariance.squeeze(), rtol=0, atol=1e-6
    )


def test_tempered_posterior_is_the_power_of_the_likelihood_on_a_grid() -> None:
    model = random_model(1)
    x, _ = model.sample(3, seeded(1))
    grid = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    log_f = model.log_likelihood(x, grid[:, None, None]) / 2.5 - grid[:, None] ** 2 / 2
    share = log_f.softmax(0)
    mean = (share * grid[:, None]).sum(0)

    q = tempered_posterior(model, x, beta=2.5)

    torch.testing.assert_close(q.mean[:, 0], mean, rtol=0, atol=1e-10)
    variance = (share * (grid[:, None] - mean) ** 2).sum(0)
    torch.testing.assert_close(q.covariance[0].expand(3), variance, rtol=0, atol=1e-10)


@pytest.mark.parametrize("latent_dim", [1, 2, 4])
def test_diagonal_gap_is_the_kl_of_the_best_diagonal(latent_dim: int) -> None:
    model = random_model(latent_dim)
    x, _ = model.sample(5, seeded(1))
    mean, log_var = best_diagonal(model, x)
    best = MultivariateNormal(mean, torch.diag_embed(log_var.exp()))
    kl = kl_divergence(best, MultivariateNormal(*model.posterior(x)))

    torch.testing.assert_close(diagonal_gap(model).expand(5), kl, rtol=1e-10, atol=1e-12)
    assert (latent_dim == 1) == bool(diagonal_gap(model) < 1e-12)
    # Narrower than the posterior's marginals wherever latents are correlated.
    assert (log_var.exp() <= model.posterior(x)[1].diagonal() + 1e-12).all()


def test_orthogonal_columns_have_no_gap_and_any_rotation_the_same_likelihood() -> None:
    x = torch.randn(100, 6, generator=seeded(0), dtype=torch.float64) * torch.arange(1, 7)
    model = LinearGaussian.fit(x, 3)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=seeded(1), dtype=torch.float64)).Q
    rotated = LinearGaussian(model.weight @ rotation, model.bias, model.noise_var)

    assert diagonal_gap(model) < 1e-12
    assert diagonal_gap(rotated) > 0.05
    torch.testing.assert_close(rotated.log_marginal(x), model.log_marginal(x))


def test_precision_is_the_inverse_of_the_posterior_s_covariance() -> None:
    model = random_model()
    x, _ = model.sample(1, seeded(1))

    inverse = torch.linalg.inv(model.posterior(x)[1])

    torch.testing.assert_close(posterior_precision(model), inverse, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan, math.inf])
def test_beta_must_be_positive_and_finite(beta: float) -> None:
    model = random_model()
    x, _ = model.sample(1, seeded(1))
    for function in (tempered_posterior, best_diagonal):
        with pytest.raises(ValueError, match=f"beta must be positive and finite, got {beta}"):
            function(model, x, beta)
