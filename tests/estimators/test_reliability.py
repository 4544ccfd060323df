"""The effective sample size held against its definition and its limits."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.estimators.reliability import (
    effective_sample_size,
    ess_of_sums,
    log_mean_standard_error,
)


def log_weights(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(50,), (50, 3), (50, 3, 2), (1, 3)])
def test_agrees_with_its_definition(shape: tuple[int, ...]) -> None:
    weights = log_weights(*shape).exp()

    ess = effective_sample_size(log_weights(*shape))

    assert ess.shape == shape[1:]
    torch.testing.assert_close(ess, weights.sum(0) ** 2 / weights.square().sum(0))


@pytest.mark.parametrize("offset", [-1e5, 0.0, 1e5])
def test_a_constant_changes_nothing(offset: float) -> None:
    ess = effective_sample_size(log_weights(50, 3) + offset)

    torch.testing.assert_close(ess, effective_sample_size(log_weights(50, 3)), rtol=1e-9, atol=0)


def test_limits_are_one_and_all() -> None:
    equal = torch.full((40,), -3.0, dtype=torch.float64)
    dominated = torch.tensor([0.0, -800.0, -torch.inf], dtype=torch.float64)

    assert float(effective_sample_size(equal)) == pytest.approx(40)
    assert float(effective_sample_size(dominated)) == 1.0


@pytest.mark.parametrize(("shape", "text"), [((), r"\(\)"), ((0, 3), r"\(0, 3\)")])
def test_a_sample_is_needed(shape: tuple[int, ...], text: str) -> None:
    message = rf"log_weights must have shape \(K, \*batch\) with K at least 1, got {text}"
    with pytest.raises(ValueError, match=message):
        effective_sample_size(torch.zeros(shape))


@pytest.mark.parametrize(
    ("weights", "ess"),
    [
        ([-math.inf, -math.inf], 0.0),
        ([0.0, -math.inf], 1.0),
        ([0.0, math.nan], math.nan),
        ([0.0, math.inf], math.nan),
        ([-math.inf, math.nan], math.nan),
    ],
)
def test_weights_that_are_no_numbers(weights: list[float], ess: float) -> None:
    # Beside an ordinary image, which must not notice.
    both = torch.tensor([weights, [0.0, 0.0]]).T

    found = effective_sample_size(both)

    torch.testing.assert_close(found, torch.tensor([ess, 2.0]), equal_nan=True)


def test_sums_give_what_the_weights_give() -> None:
    weights = log_weights(50, 3).exp()

    ess = ess_of_sums(weights.sum(0).log(), weights.square().sum(0).log())

    torch.testing.assert_close(ess, effective_sample_size(log_weights(50, 3)))


def test_standard_error_is_the_delta_method() -> None:
    weights = log_weights(50, 3).exp()

    error = log_mean_standard_error(effective_sample_size(weights.log()), 50)

    torch.testing.assert_close(error, weights.std(0) / weights.mean(0) / math.sqrt(50))


def test_standard_error_is_the_spread_of_log_means() -> None:
    repeats, num_samples = 20_000, 100
    logs = 0.5 * log_weights(num_samples, repeats)
    means = logs.logsumexp(0) - math.log(num_samples)

    error = log_mean_standard_error(effective_sample_size(logs), num_samples)

    # The spread of 20,000 numbers is known to 0.5 %; the rest is for skewness at K = 100.
    assert float(error.square().mean().sqrt()) == pytest.approx(float(means.std()), rel=0.05)


def test_standard_error_of_nothing_is_unknown() -> None:
    ess = torch.tensor([1.0, 0.0, math.nan])

    one = log_mean_standard_error(ess, 1)
    several = log_mean_standard_error(ess, 10)

    torch.testing.assert_close(one, torch.tensor([math.inf, math.inf, math.nan]), equal_nan=True)
    torch.testing.assert_close(several, torch.tensor([1.0, math.inf, math.nan]), equal_nan=True)
    # Rounding may put the effective sample size over the number of draws.
    assert log_mean_standard_error(torch.tensor([10.000001]), 10).item() == 0
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        log_mean_standard_error(ess, 0)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.integers(1, 30),
    st.sampled_from([(), (1,), (0,), (2, 3)]),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
    st.floats(0, 80),
)
def test_any_weights_are_worth_between_one_draw_and_all(
    num_samples: int, batch: tuple[int, ...], dtype: torch.dtype, scale: float
) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = scale * torch.randn(num_samples, *batch, 2, generator=generator)

    ess = effective_sample_size(weights.to(dtype)[..., 0])

    assert ess.shape == batch
    rounding = 1 + 300 * torch.finfo(dtype).eps
    assert ((ess * rounding >= 1) & (ess <= num_samples * rounding)).all()
