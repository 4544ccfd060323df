"""ELBO surgery against quadrature, closed forms, and what mutual information can't exceed."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from tests.diagnostics.linear_code import Codes, linear_code, seeded
from vaelab.diagnostics import ElboSurgery, aggregate_log_density, elbo_surgery
from vaelab.exact.mixture import gaussian_mixture, prior_points
from vaelab.exact.quadrature import latent_grid


def images(count: int) -> torch.Tensor:
    """Stand-ins where the codes are written down: their pixels do not matter."""
    return torch.zeros(count, 1).double()


def some_codes(count: int, latent_dim: int, spread: float = 1.0, log_var: float = -1.0) -> Codes:
    mean = spread * torch.randn(count, latent_dim, generator=seeded(3), dtype=torch.float64)
    wobble = torch.rand(count, latent_dim, generator=seeded(4), dtype=torch.float64)
    return Codes(mean, log_var + wobble)


def mixture_of(codes: Codes) -> MixtureSameFamily:
    parts = Independent(Normal(codes.mean, (codes.log_var / 2).exp()), 1)
    return MixtureSameFamily(Categorical(torch.ones(len(codes.mean)).double()), parts)


def rate_of(codes: Codes) -> float:
    q = Normal(codes.mean, (codes.log_var / 2).exp())
    return kl_divergence(q, Normal(0 * codes.mean, 1.0)).sum(-1).mean().item()


def by_quadrature(codes: Codes) -> tuple[float, float]:
    """Mutual information and KL(q(z) || p(z)), summed over a grid, with no draws."""
    latent_dim = codes.mean.shape[1]
    # Six deviations and more beyond the last image.
    grid = latent_grid(latent_dim, half_width=float(codes.mean.abs().max()) + 8, step=0.06)
    cell = math.log(float(grid[1, -1] - grid[0, -1])) * latent_dim
    log_q = mixture_of(codes).log_prob(grid)
    share = (log_q + cell).exp()
    assert abs(share.sum() - 1) < 1e-9  # all of q is on the grid
    log_prior = Normal(0.0, 1.0).log_prob(grid).sum(-1)
    entropy = -(share * log_q).sum()
    own = Normal(codes.mean, (codes.log_var / 2).exp()).entropy().sum(-1).mean()
    return (entropy - own).item(), (share * (log_q - log_prior)).sum().item()


def assert_parts(result: ElboSurgery, information: float, marginal_kl: float, atol=0.0) -> None:
    """Within 5 standard errors: right numbers fail about once in two million seeds."""
    assert abs(result.mutual_information - information) <= 5 * result.standard_error + atol
    assert abs(result.marginal_kl - marginal_kl) <= 5 * result.standard_error + atol


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize(
    ("spread", "log_var"), [(1.0, -1.5), (2.0, -4.0), (0.05, -0.5)], ids=["usual", "apart", "idle"]
)
def test_both_parts_are_those_of_quadrature(latent_dim: int, spread: float, log_var: float) -> None:
    codes = some_codes(40, latent_dim, spread, log_var)

    result = elbo_surgery(codes, images(40), 200, seeded(0))

    information, marginal_kl = by_quadrature(codes)
    assert_parts(result, information, marginal_kl)
    assert result.standard_error < 0.02
    assert result.rate == pytest.approx(rate_of(codes), rel=1e-12)
    assert result.mutual_information + result.marginal_kl == pytest.approx(result.rate, rel=1e-12)


def test_marginal_kl_is_that_of_draws_from_the_aggregate_itself() -> None:
    # Above two latents no grid: draws of torch's mixture, and log q(z) - log p(z) of each.
    codes = some_codes(60, 6)
    mixture = mixture_of(codes)
    parts = torch.randint(60, (20_000,), generator=seeded(0))
    noise = torch.randn(20_000, 6, generator=seeded(1), dtype=torch.float64)
    z = codes.mean[parts] + (codes.log_var[parts] / 2).exp() * noise
    log_ratio = mixture.log_prob(z) - Normal(0.0, 1.0).log_prob(z).sum(-1)
    error = log_ratio.std() / math.sqrt(len(z))

    result = elbo_surgery(codes, images(60), 50, seeded(0))

    both = math.hypot(error, result.standard_error)
    assert abs(result.marginal_kl - log_ratio.mean()) <= 5 * both
    assert result.marginal_kl > 20 * both  # and it is not simply zero


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_gaussian_data_in_a_linear_code_have_closed_forms(latent_dim: int) -> None:
    # Quantiles in place of draws: as near to normal data as so many images can be.
    x = prior_points({1: 2000, 2: 45}[latent_dim], latent_dim)
    vae = linear_code(latent_dim, pixels=latent_dim)
    noise = vae.log_var.exp().diag()
    aggregate = vae.encoder.T @ torch.cov(x.T, correction=0).reshape([latent_dim] * 2) @ vae.encoder
    aggregate = aggregate + noise
    information = 0.5 * (torch.logdet(aggregate) - torch.logdet(noise)).item()
    zero, one = torch.zeros(latent_dim).double(), torch.eye(latent_dim).double()
    marginal_kl = kl_divergence(
        MultivariateNormal(zero, aggregate), MultivariateNormal(zero, one)
    ).item()

    result = elbo_surgery(vae, x, 20, seeded(0))

    # 45 quantiles a side fall short of the tails: 0.002 nats.
    assert_parts(result, information, marginal_kl, atol=0.002)
    assert information > 0.05
    assert result.standard_error < 0.004


def test_codes_far_apart_tell_all_images_and_no_more() -> None:
    far = Codes(100 * torch.arange(50.0)[:, None].double(), torch.zeros(50, 1).double())

    result = elbo_surgery(far, images(50), 5, seeded(0))

    assert result.mutual_information == pytest.approx(math.log(50), abs=1e-9)
    assert result.largest_information == math.log(50)


def test_one_code_for_all_tells_nothing() -> None:
    same = Codes(torch.full((30, 2), 1.5).double(), torch.full((30, 2), -1.0).double())

    result = elbo_surgery(same, images(30), 5, seeded(0))

    assert result.mutual_information == pytest.approx(0, abs=1e-12)
    assert result.marginal_kl == pytest.approx(result.rate)


def test_a_minibatch_would_lower_the_ceiling() -> None:
    codes = some_codes(256, 2, spread=1.0, log_var=-6.0)
    whole = elbo_surgery(codes, images(256), 10, seeded(0))
    batches = [
        elbo_surgery(Codes(mean, log_var), images(8), 10, seeded(0)).mutual_information
        for mean, log_var in zip(codes.mean.split(8), codes.log_var.split(8), strict=True)
    ]

    assert max(batches) <= math.log(8) + 1e-6
    assert whole.mutual_information > math.log(8) + 1


@pytest.mark.parametrize("num_samples", [2, 10])
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_standard_error_is_the_spread_of_repeats(spread: float, num_samples: int) -> None:
    codes, repeats = some_codes(40, 2, spread), 300
    results = [elbo_surgery(codes, images(40), num_samples, seeded(s)) for s in range(repeats)]

    values = torch.tensor([r.mutual_information for r in results]).double()
    reported = torch.tensor([r.standard_error for r in results]).double()

    assert abs(values.std() / reported.square().mean().sqrt() - 1) <= 5 / math.sqrt(2 * repeats)
    # Fitting the control variate's slope to the same draws has left no bias to be seen.
    information, _ = by_quadrature(codes)
    assert abs(values.mean() - information) <= 5 * values.std() / math.sqrt(repeats)


def test_control_variate_pays_where_the_model_has_nearly_collapsed() -> None:
    # Means that vary by 0.04, and variances of 0.96: together they fill the prior.
    codes = some_codes(50, 2, spread=0.2)
    codes = Codes(codes.mean, torch.full_like(codes.mean, math.log(0.96)))
    z = torch.randn(1000, 50, 2, generator=seeded(0), dtype=torch.float64)
    z = codes.mean + (codes.log_var / 2).exp() * z
    own = Normal(codes.mean, (codes.log_var / 2).exp()).log_prob(z).sum(-1)
    plain = own - mixture_of(codes).log_prob(z.flatten(0, 1)).reshape(own.shape)
    plain_error = math.sqrt(plain.var(0).sum() / 10) / 50

    assert elbo_surgery(codes, images(50), 10, seeded(1)).standard_error < plain_error / 4


def test_one_draw_has_no_error_to_report() -> None:
    codes = some_codes(10, 2)
    result = elbo_surgery(codes, images(10), 1, seeded(0))

    assert result.standard_error == math.inf
    assert math.isfinite(result.mutual_information)


@pytest.mark.parametrize("numbers", [1, 50, 2**20])
def test_pieces_of_any_size_give_the_same_numbers(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = some_codes(13, 3)
    whole = elbo_surgery(codes, images(13), 21, seeded(0))

    monkeypatch.setattr("vaelab.diagnostics._posterior.CHUNK_NUMBERS", numbers)
    monkeypatch.setattr("vaelab.diagnostics.surgery.CHUNK_NUMBERS", numbers)
    pieces = elbo_surgery(codes, images(13), 21, seeded(0))

    assert vars(pieces) == pytest.approx(vars(whole), rel=1e-12)


def test_aggregate_density_is_torchs_mixture_and_ours() -> None:
    codes = some_codes(7, 3)
    z = 3 * torch.randn(500, 3, generator=seeded(0), dtype=torch.float64)

    log_q = aggregate_log_density(z, codes.mean, codes.log_var)

    torch.testing.assert_close(log_q, mixture_of(codes).log_prob(z), rtol=1e-12, atol=1e-12)
    log_prior = torch.full((7,), -math.log(7), dtype=torch.float64)
    mixture = gaussian_mixture(log_prior, codes.mean, codes.log_var)
    torch.testing.assert_close(log_q, mixture.log_marginal(z), rtol=1e-12, atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    count=st.integers(1, 6),
    latent_dim=st.integers(1, 3),
    seed=st.integers(0, 2**32),
    log_var=st.floats(-80, 80),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_information_is_between_nothing_and_log_n(
    count: int, latent_dim: int, seed: int, log_var: float, dtype: torch.dtype
) -> None:
    mean = 10 * torch.randn(count, latent_dim, generator=seeded(seed), dtype=dtype)
    codes = Codes(mean, torch.full_like(mean, log_var))

    result = elbo_surgery(codes, images(count), 50, seeded(seed))

    slack = 6 * result.standard_error + 1e-6
    assert -slack <= result.mutual_information <= math.log(count) + slack
    assert math.isfinite(result.rate)


def test_shapes_that_do_not_fit_are_named() -> None:
    two = torch.zeros(3, 2)
    with pytest.raises(ValueError, match=r"one shape \(batch, latent\).*\(3, 2\) and \(3, 1\)"):
        aggregate_log_density(two, two, two[:, :1])
    with pytest.raises(ValueError, match=r"at least one image, got \(0, 2\)"):
        aggregate_log_density(two, two[:0], two[:0])
    with pytest.raises(ValueError, match=r"z must have shape .* with latent 2, got \(3, 1\)"):
        aggregate_log_density(two[:, :1], two, two)
