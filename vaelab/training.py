"""One plain training loop: it can be watched, stopped, saved and resumed."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vaelab.objectives import elbo_terms


@dataclass(frozen=True)
class EpochReport:
    """What one pass over the data measured, in nats an image, averaged over the pass.

    The figures are taken while the weights move, so they lag a little behind the model.

    Attributes:
        epoch: Passes completed, counted from 1.
        elbo: Reconstruction minus rate (whatever beta the gradient used).
        rate: KL(q(z | x) || p(z)).
        distortion: Minus the reconstruction term.
    """

    epoch: int
    elbo: float
    rate: float
    distortion: float


class Trainer:
    r"""Maximise the ELBO, averaged over minibatches, with Adam.

    .. math::
        \max_{\theta, \phi} \; \frac1B \sum_{i=1}^B \Big(
        E_{q(z \mid x_i)}[\log p(x_i \mid z)]
        - \beta \, \mathrm{KL}\big(q(z \mid x_i) \,\|\, p(z)\big) \Big)

    Each image gets one draw of z a step. The order of the images and the noise come from
    one generator of the trainer's own, so a seed repeats a run, and a resumed run goes on
    exactly as the uninterrupted one would have.

    Args:
        vae: A model with ``encode`` and ``log_likelihood``.
        x: Training images, shape ``(images, pixels)``.
        beta: Weight of the KL term; 1 is the ELBO.
        learning_rate: Adam's step size.
        batch_size: Images in a step.
        seed: Seed of order and noise.

    Raises:
        ValueError: If ``x`` is not a finite, non-empty matrix, ``beta`` is negative or not
            finite, ``learning_rate`` is not positive, or ``batch_size`` is under 1.
        FloatingPointError: By ``epochs``, when the objective stops being finite.

    Source:
        Kingma & Welling (2014), algorithm 1; beta: Higgins et al. (2017).

    Example:
        >>> from vaelab.data import load_digits
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> trainer = Trainer(vae, load_digits().train, seed=0)
        >>> reports = list(trainer.epochs(2))
        >>> reports[1].elbo > reports[0].elbo
        True
    """

    def __init__(
        self,
        vae: torch.nn.Module,
        x: Tensor,
        beta: float = 1.0,
        learning_rate: float = 3e-3,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        if x.ndim != 2 or len(x) == 0:
            raise ValueError(f"x must have shape (images, pixels), got {tuple(x.shape)}")
        if not bool(torch.isfinite(x).all()):
            raise ValueError("x must be finite, got NaN or infinity among its pixels")
        if not (math.isfinite(beta) and beta >= 0):
            raise ValueError(f"beta must be finite and not negative, got {beta}")
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise ValueError(f"learning_rate must be positive, got {learning_rate}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.vae, self.x = vae, x
        # Plain numbers: a saved file with numpy's would be refused when it is read back.
        self.settings = {
            "beta": float(beta),
            "learning_rate": float(learning_rate),
            "batch_size": int(batch_size),
        }
        self.generator = torch.Generator(device=x.device).manual_seed(seed)
        # fused: one kernel for all parameters; the steps of a model this small are all overhead.
        self.optimiser = torch.optim.Adam(
            vae.parameters(), lr=self.settings["learning_rate"], fused=True
        )
        self.epoch = 0

    def epochs(self, count: int) -> Iterator[EpochReport]:
        """Train for ``count`` more passes, one report after each.

        Breaking out of the loop is how to stop: the trainer can go on from there.
        """
        for _ in range(count):
            order = torch.randperm(len(self.x), generator=self.generator, device=self.x.device)
            # Sums stay tensors: reading a number out of one would wait for every step.
            sums = torch.zeros(2, dtype=torch.float64, device=self.x.device)
            for batch in order.split(self.settings["batch_size"]):
                sums += self._step(self.x[batch])
            self.epoch += 1
            rate, distortion = (sums / len(self.x)).tolist()
            if not math.isfinite(rate + distortion):
                raise FloatingPointError(
                    f"the objective is not finite after epoch {self.epoch} "
                    f"(rate {rate}, distortion {distortion}): try a smaller learning_rate "
                    f"than {self.settings['learning_rate']}"
                )
            yield EpochReport(self.epoch, -distortion - rate, rate, distortion)

    def _step(self, x: Tensor) -> Tensor:
        terms = elbo_terms(self.vae, x, generator=self.generator)
        loss = -terms.beta_objective(self.settings["beta"]).mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return torch.stack([terms.rate.detach().sum(), terms.distortion.detach().sum()]).double()

    def save(self, path: str | os.PathLike) -> None:
        """Write everything a later :meth:`resume` needs.

        The file appears whole or not at all: an interruption keeps the one before it.
        """
        state = {
            "vae": self.vae.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "epoch": self.epoch,
            "settings": self.settings,
            "images": len(self.x),
        }
        part = Path(f"{os.fspath(path)}.part")
        torch.save(state, part)
        part.replace(path)

    @classmethod
    def resume(cls, path: str | os.PathLike, vae: torch.nn.Module, x: Tensor) -> Trainer:
        """Go on from a saved file, as if never stopped.

        Args:
            path: A file that :meth:`save` wrote.
            vae: A model of the same sizes; its weights are replaced.
            x: The same training images.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the number of images differs.
            RuntimeError: If the model's shapes differ.
        """
        state = torch.load(path, weights_only=True)
        if state["images"] != len(x):
            raise ValueError(f"x must have the {state['images']} images of {path}, got {len(x)}")
        vae.load_state_dict(state["vae"])
        trainer = cls(vae, x, **state["settings"])
        trainer.optimiser.load_state_dict(state["optimiser"])
        trainer.generator.set_state(state["generator"])
        trainer.epoch = state["epoch"]
        return trainer
