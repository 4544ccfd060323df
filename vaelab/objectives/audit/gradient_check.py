"""Whether a loss's gradient is the slope of its value, or something in it is detached."""

from __future__ import annotations

import dataclasses

import torch

from vaelab.objectives.audit.probe import Inputs, Loss, Response, value_of

STEP = 1e-3
# Of the slope: room for float32 and for kinks, while a detached term is missed by far more.
MISFIT = 0.02


def detached_arguments(loss: Loss, inputs: Inputs, response: Response) -> tuple[str, ...]:
    r"""Name the arguments in which the gradient is not the slope of the value.

    .. math::
        \frac{\ell(a + h v) - \ell(a - h v)}{2 h} \ne \langle \nabla_a \ell, v \rangle

    Args:
        loss: ``loss(x, decoder_output, mean, log_var)``.
        inputs: Where to look.
        response: What the loss answered there.

    Returns:
        Names among ``decoder_output``, ``mean`` and ``log_var``; none if all is well.

    Source:
        Central differences: any text on numerical analysis.

    Example:
        >>> from vaelab.objectives.audit.probe import draw_inputs, respond
        >>> inputs = draw_inputs(torch.tensor([0.0, 1.0]), (4, 3, 2), seed=0)
        >>> loss = lambda x, o, m, v: (x - o).square().sum() + m.detach().square().sum()
        >>> detached_arguments(loss, inputs, respond(loss, inputs))
        ('mean',)
    """
    found = []
    for field, name, gradient in (
        ("output", "decoder_output", response.by_output),
        ("mean", "mean", response.by_mean),
        ("spread", "log_var", response.by_spread),
    ):
        at = getattr(inputs, field)
        # Small and of one sign, so that terms with slopes of one sign cannot cancel by chance.
        generator = torch.Generator().manual_seed(0)
        direction = torch.rand(at.shape, generator=generator, dtype=at.dtype) * at.sign()
        up, down = (
            value_of(loss, dataclasses.replace(inputs, **{field: at + sign * STEP * direction}))
            for sign in (1, -1)
        )
        slope, expected = (up - down) / (2 * STEP), float((gradient * direction).sum())
        size = float((gradient * direction).abs().sum())
        rounding = 1e-6 * abs(response.value) / STEP  # of a loss computed in float32
        if abs(slope - expected) > MISFIT * max(size, abs(slope)) + rounding:
            found.append(name)
    return tuple(found)
