"""The three decoders, their digits and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.models.vae import VAE
from vaelab.testbed.problem import CountedLikelihood, Problem
from vaelab.testbed.score import Estimator, Score, evaluate

PRETRAINED = "known_decoders"
#: The decoders' names.
DECODERS = ("smooth", "sharp", "mirrored")


@dataclass(frozen=True)
class Testbed:
    r"""A decoder of binarised digits, with 2 latents, and log p(x) of all held-out digits.

    .. math::
        \log p(x) = \log \int p(x \mid z)\, \mathcal N(z; 0, I)\, dz

    Attributes:
        name: One of ``DECODERS``.
        x: The 360 held-out digits, binary, float64, shape ``(360, 64)``.
        log_marginal: The truth, log p(x) in nats, float64, ``(360,)``.
        largest_change: The most that any digit's truth moved when the grid's step was halved or
            its box widened, in nats.
        mean: Mean of the encoder's q(z | x), shape ``(360, 2)``.
        log_var: Its log-variance, same shape.
        train: The 1,437 digits that it was trained on, to tune an estimator with.
        vae: Decoder and encoder, in float64, frozen.

    Source:
        ``python -m experiments.known_decoders``.
    """

    __test__ = False  # for pytest, which takes the name for a class of tests

    name: str
    x: Tensor
    log_marginal: Tensor
    largest_change: float
    mean: Tensor
    log_var: Tensor
    train: Tensor
    vae: VAE

    def problem(self, log_likelihood: CountedLikelihood) -> Problem:
        """What an estimator is given, around a likelihood that counts.

        Args:
            log_likelihood: Usually ``CountedLikelihood(bed.vae.log_likelihood)``.
        """
        return Problem(self.x, self.mean, self.log_var, log_likelihood)

    def evaluate(
        self,
        estimator: Estimator,
        budgets: Sequence[int] = (100, 1_000),
        repeats: int = 4,
        seed: int = 0,
    ) -> list[Score]:
        """Hold an estimator against the truth.

        Args:
            estimator: ``estimator(problem, budget, generator)``, which returns log p(x) in nats,
                shape ``(360,)``, or an object with that as ``log_marginal``, or None if the
                budget does not suffice.
            budgets: What may be spent on an image: likelihoods, and as many again for
                gradients. What is spent is counted, and nobody is stopped.
            repeats: Runs at each budget, each with noise of its own.
            seed: With the budget, it seeds the noise.

        Returns:
            One score for each budget: errors in nats with their standard errors, exact counts.

        Raises:
            ValueError: If a number is under 1, or an estimate is NaN or of another shape.
        """
        return evaluate(
            estimator,
            self.problem,
            self.vae.log_likelihood,
            self.log_marginal,
            budgets,
            repeats,
            seed,
        )


def load(name: str) -> Testbed:
    """One decoder of the testbed.

    ``"smooth"`` is an ordinary VAE: its encoder is nearly right. ``"sharp"`` was trained at
    β = 0.25: its posteriors are narrow, the prior seldom hits them, and on held-out digits the
    encoder is often confidently wrong. ``"mirrored"`` can't tell z from its mirror image, so every
    posterior has its mass in two like halves, of which encoder and optimiser know one.

    Args:
        name: One of ``DECODERS``.

    Returns:
        Decoder, digits and truth.

    Raises:
        ValueError: If there is no such decoder.

    Source:
        ``python -m experiments.known_decoders``.

    Example:
        >>> from vaelab.estimators.importance import importance_log_marginal
        >>> from vaelab.estimators.proposals import DiagonalNormal
        >>> def wide(problem, budget, generator):
        ...     q = DiagonalNormal(problem.mean, problem.log_var, widen=2.0)
        ...     return importance_log_marginal(
        ...         problem.x, problem.log_likelihood, q, budget, generator
        ...     )
        >>> (score,) = load("smooth").evaluate(wide, budgets=(100,))
        >>> score.cost, 0.05 < score.mean_absolute_error < 0.2  # nats
        (100.0, True)
    """
    if name not in DECODERS:
        raise ValueError(f"name must be one of {', '.join(DECODERS)}, got {name!r}")
    known = pretrained.manifest(PRETRAINED)["decoders"][name]
    vae = pretrained.load_vae(PRETRAINED, **known["setting"]).double().requires_grad_(False)
    digits = load_digits("binary", dtype=torch.float64)
    mean, log_var = vae.encode(digits.test)
    truth = known["truth"]
    return Testbed(
        name=name,
        x=digits.test,
        log_marginal=torch.tensor(truth["log_marginal"], dtype=torch.float64),
        largest_change=max(
            truth["largest_change_by_halving_the_step"],
            truth["largest_change_by_widening_the_box"],
        ),
        mean=mean,
        log_var=log_var,
        train=digits.train,
        vae=vae,
    )
