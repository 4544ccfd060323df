"""Pareto k-hat held against tails whose shape is known."""

import math

import pytest
import torch
from scipy import stats

from vaelab.estimators.pareto import (
    pareto_k,
    pareto_k_threshold,
    pareto_k_warning,
    pareto_smoothed_log_weights,
)


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


def test_where_there_is_no_tail_to_fit() -> None:
    assert pareto_k(torch.zeros(1000, 1)).item() == -math.inf
    assert pareto_k(torch.randn(10, 1, generator=seeded(4))).item() == math.inf
    assert pareto_k_threshold(100) == pytest.approx(0.5)
    assert "0.7" in pareto_k_warning(torch.tensor([0.9]), 10_000)
    with pytest.raises(ValueError, match="log_weights"):
        pareto_k(torch.zeros(0, 3))
