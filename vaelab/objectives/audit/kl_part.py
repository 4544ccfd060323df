"""How a loss depends on q: which KL it is, how heavy, or that it is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import kl_to_standard_normal
from vaelab.objectives.audit.probe import Inputs, Response

# Relative misfit up to which two gradients count as the same: room for float32 and for an
# epsilon inside a logarithm, and far less than any two formulae here differ by.
TOLERANCE = 1e-3

# What the fourth argument may be, as the log-variance it stands for. Of a deviation the
# square is taken first, as losses written for one do.
READINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "log σ²": lambda t: t,
    "log σ": lambda t: 2 * t,
    "σ": lambda t: t.square().log(),
    "σ²": torch.log,
}


@dataclass(frozen=True)
class KLPart:
    """The part of a loss that depends on q, against KL(q || N(0, I)).

    Attributes:
        weight: Factor on the KL summed over latents and batch; 0 if the loss has none.
        residual: Share of the gradient that the factor leaves unexplained, 0 to 1.
        reading: What the fourth argument is taken for, ``"log σ²"`` if all is well.
        mean_weight: The factor fitted to the gradient in the mean alone.
        spread_weight: The factor fitted to the gradient in the fourth argument alone.
    """

    weight: float
    residual: float
    reading: str
    mean_weight: float
    spread_weight: float

    @property
    def absent(self) -> bool:
        """The loss does not depend on q at all."""
        return self.weight == 0 and self.residual == 0

    @property
    def is_kl(self) -> bool:
        """It is a multiple of the KL, in whatever reading."""
        return not self.absent and self.residual <= TOLERANCE


def fit(observed: Tensor, expected: Tensor) -> tuple[float, float]:
    r"""Least-squares factor between two gradients, and the share it leaves unexplained.

    .. math::
        c = \frac{\langle g, h \rangle}{\langle h, h \rangle}, \qquad
        \frac{\lVert g - c h \rVert}{\lVert g \rVert}

    Args:
        observed: g, any shape.
        expected: h, same shape.

    Returns:
        The factor and the residual, from 0 (a multiple) to 1 (nothing in common).

    Source:
        Bishop (2006), section 3.1.

    Example:
        >>> fit(torch.tensor([2.0, 4.0]), torch.tensor([1.0, 2.0]))
        (2.0, 0.0)
    """
    factor = (observed * expected).sum() / expected.square().sum()
    size = observed.norm()
    residual = (observed - factor * expected).norm() / size if size > 0 else size
    return float(factor), float(residual)


def fit_kl(inputs: Sequence[Inputs], responses: Sequence[Response]) -> KLPart:
    r"""Find the reading of the fourth argument that makes the loss's slopes those of a KL.

    .. math::
        \frac{\partial \ell}{\partial (\mu, t)} \approx c \,
        \frac{\partial}{\partial (\mu, t)}
        \mathrm{KL}\big(\mathcal N(\mu, \sigma^2(t)) \,\|\, \mathcal N(0, 1)\big)

    Entry by entry over several inputs at once, so a factor that changes with image, latent
    or data is a misfit as well.

    Args:
        inputs: What the loss was called with.
        responses: What came back, one for each.

    Returns:
        The best reading, its weight and its misfit.

    Source:
        Kingma & Welling (2014), Appendix B.

    Example:
        >>> from vaelab.objectives.audit.probe import draw_inputs, respond
        >>> inputs = draw_inputs(torch.tensor([0.0, 1.0]), (4, 3, 2), seed=0)
        >>> response = respond(lambda x, o, m, v: (x - o).square().sum() + m.square().sum(), inputs)
        >>> fit_kl([inputs], [response]).is_kl  # half a KL: nothing in it holds the variance
        False
    """
    by_mean = torch.cat([response.by_mean for response in responses])
    by_spread = torch.cat([response.by_spread for response in responses])
    if not (by_mean.any() or by_spread.any()):
        return KLPart(0.0, 0.0, "log σ²", 0.0, 0.0)
    mean = torch.cat([each.mean for each in inputs])
    spread = torch.cat([each.spread for each in inputs])
    return min(
        (_fit_reading(name, mean, spread, by_mean, by_spread) for name in READINGS),
        key=lambda part: part.residual,
    )


def _fit_reading(
    name: str, mean: Tensor, spread: Tensor, by_mean: Tensor, by_spread: Tensor
) -> KLPart:
    leaves = [part.detach().clone().requires_grad_() for part in (mean, spread)]
    kl = kl_to_standard_normal(leaves[0], READINGS[name](leaves[1])).sum()
    kl_by_mean, kl_by_spread = torch.autograd.grad(kl, leaves)
    weight, residual = fit(
        torch.cat([by_mean, by_spread], -1), torch.cat([kl_by_mean, kl_by_spread], -1)
    )
    if not kl_by_spread.isfinite().all():  # a variance that is negative here
        residual = float("inf")
    return KLPart(
        weight, residual, name, fit(by_mean, kl_by_mean)[0], fit(by_spread, kl_by_spread)[0]
    )
