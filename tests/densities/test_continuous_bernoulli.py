"""The continuous Bernoulli against torch.distributions, quadrature and a series of fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import torch
from torch.distributions import ContinuousBernoulli

from vaelab.densities import (
    bernoulli_log_density,
    continuous_bernoulli_log_density,
    continuous_bernoulli_mean,
    continuous_bernoulli_quantile,
)

# 0.5 is where the series ends.
LOGITS = [-80.0, -3.0, -0.501, -0.499, -0.1, -1e-4, 0.0, 1e-9, 0.02, 0.499, 0.501, 2.0, 40.0, 80.0]


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("logit", LOGITS)
def test_integrates_to_one_and_has_its_mean(logit: float) -> None:
    def density(x: float) -> float:
        return float(continuous_bernoulli_log_density(double(x), double(logit)).exp())

    near_the_peak = [1 / 80, 1 / 8, 1 - 1 / 8, 1 - 1 / 80]
    area, _ = scipy.integrate.quad(density, 0, 1, points=near_the_peak)
    mean, _ = scipy.integrate.quad(lambda x: x * density(x), 0, 1, points=near_the_peak)

    assert area == pytest.approx(1, abs=1e-12)
    assert float(continuous_bernoulli_mean(double(logit))) == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize("logit", [-800.0, 800.0])
def test_far_out_it_is_an_exponential(logit: float) -> None:
    x = double(0.001, 0.0) if logit < 0 else double(0.999, 1.0)

    log_density = continuous_bernoulli_log_density(x, double(logit))

    torch.testing.assert_close(log_density, math.log(800) + double(-0.8, 0.0))
    mean = float(continuous_bernoulli_mean(double(logit)))
    assert mean == pytest.approx(1 / 800 if logit < 0 else 1 - 1 / 800, rel=1e-13)


@pytest.mark.parametrize("logit", [-20.0, -3.0, -0.6, 0.7, 2.0, 15.0])
def test_agrees_with_torch_distributions(logit: float) -> None:
    x = torch.linspace(0, 1, 11, dtype=torch.float64)

    log_density = continuous_bernoulli_log_density(x, double(logit))

    expected = ContinuousBernoulli(logits=double(logit))
    # Torch takes the logarithm of a probability: its error is a rounding over 1 - p.
    torch.testing.assert_close(log_density, expected.log_prob(x), rtol=1e-12, atol=1e-10)
    mean = continuous_bernoulli_mean(double(logit))
    torch.testing.assert_close(mean, expected.mean, rtol=1e-10, atol=0)


@pytest.mark.parametrize(
    "logit", [-0.75, -63 / 128, -0.25, 0.0, 2**-10, 2**-30, 63 / 128, 0.5, 1.0]
)
def test_keeps_its_digits_near_zero(logit: float) -> None:
    # (e^l - 1) / l and its slope by their power series, in fractions: no rounding.
    exact = Fraction(logit)
    normaliser = sum(exact**k / math.factorial(k + 1) for k in range(40))
    slope = sum(k * exact ** (k - 1) / math.factorial(k + 1) for k in range(1, 40))
    logits = double(logit).requires_grad_()

    log_density = continuous_bernoulli_log_density(double(0), logits)
    (gradient,) = torch.autograd.grad(log_density, logits)
    mean = continuous_bernoulli_mean(logits)

    # A few roundings of 1: log(1 + y) of a fraction y that is rounded once.
    expected = math.log1p(float(normaliser - 1))
    assert -log_density.item() == pytest.approx(expected, rel=0, abs=4e-16)
    assert -gradient.item() == pytest.approx(float(slope / normaliser), rel=0, abs=1e-15)
    assert mean.item() == pytest.approx(float(slope / normaliser), rel=0, abs=1e-15)


def test_mean_has_the_variance_for_its_gradient() -> None:
    logits = double(*LOGITS).requires_grad_()

    (gradient,) = torch.autograd.grad(continuous_bernoulli_mean(logits).sum(), logits)

    # Of an exponential family: 1 / l^2 - 1 / (4 sinh^2(l / 2)), and 1 / 12 at 0.
    far = logits.detach().abs() > 0.4
    logit = logits.detach()[far]
    expected = 1 / logit**2 - 1 / (4 * torch.sinh(logit / 2) ** 2)
    torch.testing.assert_close(gradient[far], expected, rtol=1e-12, atol=0)
    near = torch.full_like(gradient[~far], 1 / 12)
    torch.testing.assert_close(gradient[~far], near, rtol=1e-3, atol=0)


def test_float32_has_a_good_gradient_near_zero() -> None:
    logits = torch.logspace(-8, 1, 91).requires_grad_()

    log_density = continuous_bernoulli_log_density(torch.tensor(1.0), logits)
    (gradient,) = torch.autograd.grad(log_density.sum(), logits)

    expected = 1 - continuous_bernoulli_mean(logits.detach().double())
    torch.testing.assert_close(gradient.double(), expected, rtol=0, atol=5e-7)


def test_differs_from_cross_entropy_by_a_function_of_the_logit() -> None:
    x, logits = double(0.0, 0.3, 1.0), double(-2.0, 0.5, 7.0)[:, None]

    difference = continuous_bernoulli_log_density(x, logits) - bernoulli_log_density(x, logits)

    torch.testing.assert_close(difference, difference[:, :1].expand(3, 3))
    assert (difference > 0).all()


@pytest.mark.parametrize("logit", LOGITS)
def test_quantile_inverts_the_distribution_function(logit: float) -> None:
    u = double(0.0, 1e-6, 0.1, 0.5, 0.9, 1.0)

    x = continuous_bernoulli_quantile(u, double(logit))

    def density(t: float) -> float:
        return float(continuous_bernoulli_log_density(double(t), double(logit)).exp())

    assert ((x >= 0) & (x <= 1)).all()
    assert x[0] == 0
    # At 40 and more, u = 1 and its neighbours below map far apart.
    assert float(x[-1]) == pytest.approx(1)
    for probability, quantile in zip(u[1:-1].tolist(), x[1:-1].tolist(), strict=True):
        area, _ = scipy.integrate.quad(density, 0, quantile)
        assert area == pytest.approx(probability, rel=1e-8)


def test_quantile_at_zero_is_uniform_and_monotone_elsewhere() -> None:
    u = torch.linspace(0, 1, 101, dtype=torch.float64)

    for logit in (0.0, 5e-324, -1e-300, 1e-12):
        x = continuous_bernoulli_quantile(u, double(logit))
        np.testing.assert_allclose(x, u, rtol=0, atol=1e-12)
    assert (continuous_bernoulli_quantile(u, double(30.0)).diff() > 0).all()


@pytest.mark.parametrize("wrong", [-1e-6, 1.001, 16.0, math.nan, math.inf])
def test_refuses_data_outside_its_interval(wrong: float) -> None:
    with pytest.raises(ValueError, match="x must lie between 0 and 1, got"):
        continuous_bernoulli_log_density(torch.tensor([0.5, wrong]), torch.zeros(2))
