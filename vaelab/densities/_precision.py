"""The type that a log density is computed in."""

from __future__ import annotations

import functools

import torch
from torch import Tensor


def at_least_float32(*tensors: Tensor) -> tuple[Tensor, ...]:
    r"""The tensors in one type: the widest among them, and no narrower than float32.

    .. math::
        |\hat x - x| \le 2^{-24} |x|

    Half precision has three digits and ends at 65,504; whole numbers have no gradient.

    Args:
        tensors: Any shapes and types.

    Returns:
        The same tensors, copied only where the type changes.

    Source:
        IEEE 754; torch's rules of type promotion.

    Example:
        >>> x, logits = at_least_float32(torch.zeros(1, dtype=torch.uint8), torch.zeros(1).half())
        >>> x.dtype, logits.dtype
        (torch.float32, torch.float32)
    """
    dtype = functools.reduce(torch.promote_types, (t.dtype for t in tensors), torch.float32)
    return tuple(t.to(dtype) for t in tensors)
