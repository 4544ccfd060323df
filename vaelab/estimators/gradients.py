r"""The gradient of :math:`E_q[f(z)]` in the parameters of q, estimated in two ways.

For a diagonal Gaussian q, both are written out for each draw, so that their means (which
must agree) and their variances (which do not) can be measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

BASELINES = (None, "leave-one-out", "batch-mean")


@dataclass(frozen=True)
class GradientMoments:
    r"""What many draws of a gradient say about its estimator.

    Attributes:
        mean: The gradient, as estimated from all draws, ``(*shape,)``.
        variance: Of one draw, ``(*shape,)``; infinite where there is one only.
        standard_error: Of ``mean``, ``(*shape,)``.
        num_samples: K, how many draws.
    """

    mean: Tensor
    variance: Tensor
    standard_error: Tensor
    num_samples: int


def gradient_moments(draws: Tensor) -> GradientMoments:
    r"""Mean and variance of a gradient estimator, entry by entry, and the mean's standard error.

    .. math::
        \bar g = \frac1K \sum_k g_k, \qquad
        s^2 = \frac{1}{K - 1} \sum_k (g_k - \bar g)^2, \qquad
        \mathrm{SE}(\bar g) = \frac{s}{\sqrt K}

    Args:
        draws: Independent gradients, shape ``(K, *shape)``. Draws that share a baseline
            depend on one another slightly: of order 1 / K.

    Returns:
        The moments, each of shape ``(*shape,)``.

    Raises:
        ValueError: If there is no draw.

    Source:
        Elementary.

    Example:
        >>> moments = gradient_moments(torch.tensor([[1.0], [3.0]]))
        >>> moments.mean, moments.variance, moments.standard_error
        (tensor([2.]), tensor([2.]), tensor([1.]))
    """
    if draws.ndim == 0 or len(draws) == 0:
        raise ValueError(
            f"draws must have shape (K, *shape) with K at least 1, got {tuple(draws.shape)}"
        )
    mean, num_samples = draws.mean(0), len(draws)
    variance = draws.var(0) if num_samples > 1 else torch.full_like(mean, math.inf)
    return GradientMoments(mean, variance, (variance / num_samples).sqrt(), num_samples)


def reparameterised_gradients(
    f: Callable[[Tensor], Tensor], mean: Tensor, log_var: Tensor, noise: Tensor
) -> tuple[Tensor, Tensor]:
    r"""One reparameterised gradient a draw: through z, by the chain rule.

    .. math::
        \nabla_\mu = \frac{\partial f}{\partial z}, \qquad
        \nabla_{\log \sigma^2} = \frac{\partial f}{\partial z} \cdot \frac{\sigma \epsilon}{2},
        \qquad z = \mu + \sigma \epsilon

    Args:
        f: A differentiable function of z, ``(K, batch, latent)`` to ``(K, batch)``.
        mean: :math:`\mu`, shape ``(batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape.
        noise: :math:`\epsilon`, standard normal, shape ``(K, batch, latent)``.

    Returns:
        Gradients in the mean and in the log-variance, each ``(K, batch, latent)``; the
        average over K estimates the gradient of :math:`E_q[f]`.

    Source:
        Kingma & Welling (2014), section 2.4; Rezende et al. (2014).

    Example:
        >>> noise = torch.randn(1000, 1, 1, generator=torch.Generator().manual_seed(0))
        >>> by_mean, _ = reparameterised_gradients(
        ...     lambda z: z.sum(-1) * 3, torch.zeros(1, 1), torch.zeros(1, 1), noise
        ... )
        >>> by_mean.var().item()  # f is linear: every draw gives its slope
        0.0
    """
    scaled_noise = torch.exp(0.5 * log_var) * noise
    z = (mean + scaled_noise).detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)
    return slope, 0.5 * slope * scaled_noise


def score_function_gradients(
    f: Callable[[Tensor], Tensor],
    mean: Tensor,
    log_var: Tensor,
    noise: Tensor,
    baseline: str | None = None,
) -> tuple[Tensor, Tensor]:
    r"""One score-function (REINFORCE) gradient a draw: no derivative of f is needed.

    .. math::
        \nabla = \big(f(z) - b\big)\, \nabla \log q(z), \qquad
        \nabla_\mu \log q = \frac{\epsilon}{\sigma}, \quad
        \nabla_{\log \sigma^2} \log q = \frac{\epsilon^2 - 1}{2}

    Unbiased too, and far noisier. A baseline b that does not depend on the draw takes
    away none of the mean, and most of the noise where f is far from zero.
    ``"leave-one-out"`` is the average of f over the image's other K - 1 draws.
    ``"batch-mean"`` is the average over all N draws of all images, as is common: it holds
    the draw itself, so that every gradient shrinks by 1 - 1 / N on average, and what one
    image's f differs from another's stays in as noise.

    Args:
        f: A function of z, ``(K, batch, latent)`` to ``(K, batch)``.
        mean: :math:`\mu`, shape ``(batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape.
        noise: :math:`\epsilon`, standard normal, shape ``(K, batch, latent)``.
        baseline: ``None``, ``"leave-one-out"`` or ``"batch-mean"``.

    Returns:
        Gradients in the mean and in the log-variance, each ``(K, batch, latent)``.

    Raises:
        ValueError: If the baseline is unknown, or leaves nothing over: K = 1 for
            ``"leave-one-out"``, a single draw in all for ``"batch-mean"``.

    Source:
        Williams (1992); Mohamed et al. (2020), section 4; leave-one-out: Kool et al. (2019).

    Example:
        >>> noise = torch.randn(1000, 1, 1, generator=torch.Generator().manual_seed(0))
        >>> by_mean, _ = score_function_gradients(
        ...     lambda z: z.sum(-1) * 3, torch.zeros(1, 1), torch.zeros(1, 1), noise
        ... )
        >>> by_mean.var().item() > 10  # the same slope of 3, and a variance of about 18
        True
    """
    if baseline not in BASELINES:
        raise ValueError(f"baseline must be one of {BASELINES}, got {baseline!r}")
    standard_deviation = torch.exp(0.5 * log_var)
    with torch.no_grad():
        value = f(mean + standard_deviation * noise)  # (K, batch)
    independent = {"leave-one-out": len(noise), "batch-mean": value.numel()}.get(baseline, 2)
    if independent < 2:
        raise ValueError(f"baseline {baseline!r} needs noise of 2 draws or more, got {independent}")
    if baseline == "leave-one-out":
        # f - (sum - f) / (K - 1), written so that it needs the mean only.
        value = (value - value.mean(0)) * len(noise) / (len(noise) - 1)
    elif baseline == "batch-mean":
        value = value - value.mean()
    return value[..., None] * noise / standard_deviation, value[..., None] * (noise**2 - 1) / 2
