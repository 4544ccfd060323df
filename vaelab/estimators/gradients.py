r"""The gradient of :math:`E_q[f(z)]` in the parameters of q, estimated in two ways.

For a diagonal Gaussian q, both are written out for each draw, so that their means (which
must agree) and their variances (which do not) can be measured.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BASELINES = (None, "leave-one-out")


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
    away none of the mean, and most of the noise where f is far from zero;
    ``"leave-one-out"`` is the average of f over the other K - 1 draws.

    Args:
        f: A function of z, ``(K, batch, latent)`` to ``(K, batch)``.
        mean: :math:`\mu`, shape ``(batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape.
        noise: :math:`\epsilon`, standard normal, shape ``(K, batch, latent)``.
        baseline: ``None`` or ``"leave-one-out"``.

    Returns:
        Gradients in the mean and in the log-variance, each ``(K, batch, latent)``.

    Raises:
        ValueError: If the baseline is unknown, or leaves nothing over (K = 1).

    Source:
        Williams (1992); Mohamed et al. (2020); leave-one-out: Kool et al. (2019).

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
    if baseline == "leave-one-out":
        num_samples = len(noise)
        if num_samples < 2:
            raise ValueError("baseline 'leave-one-out' needs noise of 2 draws or more, got 1")
        # f - (sum - f) / (K - 1), written so that it needs the mean only.
        value = (value - value.mean(0)) * num_samples / (num_samples - 1)
    return value[..., None] * noise / standard_deviation, value[..., None] * (noise**2 - 1) / 2
