"""The lab's training in PyTorch: the same weights, the same noise, autograd instead of hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.densities import kl_to_standard_normal
from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.exact.quadrature_elbo import expected_log_likelihood
from vaelab.models.likelihoods import Gaussian
from vaelab.models.vae import VAE
from vaelab.objectives import ElboTerms
from vaelab.widgets.vae_lab.presets import preset

HIDDEN = 24
LEAST_NOISE, MOST_NOISE = 0.05, 2.0
# What resolves decoders that are trained at s of 0.1 and more.
LATTICES = {1: {"half_width": 10.0, "step": 0.01}, 2: {"half_width": 7.0, "step": 0.1}}
DEFAULTS: dict[str, Any] = {
    "dataset": "moons",
    "latent_dim": 2,
    "beta": 1.0,
    "learning_rate": 0.01,
    "noise": 0.2,
    "noise_mode": "fixed",
    "seed": 0,
}


def _uniform(seed: int, count: int) -> np.ndarray:
    """mulberry32, as ``uniformGenerator`` in random.js, whose state only counts up."""
    with np.errstate(over="ignore"):
        steps = np.arange(1, count + 1, dtype=np.uint32)
        state = np.uint32(seed) + steps * np.uint32(0x6D2B79F5)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return (t ^ (t >> np.uint32(14))) / 2.0**32


def _mix_seed(seed: int, step: int) -> int:
    mask = 0xFFFFFFFF
    mixed = ((seed + 1) * 0x9E3779B1 ^ (step + 1) * 0x85EBCA6B) & mask
    mixed = (mixed ^ mixed >> 16) * 0x7FEB352D & mask
    return mixed ^ mixed >> 15


def step_noise(seed: int, step: int, count: int) -> np.ndarray:
    """The standard normal numbers that the page draws for one step."""
    uniform = _uniform(_mix_seed(seed, step), count + count % 2).reshape(-1, 2)
    radius = np.sqrt(-2 * np.log(1 - uniform[:, 0]))
    angle = 2 * np.pi * uniform[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()[:count]


def initial_vae(seed: int, latent_dim: int, noise: float, hidden: int = HIDDEN) -> VAE:
    """The model that the page starts from, in float64."""
    vae = VAE(latent_dim, hidden, pixels=2, likelihood=Gaussian()).double()
    parameters = [p for name, p in vae.named_parameters() if name != "noise_log_var"]
    uniform = _uniform(_mix_seed(seed, 0), sum(p.numel() for p in parameters))
    with torch.no_grad():
        for layer in (*vae.encoder, *vae.decoder):
            if isinstance(layer, torch.nn.Linear):
                bound = 1 / math.sqrt(layer.in_features)
                for p in (layer.weight, layer.bias):
                    values, uniform = uniform[: p.numel()], uniform[p.numel() :]
                    p.copy_(torch.from_numpy(bound * (2 * values - 1)).view_as(p))
        vae.noise_log_var.fill_(2 * math.log(noise))
    return vae


@dataclass(frozen=True)
class Figures:
    """What the page plots, averaged over the data, in nats; and the noise s."""

    reconstruction: float
    rate: float
    log_marginal: float
    noise: float

    @property
    def elbo(self) -> float:
        return self.reconstruction - self.rate

    @property
    def gap(self) -> float:
        return self.log_marginal - self.elbo


@torch.no_grad()
def measure(vae: VAE, x: Tensor) -> Figures:
    """The ELBO's two terms and log p(x), each by quadrature, averaged over the points."""
    mean, log_var = vae.encode(x)
    q = GaussianQ.diagonal(mean, log_var)
    exact = quadrature_log_marginal(
        x, vae.log_likelihood, vae.latent_dim, **LATTICES[vae.latent_dim]
    )
    return Figures(
        reconstruction=expected_log_likelihood(x, vae.log_likelihood, q).value.mean().item(),
        rate=kl_to_standard_normal(mean, log_var).sum(-1).mean().item(),
        log_marginal=exact.log_marginal.mean().item(),
        noise=math.exp(vae.noise_log_var.item() / 2),
    )


class Lab:
    """One model in training, as the page's ``startTraining`` and ``trainStep``.

    Args:
        settings: Those that differ from ``DEFAULTS``, under the widget's names.

    Example:
        >>> lab = Lab({"dataset": "ring", "latent_dim": 1})
        >>> lab.train("both", 2)
        >>> lab.step
        2
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = {**DEFAULTS, **settings}
        self.x = torch.from_numpy(preset(self.settings["dataset"]).copy())
        self.vae = initial_vae(
            self.settings["seed"], self.settings["latent_dim"], self.settings["noise"]
        )
        rate = self.settings["learning_rate"]
        decoder = list(self.vae.decoder.parameters())
        if self.settings["noise_mode"] == "learnt":
            decoder.append(self.vae.noise_log_var)
        self.optimisers = {
            "encoder": torch.optim.Adam(self.vae.encoder.parameters(), lr=rate),
            "decoder": torch.optim.Adam(decoder, lr=rate),
        }
        self.step = 0

    def objective(self, noise: Tensor) -> Tensor:
        """Reconstruction minus beta KL, averaged over the points, with these draws."""
        mean, log_var = self.vae.encode(self.x)
        z = mean + torch.exp(0.5 * log_var) * noise
        terms = ElboTerms(self.vae.log_likelihood(self.x, z), kl_to_standard_normal(mean, log_var))
        return terms.beta_objective(self.settings["beta"]).mean()

    def train(self, part: str, steps: int) -> None:
        """Steps of Adam on all points: of ``"both"``, the ``"encoder"`` or the ``"decoder"``."""
        chosen = [o for name, o in self.optimisers.items() if part in ("both", name)]
        shape = (len(self.x), self.vae.latent_dim)
        for _ in range(steps):
            self.step += 1
            draws = step_noise(self.settings["seed"], self.step, shape[0] * shape[1])
            self.vae.zero_grad()
            (-self.objective(torch.from_numpy(draws.reshape(shape)))).backward()
            for optimiser in chosen:
                optimiser.step()
            with torch.no_grad():
                self.vae.noise_log_var.clamp_(2 * math.log(LEAST_NOISE), 2 * math.log(MOST_NOISE))

    def run(self, phases: Iterator[tuple[str, int]]) -> list[Figures]:
        """Train through phases; what is measured before the first and after each."""
        figures = [measure(self.vae, self.x)]
        for part, steps in phases:
            self.train(part, steps)
            figures.append(measure(self.vae, self.x))
        return figures
