"""Free bits: a KL that costs nothing more until it passes a threshold."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.objectives.elbo import ElboTerms


def free_bits_objective(terms: ElboTerms, free_nats: float) -> Tensor:
    r"""The ELBO of a batch with each latent's KL counted as at least ``free_nats``.

    .. math::
        \frac1B \sum_i E_q[\log p(x_i \mid z)]
        - \sum_j \max\!\Big( \lambda,\;
        \frac1B \sum_i \mathrm{KL}\big(q(z_j \mid x_i) \,\|\, p(z_j)\big) \Big)

    Below the threshold a latent's KL has no gradient, so nothing pushes it to collapse.
    The maximum is taken latent by latent, of the KL averaged over the batch, as its
    authors do; a batch of one image gives the variant that takes it image by image.

    Since max(λ, KL) is never less than KL, the value is never above the batch's ELBO: still
    a lower bound on the average log p(x), looser by what the idle latents are charged.
    Report the ELBO beside it; do not compare values made with different λ.

    Args:
        terms: Reconstruction and KL of a batch of images, at least one.
        free_nats: λ, nats free for each latent, finite and not negative; 0 gives the ELBO.

    Returns:
        One number for the batch, in nats an image, shape ``()``.

    Raises:
        ValueError: If ``free_nats`` is negative or not finite, or the batch is empty.

    Source:
        Kingma et al. (2016), *Improved variational inference with inverse autoregressive
        flow*.

    Example:
        >>> terms = ElboTerms(torch.tensor([-5.0, -7.0]), torch.tensor([[1.0, 0.1], [3.0, 0.0]]))
        >>> free_bits_objective(terms, free_nats=0.5)  # -6 - max(0.5, 2) - max(0.5, 0.05)
        tensor(-8.5000)
    """
    if not (math.isfinite(free_nats) and free_nats >= 0):
        raise ValueError(f"free_nats must be finite and not negative, got {free_nats}")
    if len(terms.kl) == 0:
        raise ValueError(f"terms must hold at least one image, got KL of {tuple(terms.kl.shape)}")
    charged = torch.clamp(terms.kl.mean(0), min=free_nats)  # (latent,)
    return terms.reconstruction.mean() - charged.sum()
