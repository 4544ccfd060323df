"""The ELBO of a Gaussian q and its gap, integrated rather than sampled, for one or two latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density
from vaelab.exact.evaluate import check_images, evaluate_log_likelihood
from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.quadrature import CHUNK_NUMBERS, latent_grid, quadrature_log_marginal

# In standard deviations of q, which has 1e-15 of its mass beyond.
HALF_WIDTH = 8.0


@dataclass(frozen=True)
class GaussianIntegral:
    """An expectation under q, and how far it can be off.

    Attributes:
        value: In nats, float64, ``(batch,)``.
        error: The most that a grid of twice the step differs by, wherever it starts,
            ``(batch,)``. Generous: for a smooth decoder halving the step squares the error.
    """

    value: Tensor
    error: Tensor


def expected_log_likelihood(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    q: GaussianQ,
    step: float = 0.25,
) -> GaussianIntegral:
    r"""The ELBO's reconstruction term by the trapezoidal rule on a grid that moves with q.

    .. math::
        E_q[\log p(x \mid z)]
        \approx \frac{\sum_k \phi(\epsilon_k) \log p(x \mid \mu + L \epsilon_k)}
        {\sum_k \phi(\epsilon_k)}

    The step is in standard deviations of q, so it does not matter how narrow q is, or
    where. What matters is how much the decoder changes within one: see ``.error``.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(points, batch)``.
        q: A Gaussian for each image, of 1 or 2 latents.
        step: Distance of neighbouring points, at most 1; in two dimensions the usual one
            takes 4,225 points an image.

    Returns:
        ``.value`` and ``.error`` in nats, each ``(batch,)``; no gradient passes.

    Raises:
        ValueError: If there are more than 2 latents, ``x`` is not a finite matrix that fits
            q, ``step`` is out of range, or the model is not float64 (``vae.double()``).

    Source:
        Trefethen & Weideman (2014), *The exponentially convergent trapezoidal rule*.

    Example:
        >>> q = GaussianQ.diagonal(torch.ones(1, 1), torch.zeros(1, 1))
        >>> expected_log_likelihood(torch.zeros(1, 1), lambda x, z: z.sum(-1) ** 2, q).value
        tensor([2.0000], dtype=torch.float64)
    """
    check_images(x)
    latent_dim = q.mean.shape[1]
    if len(x) != len(q.mean) or latent_dim not in (1, 2):
        raise ValueError(
            f"x and q must have one batch, and q 1 or 2 latents for quadrature, "
            f"got x of shape {tuple(x.shape)} and q's mean of {tuple(q.mean.shape)}"
        )
    if not 0 < step <= 1:
        raise ValueError(f"step must be positive and at most 1, got {step}")
    x, q = x.double(), GaussianQ(q.mean.double(), q.scale_tril.double())
    noise = latent_grid(latent_dim, HALF_WIDTH, step)
    weights = standard_normal_log_density(noise).sum(-1).exp()
    # Every second point each way is a rule of its own: 2 or 4 of them, one number for each point.
    side = round(len(noise) ** (1 / latent_dim))
    parity = torch.arange(side) % 2
    rule = torch.cartesian_prod(*[parity] * latent_dim).reshape(-1, latent_dim)
    rule = rule @ torch.tensor([1, 2])[:latent_dim]
    members = torch.nn.functional.one_hot(rule).double()  # (points, rules)
    sums = torch.zeros(members.shape[1], len(x), dtype=torch.float64)
    rows = max(1, CHUNK_NUMBERS // max(1, x.numel()))
    with torch.no_grad():
        for start in range(0, len(noise), rows):
            some = slice(start, start + rows)
            values = evaluate_log_likelihood(log_likelihood, x, q.transform(noise[some, None]))
            sums += (weights[some, None] * members[some]).T @ values
    shares = weights @ members
    value = sums.sum(0) / shares.sum()
    return GaussianIntegral(value, (sums / shares[:, None] - value).abs().amax(0))


def quadrature_elbo(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    q: GaussianQ,
    step: float = 0.25,
) -> GaussianIntegral:
    r"""The exact ELBO of a Gaussian q: reconstruction integrated, KL in closed form.

    .. math::
        \mathrm{ELBO} = E_q[\log p(x \mid z)] - \mathrm{KL}(q \,\|\, p(z))

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(points, batch)``.
        q: A Gaussian for each image, such as ``GaussianQ.diagonal(*vae.encode(x))``.
        step: Distance of neighbouring points, in standard deviations of q.

    Returns:
        ``.value`` and ``.error`` in nats, each ``(batch,)``.

    Raises:
        ValueError: As :func:`expected_log_likelihood`.

    Source:
        Kingma & Welling (2014), equation 3.

    Example:
        >>> from vaelab.exact.linear_gaussian import LinearGaussian
        >>> x = torch.zeros(1, 1, dtype=torch.float64)
        >>> model = LinearGaussian(x + 1, x[0], noise_var=1.0)
        >>> q = GaussianQ.full(*model.posterior(x))
        >>> quadrature_elbo(x, model.log_likelihood, q).value  # its log p(x)
        tensor([-1.2655], dtype=torch.float64)
    """
    reconstruction = expected_log_likelihood(x, log_likelihood, q, step)
    kl = GaussianQ(q.mean.double(), q.scale_tril.double()).kl_to_prior().detach()
    return GaussianIntegral(reconstruction.value - kl, reconstruction.error)


def quadrature_kl(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    q: GaussianQ,
    step: float = 0.25,
    half_width: float = 7.0,
    prior_step: float = 0.05,
) -> GaussianIntegral:
    r"""The exact KL(q || p(z | x)), the variational gap, as log p(x) less the ELBO.

    .. math::
        \mathrm{KL}(q \,\|\, p(z \mid x)) = \log p(x) - \mathrm{ELBO}

    Both from integrals of their own: the ELBO's follows q, and log p(x)'s the prior.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, nats of shape ``(points, batch)``.
        q: A Gaussian for each image, of 1 or 2 latents.
        step: Distance of neighbouring points of q's grid, in its standard deviations.
        half_width: How far the prior's grid reaches each way.
        prior_step: Distance of that grid's points.

    Returns:
        ``.value`` in nats and the sum of both integrals' ``.error``, each ``(batch,)``. It
        may be negative by as much as the error.

    Raises:
        ValueError: As :func:`expected_log_likelihood` and
            :func:`vaelab.exact.quadrature.quadrature_log_marginal`.

    Source:
        Jordan et al. (1999); Cremer et al. (2018).

    Example:
        >>> from vaelab.exact.linear_gaussian import LinearGaussian
        >>> x = torch.zeros(1, 1, dtype=torch.float64)
        >>> model = LinearGaussian(x + 1, x[0], noise_var=1.0)
        >>> q = GaussianQ.diagonal(x, x)  # the prior, against N(0, 1/2)
        >>> quadrature_kl(x, model.log_likelihood, q).value
        tensor([0.1534], dtype=torch.float64)
    """
    elbo = quadrature_elbo(x, log_likelihood, q, step)
    truth = quadrature_log_marginal(x, log_likelihood, q.mean.shape[1], half_width, prior_step)
    return GaussianIntegral(truth.log_marginal - elbo.value, truth.error + elbo.error)
