"""Gradients that reach the encoder along the path through z, and by no other way.

The parameters of q act on :math:`\\log p(x, z) - \\log q(z \\mid x)` twice: by moving z, and
by changing the density q at a z that stays where it is. The second part, the score, is zero
on average and never in one draw. Both estimators here leave it out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.objectives.draws import draw_posterior, log_joint, log_posterior
from vaelab.objectives.objective import Objective


def _path_log_weights(
    vae, x: Tensor, num_samples: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Draws and log weights, the weights knowing the encoder only through the draws."""
    z, mean, log_var = draw_posterior(vae, x, num_samples, generator)
    return z, log_joint(vae, x, z) - log_posterior(z, mean.detach(), log_var.detach())


def sticking_the_landing(
    vae, x: Tensor, num_samples: int = 1, generator: torch.Generator | None = None
) -> Objective:
    r"""The ELBO, with a gradient that falls silent where q is the exact posterior.

    .. math::
        \nabla_\phi \mathcal L = E_\epsilon\!\left[
        \frac{\partial}{\partial z} \log \frac{p(x, z)}{q(z \mid x)}
        \, \frac{\partial z}{\partial \phi} \right], \qquad z = \mu + \sigma \epsilon

    Unbiased for encoder and decoder. At q = p(z | x) the ratio is the same for every z, so
    each draw's gradient for the encoder is zero: training that has arrived stays there.
    The value is the ELBO as :func:`elbo_from_log_ratio` estimates it.

    It is for the ELBO only: within the logarithm of :func:`iwae`, leaving out the score
    biases the gradient for K above 1 (:func:`doubly_reparameterised` does not).

    Args:
        vae: A model with ``encode(x)`` and ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        num_samples: K, draws for each image, averaged outside the logarithm.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        ``.value``, the ELBO in nats, and ``.surrogate`` to differentiate, each ``(batch,)``.

    Raises:
        ValueError: If ``num_samples`` is under 1, or the encoder's output is not finite.

    Source:
        Roeder et al. (2017), *Sticking the landing: simple, lower-variance gradient
        estimators for variational inference*.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> objective = sticking_the_landing(vae, torch.zeros(4, 64))
        >>> objective.value.shape, objective.value.requires_grad
        (torch.Size([4]), False)
    """
    _, log_weights = _path_log_weights(vae, x, num_samples, generator)
    elbo = log_weights.mean(0)
    return Objective(value=elbo.detach(), surrogate=elbo)


def doubly_reparameterised(
    vae, x: Tensor, num_samples: int = 5, generator: torch.Generator | None = None
) -> Objective:
    r"""The importance-weighted bound, with a gradient for the encoder that K does not drown.

    .. math::
        \nabla_\phi E[\log \hat p_K] = E\!\left[ \sum_k \tilde w_k^2 \,
        \frac{\partial \log w_k}{\partial z_k} \frac{\partial z_k}{\partial \phi} \right],
        \qquad
        \nabla_\theta E[\log \hat p_K] = E\!\left[ \sum_k \tilde w_k \,
        \frac{\partial \log w_k}{\partial \theta} \right]

    where :math:`\tilde w_k = w_k / \sum_l w_l`. Unbiased for both. The score term of
    :func:`iwae`'s gradient is itself reparameterised, which turns it into a second
    path through z. At K = 1 it is :func:`sticking_the_landing`. Where q is narrower than
    the posterior the weights' tails are heavy: the signal is still far better than that
    of :func:`iwae`, but need not grow with K.

    The value of the surrogate, :math:`\sum_k \tilde w_k \log w_k`, lies above the bound by
    log K less the entropy of the normalised weights: not a number to report.

    Args:
        vae: A model with ``encode(x)`` and ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``.
        num_samples: K, draws for each image.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        ``.value``, :math:`\log \hat p_K(x)` in nats, and ``.surrogate`` to differentiate,
        each ``(batch,)``.

    Raises:
        ValueError: If ``num_samples`` is under 1, or the encoder's output is not finite.

    Source:
        Tucker et al. (2019), *Doubly reparameterized gradient estimators for Monte Carlo
        objectives*, which also shows the bias told of in :func:`sticking_the_landing`.

    Example:
        >>> from vaelab.models.vae import VAE
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> objective = doubly_reparameterised(vae, torch.zeros(4, 64), num_samples=10)
        >>> bool((objective.surrogate >= objective.value).all())
        True
    """
    z, log_weights = _path_log_weights(vae, x, num_samples, generator)
    normalised = log_weights.detach().softmax(0)  # (K, batch)
    if z.requires_grad:
        # The sum below already brings one factor of the weight, to encoder and decoder;
        # what goes on through z, to the encoder alone, gets the second.
        z.register_hook(lambda gradient: gradient * normalised[..., None])
    return Objective(
        value=log_weights.detach().logsumexp(0) - math.log(num_samples),
        surrogate=(normalised * log_weights).sum(0),
    )
