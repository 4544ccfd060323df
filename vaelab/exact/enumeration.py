"""Every state of a few binary variables, one after another: exact, at twice the price a bit."""

from __future__ import annotations

import torch
from torch import Tensor

MAX_BITS = 26
# The largest array a chunk may make, in numbers: 2**20 float64 are 8 MiB.
CHUNK_NUMBERS = 2**20


def check_enumerable(bits: int, most: int = MAX_BITS) -> int:
    r"""Refuse to enumerate what would take hours or all the memory.

    .. math::
        \text{states} = 2^{\text{bits}}

    Args:
        bits: Number of binary variables.
        most: The largest number allowed.

    Returns:
        The number of states, 2 to the power of ``bits`` (no unit).

    Raises:
        ValueError: If ``bits`` is negative or above ``most``.

    Source:
        None: arithmetic.

    Example:
        >>> check_enumerable(10)
        1024
    """
    if bits < 0:
        raise ValueError(f"bits must not be negative, got {bits}")
    if bits > most:
        raise ValueError(
            f"bits must be at most {most} for enumeration, got {bits}: each doubles the number "
            f"of states, and {bits} of them have 2^{bits} = {2.0 ** min(bits, 1000):.2g}"
            f"{' or more' if bits > 1000 else ''}"
        )
    return 2**bits


def binary_states(
    bits: int, start: int = 0, stop: int | None = None, dtype: torch.dtype = torch.float64
) -> Tensor:
    r"""States of binary variables in the order of counting, the last bit fastest.

    .. math::
        x \in \{0, 1\}^{\text{bits}}

    Args:
        bits: Number of variables, at most 26.
        start: First state, a number from 0.
        stop: One past the last; all of them if left out.
        dtype: Of the result.

    Returns:
        Zeros and ones, shape ``(stop - start, bits)`` (no unit).

    Raises:
        ValueError: If there are more than 26 bits, or the range is not one of states.

    Source:
        None: counting in base two.

    Example:
        >>> binary_states(2)
        tensor([[0., 0.],
                [0., 1.],
                [1., 0.],
                [1., 1.]], dtype=torch.float64)
    """
    count = check_enumerable(bits)
    stop = count if stop is None else stop
    if not 0 <= start <= stop <= count:
        raise ValueError(f"start and stop must be from 0 to {count}, got {start} and {stop}")
    numbers = torch.arange(start, stop)
    return ((numbers[:, None] >> torch.arange(bits - 1, -1, -1)) & 1).to(dtype)


def _halves(coupling: Tensor, field: Tensor):
    r"""log f of all spins in blocks: upper half of the spins in rows, lower half in columns.

    With s = (t, l), :math:`\log f = \log f(t) + \log f(l) + t^\top J_{tl}\, l`: one matrix
    product scores every pair of half-states, in n operations a state where the quadratic
    form takes n squared.
    """
    spins = len(field)
    if coupling.shape != (spins, spins) or field.ndim != 1:
        raise ValueError(
            f"coupling must have shape (spins, spins) and field (spins,), "
            f"got {tuple(coupling.shape)} and {tuple(field.shape)}"
        )
    check_enumerable(spins)
    if bool(coupling.diagonal().any()) or not torch.allclose(coupling, coupling.T):
        raise ValueError("coupling must be symmetric with a zero diagonal, got one that is not")
    half = spins // 2
    top, low = (2 * binary_states(n, dtype=field.dtype) - 1 for n in (half, spins - half))

    def inner(states: Tensor, part: slice) -> Tensor:
        return 0.5 * ((states @ coupling[part, part]) * states).sum(-1) + states @ field[part]

    log_top, log_low = inner(top, slice(half)), inner(low, slice(half, None))
    across = coupling[:half, half:] @ low.T  # (half, low states)
    rows = max(1, CHUNK_NUMBERS // len(low))
    for start in range(0, len(top), rows):
        some = slice(start, start + rows)
        block = torch.addmm(log_low, top[some], across).add_(log_top[some, None])
        yield top[some], low, block


def spin_log_normaliser(coupling: Tensor, field: Tensor) -> Tensor:
    r"""log Z of spins that act on each other in pairs, over all their states.

    .. math::
        Z = \sum_{s \in \{-1, 1\}^n} \exp\big( \tfrac12 s^\top J s + h^\top s \big)

    Args:
        coupling: J, symmetric with a zero diagonal, shape ``(spins, spins)``.
        field: h, shape ``(spins,)``, at most 26 spins (67 million states, about a second).

    Returns:
        Nats, a scalar; no gradient passes.

    Raises:
        ValueError: If the shapes disagree, J is not symmetric, or there are over 26 spins.

    Source:
        MacKay (2003), section 31.1.

    Example:
        >>> spin_log_normaliser(torch.zeros(3, 3), torch.zeros(3))  # 3 log 2
        tensor(2.0794)
    """
    with torch.no_grad():
        sums = []
        for _, _, block in _halves(coupling, field):
            largest = block.max()
            sums.append(largest + block.sub_(largest).exp_().sum().log())  # in place: twice as fast
        return torch.stack(sums).logsumexp(0)


def spin_moments(coupling: Tensor, field: Tensor) -> tuple[Tensor, Tensor]:
    r"""Means and products of spins that act on each other in pairs, over all their states.

    .. math::
        E[s_i] = \frac{\partial \log Z}{\partial h_i}, \qquad
        E[s_i s_j] = \frac{\partial \log Z}{\partial J_{ij}}

    Args:
        coupling: J, symmetric with a zero diagonal, shape ``(spins, spins)``.
        field: h, shape ``(spins,)``, at most 26 spins.

    Returns:
        :math:`E[s]`, shape ``(spins,)``, and :math:`E[s s^\top]`, shape ``(spins, spins)``
        with ones on the diagonal (no unit).

    Raises:
        ValueError: If the shapes disagree, J is not symmetric, or there are over 26 spins.

    Source:
        MacKay (2003), section 31.1.

    Example:
        >>> mean, product = spin_moments(torch.zeros(2, 2), torch.tensor([0.0, 1.0]))
        >>> mean  # tanh(0), tanh(1)
        tensor([0.0000, 0.7616])
    """
    log_z = spin_log_normaliser(coupling, field)
    half = len(field) // 2
    product = torch.zeros_like(coupling)
    mean = torch.zeros_like(field)
    low_share: Tensor | float = 0.0
    with torch.no_grad():
        for top, low, block in _halves(coupling, field):
            share = block.sub_(log_z).exp_()  # (top states, low states)
            top_share = share.sum(1)
            low_share = low_share + share.sum(0)
            mean[:half] += top_share @ top
            product[:half, :half] += (top_share * top.T) @ top
            product[:half, half:] += top.T @ (share @ low)
        mean[half:] = low_share @ low
        product[half:, half:] = (low_share * low.T) @ low
        product[half:, :half] = product[:half, half:].T
    return mean, product
