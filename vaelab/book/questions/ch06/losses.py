"""Losses of VAEs as one meets them, for question 06.4: cross-entropy and KL, differently weighted.

Each takes pixels from 0 to 1, logits, and the encoder's mean and log-variance, and returns
one number for the batch.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from vaelab.densities import kl_to_standard_normal


def summed(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Cross-entropy and KL, both summed over everything."""
    bce = binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return bce + kl_to_standard_normal(mean, log_var).sum()


def of_a_picture(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """The same, averaged over the batch."""
    return summed(x, logits, mean, log_var) / len(x)


def averaged(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Cross-entropy averaged over pixels too; the KL summed over latents."""
    bce = binary_cross_entropy_with_logits(logits, x)
    return bce + kl_to_standard_normal(mean, log_var).sum(-1).mean()


def both_averaged(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Cross-entropy averaged over pixels, the KL over latents."""
    bce = binary_cross_entropy_with_logits(logits, x)
    return bce + kl_to_standard_normal(mean, log_var).mean()


def shifted(x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Summed cross-entropy, four times the KL, and a constant that somebody liked."""
    bce = binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return bce + 4 * kl_to_standard_normal(mean, log_var).sum() - 44.0
