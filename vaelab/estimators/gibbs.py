r"""Sampling an energy model by a Markov chain: ratios of f suffice, and no Z is asked for.

What the chain costs instead is time: cold, it stays in one mode for longer than anybody
waits, and nothing in its own output says so. Many chains run side by side, so that their
spread gives an honest standard error (where they mix).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def gibbs_rbm(
    rbm, visible: Tensor, num_sweeps: int, generator: torch.Generator | None = None
) -> Tensor:
    r"""Block Gibbs sampling: all hidden units given the visible, all visible given the hidden.

    .. math::
        h \sim p(h \mid v), \qquad v \sim p(v \mid h)

    Args:
        rbm: A machine with ``hidden_logits(visible)`` and ``transposed()``, such as
            :class:`vaelab.exact.rbm.RBM`.
        visible: Where the chains start, 0 or 1, shape ``(chains, visible)``.
        num_sweeps: Sweeps over both layers.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        The visible units after every sweep, ``(sweeps, chains, visible)`` (no unit).

    Raises:
        ValueError: If ``num_sweeps`` is under 1.

    Source:
        Geman & Geman (1984); Hinton (2002).

    Example:
        >>> from vaelab.exact.rbm import RBM
        >>> rbm = RBM(torch.zeros(3, 2), torch.zeros(3), torch.zeros(2))
        >>> gibbs_rbm(rbm, torch.zeros(10, 3), 5, torch.Generator().manual_seed(0)).shape
        torch.Size([5, 10, 3])
    """
    _check_sweeps(num_sweeps)
    over = rbm.transposed()
    states = []
    for _ in range(num_sweeps):
        hidden = _bernoulli(rbm.hidden_logits(visible), generator)
        visible = _bernoulli(over.hidden_logits(hidden), generator)
        states.append(visible)
    return torch.stack(states)


def gibbs_ising(
    grid, spins: Tensor, num_sweeps: int, generator: torch.Generator | None = None
) -> Tensor:
    r"""Gibbs sampling of a grid, one colour of a chessboard at a time.

    .. math::
        \log \frac{p(s_i = 1 \mid \text{rest})}{p(s_i = -1 \mid \text{rest})}
        = 2 \frac{\partial \log f}{\partial s_i}

    Spins of one colour do not act on each other, so all of them are drawn at once.

    Args:
        grid: A model with ``local_field(spins)``, such as
            :class:`vaelab.exact.ising.IsingGrid`.
        spins: Where the chains start, -1 or 1, shape ``(chains, height, width)``.
        num_sweeps: Sweeps over all spins.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        The spins after every sweep, ``(sweeps, chains, height, width)`` (no unit).

    Raises:
        ValueError: If ``num_sweeps`` is under 1.

    Source:
        Geman & Geman (1984).

    Example:
        >>> from vaelab.exact.ising import IsingGrid
        >>> grid = IsingGrid.uniform(3, 3, coupling=0.2)
        >>> gibbs_ising(grid, torch.ones(10, 3, 3), 5, torch.Generator().manual_seed(0)).shape
        torch.Size([5, 10, 3, 3])
    """
    _check_sweeps(num_sweeps)
    rows, columns = (torch.arange(n) for n in spins.shape[-2:])
    black = (rows[:, None] + columns) % 2 == 0
    states = []
    for _ in range(num_sweeps):
        for colour in (black, ~black):
            drawn = 2 * _bernoulli(2 * grid.local_field(spins), generator) - 1
            spins = torch.where(colour, drawn, spins.to(drawn.dtype))
        states.append(spins)
    return torch.stack(states)


def metropolis(
    log_unnormalised: Callable[[Tensor], Tensor],
    states: Tensor,
    num_sweeps: int,
    lowest: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Metropolis sampling of binary units: propose to flip one, accept by the ratio of f.

    .. math::
        \text{accept with probability } \min\Big( 1, \frac{f(s')}{f(s)} \Big)

    Args:
        log_unnormalised: log f, known up to a constant: ``(chains, *units)`` to ``(chains,)``.
        states: Where the chains start, shape ``(chains, *units)``.
        num_sweeps: Each of as many proposals as there are units, at random places.
        lowest: The units are ``lowest`` or 1: -1 for spins, 0 for bits.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        The states after every sweep, ``(sweeps, chains, *units)`` (no unit).

    Raises:
        ValueError: If ``num_sweeps`` is under 1 or ``lowest`` is neither -1 nor 0.

    Source:
        Metropolis et al. (1953).

    Example:
        >>> flat = metropolis(
        ...     lambda s: s.sum(-1) * 0, torch.ones(10, 3), 5, -1, torch.Generator().manual_seed(0)
        ... )
        >>> flat.shape
        torch.Size([5, 10, 3])
    """
    _check_sweeps(num_sweeps)
    if lowest not in (-1, 0):
        raise ValueError(f"lowest must be -1 (spins) or 0 (bits), got {lowest}")
    chains, units = len(states), states[0].numel()
    every = torch.arange(chains)
    log_f = log_unnormalised(states)
    history = []
    for _ in range(num_sweeps):
        sites = torch.randint(units, (units, chains), generator=generator)
        log_uniform = torch.rand(units, chains, generator=generator, dtype=log_f.dtype).log()
        for site, threshold in zip(sites, log_uniform, strict=True):
            proposed = states.clone()
            flat = proposed.view(chains, units)
            flat[every, site] = lowest + 1 - flat[every, site]
            log_f_proposed = log_unnormalised(proposed)
            accepted = threshold < log_f_proposed - log_f
            log_f = torch.where(accepted, log_f_proposed, log_f)
            states = torch.where(accepted.view(-1, *[1] * (states.ndim - 1)), proposed, states)
        history.append(states)
    return torch.stack(history)


def mean_over_chains(values: Tensor) -> tuple[Tensor, Tensor]:
    r"""The mean of a statistic over chains and time, and its standard error from the chains.

    .. math::
        \bar a = \frac1C \sum_c \bar a_c, \qquad
        \mathrm{SE} = \sqrt{\frac{\sum_c (\bar a_c - \bar a)^2}{C (C - 1)}}

    The sweeps of one chain depend on each other, so each chain counts once, by its mean.

    Args:
        values: Shape ``(sweeps, chains, *statistic)``, at least 2 chains.

    Returns:
        Mean and standard error, each of the statistic's shape, in its unit.

    Raises:
        ValueError: If there are under 2 chains or no sweep.

    Source:
        Owen (2013), *Monte Carlo theory, methods and examples*, chapter 11.

    Example:
        >>> mean_over_chains(torch.tensor([[1.0, 3.0]]))
        (tensor(2.), tensor(1.))
    """
    if values.ndim < 2 or len(values) < 1 or values.shape[1] < 2:
        raise ValueError(
            f"values must have shape (sweeps, chains, *statistic) with 2 chains or more, "
            f"got {tuple(values.shape)}"
        )
    each = values.mean(0)
    return each.mean(0), each.std(0) / len(each) ** 0.5


def _bernoulli(logits: Tensor, generator: torch.Generator | None) -> Tensor:
    uniform = torch.rand(
        logits.shape, generator=generator, dtype=logits.dtype, device=logits.device
    )
    return (uniform < logits.sigmoid()).to(logits.dtype)


def _check_sweeps(num_sweeps: int) -> None:
    if num_sweeps < 1:
        raise ValueError(f"num_sweeps must be at least 1, got {num_sweeps}")
