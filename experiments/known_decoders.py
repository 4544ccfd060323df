"""Train the testbed's three decoders, and compute log p(x) of every held-out digit.

    python -m experiments.known_decoders

writes vaelab/pretrained/known_decoders.safetensors and .json. The truth belongs to the weights as
shipped (rounded to float16), so both are written by one run. On another processor training ends
in other last digits: other decoders, with a truth of their own. About two minutes on one core.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.densities import standard_normal_log_density
from vaelab.exact.quadrature import latent_grid, quadrature_log_joint
from vaelab.models.vae import VAE
from vaelab.objectives import elbo_terms
from vaelab.training import Trainer

NAME = "known_decoders"
SEED = 0
LATENT_DIM = 2
SCHEDULE = ((1e-2, 100), (3e-3, 100), (1e-3, 100))  # (learning rate, passes)
# What pretrained.load_vae finds each by.
SETTINGS = {
    "smooth": {"beta": 1.0, "hidden": 32},
    "sharp": {"beta": 0.25, "hidden": 64},
    "mirrored": {"beta": 0.5, "hidden": 64},
}
MIRROR = torch.tensor([-1.0, 1.0])
# Grids from coarse to fine; the last but one and the last differ by what is reported as the
# change by halving the step, and the wider box is compared on the last but one.
STEPS = (0.1, 0.05, 0.025, 0.0125)
HALF_WIDTH, WIDER = 9.0, 11.0
SLAB = 20_000  # points of a grid at once
FIGURES_STEP = 0.03
ELBO_SAMPLES = 500


class Mirrored(nn.Module):
    """A decoder that can't tell z from its mirror image: f(z_1, z_2) + f(-z_1, z_2)."""

    def __init__(self, side: nn.Sequential) -> None:
        super().__init__()
        self.side = side

    def forward(self, z: Tensor) -> Tensor:
        return self.side(z) + self.side(z * MIRROR)

    def written_out(self) -> dict[str, Tensor]:
        """The same function as one network of twice the width, each unit beside its image."""
        inner, _, outer = self.side
        return {
            "0.weight": torch.cat([inner.weight, inner.weight * MIRROR]),
            "0.bias": inner.bias.repeat(2),
            "2.weight": outer.weight.repeat(1, 2),
            "2.bias": 2 * outer.bias,
        }


def train(name: str) -> VAE:
    """One decoder with its encoder, rounded to float16 as it will be shipped, in float64."""
    beta, hidden = SETTINGS[name].values()
    generator = torch.Generator().manual_seed(SEED)
    vae = VAE(LATENT_DIM, hidden, generator=generator)
    plain = vae.decoder
    if name == "mirrored":
        vae.decoder = Mirrored(VAE(LATENT_DIM, hidden // 2, generator=generator).decoder)
    images = load_digits("binary").train
    for stage, (learning_rate, passes) in enumerate(SCHEDULE):
        trainer = Trainer(vae, images, beta, learning_rate, seed=SEED + stage)
        for _ in trainer.epochs(passes):
            pass
    if name == "mirrored":
        plain.load_state_dict(vae.decoder.written_out())
        vae.decoder = plain
    return vae.half().double().requires_grad_(False)


def log_marginal(
    x: Tensor, log_likelihood: Callable[[Tensor, Tensor], Tensor], half_width: float, step: float
) -> Tensor:
    """The trapezoidal rule as in vaelab.exact.quadrature, for grids that no memory holds."""
    grid = latent_grid(LATENT_DIM, half_width, step)
    log_sum = torch.full((len(x),), -math.inf, dtype=torch.float64)
    for slab in grid.split(SLAB):
        log_sum = torch.logaddexp(
            log_sum, quadrature_log_joint(x, log_likelihood, slab).logsumexp(0)
        )
    return log_sum + LATENT_DIM * math.log(float(grid[1, -1] - grid[0, -1]))


def truth(x: Tensor, vae: VAE) -> dict:
    """log p(x) on the finest grid, and the most that any digit's moved on the way to it."""
    by_step = [log_marginal(x, vae.log_likelihood, HALF_WIDTH, step) for step in STEPS]
    wider = log_marginal(x, vae.log_likelihood, WIDER, STEPS[-2])
    finest = by_step[-1]
    return {
        "step": STEPS[-1],
        "half_width": HALF_WIDTH,
        "wider_half_width": WIDER,
        "largest_change_by_halving_the_step": largest(finest - by_step[-2]),
        "largest_change_by_widening_the_box": largest(wider - by_step[-2]),
        "largest_error_by_step": {
            f"{step:g}": largest(coarse - finest)
            for step, coarse in zip(STEPS[:-1], by_step[:-1], strict=True)
        },
        "log_marginal": [round(value, 12) for value in finest.tolist()],
    }


def largest(difference: Tensor) -> float:
    return difference.abs().max().item()


def figures(x: Tensor, vae: VAE, log_p: Tensor) -> dict[str, float]:
    """What makes a decoder hard, in nats, averaged over the digits."""
    divergences = []
    grid = latent_grid(LATENT_DIM, HALF_WIDTH, FIGURES_STEP)
    log_prior = standard_normal_log_density(grid).sum(-1)[:, None]
    for part in x.split(40):
        log_joint = quadrature_log_joint(part, vae.log_likelihood, grid)
        log_sum = log_joint.logsumexp(0)
        # KL(p(z | x) || p(z)) = E[log p(x | z)] - log p(x)
        log_ratio = log_joint - log_prior - log_sum - 2 * math.log(float(grid[1, 1] - grid[0, 1]))
        divergences.append(((log_joint - log_sum).exp() * log_ratio).sum(0))
    elbo = elbo_terms(vae, x, ELBO_SAMPLES, torch.Generator().manual_seed(SEED)).elbo
    return {
        "mean_log_marginal": log_p.mean().item(),
        "kl_posterior_prior": torch.cat(divergences).mean().item(),
        "encoder_gap": (log_p - elbo).mean().item(),
    }


def main() -> None:
    torch.set_num_threads(1)  # one thread repeats exactly
    start = time.perf_counter()
    x = load_digits("binary", dtype=torch.float64).test
    vaes, decoders = {}, {}
    for name, setting in SETTINGS.items():
        vae = vaes[pretrained.setting_key(**setting)] = train(name)
        found = truth(x, vae)
        decoders[name] = {
            "setting": setting,
            "figures": figures(x, vae, torch.tensor(found["log_marginal"], dtype=torch.float64)),
            "truth": found,
        }
        shown = {k: v for k, v in found.items() if k != "log_marginal"}
        print(f"{time.perf_counter() - start:4.0f} s", name, decoders[name]["figures"], shown)
    manifest = {
        "command": f"python -m experiments.{NAME}",
        "seed": SEED,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "machine": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "data": "binarised digits (count >= 8), 1,437 for training, log p(x) of 360 held out",
        "model": {"latent_dim": LATENT_DIM, "activation": "tanh", "likelihood": "bernoulli"},
        "training": {"schedule": SCHEDULE, "batch_size": 128, "optimiser": "Adam"},
        "unit": "nats an image",
        "decoders": decoders,
    }
    pretrained.save(NAME, vaes, manifest)


if __name__ == "__main__":
    main()
