"""log p(x) by importance sampling from the encoder, K = 5,000: ours, pythae's, and a plain loop.

Every contestant draws from the same q(z | x) of the same weights, so all estimate the same number
with the same standard error, and their agreement is asserted before they are timed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks import peers, timing
from benchmarks.models import SEED, ExampleVAE, generated_images, new_vae
from benchmarks.report import OURS, Aim, ratios
from vaelab.data import load_digits
from vaelab.estimators.importance import ImportanceEstimate, importance_log_marginal
from vaelab.estimators.proposals import DiagonalNormal
from vaelab.models.vae import VAE
from vaelab.training import Trainer

SMALL, LARGE = "log p(x), 64-128-8", "log p(x), 784-400-20"
LOOP = "plain loop"
PYTHAE = "pythae's get_nll"
PYTHAE_LIGHT = "the same, without recording gradients"
PYTHAE_WHOLE = "the same, in one batch of K"
AIMS = [Aim(SMALL, PYTHAE, OURS, least=5.0), Aim(LARGE, PYTHAE, OURS, least=5.0)]


@dataclass(frozen=True)
class Task:
    """A trained model and images to evaluate."""

    vae: VAE
    x: Tensor
    num_samples: int


def digits_task(images: int = 100, num_samples: int = 5000, passes: int = 50) -> Task:
    """The book's digits, 64-128-8."""
    digits = load_digits()
    return Task(trained(digits.train, 128, 8, passes), digits.test[:images], num_samples)


def large_task(images: int = 20, num_samples: int = 5000, passes: int = 3) -> Task:
    """Generated images of MNIST's size, 784-400-20."""
    x = generated_images(5000 + images)
    return Task(trained(x[images:], 400, 20, passes), x[:images], num_samples)


def trained(x: Tensor, hidden: int, latent_dim: int, passes: int) -> VAE:
    vae = new_vae(x, hidden, latent_dim)
    for _ in Trainer(vae, x, learning_rate=1e-3, seed=SEED).epochs(passes):
        pass
    return vae.eval().requires_grad_(False)


def ours(task: Task, seed: int = SEED) -> ImportanceEstimate:
    q = DiagonalNormal(*task.vae.encode(task.x))
    generator = torch.Generator().manual_seed(seed)
    return importance_log_marginal(
        task.x, task.vae.log_likelihood, q, task.num_samples, generator=generator
    )


@torch.no_grad()
def plain_loop(task: Task) -> float:
    """What one writes first: image by image, all draws of an image at once. Mean log p(x)."""
    model = ExampleVAE(task.vae)
    prior = torch.distributions.Normal(0.0, 1.0)
    estimates = []
    for x in task.x:
        mean, log_var = model.encode(x)
        q = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
        z = q.sample((task.num_samples,))
        pixels = torch.distributions.Bernoulli(logits=model.decode_logits(z))
        log_weights = pixels.log_prob(x).sum(-1) + prior.log_prob(z).sum(-1) - q.log_prob(z).sum(-1)
        estimates.append(torch.logsumexp(log_weights, 0).item() - math.log(task.num_samples))
    return sum(estimates) / len(estimates)


def pythae_nll(task: Task, **options: int) -> float:
    """pythae's ``get_nll``, which returns the mean of log p(x), not of its negative."""
    model = peers.pythae_vae(ExampleVAE(task.vae), task.vae.pixels, task.vae.latent_dim)
    return float(model.get_nll(task.x, n_samples=task.num_samples, **options))


def contestants(task: Task) -> dict[str, Callable[[], float]]:
    """Each gives the mean over images of its estimate of log p(x)."""
    found: dict[str, Callable[[], float]] = {
        OURS: lambda: ours(task).log_marginal.mean().item(),
        LOOP: lambda: plain_loop(task),
    }
    if peers.installed("pythae"):
        found[PYTHAE] = lambda: pythae_nll(task)
        found[PYTHAE_LIGHT] = torch.no_grad()(found[PYTHAE])
        found[PYTHAE_WHOLE] = torch.no_grad()(lambda: pythae_nll(task, batch_size=task.num_samples))
    return found


def standard_error(task: Task) -> float:
    """Of the mean over images."""
    errors = ours(task).standard_error
    return errors.square().sum().sqrt().item() / len(task.x)


def check_estimates(runs: dict[str, Callable[[], float]], error: float) -> dict[str, float]:
    """Assert that all agree within five standard errors of a difference; their estimates."""
    estimates = {name: run() for name, run in runs.items()}
    for name, value in estimates.items():
        difference = abs(value - estimates[OURS])
        assert difference <= 5 * math.sqrt(2) * error, f"{name}: {estimates}"
    return estimates


def draws(run: Callable[[Task], object], decoder_of: Callable[[Task], Any], asked: int) -> int:
    """How many draws an image are really made when K is asked for, counted at the decoder."""
    task = Task(new_vae(torch.zeros(1, 4), 4, 2), torch.zeros(1, 4), asked)
    decoder, counted = decoder_of(task), []
    handle = decoder.register_forward_hook(
        lambda _, inputs, output: counted.append(inputs[0].numel() // 2)
    )
    with torch.no_grad():
        run(task)
    handle.remove()
    return sum(counted)


def our_draws(asked: int) -> int:
    return draws(ours, lambda task: task.vae.decoder, asked)


def pythae_draws(asked: int) -> int:
    model = peers.pythae_vae(ExampleVAE(new_vae(torch.zeros(1, 4), 4, 2)), 4, 2)
    return draws(
        lambda task: model.get_nll(task.x, n_samples=task.num_samples),
        lambda task: model.decoder,
        asked,
    )


def draws_note(asked: tuple[int, ...] = (1, 150, 5000)) -> str:
    """What is asked for and what is used. Ours has to be exact."""
    told = []
    for k in asked:
        assert our_draws(k) == k, f"asked for {k} draws, vaelab made {our_draws(k)}"
        if peers.installed("pythae"):
            told.append(f"{pythae_draws(k):,} where {k:,} are asked for")
    theirs = f"; pythae's `get_nll` draws {', '.join(told)}" if told else ""
    return f"vaelab draws exactly K samples an image{theirs}."


def limit_note(seconds: dict[str, list[float]], profile: dict[str, float]) -> str:
    """How far an estimator could get that costs nothing but the decoder's own arithmetic."""
    decoder = profile.get("aten::addmm", 0.0) + profile.get("aten::tanh", 0.0)
    best = statistics.median(ratios(seconds, PYTHAE, OURS)) / decoder
    return (
        f"The decoder's matrix products and tanh, which every contestant computes as often, are "
        f"{decoder:.0%} of vaelab's time: if all else cost nothing, the ratio to pythae's "
        f"`get_nll` would be {best:.1f}."
    )


def section(task: Task, rounds: int) -> dict[str, Any]:
    runs, error = contestants(task), standard_error(task)
    estimates = check_estimates(runs, error)
    seconds = timing.take_turns(runs, rounds)
    profile = timing.profile(lambda: ours(task))
    notes = [
        f"The estimates' standard error is {error:.3f} each, so two of them differ by "
        f"{math.sqrt(2) * error:.3f} or so. {draws_note()}"
    ]
    return {
        "about": f"{len(task.x)} images, K = {task.num_samples:,}; seconds for all of them.",
        "seconds": seconds,
        "extra": {"mean log p(x), nats": {name: f"{v:.3f}" for name, v in estimates.items()}},
        "profile": profile,
        "notes": [limit_note(seconds, profile), *notes] if PYTHAE in runs else notes,
    }


def measure(rounds: int) -> dict[str, dict[str, Any]]:
    torch.manual_seed(SEED)  # the peers draw from torch's global generator
    return {SMALL: section(digits_task(), rounds), LARGE: section(large_task(), rounds)}
