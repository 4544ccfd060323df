"""Calling somebody else's loss: input that any loss can read, and errors that say what broke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Inputs:
    """What one call of a loss is given.

    Attributes:
        x: Data, shape ``(batch, pixels)``.
        output: Decoder's output, same shape.
        mean: Of q(z | x), shape ``(batch, latent)``.
        spread: The loss's fourth argument, log-variance or whatever it takes it for.
    """

    x: Tensor
    output: Tensor
    mean: Tensor
    spread: Tensor

    def tiled(self, batch: int = 1, pixels: int = 1, latents: int = 1) -> Inputs:
        """The same numbers several times over, along the axes named."""
        return Inputs(
            self.x.repeat(batch, pixels),
            self.output.repeat(batch, pixels),
            self.mean.repeat(batch, latents),
            self.spread.repeat(batch, latents),
        )


@dataclass(frozen=True)
class Response:
    """A loss at one input, and its slopes there.

    Attributes:
        value: The loss summed over what it returned, a number.
        by_output: Gradient in the decoder's output, ``(batch, pixels)``.
        by_mean: Gradient in the mean, ``(batch, latent)``.
        by_spread: Gradient in the fourth argument, ``(batch, latent)``.
        per_image: Whether the loss returned one number an image.
    """

    value: float
    by_output: Tensor
    by_mean: Tensor
    by_spread: Tensor
    per_image: bool


def draw_inputs(
    levels: Tensor,
    shape: tuple[int, int, int],
    seed: int,
    positive_spread: bool = False,
) -> Inputs:
    r"""Make random input that any loss can read.

    .. math::
        o \in (0.05, 0.95), \qquad \mu \sim \mathcal N(0, 1.5^2), \qquad
        t \in (-2, 2) \text{ or } (0.2, 2)

    Outputs in that interval may be probabilities, logits or means alike.

    Args:
        levels: Values a pixel can take, shape ``(levels,)``.
        shape: Batch, pixels and latents.
        seed: Of a generator of its own.
        positive_spread: Keep the fourth argument positive, for losses that take its
            logarithm or root.

    Returns:
        The input, float64.

    Source:
        This project.

    Example:
        >>> draw_inputs(torch.tensor([0.0, 1.0]), (4, 3, 2), seed=0).mean.shape
        torch.Size([4, 2])
    """
    batch, pixels, latents = shape
    like = {"generator": torch.Generator().manual_seed(seed), "dtype": torch.float64}
    picked = torch.randint(len(levels), (batch, pixels), generator=like["generator"])
    low = 0.2 if positive_spread else -2.0
    return Inputs(
        x=levels.double()[picked],
        output=0.05 + 0.9 * torch.rand(batch, pixels, **like),
        mean=1.5 * torch.randn(batch, latents, **like),
        spread=low + (2.0 - low) * torch.rand(batch, latents, **like),
    )


def respond(loss: Loss, inputs: Inputs) -> Response:
    r"""Call a loss and take its gradients in everything but the data.

    .. math::
        \ell, \quad \frac{\partial \ell}{\partial o}, \quad
        \frac{\partial \ell}{\partial \mu}, \quad \frac{\partial \ell}{\partial t}

    Args:
        loss: ``loss(x, decoder_output, mean, log_var)``.
        inputs: What to call it with.

    Returns:
        Value and gradients; zeros for what the loss does not use.

    Raises:
        ValueError: If the loss raises, returns something other than a finite scalar or one
            number an image, or has no gradient in the decoder's output.

    Source:
        This project.

    Example:
        >>> inputs = draw_inputs(torch.tensor([0.0, 1.0]), (4, 3, 2), seed=0)
        >>> respond(lambda x, o, m, v: 2 * o.sum(), inputs).by_output.unique()
        tensor([2.], dtype=torch.float64)
    """
    leaves = [part.clone().requires_grad_() for part in (inputs.output, inputs.mean, inputs.spread)]
    result = _call(loss, inputs.x, *leaves)
    gradients = torch.autograd.grad(result.sum(), leaves, allow_unused=True)
    if gradients[0] is None or not gradients[0].any():
        raise ValueError(
            "loss must change with decoder_output, but its gradient there is zero: is the "
            "output detached, rounded, or not used?"
        )
    gradients = [
        torch.zeros_like(leaf) if gradient is None else gradient
        for leaf, gradient in zip(leaves, gradients, strict=True)
    ]
    if not all(gradient.isfinite().all() for gradient in gradients):
        raise ValueError(
            f"loss must have finite gradients, got nan or infinity for {_shapes(*leaves[:2])}"
        )
    return Response(float(result.detach().sum()), *gradients, per_image=result.ndim == 1)


def value_of(loss: Loss, inputs: Inputs) -> float:
    r"""Call a loss for its value alone, where a slope of zero is no fault.

    .. math::
        \ell(x, o, \mu, t)

    Args:
        loss: ``loss(x, decoder_output, mean, log_var)``.
        inputs: What to call it with.

    Returns:
        The loss, summed over what it returned.

    Source:
        This project.

    Example:
        >>> inputs = draw_inputs(torch.tensor([0.0, 1.0]), (4, 3, 2), seed=0)
        >>> value_of(lambda x, o, m, v: (0 * o).sum(), inputs)
        0.0
    """
    leaves = (inputs.output.clone().requires_grad_(), inputs.mean, inputs.spread)
    return float(_call(loss, inputs.x, *leaves).detach().sum())


def _shapes(output: Tensor, mean: Tensor) -> str:
    return f"x and decoder_output {tuple(output.shape)}, mean and log_var {tuple(mean.shape)}"


def _call(loss: Loss, x: Tensor, output: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    shapes = _shapes(output, mean)
    try:
        result = loss(x.clone(), output, mean, spread)
    except Exception as error:
        raise ValueError(
            f"loss raised {type(error).__name__} for {shapes}, all float64: {error}"
        ) from error
    _check_result(result, len(x), shapes)
    return result


def _check_result(result: object, batch: int, shapes: str) -> None:
    if not isinstance(result, Tensor):
        raise ValueError(
            f"loss must return a torch tensor, got {type(result).__name__}: a number taken out "
            f"by .item() or numpy has no gradient"
        )
    if result.shape not in ((), (batch,)):
        hint = "; sum over pixels and latents first" if result.ndim > 1 else ""
        raise ValueError(
            f"loss must return a scalar or one number an image, shape ({batch},), "
            f"got {tuple(result.shape)}{hint}"
        )
    if not result.isfinite().all():
        raise ValueError(
            f"loss must be finite for x in [0, 1], outputs from 0.05 to 0.95, moderate mean and "
            f"log_var ({shapes}), got {result[~result.isfinite()].flatten()[0].item()}"
        )
    if not result.requires_grad:
        raise ValueError(
            "loss must be differentiable in decoder_output, but its result has no gradient at "
            "all: is something detached, or computed outside torch?"
        )
