"""Annealed importance sampling between bounds that are known: the linear-Gaussian closed form."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.estimators import _chunks
from vaelab.estimators.annealed import annealed_log_marginal, reverse_annealed_log_marginal
from vaelab.estimators.annealing import linear_betas, sigmoid_betas, tune_step_sizes
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import DiagonalNormal, Mixture, Proposal, StandardNormal
from vaelab.exact.linear_gaussian import LinearGaussian

D = torch.float64
REPEATS = 1500


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def posterior_draws(model: LinearGaussian, x: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    mean, covariance = model.posterior(x)
    noise = torch.randn(count, *mean.shape, generator=seeded(seed), dtype=D)
    return mean + noise @ torch.linalg.cholesky(covariance).T


def proposal(name: str, count: int) -> Proposal:
    q = DiagonalNormal(torch.full((count, 2), 0.3, dtype=D), torch.full((count, 2), -0.5, dtype=D))
    return {"prior": StandardNormal(2), "mixture": Mixture([StandardNormal(2), q])}[name]


@pytest.fixture
def flat(model: LinearGaussian) -> LinearGaussian:
    """Noise enough for both directions' weights to have a variance at few temperatures."""
    return LinearGaussian(model.weight, model.bias, 2.0)


@pytest.mark.parametrize("name", ["prior", "mixture"])
@pytest.mark.parametrize("step_size", [None, 0.4])
def test_forward_is_unbiased_below_and_reverse_above(
    name: str, step_size: float | None, flat: LinearGaussian
) -> None:
    x = flat.sample(2, seeded(1))[0]
    many, truth = x.repeat(REPEATS, 1), flat.log_marginal(x)
    arguments = (many, flat.log_likelihood, proposal(name, 2 * REPEATS), linear_betas(3))
    steps = step_size or tune_step_sizes(*arguments, num_chains=2, generator=seeded(2))

    forward = annealed_log_marginal(*arguments, 1, steps, generator=seeded(3))
    reverse = reverse_annealed_log_marginal(
        *arguments, posterior_draws(flat, many, 1, 4), steps, generator=seeded(5)
    )

    for estimate, sign in ((forward, 1), (reverse, -1)):
        error = estimate.log_marginal.reshape(REPEATS, 2) - truth
        # p-hat forwards, 1 / p-hat backwards: their ratio to the truth averages 1.
        ratio = (sign * error).exp()
        assert ((ratio.mean(0) - 1).abs() <= 5 * ratio.std(0) / math.sqrt(REPEATS)).all()
        # So the logarithm is too low on average, or too high: plainly, at three temperatures.
        standard_error = error.std(0) / math.sqrt(REPEATS)
        assert (sign * error.mean(0) < -5 * standard_error).all()


def test_more_temperatures_close_the_gap(model: LinearGaussian) -> None:
    peaked = LinearGaussian(model.weight, model.bias, 0.1)
    x = peaked.sample(40, seeded(1))[0]
    z = posterior_draws(peaked, x, 8, 2)
    gaps, errors = [], []
    for num_temperatures in (3, 30, 150):
        betas = sigmoid_betas(num_temperatures)
        arguments = (x, peaked.log_likelihood, StandardNormal(2), betas)
        steps = tune_step_sizes(*arguments, generator=seeded(3))
        lower = annealed_log_marginal(*arguments, 8, steps, generator=seeded(4))
        upper = reverse_annealed_log_marginal(*arguments, z, steps, generator=seeded(5))
        gaps.append(float((upper.log_marginal - lower.log_marginal).mean()))
        errors.append((lower.log_marginal - peaked.log_marginal(x)).abs().mean())

    assert gaps[0] > 2 * gaps[1] > 6 * gaps[2] > 0
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert gaps[2] < 0.3


@pytest.mark.parametrize("num_chains", [1, 16, 21])
@pytest.mark.parametrize("name", ["prior", "mixture"])
def test_one_temperature_is_importance_sampling(
    name: str, num_chains: int, model: LinearGaussian, x: torch.Tensor
) -> None:
    arguments = (x, model.log_likelihood, proposal(name, 3))

    annealed = annealed_log_marginal(*arguments, linear_betas(1), num_chains, generator=seeded(0))
    plain = importance_log_marginal(*arguments, num_chains, seeded(0))

    # The very same draws; sums in another order.
    for field in ("log_marginal", "standard_error", "effective_sample_size"):
        a, b = getattr(annealed, field), getattr(plain, field)
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-13)
    assert annealed.acceptance.shape == (0, 3)


@pytest.mark.parametrize("step_size", [0.5, 200.0])
def test_posterior_as_proposal_is_exact_along_any_path(
    step_size: float, model: LinearGaussian, x: torch.Tensor
) -> None:
    # One latent, so that the posterior is a diagonal Gaussian: every path has weight p(x).
    model = LinearGaussian(model.weight[:, :1], model.bias, model.noise_var)
    mean, variance = model.posterior(x)
    exact = DiagonalNormal(mean, variance.log().expand_as(mean))
    arguments = (x, model.log_likelihood, exact, linear_betas(7))

    forward = annealed_log_marginal(*arguments, 5, step_size, 3, seeded(0))
    reverse = reverse_annealed_log_marginal(
        *arguments, posterior_draws(model, x, 5, 1), step_size, 3, seeded(0)
    )

    for estimate in (forward, reverse):
        torch.testing.assert_close(estimate.log_marginal, model.log_marginal(x), rtol=0, atol=1e-11)
        torch.testing.assert_close(estimate.effective_sample_size, torch.full((3,), 5.0, dtype=D))
        assert (estimate.standard_error < 1e-6).all()


def test_chains_that_cannot_move_are_importance_samples(
    model: LinearGaussian, x: torch.Tensor
) -> None:
    # With a step size a hundred times too large nothing is accepted. The weights stay right.
    arguments = (x, model.log_likelihood, StandardNormal(2))

    stuck = annealed_log_marginal(*arguments, sigmoid_betas(6), 64, 200.0, 20, generator=seeded(0))
    plain = importance_log_marginal(*arguments, 64, seeded(0))

    assert float(stuck.acceptance.max()) < 1e-6
    torch.testing.assert_close(stuck.log_marginal, plain.log_marginal)


def test_estimate_is_what_its_weights_say(model: LinearGaussian, x: torch.Tensor) -> None:
    arguments = (x, model.log_likelihood, StandardNormal(2), linear_betas(3))
    forward = annealed_log_marginal(*arguments, 30, generator=seeded(0))
    reverse = reverse_annealed_log_marginal(
        *arguments, posterior_draws(model, x, 30, 1), generator=seeded(0)
    )

    for estimate, sign in ((forward, 1), (reverse, -1)):
        weights = estimate.log_weights.exp()
        assert weights.shape == (30, 3)
        torch.testing.assert_close(estimate.log_marginal, sign * weights.mean(0).log())
        relative = weights.std(0) / weights.mean(0) / math.sqrt(30)
        torch.testing.assert_close(estimate.standard_error, relative)
        ess = weights.sum(0).square() / weights.square().sum(0)
        torch.testing.assert_close(estimate.effective_sample_size, ess)
        assert estimate.num_chains == 30


def test_each_temperature_gets_its_own_step_size_in_both_directions(
    model: LinearGaussian, x: torch.Tensor
) -> None:
    # Tiny (always accepted) at the higher temperature, far too large at the lower.
    steps = torch.tensor([[1e-6], [200.0]], dtype=D).expand(2, 3)
    arguments = (x, model.log_likelihood, StandardNormal(2), linear_betas(3))

    forward = annealed_log_marginal(*arguments, 16, steps, generator=seeded(0))
    reverse = reverse_annealed_log_marginal(
        *arguments, posterior_draws(model, x, 16, 1), steps, generator=seeded(0)
    )

    assert ((forward.acceptance[0] > 0.99) & (forward.acceptance[0] <= 1)).all()
    assert (forward.acceptance[1] < 0.01).all()
    torch.testing.assert_close(reverse.acceptance.flip(0), forward.acceptance, rtol=0, atol=0.01)


@pytest.mark.parametrize(("num_temperatures", "num_leapfrog"), [(1, 3), (2, 1), (5, 4)])
def test_evaluations_are_counted(
    num_temperatures: int, num_leapfrog: int, model: LinearGaussian, x: torch.Tensor
) -> None:
    seen = []

    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        seen.append(z[..., 0].numel())
        return model.log_likelihood(x, z)

    estimate = annealed_log_marginal(
        x, log_likelihood, StandardNormal(2), linear_betas(num_temperatures), 6, 0.3, num_leapfrog
    )

    assert estimate.num_evaluations == sum(seen)


def test_pieces_bound_memory_and_change_nothing(
    model: LinearGaussian, x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest, estimates = [], []
    for numbers in (4, 30, 2**19):
        monkeypatch.setattr(_chunks, "CHUNK_NUMBERS", numbers)
        sizes = []

        def log_likelihood(x: torch.Tensor, z: torch.Tensor, sizes=sizes) -> torch.Tensor:
            sizes.append(z[..., 0].numel() * 4)
            return model.log_likelihood(x, z)

        estimates.append(
            annealed_log_marginal(
                x, log_likelihood, StandardNormal(2), linear_betas(4), 10, generator=seeded(0)
            )
        )
        largest.append(max(sizes))

    assert largest == [4, 28, 120]  # numbers of four pixels each, from one draw to all thirty
    for estimate in estimates[1:]:
        torch.testing.assert_close(estimate.log_weights, estimates[0].log_weights)
        torch.testing.assert_close(estimate.acceptance, estimates[0].acceptance)


def test_impossible_images_get_no_mass_and_say_so() -> None:
    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return torch.where(x.squeeze(-1) > 0, -torch.inf, 0.0) + 0 * z.sum(-1)

    estimate = annealed_log_marginal(
        torch.tensor([[1.0], [0.0]]), log_likelihood, StandardNormal(1), linear_betas(3), 8,
        generator=seeded(0),
    )  # fmt: skip

    assert estimate.log_marginal.tolist() == [-math.inf, 0.0]
    assert estimate.effective_sample_size.tolist() == [0.0, 8.0]
    assert estimate.standard_error.tolist() == [math.inf, 0.0]


def test_seed_repeats_and_the_global_generator_is_left_alone(
    model: LinearGaussian, x: torch.Tensor
) -> None:
    before = torch.get_rng_state()

    first, again, other = (
        annealed_log_marginal(
            x, model.log_likelihood, StandardNormal(2), linear_betas(4), generator=seeded(seed)
        ).log_marginal
        for seed in (0, 0, 1)
    )

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(
    st.integers(0, 3),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
    st.floats(-80, 80),
)
def test_any_shape_type_and_spread_gives_numbers(
    batch: int, chains: int, num_temperatures: int, dtype: torch.dtype, log_var: float
) -> None:
    if dtype == torch.float16:
        log_var /= 20  # the squares of z have to fit
    model = LinearGaussian(torch.ones(3, 2, dtype=dtype), torch.zeros(3, dtype=dtype), 1.0)
    x = torch.ones(batch, 6, dtype=dtype)[:, ::2]  # not contiguous
    r = Mixture(
        [StandardNormal(2), DiagonalNormal(*torch.full((2, batch, 2), log_var, dtype=dtype))]
    )

    estimate = annealed_log_marginal(
        x, model.log_likelihood, r, linear_betas(num_temperatures), chains, generator=seeded(0)
    )

    assert estimate.log_marginal.shape == (batch,)
    assert estimate.acceptance.shape == (num_temperatures - 1, batch)
    assert not estimate.log_marginal.isnan().any()
    assert not estimate.acceptance.isnan().any()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"z": torch.zeros(2, 2)},
            r"z must have shape \(chains, batch, latent\) with a batch of 3",
        ),
        ({"z": torch.zeros(5, 2, 2)}, r"batch of 3, got \(5, 2, 2\)"),
        ({"z": torch.zeros(0, 3, 2)}, r"got \(0, 3, 2\)"),
        ({"step_sizes": torch.ones(3, 3)}, r"step_sizes must have shape \(2, 3\), got \(3, 3\)"),
        ({"step_sizes": 0.0}, "step_sizes must be positive and finite, got 0.0"),
        ({"step_sizes": math.nan}, "step_sizes must be positive and finite, got nan"),
        ({"num_leapfrog": 0}, "num_leapfrog must be at least 1, got 0"),
        ({"betas": torch.tensor([0.0, 2.0])}, "betas must rise from 0 to 1"),
    ],
)
def test_bad_input_is_named(
    changed: dict, message: str, model: LinearGaussian, x: torch.Tensor
) -> None:
    arguments = {"log_likelihood": model.log_likelihood, "proposal": StandardNormal(2)}
    arguments |= {"betas": linear_betas(3), "z": torch.zeros(5, 3, 2, dtype=D)}
    with pytest.raises(ValueError, match=message):
        reverse_annealed_log_marginal(x, **(arguments | changed))
    if "z" not in changed:
        del arguments["z"]
        with pytest.raises(ValueError, match=message):
            annealed_log_marginal(x, **(arguments | changed))


def test_a_chain_is_needed(model: LinearGaussian, x: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="num_chains must be at least 1, got 0"):
        annealed_log_marginal(x, model.log_likelihood, StandardNormal(2), linear_betas(2), 0)
