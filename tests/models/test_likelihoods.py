"""Each likelihood's mean and draws follow its own log likelihood, which sums to one."""

import math

import pytest
import torch

from vaelab.models.likelihoods import (
    LIKELIHOODS,
    BetaBinomial,
    Binomial,
    Categorical,
    DiscretisedLogistic,
    Gaussian,
    Likelihood,
)

CASES = {
    **LIKELIHOODS,
    "binomial, n = 3": Binomial(max_count=3),
    "beta-binomial, n = 3": BetaBinomial(max_count=3),
    "beta-binomial, n = 1": BetaBinomial(max_count=1),
    "discretised-logistic, n = 3": DiscretisedLogistic(max_count=3),
    "categorical, n = 3": Categorical(max_count=3),
}


def parameters(likelihood: Likelihood) -> list[torch.Tensor]:
    """For three pixels, each a number or more, and the shared log-variance of a Gaussian."""
    generator = torch.Generator().manual_seed(0)
    shape = (likelihood.outputs, 3)
    values = list(torch.randn(shape, generator=generator, dtype=torch.float64))
    if isinstance(likelihood, Gaussian):
        values.append(torch.tensor(-0.7, dtype=torch.float64))
    return values


def masses(likelihood: Likelihood) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (of x) and the mass each stands for in each pixel, by the log likelihood."""
    if likelihood.name in ("gaussian", "continuous-bernoulli"):
        ends = (-15, 15) if likelihood.name == "gaussian" else (0, 1)
        points = torch.linspace(*ends, 20_001, dtype=torch.float64)
        weights = torch.full_like(points, (ends[1] - ends[0]) / 20_000)
        weights[[0, -1]] /= 2
    else:
        points = torch.arange(getattr(likelihood, "max_count", 1) + 1, dtype=torch.float64)
        weights = torch.ones_like(points)
    x = points[:, None]  # one pixel
    log_density = torch.stack(
        [
            # A pixel's parameters, given as those of a batch of images of one pixel.
            likelihood.log_likelihood(
                x, *(p[None, None, pixel] if p.ndim else p for p in parameters(likelihood))
            )
            for pixel in range(3)
        ],
        -1,
    )
    return points, log_density.exp() * weights[:, None]


@pytest.mark.parametrize("name", CASES)
def test_sums_to_one_and_has_its_mean(name: str) -> None:
    likelihood = CASES[name]
    points, mass = masses(likelihood)

    mean = likelihood.mean(*parameters(likelihood))

    # Trapezoids of width 5e-5 on [0, 1] are off by 1e-9.
    torch.testing.assert_close(mass.sum(0), torch.ones(3).double(), rtol=0, atol=2e-9)
    torch.testing.assert_close(mean, points @ mass, rtol=2e-9, atol=0)


@pytest.mark.parametrize("name", CASES)
def test_draws_follow_the_log_likelihood(name: str) -> None:
    likelihood, count = CASES[name], 100_000
    points, mass = masses(likelihood)
    many = [p.expand(count, 3) if p.ndim else p for p in parameters(likelihood)]

    x = likelihood.sample(*many, generator=torch.Generator().manual_seed(0))

    assert x.shape == (count, 3)
    if likelihood.name not in ("gaussian", "continuous-bernoulli"):
        assert torch.isin(x, points).all()
    # cos(t x) and sin(t x): the whole law, not only its mean. In units of the data's size.
    for t in (0.5, 1.0, 2.0, 5.0):
        for f in (torch.cos, torch.sin):
            values = f(t * x / likelihood.unit)
            standard_error = values.std(0) / math.sqrt(count)
            expected = (f(t * points / likelihood.unit)[:, None] * mass).sum(0)
            assert ((values.mean(0) - expected).abs() <= 5 * standard_error + 1e-8).all()
    # No two pixels or images may share their draw.
    correlation = torch.corrcoef(torch.cat([x[1:], x[:-1]], 1).T) - torch.eye(6)
    assert correlation.abs().max() <= 5 / math.sqrt(count)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_is_found_by_its_name(name: str) -> None:
    assert LIKELIHOODS[name].name == name


@pytest.mark.parametrize("kind", [Binomial, BetaBinomial, DiscretisedLogistic, Categorical])
def test_largest_count_must_be_one_or_more(kind: type) -> None:
    with pytest.raises(ValueError, match="max_count must be at least 1, got 0"):
        kind(max_count=0)


@pytest.mark.parametrize("noise_var", [0.0, -1.0, math.inf, math.nan])
def test_held_variance_must_be_positive(noise_var: float) -> None:
    with pytest.raises(ValueError, match=f"noise_var must be positive and finite, got {noise_var}"):
        Gaussian(noise_var=noise_var)
