"""Grey values in [0, 1]: the Bernoulli's formula with the constant that makes it a density."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.densities._precision import at_least_float32

# Below this |logit| a series: there the closed form's slope, a difference of two numbers
# near 1 / logit, loses digits. The first term left out is under 1e-16 of the result.
SERIES_BELOW = 0.5
BERNOULLI_NUMBERS = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
# B_2k / (2k)!, of the Bernoulli numbers B_2 to B_14: t / (e^t - 1) = 1 - t/2 + sum of c_k t^2k.
SERIES = tuple(
    bernoulli / math.factorial(2 * k) for k, bernoulli in enumerate(BERNOULLI_NUMBERS, start=1)
)


def continuous_bernoulli_log_density(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log density of grey values in [0, 1] under the continuous Bernoulli, per element.

    .. math::
        \log p(x \mid \ell) = x \ell - \log \int_0^1 e^{t \ell}\, dt
        = x \ell - \log \frac{e^{\ell} - 1}{\ell}, \qquad x \in [0, 1]

    Up to the term without x this is minus the binary cross-entropy, whose own constant
    makes it sum to one over {0, 1} alone. The mean is :func:`continuous_bernoulli_mean`,
    closer to 1/2 than the sigmoid of the logit.

    Args:
        x: Data in [0, 1], shape ``(*batch, pixels)``.
        logits: :math:`\ell`, a shape that broadcasts with ``x``.

    Returns:
        Log density in nats, of the broadcast shape, in float32 or wider. It may be positive.

    Raises:
        ValueError: If ``x`` leaves [0, 1].

    Source:
        Loaiza-Ganem & Cunningham (2019), *The continuous Bernoulli: fixing a pervasive
        error in variational autoencoders*.

    Example:
        >>> continuous_bernoulli_log_density(torch.tensor([0.2, 1.0]), torch.tensor([0.0, 80.0]))
        tensor([0.0000, 4.3820])
    """
    _check_unit_interval(x)
    x, logits = at_least_float32(x, logits)
    return x * logits - _log_normaliser(logits)


def continuous_bernoulli_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log density of grey images: :func:`continuous_bernoulli_log_density` summed over pixels.

    .. math::
        \log p(x \mid \ell) = x^\top \ell - \sum_i \log \frac{e^{\ell_i} - 1}{\ell_i}

    The same number, reached by a matrix product.

    Args:
        x: Data in [0, 1], shape ``(batch, pixels)``.
        logits: :math:`\ell`, shape ``(*samples, batch, pixels)`` or ``(*samples, 1, pixels)``,
            the second scoring every image under the same latents.

    Returns:
        Nats, shape ``(*samples, batch)``.

    Raises:
        ValueError: If the numbers of pixels differ, or ``x`` leaves [0, 1].

    Source:
        Loaiza-Ganem & Cunningham (2019).

    Example:
        >>> continuous_bernoulli_log_likelihood(torch.ones(3, 64), torch.zeros(5, 1, 64)).shape
        torch.Size([5, 3])
    """
    if x.shape[-1] != logits.shape[-1]:
        raise ValueError(
            f"x and logits must have the same number of pixels, "
            f"got {tuple(x.shape)} and {tuple(logits.shape)}"
        )
    _check_unit_interval(x)
    x, logits = at_least_float32(x, logits)
    return torch.einsum("...bp,bp->...b", logits, x) - _log_normaliser(logits).sum(-1)


def continuous_bernoulli_mean(logits: Tensor) -> Tensor:
    r"""Mean of the continuous Bernoulli, per element.

    .. math::
        E[x] = \frac{1}{1 - e^{-\ell}} - \frac1\ell

    Args:
        logits: :math:`\ell`, any shape.

    Returns:
        Between 0 and 1, shape of ``logits``; 1/2 at 0.

    Source:
        Loaiza-Ganem & Cunningham (2019).

    Example:
        >>> continuous_bernoulli_mean(torch.tensor([-80.0, 0.0, 2.0]))
        tensor([0.0125, 0.5000, 0.6565])
    """
    (logits,) = at_least_float32(logits)
    small = logits.abs() < SERIES_BELOW
    large = torch.where(small, 1, logits)
    series = logits * _even_polynomial(torch.where(small, logits, 0), SERIES)
    return torch.where(small, 0.5 + series, -1 / torch.expm1(-large) - 1 / large)


def continuous_bernoulli_quantile(probability: Tensor, logits: Tensor) -> Tensor:
    r"""The value below which a given share lies; of uniform numbers it makes samples.

    .. math::
        x = \frac1\ell \log\big(1 + u (e^{\ell} - 1)\big)

    Args:
        probability: :math:`u` in [0, 1], a shape that broadcasts with ``logits``.
        logits: :math:`\ell`, any shape.

    Returns:
        Values in [0, 1], of the broadcast shape.

    Source:
        The inverse of the distribution function; Loaiza-Ganem & Cunningham (2019).

    Example:
        >>> continuous_bernoulli_quantile(torch.tensor(0.5), torch.tensor([-80.0, 0.0, 2.0]))
        tensor([0.0087, 0.5000, 0.7169])
    """
    u, logits = at_least_float32(probability, logits)
    rising, size = logits > 0, logits.abs()
    # A rising density is a falling one read from the right; that keeps e^logit from overflow.
    left = torch.where(rising, 1 - u, u)
    steep = size > torch.finfo(size.dtype).eps  # under it, x is u to rounding
    slope = torch.where(steep, size, 1)
    falling = -torch.log1p(left * torch.expm1(-slope)) / slope
    x = torch.where(steep, falling.clamp(max=1), left)
    return torch.where(rising, 1 - x, x)


def _log_normaliser(logits: Tensor) -> Tensor:
    r""":math:`\log\big((e^{\ell} - 1) / \ell\big)`: half the logit, and an even rest."""
    small = logits.abs() < SERIES_BELOW
    near = torch.where(small, logits, 0)
    size = torch.where(small, 1, logits).abs()
    coefficients = [c / (2 * k) for k, c in enumerate(SERIES, start=1)]
    series = near.square() * _even_polynomial(near, coefficients)
    closed = size / 2 + torch.log(-torch.expm1(-size) / size)
    return logits / 2 + torch.where(small, series, closed)


def _even_polynomial(t: Tensor, coefficients) -> Tensor:
    """c_1 + c_2 t^2 + c_3 t^4 + ... by Horner's rule."""
    square, total = t.square(), torch.zeros_like(t)
    for coefficient in reversed(coefficients):
        total = total * square + coefficient
    return total


def _check_unit_interval(x: Tensor) -> None:
    # NaN equals nothing, itself included.
    if not torch.equal(x.clamp(0, 1), x):
        wrong = x[x.clamp(0, 1) != x][0].item()
        raise ValueError(f"x must lie between 0 and 1, got {wrong}")
