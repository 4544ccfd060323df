"""The importance-weighted bound as an objective, against quadrature and its own weights.

How it rises with K is held against theory where it is estimated: ``tests/estimators/test_iwae.py``.
"""

import math

import pytest
import torch
from torch.distributions import Normal

from tests.objectives.linear_vae import (
    LinearVAE,
    assert_mean_is,
    exact_posterior,
    images,
    linear_gaussian,
    off_posterior,
    seeded,
)
from tests.objectives.two_draws import expected_log_mean_of_two
from vaelab.objectives import elbo_from_log_ratio, iwae, sample_posterior


def test_value_is_the_log_of_the_mean_weight() -> None:
    model = linear_gaussian()
    x = images(model)
    vae = LinearVAE(model, *off_posterior(model, x))
    z = sample_posterior(vae.mean, vae.log_var, 7, seeded(4))

    bound = iwae(vae, x, 7, seeded(4))

    likelihood = Normal(z @ model.weight.T + model.bias, math.sqrt(0.5)).log_prob(x).sum(-1)
    log_ratio = Normal(0.0, 1.0).log_prob(z) - Normal(vae.mean, (vae.log_var / 2).exp()).log_prob(z)
    weights = (likelihood + log_ratio.sum(-1)).exp()
    torch.testing.assert_close(bound, weights.mean(0).log(), rtol=1e-12, atol=1e-12)


def test_one_draw_is_the_elbo() -> None:
    model = linear_gaussian()
    x = images(model)
    vae = LinearVAE(model, *off_posterior(model, x))

    # Not to the last bit: logsumexp of one number may round.
    torch.testing.assert_close(
        iwae(vae, x, 1, seeded(0)), elbo_from_log_ratio(vae, x, 1, seeded(0)), rtol=1e-14, atol=0
    )


def test_expectation_for_two_draws_is_that_of_quadrature() -> None:
    model, repeats = linear_gaussian(latent_dim=1), 20_000
    x = images(model)
    mean, log_var = off_posterior(model, x)
    exact = expected_log_mean_of_two(model, x, mean, log_var)

    many = LinearVAE(model, mean.repeat(repeats, 1), log_var.repeat(repeats, 1))
    bounds = iwae(many, x.repeat(repeats, 1), 2, seeded(5)).reshape(repeats, 3)

    assert_mean_is(bounds, exact)
    assert (model.elbo(x, mean, log_var) < exact).all()
    assert (exact < model.log_marginal(x)).all()


def test_posterior_as_q_is_exact_for_every_k() -> None:
    model = linear_gaussian(latent_dim=1)
    x = images(model)
    vae = LinearVAE(model, *exact_posterior(model, x))

    for num_samples in (1, 2, 33):
        torch.testing.assert_close(
            iwae(vae, x, num_samples, seeded(0)), model.log_marginal(x), rtol=0, atol=1e-11
        )


class Shifted(LinearVAE):
    """All log weights moved by a constant that no exponential could hold."""

    offset = -1e5

    def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return super().log_likelihood(x, z) + self.offset


def test_weights_too_small_for_floats_stay_finite() -> None:
    model = linear_gaussian()
    x = images(model)
    q = off_posterior(model, x)

    plain, shifted = (iwae(kind(model, *q), x, 9, seeded(0)) for kind in (LinearVAE, Shifted))

    torch.testing.assert_close(shifted + 1e5, plain, rtol=0, atol=1e-9)


def test_gradient_agrees_with_finite_differences() -> None:
    model = linear_gaussian()
    x = images(model)
    q = tuple(part.requires_grad_() for part in off_posterior(model, x))

    assert torch.autograd.gradcheck(
        lambda mean, log_var: iwae(LinearVAE(model, mean, log_var), x, 5, seeded(0)), q
    )


@pytest.mark.parametrize("num_samples", [0, -2])
def test_draws_must_be_one_or_more(num_samples: int) -> None:
    model = linear_gaussian()
    x = images(model)
    with pytest.raises(ValueError, match=f"num_samples must be at least 1, got {num_samples}"):
        iwae(LinearVAE(model, *off_posterior(model, x)), x, num_samples)
