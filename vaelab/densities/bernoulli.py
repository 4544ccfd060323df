"""Binary pixels: normalised over 0 and 1, and nowhere else."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

# torch's softplus returns its argument above a threshold. At the default of 20 that is 2e-9
# off in float64; at 40 the difference is below rounding.
SOFTPLUS_THRESHOLD = 40.0


def bernoulli_log_density(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log probability of binary data under independent Bernoullis, per element.

    .. math::
        \log p(x \mid \ell) = x \ell - \log(1 + e^{\ell}),
        \qquad p(x = 1) = \frac{1}{1 + e^{-\ell}}

    It sums to one over x in {0, 1}, and only there: on grey values between the two it
    is no log density. Data in between are let through, since that loss is a subject of
    the book; the function keeps its name's promise for binary x alone.

    Args:
        x: Data, 0 or 1, shape ``(*batch, pixels)``.
        logits: :math:`\ell`, a shape that broadcasts with ``x``.

    Returns:
        Log probability in nats, of the broadcast shape.

    Source:
        Kingma & Welling (2014), Appendix C.1.

    Example:
        >>> bernoulli_log_density(torch.tensor([1.0, 0.0]), torch.zeros(2))
        tensor([-0.6931, -0.6931])
    """
    return x * logits - softplus(logits, threshold=SOFTPLUS_THRESHOLD)


def bernoulli_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log probability of whole binary images: :func:`bernoulli_log_density` summed over pixels.

    .. math::
        \log p(x \mid \ell) = x^\top \ell - \sum_i \log(1 + e^{\ell_i})

    The same number. Where all images share the latents it is reached by a matrix product, so that
    many latents can be scored against many images without an array of every latent by every image
    by every pixel.

    Args:
        x: Data, 0 or 1, shape ``(batch, pixels)``.
        logits: :math:`\ell`, shape ``(*samples, batch, pixels)`` or ``(*samples, 1, pixels)``,
            the second scoring every image under the same latents.

    Returns:
        Nats, shape ``(*samples, batch)``.

    Raises:
        ValueError: If the numbers of pixels differ.

    Source:
        Kingma & Welling (2014), Appendix C.1.

    Example:
        >>> bernoulli_log_likelihood(torch.ones(3, 64), torch.zeros(5, 1, 64)).shape
        torch.Size([5, 3])
    """
    if x.shape[-1] != logits.shape[-1]:
        raise ValueError(
            f"x and logits must have the same number of pixels, "
            f"got {tuple(x.shape)} and {tuple(logits.shape)}"
        )
    if logits.shape[-2:] == x.shape:
        # One fused operation, and one node for autograd: a step of a small model is all overhead.
        nats = binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none")
        return -nats.sum(-1)
    log_normaliser = softplus(logits, threshold=SOFTPLUS_THRESHOLD).sum(-1)
    return torch.einsum("...bp,bp->...b", logits, x) - log_normaliser
