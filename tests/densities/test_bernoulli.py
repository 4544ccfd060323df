"""The Bernoulli held against torch.distributions, numpy and sums, in float64."""

import math

import numpy as np
import pytest
import scipy.integrate
import torch
from torch.distributions import Bernoulli

from vaelab.densities import bernoulli_log_density, bernoulli_log_likelihood


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0, 300.0])
def test_bernoulli_agrees_with_torch_distributions(scale: float) -> None:
    logits = normal(50, 7, scale=scale)
    x = (normal(50, 7, seed=1) > 0).double()

    log_density = bernoulli_log_density(x, logits)

    expected = Bernoulli(logits=logits).log_prob(x)
    torch.testing.assert_close(log_density, expected, rtol=1e-13, atol=1e-13)


# 20 is where torch's softplus starts to approximate; 800 is where exp overflows in float64.
@pytest.mark.parametrize("logit", [-800.0, -25.0, -20.5, 0.0, 19.5, 20.5, 25.0, 45.0, 800.0])
def test_bernoulli_sums_to_one_over_both_values(logit: float) -> None:
    x = torch.tensor([0.0, 1.0], dtype=torch.float64)

    log_density = bernoulli_log_density(x, torch.tensor(logit, dtype=torch.float64))

    assert float(log_density.exp().sum()) == pytest.approx(1, abs=1e-14)
    # logaddexp of numpy keeps every digit at these logits.
    assert float(log_density[0]) == pytest.approx(-np.logaddexp(0, logit), rel=1e-14)


def test_bernoulli_is_no_density_of_grey_values() -> None:
    logit = torch.tensor(1.5, dtype=torch.float64)

    def density(x: float) -> float:
        return float(bernoulli_log_density(torch.tensor(x, dtype=torch.float64), logit).exp())

    area, _ = scipy.integrate.quad(density, 0, 1)

    assert area == pytest.approx((math.exp(1.5) - 1) / 1.5 / (1 + math.exp(1.5)))
    assert area < 0.5


@pytest.mark.parametrize(
    "logits_shape", [(6, 5), (3, 6, 5), (3, 1, 5), (1, 5), (2, 4, 6, 5), (2, 4, 1, 5)]
)
def test_image_log_likelihood_is_the_sum_over_pixels(logits_shape: tuple[int, ...]) -> None:
    x = (normal(6, 5, seed=1) > 0).double()
    logits = normal(*logits_shape, scale=3.0)

    log_likelihood = bernoulli_log_likelihood(x, logits)

    expected = bernoulli_log_density(x, logits).sum(-1)
    assert log_likelihood.shape == (*logits_shape[:-2], 6)
    torch.testing.assert_close(log_likelihood, expected, rtol=1e-13, atol=1e-13)


def test_image_log_likelihood_refuses_other_pixels() -> None:
    message = r"x and logits must have the same number of pixels, got \(2, 64\) and \(5, 2, 63\)"
    with pytest.raises(ValueError, match=message):
        bernoulli_log_likelihood(torch.zeros(2, 64), torch.zeros(5, 2, 63))
