"""One plain training loop: it can be watched, stopped, saved and resumed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vaelab.objectives import Objective, elbo_terms


@dataclass(frozen=True)
class EpochReport:
    """What one pass over the data measured, in nats an image, averaged over the pass.

    The figures are taken while the weights move, so they lag a little behind the model.

    Attributes:
        epoch: Passes completed, counted from 1.
        value: What was maximised, with whatever beta; of an objective handed in, its value.
        rate: KL(q(z | x) || p(z)); ``None`` under an objective handed in.
        distortion: Minus the reconstruction term; ``None`` under an objective handed in.
    """

    epoch: int
    value: float
    rate: float | None = None
    distortion: float | None = None

    @property
    def elbo(self) -> float | None:
        """Reconstruction minus rate, whatever beta the gradient used; ``None`` as they are."""
        return None if self.rate is None else -self.distortion - self.rate


class Trainer:
    r"""Maximise the ELBO, or another objective, averaged over minibatches, with Adam.

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
        beta: Weight of the KL term; 1 is the ELBO. Or a schedule: a function of the step,
            counted from 0, such as ``partial(linear_warmup, steps=1000)``.
        learning_rate: Adam's step size.
        batch_size: Images in a step.
        seed: Seed of order and noise.
        objective: What to maximise in place of the above: ``objective(vae, x, generator=...)``
            in nats, of shape ``(batch,)`` or ``()``, such as ``partial(iwae, num_samples=50)``
            or any of ``vaelab.objectives`` that returns an ``Objective``.
        bfloat16: Take the networks' matrix products in bfloat16 (``torch.autocast``); the
            weights, the densities and their sums stay as they are. A model not of this
            package has to keep its own densities out of it.

    Raises:
        ValueError: If ``x`` is not a finite, non-empty matrix, ``beta`` is negative or not
            finite, ``learning_rate`` is not positive, ``batch_size`` is under 1, both
            ``beta`` and ``objective`` are given, or the objective's shape is another.
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
        beta: float | Callable[[int], float] = 1.0,
        learning_rate: float = 3e-3,
        batch_size: int = 128,
        seed: int = 0,
        objective: Callable[..., Objective | Tensor] | None = None,
        bfloat16: bool = False,
    ) -> None:
        if x.ndim != 2 or len(x) == 0:
            raise ValueError(f"x must have shape (images, pixels), got {tuple(x.shape)}")
        if not bool(torch.isfinite(x).all()):
            raise ValueError("x must be finite, got NaN or infinity among its pixels")
        if not callable(beta) and not (math.isfinite(beta) and beta >= 0):
            raise ValueError(f"beta must be finite and not negative, got {beta}")
        if objective is not None and (callable(beta) or beta != 1.0):
            raise ValueError(f"beta must be left out where an objective is handed in, got {beta}")
        if not (math.isfinite(learning_rate) and learning_rate > 0):
            raise ValueError(f"learning_rate must be positive, got {learning_rate}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.vae, self.x, self.objective = vae, x, objective
        self.beta = beta if callable(beta) else float(beta)
        # Plain numbers: a saved file with numpy's would be refused when it is read back.
        self.settings = {
            "learning_rate": float(learning_rate),
            "batch_size": int(batch_size),
            "bfloat16": bool(bfloat16),
        }
        self.generator = torch.Generator(device=x.device).manual_seed(seed)
        # fused: one kernel for all parameters; the steps of a model this small are all overhead.
        self.optimiser = torch.optim.Adam(
            vae.parameters(), lr=self.settings["learning_rate"], fused=True
        )
        self.epoch = 0
        self.step = 0

    def epochs(self, count: int) -> Iterator[EpochReport]:
        """Train for ``count`` more passes, one report after each.

        Breaking out of the loop is how to stop: the trainer can go on from there.

        Raises:
            ValueError: If ``count`` is negative.
            FloatingPointError: When the objective stops being finite.
        """
        # Not in the generator below, which would complain only once it is iterated.
        if count < 0:
            raise ValueError(f"count must not be negative, got {count}")
        return self._passes(count)

    def _passes(self, count: int) -> Iterator[EpochReport]:
        for _ in range(count):
            order = torch.randperm(len(self.x), generator=self.generator, device=self.x.device)
            # Sums stay tensors: reading a number out of one would wait for every step.
            sums = sum(
                self._train_on(self.x[batch]) for batch in order.split(self.settings["batch_size"])
            )
            self.epoch += 1
            report = EpochReport(self.epoch, *(sums / len(self.x)).tolist())
            if not math.isfinite(report.value):
                raise FloatingPointError(
                    f"the objective is not finite after epoch {self.epoch} ({report}): try a "
                    f"smaller learning_rate than {self.settings['learning_rate']}"
                )
            yield report

    def _train_on(self, x: Tensor) -> Tensor:
        """One step of Adam; the report's figures, summed over the batch."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.settings["bfloat16"]):
            surrogate, *figures = self._evaluate(x)
        self.optimiser.zero_grad()
        (-surrogate).backward()
        self.optimiser.step()
        self.step += 1
        return torch.stack([figure.detach() for figure in figures]).double() * len(x)

    def _evaluate(self, x: Tensor) -> tuple[Tensor, ...]:
        """What to differentiate and what to report, each averaged over the batch."""
        if self.objective is None:
            terms = elbo_terms(self.vae, x, generator=self.generator)
            beta = self.beta(self.step) if callable(self.beta) else self.beta
            value = terms.beta_objective(beta).mean()
            # Detached first, so that autograd keeps no account of what is only reported.
            rate = terms.kl.detach().sum() / len(x)
            return value, value, rate, -terms.reconstruction.detach().mean()
        result = self.objective(self.vae, x, generator=self.generator)
        if isinstance(result, Tensor):
            result = Objective(value=result, surrogate=result)
        if result.surrogate.shape not in ((), (len(x),)):
            raise ValueError(
                f"objective must give shape (batch,) = ({len(x)},) or (), "
                f"got {tuple(result.surrogate.shape)}"
            )
        return result.surrogate.mean(), result.value.mean()

    def save(self, path: str | os.PathLike) -> None:
        """Write everything a later :meth:`resume` needs.

        Saved after every report of :meth:`epochs`, a run that is killed loses no more than
        the pass it was in. The file appears whole or not at all: an interruption of the
        writing keeps the one before it.
        """
        state = {
            "vae": self.vae.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "epoch": self.epoch,
            "step": self.step,
            # A function can't be saved: it has to be handed in again.
            "beta": None if callable(self.beta) else self.beta,
            "objective": self.objective is not None,
            "settings": self.settings,
            "shape": tuple(self.x.shape),
        }
        part = Path(f"{os.fspath(path)}.part")
        try:
            with part.open("wb") as file:
                torch.save(state, file)
                # Renamed before its content is on the disk, it could be empty after a power cut.
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def resume(
        cls,
        path: str | os.PathLike,
        vae: torch.nn.Module,
        x: Tensor,
        beta: Callable[[int], float] | None = None,
        objective: Callable[..., Objective | Tensor] | None = None,
    ) -> Trainer:
        """Go on from a saved file, as if never stopped.

        All is compared before anything is changed: a model that does not fit stays as it was.

        Args:
            path: A file that :meth:`save` wrote.
            vae: A model of the same sizes; its weights are replaced.
            x: The same training images.
            beta: The schedule, if there was one: a number is in the file.
            objective: The objective, if one was handed in.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the images' shape or the model's weights differ from the file's,
                or a function is missing or was not there before.
        """
        state = torch.load(path, weights_only=True)
        for name, function, there in (
            ("beta", beta, state["beta"] is None),
            ("objective", objective, state["objective"]),
        ):
            if there != (function is not None):
                rule = "the function that the run had" if there else "left out, as before"
                raise ValueError(f"{name} must be {rule} to resume {path}, got {function}")
        if state["shape"] != tuple(x.shape):
            raise ValueError(
                f"x must have the shape {state['shape']} of {path}, got {tuple(x.shape)}"
            )
        _check_same_weights(vae, state["vae"], path)
        trainer = cls(
            vae,
            x,
            beta=state["beta"] if beta is None else beta,
            objective=objective,
            **state["settings"],
        )
        vae.load_state_dict(state["vae"])
        trainer.optimiser.load_state_dict(state["optimiser"])
        trainer.generator.set_state(state["generator"])
        trainer.epoch, trainer.step = state["epoch"], state["step"]
        return trainer


def _check_same_weights(vae: torch.nn.Module, saved: dict, path: str | os.PathLike) -> None:
    """Name the first weight that ``vae`` and the file do not share in name, shape and type."""
    own = vae.state_dict()
    for name in sorted(own.keys() | saved.keys()):
        found, wanted = (
            f"{tuple(weights[name].shape)} {weights[name].dtype}" if name in weights else "none"
            for weights in (own, saved)
        )
        if found != wanted:
            raise ValueError(f"vae must have the weights of {path}: {name} {wanted}, got {found}")
