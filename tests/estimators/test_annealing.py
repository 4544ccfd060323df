"""Temperatures and step sizes of annealed importance sampling."""

import math

import numpy as np
import pytest
import torch

from vaelab.estimators import _chunks
from vaelab.estimators.annealing import Annealing, linear_betas, sigmoid_betas, tune_step_sizes
from vaelab.estimators.hmc import State
from vaelab.estimators.proposals import DiagonalNormal, StandardNormal
from vaelab.exact.linear_gaussian import LinearGaussian

D = torch.float64


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("num_temperatures", [1, 2, 3, 10, 1000])
def test_betas_rise_from_exactly_zero_to_exactly_one(num_temperatures: int) -> None:
    t = np.arange(num_temperatures + 1) / num_temperatures
    for betas in (linear_betas(num_temperatures), sigmoid_betas(num_temperatures)):
        assert betas.shape == (num_temperatures + 1,)
        assert betas.dtype == D
        assert betas[0] == 0
        assert betas[-1] == 1
        assert (betas.diff() > 0).all()
        torch.testing.assert_close(betas.flip(0), 1 - betas)  # alike at both ends
    np.testing.assert_allclose(linear_betas(num_temperatures), t, atol=1e-15)
    # The logistic function is a hyperbolic tangent.
    curve = np.tanh(4.0 * (t - 0.5)) / np.tanh(2.0)
    np.testing.assert_allclose(sigmoid_betas(num_temperatures), (1 + curve) / 2, atol=1e-14)


def test_steepness_draws_temperatures_to_the_ends() -> None:
    first_steps = [float(sigmoid_betas(20, s)[1]) for s in (1e-3, 1.0, 4.0, 8.0)]

    assert first_steps == sorted(first_steps, reverse=True)
    assert first_steps[0] == pytest.approx(1 / 20, rel=1e-5)  # nearly straight


@pytest.mark.parametrize("betas", [linear_betas, sigmoid_betas])
@pytest.mark.parametrize("count", [0, -2])
def test_one_temperature_is_the_least(betas, count: int) -> None:
    with pytest.raises(ValueError, match=f"num_temperatures must be at least 1, got {count}"):
        betas(count)


@pytest.mark.parametrize("steepness", [0.0, -1.0, math.nan, math.inf])
def test_steepness_must_be_positive(steepness: float) -> None:
    with pytest.raises(ValueError, match=f"steepness must be positive and finite, got {steepness}"):
        sigmoid_betas(3, steepness)


@pytest.mark.parametrize("chunk", [1, 9, 10**6])
def test_terms_are_the_proposal_and_the_joint(
    chunk: int, model: LinearGaussian, x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_chunks, "CHUNK_NUMBERS", chunk)
    r = DiagonalNormal(torch.full((3, 2), 0.5, dtype=D), torch.full((3, 2), -1.0, dtype=D))
    z = torch.randn(5, 3, 2, generator=seeded(0), dtype=D)

    values, gradients = zip(
        *(term(z) for term in Annealing(x, model.log_likelihood, r, linear_betas(2), 1).terms),
        strict=True,
    )

    # By another way round: p(z) p(x | z) = p(x) p(z | x), the posterior from its closed form.
    mean, covariance = model.posterior(x)
    posterior = torch.distributions.MultivariateNormal(mean, covariance)
    proposal = torch.distributions.MultivariateNormal(r.mean, torch.exp(r.log_var).diag_embed())
    expected = [proposal.log_prob(z), posterior.log_prob(z) + model.log_marginal(x)]
    slopes = [-(z - r.mean) / r.log_var.exp(), -(z - mean) @ torch.linalg.inv(covariance)]
    torch.testing.assert_close(list(values), expected)
    torch.testing.assert_close(list(gradients), slopes)


def test_moves_leave_the_tempered_density_as_it_is(model: LinearGaussian, x: torch.Tensor) -> None:
    # From the prior, a share beta of the likelihood gives the posterior of noise s^2 / beta.
    beta, chains = 0.3, 20_000
    tempered = LinearGaussian(model.weight, model.bias, model.noise_var / beta)
    mean, covariance = tempered.posterior(x)
    path = Annealing(x, model.log_likelihood, StandardNormal(2), linear_betas(2), 3)
    noise = torch.randn(chains, 3, 2, generator=seeded(0), dtype=D)
    state = State.at(mean + noise @ torch.linalg.cholesky(covariance).T, path.terms)

    for seed in (1, 2, 3):
        state, rate = path.move(state, beta, torch.tensor(1.1, dtype=D), seeded(seed))

    assert 0.2 < float(rate.mean()) < 0.9
    standard_error = covariance.diagonal().sqrt() / math.sqrt(chains)
    assert ((state.z.mean(0) - mean).abs() <= 5 * standard_error).all()
    variance = (state.z - mean).square().mean(0)
    spread = covariance.diagonal() * math.sqrt(2 / chains)
    assert ((variance - covariance.diagonal()).abs() <= 5 * spread).all()


@pytest.mark.parametrize("num_temperatures", [2, 4, 15, 60])
def test_tuning_finds_the_acceptance_it_looks_for(num_temperatures: int) -> None:
    # One image that says nothing of z, and one whose posterior is ten times as narrow.
    x = torch.tensor([[0.0], [1.0]], dtype=D)

    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return -0.5 * 99 * x.squeeze(-1) * z.square().sum(-1)

    betas = linear_betas(num_temperatures)
    steps = tune_step_sizes(
        x, log_likelihood, StandardNormal(3), betas, num_chains=50, generator=seeded(0)
    )

    last = num_temperatures - 2
    assert steps.shape == (last + 1, 2)
    path = Annealing(x, log_likelihood, StandardNormal(3), betas, 2)
    z = torch.randn(4000, 2, 3, generator=seeded(1), dtype=D)
    for t in {0, last // 2, last}:
        beta = float(betas[t + 1])
        scale = (1 + 99 * beta * x) ** -0.5  # exact draws, so that the rates are exact too
        _, rate = path.move(State.at(scale * z, path.terms), beta, steps[t], seeded(2))
        # The step follows the acceptance as it goes, with the noise of fifty chains.
        torch.testing.assert_close(rate.mean(0), torch.full((2,), 0.65, dtype=D), rtol=0, atol=0.12)
    ratio = float(steps[-1, 0] / steps[-1, 1])
    assert 0.5 < ratio / math.sqrt(1 + 99 * float(betas[-2])) < 2


def test_tuning_repeats_from_a_seed(model: LinearGaussian, x: torch.Tensor) -> None:
    before = torch.get_rng_state()

    first, again, other = (
        tune_step_sizes(x, model.log_likelihood, StandardNormal(2), linear_betas(4), generator=g)
        for g in map(seeded, (0, 0, 1))
    )

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_temperature_needs_no_step_size(model: LinearGaussian, x: torch.Tensor) -> None:
    steps = tune_step_sizes(x, model.log_likelihood, StandardNormal(2), linear_betas(1))

    assert steps.shape == (0, 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": torch.zeros(4)}, r"x must have shape \(batch, pixels\), got \(4,\)"),
        ({"x": torch.zeros(1, 4, dtype=torch.int64)}, "floating-point type, got torch.int64"),
        ({"betas": torch.tensor([0.0, 0.5])}, r"betas must rise from 0 to 1, got \[0.0, 0.5\]"),
        ({"betas": torch.tensor([0.1, 1.0])}, "betas must rise from 0 to 1"),
        ({"betas": torch.tensor([0.0, 0.5, 0.5, 1.0])}, "betas must rise from 0 to 1"),
        ({"betas": torch.tensor([0.0, math.nan, 1.0])}, "betas must rise from 0 to 1"),
        ({"betas": torch.tensor([1.0])}, "betas must rise from 0 to 1"),
        ({"betas": torch.tensor(1.0)}, "betas must rise from 0 to 1, got 1.0"),
        ({"num_leapfrog": 0}, "num_leapfrog must be at least 1, got 0"),
        ({"num_chains": 0}, "num_chains must be at least 1, got 0"),
    ],
)
def test_bad_input_is_named(changed: dict, message: str, model: LinearGaussian) -> None:
    arguments = {
        "x": torch.zeros(1, 4, dtype=D),
        "log_likelihood": model.log_likelihood,
        "proposal": StandardNormal(2),
        "betas": linear_betas(2),
    }
    with pytest.raises(ValueError, match=message):
        tune_step_sizes(**(arguments | changed))
