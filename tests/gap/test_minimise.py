"""Many minimisations at once, against minima known in closed form and SciPy's."""

import math

import pytest
import torch
from torch import Tensor

from vaelab.gap.minimise import minimise_each


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def rosenbrock(point: Tensor) -> Tensor:
    first, second = point[:, :-1], point[:, 1:]
    return (100 * (second - first.square()).square() + (1 - first).square()).sum(-1)


def test_quadratics_of_very_different_scale_each_reach_their_own_minimum() -> None:
    factor, minimum = normal(20, 6, 6), normal(20, 6, seed=1)
    scale = torch.logspace(-2, 4, 20, dtype=torch.float64)
    curvature = scale[:, None, None] * (factor @ factor.mT + 0.1 * torch.eye(6))

    def loss(point: Tensor, index: Tensor) -> Tensor:
        residual = point - minimum[index]
        return 0.5 * torch.einsum("ni,nij,nj->n", residual, curvature[index], residual) - 7

    point, value = minimise_each(loss, torch.zeros(20, 6, dtype=torch.float64), tolerance=1e-12)

    torch.testing.assert_close(value, torch.full_like(value, -7), rtol=0, atol=1e-9)
    # A value within 1e-9 of the least bounds the distance by the smallest curvature.
    bound = (2e-9 / torch.linalg.eigvalsh(curvature)[:, 0]).sqrt()
    assert ((point - minimum).norm(dim=-1) <= bound).all()


def test_curved_valleys_are_followed_to_their_end() -> None:
    start = 2 * normal(8, 2)

    point, value = minimise_each(lambda p, index: rosenbrock(p), start, tolerance=1e-12)

    assert (rosenbrock(start) > 1).all()
    torch.testing.assert_close(point, torch.ones(8, 2).double(), rtol=0, atol=1e-4)
    torch.testing.assert_close(value, torch.zeros(8).double(), rtol=0, atol=1e-9)


def test_a_problem_does_not_notice_its_neighbours() -> None:
    start = normal(7, 4)
    sizes = []

    def loss(point: Tensor, index: Tensor) -> Tensor:
        sizes.append(len(index))
        return rosenbrock(point) * (1 + index)

    whole = minimise_each(loss, start)
    assert max(sizes) == 7
    sizes.clear()
    pieces = minimise_each(loss, start, at_once=2)
    assert max(sizes) == 2

    torch.testing.assert_close(pieces, whole, rtol=1e-9, atol=1e-9)
    for i in (0, 6):
        alone = minimise_each(lambda p, index, i=i: rosenbrock(p) * (1 + i), start[i : i + 1])
        torch.testing.assert_close(alone[0][0], whole[0][i], rtol=1e-9, atol=1e-9)


def test_finished_problems_are_not_evaluated_again() -> None:
    counts = torch.zeros(3, dtype=torch.int64)
    start = torch.tensor([[1.0, 1.0], [-1.2, 1.0], [1.0, 1.0]], dtype=torch.float64)

    def loss(point: Tensor, index: Tensor) -> Tensor:
        counts[index] += 1
        return rosenbrock(point)

    minimise_each(loss, start)

    assert counts[0] == counts[2] == 1
    assert counts[1] > 20


def test_evaluations_are_bounded_and_what_was_reached_is_returned() -> None:
    calls = []

    def loss(point: Tensor, index: Tensor) -> Tensor:
        calls.append(1)
        return rosenbrock(point)

    start = torch.tensor([[-1.2, 1.0]], dtype=torch.float64)
    point, value = minimise_each(loss, start, evaluations=10)

    assert len(calls) == 11  # the start, and ten trials
    assert float(value) < float(rosenbrock(start))
    torch.testing.assert_close(rosenbrock(point), value)


def test_value_never_rises_where_the_loss_has_a_wall() -> None:
    # Beyond 2 the loss is no number; the minimum lies close to that wall.
    def loss(point: Tensor, index: Tensor) -> Tensor:
        return (-(2 - point).log() - 3 * point)[:, 0]

    start = torch.tensor([[-5.0], [0.0], [1.99]], dtype=torch.float64)
    point, value = minimise_each(loss, start, tolerance=1e-12)

    torch.testing.assert_close(point, torch.full_like(point, 5 / 3), rtol=0, atol=1e-5)
    assert (value <= loss(start, torch.arange(3))).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_start_of_no_finite_loss_is_given_up_alone(bad: float) -> None:
    def loss(point: Tensor, index: Tensor) -> Tensor:
        return point.square().sum(-1) + torch.where(index == 1, bad, 0.0)

    point, value = minimise_each(loss, normal(3, 2))

    assert value[1] == math.inf
    assert point.isfinite().all()
    torch.testing.assert_close(value[[0, 2]], torch.zeros(2).double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1)])
def test_no_problem_and_one_number(shape: tuple[int, int]) -> None:
    point, value = minimise_each(
        lambda p, index: (p - 1).square().sum(-1), torch.zeros(shape, dtype=torch.float64)
    )

    assert point.shape == shape
    assert value.shape == shape[:1]
    torch.testing.assert_close(point, torch.ones(shape).double(), rtol=0, atol=1e-3)


def test_float32_stops_at_its_own_rounding() -> None:
    calls = []

    def loss(point: Tensor, index: Tensor) -> Tensor:
        calls.append(1)
        return 1e4 + (point - 3).square().sum(-1)

    point, _ = minimise_each(loss, torch.zeros(1, 2))

    assert len(calls) < 20
    # Where values are 1e4, float32 cannot tell differences under 1e-3.
    torch.testing.assert_close(point, torch.full((1, 2), 3.0), rtol=0, atol=0.1)


def test_it_works_where_gradients_are_off_and_leaves_the_start_alone() -> None:
    start = normal(2, 2)
    before = start.clone()

    with torch.no_grad():
        _, value = minimise_each(lambda p, index: p.square().sum(-1), start)

    assert torch.equal(start, before)
    assert (value < 1e-6).all()
