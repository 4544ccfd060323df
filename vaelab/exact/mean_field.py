r"""A lower bound on log Z from independent units, hence an upper bound on log p(x).

The inequality that gives a variational autoencoder its ELBO, used on an energy model: there
it bounds the normaliser over x from below, so that log p(x) = log f(x) - log Z is bounded
from *above*. Raising that upper bound raises no likelihood: training becomes a game.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

LOWEST_VALUES = (-1, 0)


def mean_field_bound(
    log_unnormalised: Callable[[Tensor], Tensor], mean: Tensor, lowest: int
) -> Tensor:
    r"""The bound on log Z of independent units with given means.

    .. math::
        \log Z \ge E_q[\log f(x)] + H(q), \qquad q(x) = \prod_i q_i(x_i)

    with equality for q = p alone; what is missing is KL(q || p). Where log f is linear in
    each unit, as in an Ising model or in both layers of a Boltzmann machine, its mean under
    independent units is log f *of their means*, and the bound is exact, not sampled.

    Args:
        log_unnormalised: log f, linear in each unit, ``(*batch, units)`` or of any other
            shape of units to ``(*batch,)``.
        mean: Means of the units, the shape that ``log_unnormalised`` takes, without batch.
        lowest: The units are ``lowest`` or 1: -1 for spins, 0 for bits.

    Returns:
        Nats, a scalar, at most log Z.

    Raises:
        ValueError: If ``lowest`` is neither, or a mean is out of range.

    Source:
        MacKay (2003), section 33.2; Wainwright & Jordan (2008), section 5.

    Example:
        >>> from vaelab.exact.ising import IsingGrid
        >>> grid = IsingGrid.uniform(2, 2, coupling=0.0, field=1.0)
        >>> bound = mean_field_bound(grid.log_unnormalised, torch.full((2, 2), 1.0).tanh(), -1)
        >>> bool((bound - grid.log_normaliser()).abs() < 1e-6)  # no coupling: q is p
        True
    """
    _check_lowest(lowest)
    outside = ~((mean >= lowest) & (mean <= 1))  # written so that NaN is outside
    if bool(outside.any()):
        raise ValueError(f"mean must be from {lowest} to 1, got {float(mean[outside][0])}")
    probability = (mean - lowest) / (1 - lowest)  # of the value 1
    entropy = torch.special.entr(probability) + torch.special.entr(1 - probability)
    return log_unnormalised(mean) + entropy.sum()


def fit_mean_field(
    log_unnormalised: Callable[[Tensor], Tensor], mean: Tensor, lowest: int, sweeps: int = 50
) -> Tensor:
    r"""Raise the bound one unit at a time, each to its best given the others.

    .. math::
        \text{log odds of } q_i = (1 - \text{lowest}) \cdot
        \frac{\partial \log f}{\partial m_i}\Big|_{m}

    Linear in each unit, log f has a slope in :math:`m_i` that does not depend on
    :math:`m_i`. No step lowers the bound, so it converges, to a local optimum: which one
    depends on the start, and one that is symmetric may be stuck at a saddle.

    Args:
        log_unnormalised: As in :func:`mean_field_bound`.
        mean: Where to start, of the units' shape.
        lowest: -1 for spins, 0 for bits.
        sweeps: Passes over all units.

    Returns:
        The means, the shape of ``mean`` (no unit).

    Raises:
        ValueError: If ``lowest`` is neither, or ``sweeps`` is negative.

    Source:
        Bishop (2006), section 10.1.1 (coordinate ascent).

    Example:
        >>> from vaelab.exact.ising import IsingGrid
        >>> grid = IsingGrid.uniform(2, 2, coupling=0.0, field=1.0)
        >>> fit_mean_field(grid.log_unnormalised, torch.zeros(2, 2), -1, sweeps=1)  # tanh 1
        tensor([[0.7616, 0.7616],
                [0.7616, 0.7616]])
    """
    _check_lowest(lowest)
    if sweeps < 0:
        raise ValueError(f"sweeps must not be negative, got {sweeps}")
    mean = mean.detach().clone()
    for _ in range(sweeps):
        for i in range(mean.numel()):
            at = mean.clone().requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(log_unnormalised(at), at)
            probability = torch.sigmoid((1 - lowest) * slope.flatten()[i])
            mean.view(-1)[i] = lowest + (1 - lowest) * probability
    return mean


def _check_lowest(lowest: int) -> None:
    if lowest not in LOWEST_VALUES:
        raise ValueError(f"lowest must be -1 (spins) or 0 (bits), got {lowest}")
