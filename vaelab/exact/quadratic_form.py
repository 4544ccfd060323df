"""Distribution of a weighted sum of squared normals, to full relative precision in its low tail."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# The contour's points, in standard deviations of the integrand at its peak: it falls to 1e-16
# of the peak before the last, and the trapezoidal rule's error is below rounding at this step.
_NODES = torch.arange(0.0, 12.0, 0.15, dtype=torch.float64)
_BISECTIONS = 30
_NEWTON_STEPS = 30


def quadratic_form_log_cdf(scales: Tensor, shifts: Tensor, threshold: Tensor) -> Tensor:
    r"""Log probability that a weighted sum of squared normals is at most a threshold.

    .. math::
        Q = \sum_j \lambda_j (\varepsilon_j + a_j)^2, \quad
        P(Q \le t) = \frac{1}{2 \pi i} \int \frac{e^{s t}}{s}\, E\big[e^{-s Q}\big]\, ds, \quad
        E\big[e^{-s Q}\big] = \prod_j \frac{e^{-s \lambda_j a_j^2 / (1 + 2 \lambda_j s)}}
        {(1 + 2 \lambda_j s)^{1/2}}

    with independent standard normal :math:`\varepsilon_j`. The integral is taken along a
    parabola through the saddle point, where nothing cancels, so that a probability of
    :math:`10^{-40}` has as many right digits as one of a half.

    Args:
        scales: :math:`\lambda_j`, positive, shape ``(terms,)``.
        shifts: :math:`a_j`, shape ``(batch, terms)``.
        threshold: t, positive, shape ``(batch,)``.

    Returns:
        At most 0 (nats), shape ``(batch,)``; about ten digits of the probability are right.

    Raises:
        ValueError: If the shapes disagree, or a scale or threshold is not positive and finite.

    Source:
        Inversion of a Laplace transform along a parabola: Weideman & Trefethen (2007).

    Example:
        >>> one = torch.ones(2, dtype=torch.float64)  # half of Q is an exponential variable
        >>> quadratic_form_log_cdf(one, torch.zeros(1, 2).double(), 2 * one[:1]).exp()
        tensor([0.6321], dtype=torch.float64)
    """
    _check(scales, shifts)
    if threshold.shape != shifts.shape[:1]:
        raise ValueError(
            f"threshold must have shape (batch,) = {tuple(shifts.shape[:1])}, "
            f"got {tuple(threshold.shape)}"
        )
    if not bool((threshold.isfinite() & (threshold > 0)).all()):
        raise ValueError(f"threshold must be positive and finite, got {float(threshold.min())}")
    return _log_probabilities(scales, shifts, threshold)[0]


def quadratic_form_quantile(scales: Tensor, shifts: Tensor, probability: float) -> Tensor:
    r"""The threshold that a weighted sum of squared normals keeps to with a given probability.

    .. math::
        t \quad \text{such that} \quad
        P\Big(\sum_j \lambda_j (\varepsilon_j + a_j)^2 \le t\Big) = \text{probability}

    Args:
        scales: :math:`\lambda_j`, positive, shape ``(terms,)``.
        shifts: :math:`a_j`, shape ``(batch, terms)``.
        probability: Over 0 and under 1.

    Returns:
        Shape ``(batch,)``, in the unit of the scales (not nats).

    Raises:
        ValueError: If the shapes disagree, a scale is not positive and finite, or the
            probability is not between 0 and 1.

    Source:
        Newton's method on the logit of :func:`quadratic_form_log_cdf`.

    Example:
        >>> one = torch.ones(2, dtype=torch.float64)
        >>> quadratic_form_quantile(one, torch.zeros(1, 2).double(), 0.5)  # 2 log 2
        tensor([1.3863], dtype=torch.float64)
    """
    _check(scales, shifts)
    if not 0 < probability < 1:
        raise ValueError(f"probability must be over 0 and under 1, got {probability}")
    wanted = math.log(probability) - math.log1p(-probability)
    log_t = (scales * (1 + shifts.square())).sum(-1).log()  # that of the mean
    for _ in range(_NEWTON_STEPS):
        log_cdf, log_rest, log_density = _log_probabilities(scales, shifts, log_t.exp())
        slope = (log_density + log_t - log_cdf - log_rest).exp()  # of the logit, in log t
        step = ((wanted - (log_cdf - log_rest)) / slope).clamp(-1, 1)
        log_t = log_t + step
        if bool((step.abs() < 1e-10).all()):
            break
    return log_t.exp()


def _check(scales: Tensor, shifts: Tensor) -> None:
    if scales.ndim != 1 or shifts.ndim != 2 or shifts.shape[1:] != scales.shape:
        raise ValueError(
            f"scales must have shape (terms,) and shifts (batch, terms), "
            f"got {tuple(scales.shape)} and {tuple(shifts.shape)}"
        )
    if len(scales) == 0 or not bool((scales.isfinite() & (scales > 0)).all()):
        raise ValueError(f"scales must be positive and finite, at least one, got {scales.tolist()}")
    if not bool(shifts.isfinite().all()):
        raise ValueError(f"shifts must be finite, got {float(shifts[~shifts.isfinite()][0])}")


def _log_probabilities(scales: Tensor, shifts: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    """Log of P(Q <= t), of P(Q > t) and of the density at t, from one contour: each (batch,).

    To the right of the pole at s = 0 the integral gives the first, to its left minus the
    second. The smaller of the two is taken, up to the mean and beyond it.
    """
    squares = shifts.square()
    below = t <= (scales * (1 + squares)).sum(-1)
    saddle = _saddle(scales, squares, t, below)[:, None]
    # The contour bends left along the steepest descent of the exponent s t + log E[exp(-s Q)],
    # from its second and third derivatives, and its points stand closer by a pole close by.
    one = 1 + 2 * scales * saddle  # (batch, terms)
    second = ((2 + 4 * squares / one) * (scales / one).square()).sum(-1, keepdim=True)
    third = ((8 + 24 * squares / one) * (scales / one) ** 3).sum(-1, keepdim=True)
    bend = third / (6 * second)
    scale = (second + saddle.square().reciprocal()).rsqrt()

    u = _NODES.to(t.device) * scale
    s = torch.complex(saddle - bend * u.square(), u)  # (batch, nodes)
    exponent = s * t[:, None]
    for term, square in zip(scales, squares.T, strict=True):  # one by one: less memory
        one = 1 + 2 * term * s
        exponent = exponent - 0.5 * one.log() - square[:, None] * term * s / one
    peak = exponent.real[:, :1]
    values = (exponent - peak).exp() * torch.complex(torch.ones_like(u), 2 * bend * u)
    values[:, 0] /= 2  # the other half of the contour is the mirror image of this one
    weight = (scale * _NODES[1] / math.pi).log()[:, 0] + peak[:, 0]
    tail = weight + (values / s).sum(-1).real.abs().log()
    density = weight + values.sum(-1).real.log()
    rest = torch.log1p(-tail.exp())
    return torch.where(below, tail, rest), torch.where(below, rest, tail), density


def _saddle(scales: Tensor, squares: Tensor, t: Tensor, below: Tensor) -> Tensor:
    """Where the exponent is least, by bisection: on s > 0, or between 0 and its singularity."""
    edge = -0.5 / scales.max()
    low = torch.where(below, t.reciprocal(), edge)
    high = torch.where(below, (1 + 0.5 * len(scales) + squares.sum(-1) / 8) / t, 0.0)
    for _ in range(_BISECTIONS):
        s = (low + high) / 2
        one = 1 + 2 * scales * s[:, None]
        slope = t - (scales / one * (1 + squares / one)).sum(-1) - s.reciprocal()
        low, high = torch.where(slope < 0, s, low), torch.where(slope < 0, high, s)
    return (low + high) / 2
