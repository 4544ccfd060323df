"""What the audit found, as numbers and as a page that a student can read."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

from torch import Tensor

from vaelab.objectives.audit.kl_part import KLPart

WIDTH = 88  # of a printed line, so that it fits a page of the book


@dataclass(frozen=True)
class Reduction:
    """How the two parts of a loss gather up their terms.

    Each is ``"sum"``, ``"mean"``, ``"other"``, ``"each"`` where every image keeps a number
    of its own, or ``"unknown"`` where the loss would not take input of another size.

    Attributes:
        over_batch: The reconstruction part, over images.
        over_pixels: The reconstruction part, over pixels.
        kl_over_batch: The KL part, over images.
        kl_over_latents: The KL part, over latents.
        kl_over_pixels: ``"mean"`` where the KL is divided by the number of pixels,
            ``"sum"`` where that number does not touch it.
    """

    over_batch: str
    over_pixels: str
    kl_over_batch: str
    kl_over_latents: str
    kl_over_pixels: str


@dataclass(frozen=True)
class Verdict:
    """A loss read as minus a β-ELBO under one likelihood.

    Attributes:
        likelihood: Its name.
        data: What the pixels must be for it.
        output: What the decoder's output is taken for.
        scale: The noise it implies, such as ``"s² = 0.5"``; empty where there is none.
        residual: Share of the gradient in the output that it leaves unexplained.
        beta: Effective β, 0 without a KL; ``None`` where what the loss asks of q is no KL, or
            the reconstruction part has the wrong sign.
        nats: Factor that turns the loss (per image, if it is summed over a batch) into nats.
        levels: Grey levels the next was computed at.
        forgotten: For an image all of one level, how many nats per pixel must be added to
            the loss (in nats) to make it minus a log-likelihood. Negative: what was left
            out would have lowered the loss. Not a number where the part that depends on q
            is no KL, so that the two cannot be told apart.
        verdict: Whether minus the loss, in nats, is on average a lower bound on log p(x).
        is_bound: The same, as a truth value; ``False`` too if only a constant is in the way.
    """

    likelihood: str
    data: str
    output: str
    scale: str
    residual: float
    beta: float | None
    nats: float
    levels: Tensor
    forgotten: Tensor
    verdict: str
    is_bound: bool


@dataclass(frozen=True)
class LossAudit:
    """What a loss is. Print it.

    Attributes:
        sizes: Batch, pixels and latents that the loss was called with.
        kl: Its dependence on q.
        reduction: Sums and means.
        verdicts: One for each likelihood that fits (two for one whose scale can be chosen).
        misfits: The likelihoods that do not, with the share of the gradient left over.
        notes: What else the reader should know.
    """

    sizes: tuple[int, int, int]
    kl: KLPart
    reduction: Reduction
    verdicts: tuple[Verdict, ...]
    misfits: dict[str, float]
    notes: tuple[str, ...]

    def under(self, likelihood: str) -> tuple[Verdict, ...]:
        """The verdicts for one likelihood; empty if it does not fit."""
        return tuple(v for v in self.verdicts if v.likelihood == likelihood)

    def __str__(self) -> str:
        batch, pixels, latents = self.sizes
        lines = [
            f"Loss audit: {pixels} pixels, {latents} latents, batch of {batch}. All in nats.",
            "",
            *_wrapped(
                f"Reconstruction: {_gathered(self.reduction.over_pixels, 'pixels')}, "
                f"{_gathered(self.reduction.over_batch, 'the batch')}."
            ),
            *_wrapped(_describe_kl(self.kl, self.reduction, batch)),
            "",
            *_table(self.verdicts),
        ]
        if self.misfits:
            names = dict.fromkeys(name.split(" of ")[0] for name in self.misfits)
            lines += ["", *_wrapped(f"Does not fit: {', '.join(names)}.")]
            if not self.verdicts:
                closest = min(self.misfits, key=self.misfits.get)
                lines += [f"The closest, {closest}, leaves {self.misfits[closest]:.0%} over."]
        if self.notes:
            lines.append("")
        for note in self.notes:
            lines += _wrapped(note, "- ")
        return "\n".join(lines)


def _gathered(kind: str, axis: str) -> str:
    if kind == "each":
        return "one number an image"
    if kind == "unknown":
        return f"sum or mean over {axis} not known, since it takes one size only"
    words = {"sum": "summed", "mean": "averaged", "other": "neither summed nor averaged"}
    return f"{words[kind]} over {axis}"


def _wrapped(text: str, bullet: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet))


def _describe_kl(kl: KLPart, reduction: Reduction, batch: int) -> str:
    if kl.absent:
        return "KL: none. The loss does not depend on q."
    if not kl.is_kl:
        return (
            f"KL: the part that depends on q is no multiple of KL(q || N(0, I)); the best "
            f"multiple leaves {kl.residual:.0%} of its gradient over."
        )
    weight = kl.weight * (batch if reduction.kl_over_batch == "mean" else 1)
    return (
        f"KL: {_gathered(reduction.kl_over_latents, 'latents')}, "
        f"{_gathered(reduction.kl_over_batch, 'the batch')}, {weight:,.4g} times an image's KL. "
        f"Its fourth argument is read as {kl.reading}."
    )


HEADINGS = ("likelihood", "pixels", "output as", "noise", "effective β", "left out / pixel")


def _table(verdicts: tuple[Verdict, ...]) -> list[str]:
    if not verdicts:
        return ["No likelihood known here has this reconstruction part."]
    rows = [
        (
            v.likelihood,
            v.data,
            v.output,
            v.scale or "-",
            "-" if v.beta is None else f"{v.beta:,.4g}",
            _range(v.forgotten),
        )
        for v in verdicts
    ]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]

    def line(row: tuple[str, ...]) -> str:
        return "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()

    lines = [line(HEADINGS)]
    for row, verdict in zip(rows, verdicts, strict=True):
        words = f"nats = loss × {verdict.nats:,.4g}. A bound? {verdict.verdict}"
        lines += [line(row), *_wrapped(words, "    ")]
    return lines


def _range(forgotten: Tensor) -> str:
    low, high = float(forgotten.min()), float(forgotten.max())
    if math.isnan(low):
        return "?"
    if high - low < 5e-4:
        return "0" if abs(high) < 5e-4 else f"{high:.3f}"
    return f"{low:.3f} to {high:.3f}"
