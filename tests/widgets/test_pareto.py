"""Pareto k-hat in JavaScript against vaelab.estimators, which it mirrors."""

import math

import numpy as np
import pytest
import torch

from tests.javascript import evaluator
from vaelab.estimators.generalised_pareto import fit_generalised_pareto
from vaelab.estimators.pareto import pareto_k, pareto_k_threshold, pareto_tail_length


@pytest.fixture(scope="module")
def js():
    return evaluator("importance_sampling")


def k_hat(js, log_weights) -> float:
    sent = [value if math.isfinite(value) else str(value) for value in map(float, log_weights)]
    ours = js(
        "paretoK(Float64Array.from(values, (v) => Number(`${v}`.replace('inf', 'Infinity'))))",
        values=sent,
    )
    return float(ours)


def samples() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    tied = rng.normal(size=500)
    tied[:200] = 3.0
    return {
        **{f"tail {k}": k * rng.exponential(size=4000) for k in (0.1, 0.5, 0.9, 1.5, 4.0)},
        **{f"K = {n}": rng.normal(size=n) for n in (1, 5, 20, 21, 26, 30, 99, 1000, 20_001)},
        "narrow": 0.5 * rng.normal(size=1000) ** 2 * (1 - 1 / 9),
        "wide": -0.5 * rng.normal(size=1000) ** 2 * 7,
        "equal": np.full(300, -12.5),
        "nearly equal": -12.5 + 1e-6 * rng.normal(size=300),
        "rounding": 1e-15 * rng.normal(size=1000),
        "just a tail": 1e-3 * rng.normal(size=1000),
        "one is everything": np.concatenate([[1e4], rng.normal(size=999)]),
        "two are everything": np.concatenate([[1e4, 1e4], rng.normal(size=999)]),
        "spread": 300 * rng.normal(size=2000),
        "far down": rng.normal(size=800) - 1e5,
        "far up": rng.normal(size=800) + 1e5,
        "tied at the cutoff": np.concatenate([np.zeros(900), rng.exponential(size=50)]),
        "tied on top": tied,
        "zeros": np.concatenate([np.full(500, -np.inf), rng.normal(size=500)]),
        "nearly all zero": np.concatenate([np.full(996, -np.inf), rng.normal(size=4)]),
        "all zero": np.full(100, -np.inf),
    }


@pytest.mark.parametrize("name", samples())
def test_k_hat_is_pythons(js, name: str) -> None:
    log_weights = samples()[name]
    expected = pareto_k(torch.tensor(log_weights)).item()

    assert k_hat(js, log_weights) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("seed", range(30))
def test_k_hat_of_random_weights_is_pythons(js, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-3, 3)
    log_weights = scale * rng.standard_t(df=3, size=rng.integers(5, 3000))
    expected = pareto_k(torch.tensor(log_weights)).item()

    assert k_hat(js, log_weights) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_a_constant_changes_nothing(js) -> None:
    log_weights = samples()["tail 0.9"]

    assert k_hat(js, log_weights) == pytest.approx(k_hat(js, log_weights - 700), rel=1e-7)


@pytest.mark.parametrize("k", [0.3, 0.7, 1.2])
def test_the_fit_is_pythons_and_finds_the_shape(js, k: float) -> None:
    probability = (np.arange(2000) + 0.5) / 2000
    y = ((1 - probability) ** -k - 1) / k
    ours = js("fitGeneralisedPareto(Float64Array.from(y))", y=y.tolist())

    assert ours == pytest.approx(fit_generalised_pareto(torch.tensor(y))[0].item(), rel=1e-7)
    assert ours == pytest.approx(k, abs=0.02)


@pytest.mark.parametrize("count", [1, 2, 5, 10, 19, 20, 21, 100, 225, 2155, 5000, 100_000])
def test_tail_length_and_threshold_are_pythons(js, count: int) -> None:
    assert js(f"paretoTailLength({count})") == pareto_tail_length(count)
    assert float(js(f"paretoKThreshold({count})")) == pytest.approx(pareto_k_threshold(count))


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("kind", ["random", "sorted", "reversed", "equal", "few values"])
def test_the_largest_are_found(js, size: int, kind: str) -> None:
    rng = np.random.default_rng(size)
    values = {
        "random": rng.normal(size=size),
        "sorted": np.arange(size, dtype=float),
        "reversed": -np.arange(size, dtype=float),
        "equal": np.zeros(size),
        "few values": rng.integers(0, 3, size=size).astype(float),
    }[kind]
    for count in {1, max(1, size // 3), size}:
        ours = js(f"largestOf(values, {count})", values=values.tolist())
        assert ours == sorted(values.tolist(), reverse=True)[:count]
