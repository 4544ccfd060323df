"""Train the models of the β × latent dimension widget, and measure them.

    python -m experiments.beta_latent

writes vaelab/pretrained/beta_latent.safetensors and .json: one VAE for each pair, 64-32-d,
tanh, Bernoulli, on the binarised digits. Every figure in the manifest is of the weights as
shipped (rounded to float16), over the 360 held-out images, in nats an image. The weights
of the first seed are shipped; each figure also stands for three seeds, so that a difference
between two pairs can be told from the luck of a start. The same seed on another processor
gives weights that differ in their last digits, so figures there agree to the noise of
training, not to the bit.
"""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import torch

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.diagnostics import active_units
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import defensive_mixture
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.models.vae import VAE
from vaelab.objectives import elbo_terms
from vaelab.training import Trainer

NAME = "beta_latent"
COMMAND = "python -m experiments.beta_latent"
BETAS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 16.0)
LATENT_DIMS = (1, 2, 4, 8, 16)
# Forty models of width 32 add about 0.39 MB to the page; twice the width would be too much.
HIDDEN = 32
# Long strides first, then shorter: at one rate throughout, the noise of the steps keeps
# latents off that pay for themselves at β of 2 and 4.
SCHEDULE = ((1e-2, 200), (3e-3, 200), (1e-3, 200))  # (learning rate, passes)
SEEDS = (0, 1, 2)  # of training; the first one's weights are shipped
SEED = SEEDS[0]  # of every estimate
ACTIVE_THRESHOLD = 0.01  # Burda et al. (2016): variance over images of E_q[z | x]
RECONSTRUCTION_SAMPLES = 200
IMPORTANCE_SAMPLES = 5_000
# Finer than the default: at small β the decoders are steep, and 0.05 leaves single images
# off in their fifth digit.
QUADRATURE_STEP = {1: 0.005, 2: 0.03}
WIDENINGS = (1.0, 1.25, 1.5, 2.0, 3.0)
PILOT_SAMPLES = 200
COMPARED = ("rate", "distortion", "elbo", "active_units")


@dataclass(frozen=True)
class Setting:
    """One pair of the grid, and the seed that it is trained with."""

    beta: float
    latent_dim: int
    seed: int = SEEDS[0]

    @property
    def key(self) -> str:
        return pretrained.setting_key(beta=self.beta, latent_dim=self.latent_dim)


def train(setting: Setting) -> VAE:
    """The VAE of one pair, rounded to float16 as it will be shipped, in float64."""
    torch.set_num_threads(1)  # models this small gain nothing, and one thread repeats exactly
    generator = torch.Generator().manual_seed(setting.seed)
    vae = VAE(setting.latent_dim, HIDDEN, generator=generator)
    images = load_digits("binary").train
    for stage, (learning_rate, passes) in enumerate(SCHEDULE):
        shuffle = 100 * setting.seed + stage
        trainer = Trainer(vae, images, setting.beta, learning_rate, seed=shuffle)
        for _ in trainer.epochs(passes):
            pass
    return vae.half().double()


def importance_figures(vae: VAE, x: torch.Tensor, widen: float) -> dict:
    """The mean estimate of log p(x) over the images, and what it rests on."""
    with torch.no_grad():
        proposal = defensive_mixture(*vae.encode(x), widen)
        generator = torch.Generator().manual_seed(SEED)
        estimate = importance_log_marginal(
            x, vae.log_likelihood, proposal, IMPORTANCE_SAMPLES, generator
        )
    # Images are drawn for independently, so the variances of their estimates add up.
    error = estimate.standard_error.square().sum().sqrt() / len(x)
    return {
        "log_likelihood": estimate.log_marginal.mean().item(),
        "method": "importance",
        "proposal": f"half prior, half q with {widen:g} times its deviation",
        "widen": widen,
        "num_samples": estimate.num_samples,
        "standard_error": error.item(),
        "median_effective_sample_size": estimate.effective_sample_size.median().item(),
        "least_effective_sample_size": estimate.effective_sample_size.min().item(),
    }


def quadrature_figures(vae: VAE, x: torch.Tensor) -> dict:
    """The mean log p(x) over the images, by a grid; for one or two latents."""
    step = QUADRATURE_STEP[vae.latent_dim]
    results = [
        # A few images at a time: a fine grid for all of them at once would fill the memory.
        quadrature_log_marginal(part, vae.log_likelihood, vae.latent_dim, step=step)
        for part in x.split(40)
    ]
    return {
        "log_likelihood": torch.cat([result.log_marginal for result in results]).mean().item(),
        "method": "quadrature",
        "step": step,
        "mean_error": torch.cat([result.error for result in results]).mean().item(),
    }


def pilot(vae: VAE, x: torch.Tensor, widen: float) -> float:
    """The mean estimate with few samples and a seed that the figures do not use."""
    generator = torch.Generator().manual_seed(SEED + 1)
    with torch.no_grad():
        proposal = defensive_mixture(*vae.encode(x), widen)
        estimate = importance_log_marginal(
            x, vae.log_likelihood, proposal, PILOT_SAMPLES, generator
        )
    return estimate.log_marginal.mean().item()


def choose_widening(vaes: list[VAE], x: torch.Tensor) -> tuple[float, dict[str, float]]:
    """The widening for one latent dimension, and the pilot's mean estimate with each.

    An estimate of log p(x) is on average too low, so the highest is the nearest.
    """
    means = {widen: sum(pilot(vae, x, widen) for vae in vaes) / len(vaes) for widen in WIDENINGS}
    return max(means, key=means.get), {f"{widen:g}": mean for widen, mean in means.items()}


def measure(setting: Setting, vae: VAE, x: torch.Tensor, widen: float) -> dict:
    """All recorded figures of one model, in nats an image."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        terms = elbo_terms(vae, x, RECONSTRUCTION_SAMPLES, generator)
    units = active_units(vae, x, ACTIVE_THRESHOLD)
    estimate = importance_figures(vae, x, widen)
    figures = {
        "beta": setting.beta,
        "latent_dim": setting.latent_dim,
        "rate": terms.rate.mean().item(),
        "rate_per_latent": units.rate.tolist(),
        "distortion": terms.distortion.mean().item(),
        "elbo": terms.elbo.mean().item(),
        "active_units": units.count,
        "importance": estimate,
        "likelihood": estimate,
    }
    if setting.latent_dim <= 2:
        figures["likelihood"] = quadrature_figures(vae, x)
    return figures


def over_seeds(figures: list[dict]) -> dict[str, list[float]]:
    """What the page compares, for each seed in turn."""
    named = {name: [one[name] for one in figures] for name in COMPARED}
    return named | {"log_likelihood": [one["likelihood"]["log_likelihood"] for one in figures]}


def train_all(settings: list[Setting]) -> dict[Setting, VAE]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(settings, pool.map(train, settings), strict=True))


def main() -> None:
    start = time.perf_counter()
    vaes = train_all([Setting(*one) for one in product(BETAS, LATENT_DIMS, SEEDS)])
    print(f"trained {len(vaes)} models in {time.perf_counter() - start:.0f} s", flush=True)

    x = load_digits("binary", dtype=torch.float64).test
    figures, pilots = {}, {}
    for dim in LATENT_DIMS:
        row = [setting for setting in vaes if setting.latent_dim == dim]
        first = [vaes[setting] for setting in row if setting.seed == SEEDS[0]]
        widen, pilots[str(dim)] = choose_widening(first, x)
        for beta in BETAS:
            each = [measure(s, vaes[s], x, widen) for s in row if s.beta == beta]
            key = Setting(beta, dim).key
            figures[key] = each[0] | {"over_seeds": over_seeds(each)}
            spread = ", ".join(f"{value:.2f}" for value in figures[key]["over_seeds"]["elbo"])
            likelihood = each[0]["likelihood"]
            print(
                f"{key:24} rate {each[0]['rate']:6.2f}  elbo {spread}  {likelihood['method']} "
                f"{likelihood['log_likelihood']:7.2f}  active {each[0]['active_units']}",
                flush=True,
            )

    manifest = {
        "command": COMMAND,
        "seed": SEED,
        "seeds": SEEDS,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "machine": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "data": "binarised digits (count >= 8), 1,437 for training, figures over 360 held out",
        "model": {"hidden": HIDDEN, "activation": "tanh", "likelihood": "bernoulli"},
        "training": {"schedule": SCHEDULE, "batch_size": 128, "optimiser": "Adam"},
        "unit": "nats an image",
        "reconstruction_samples": RECONSTRUCTION_SAMPLES,
        "active_threshold": ACTIVE_THRESHOLD,
        "betas": BETAS,
        "latent_dims": LATENT_DIMS,
        "widening_pilot": {"num_samples": PILOT_SAMPLES, "mean_log_likelihood": pilots},
        "settings": figures,
    }
    shipped = {s.key: vae for s, vae in vaes.items() if s.seed == SEEDS[0]}
    pretrained.save(NAME, shipped, manifest)
    print(f"wrote {NAME} after {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
