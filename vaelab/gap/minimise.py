"""Many small minimisations at once: L-BFGS with a step length and a memory for each problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# A step must gain at least this share of what the slope promises (Armijo's rule).
SUFFICIENT = 1e-4
# The most by which one step may change one number. All parameters here are means in units
# of the prior, log-variances or slopes: a longer step leaves the region the slope knows of.
LONGEST = 1.0
# Below this step length a problem has gone as far as rounding lets it.
SHORTEST = 1e-9


@dataclass
class _State:
    """Where each problem is, n of them, with its memory of the last m accepted steps."""

    index: Tensor  # (n,)
    point: Tensor  # (n, params)
    value: Tensor  # (n,)
    gradient: Tensor  # (n, params)
    direction: Tensor  # (n, params)
    length: Tensor  # (n,)
    steps: Tensor  # (m, n, params)
    bends: Tensor  # (m, n, params), the gradient's change over each step
    inverse: Tensor  # (m, n), 1 / (step . bend), or 0 where nothing was learnt

    def keep(self, mask: Tensor) -> None:
        for name in ("index", "point", "value", "gradient", "direction", "length"):
            setattr(self, name, getattr(self, name)[mask])
        for name in ("steps", "bends", "inverse"):
            setattr(self, name, getattr(self, name)[:, mask])


def minimise_each(
    loss: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
    at_once: int | None = None,
    tolerance: float = 1e-6,
    evaluations: int = 200,
    memory: int = 10,
) -> tuple[Tensor, Tensor]:
    r"""Minimise each of P independent functions, all in step.

    .. math::
        \min_{\lambda_i} f_i(\lambda_i), \qquad i = 1, \dots, P

    Every round evaluates each unfinished function once, with its gradient, at its own
    trial point: an accepted trial starts a new L-BFGS direction, a refused one is tried
    again nearer. So no problem waits for another's line search, and finished ones cost
    nothing.

    Args:
        loss: ``loss(parameters, index)``: parameters ``(n, params)`` of the problems
            ``index`` ``(n,)`` to their values ``(n,)``, differentiable. Where it is not
            finite, a trial is refused.
        start: Starting points, shape ``(P, params)``.
        at_once: Problems that ``loss`` gets in one call at most, which bounds its memory;
            all of them if left out. It changes nothing else.
        tolerance: Stop a problem when the next step promises less than this, in units of
            the loss (or when rounding hides the gain).
        evaluations: Rounds at most.
        memory: Steps that L-BFGS remembers.

    Returns:
        The best points ``(P, params)`` and their values ``(P,)``, in units of the loss;
        infinite where the loss at the start is not finite.

    Source:
        Nocedal & Wright (2006), *Numerical optimization*, algorithms 7.4 and 3.1.

    Example:
        >>> target = torch.tensor([[3.0], [-1.0]])
        >>> point, value = minimise_each(
        ...     lambda p, index: (p - target[index]).square().sum(-1), torch.zeros(2, 1)
        ... )
        >>> point.flatten().round(decimals=3)
        tensor([ 3., -1.])
    """

    def evaluate(point: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        size = max(1, at_once or len(index))
        parts = zip(point.split(size), index.split(size), strict=True)
        values, gradients = zip(*[_evaluate(loss, *part) for part in parts], strict=True)
        return torch.cat(values), torch.cat(gradients)

    best_point = start.detach().clone()
    index = torch.arange(len(start), device=start.device)
    best_value, gradient = evaluate(best_point, index)
    blank = start.new_zeros(memory, *start.shape)
    state = _State(
        index,
        best_point.clone(),
        best_value.clone(),
        gradient,
        _capped(-gradient),
        torch.ones_like(best_value),
        blank,
        blank,
        start.new_zeros(memory, len(start)),
    )
    state.keep(best_value.isfinite() & gradient.isfinite().all(-1))
    for _ in range(evaluations):
        unfinished = _promise(state) > _least_promise(state, tolerance)
        state.keep(unfinished & (state.length > SHORTEST))
        if len(state.index) == 0:
            break
        _round(evaluate, state)
        best_point[state.index], best_value[state.index] = state.point, state.value
    return best_point, best_value


def _evaluate(loss, point: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """Values ``(n,)``, infinite where they are not finite, and gradients ``(n, params)``."""
    if len(index) == 0:
        return point.new_zeros(0), torch.zeros_like(point)
    with torch.enable_grad():
        point = point.detach().requires_grad_()
        value = loss(point, index)
        (gradient,) = torch.autograd.grad(value.sum(), point)
    return torch.where(value.isfinite(), value, torch.inf).detach(), gradient


def _promise(state: _State) -> Tensor:
    """Twice what a full step would gain if the loss were quadratic, ``(n,)``."""
    return -(state.gradient * state.direction).sum(-1)


def _least_promise(state: _State, tolerance: float) -> Tensor:
    return (10 * torch.finfo(state.value.dtype).eps * state.value.abs()).clamp(min=tolerance)


def _capped(direction: Tensor) -> Tensor:
    longest = direction.abs().amax(-1, keepdim=True)
    return direction * (LONGEST / longest.clamp(min=LONGEST))


def _round(evaluate: Callable, state: _State) -> None:
    """Try one point for each problem, and move those that gained."""
    step = state.length[:, None] * state.direction
    trial = state.point + step
    value, gradient = evaluate(trial, state.index)
    promised = state.length * _promise(state)
    rounding = torch.finfo(value.dtype).eps * state.value.abs()
    accepted = (value <= state.value - SUFFICIENT * promised + rounding) & gradient.isfinite().all(
        -1
    )

    _remember(state, accepted, step, gradient - state.gradient)
    # The parabola through both values and the slope has its minimum at this part of the step.
    part = promised / (2 * (value - state.value + promised))
    shorter = state.length * part.nan_to_num(nan=0.1).clamp(0.1, 0.5)
    state.length = torch.where(accepted, 1.0, shorter)
    moved = accepted[:, None]
    state.point = torch.where(moved, trial, state.point)
    state.value = torch.where(accepted, value, state.value)
    state.gradient = torch.where(moved, gradient, state.gradient)
    state.direction = torch.where(moved, _lbfgs_direction(state), state.direction)


def _remember(state: _State, accepted: Tensor, step: Tensor, bend: Tensor) -> None:
    """Push the accepted steps that curve upwards; L-BFGS can use no others."""
    product = (step * bend).sum(-1)
    learn = accepted & (product > 1e-10 * step.norm(dim=-1) * bend.norm(dim=-1))
    inverse = torch.where(learn, 1 / product, 0.0)

    def push(past: Tensor, new: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask, torch.cat([past[1:], new[None]]), past)

    state.steps = push(state.steps, step, learn[:, None])
    state.bends = push(state.bends, bend, learn[:, None])
    state.inverse = push(state.inverse, inverse, learn)


def _lbfgs_direction(state: _State) -> Tensor:
    """Minus the gradient times the inverse Hessian that the memory suggests, ``(n, params)``."""
    direction = -state.gradient
    shares = []
    for step, bend, inverse in zip(
        state.steps.flip(0), state.bends.flip(0), state.inverse.flip(0), strict=True
    ):
        share = inverse * (step * direction).sum(-1)
        direction = direction - share[:, None] * bend
        shares.append(share)
    newest, squared = state.inverse[-1], state.bends[-1].square().sum(-1)
    scale = torch.where(newest > 0, 1 / (newest * squared), 1.0)
    direction = direction * scale[:, None]
    for step, bend, inverse, share in zip(
        state.steps, state.bends, state.inverse, reversed(shares), strict=True
    ):
        correction = share - inverse * (bend * direction).sum(-1)
        direction = direction + correction[:, None] * step
    return _capped(direction)
