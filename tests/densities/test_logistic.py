"""The discretised logistic against scipy's distribution function, and as a rounded variable."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from vaelab.densities import discretised_logistic_log_density


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def levels(max_count: int) -> torch.Tensor:
    return torch.arange(max_count + 1, dtype=torch.float64)


@pytest.mark.parametrize("max_count", [1, 2, 16, 255])
@pytest.mark.parametrize("log_scale", [-80.0, -20.0, -2.0, 0.0, 3.0, 80.0])
@pytest.mark.parametrize("mean", [-1e3, -0.5, 0.0, 0.7, 8.0, 16.5, 1e3])
def test_sums_to_one(max_count: int, log_scale: float, mean: float) -> None:
    log_density = discretised_logistic_log_density(
        levels(max_count), double(mean), double(log_scale), max_count
    )

    assert not log_density.isnan().any()
    # A scale of e^20 leaves each bin of n a rounding of its own.
    assert float(log_density.exp().sum()) == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize("log_scale", [-1.5, 0.0, 2.0])
@pytest.mark.parametrize("mean", [-3.0, 0.0, 7.3, 16.0])
def test_agrees_with_differences_of_scipy_s_distribution_function(log_scale, mean) -> None:
    log_density = discretised_logistic_log_density(levels(16), double(mean), double(log_scale), 16)

    logistic = scipy.stats.logistic(mean, math.exp(log_scale))
    edges = np.concatenate([[-np.inf], np.arange(16) + 0.5, [np.inf]])
    # Above the mean differences of the survival function, which keeps its digits there.
    by_cdf, by_sf = np.diff(logistic.cdf(edges)), -np.diff(logistic.sf(edges))
    expected = np.where(edges[:-1] < mean, by_cdf, by_sf)
    np.testing.assert_allclose(log_density.exp(), expected, rtol=1e-12, atol=1e-300)


def test_keeps_its_digits_far_out_in_the_tail() -> None:
    # At -1000 the bin of 3 has e^-1002.5 (1 - e^-1) of the mass, to rounding.
    log_density = discretised_logistic_log_density(double(3), double(-1000), double(0), 16)

    assert float(log_density) == pytest.approx(-1002.5 + math.log(-math.expm1(-1)), rel=1e-15)


def test_wide_scale_is_flat_between_the_ends() -> None:
    log_density = discretised_logistic_log_density(levels(16), double(8), double(80), 16)

    torch.testing.assert_close(log_density[[0, 16]], double(0.5, 0.5).log())
    # The logistic's density at its mean is 1 / (4 s).
    expected = torch.full((15,), -math.log(4) - 80, dtype=torch.float64)
    torch.testing.assert_close(log_density[1:16], expected, rtol=1e-14, atol=0)


def test_is_the_law_of_a_rounded_logistic() -> None:
    mean, scale, count = 5.3, 2.1, 200_000
    draws = scipy.stats.logistic(mean, scale).rvs(count, random_state=0)
    shares = np.bincount(draws.round().clip(0, 16).astype(int), minlength=17) / count

    density = (
        discretised_logistic_log_density(levels(16), double(mean), double(scale).log(), 16)
        .exp()
        .numpy()
    )

    assert (np.abs(shares - density) <= 5 * np.sqrt(density * (1 - density) / count)).all()
