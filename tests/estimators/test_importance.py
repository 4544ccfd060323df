"""Importance sampling held against the linear-Gaussian closed form; counts, chunks, errors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.estimators import _chunks
from vaelab.estimators.importance import importance_log_marginal, log_importance_weights
from vaelab.estimators.pareto import pareto_k, pareto_k_threshold
from vaelab.estimators.proposals import DiagonalNormal, Mixture, Proposal, StandardNormal
from vaelab.estimators.reliability import effective_sample_size
from vaelab.exact.linear_gaussian import LinearGaussian


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def proposal(name: str, model: LinearGaussian, x: torch.Tensor) -> Proposal:
    mean, covariance = model.posterior(x)
    q = DiagonalNormal(mean + 0.1, covariance.diagonal().log().expand_as(mean), widen=1.5)
    prior = StandardNormal(2)
    return {"prior": prior, "normal": q, "mixture": Mixture([prior, q], [0.3, 0.7])}[name]


@pytest.mark.parametrize("name", ["prior", "normal", "mixture"])
def test_estimate_is_unbiased_and_its_standard_error_true(
    name: str, model: LinearGaussian, x: torch.Tensor
) -> None:
    repeats, num_samples = 2000, 200
    many = x.repeat(repeats, 1)  # each copy gets draws of its own

    estimate = importance_log_marginal(
        many, model.log_likelihood, proposal(name, model, many), num_samples, seeded(2)
    )

    # p-hat itself is unbiased (its logarithm is not): its ratio to the truth averages 1.
    error = estimate.log_marginal.reshape(repeats, 3) - model.log_marginal(x)
    ratio = error.exp()
    assert ((ratio.mean(0) - 1).abs() <= 5 * ratio.std(0) / math.sqrt(repeats)).all()
    # The errors' root mean square is what the standard errors say, to 10 %. The spread of
    # 2,000 numbers is known to 1.6 %; the rest is for skewness at K = 200.
    reported = estimate.standard_error.reshape(repeats, 3).square().mean(0).sqrt()
    torch.testing.assert_close(reported / error.std(0), torch.ones_like(reported), rtol=0, atol=0.1)


def test_posterior_as_proposal_is_exact_from_one_draw(
    model: LinearGaussian, x: torch.Tensor
) -> None:
    # One latent, so that the posterior is a diagonal Gaussian: every weight equals p(x).
    model = LinearGaussian(model.weight[:, :1], model.bias, model.noise_var)
    mean, variance = model.posterior(x)
    exact = DiagonalNormal(mean, variance.log().expand_as(mean))

    one = importance_log_marginal(x, model.log_likelihood, exact, 1, seeded(0))
    many = importance_log_marginal(x, model.log_likelihood, exact, 50, seeded(0))

    torch.testing.assert_close(one.log_marginal, model.log_marginal(x), rtol=0, atol=1e-11)
    assert (one.standard_error == math.inf).all()
    torch.testing.assert_close(one.effective_sample_size, torch.ones(3).double())
    assert (many.standard_error < 1e-6).all()
    torch.testing.assert_close(many.effective_sample_size, torch.full((3,), 50.0).double())


def test_estimate_is_what_its_weights_say(model: LinearGaussian, x: torch.Tensor) -> None:
    z = torch.randn(48, 3, 2, generator=seeded(5), dtype=torch.float64)
    log_weights = log_importance_weights(x, model.log_likelihood, StandardNormal(2), z)

    estimate = importance_log_marginal(
        x, model.log_likelihood, StandardNormal(2), 48, seeded(5), chunk_size=16
    )

    weights = log_weights.exp()
    relative = weights.std(0) / weights.mean(0) / math.sqrt(48)
    torch.testing.assert_close(log_weights, model.log_likelihood(x, z))  # the prior cancels
    torch.testing.assert_close(estimate.log_marginal, weights.mean(0).log())
    torch.testing.assert_close(estimate.standard_error, relative)
    torch.testing.assert_close(estimate.effective_sample_size, effective_sample_size(log_weights))


def test_weights_are_joint_over_proposal(model: LinearGaussian, x: torch.Tensor) -> None:
    q = DiagonalNormal(torch.full((3, 2), 0.5).double(), torch.full((3, 2), -1.0).double())
    z = torch.randn(5, 3, 2, generator=seeded(5), dtype=torch.float64)
    prior = torch.distributions.Normal(torch.zeros(2).double(), 1.0)
    r = torch.distributions.Normal(q.mean, (q.log_var / 2).exp())

    log_weights = log_importance_weights(x, model.log_likelihood, q, z)

    log_ratio = prior.log_prob(z) - r.log_prob(z)
    torch.testing.assert_close(log_weights, model.log_likelihood(x, z) + log_ratio.sum(-1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_samples", [1, 15, 16, 17, 100, 1000])
def test_exactly_k_draws_whatever_the_chunks(
    num_samples: int, dtype: torch.dtype, model: LinearGaussian, x: torch.Tensor
) -> None:
    model = LinearGaussian(model.weight.to(dtype), model.bias.to(dtype), model.noise_var)
    x = x.to(dtype)
    mixture = proposal("mixture", model, x)

    def run(chunk_size: int | None) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        seen = []

        def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            seen.append(z)
            return model.log_likelihood(x, z)

        estimate = importance_log_marginal(
            x, log_likelihood, mixture, num_samples, seeded(3), chunk_size
        )
        assert estimate.num_samples == num_samples
        return torch.cat(seen), estimate, [len(z) for z in seen]

    z, whole, _ = run(None)
    assert z.shape == (num_samples, 3, 2)
    for chunk_size in (1, 7, 16, 33, 64, 999, 5000):
        z_chunked, chunked, lengths = run(chunk_size)
        assert torch.equal(z_chunked, z)  # the very same draws
        assert max(lengths) <= max(16, chunk_size)
        # Sums in another order: a few roundings.
        torch.testing.assert_close(chunked.log_marginal, whole.log_marginal)
        torch.testing.assert_close(chunked.standard_error, whole.standard_error, rtol=1e-3, atol=0)


def test_memory_is_bounded_at_large_k(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chunks, "CHUNK_NUMBERS", 100_000)
    seen = []

    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        seen.append(len(z))
        return torch.zeros(z.shape[:2])

    importance_log_marginal(torch.zeros(5, 64), log_likelihood, StandardNormal(1), 100_000)

    assert sum(seen) == 100_000
    assert max(seen) * 5 * 64 <= 100_000
    assert max(seen) > 100  # and not needlessly small


@pytest.mark.parametrize("offset", [-1e5, 1e5])
def test_extreme_weights_stay_finite(offset: float, model: LinearGaussian, x: torch.Tensor) -> None:
    def shifted(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return model.log_likelihood(x, z) + offset

    plain = importance_log_marginal(x, model.log_likelihood, StandardNormal(2), 100, seeded(0))
    extreme = importance_log_marginal(x, shifted, StandardNormal(2), 100, seeded(0))

    # exp(1e5) overflows; in log space only the last digits of the sum are lost.
    torch.testing.assert_close(extreme.log_marginal - offset, plain.log_marginal, rtol=0, atol=1e-9)
    torch.testing.assert_close(extreme.standard_error, plain.standard_error, rtol=1e-8, atol=0)
    torch.testing.assert_close(
        extreme.effective_sample_size, plain.effective_sample_size, rtol=1e-8, atol=0
    )


def test_seed_repeats_and_the_global_generator_is_left_alone(
    model: LinearGaussian, x: torch.Tensor
) -> None:
    before = torch.get_rng_state()

    first, again, other = (
        importance_log_marginal(x, model.log_likelihood, StandardNormal(2), 20, seeded(seed))
        for seed in (0, 0, 1)
    )

    assert torch.equal(first.log_marginal, again.log_marginal)
    assert not torch.equal(first.log_marginal, other.log_marginal)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["num_samples", "chunk_size"])
@pytest.mark.parametrize("value", [0, -3])
def test_counts_must_be_one_or_more(name: str, value: int) -> None:
    arguments = {"num_samples": 10, "chunk_size": 16} | {name: value}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got {value}"):
        importance_log_marginal(
            torch.zeros(1, 1), lambda x, z: z.sum(-1), StandardNormal(1), **arguments
        )


def test_images_must_be_rows() -> None:
    with pytest.raises(ValueError, match=r"x must have shape \(batch, pixels\), got \(64,\)"):
        importance_log_marginal(torch.zeros(64), lambda x, z: z.sum(-1), StandardNormal(1), 10)


def test_whole_numbers_are_no_images() -> None:
    with pytest.raises(ValueError, match=r"x must be of a floating-point type, got torch.uint8"):
        importance_log_marginal(
            torch.zeros(2, 3, dtype=torch.uint8), lambda x, z: z.sum(-1), StandardNormal(1), 10
        )


@pytest.mark.parametrize("chunk_size", [16, 160, None])
@pytest.mark.parametrize("num_samples", [1, 20, 21, 500, 3000])
def test_pareto_k_is_that_of_all_the_weights(
    num_samples: int,
    chunk_size: int | None,
    model: LinearGaussian,
    x: torch.Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if chunk_size:
        monkeypatch.setattr(_chunks, "CHUNK_NUMBERS", 3 * chunk_size)  # weights in many parts
    padded = math.ceil(num_samples / 16) * 16
    z = torch.randn(padded, 3, 2, generator=seeded(5), dtype=torch.float64)[:num_samples]
    log_weights = log_importance_weights(x, model.log_likelihood, StandardNormal(2), z)

    estimate = importance_log_marginal(
        x, model.log_likelihood, StandardNormal(2), num_samples, seeded(5), chunk_size
    )

    torch.testing.assert_close(estimate.pareto_k, pareto_k(log_weights))
    threshold = pareto_k_threshold(num_samples)
    assert torch.equal(estimate.trusted, estimate.pareto_k <= threshold)


def test_pareto_k_tells_a_narrow_proposal_from_a_wide_one(model: LinearGaussian) -> None:
    # Held as model.posterior's own, times a factor, the ratio of variances is known:
    # k = 1 - 0.2 = 0.8 for the narrow one, while a wide one's weights are bounded.
    model = LinearGaussian(model.weight[:, :1], model.bias, model.noise_var)
    x = model.sample(30, seeded(0))[0]
    mean, variance = model.posterior(x)

    def estimate(factor: float):
        r = DiagonalNormal(mean, (factor * variance).log().expand_as(mean))
        return importance_log_marginal(x, model.log_likelihood, r, 20_000, seeded(1))

    narrow, wide = estimate(0.2), estimate(2.0)

    assert narrow.pareto_k.mean().item() == pytest.approx(0.8, abs=0.1)
    assert wide.trusted.all()
    assert (wide.pareto_k < 0).all()


@pytest.mark.parametrize("num_samples", [1, 40])
@pytest.mark.parametrize("weight", [-math.inf, math.inf, math.nan])
def test_what_is_said_of_weights_that_are_no_numbers(weight: float, num_samples: int) -> None:
    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return torch.where(x.squeeze(-1) > 0, weight, z.sum(-1) * 0)

    estimate = importance_log_marginal(
        torch.tensor([[1.0], [0.0]]), log_likelihood, StandardNormal(1), num_samples
    )

    # Beside an image whose weights are all one.
    certain = 0.0 if num_samples > 1 else math.inf
    expected = (weight, math.inf, 0.0) if weight == -math.inf else [math.nan] * 3
    fields = (
        estimate.log_marginal,
        estimate.standard_error,
        estimate.effective_sample_size,
    )
    for found, odd, plain in zip(fields, expected, (0.0, certain, num_samples), strict=True):
        torch.testing.assert_close(
            found, torch.tensor([odd, float(plain)]), equal_nan=True, atol=1e-3, rtol=1e-5
        )
    assert not estimate.trusted[0]
    assert bool(estimate.trusted[1]) == (num_samples > 1)


@pytest.mark.parametrize("numbers", [1, 100, 1000])
def test_images_are_taken_a_few_at_a_time_when_there_are_many(
    numbers: int, model: LinearGaussian, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = model.sample(50, seeded(0))[0]
    q = DiagonalNormal(*torch.zeros(2, 50, 2, dtype=torch.float64))
    whole = importance_log_marginal(x, model.log_likelihood, q, 40, seeded(1))
    monkeypatch.setattr(_chunks, "CHUNK_NUMBERS", numbers)
    largest = 0

    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        nonlocal largest
        largest = max(largest, z.shape[0] * z.shape[1] * x.shape[1])
        return model.log_likelihood(x, z)

    parts = importance_log_marginal(x, log_likelihood, q, 40, seeded(1))

    assert largest <= max(numbers, 4)
    torch.testing.assert_close(parts.log_marginal, whole.log_marginal)
    torch.testing.assert_close(parts.pareto_k, whole.pareto_k)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    st.sampled_from([1, 2, 16, 50]),
    st.integers(0, 3),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
    st.floats(-80, 80),
)
def test_any_shape_type_and_spread_gives_numbers(
    num_samples: int, batch: int, dtype: torch.dtype, log_var: float
) -> None:
    if dtype == torch.float16:
        log_var /= 20  # the squares of z have to fit
    model = LinearGaussian(torch.ones(3, 2, dtype=dtype), torch.zeros(3, dtype=dtype), 1.0)
    x = torch.ones(batch, 6, dtype=dtype)[:, ::2]  # not contiguous
    r = Mixture(
        [StandardNormal(2), DiagonalNormal(*torch.full((2, batch, 2), log_var, dtype=dtype))]
    )

    estimate = importance_log_marginal(x, model.log_likelihood, r, num_samples, seeded(0))

    for field in ("log_marginal", "standard_error", "effective_sample_size", "pareto_k"):
        value = getattr(estimate, field)
        assert value.shape == (batch,)
        assert not value.isnan().any()
