"""One pass of training over the data: ours, peers', and a hand-written one.

Same architecture, same first weights, Adam with the same step, batch 128, one draw of z an image.
What a contestant does once, before its first pass, is not timed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from benchmarks import peers, timing
from benchmarks.loops import Bare, ByHand, Example, Loop, Ours
from benchmarks.models import BATCH_SIZE, generated_images, new_vae
from benchmarks.report import OURS, Aim
from vaelab.data import load_digits

BFLOAT16 = "vaelab, bfloat16"
EXAMPLE = "DataLoader loop, as in PyTorch's example"
PYTHAE, PYRO = "pythae's trainer", "Pyro, TraceMeanField_ELBO"
BARE = "shortest loop with autograd"
BY_HAND = "backward pass written by hand"
SMALL, LARGE = "a pass of training, 64-128-8", "a pass of training, 784-400-20"
# The trainer's bfloat16 keeps eight bits in its products; all others differ in rounding only.
TOLERANCE = {BFLOAT16: 0.02}
AIMS = [
    Aim(SMALL, PYTHAE, OURS, least=2.2),
    Aim(SMALL, OURS, BY_HAND, most=1.6),
    Aim(LARGE, EXAMPLE, OURS, least=1.5),
    Aim(LARGE, PYTHAE, OURS, least=1.5),
    Aim(LARGE, EXAMPLE, BFLOAT16, least=2.3),
    Aim(LARGE, PYTHAE, BFLOAT16, least=2.3),
]


def contestants(x: Tensor, hidden: int, latent_dim: int) -> dict[str, Loop]:
    def vae():
        return new_vae(x, hidden, latent_dim)

    found: dict[str, Loop] = {OURS: Ours(vae(), x), BFLOAT16: Ours(vae(), x, bfloat16=True)}
    found[EXAMPLE] = Example(vae(), x)
    if peers.installed("pythae"):
        found[PYTHAE] = peers.Pythae(vae(), x)
    if peers.installed("pyro"):
        found[PYRO] = peers.Pyro(vae(), x)
    found[BARE] = Bare(vae(), x)
    found[BY_HAND] = ByHand(vae(), x)
    return found


def check_gradients(loops: dict[str, Loop], x: Tensor, seed: int = 1) -> None:
    """Assert that all have the same loss and gradient on one batch with the same noise."""
    batch = x[:BATCH_SIZE]
    loss, wanted = loops[BY_HAND].gradients(batch, seed)
    for name, loop in loops.items():
        own_loss, own = loop.gradients(batch, seed)
        tolerance = TOLERANCE.get(name, 1e-5)
        assert abs(own_loss / loss - 1) <= tolerance, f"{name}: loss {own_loss}, not {loss}"
        for one, other in zip(own, wanted, strict=True):
            difference = (one - other).norm() / other.norm()
            assert difference <= tolerance, f"{name}: gradient differs by {difference:.1e}"


def check_passes(loops: dict[str, Loop], before: float) -> None:
    """Assert that a pass of each trains the model, and that ours takes the steps of the formula."""
    first = {name: loop.one_pass() for name, loop in loops.items()}
    for name, loss in first.items():
        # The order of the images and the noise differ: by a few hundredths at the start.
        tolerance = 1e-4 if name in {OURS, BARE} else 0.05
        assert abs(loss / first[BY_HAND] - 1) <= tolerance, first
        assert loss < before, first


def section(x: Tensor, hidden: int, latent_dim: int, rounds: int, calls: int) -> dict[str, Any]:
    loops = contestants(x, hidden, latent_dim)
    before, _ = loops[OURS].gradients(x[:BATCH_SIZE], seed=0)
    check_gradients(loops, x)
    check_passes(loops, before)
    last: dict[str, float] = {}

    def noting(name: str) -> None:
        last[name] = loops[name].one_pass()

    runs = {name: lambda name=name: noting(name) for name in loops}
    seconds = timing.take_turns(runs, rounds, calls)
    passes = 1 + calls * (rounds + 1)
    return {
        "about": f"{len(x):,} images, batch {BATCH_SIZE}, Adam; seconds for a pass.",
        "seconds": seconds,
        "extra": {f"loss after {passes} passes": {name: f"{last[name]:.2f}" for name in loops}},
        "profile": timing.profile(loops[OURS].one_pass, calls),
        "notes": [],
    }


def measure(rounds: int) -> dict[str, dict[str, Any]]:
    """Both sizes. A pass over the digits is short, so five are timed together."""
    torch.manual_seed(0)  # the peers draw from torch's global generator
    small, large = load_digits().train, generated_images(50 * BATCH_SIZE)
    return {
        SMALL: section(small, 128, 8, rounds, calls=5),
        LARGE: section(large, 400, 20, rounds, calls=1),
    }
