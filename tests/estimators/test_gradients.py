"""Both gradient estimators held against the gradient of a closed-form expectation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vaelab.estimators.gradients import (
    gradient_moments,
    reparameterised_gradients,
    score_function_gradients,
)

K = 100_000


def parameters() -> tuple[torch.Tensor, torch.Tensor]:
    mean = torch.tensor([[0.5, -1.0], [2.0, 0.0]], dtype=torch.float64)
    return mean, torch.tensor([[0.2, -1.0], [-2.0, 0.5]], dtype=torch.float64)


def noise(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 2, 2, generator=generator, dtype=torch.float64)


def f(z: torch.Tensor) -> torch.Tensor:
    """Neither linear nor separable: z1^2 z2 + sin z1 + 3."""
    return z[..., 0] ** 2 * z[..., 1] + torch.sin(z[..., 0]) + 3


def exact_gradients() -> tuple[torch.Tensor, torch.Tensor]:
    """By autograd on E_q[f], which is known: E sin z = exp(-v / 2) sin m."""
    mean, log_var = (p.requires_grad_() for p in parameters())
    variance = log_var.exp()
    m, v = mean[:, 0], variance[:, 0]
    expectation = (m**2 + v) * mean[:, 1] + torch.exp(-v / 2) * torch.sin(m) + 3
    return torch.autograd.grad(expectation.sum(), (mean, log_var))


ESTIMATORS = {
    "reparameterised": reparameterised_gradients,
    "score": score_function_gradients,
    "score, leave-one-out": lambda *args: score_function_gradients(*args, "leave-one-out"),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_mean_is_the_exact_gradient(name: str) -> None:
    estimates = ESTIMATORS[name](f, *parameters(), noise(K))

    for estimate, exact in zip(estimates, exact_gradients(), strict=True):
        assert estimate.shape == (K, 2, 2)
        standard_error = estimate.std(0) / math.sqrt(K)
        assert ((estimate.mean(0) - exact).abs() <= 5 * standard_error).all()


def test_leave_one_out_is_unbiased_at_the_smallest_k() -> None:
    # At K = 2 a baseline that held the draw itself would halve the gradient.
    repeats = 50_000
    mean, log_var = (p.repeat(repeats, 1) for p in parameters())  # (repeats * 2, latent)
    two = noise(2 * repeats).reshape(2, 2 * repeats, 2)

    estimates = score_function_gradients(f, mean, log_var, two, "leave-one-out")

    for estimate, exact in zip(estimates, exact_gradients(), strict=True):
        each = estimate.mean(0).reshape(repeats, 2, 2)
        standard_error = each.std(0) / math.sqrt(repeats)
        assert ((each.mean(0) - exact).abs() <= 5 * standard_error).all()


def test_leave_one_out_is_the_mean_of_the_other_draws() -> None:
    mean, log_var = parameters()
    few = noise(4)
    values = f(mean + (log_var / 2).exp() * few)
    by_mean, by_log_var = score_function_gradients(f, mean, log_var, few, "leave-one-out")

    for k in range(4):
        others = torch.cat([values[:k], values[k + 1 :]]).mean(0)
        q = torch.distributions.Normal
        m, v = (p.clone().requires_grad_() for p in (mean, log_var))
        z = (mean + (log_var / 2).exp() * few)[k]
        score = torch.autograd.grad(q(m, (v / 2).exp()).log_prob(z).sum(), (m, v))
        weight = (values[k] - others)[:, None]
        torch.testing.assert_close(by_mean[k], weight * score[0])
        torch.testing.assert_close(by_log_var[k], weight * score[1])


def test_variances_rank_as_the_docstrings_say() -> None:
    def high(z: torch.Tensor) -> torch.Tensor:
        return f(z) + 30  # a constant adds no gradient, but noise to the score function's

    variances = {
        name: torch.stack([part.var(0) for part in estimator(high, *parameters(), noise(K))])
        for name, estimator in ESTIMATORS.items()
    }

    # By factors of 2 and more, parameter by parameter; Monte Carlo error is some 5 %.
    leave_one_out = variances["score, leave-one-out"]
    assert (2 * leave_one_out < variances["score"]).all()
    assert (2 * variances["reparameterised"] < leave_one_out).all()


def test_reparameterised_is_the_finite_difference_at_fixed_noise() -> None:
    mean, log_var = parameters()
    few, step = noise(5), 1e-5

    by_mean, by_log_var = reparameterised_gradients(f, mean, log_var, few)

    def value(mean: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
        return f(mean + (log_var / 2).exp() * few)  # (K, batch)

    for j in range(2):
        shift = step * torch.eye(2, dtype=torch.float64)[j]
        slope = (value(mean + shift, log_var) - value(mean - shift, log_var)) / (2 * step)
        torch.testing.assert_close(by_mean[..., j], slope, rtol=1e-7, atol=1e-8)
        slope = (value(mean, log_var + shift) - value(mean, log_var - shift)) / (2 * step)
        torch.testing.assert_close(by_log_var[..., j], slope, rtol=1e-7, atol=1e-8)


def test_score_function_needs_no_derivative_of_f() -> None:
    def step_function(z: torch.Tensor) -> torch.Tensor:
        return (z > 0).double().sum(-1)

    mean, log_var = parameters()
    exact = torch.distributions.Normal(0.0, 1.0).log_prob(mean / (log_var / 2).exp()).exp()

    by_mean, _ = score_function_gradients(step_function, mean, log_var, noise(K))

    # d/dm P(z > 0) = N(m / s; 0, 1) / s
    standard_error = by_mean.std(0) / math.sqrt(K)
    assert ((by_mean.mean(0) - exact / (log_var / 2).exp()).abs() <= 5 * standard_error).all()


def test_unknown_baseline_is_named() -> None:
    message = r"baseline must be one of \(None, 'leave-one-out', 'batch-mean'\), got 'mean'"
    with pytest.raises(ValueError, match=message):
        score_function_gradients(f, *parameters(), noise(3), baseline="mean")


def test_leave_one_out_needs_two_draws() -> None:
    with pytest.raises(ValueError, match="needs noise of 2 draws or more, got 1"):
        score_function_gradients(f, *parameters(), noise(1), baseline="leave-one-out")


def test_batch_mean_needs_two_draws_in_all() -> None:
    one = torch.zeros(1, 1)
    with pytest.raises(ValueError, match="'batch-mean' needs noise of 2 draws or more, got 1"):
        score_function_gradients(
            lambda z: z.sum(-1), one, one, torch.zeros(1, 1, 1), baseline="batch-mean"
        )


def test_batch_mean_shrinks_every_gradient_by_its_own_share() -> None:
    # Two draws for each of two images: the mean holds the draw itself once in four.
    repeats, totals, squares = 6000, 0.0, 0.0
    for few in noise(2 * repeats).split(2):
        each = torch.stack(score_function_gradients(f, *parameters(), few, "batch-mean")).mean(1)
        totals, squares = totals + each, squares + each.square()

    mean = totals / repeats
    standard_error = ((squares / repeats - mean.square()) / repeats).sqrt()
    exact = torch.stack(exact_gradients())
    assert ((mean - 0.75 * exact).abs() <= 5 * standard_error).all()
    assert ((mean - exact).abs() > 5 * standard_error).any()


def test_batch_mean_keeps_the_differences_between_images() -> None:
    def unlike(z: torch.Tensor) -> torch.Tensor:
        return f(z) + torch.tensor([0.0, 40.0])

    def variance(baseline: str | None) -> torch.Tensor:
        draws = score_function_gradients(unlike, *parameters(), noise(K // 10), baseline)
        return torch.stack([part.var(0) for part in draws])

    # The image 20 below the mean was better off with no baseline; the one 20 above gains.
    plain, shared, own = map(variance, (None, "batch-mean", "leave-one-out"))
    assert (shared[:, 0] > 2 * plain[:, 0]).all()
    assert (2 * shared[:, 1] < plain[:, 1]).all()
    assert (2 * own < shared).all()


def test_moments_are_those_of_numpy() -> None:
    draws = noise(40)

    moments = gradient_moments(draws)

    np.testing.assert_allclose(moments.mean, draws.numpy().mean(0))
    np.testing.assert_allclose(moments.variance, draws.numpy().var(0, ddof=1))
    np.testing.assert_allclose(moments.standard_error, stats.sem(draws.numpy()))
    assert moments.num_samples == 40


def test_moments_of_one_draw_know_their_limits() -> None:
    moments = gradient_moments(torch.tensor([[3.0]]))

    assert moments.mean.item() == 3
    assert moments.variance.item() == moments.standard_error.item() == math.inf
    for shape in ((), (0, 2)):
        with pytest.raises(ValueError, match=r"draws must have shape \(K, \*shape\)"):
            gradient_moments(torch.zeros(shape))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.integers(1, 4),
    st.integers(0, 3),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
    st.floats(-80, 80),
    st.sampled_from([None, "leave-one-out", "batch-mean"]),
)
def test_any_shape_type_and_spread_gives_numbers(
    num_samples: int, batch: int, dtype: torch.dtype, log_var: float, baseline: str | None
) -> None:
    if dtype == torch.float16:
        log_var /= 8  # beyond exp(11) there are no such numbers
    mean = torch.ones(2, batch, dtype=dtype).T  # not contiguous
    arguments = (
        lambda z: torch.sin(z).sum(-1),
        mean,
        torch.full_like(mean, log_var),
        torch.ones(num_samples, batch, 2, dtype=dtype),
    )

    draws = list(reparameterised_gradients(*arguments))
    if (num_samples > 1 or baseline is None) and num_samples * batch > 1:
        draws += score_function_gradients(*arguments, baseline)

    for part in draws:
        assert part.shape == (num_samples, batch, 2)
        assert part.dtype == dtype
        assert part.isfinite().all()
