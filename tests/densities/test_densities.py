"""Densities held against torch.distributions, sums, quadrature and sampling, in float64."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from vaelab.densities import (
    bernoulli_log_density,
    bernoulli_log_likelihood,
    kl_to_standard_normal,
    normal_log_density,
    standard_normal_log_density,
)


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0, 300.0])
def test_bernoulli_agrees_with_torch_distributions(scale: float) -> None:
    logits = normal(50, 7, scale=scale)
    x = (normal(50, 7, seed=1) > 0).double()

    log_density = bernoulli_log_density(x, logits)

    expected = Bernoulli(logits=logits).log_prob(x)
    torch.testing.assert_close(log_density, expected, rtol=1e-13, atol=1e-13)


# 20 is where torch's softplus starts to approximate; 800 is where exp overflows in float64.
@pytest.mark.parametrize("logit", [-800.0, -25.0, -20.5, 0.0, 19.5, 20.5, 25.0, 45.0, 800.0])
def test_bernoulli_sums_to_one_over_both_values(logit: float) -> None:
    x = torch.tensor([0.0, 1.0], dtype=torch.float64)

    log_density = bernoulli_log_density(x, torch.tensor(logit, dtype=torch.float64))

    assert float(log_density.exp().sum()) == pytest.approx(1, abs=1e-14)
    # logaddexp of numpy keeps every digit at these logits.
    assert float(log_density[0]) == pytest.approx(-np.logaddexp(0, logit), rel=1e-14)


def test_bernoulli_is_no_density_of_grey_values() -> None:
    logit = torch.tensor(1.5, dtype=torch.float64)

    def density(x: float) -> float:
        return float(bernoulli_log_density(torch.tensor(x, dtype=torch.float64), logit).exp())

    area, _ = scipy.integrate.quad(density, 0, 1)

    assert area == pytest.approx((math.exp(1.5) - 1) / 1.5 / (1 + math.exp(1.5)))
    assert area < 0.5


@pytest.mark.parametrize(
    "logits_shape", [(6, 5), (3, 6, 5), (3, 1, 5), (1, 5), (2, 4, 6, 5), (2, 4, 1, 5)]
)
def test_image_log_likelihood_is_the_sum_over_pixels(logits_shape: tuple[int, ...]) -> None:
    x = (normal(6, 5, seed=1) > 0).double()
    logits = normal(*logits_shape, scale=3.0)

    log_likelihood = bernoulli_log_likelihood(x, logits)

    expected = bernoulli_log_density(x, logits).sum(-1)
    assert log_likelihood.shape == (*logits_shape[:-2], 6)
    torch.testing.assert_close(log_likelihood, expected, rtol=1e-13, atol=1e-13)


def test_image_log_likelihood_refuses_other_pixels() -> None:
    message = r"x and logits must have the same number of pixels, got \(2, 64\) and \(5, 2, 63\)"
    with pytest.raises(ValueError, match=message):
        bernoulli_log_likelihood(torch.zeros(2, 64), torch.zeros(5, 2, 63))


def test_normal_agrees_with_torch_distributions_and_broadcasts() -> None:
    x, mean, log_var = normal(4, 6, 3), normal(6, 3, seed=1), normal(3, seed=2, scale=2.0)

    log_density = normal_log_density(x, mean, log_var)

    expected = Normal(mean, (log_var / 2).exp()).log_prob(x)
    torch.testing.assert_close(log_density, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("mean", "log_var"), [(0.0, 0.0), (1.5, -3.0), (-0.2, 1.0)])
def test_normal_integrates_to_one(mean: float, log_var: float) -> None:
    mean_, log_var_ = (torch.tensor(v, dtype=torch.float64) for v in (mean, log_var))

    def density(x: float) -> float:
        x_ = torch.tensor(x, dtype=torch.float64)
        return float(normal_log_density(x_, mean_, log_var_).exp())

    area, error = scipy.integrate.quad(density, mean - 40, mean + 40, points=[mean])

    assert abs(area - 1) <= max(error, 1e-12)


def test_standard_normal_agrees_with_scipy_far_into_the_tail() -> None:
    z = torch.linspace(-40, 40, 81, dtype=torch.float64)

    log_density = standard_normal_log_density(z)

    np.testing.assert_allclose(log_density, scipy.stats.norm.logpdf(z), rtol=1e-14)


def test_kl_agrees_with_torch_distributions() -> None:
    mean, log_var = normal(40, 5, scale=2.0), normal(40, 5, seed=1, scale=2.0)

    kl = kl_to_standard_normal(mean, log_var)

    expected = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(mean * 0, 1.0))
    assert kl.shape == (40, 5)
    torch.testing.assert_close(kl, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("mean", "log_var"), [(1.5, -3.0), (-0.2, 1.0), (0.0, 0.5)])
def test_kl_is_the_mean_log_ratio(mean: float, log_var: float) -> None:
    mean_, log_var_ = (torch.tensor([v], dtype=torch.float64) for v in (mean, log_var))
    z = mean_ + (log_var_ / 2).exp() * normal(200_000)
    log_ratio = Normal(mean_, (log_var_ / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    standard_error = log_ratio.std() / math.sqrt(len(z))

    kl = kl_to_standard_normal(mean_, log_var_)

    # Five standard errors: a correct formula fails about once in two million seeds.
    assert abs(kl - log_ratio.mean()) <= 5 * standard_error


@pytest.mark.parametrize("log_var", [1e-3, -1e-3, 1e-5, -1e-5, 1e-7])
def test_kl_keeps_its_digits_where_a_latent_has_collapsed(log_var: float) -> None:
    # e^v - 1 - v = v^2/2! + v^3/3! + ...
    expected = sum(log_var**k / math.factorial(k) for k in range(2, 8)) / 2

    kl = kl_to_standard_normal(
        torch.zeros(1, dtype=torch.float64), torch.tensor([log_var], dtype=torch.float64)
    )

    # One rounding of expm1(v). With exp(v) - 1 instead, the error is one of 1: up to 1e-16.
    assert float(kl) == pytest.approx(expected, rel=1e-13, abs=2.3e-16 * abs(log_var))


def test_kl_refuses_to_broadcast() -> None:
    message = r"mean and log_var must have the same shape, got \(8, 1\) and \(8, 2\)"
    with pytest.raises(ValueError, match=message):
        kl_to_standard_normal(torch.zeros(8, 1), torch.zeros(8, 2))
