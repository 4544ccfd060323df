"""Path gradients: what they differentiate, that their mean is the truth, where they are silent."""

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
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.objectives import (
    Objective,
    doubly_reparameterised,
    elbo_from_log_ratio,
    iwae,
    log_joint,
    log_posterior,
    sample_posterior,
    sticking_the_landing,
)

ESTIMATORS = {"STL": sticking_the_landing, "DReG": doubly_reparameterised}


def gradients_of_repeats(estimator, model, x, mean, log_var, repeats, num_samples=1, seed=7):
    """Each repeat's own gradient in mean and log-variance, ``(repeats, batch, latent)``."""
    many = [part.repeat(repeats, 1).requires_grad_() for part in (mean, log_var)]
    objective = estimator(LinearVAE(model, *many), x.repeat(repeats, 1), num_samples, seeded(seed))
    surrogate = objective.surrogate if isinstance(objective, Objective) else objective
    return [g.reshape(repeats, *mean.shape) for g in torch.autograd.grad(surrogate.sum(), many)]


def test_sticking_the_landing_is_the_slope_along_the_path() -> None:
    model = linear_gaussian()
    x = images(model)
    mean, log_var = off_posterior(model, x)
    frozen = Normal(mean.clone(), (log_var.clone() / 2).exp())
    leaves = [part.clone().requires_grad_() for part in (mean, log_var)]

    surrogate = sticking_the_landing(LinearVAE(model, *leaves), x, 3, seeded(0)).surrogate
    found = torch.autograd.grad(surrogate.sum(), leaves)

    def along_the_path(mean: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
        """z moves with the parameters; the density that divides by q stays as it was."""
        z = sample_posterior(mean, log_var, 3, seeded(0))
        joint = model.log_likelihood(x, z) + Normal(0.0, 1.0).log_prob(z).sum(-1)
        return (joint - frozen.log_prob(z).sum(-1)).mean(0).sum()

    step = 1e-5
    for index, part in enumerate((mean, log_var)):
        for image in range(3):
            for latent in range(2):
                shift = torch.zeros_like(part)
                shift[image, latent] = step
                up, down = [mean, log_var], [mean, log_var]
                up[index], down[index] = part + shift, part - shift
                slope = (along_the_path(*up) - along_the_path(*down)) / (2 * step)
                assert found[index][image, latent].item() == pytest.approx(slope.item(), rel=1e-7)


@pytest.mark.parametrize("num_samples", [1, 4])
def test_sticking_the_landing_has_the_mean_of_the_exact_gradient(num_samples: int) -> None:
    model = linear_gaussian()
    x = images(model)
    mean, log_var = (part.requires_grad_() for part in off_posterior(model, x))
    exact = torch.autograd.grad(model.elbo(x, mean, log_var).sum(), (mean, log_var))

    found = gradients_of_repeats(
        sticking_the_landing, model, x, mean.detach(), log_var.detach(), 20_000, num_samples
    )

    for estimates, expected in zip(found, exact, strict=True):
        assert_mean_is(estimates, expected)


@pytest.mark.parametrize(
    ("name", "num_samples"), [("STL", 1), ("STL", 3), ("DReG", 1), ("DReG", 3)]
)
def test_gradient_is_zero_in_every_draw_where_q_is_the_posterior(name, num_samples) -> None:
    model = linear_gaussian(latent_dim=1)
    x = images(model)
    q = exact_posterior(model, x)

    silent = gradients_of_repeats(ESTIMATORS[name], model, x, *q, 50, num_samples)
    plain = gradients_of_repeats(elbo_from_log_ratio, model, x, *q, 50, num_samples)

    for quiet, noisy in zip(silent, plain, strict=True):
        assert quiet.abs().max() < 1e-12  # roundings
        assert noisy.std() > 0.1


def test_doubly_reparameterised_has_the_mean_of_the_quadratures_gradient() -> None:
    model = linear_gaussian(latent_dim=1)
    x = images(model)
    mean, log_var = (part.requires_grad_() for part in off_posterior(model, x))
    bound = expected_log_mean_of_two(model, x, mean, log_var)
    exact = torch.autograd.grad(bound.sum(), (mean, log_var))

    found = gradients_of_repeats(
        doubly_reparameterised, model, x, mean.detach(), log_var.detach(), 40_000, 2
    )

    for estimates, expected in zip(found, exact, strict=True):
        assert_mean_is(estimates, expected)
        # One factor of the weight instead of two, STL's way within the logarithm, would fail.
        assert (expected.abs() > 20 * estimates.std(0) / math.sqrt(40_000)).all()


def test_doubly_reparameterised_is_its_formula_draw_by_draw() -> None:
    model = linear_gaussian()
    x = images(model)
    mean, log_var = off_posterior(model, x)
    leaves = [part.clone().requires_grad_() for part in (mean, log_var)]
    surrogate = doubly_reparameterised(LinearVAE(model, *leaves), x, 6, seeded(8)).surrogate
    found = torch.autograd.grad(surrogate.sum(), leaves)

    z = sample_posterior(mean, log_var, 6, seeded(8)).requires_grad_()
    log_weights = log_joint(LinearVAE(model, mean, log_var), x, z) - log_posterior(z, mean, log_var)
    (slope,) = torch.autograd.grad(log_weights.sum(), z)
    weights = log_weights.exp() / log_weights.exp().sum(0)
    by_mean = (weights.square()[..., None] * slope).sum(0)
    by_log_var = (weights.square()[..., None] * slope * (z - mean) / 2).sum(0)
    torch.testing.assert_close(found[0], by_mean, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found[1], by_log_var, rtol=1e-10, atol=1e-12)


def decoder_gradients(estimator, num_samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the estimator, and of plain autograd through the value it is named after."""
    model = linear_gaussian()
    x = images(model)
    q = off_posterior(model, x)
    found = []
    for objective in (estimator, iwae if estimator is doubly_reparameterised else None):
        weight = model.weight.clone().requires_grad_()
        vae = LinearVAE(LinearGaussian(weight, model.bias, model.noise_var), *q)
        result = (objective or elbo_from_log_ratio)(vae, x, num_samples, seeded(9))
        surrogate = result.surrogate if isinstance(result, Objective) else result
        found.append(torch.autograd.grad(surrogate.sum(), weight)[0])
    return tuple(found)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("num_samples", [1, 5])
def test_decoder_gradient_is_the_plain_one(name: str, num_samples: int) -> None:
    found, plain = decoder_gradients(ESTIMATORS[name], num_samples)

    torch.testing.assert_close(found, plain, rtol=1e-12, atol=1e-12)


def test_encoder_and_decoder_gradients_do_not_mix() -> None:
    # Both asked of one backward pass equal each asked alone.
    model = linear_gaussian()
    x = images(model)
    weight = model.weight.clone().requires_grad_()
    mean, log_var = (part.requires_grad_() for part in off_posterior(model, x))
    vae = LinearVAE(LinearGaussian(weight, model.bias, model.noise_var), mean, log_var)

    together = torch.autograd.grad(
        doubly_reparameterised(vae, x, 5, seeded(9)).surrogate.sum(), (weight, mean, log_var)
    )

    alone = decoder_gradients(doubly_reparameterised, 5)[0]
    encoder = gradients_of_repeats(
        doubly_reparameterised, model, x, mean.detach(), log_var.detach(), 1, 5, seed=9
    )
    torch.testing.assert_close(together[0], alone, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(together[1], encoder[0][0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(together[2], encoder[1][0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("num_samples", [1, 5])
def test_values_are_the_bounds_and_carry_no_gradient(num_samples: int) -> None:
    model = linear_gaussian()
    x = images(model)
    mean, log_var = (part.requires_grad_() for part in off_posterior(model, x))
    vae = LinearVAE(model, mean, log_var)

    stl, dreg = (estimator(vae, x, num_samples, seeded(3)) for estimator in ESTIMATORS.values())

    elbo, bound = (f(vae, x, num_samples, seeded(3)) for f in (elbo_from_log_ratio, iwae))
    torch.testing.assert_close(stl.value, elbo.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(dreg.value, bound.detach(), rtol=0, atol=1e-12)
    assert not stl.value.requires_grad
    assert not dreg.value.requires_grad
    assert stl.surrogate.requires_grad
    assert dreg.surrogate.requires_grad


def test_surrogate_lies_above_the_bound_by_the_weights_missing_entropy() -> None:
    model = linear_gaussian()
    x = images(model)
    mean, log_var = off_posterior(model, x)
    vae = LinearVAE(model, mean, log_var)
    z = sample_posterior(mean, log_var, 10, seeded(3))
    log_weights = log_joint(vae, x, z) - log_posterior(z, mean, log_var)
    entropy = torch.distributions.Categorical(logits=log_weights.T).entropy()

    objective = doubly_reparameterised(vae, x, 10, seeded(3))

    torch.testing.assert_close(objective.surrogate - objective.value, math.log(10) - entropy)
    assert (objective.surrogate > objective.value).all()


def test_one_draw_doubly_reparameterised_sticks_the_landing() -> None:
    model = linear_gaussian()
    x = images(model)
    q = off_posterior(model, x)

    both = [gradients_of_repeats(f, model, x, *q, 1) for f in ESTIMATORS.values()]

    for stl, dreg in zip(*both, strict=True):
        torch.testing.assert_close(stl, dreg, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS.values())
def test_a_frozen_encoder_is_no_obstacle(estimator) -> None:
    model = linear_gaussian()
    x = images(model)

    objective = estimator(LinearVAE(model, *off_posterior(model, x)), x, 2, seeded(0))

    assert objective.surrogate.shape == (3,)
    assert not objective.surrogate.requires_grad
