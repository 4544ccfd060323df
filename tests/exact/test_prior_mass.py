"""The share of prior draws that matters, against grids, a chi-square, and weighted draws."""

import math

import pytest
import torch
from scipy.stats import chi2, ncx2

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.prior_mass import log_prior_mass_in_use
from vaelab.exact.quadrature_posterior import quadrature_posterior


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_model(latent_dim: int, pixels: int = 6, noise_var: float = 0.4) -> LinearGaussian:
    generator = seeded(latent_dim)
    weight = torch.randn(pixels, latent_dim, generator=generator, dtype=torch.float64)
    bias = torch.randn(pixels, generator=generator, dtype=torch.float64)
    return LinearGaussian(weight, bias, noise_var)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
@pytest.mark.parametrize(("latent_dim", "step"), [(1, 0.001), (2, 0.025)])
def test_it_agrees_with_a_sum_over_a_grid(latent_dim, step, share) -> None:
    model = random_model(latent_dim)
    x, _ = model.sample(4, seeded(1))
    grid = quadrature_posterior(x, model.log_likelihood, latent_dim, step=step)

    mass = log_prior_mass_in_use(model, x, share).exp()

    torch.testing.assert_close(mass, grid.prior_mass_in_use(share), rtol=2e-3, atol=0)


@pytest.mark.parametrize("latent_dim", [3, 100])
def test_latents_seen_alike_give_a_chi_square(latent_dim: int) -> None:
    # One pixel a latent, noise v: given x = 0, z is N(0, v / (1 + v)) and the region a ball.
    variance = 0.25
    eye = torch.eye(latent_dim, dtype=torch.float64)
    model = LinearGaussian(eye, torch.zeros(latent_dim).double(), variance)
    x = torch.stack([0 * eye[0], 2 * eye[1]])

    mass = log_prior_mass_in_use(model, x, 0.99)

    radius = chi2(latent_dim).ppf(0.99) * variance / (1 + variance)
    assert mass[0].item() == pytest.approx(chi2(latent_dim).logcdf(radius), rel=1e-9)
    # About x = 2 both are off centre: the posterior by 2 v / (1 + v), the prior by 2.
    v = variance / (1 + variance)
    radius = ncx2(latent_dim, (2 * v) ** 2 / v).ppf(0.99) * v
    assert mass[1].item() == pytest.approx(ncx2(latent_dim, 4).logcdf(radius), rel=1e-9)


def test_the_heaviest_draws_of_a_million_are_that_many() -> None:
    model = random_model(4, noise_var=0.6)
    x, _ = model.sample(1, seeded(1))
    shares = []
    for seed in range(8):
        z = torch.randn(125_000, 1, 4, generator=seeded(seed), dtype=torch.float64)
        weights = model.log_likelihood(x, z)[:, 0].softmax(0).sort(descending=True).values
        shares.append(int((weights.cumsum(0) < 0.99).sum()) / len(weights))
    shares = torch.tensor(shares, dtype=torch.float64)
    standard_error = (shares.std() / math.sqrt(len(shares))).item()

    mass = log_prior_mass_in_use(model, x).exp().item()

    assert 0 < standard_error < 0.02 * mass
    assert abs(shares.mean().item() - mass) < 5 * standard_error


def test_deep_in_the_tail_it_agrees_with_draws_from_the_posterior() -> None:
    # Under the posterior, each draw stands for p(z) / p(z | x) draws of the prior.
    model = random_model(20, pixels=30, noise_var=0.5)
    x, _ = model.sample(1, seeded(1))
    mean, covariance = model.posterior(x)
    noise = torch.randn(200_000, 20, generator=seeded(2), dtype=torch.float64)
    z = mean + noise @ torch.linalg.cholesky(covariance).T
    log_likelihood = model.log_likelihood(x, z[:, None])[:, 0]
    inside = log_likelihood >= log_likelihood.quantile(0.01)
    log_ratio = model.log_marginal(x) - log_likelihood[inside]  # Bayes: p(z) / p(z | x)
    scaled = (log_ratio - log_ratio.max()).exp()
    mean_ratio = scaled.sum() / len(z)
    relative_error = scaled.std() * math.sqrt(len(scaled)) / len(z) / mean_ratio

    mass = log_prior_mass_in_use(model, x)

    assert mass.item() < math.log(1e-9)
    estimate = mean_ratio.log() + log_ratio.max()
    # The threshold is estimated as well: allow for that with twice the usual five.
    assert abs(mass.item() - estimate.item()) < 10 * relative_error.item() < 0.2


def test_a_turned_code_and_unused_latents_change_nothing() -> None:
    model = random_model(3)
    x, _ = model.sample(5, seeded(1))
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=seeded(2), dtype=torch.float64))
    idle = torch.zeros(6, 2, dtype=torch.float64)
    expected = log_prior_mass_in_use(model, x)

    for weight in (model.weight @ turn, torch.cat([model.weight, idle], 1)):
        other = LinearGaussian(weight, model.bias, model.noise_var)
        torch.testing.assert_close(log_prior_mass_in_use(other, x), expected, rtol=1e-9, atol=1e-9)


def test_an_image_that_tells_nothing_leaves_the_share_itself() -> None:
    idle = LinearGaussian(torch.zeros(6, 2).double(), torch.zeros(6).double(), 1.0)
    nearly = LinearGaussian(1e-6 * torch.ones(6, 2).double(), torch.zeros(6).double(), 1.0)
    x = torch.ones(3, 6, dtype=torch.float64)

    for model in (idle, nearly):
        mass = log_prior_mass_in_use(model, x, 0.8).exp()
        torch.testing.assert_close(mass, torch.full_like(mass, 0.8), rtol=1e-4, atol=0)


def test_single_precision_and_an_empty_batch() -> None:
    model = random_model(3)
    x, _ = model.sample(5, seeded(1))
    single = LinearGaussian(model.weight.float(), model.bias.float(), model.noise_var)

    torch.testing.assert_close(
        log_prior_mass_in_use(single, x.float()),
        log_prior_mass_in_use(model, x),
        rtol=1e-4,
        atol=1e-4,
    )
    assert log_prior_mass_in_use(model, x[:0]).shape == (0,)


@pytest.mark.parametrize("share", [0.0, 1.0, math.nan])
def test_a_share_is_between_0_and_1(share: float) -> None:
    model = random_model(2)
    with pytest.raises(ValueError, match="share must be over 0 and under 1"):
        log_prior_mass_in_use(model, torch.zeros(1, 6).double(), share)


@pytest.mark.parametrize("x", [torch.zeros(6), torch.full((1, 6), math.nan)])
def test_x_is_a_finite_matrix(x: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="x must"):
        log_prior_mass_in_use(random_model(2), x.double())
