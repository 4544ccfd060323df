"""Markov chains held against enumeration: hot they agree, cold they are stuck; Z is not used."""

import math

import pytest
import torch

from vaelab.estimators.gibbs import gibbs_ising, gibbs_rbm, mean_over_chains, metropolis
from vaelab.exact.ising import IsingGrid
from vaelab.exact.rbm import RBM

CHAINS = 400


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bits(*shape: int) -> torch.Tensor:
    return (torch.rand(*shape, generator=seeded(9), dtype=torch.float64) < 0.5).double()


def hot_grid() -> IsingGrid:
    generator = seeded(0)
    shapes = ((3, 3), (2, 4), (3, 4))
    return IsingGrid(
        *(0.3 * torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    )


def test_rbm_estimate_of_the_gradient_of_log_z() -> None:
    rbm = RBM.random(8, 5, 0.5, seeded(0))

    states = gibbs_rbm(rbm, bits(CHAINS, 8), 120, seeded(1))[20:]

    statistics, exact = rbm.statistics(states), rbm.moments()
    for name, values in vars(statistics).items():
        mean, standard_error = mean_over_chains(values)
        assert ((mean - getattr(exact, name)).abs() <= 5 * standard_error).all()
        assert standard_error.max() < 0.01  # so that a wrong chain would be seen


def spin_statistics(states: torch.Tensor) -> torch.Tensor:
    """Spins and all their products, the last dimensions flattened."""
    flat = states.flatten(2)
    return torch.cat([flat, (flat[..., :, None] * flat[..., None, :]).flatten(2)], -1)


def test_ising_hot_marginals_and_correlations() -> None:
    grid = hot_grid()

    states = gibbs_ising(grid, 2 * bits(CHAINS, 3, 4) - 1, 120, seeded(1))[20:]

    mean, standard_error = mean_over_chains(spin_statistics(states))
    exact = torch.cat([moment.flatten() for moment in grid.enumerate_moments()])
    assert ((mean - exact).abs() <= 5 * standard_error + 1e-12).all()
    assert standard_error.max() < 0.015


def test_metropolis_hot_marginals_and_correlations() -> None:
    grid = hot_grid()
    start = 2 * bits(CHAINS, 3, 4) - 1

    states = metropolis(grid.log_unnormalised, start, 100, -1, seeded(1))[20:]

    mean, standard_error = mean_over_chains(spin_statistics(states))
    exact = torch.cat([moment.flatten() for moment in grid.enumerate_moments()])
    assert ((mean - exact).abs() <= 5 * standard_error + 1e-12).all()
    assert standard_error.max() < 0.015


def test_metropolis_on_bits() -> None:
    rbm = RBM.random(6, 4, 0.7, seeded(0))

    states = metropolis(rbm.log_unnormalised, bits(CHAINS, 6), 120, 0, seeded(1))[20:]

    mean, standard_error = mean_over_chains(states)
    assert set(states.unique().tolist()) == {0, 1}
    assert ((mean - rbm.moments().visible_bias).abs() <= 5 * standard_error).all()


def test_only_ratios_are_used() -> None:
    # 1024 f instead of f (a power of two, that sums round alike): the same chain, state by state.
    grid = IsingGrid.uniform(3, 4, coupling=0.25, field=0.125)
    start = 2 * bits(10, 3, 4) - 1

    def scaled(spins: torch.Tensor) -> torch.Tensor:
        return grid.log_unnormalised(spins) + 1024

    one = metropolis(grid.log_unnormalised, start, 20, -1, seeded(1))
    other = metropolis(scaled, start, 20, -1, seeded(1))

    assert torch.equal(one, other)


@pytest.mark.parametrize("sampler", ["gibbs", "metropolis"])
def test_cold_chains_stay_in_the_mode_they_start_in(sampler: str) -> None:
    grid = IsingGrid.uniform(4, 4, inverse_temperature=2.0)
    up = torch.ones(20, 4, 4, dtype=torch.float64)

    if sampler == "gibbs":
        states = gibbs_ising(grid, up, 200, seeded(0))
    else:
        states = metropolis(grid.log_unnormalised, up, 50, -1, seeded(0))

    assert grid.moments().field.abs().max() < 1e-9  # by symmetry
    assert states.mean((2, 3)).min() > 0  # no chain has ever turned over
    assert states.mean() > 0.99


def test_standard_error_is_honest() -> None:
    # Of chains that do not move at all: as many draws as chains, however long they run.
    values = torch.randn(50, 3, generator=seeded(0), dtype=torch.float64)
    mean, standard_error = mean_over_chains(values.expand(1000, 50, 3))

    torch.testing.assert_close(mean, values.mean(0))
    torch.testing.assert_close(standard_error, values.std(0) / math.sqrt(50))


def test_chains_move_only_in_the_states_they_return() -> None:
    start = 2 * bits(5, 3, 4) - 1
    before = start.clone()
    grid = hot_grid()

    states = metropolis(grid.log_unnormalised, start, 3, -1, seeded(0))
    again = metropolis(grid.log_unnormalised, start, 3, -1, seeded(0))
    gibbs = gibbs_ising(grid, start, 3, seeded(0))

    assert torch.equal(start, before)
    assert torch.equal(states, again)
    assert set(gibbs.unique().tolist()) == {-1, 1}
    assert not torch.equal(gibbs[0], gibbs[1])


def test_what_is_refused() -> None:
    rbm, grid = RBM.random(3, 2), hot_grid()
    with pytest.raises(ValueError, match="num_sweeps must be at least 1, got 0"):
        gibbs_rbm(rbm, torch.zeros(2, 3), 0)
    with pytest.raises(ValueError, match="num_sweeps must be at least 1, got -1"):
        gibbs_ising(grid, torch.ones(2, 3, 4), -1)
    with pytest.raises(ValueError, match="num_sweeps must be at least 1, got 0"):
        metropolis(grid.log_unnormalised, torch.ones(2, 3, 4), 0, -1)
    with pytest.raises(ValueError, match=r"lowest must be -1 \(spins\) or 0 \(bits\), got 1"):
        metropolis(grid.log_unnormalised, torch.ones(2, 3, 4), 1, 1)
    with pytest.raises(ValueError, match=r"2 chains or more, got \(5, 1\)"):
        mean_over_chains(torch.zeros(5, 1))
    with pytest.raises(ValueError, match=r"visible must have shape .* got \(2, 4\)"):
        gibbs_rbm(rbm, torch.zeros(2, 4), 1)
