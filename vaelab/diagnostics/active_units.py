"""Which latents a model uses: those whose mean moves when the image changes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import kl_to_standard_normal
from vaelab.diagnostics._posterior import encode


@dataclass(frozen=True)
class ActiveUnits:
    r"""How far each latent follows the image, and what it costs.

    Attributes:
        variance: :math:`\operatorname{Var}_x\, E_q[z_j \mid x]` over the images,
            ``(latent,)``; under the prior z itself has variance 1.
        rate: Mean KL of each latent in nats, ``(latent,)``; a unit that is idle costs nothing.
        threshold: The variance above which a unit is called active.
    """

    variance: Tensor
    rate: Tensor
    threshold: float

    @property
    def active(self) -> Tensor:
        """Which latents are active, ``(latent,)``, true or false."""
        return self.variance > self.threshold

    @property
    def count(self) -> int:
        """How many are."""
        return int(self.active.sum())


@torch.no_grad()
def active_units(vae, x: Tensor, threshold: float = 0.01) -> ActiveUnits:
    r"""Count the latents whose posterior mean varies from image to image.

    .. math::
        A_j = \operatorname{Var}_x \big( E_{q(z \mid x)}[z_j] \big), \qquad
        \text{active where } A_j > 0.01

    A collapsed latent has q = prior whatever the image, so its mean stands still. The
    threshold need not be exact: the authors found the variances in two groups, far apart.

    Args:
        vae: A model with ``encode(x)``.
        x: Images, shape ``(batch, pixels)``, two or more.
        threshold: Positive; 0.01 is the authors'.

    Returns:
        Variance and rate (nats) of each latent, which are active, and how many.

    Raises:
        ValueError: If there are fewer than two images, ``threshold`` is not positive and
            finite, or the images or the encoder's output are of a wrong shape or not finite.

    Source:
        Burda et al. (2016).

    Example:
        >>> class OneOfTwo:  # its second latent has collapsed
        ...     def encode(self, x):
        ...         idle = torch.zeros(len(x))
        ...         return torch.stack([x[:, 0], idle], 1), torch.stack([idle - 4, idle], 1)
        >>> units = active_units(OneOfTwo(), torch.tensor([[-1.0], [0.0], [1.0]]))
        >>> units.count, units.active, units.rate[1]
        (1, tensor([ True, False]), tensor(0.))
    """
    if not (math.isfinite(threshold) and threshold > 0):
        raise ValueError(f"threshold must be positive and finite, got {threshold}")
    mean, log_var = encode(vae, x)
    if len(mean) < 2:
        raise ValueError(f"x must hold at least two images for a variance, got {len(mean)}")
    wide = torch.promote_types(mean.dtype, torch.float32)
    mean, log_var = mean.to(wide), log_var.to(wide)
    return ActiveUnits(
        variance=mean.var(0),
        rate=kl_to_standard_normal(mean, log_var).mean(0),
        threshold=threshold,
    )
