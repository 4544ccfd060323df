"""Sum or mean? Found by handing the loss the same numbers twice over, axis by axis."""

from __future__ import annotations

import math

from torch import Tensor

from vaelab.objectives.audit.probe import Inputs, Loss, respond
from vaelab.objectives.audit.report import Reduction


def find_reductions(loss: Loss, inputs: Inputs) -> Reduction:
    r"""Tell sums from means by how a slope changes when an axis is doubled.

    .. math::
        \frac{\partial \ell}{\partial o_{ij}} \text{ stays under a sum, halves under a mean}

    Args:
        loss: ``loss(x, decoder_output, mean, log_var)``.
        inputs: Input that it is known to take.

    Returns:
        The reduction of each part over each axis.

    Source:
        This project.

    Example:
        >>> import torch
        >>> from vaelab.objectives.audit.probe import draw_inputs
        >>> inputs = draw_inputs(torch.tensor([0.0, 1.0]), (4, 3, 2), seed=0)
        >>> find_reductions(lambda x, o, m, v: (x - o).square().mean(), inputs).over_pixels
        'mean'
    """
    once = respond(loss, inputs)
    batch, pixels, latents = (
        _doubled(loss, inputs, axis) for axis in ("batch", "pixels", "latents")
    )
    if once.per_image:
        kinds = dict.fromkeys(("over_batch", "kl_over_batch"), "each")
    else:
        kinds = {
            "over_batch": _kind(once.by_output, batch and batch.by_output),
            "kl_over_batch": _kind(once.by_mean, batch and batch.by_mean),
        }
    return Reduction(
        **kinds,
        over_pixels=_kind(once.by_output, pixels and pixels.by_output),
        kl_over_latents=_kind(once.by_mean, latents and latents.by_mean),
        kl_over_pixels=_kind(once.by_mean, pixels and pixels.by_mean),
    )


def _doubled(loss: Loss, inputs: Inputs, axis: str):
    try:
        return respond(loss, inputs.tiled(**{axis: 2}))
    except ValueError:  # made for one size only
        return None


def _kind(once: Tensor, twice: Tensor | None) -> str:
    if twice is None:
        return "unknown"
    part = twice[: once.shape[0], : once.shape[1]].norm()
    if once.norm() == 0 or part == 0:
        return "unknown"
    ratio = float(part / once.norm())
    kinds = {"sum": 1.0, "mean": 0.5}
    return next((k for k, r in kinds.items() if math.isclose(ratio, r, rel_tol=1e-3)), "other")


def per_image_factor(reduction: Reduction, sizes: tuple[int, int, int]) -> float:
    r"""What a weight found on a batch is multiplied by to be that on one image's terms.

    .. math::
        \ell = \frac1B \sum_i \ell_i \text{ takes } B, \qquad \ell = \sum_i \ell_i
        \text{ takes } 1

    Args:
        reduction: As found.
        sizes: Batch, pixels and latents.

    Returns:
        The batch size for a mean, else 1.

    Source:
        This project.

    Example:
        >>> per_image_factor(Reduction("mean", "sum", "mean", "sum", "sum"), (16, 64, 8))
        16.0
    """
    return float(sizes[0]) if reduction.over_batch == "mean" else 1.0
