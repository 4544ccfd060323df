"""The training loop: unbiased, repeatable, stoppable."""

import math

import pytest
import torch
from torch import Tensor

from tests.small_vae import LinearVAE, new_vae, seeded, weights
from vaelab.data import load_digits
from vaelab.models.vae import VAE
from vaelab.training import Trainer


@pytest.fixture(scope="module")
def x() -> Tensor:
    return load_digits().train


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_minibatch_gradients_average_to_the_full_gradient(beta: float) -> None:
    vae, epochs = LinearVAE(), 300
    x = torch.randn(20, 4, generator=seeded(2), dtype=torch.float64)
    exact = torch.autograd.grad(-vae.exact_objective(x, beta).mean(), list(vae.parameters()))
    seen = {name: [] for name, _ in vae.named_parameters()}
    for name, parameter in vae.named_parameters():
        parameter.register_post_accumulate_grad_hook(
            lambda p, name=name: seen[name].append(p.grad.clone())
        )

    # A step this small leaves float64 weights where they are. Batches of 6, 6, 6 and 2.
    trainer = Trainer(vae, x, beta=beta, learning_rate=1e-30, batch_size=6)
    reports = list(trainer.epochs(epochs))

    for (name, gradients), expected in zip(seen.items(), exact, strict=True):
        # Batches of one pass share the images out, so passes are independent, not batches.
        each = torch.stack(gradients).reshape(epochs, 4, *expected.shape).mean(1)
        standard_error = each.std(0) / math.sqrt(epochs)
        assert ((each.mean(0) - expected).abs() <= 5 * standard_error).all(), name
    # The report is the ELBO whatever the beta, each image counted once.
    elbo = torch.tensor([report.elbo for report in reports]).double()
    exact_elbo, exact_rate = vae.exact_objective(x, 1.0).mean(), vae.rate(x).mean().item()
    assert abs(elbo.mean() - exact_elbo) <= 5 * elbo.std() / math.sqrt(epochs)
    for report in reports:
        assert report.rate == pytest.approx(exact_rate, rel=1e-12)
        assert report.elbo == pytest.approx(-report.distortion - report.rate)
        assert report.value == pytest.approx(-report.distortion - beta * report.rate)


def test_seed_repeats_a_run_exactly(x: Tensor) -> None:
    before = torch.get_rng_state()
    runs = []
    for seed in (0, 0, 1):
        vae = new_vae()
        runs.append((list(Trainer(vae, x, seed=seed).epochs(2)), weights(vae)))

    assert runs[0][0] == runs[1][0]
    assert torch.equal(runs[0][1], runs[1][1])
    assert not torch.equal(runs[0][1], runs[2][1])
    assert torch.equal(torch.get_rng_state(), before)


def test_stopping_by_break_and_going_on_is_one_run(x: Tensor) -> None:
    whole, parts = new_vae(), new_vae()
    expected = list(Trainer(whole, x).epochs(4))

    trainer, reports = Trainer(parts, x), []
    for report in trainer.epochs(100):
        reports.append(report)
        if report.epoch == 2:
            break
    reports += trainer.epochs(2)

    assert [report.epoch for report in reports] == [1, 2, 3, 4]
    assert reports == expected
    assert torch.equal(weights(parts), weights(whole))


def test_training_on_digits_beats_independent_pixels(x: Tensor) -> None:
    vae = VAE(latent_dim=4, hidden=32, generator=seeded(0))

    reports = list(Trainer(vae, x, learning_rate=1e-2).epochs(20))

    # The best that pixels can do without a latent: each its own frequency of ink.
    ink = x.double().mean(0)
    independent = float(-torch.special.entr(torch.stack([ink, 1 - ink])).sum())
    assert reports[0].elbo < independent + 1
    assert reports[-1].elbo > independent + 1
    assert reports[-1].rate > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beta": -0.1}, "beta must be finite and not negative, got -0.1"),
        ({"beta": math.inf}, "beta must be finite and not negative, got inf"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
        ({"learning_rate": math.nan}, "learning_rate must be positive, got nan"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"x": torch.zeros(64)}, r"x must have shape \(images, pixels\), got \(64,\)"),
        ({"x": torch.zeros(0, 64)}, r"x must have shape \(images, pixels\), got \(0, 64\)"),
        ({"x": torch.full((2, 64), math.nan)}, "x must be finite, got NaN or infinity"),
    ],
)
def test_invalid_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Trainer(new_vae(), **({"x": torch.zeros(2, 64)} | arguments))


def test_divergence_is_an_error(x: Tensor) -> None:
    trainer = Trainer(new_vae(), x, learning_rate=1e10)

    with pytest.raises(FloatingPointError, match=r"not finite after epoch 1 .*learning_rate than"):
        list(trainer.epochs(3))


def test_passes_are_none_or_more(x: Tensor) -> None:
    trainer = Trainer(new_vae(), x)

    assert list(trainer.epochs(0)) == []
    # At once, not when the first report is asked for.
    with pytest.raises(ValueError, match="count must not be negative, got -1"):
        trainer.epochs(-1)
    assert trainer.epoch == 0
