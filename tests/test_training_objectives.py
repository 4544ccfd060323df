"""Training something else than the ELBO, by a schedule, or in bfloat16."""

from functools import partial

import pytest
import torch
from torch import Tensor

from tests.small_vae import LinearVAE, new_vae, seeded, weights
from vaelab.data import load_digits
from vaelab.objectives import (
    Objective,
    doubly_reparameterised,
    elbo_terms,
    free_bits_objective,
    iwae,
    linear_warmup,
    sticking_the_landing,
)
from vaelab.training import Trainer


@pytest.fixture(scope="module")
def x() -> Tensor:
    return load_digits().train


def elbo(vae, x: Tensor, generator: torch.Generator) -> Tensor:
    return elbo_terms(vae, x, generator=generator).elbo


def free_bits(vae, x: Tensor, generator: torch.Generator) -> Tensor:
    return free_bits_objective(elbo_terms(vae, x, generator=generator), free_nats=0.5)


def test_gradient_is_that_of_the_mean_of_the_objective() -> None:
    vae = LinearVAE()
    x = torch.randn(20, 4, generator=seeded(2), dtype=torch.float64)
    exact = torch.autograd.grad(-vae.exact_objective(x, 1.0).mean(), list(vae.parameters()))

    def objective(vae: LinearVAE, x: Tensor, generator: torch.Generator) -> Tensor:
        return vae.exact_objective(x, 1.0)

    trainer = Trainer(vae, x, learning_rate=1e-30, batch_size=20, objective=objective)
    (report,) = trainer.epochs(1)

    for parameter, expected in zip(vae.parameters(), exact, strict=True):
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-12, atol=1e-14)
    assert report.value == pytest.approx(vae.exact_objective(x, 1.0).mean().item(), rel=1e-12)
    assert report.rate is report.distortion is report.elbo is None


def test_the_elbo_handed_in_is_the_elbo(x: Tensor) -> None:
    own, handed_in = new_vae(), new_vae()

    expected = list(Trainer(own, x).epochs(2))
    reports = list(Trainer(handed_in, x, objective=elbo).epochs(2))

    assert torch.equal(weights(handed_in), weights(own))
    assert [r.value for r in reports] == pytest.approx([r.elbo for r in expected], rel=1e-6)


def test_the_surrogate_is_followed_and_the_value_reported(x: Tensor) -> None:
    own, handed_in = new_vae(), new_vae()
    list(Trainer(own, x).epochs(1))

    def objective(vae, x: Tensor, generator: torch.Generator) -> Objective:
        return Objective(value=x.sum(-1), surrogate=elbo(vae, x, generator))

    (report,) = Trainer(handed_in, x, objective=objective).epochs(1)

    assert torch.equal(weights(handed_in), weights(own))
    # 1,437 images make batches of unequal size: each image counts once.
    assert report.value == pytest.approx(x.sum(-1).mean().item(), rel=1e-6)


def test_a_number_for_the_batch_counts_as_many_times_as_it_has_images(x: Tensor) -> None:
    def objective(vae, x: Tensor, generator: torch.Generator) -> Tensor:
        return x.sum(-1).mean() + 0 * weights_sum(vae)

    def weights_sum(vae) -> Tensor:
        return sum(parameter.sum() for parameter in vae.parameters())

    (report,) = Trainer(new_vae(), x, objective=objective).epochs(1)

    assert report.value == pytest.approx(x.sum(-1).mean().item(), rel=1e-6)


@pytest.mark.parametrize(
    "objective",
    [iwae, partial(iwae, num_samples=2), sticking_the_landing, doubly_reparameterised, free_bits],
    ids=["iwae", "iwae of 2", "sticking the landing", "doubly reparameterised", "free bits"],
)
def test_the_packages_own_objectives_can_be_trained(objective, x: Tensor) -> None:
    trainer = Trainer(new_vae(), x, learning_rate=2e-2, objective=objective)

    reports = list(trainer.epochs(15))

    # Without a latent, pixels that each have their own frequency of ink reach -25.2.
    assert reports[0].value < -27
    assert reports[-1].value > -25


@pytest.mark.parametrize("shape", [(128, 1), (3, 128), (1,)])
def test_an_objective_of_another_shape_is_refused(shape: tuple[int, ...], x: Tensor) -> None:
    trainer = Trainer(new_vae(), x[:128], objective=lambda *_, **__: torch.zeros(shape))
    with pytest.raises(ValueError, match=r"shape \(batch,\) = \(128,\) or \(\), got"):
        list(trainer.epochs(1))


@pytest.mark.parametrize("beta", [2.0, partial(linear_warmup, steps=3)])
def test_beta_belongs_to_the_elbo_alone(beta, x: Tensor) -> None:
    with pytest.raises(ValueError, match="beta must be left out where an objective is handed in"):
        Trainer(new_vae(), x, beta, objective=iwae)


def test_schedule_is_asked_at_every_step(x: Tensor) -> None:
    steady, scheduled, asked = new_vae(), new_vae(), []

    def schedule(step: int) -> float:
        asked.append(step)
        return 4.0

    expected = list(Trainer(steady, x, beta=4.0).epochs(2))
    reports = list(Trainer(scheduled, x, beta=schedule).epochs(2))

    assert asked == list(range(24))  # 1,437 images in twelve batches, twice
    assert reports == expected
    assert torch.equal(weights(scheduled), weights(steady))


def test_warm_up_lets_the_rate_rise_first(x: Tensor) -> None:
    rates = {}
    for name, beta in (("constant", 4.0), ("warm-up", lambda step: 4 * linear_warmup(step, 1000))):
        reports = list(Trainer(new_vae(), x, beta, learning_rate=1e-2).epochs(5))
        rates[name] = reports[-1].rate

    assert rates["warm-up"] > 2 * rates["constant"]


def test_a_schedule_gone_wrong_is_named(x: Tensor) -> None:
    trainer = Trainer(new_vae(), x, beta=lambda step: 1.0 - step)
    with pytest.raises(ValueError, match="beta must be finite and not negative, got -1"):
        list(trainer.epochs(1))


def test_bfloat16_changes_the_products_and_little_else(x: Tensor) -> None:
    plain, narrow = new_vae(), new_vae()

    expected = list(Trainer(plain, x, learning_rate=1e-2).epochs(10))[-1]
    report = list(Trainer(narrow, x, learning_rate=1e-2, bfloat16=True).epochs(10))[-1]

    assert {parameter.dtype for parameter in narrow.parameters()} == {torch.float32}
    assert report.elbo != expected.elbo
    assert report.elbo == pytest.approx(expected.elbo, abs=0.2)
    assert not torch.is_autocast_enabled("cpu")
