"""Binomial and beta-binomial against torch.distributions, scipy, quadrature and their limits."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import torch
from torch.distributions import Binomial
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from vaelab.densities import (
    bernoulli_log_density,
    beta_binomial_log_density,
    binomial_log_density,
)
from vaelab.densities import binomial as module

LOGITS = [-800.0, -80.0, -3.0, 0.0, 0.7, 20.5, 80.0, 800.0]


def double(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def levels(max_count: int) -> torch.Tensor:
    return torch.arange(max_count + 1, dtype=torch.float64)


@pytest.mark.parametrize("max_count", [1, 2, 16, 255])
@pytest.mark.parametrize("logit", LOGITS)
def test_binomial_sums_to_one(max_count: int, logit: float) -> None:
    log_density = binomial_log_density(levels(max_count), double(logit), max_count)

    # n softplus is rounded at n times the logit.
    assert float(log_density.exp().sum()) == pytest.approx(1, abs=1e-13 * max_count)


@pytest.mark.parametrize("max_count", [1, 2, 16, 255])
def test_binomial_agrees_with_torch_and_scipy(max_count: int) -> None:
    x, logits = levels(max_count), double(-30.0, -3.0, 0.0, 0.7, 9.0)[:, None]

    log_density = binomial_log_density(x, logits, max_count)

    by_torch = Binomial(max_count, logits=logits).log_prob(x)
    by_scipy = scipy.stats.binom.logpmf(x.numpy(), max_count, scipy.special.expit(logits.numpy()))
    torch.testing.assert_close(log_density, by_torch, rtol=1e-12, atol=1e-12)
    # At 9, scipy takes the logarithm of one minus a probability near one.
    np.testing.assert_allclose(log_density[:4], by_scipy[:4], rtol=1e-12, atol=1e-12)


def test_one_trial_is_a_bernoulli() -> None:
    x, logits = double(0, 1), double(-30.0, 0.3, 25.0)[:, None]

    for log_density in (
        binomial_log_density(x, logits, 1),
        beta_binomial_log_density(x, logits, double(0.7), 1),
    ):
        torch.testing.assert_close(log_density, bernoulli_log_density(x, logits))


def test_all_but_the_coefficient_is_n_cross_entropies_of_grey_pixels() -> None:
    x, logits = levels(16), double(-1.3)

    kernel = binomial_log_density(x, logits, 16) - binomial_log_density(x, 0 * logits, 16)

    cross_entropy = binary_cross_entropy_with_logits(
        logits.expand(17), x / 16, reduction="none"
    ) - math.log(2)
    torch.testing.assert_close(kernel, -16 * cross_entropy, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("max_count", [1, 2, 3, 16, 255])
@pytest.mark.parametrize("log_concentration", [-800.0, -80.0, -2.0, 0.0, 3.0, 80.0, 800.0])
def test_beta_binomial_sums_to_one(max_count: int, log_concentration: float) -> None:
    # Beyond 80 in both, c's 1 and the mean have underflowed together.
    logits = double(*(LOGITS if abs(log_concentration) <= 80 else [-80.0, 0.0, 80.0]))

    log_density = beta_binomial_log_density(
        levels(max_count), logits[:, None], double(log_concentration), max_count
    )

    assert not log_density.isnan().any()
    np.testing.assert_allclose(log_density.exp().sum(-1), 1, rtol=0, atol=1e-13 * max_count)


@pytest.mark.parametrize("max_count", [1, 2, 16, 255])
@pytest.mark.parametrize(("logit", "concentration"), [(0.0, 2.0), (-1.3, 0.2), (2.0, 9.0)])
def test_beta_binomial_agrees_with_scipy(
    max_count: int, logit: float, concentration: float
) -> None:
    x, mean = levels(max_count), scipy.special.expit(logit)

    log_density = beta_binomial_log_density(
        x, double(logit), double(concentration).log(), max_count
    )

    expected = scipy.stats.betabinom.logpmf(
        x, max_count, concentration * mean, concentration * (1 - mean)
    )
    # scipy's differences of log-gammas are rounded at the size of log n!.
    np.testing.assert_allclose(log_density, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("logit", "concentration"), [(0.4, 5.0), (-1.0, 12.0)])
def test_beta_binomial_is_a_binomial_averaged_over_a_beta(logit, concentration) -> None:
    mean = scipy.special.expit(logit)
    beta = scipy.stats.beta(concentration * mean, concentration * (1 - mean))

    log_density = beta_binomial_log_density(
        levels(16), double(logit), double(concentration).log(), 16
    )

    for x in (0, 3, 16):
        expected, _ = scipy.integrate.quad(
            lambda p, x=x: scipy.stats.binom.pmf(x, 16, p) * beta.pdf(p), 0, 1, epsabs=1e-12
        )
        assert float(log_density[x].exp()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("logit", [-80.0, -3.0, 0.0, 5.0, 80.0])
def test_large_concentration_is_the_binomial(logit: float) -> None:
    beta_binomial = beta_binomial_log_density(levels(16), double(logit), double(80.0), 16)

    binomial = binomial_log_density(levels(16), double(logit), 16)
    # c = e^80 leaves m + k / c: where m is e^-80 itself, the trials still copy one another.
    if abs(logit) < 80:
        torch.testing.assert_close(beta_binomial, binomial, rtol=1e-13, atol=1e-12)
    else:
        assert (beta_binomial >= binomial - 1e-9).all()


@pytest.mark.parametrize("logit", [-80.0, -3.0, 0.0, 5.0, 80.0])
def test_small_concentration_leaves_the_two_ends(logit: float) -> None:
    x, log_concentration = np.arange(1.0, 16.0), -80.0

    log_density = beta_binomial_log_density(
        levels(16), double(logit), double(log_concentration), 16
    )

    ends = logsigmoid(double(-logit, logit))
    # Between them, c m (1 - m) times the beta function without its small parameters.
    between = (
        np.log(scipy.special.comb(16, x))
        + scipy.special.betaln(x, 16 - x)
        + log_concentration
        + float(ends.sum())
    )
    torch.testing.assert_close(log_density[[0, -1]], ends, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(log_density[1:-1], between, rtol=1e-13)


def test_mean_of_the_beta_binomial() -> None:
    logits, log_concentration = double(-2.0, 0.0, 1.0)[:, None], double(0.5)

    density = beta_binomial_log_density(levels(16), logits, log_concentration, 16).exp()

    torch.testing.assert_close(density @ levels(16), 16 * torch.sigmoid(logits[:, 0]))


def test_taking_factors_some_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 17, (5, 8), generator=generator).double()
    logits, log_concentration = torch.randn(2, 3, 5, 8, generator=generator).double()
    whole = beta_binomial_log_density(x, logits, log_concentration, 16)

    for numbers in (1, 4 * 3 * 5 * 8, 7 * 3 * 5 * 8, 15 * 3 * 5 * 8 - 1):
        monkeypatch.setattr(module, "CHUNK_NUMBERS", numbers)
        chunked = beta_binomial_log_density(x, logits, log_concentration, 16)
        torch.testing.assert_close(chunked, whole, rtol=1e-14, atol=1e-14)


def test_float32_keeps_its_digits_at_large_concentrations() -> None:
    x = levels(16)
    for log_concentration in (0.0, 5.0, 12.0, 30.0, 80.0):
        exact = beta_binomial_log_density(x, double(0.3), double(log_concentration), 16)

        single = beta_binomial_log_density(
            x.float(), double(0.3).float(), double(log_concentration).float(), 16
        )

        # Differences of log-gammas would be off by whole nats from e^12 on.
        torch.testing.assert_close(single.double(), exact, rtol=1e-6, atol=1e-5)
