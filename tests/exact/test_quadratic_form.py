"""Weighted sums of squared normals, against scipy, closed forms, small balls and simulation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ncx2

from vaelab.exact.quadratic_form import quadratic_form_log_cdf, quadratic_form_quantile

PROBABILITIES = [1e-30, 1e-9, 0.01, 0.5, 0.99, 1 - 1e-9]


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("squared_shift", [1e-6, 1.0, 30.0, 400.0])
@pytest.mark.parametrize("terms", [1, 2, 7, 100])
def test_equal_scales_give_a_noncentral_chi_square(terms, squared_shift, scale) -> None:
    known = ncx2(terms, squared_shift)
    threshold = np.maximum(known.ppf(PROBABILITIES), 1e-3)
    shifts = torch.full((6, terms), math.sqrt(squared_shift / terms), dtype=torch.float64)
    scales = scale * torch.ones(terms, dtype=torch.float64)

    log_cdf = quadratic_form_log_cdf(scales, shifts, scale * torch.tensor(threshold))
    quantile = quadratic_form_quantile(scales, shifts[:1], 0.99)

    torch.testing.assert_close(
        log_cdf, torch.tensor(known.logcdf(threshold)), rtol=1e-10, atol=1e-10
    )
    assert quantile.item() == pytest.approx(scale * known.ppf(0.99), rel=1e-9)


def test_pairs_of_terms_are_exponential_variables() -> None:
    # The sum of two squares is exponential, and sums of exponentials have a closed form.
    means = [2.0, 6.0, 14.0]
    t = tensor(0.5, 5.0, 60.0)
    rest = torch.zeros_like(t)
    for i, one in enumerate(means):
        others = [other for j, other in enumerate(means) if j != i]
        rest += math.prod(one / (one - other) for other in others) * (-t / one).exp()

    log_cdf = quadratic_form_log_cdf(
        tensor(1.0, 1.0, 3.0, 3.0, 7.0, 7.0), torch.zeros(3, 6, dtype=torch.float64), t
    )

    torch.testing.assert_close(log_cdf, torch.log1p(-rest), rtol=1e-10, atol=1e-10)


def test_in_the_deep_tail_it_is_the_volume_of_an_ellipsoid_times_the_density() -> None:
    scales, shifts = tensor(0.5, 2.0, 9.0), tensor(1.0, -2.0, 0.3)[None]
    t = 1e-9
    log_volume = math.log(4 / 3 * math.pi) + 1.5 * math.log(t) - 0.5 * scales.log().sum()
    log_density = -0.5 * shifts.square().sum() - 1.5 * math.log(2 * math.pi)

    log_cdf = quadratic_form_log_cdf(scales, shifts, tensor(t))

    torch.testing.assert_close(log_cdf[0], log_volume + log_density, rtol=0, atol=1e-8)


def test_shares_and_quantiles_agree_with_draws() -> None:
    scales, shifts = tensor(0.2, 1.0, 5.0, 30.0), tensor(3.0, 0.0, -1.0, 0.5)[None]
    noise = torch.randn(400_000, 4, generator=torch.Generator().manual_seed(0)).double()
    draws = (scales * (noise + shifts).square()).sum(-1)

    for probability in (0.02, 0.3, 0.9):
        threshold = quadratic_form_quantile(scales, shifts, probability)
        share = (draws <= threshold).double().mean().item()
        standard_error = math.sqrt(probability * (1 - probability) / len(draws))
        assert abs(share - probability) < 5 * standard_error


@given(
    scales=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=12),
    shift=st.floats(-30, 30),
    exponent=st.floats(-12, 3),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_any_scales_give_a_log_probability_that_rises(scales, shift, exponent) -> None:
    lam = torch.tensor(scales, dtype=torch.float64)
    shifts = torch.full((2, len(scales)), shift, dtype=torch.float64)
    mean = (lam * (1 + shift**2)).sum()
    t = mean * 10.0**exponent * tensor(1.0, 2.0)

    log_cdf = quadratic_form_log_cdf(lam, shifts, t)

    assert log_cdf.isfinite().all()
    assert log_cdf[0] - 1e-10 <= log_cdf[1] <= 0
    torch.testing.assert_close(  # units do not matter
        quadratic_form_log_cdf(8 * lam, -shifts, 8 * t), log_cdf, rtol=1e-8, atol=1e-8
    )


@given(
    scales=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=12),
    shift=st.floats(-30, 30),
    probability=st.floats(1e-6, 1 - 1e-6),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_the_quantile_undoes_the_probability(scales, shift, probability) -> None:
    lam = torch.tensor(scales, dtype=torch.float64)
    shifts = torch.full((1, len(scales)), shift, dtype=torch.float64)

    t = quadratic_form_quantile(lam, shifts, probability)

    log_cdf = quadratic_form_log_cdf(lam, shifts, t)
    assert log_cdf.exp().item() == pytest.approx(probability, rel=1e-8)


def test_an_empty_batch_is_an_empty_answer() -> None:
    none = torch.zeros(0, 2, dtype=torch.float64)

    assert quadratic_form_log_cdf(tensor(1.0, 2.0), none, none[:, 0]).shape == (0,)
    assert quadratic_form_quantile(tensor(1.0, 2.0), none, 0.5).shape == (0,)


@pytest.mark.parametrize(
    ("scales", "shifts", "threshold", "message"),
    [
        ([1.0, 2.0], [[0.0]], [1.0], r"scales must have shape \(terms,\) and shifts"),
        ([], [[]], [1.0], "scales must be positive and finite, at least one"),
        ([1.0, 0.0], [[0.0, 0.0]], [1.0], r"scales must be positive .* got \[1.0, 0.0\]"),
        ([1.0, math.inf], [[0.0, 0.0]], [1.0], "scales must be positive"),
        ([1.0], [[math.nan]], [1.0], "shifts must be finite, got nan"),
        ([1.0], [[0.0]], [0.0], "threshold must be positive and finite, got 0.0"),
        ([1.0], [[0.0]], [math.inf], "threshold must be positive and finite, got inf"),
        ([1.0], [[0.0]], [math.nan], "threshold must be positive and finite, got nan"),
        ([1.0], [[0.0]], [1.0, 2.0], r"threshold must have shape \(batch,\) = \(1,\), got \(2,\)"),
    ],
)
def test_bad_input_is_named(scales, shifts, threshold, message) -> None:
    arguments = [torch.tensor(value, dtype=torch.float64) for value in (scales, shifts, threshold)]
    with pytest.raises(ValueError, match=message):
        quadratic_form_log_cdf(*arguments)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.5, math.nan])
def test_a_probability_is_between_0_and_1(probability: float) -> None:
    with pytest.raises(ValueError, match="probability must be over 0 and under 1"):
        quadratic_form_quantile(tensor(1.0), torch.zeros(1, 1).double(), probability)
