"""Hamiltonian Monte Carlo held against mechanics, and against densities whose moments are known."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.estimators.hmc import State, hmc, leapfrog, transition, value_and_gradient
from vaelab.exact.linear_gaussian import LinearGaussian

D = torch.float64


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=D)


def standard(z: torch.Tensor) -> torch.Tensor:
    return -0.5 * z.square().sum(-1)


def crooked(z: torch.Tensor) -> torch.Tensor:
    """Neither Gaussian nor separable."""
    return -0.25 * z[..., 0] ** 4 - 0.5 * (z[..., 1] - torch.sin(z[..., 0])) ** 2


def energy(log_density: Callable, z: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return -log_density(z) + 0.5 * v.square().sum(-1)


def test_leapfrog_goes_round_the_circle() -> None:
    # For a standard normal Hamilton's equations turn (z, v) as a clock's hand.
    z, v, time, steps = randn(5, 2), randn(5, 2, seed=1), 1.7, 2000

    end, final = leapfrog(standard, z, v, time / steps, steps)

    turn = math.cos(time), math.sin(time)
    torch.testing.assert_close(end, turn[0] * z + turn[1] * v, rtol=0, atol=1e-6)
    torch.testing.assert_close(final, turn[0] * v - turn[1] * z, rtol=0, atol=1e-6)


def test_energy_error_falls_with_the_square_of_the_step() -> None:
    z, v = randn(200, 2), randn(200, 2, seed=1)
    errors = []
    for steps in (20, 40, 80):
        end = leapfrog(crooked, z, v, 1.0 / steps, steps)
        errors.append(float((energy(crooked, *end) - energy(crooked, z, v)).abs().mean()))

    # Twice as many steps, a quarter of the error: of order 2, not 1 and not 3.
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.02)


def test_leapfrog_comes_back() -> None:
    z, v = randn(50, 2), randn(50, 2, seed=1)

    end, final = leapfrog(crooked, z, v, 0.15, 7)
    back, backwards = leapfrog(crooked, end, -final, 0.15, 7)

    assert (end - z).abs().mean() > 0.1
    torch.testing.assert_close(back, z, rtol=0, atol=1e-11)
    torch.testing.assert_close(-backwards, v, rtol=0, atol=1e-11)


def test_leapfrog_preserves_volume() -> None:
    start, h = torch.cat([randn(2), randn(2, seed=1)]), 1e-5

    def move(point: torch.Tensor) -> torch.Tensor:
        return torch.cat(leapfrog(crooked, point[..., :2], point[..., 2:], 0.7, 5), dim=-1)

    shifts = h * torch.eye(4, dtype=D)
    jacobian = (move(start + shifts) - move(start - shifts)).T / (2 * h)

    assert float(torch.linalg.det(jacobian)) == pytest.approx(1, abs=1e-7)


def test_acceptance_is_metropolis_and_a_rejected_chain_stays() -> None:
    terms = [partial(value_and_gradient, crooked)]
    z, v, step = randn(1000, 2), randn(1000, 2, seed=1), 1.1
    end, final = leapfrog(crooked, z, v, step, 3)
    expected = (energy(crooked, z, v) - energy(crooked, end, final)).exp().clamp(max=1)
    unsure = (expected > 1e-6) & (expected < 0.999)
    assert 0.2 < float(unsure.double().mean()) < 0.8

    for shift in (-1e-6, 1e-6):
        # Noise whose uniform number lies just under, or just over, the probability; zero
        # for the jitter, which leaves the step size as it is.
        uniform = torch.where(unsure, expected * (1 + shift), torch.tensor(0.5))
        noise = torch.cat(
            [v, torch.zeros(1000, 1, dtype=D), torch.special.ndtri(uniform)[:, None]], 1
        )
        state, rate = transition(State.at(z, terms), terms, [1.0], noise, step, 3)

        torch.testing.assert_close(rate, expected, rtol=1e-9, atol=1e-15)
        moves = torch.where(unsure, torch.tensor(shift < 0), expected > 0.5)
        assert torch.equal(state.z, torch.where(moves[:, None], end, z))
        values, gradients = value_and_gradient(crooked, state.z)
        torch.testing.assert_close(state.values[0], values)
        torch.testing.assert_close(state.gradients[0], gradients)


def test_shares_weigh_the_terms() -> None:
    terms = [partial(value_and_gradient, f) for f in (standard, crooked)]
    state, noise = State.at(randn(20, 2), terms), randn(20, 4, seed=1)

    mixed, rate = transition(state, terms, (0.3, 0.7), noise, 0.8, 3)

    whole = [partial(value_and_gradient, lambda z: 0.3 * standard(z) + 0.7 * crooked(z))]
    same, same_rate = transition(State.at(state.z, whole), whole, [1.0], noise, 0.8, 3)
    torch.testing.assert_close(mixed.z, same.z)
    torch.testing.assert_close(rate, same_rate)


@pytest.mark.parametrize("step_size", [0.3, 0.8])
def test_gaussian_stays_what_it_is(step_size: float) -> None:
    chains, mean = 40_000, torch.tensor([1.0, -2.0], dtype=D)
    cholesky = torch.tensor([[1.0, 0.0], [0.9, 0.6]], dtype=D)
    target = torch.distributions.MultivariateNormal(mean, scale_tril=cholesky)
    start = mean + randn(chains, 2) @ cholesky.T

    samples = hmc(target.log_prob, start, step_size, 3, 4, seeded(1))

    # With the larger step many trajectories are refused: then refusing right matters.
    assert (samples.acceptance.mean() < 0.8) == (step_size > 0.5)
    z = samples.z[-1]
    assert ((z - start).abs() > 1e-6).double().mean() > 0.5
    moments = torch.stack(
        [z[:, 0], z[:, 1], *(z[:, i] * z[:, j] for i, j in ((0, 0), (0, 1), (1, 1)))]
    )
    second = target.covariance_matrix + mean[:, None] * mean
    expected = torch.stack([*mean, second[0, 0], second[0, 1], second[1, 1]])
    standard_error = moments.std(1) / math.sqrt(chains)
    assert ((moments.mean(1) - expected).abs() <= 5 * standard_error).all()


def test_a_density_that_is_no_gaussian_is_found() -> None:
    samples = hmc(
        lambda z: -0.25 * z.square().square().sum(-1), torch.zeros(20_000, 1, dtype=D), 0.8, 3, 30,
        seeded(0),
    )  # fmt: skip

    squares = samples.z[-1].square()
    expected = 2 * math.gamma(0.75) / math.gamma(0.25)  # E[z^2] under exp(-z^4 / 4)
    assert abs(squares.mean() - expected) <= 5 * squares.std() / math.sqrt(len(squares))


def test_posterior_from_the_joint_alone(model: LinearGaussian, x: torch.Tensor) -> None:
    mean, covariance = model.posterior(x)
    chains = 8000

    samples = hmc(
        lambda z: model.log_likelihood(x, z) + standard(z),
        torch.full((chains, 3, 2), 3.0, dtype=D), 0.6, 4, 25, seeded(0),
    )  # fmt: skip

    assert samples.z.shape == (25, chains, 3, 2)
    assert samples.acceptance.shape == (chains, 3)
    z = samples.z[-1]
    standard_error = covariance.diagonal().sqrt() / math.sqrt(chains)
    assert ((z.mean(0) - mean).abs() <= 5 * standard_error).all()
    for image in range(3):
        found = torch.cov(z[:, image].T)
        spread = (covariance.square() + covariance.diagonal().outer(covariance.diagonal())).sqrt()
        assert ((found - covariance).abs() <= 5 * spread / math.sqrt(chains)).all()


def test_step_far_too_large_moves_nothing_and_says_so() -> None:
    start = randn(500, 2)

    samples = hmc(standard, start, 50.0, 20, 3, seeded(1))

    assert torch.equal(samples.z[-1], start)
    assert float(samples.acceptance.max()) < 1e-6


def test_walls_are_not_crossed_and_nan_is_not_accepted() -> None:
    def box(z: torch.Tensor) -> torch.Tensor:
        return torch.where(z.abs() < 1, 0 * z, -torch.inf).sum(-1)

    def half_known(z: torch.Tensor) -> torch.Tensor:
        return torch.where(z > 1, torch.nan, -0.5 * z.square()).sum(-1)

    inside = hmc(box, torch.zeros(4000, 1, dtype=D), 0.5, 3, 30, seeded(0)).z
    known = hmc(half_known, torch.zeros(100, 1, dtype=D), 0.8, 3, 20, seeded(0))

    assert float(inside.abs().max()) < 1
    last = inside[-1].square()
    assert abs(last.mean() - 1 / 3) <= 5 * last.std() / math.sqrt(4000)  # uniform on (-1, 1)
    assert float(known.z.max()) <= 1
    assert known.acceptance.isfinite().all()


def test_step_sizes_may_differ_between_images() -> None:
    samples = hmc(
        standard, torch.zeros(50, 2, 1, dtype=D), torch.tensor([1e-9, 1.0]), 3, 5, seeded(0)
    )

    assert float(samples.z[:, :, 0].abs().max()) < 1e-6 < float(samples.z[-1, :, 1].abs().min())


def test_jitter_breaks_a_closed_orbit() -> None:
    # Six steps of exactly this size return a standard normal's trajectory to its start.
    step = 2 * math.sin(math.pi / 6)
    start = torch.full((2000, 1), 4.0, dtype=D)
    end, _ = leapfrog(standard, start, randn(2000, 1), step, 6)
    torch.testing.assert_close(end, start)

    z = hmc(standard, start, step, 6, 20, seeded(0)).z[-1]

    assert abs(z.mean()) <= 5 / math.sqrt(2000)


def test_seed_repeats_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()

    first, again, other = (hmc(standard, randn(9, 2), 0.5, 2, 3, seeded(s)).z for s in (0, 0, 1))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    st.sampled_from([(1,), (3, 1), (1, 2, 3), (0, 2)]),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
    st.floats(1e-6, 1e6),
    st.booleans(),
)
def test_any_shape_type_and_step_gives_finite_draws(
    shape: tuple[int, ...], dtype: torch.dtype, step_size: float, contiguous: bool
) -> None:
    z = torch.ones(*shape, dtype=dtype)
    if not contiguous:
        z = torch.ones(*shape, 2, dtype=dtype)[..., 0]
    step_size = min(step_size, 6e4)  # the largest number of float16

    samples = hmc(standard, z, step_size, 2, 2, seeded(0))

    assert samples.z.shape == (2, *z.shape)
    assert samples.z.dtype == dtype
    assert samples.z.isfinite().all()
    assert ((samples.acceptance >= 0) & (samples.acceptance <= 1)).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"step_size": 0.0}, "step_size must be positive and finite, got 0.0"),
        ({"step_size": math.nan}, "step_size must be positive and finite, got nan"),
        ({"step_size": torch.tensor([1.0, -2.0])}, "step_size must be positive and finite, got -2"),
        ({"num_leapfrog": 0}, "num_leapfrog must be at least 1, got 0"),
        ({"num_steps": -1}, "num_steps must be at least 1, got -1"),
        ({"log_density": lambda z: -z.square()}, r"shape \(5,\) .* got \(5, 2\)"),
        ({"log_density": lambda z: torch.zeros(5)}, "requires_grad=False"),
    ],
)
def test_bad_input_is_named(changed: dict, message: str) -> None:
    arguments = {"log_density": standard, "step_size": 0.1, "num_leapfrog": 2, "num_steps": 2}
    with pytest.raises(ValueError, match=message):
        hmc(z=torch.zeros(5, 2), **(arguments | changed))
