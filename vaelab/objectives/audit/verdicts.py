"""From a fit to a verdict: effective beta, forgotten constant, bound or none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.objectives.audit.candidates import Candidate
from vaelab.objectives.audit.kl_part import TOLERANCE, KLPart
from vaelab.objectives.audit.probe import Inputs, Loss, value_of
from vaelab.objectives.audit.reductions import per_image_factor
from vaelab.objectives.audit.report import Reduction, Verdict

# Nats per pixel under which a forgotten constant counts as none.
NEGLIGIBLE = 1e-5


@dataclass(frozen=True)
class Subject:
    """A loss, and what is known of it before any likelihood is tried.

    Attributes:
        loss: ``loss(x, decoder_output, mean, log_var)``.
        sizes: Batch, pixels and latents that it is called with.
        kl: Its dependence on q.
        reduction: Sums and means.
    """

    loss: Loss
    sizes: tuple[int, int, int]
    kl: KLPart
    reduction: Reduction


def judge(
    subject: Subject,
    candidate: Candidate,
    weight: float,
    residual: float,
    scale: float,
    levels: Tensor,
) -> Verdict:
    r"""Read a loss as minus a β-ELBO under a likelihood that fits it.

    .. math::
        \beta = \frac{c_\mathrm{KL}}{c_\mathrm{rec}}, \qquad
        \text{forgotten}(x) = -\log p(x \mid o) - \frac{\ell}{c_\mathrm{rec}}
        \ \text{ at } q = p(z)

    Args:
        subject: The loss and its KL.
        candidate: The likelihood.
        weight: Factor found on its gradient at scale 1.
        residual: Misfit of that factor.
        scale: Noise to read it with; 1 where it has none.
        levels: Values a pixel can take.

    Returns:
        The verdict.

    Source:
        The weight: Higgins et al. (2017). That β below 1 is no bound is plain from
        :math:`\mathcal L_\beta = \mathcal L + (1 - \beta)\,\mathrm{KL}`.

    Example:
        >>> from vaelab.objectives.audit.candidates import likelihoods
        >>> loss = lambda x, o, m, v: (x - o).square().sum()
        >>> no_kl = KLPart(0, 0, "log σ²", 0, 0)
        >>> sums = Reduction("sum", "sum", "unknown", "unknown", "unknown")
        >>> gaussian = next(c for c in likelihoods(16) if c.likelihood == "Gaussian")
        >>> verdict = judge(
        ...     Subject(loss, (4, 3, 2), no_kl, sums), gaussian, 2.0, 0.0, 0.5, torch.ones(1)
        ... )
        >>> verdict.scale, verdict.beta, round(verdict.forgotten.item(), 4)  # log(pi) / 2
        ('s² = 0.5', 0.0, 0.5724)
    """
    kl, rec_weight = subject.kl, weight * scale
    meaningful = rec_weight > 0 and (kl.is_kl or kl.absent)
    beta = kl.weight / rec_weight if meaningful else None
    forgotten = _forgotten(subject, candidate, rec_weight, scale, levels)
    is_bound, verdict = _bound(rec_weight, beta, kl, forgotten * subject.sizes[1])
    noise = f"{candidate.scale_name} = {scale:.4g}"
    return Verdict(
        likelihood=candidate.likelihood,
        data=candidate.data,
        output=candidate.output,
        scale=noise if candidate.scale_name and weight > 0 else "",
        residual=residual,
        beta=beta,
        nats=1 / (rec_weight * per_image_factor(subject.reduction, subject.sizes)),
        levels=levels,
        forgotten=forgotten,
        verdict=verdict,
        is_bound=is_bound,
    )


def _forgotten(
    subject: Subject, candidate: Candidate, rec_weight: float, scale: float, levels: Tensor
) -> Tensor:
    """Nats per pixel that the loss lacks, for images all of one level, ``(levels,)``."""
    kl = subject.kl
    if not (kl.is_kl or kl.absent):
        return torch.full((len(levels),), math.nan, dtype=torch.float64)
    batch, pixels, latents = subject.sizes
    # Where the KL is zero: a log-variance or log σ of 0, a σ or σ² of 1.
    at_prior = 1.0 if kl.reading in ("σ", "σ²") else 0.0
    mean = torch.zeros(batch, latents, dtype=torch.float64)
    output = torch.full((batch, pixels), 0.4, dtype=torch.float64)
    lacking = []
    for level in levels.double():
        x = level.expand(batch, pixels)
        value = value_of(subject.loss, Inputs(x, output, mean, mean + at_prior))
        negative_log = float(candidate.negative_log(x, output, scale).mean())
        lacking.append(negative_log - value / (rec_weight * batch * pixels))
    return torch.tensor(lacking, dtype=torch.float64)


def _bound(
    rec_weight: float, beta: float | None, kl: KLPart, forgotten: Tensor
) -> tuple[bool, str]:
    """Whether minus the loss bounds log p(x), given what an image's constant can be."""
    if rec_weight < 0:
        return False, "No: it rewards a poor reconstruction."
    if beta is None:
        return False, "No: what it asks of q is not a KL."
    if kl.weight < 0:
        return False, "No: the KL has the wrong sign, and q is driven away from the prior."
    if kl.reading != "log σ²":
        return False, f"No: its KL is that of another q, unless the encoder outputs {kl.reading}."
    if beta < 1 - TOLERANCE:
        return False, "No: with β below 1 it can exceed log p(x)."
    low, high = float(forgotten.min()), float(forgotten.max())
    negligible = NEGLIGIBLE * (1 + abs(high))
    if high > negligible:
        return False, f"Not as it stands: {high:.4g} nats an image too high. Less those, yes."
    looser = []
    if low < -negligible:
        looser.append(f"up to {-low:.4g} nats an image by what was left out")
    if beta > 1 + TOLERANCE:
        looser.append(f"{beta - 1:,.4g} KL by its β")
    return True, f"Yes, looser than the ELBO: {' and '.join(looser)}." if looser else "Yes."
