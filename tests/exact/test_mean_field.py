"""The mean-field bound held against enumeration, and its optimum against scipy's."""

import itertools
import math

import pytest
import torch
from scipy.optimize import minimize

from vaelab.exact.ising import IsingGrid
from vaelab.exact.mean_field import fit_mean_field, mean_field_bound
from vaelab.exact.rbm import RBM


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_grid(scale: float = 0.5) -> IsingGrid:
    shapes = ((3, 2), (2, 3), (3, 3))
    generator = seeded(0)
    return IsingGrid(
        *(scale * torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    )


RBM_53 = RBM.random(5, 3, 0.7, seeded(0))


def rbm_log_f(units: torch.Tensor) -> torch.Tensor:
    return RBM_53.log_unnormalised_joint(units[..., :5], units[..., 5:])


MODELS = {
    "ising": (random_grid().log_unnormalised, (3, 3), -1, random_grid().log_normaliser()),
    "rbm": (rbm_log_f, (8,), 0, RBM_53.log_normaliser()),
}


def random_mean(name: str, seed: int) -> torch.Tensor:
    _, shape, lowest, _ = MODELS[name]
    uniform = torch.rand(shape, generator=seeded(seed), dtype=torch.float64)
    return lowest + (1 - lowest) * uniform


@pytest.mark.parametrize("name", MODELS)
def test_bound_is_its_sum_over_all_states(name: str) -> None:
    # sum q (log f - log q), state by state; and what it lacks of log Z is KL(q || p).
    log_f, shape, lowest, log_z = MODELS[name]
    mean = random_mean(name, 1)
    probability = ((mean - lowest) / (1 - lowest)).flatten()
    values = itertools.product((float(lowest), 1.0), repeat=len(probability))
    states = torch.tensor(list(values), dtype=torch.float64)
    log_q = torch.where(states == 1, probability.log(), (1 - probability).log()).sum(1)
    log_p = log_f(states.reshape(-1, *shape)) - log_z
    expected = (log_q.exp() * (log_f(states.reshape(-1, *shape)) - log_q)).sum()
    kl = (log_q.exp() * (log_q - log_p)).sum()

    bound = mean_field_bound(log_f, mean, lowest)

    assert float(log_q.exp().sum()) == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(bound, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(bound, log_z - kl, rtol=1e-12, atol=1e-12)
    assert bound < log_z


@pytest.mark.parametrize("name", MODELS)
def test_fit_never_falls_and_ends_where_scipy_does(name: str) -> None:
    log_f, shape, lowest, log_z = MODELS[name]
    means = [random_mean(name, 2)]
    for _ in range(200):
        means.append(fit_mean_field(log_f, means[-1], lowest, sweeps=1))
    bounds = torch.stack([mean_field_bound(log_f, mean, lowest) for mean in means])

    def negative(logits) -> tuple[float, object]:
        logits = torch.tensor(logits, requires_grad=True)
        mean = lowest + (1 - lowest) * logits.sigmoid().reshape(shape)
        bound = mean_field_bound(log_f, mean, lowest)
        (gradient,) = torch.autograd.grad(-bound, logits)
        return -float(bound.detach()), gradient.numpy()

    start = means[5].flatten() * 2 - 1 if lowest == 0 else means[5].flatten()
    best = minimize(negative, start.numpy(), jac=True, options={"gtol": 1e-9})

    assert (bounds.diff() >= -1e-12).all()
    assert float(bounds[-1]) == pytest.approx(-best.fun, abs=1e-9)
    assert float(bounds[0]) + 0.1 < float(bounds[-1]) < float(log_z)
    assert torch.equal(fit_mean_field(log_f, means[0], lowest, sweeps=3), means[3])


def test_log_p_of_an_energy_model_is_bounded_from_above() -> None:
    images = torch.tensor(list(itertools.product((0.0, 1.0), repeat=5)), dtype=torch.float64)
    fitted = fit_mean_field(rbm_log_f, torch.full((8,), 0.5).double(), 0)

    upper = RBM_53.log_unnormalised(images) - mean_field_bound(rbm_log_f, fitted, 0)

    assert (upper >= RBM_53.log_prob(images)).all()
    assert float(upper.exp().sum()) > 1  # so it is no probability


def test_independent_units_are_met_exactly() -> None:
    grid = IsingGrid.uniform(4, 4, coupling=0.0, field=0.7)
    fitted = fit_mean_field(grid.log_unnormalised, torch.zeros(4, 4).double(), -1, sweeps=1)

    torch.testing.assert_close(fitted, torch.full_like(fitted, math.tanh(0.7)))
    bound = mean_field_bound(grid.log_unnormalised, fitted, -1)
    torch.testing.assert_close(bound, grid.log_normaliser(), rtol=1e-13, atol=0)


def test_certain_units_have_no_entropy() -> None:
    log_f, shape, lowest, _ = MODELS["ising"]
    up = torch.ones(shape, dtype=torch.float64)

    assert mean_field_bound(log_f, up, lowest) == log_f(up)


def test_what_is_refused() -> None:
    log_f, shape, _, _ = MODELS["ising"]
    with pytest.raises(ValueError, match=r"lowest must be -1 \(spins\) or 0 \(bits\), got 2"):
        mean_field_bound(log_f, torch.zeros(shape), 2)
    with pytest.raises(ValueError, match="lowest must be"):
        fit_mean_field(log_f, torch.zeros(shape), 1)
    for value in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"mean must be from 0 to 1, got (-0.1|1.1|nan)"):
            mean_field_bound(rbm_log_f, torch.full((8,), value, dtype=torch.float64), 0)
    with pytest.raises(ValueError, match="sweeps must not be negative, got -1"):
        fit_mean_field(log_f, torch.zeros(shape), -1, sweeps=-1)
