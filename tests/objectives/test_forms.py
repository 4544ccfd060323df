"""The ELBO's three forms held against each other and against the linear-Gaussian truth."""

import math
import re

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from tests.objectives.linear_vae import (
    LinearVAE,
    assert_mean_is,
    exact_posterior,
    images,
    linear_gaussian,
    off_posterior,
    seeded,
)
from vaelab.objectives import (
    elbo_from_entropy,
    elbo_from_log_ratio,
    elbo_terms,
    log_joint,
    posterior_entropy,
    sample_posterior,
    sampled_kl,
)


def elbo_from_kl(*arguments) -> torch.Tensor:
    """The first form, which is the sum of the terms that training uses."""
    return elbo_terms(*arguments).elbo


FORMS = (elbo_from_kl, elbo_from_entropy, elbo_from_log_ratio)


@pytest.mark.parametrize("num_samples", [1, 3])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_averages_to_log_marginal_less_kl_to_the_posterior(form, num_samples) -> None:
    model, repeats = linear_gaussian(), 20_000
    x = images(model)
    mean, log_var = off_posterior(model, x)
    # The fourth form, which needs the truth: log p(x) - KL(q || posterior), by torch's KL.
    posterior_mean, covariance = model.posterior(x)
    gap = kl_divergence(
        MultivariateNormal(mean, log_var.exp().diag_embed()),
        MultivariateNormal(posterior_mean, covariance),
    )

    vae = LinearVAE(model, mean.repeat(repeats, 1), log_var.repeat(repeats, 1))
    estimates = form(vae, x.repeat(repeats, 1), num_samples, seeded(2)).reshape(repeats, 3)

    assert_mean_is(estimates, model.log_marginal(x) - gap)
    assert (gap > 0.1).all()  # so that the bound is told from log p(x)


def test_forms_differ_by_what_each_samples() -> None:
    model = linear_gaussian()
    x = images(model)
    vae = LinearVAE(model, *off_posterior(model, x))
    z = sample_posterior(vae.mean, vae.log_var, 4, seeded(3))
    q = Normal(vae.mean, (vae.log_var / 2).exp())

    by_kl, by_entropy, by_ratio = (form(vae, x, 4, seeded(3)) for form in FORMS)

    # The same draws: put the sampled KL for the exact one, and the first form is the third.
    kl = kl_divergence(q, Normal(0 * vae.mean, 1.0)).sum(-1)
    torch.testing.assert_close(
        by_kl + kl - sampled_kl(z, vae.mean, vae.log_var).sum(-1), by_ratio, rtol=0, atol=1e-12
    )
    sampled_entropy = -q.log_prob(z).sum(-1).mean(0)
    torch.testing.assert_close(
        by_entropy - q.entropy().sum(-1) + sampled_entropy, by_ratio, rtol=0, atol=1e-12
    )
    likelihood = Normal(z @ model.weight.T + model.bias, math.sqrt(0.5)).log_prob(x).sum(-1)
    torch.testing.assert_close(by_kl, likelihood.mean(0) - kl, rtol=1e-12, atol=1e-12)


def test_with_the_prior_as_q_the_log_ratio_is_the_kl_form() -> None:
    model = linear_gaussian()
    x = images(model)
    vae = LinearVAE(model, torch.zeros(3, 2).double(), torch.zeros(3, 2).double())

    # KL and sampled KL are both 0 in every draw.
    torch.testing.assert_close(
        elbo_from_log_ratio(vae, x, 2, seeded(0)),
        elbo_from_kl(vae, x, 2, seeded(0)),
        rtol=0,
        atol=1e-13,
    )


def test_with_the_posterior_as_q_one_draw_is_log_marginal() -> None:
    model = linear_gaussian(latent_dim=1)
    x = images(model)
    vae = LinearVAE(model, *exact_posterior(model, x))

    one = elbo_from_log_ratio(vae, x, 1, seeded(0))

    torch.testing.assert_close(one, model.log_marginal(x), rtol=0, atol=1e-11)
    # The other forms are as noisy as ever: they agree on average only.
    assert (elbo_from_kl(vae, x, 1, seeded(0)) - one).abs().min() > 1e-3


def test_entropy_agrees_with_torch_distributions() -> None:
    log_var = torch.linspace(-80, 80, 33, dtype=torch.float64)

    expected = Normal(torch.zeros(33).double(), (log_var / 2).exp()).entropy()

    torch.testing.assert_close(posterior_entropy(log_var), expected, rtol=1e-13, atol=1e-12)


def test_sampled_kl_is_unbiased_per_latent_and_may_be_negative() -> None:
    mean = torch.tensor([[0.1, -1.0]], dtype=torch.float64)
    log_var = torch.tensor([[0.1, -2.0]], dtype=torch.float64)
    z = sample_posterior(mean, log_var, 50_000, seeded(0))
    each = torch.stack([sampled_kl(one[None], mean, log_var) for one in z[:20]])

    expected = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(0 * mean, 1.0))

    terms = Normal(mean, (log_var / 2).exp()).log_prob(z) - Normal(0 * mean, 1.0).log_prob(z)
    assert_mean_is(terms, expected)
    torch.testing.assert_close(sampled_kl(z, mean, log_var), terms.mean(0))
    assert each.min() < 0 < expected.min()


def test_sampled_kl_needs_a_sample() -> None:
    message = r"z must have shape \(K, batch, latent\) with K at least 1, got \(0, 2, 3\)"
    with pytest.raises(ValueError, match=message):
        sampled_kl(torch.zeros(0, 2, 3), torch.zeros(2, 3), torch.zeros(2, 3))


@pytest.mark.parametrize("form", FORMS)
def test_gradient_agrees_with_finite_differences(form) -> None:
    model = linear_gaussian()
    x = images(model)
    q = tuple(part.requires_grad_() for part in off_posterior(model, x))

    # gradcheck: finite differences at the same noise, in the mean and the log-variance.
    assert torch.autograd.gradcheck(
        lambda mean, log_var: form(LinearVAE(model, mean, log_var), x, 2, seeded(0)), q
    )


class Unsummed:
    """A likelihood that was not summed over pixels, and one that was averaged away."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return torch.zeros(self.shape)


@pytest.mark.parametrize("shape", [(5, 3, 4), (3,), (), (3, 5)])
def test_likelihood_of_a_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    message = f"must have shape (5, 3), samples by images, got {shape}"
    with pytest.raises(ValueError, match=re.escape(message)):
        log_joint(Unsummed(shape), torch.zeros(3, 4), torch.zeros(5, 3, 2))


def test_log_joint_is_likelihood_times_prior() -> None:
    model = linear_gaussian()
    x = images(model)
    z = torch.randn(5, 3, 2, generator=seeded(0), dtype=torch.float64)
    vae = LinearVAE(model, z[0], z[0])

    likelihood = Normal(z @ model.weight.T + model.bias, math.sqrt(0.5)).log_prob(x).sum(-1)
    prior = Normal(0.0, 1.0).log_prob(z).sum(-1)

    torch.testing.assert_close(log_joint(vae, x, z), likelihood + prior, rtol=1e-12, atol=1e-12)
