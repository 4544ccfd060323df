"""Pareto k-hat held against tails whose shape is known."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vaelab.estimators.pareto import (
    pareto_k,
    pareto_k_of_largest,
    pareto_k_threshold,
    pareto_k_warning,
    pareto_smoothed_log_weights,
    pareto_tail_length,
)

# (K, scale, k-hat, log of the smoothed weights' mean) as arviz-stats 0.8.0 finds them for log
# weights that are normal quantiles times the scale, less 40. Where 3 sqrt(K) is not whole it
# rounds the length of the tail down, where we follow loo and round up.
BY_ARVIZ = [
    (100, 0.3, 0.16223976380496455, -39.95172786197117),
    (100, 1.0, 0.36814005579953246, -39.50715406213344),
    (100, 10.0, 3.1210475456813564, -22.941407283372143),
    (10_000, 0.3, 0.013663579827128902, -39.95491551882128),
    (10_000, 3.0, 0.9519980494867899, -35.59938084133728),
    (10_000, 10.0, 3.45767747515748, -10.018930873502917),
]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.6, 1.2])
def test_shape_of_a_generalised_pareto_tail(shape: float) -> None:
    uniform = torch.rand(50_000, 40, generator=seeded(0), dtype=torch.float64)
    weights = torch.tensor(stats.genpareto.ppf(uniform.numpy(), shape)) + 1

    k = pareto_k(weights.log())

    # 671 tail draws: an estimate's deviation is about (1 + k) / sqrt(671); the estimator leans
    # towards 0.5 by a few hundredths.
    standard_error = k.std() / math.sqrt(40)
    assert abs(k.mean() - shape) <= 5 * standard_error + 0.04
    assert k.std() == pytest.approx((1 + shape) / math.sqrt(671), rel=0.6)


@pytest.mark.parametrize("t", [0.5, 0.7, 0.9])
def test_a_narrow_proposal_has_the_tail_of_theory(t: float) -> None:
    noise = torch.randn(200_000, 20, generator=seeded(1), dtype=torch.float64)

    k = pareto_k(math.log(t) + 0.5 * noise.square() * (1 - t**2))

    # 1 - t^2 is the limit far out in the tail; a sample's largest weights lie a little below.
    assert k.mean().item() == pytest.approx(1 - t**2, abs=0.08)


def test_a_constant_changes_nothing_and_images_are_apart() -> None:
    log_weights = torch.randn(3000, 4, generator=seeded(2), dtype=torch.float64)

    k = pareto_k(log_weights)

    torch.testing.assert_close(pareto_k(log_weights + 1000.0), k)
    torch.testing.assert_close(pareto_k(log_weights[:, 2]), k[2])


def test_smoothing_keeps_the_body_and_tames_the_tail() -> None:
    log_weights = 2 * torch.randn(5000, 1, generator=seeded(3), dtype=torch.float64)

    smoothed = pareto_smoothed_log_weights(log_weights)

    tail = math.ceil(3 * math.sqrt(5000))
    order = log_weights[:, 0].argsort()
    body = order[: 5000 - tail]
    torch.testing.assert_close(smoothed[body], log_weights[body])
    assert smoothed.max() <= log_weights.max() + 1e-12


@pytest.mark.parametrize(("num_samples", "scale", "k", "log_mean"), BY_ARVIZ)
def test_agrees_with_arviz(num_samples: int, scale: float, k: float, log_mean: float) -> None:
    ranks = (torch.arange(num_samples, dtype=torch.float64) + 0.5) / num_samples
    log_weights = (scale * torch.special.ndtri(ranks) - 40).flip(0)

    smoothed = pareto_smoothed_log_weights(log_weights)

    assert pareto_k(log_weights).item() == pytest.approx(k, abs=1e-12)
    assert smoothed.logsumexp(0).item() - math.log(num_samples) == pytest.approx(
        log_mean, abs=1e-12
    )


def test_smoothing_steadies_the_mean_of_a_heavy_tail() -> None:
    # E[w] = 1 / (1 - 0.7); the plain average's variance is infinite.
    uniform = torch.rand(1000, 2000, generator=seeded(6), dtype=torch.float64)
    log_weights = -0.7 * uniform.log()

    plain, smoothed = (
        w.logsumexp(0).exp() / 1000 for w in (log_weights, pareto_smoothed_log_weights(log_weights))
    )

    truth = 1 / 0.3
    assert (smoothed - truth).square().mean() < 0.9 * (plain - truth).square().mean()
    assert abs(smoothed.mean() - truth) < 0.1 * truth


def test_the_largest_weights_suffice() -> None:
    log_weights = torch.randn(500, 3, 2, generator=seeded(7), dtype=torch.float64)
    largest = log_weights.sort(0, descending=True).values[: pareto_tail_length(500) + 1]

    assert torch.equal(pareto_k_of_largest(largest), pareto_k(log_weights))


@pytest.mark.parametrize(
    ("num_samples", "length"),
    [(1, 1), (5, 1), (6, 2), (25, 5), (225, 45), (226, 46), (10**6, 3000)],
)
def test_tail_is_a_fifth_or_three_roots(num_samples: int, length: int) -> None:
    assert pareto_tail_length(num_samples) == length


def test_threshold_is_that_of_the_paper() -> None:
    assert pareto_k_threshold(1) == -math.inf
    assert pareto_k_threshold(10) == 0
    assert pareto_k_threshold(100) == pytest.approx(0.5)
    assert pareto_k_threshold(2154) < 0.7 == pareto_k_threshold(2155)


def test_warning_counts_the_doubtful() -> None:
    k = torch.tensor([0.69, 0.71, math.nan, math.inf, -math.inf])

    assert "over 0.70 for 3 of 5 images" in pareto_k_warning(k, 10_000)
    assert "over 0.50 for 4 of 5 images" in pareto_k_warning(k, 100)
    assert pareto_k_warning(k[[0, 4]], 10_000) == ""


@pytest.mark.parametrize("function", [pareto_tail_length, pareto_k_threshold])
def test_a_draw_is_needed(function) -> None:
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        function(0)


@pytest.mark.parametrize("function", [pareto_k, pareto_smoothed_log_weights])
@pytest.mark.parametrize(("shape", "text"), [((), r"\(\)"), ((0, 3), r"\(0, 3\)")])
def test_a_sample_is_needed(function, shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(ValueError, match=rf"log_weights must have shape .* got {text}"):
        function(torch.zeros(shape))


def test_what_is_said_of_weights_without_a_tail() -> None:
    """Each column by the rule that the docstring states."""
    random = torch.randn(1000, generator=seeded(8), dtype=torch.float64)
    zeros = torch.full((1000,), -math.inf, dtype=torch.float64)

    def but(values: torch.Tensor, *changes: float) -> torch.Tensor:
        values = values.clone()
        values[: len(changes)] = torch.tensor(changes, dtype=torch.float64)
        return values

    columns = {
        "all equal": (0 * random - 7, -math.inf),
        "equal to rounding": (1e-6 * random - 7, -math.inf),
        "two values": ((random > 0) * 3.0, -math.inf),  # half the weights are the largest
        "all zero": (zeros, math.inf),
        "four that are not": (but(zeros, 0.0, 1.0, 2.0, 3.0), math.inf),
        "NaN": (but(random, math.nan), math.nan),
        "+infinity": (but(random, math.inf), math.nan),
    }
    log_weights = torch.stack([column for column, _ in columns.values()], dim=1)
    expected = torch.tensor([value for _, value in columns.values()], dtype=torch.float64)

    torch.testing.assert_close(pareto_k(log_weights), expected, equal_nan=True)
    smoothed = pareto_smoothed_log_weights(log_weights)
    torch.testing.assert_close(smoothed, log_weights, equal_nan=True)
    # A weight of zero counts as any other small one, and ties at the cutoff are left out.
    assert pareto_k(but(random, -math.inf)) == pareto_k(but(random, -99.0))
    tied = but(zeros, *random[:50].tolist())
    assert pareto_k(tied).isfinite()


@pytest.mark.parametrize("num_samples", [1, 2, 19, 20])
def test_so_few_draws_say_nothing(num_samples: int) -> None:
    for log_weights in (torch.zeros(num_samples), torch.arange(float(num_samples))):
        assert pareto_k(log_weights).item() == math.inf
        assert torch.equal(pareto_smoothed_log_weights(log_weights), log_weights)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.integers(21, 200),
    st.sampled_from([(), (1,), (0,), (2, 3)]),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
    st.floats(1e-3, 100),
    st.integers(0, 10),
)
def test_any_weights_get_a_number(
    num_samples: int, batch: tuple[int, ...], dtype: torch.dtype, scale: float, seed: int
) -> None:
    log_weights = scale * torch.randn(num_samples, *batch, 2, generator=seeded(seed))
    log_weights = log_weights.to(dtype)[..., 0]  # not contiguous

    k = pareto_k(log_weights)

    assert k.shape == batch
    assert k.dtype == torch.float64
    assert not k.isnan().any()
    order = torch.randperm(num_samples, generator=seeded(seed))
    assert torch.equal(pareto_k(log_weights[order]), k)
    smoothed = pareto_smoothed_log_weights(log_weights)
    assert smoothed.dtype == dtype
    assert smoothed.isfinite().all()
