"""The importance-weighted bound held against theory on a linear-Gaussian model."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.estimators.importance import importance_log_marginal, log_importance_weights
from vaelab.estimators.iwae import iwae_bound
from vaelab.estimators.proposals import DiagonalNormal, StandardNormal
from vaelab.exact.linear_gaussian import LinearGaussian

PRIOR = StandardNormal(2)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_one_draw_gives_the_elbo(model: LinearGaussian, x: torch.Tensor) -> None:
    mean = torch.full((3, 2), 0.4, dtype=torch.float64)
    log_var = torch.full((3, 2), -1.0, dtype=torch.float64)

    estimate = iwae_bound(
        x, model.log_likelihood, DiagonalNormal(mean, log_var), 1, 50_000, seeded(0)
    )

    off = (estimate.bound - model.elbo(x, mean, log_var)).abs()
    assert (off <= 5 * estimate.standard_error).all()
    assert (estimate.standard_error < 0.02).all()


def test_bound_rises_to_the_truth_as_theory_says(model: LinearGaussian, x: torch.Tensor) -> None:
    truth = model.log_marginal(x)
    bounds = [
        iwae_bound(x, model.log_likelihood, PRIOR, k, repeats, seeded(k))
        for k, repeats in ((1, 4000), (4, 4000), (32, 40_000))
    ]

    for below, above in pairwise(bounds):
        error = (below.standard_error.square() + above.standard_error.square()).sqrt()
        assert (above.bound - below.bound > 5 * error).all()
    # To first order the bias is -Var(w) / (2 K E[w]^2) = -(1 / ESS fraction - 1) / (2 K).
    bias = -torch.expm1(-model.log_ess_fraction(x)) / (2 * 32)
    last = bounds[-1]
    # The second order is no more than a few times the square of the first.
    tolerance = 5 * last.standard_error + 4 * bias.square()
    assert (bias.abs() > 1.5 * tolerance).all()  # else this would pass for a bias of zero
    assert ((last.bound - truth - bias).abs() <= tolerance).all()


def test_posterior_as_proposal_is_exact(model: LinearGaussian, x: torch.Tensor) -> None:
    model = LinearGaussian(model.weight[:, :1], model.bias, model.noise_var)
    mean, variance = model.posterior(x)
    exact = DiagonalNormal(mean, variance.log().expand_as(mean))

    estimate = iwae_bound(x, model.log_likelihood, exact, 3, 20, seeded(0))

    torch.testing.assert_close(estimate.bound, model.log_marginal(x), rtol=0, atol=1e-11)
    assert (estimate.standard_error < 1e-12).all()


@pytest.mark.parametrize(("num_samples", "num_repeats"), [(1, 33), (7, 33), (16, 5), (100, 3)])
def test_groups_are_whole_however_chunked(
    num_samples: int, num_repeats: int, model: LinearGaussian, x: torch.Tensor
) -> None:
    draws = num_samples * num_repeats
    padded = math.ceil(draws / 16) * 16
    z = torch.randn(padded, 3, 2, generator=seeded(0), dtype=torch.float64)[:draws]
    weights = log_importance_weights(x, model.log_likelihood, PRIOR, z).exp()
    groups = weights.reshape(num_repeats, num_samples, 3).mean(1).log()

    for chunk_size in (None, 1, 16, 48, 5000):
        estimate = iwae_bound(
            x, model.log_likelihood, PRIOR, num_samples, num_repeats, seeded(0), chunk_size
        )

        torch.testing.assert_close(estimate.bound, groups.mean(0))
        standard_error = groups.std(0) / math.sqrt(num_repeats)
        torch.testing.assert_close(estimate.standard_error, standard_error)
        assert (estimate.num_samples, estimate.num_repeats) == (num_samples, num_repeats)


@pytest.mark.parametrize("numbers", [1, 100, 2**19])
def test_parts_of_any_size_make_the_same_groups(
    numbers: int, model: LinearGaussian, x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small parts end in the middle of a group, again and again.
    whole = iwae_bound(x, model.log_likelihood, PRIOR, 37, 12, seeded(0))
    monkeypatch.setattr("vaelab.estimators._chunks.CHUNK_NUMBERS", numbers)
    parts = iwae_bound(x, model.log_likelihood, PRIOR, 37, 12, seeded(0))

    torch.testing.assert_close(parts.bound, whole.bound)
    torch.testing.assert_close(parts.standard_error, whole.standard_error)


def test_one_group_is_an_importance_estimate(model: LinearGaussian, x: torch.Tensor) -> None:
    bound = iwae_bound(x, model.log_likelihood, PRIOR, 50, 1, seeded(0))
    plain = importance_log_marginal(x, model.log_likelihood, PRIOR, 50, seeded(0))

    torch.testing.assert_close(bound.bound, plain.log_marginal)
    assert (bound.standard_error == math.inf).all()


@pytest.mark.parametrize(
    ("weight", "bound", "error"),
    [(-math.inf, -math.inf, math.inf), (math.inf, math.nan, math.nan), (math.nan,) * 3],
)
def test_what_is_said_of_weights_that_are_no_numbers(
    weight: float, bound: float, error: float
) -> None:
    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return torch.where(x.squeeze(-1) > 0, weight, z.sum(-1) * 0)

    estimate = iwae_bound(torch.tensor([[1.0], [0.0]]), log_likelihood, PRIOR, 3, 4, seeded(0))

    torch.testing.assert_close(estimate.bound, torch.tensor([bound, 0.0]), equal_nan=True)
    torch.testing.assert_close(estimate.standard_error, torch.tensor([error, 0.0]), equal_nan=True)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(
    st.integers(1, 20),
    st.integers(1, 5),
    st.integers(0, 2),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
)
def test_any_counts_and_types_give_numbers(
    num_samples: int, num_repeats: int, batch: int, dtype: torch.dtype
) -> None:
    model = LinearGaussian(torch.ones(3, 2, dtype=dtype), torch.zeros(3, dtype=dtype), 1.0)
    x = torch.ones(batch, 6, dtype=dtype)[:, ::2]

    estimate = iwae_bound(x, model.log_likelihood, PRIOR, num_samples, num_repeats, seeded(0))

    assert estimate.bound.shape == estimate.standard_error.shape == (batch,)
    assert estimate.bound.isfinite().all()
    assert not estimate.standard_error.isnan().any()


@pytest.mark.parametrize("name", ["num_samples", "num_repeats", "chunk_size"])
def test_counts_must_be_one_or_more(name: str, model: LinearGaussian, x: torch.Tensor) -> None:
    arguments = {"num_samples": 3, "num_repeats": 3, "chunk_size": 16} | {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        iwae_bound(x, model.log_likelihood, PRIOR, **arguments)
