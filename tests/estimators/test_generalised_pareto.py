"""The generalised Pareto distribution held against scipy's."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from vaelab.estimators.generalised_pareto import (
    fit_generalised_pareto,
    generalised_pareto_quantile,
)


@pytest.mark.parametrize("shape", [-0.4, 0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("scale", [1e-8, 3.0])
def test_fit_finds_what_scipy_drew(shape: float, scale: float) -> None:
    n, columns = 400, 200
    drawn = stats.genpareto.rvs(
        shape, scale=scale, size=(n, columns), random_state=np.random.default_rng(0)
    )

    k, sigma = fit_generalised_pareto(torch.tensor(drawn))

    # Maximum likelihood's deviations are (1 + k) / sqrt(n) for k and sqrt(2 (1 + k) / n) for
    # log sigma (Smith 1987); this estimator's are about the same. It leans by 1 / n or so.
    asymptotic = (1 + shape) / math.sqrt(n), math.sqrt(2 * (1 + shape) / n)
    for found, truth, deviation in zip(
        (k, (sigma / scale).log()), (shape, 0.0), asymptotic, strict=True
    ):
        assert abs(found.mean() - truth) < 5 * deviation / math.sqrt(columns) + 4 / n
        assert float(found.std()) == pytest.approx(deviation, rel=0.35)


@pytest.mark.parametrize("shape", [-0.2, 0.3, 1.1])
def test_fit_is_near_maximum_likelihood(shape: float) -> None:
    drawn = stats.genpareto.rvs(shape, size=2000, random_state=np.random.default_rng(1))
    by_scipy, _, scale = stats.genpareto.fit(drawn, floc=0)

    k, sigma = fit_generalised_pareto(torch.tensor(drawn))

    # A fraction of a standard error apart.
    assert k.item() == pytest.approx(by_scipy, abs=0.3 * (1 + shape) / math.sqrt(2000))
    assert sigma.item() == pytest.approx(scale, rel=0.3 * math.sqrt(2 * (1 + shape) / 2000))


@pytest.mark.parametrize("shape", [-0.7, 0.0, 1e-9, 0.5, 3.0])
def test_quantile_agrees_with_scipy(shape: float) -> None:
    p = np.array([0.0, 0.01, 0.5, 0.99, 1 - 1e-12])

    quantile = generalised_pareto_quantile(
        torch.tensor(p), torch.tensor(shape, dtype=torch.float64), torch.tensor(2.5)
    )

    np.testing.assert_allclose(quantile, stats.genpareto.ppf(p, shape, scale=2.5), rtol=1e-9)


def test_five_numbers_are_needed() -> None:
    fit_generalised_pareto(torch.arange(1.0, 6.0))
    with pytest.raises(ValueError, match=r"exceedances must have 5 numbers or more .* got 4"):
        fit_generalised_pareto(torch.arange(1.0, 5.0))
