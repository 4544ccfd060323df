"""The Ising grid: transfer matrix against enumeration, derivatives against sums."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.exact.ising import IsingGrid


def random_grid(height: int, width: int, scale: float = 1.0) -> IsingGrid:
    generator = torch.Generator().manual_seed(10 * height + width)
    shapes = ((height, width - 1), (height - 1, width), (height, width))
    return IsingGrid(
        *(scale * torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    )


def every_state(height: int, width: int) -> torch.Tensor:
    states = list(itertools.product((-1.0, 1.0), repeat=height * width))
    return torch.tensor(states, dtype=torch.float64).reshape(-1, height, width)


SIZES = [(1, 1), (1, 5), (5, 1), (2, 3), (3, 2), (3, 4), (4, 3)]


def test_log_unnormalised_by_hand() -> None:
    # Neighbours: a-b (1), c-d (2), a-c (3), b-d (4); fields 5, 6, 7, 8.
    grid = IsingGrid(
        torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0, 4.0]]), torch.tensor([[5.0, 6], [7, 8]])
    )
    spins = torch.tensor([[[1, 1], [1, 1]], [[-1, 1], [1, 1]], [[1, -1], [-1, 1]]])

    assert grid.log_unnormalised(spins).tolist() == [36.0, -1 + 2 - 3 + 4 + 16, -10 + 5 - 6 - 7 + 8]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_probabilities_of_all_states_sum_to_one(height: int, width: int) -> None:
    log_prob = random_grid(height, width).log_prob(every_state(height, width))

    assert float(log_prob.exp().sum()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("height", "width"), [*SIZES, (4, 4), (2, 9)])
def test_transfer_matrix_agrees_with_enumeration(height: int, width: int) -> None:
    grid = random_grid(height, width)

    torch.testing.assert_close(
        grid.log_normaliser(), grid.enumerate_log_normaliser(), rtol=1e-13, atol=1e-13
    )


def test_transfer_matrix_agrees_with_one_written_out() -> None:
    # 2^5 by 2^5 numbers from row to row, in plain probabilities.
    grid = IsingGrid.uniform(9, 5, coupling=0.7, field=0.2, inverse_temperature=0.5)
    rows = np.array(list(itertools.product((-1, 1), repeat=5)))
    within = np.exp(0.35 * (rows[:, 1:] * rows[:, :-1]).sum(1) + 0.1 * rows.sum(1))
    transfer = np.exp(0.35 * rows @ rows.T) * within
    z = (np.linalg.matrix_power(transfer.T, 8) @ within).sum()

    assert float(grid.log_normaliser()) == pytest.approx(math.log(z), rel=1e-13)


def test_known_values() -> None:
    # No coupling: spins are independent. And 2x2 without field: Z = 12 + 4 cosh(4 beta).
    free = IsingGrid.uniform(10, 10, coupling=0.0, field=0.3, inverse_temperature=2.0)
    assert float(free.log_normaliser()) == pytest.approx(100 * math.log(2 * math.cosh(0.6)))
    square = IsingGrid.uniform(2, 2, inverse_temperature=0.8)
    assert float(square.log_normaliser()) == pytest.approx(math.log(12 + 4 * math.cosh(3.2)))
    assert IsingGrid.uniform(2, 2, inverse_temperature=0.8).coupling_matrix().sum() == 8 * 0.8


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_moments_are_sums_over_states(height: int, width: int) -> None:
    grid, states = random_grid(height, width), every_state(height, width)
    share = grid.log_unnormalised(states).softmax(0)[:, None, None]

    moments = grid.moments()
    mean, product = grid.enumerate_moments()

    expected = {
        "field": (share * states).sum(0),
        "horizontal": (share * states[:, :, 1:] * states[:, :, :-1]).sum(0),
        "vertical": (share * states[:, 1:] * states[:, :-1]).sum(0),
    }
    for name, value in expected.items():
        torch.testing.assert_close(getattr(moments, name), value, rtol=0, atol=1e-13)
    torch.testing.assert_close(mean, expected["field"].flatten(), rtol=0, atol=1e-13)
    flat = states.flatten(1)
    torch.testing.assert_close(product, (share[:, 0].T * flat.T) @ flat, rtol=0, atol=1e-13)


def test_a_field_far_away_breaks_the_tie() -> None:
    # Without a field every mean is 0, however cold; one weak field decides for all.
    field = torch.zeros(6, 6, dtype=torch.float64)
    cold = IsingGrid.uniform(6, 6, inverse_temperature=2.0)
    assert cold.moments().field.abs().max() < 1e-12
    assert cold.moments().vertical.min() > 0.99
    field[5, 5] = 3.0
    assert IsingGrid(cold.horizontal, cold.vertical, field).moments().field.min() > 0.98


def test_log_normaliser_is_differentiable() -> None:
    parameters = [p.requires_grad_() for p in vars(random_grid(3, 2)).values()]

    assert torch.autograd.gradcheck(lambda *p: IsingGrid(*p).log_normaliser(), parameters)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_local_field_is_half_the_log_odds(height: int, width: int) -> None:
    grid, states = random_grid(height, width), every_state(height, width)[:50]

    local = grid.local_field(states)

    for i, j in itertools.product(range(height), range(width)):
        up, down = states.clone(), states.clone()
        up[:, i, j], down[:, i, j] = 1, -1
        log_odds = grid.log_unnormalised(up) - grid.log_unnormalised(down)
        torch.testing.assert_close(2 * local[:, i, j], log_odds, rtol=1e-12, atol=1e-12)


def test_ten_by_ten_agrees_with_its_transpose() -> None:
    grid = random_grid(12, 9, scale=0.5)
    turned = IsingGrid(grid.vertical.T, grid.horizontal.T, grid.field.T)
    # The message runs over the 9 columns of both; pad one to a true square, run each way.
    square = random_grid(10, 10, scale=0.5)
    back = IsingGrid(square.vertical.T, square.horizontal.T, square.field.T)

    torch.testing.assert_close(grid.log_normaliser(), turned.log_normaliser(), rtol=1e-14, atol=0)
    torch.testing.assert_close(square.log_normaliser(), back.log_normaliser(), rtol=1e-13, atol=0)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    height=st.integers(1, 3),
    width=st.integers(1, 3),
    coupling=st.floats(-1e3, 1e3),
    field=st.floats(-1e3, 1e3),
)
def test_hot_and_cold_are_finite(height: int, width: int, coupling: float, field: float) -> None:
    grid = IsingGrid.uniform(height, width, coupling, field)

    log_z, moments = grid.log_normaliser(), grid.moments()

    expected = grid.enumerate_log_normaliser()
    torch.testing.assert_close(log_z, expected, rtol=1e-12, atol=1e-12)
    for mean in vars(moments).values():
        assert (mean.abs() <= 1 + 1e-9).all()


def test_threads_change_rounding_only() -> None:
    before, results = torch.get_num_threads(), []
    grid = random_grid(4, 5)
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append((grid.log_normaliser(), *grid.enumerate_moments()))
    finally:
        torch.set_num_threads(before)

    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-13)


def test_spins_of_any_type_and_layout() -> None:
    grid = random_grid(3, 2)
    spins = every_state(3, 2)
    expected = grid.log_unnormalised(spins)

    assert torch.equal(grid.log_unnormalised(spins.half()), expected)
    assert torch.equal(grid.log_unnormalised(spins.long()), expected)
    turned = spins.transpose(1, 2).contiguous().transpose(1, 2)
    assert torch.equal(grid.log_unnormalised(turned), expected)
    assert grid.log_unnormalised(spins[:0]).shape == (0,)
    assert grid.log_unnormalised(spins[0]).shape == ()


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="height and width must be at least 1, got 0 and 3"):
        IsingGrid.uniform(0, 3)
    with pytest.raises(ValueError, match="must be finite, got nan"):
        IsingGrid.uniform(2, 2, coupling=math.nan)
    with pytest.raises(ValueError, match=r"got \(2, 1\), \(2, 2\) and \(2, 2\)"):
        IsingGrid(torch.zeros(2, 1), torch.zeros(2, 2), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="bits must be at most 26 for enumeration, got 36"):
        IsingGrid.uniform(6, 6).enumerate_log_normaliser()
    with pytest.raises(ValueError, match="shorter side must be at most 16, got a grid of 17 by 18"):
        IsingGrid.uniform(17, 18).log_normaliser()
    grid = IsingGrid.uniform(2, 3)
    with pytest.raises(ValueError, match=r"= \(..., 2, 3\), got \(3, 2\)"):
        grid.log_unnormalised(torch.ones(3, 2))
    for value in (2.0, math.nan, -math.inf):
        with pytest.raises(ValueError, match=f"spins must be -1 or 1 .* got {value}"):
            grid.local_field(torch.full((2, 3), value))
