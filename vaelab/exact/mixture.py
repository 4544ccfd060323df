"""A latent that takes K values: then p(x) is a sum of K terms, and nothing needs estimating."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import bernoulli_log_likelihood, normal_log_density
from vaelab.exact.evaluate import check_images, evaluate_log_likelihood

# The largest array a chunk may make, in numbers: 2**20 float64 are 8 MiB.
CHUNK_NUMBERS = 2**20


@dataclass(frozen=True)
class FiniteMixture:
    r"""A model whose latent is one of K points.

    .. math::
        p(x) = \sum_{k=1}^K \pi_k\, p(x \mid z_k)

    The decoder may be anything that scores images given latents, a VAE's too. Then the
    mixture on K points of the prior is a model in its own right, whose log p(x) is exact,
    and which tends to the VAE's own as the points fill the prior.

    Attributes:
        log_prior: :math:`\log \pi_k`, shape ``(K,)``, normalised; -inf leaves a point out.
        latents: :math:`z_k`, shape ``(K, latent)``.
        log_likelihood: ``log_likelihood(x, z)`` for z of shape ``(points, 1, latent)``,
            nats of shape ``(points, batch)``.
        draw: ``draw(z, generator)``: one image for each row of z, ``(count, latent)`` to
            ``(count, pixels)``. Needed by :meth:`sample` alone.

    Raises:
        ValueError: If the shapes disagree, K is 0, or the prior does not sum to one.

    Source:
        Bishop (2006), section 9.2.

    Example:
        >>> mixture = gaussian_mixture(
        ...     torch.tensor([0.5, 0.5]).log(), mean=torch.tensor([[-1.0], [1.0]]),
        ...     log_var=torch.zeros(2, 1),
        ... )
        >>> mixture.log_marginal(torch.zeros(1, 1))  # log N(1; 0, 1), by symmetry
        tensor([-1.4189])
    """

    log_prior: Tensor
    latents: Tensor
    log_likelihood: Callable[[Tensor, Tensor], Tensor]
    draw: Callable[[Tensor, torch.Generator | None], Tensor] | None = None

    def __post_init__(self) -> None:
        k = len(self.log_prior) if self.log_prior.ndim == 1 else 0
        if k == 0 or self.latents.ndim != 2 or len(self.latents) != k:
            raise ValueError(
                f"log_prior must have shape (K,) and latents (K, latent), K at least 1, "
                f"got {tuple(self.log_prior.shape)} and {tuple(self.latents.shape)}"
            )
        total = float(self.log_prior.detach().double().logsumexp(0))
        # K numbers of this type, each rounded, sum to one only so far.
        if not abs(total) <= 100 * torch.finfo(self.log_prior.dtype).eps * max(1.0, math.log(k)):
            raise ValueError(
                f"log_prior must be normalised (logsumexp 0), its logsumexp is {total}; "
                f"log_prior.log_softmax(0) is"
            )

    @property
    def num_points(self) -> int:
        """K, the number of values the latent takes."""
        return len(self.log_prior)

    def log_joint(self, x: Tensor) -> Tensor:
        r""":math:`\log \pi_k + \log p(x \mid z_k)`, held whole.

        Args:
            x: Images, shape ``(batch, pixels)``.

        Returns:
            Nats, shape ``(K, batch)``.
        """
        return torch.cat(list(self._log_joint_chunks(check_images(x))))

    def log_marginal(self, x: Tensor) -> Tensor:
        r"""The exact :math:`\log p(x)`: K evaluations of the likelihood, a few held at a time.

        Differentiable in the prior, the latents and the decoder's weights; the gradient's
        graph, where one is kept, needs memory for all K.

        Args:
            x: Images, shape ``(batch, pixels)``.

        Returns:
            Nats, shape ``(batch,)``.
        """
        chunks = self._log_joint_chunks(check_images(x))
        return torch.stack([chunk.logsumexp(0) for chunk in chunks]).logsumexp(0)

    def responsibilities(self, x: Tensor) -> Tensor:
        r"""The exact posterior :math:`p(z_k \mid x)`, which sums to one over the K points.

        Args:
            x: Images, shape ``(batch, pixels)``.

        Returns:
            Probabilities, shape ``(K, batch)``.
        """
        return self.log_joint(x).softmax(0)

    def sample(
        self, num_samples: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw (x, k) from the joint, shapes ``(num_samples, pixels)`` and ``(num_samples,)``."""
        if self.draw is None:
            raise ValueError("draw must be given for sampling, got None")
        if num_samples < 0:
            raise ValueError(f"num_samples must not be negative, got {num_samples}")
        # By hand, since torch.multinomial stops at 2**24 categories.
        cumulative = self.log_prior.detach().double().exp().cumsum(0)
        uniform = torch.rand(
            num_samples, generator=generator, dtype=torch.float64, device=cumulative.device
        )
        picked = torch.searchsorted(cumulative, uniform * cumulative[-1], right=True)
        k = picked.clamp(max=self.num_points - 1)
        return self.draw(self.latents[k], generator), k

    def _log_joint_chunks(self, x: Tensor):
        rows = max(1, CHUNK_NUMBERS // max(1, x.numel()))
        pieces = zip(self.log_prior.split(rows), self.latents.split(rows), strict=True)
        for log_prior, latents in pieces:
            z = latents[:, None]  # (points, 1, latent)
            yield log_prior[:, None] + evaluate_log_likelihood(self.log_likelihood, x, z)


def gaussian_mixture(log_prior: Tensor, mean: Tensor, log_var: Tensor) -> FiniteMixture:
    r"""K Gaussians with diagonal covariances: the latent is the pair (mean, log-variance).

    .. math::
        p(x) = \sum_k \pi_k\, \mathcal N\big(x; \mu_k, \operatorname{diag} \sigma_k^2\big)

    Args:
        log_prior: :math:`\log \pi_k`, shape ``(K,)``, normalised.
        mean: :math:`\mu_k`, shape ``(K, pixels)``.
        log_var: :math:`\log \sigma_k^2`, same shape.

    Returns:
        A mixture whose ``log_marginal`` is a log density in nats.

    Raises:
        ValueError: If the shapes differ.

    Source:
        Bishop (2006), equation 9.7.

    Example:
        >>> x, k = gaussian_mixture(
        ...     torch.zeros(1), torch.zeros(1, 2), torch.zeros(1, 2)
        ... ).sample(3, torch.Generator().manual_seed(0))
        >>> x.shape, k
        (torch.Size([3, 2]), tensor([0, 0, 0]))
    """
    if mean.shape != log_var.shape:
        raise ValueError(
            f"mean and log_var must have the same shape, "
            f"got {tuple(mean.shape)} and {tuple(log_var.shape)}"
        )

    def log_likelihood(x: Tensor, z: Tensor) -> Tensor:
        return normal_log_density(x, *z.chunk(2, -1)).sum(-1)

    def draw(z: Tensor, generator: torch.Generator | None) -> Tensor:
        mean, log_var = z.chunk(2, -1)
        noise = torch.randn(mean.shape, generator=generator, dtype=z.dtype, device=z.device)
        return mean + torch.exp(0.5 * log_var) * noise

    return FiniteMixture(log_prior, torch.cat([mean, log_var], -1), log_likelihood, draw)


def bernoulli_mixture(log_prior: Tensor, logits: Tensor) -> FiniteMixture:
    r"""K recipes for binary images: the latent is the vector of the pixels' logits.

    .. math::
        p(x) = \sum_k \pi_k \prod_i p(x_i \mid \ell_{ki})

    Args:
        log_prior: :math:`\log \pi_k`, shape ``(K,)``, normalised.
        logits: :math:`\ell_k`, shape ``(K, pixels)``.

    Returns:
        A mixture whose ``log_marginal`` is a log probability in nats.

    Source:
        Bishop (2006), section 9.3.3.

    Example:
        >>> half = torch.tensor([0.5, 0.5]).log()
        >>> mixture = bernoulli_mixture(half, torch.tensor([[9.0], [-9.0]]))
        >>> mixture.responsibilities(torch.ones(1, 1)).flatten().round(decimals=3)
        tensor([1., 0.])
    """

    def draw(z: Tensor, generator: torch.Generator | None) -> Tensor:
        uniform = torch.rand(z.shape, generator=generator, dtype=z.dtype, device=z.device)
        return (uniform < z.sigmoid()).to(z.dtype)

    return FiniteMixture(log_prior, logits, bernoulli_log_likelihood, draw)


def prior_points(side: int, latent_dim: int = 1) -> Tensor:
    r"""Points that stand for the prior N(0, I), equally likely: its quantiles on each axis.

    .. math::
        z_k = \Phi^{-1}\Big(\frac{k - 1/2}{m}\Big), \qquad k = 1, \dots, m

    With these as latents and a prior of 1/K each, a mixture's log p(x) tends to the
    continuous model's as K grows, at the pace of a Riemann sum.

    Args:
        side: m, points on each axis.
        latent_dim: d.

    Returns:
        Shape ``(K, latent)`` with :math:`K = m^d`, float64; their log prior is -log K nats.

    Raises:
        ValueError: If a number is under 1, or K is over ten million.

    Source:
        Owen (2013), *Monte Carlo theory, methods and examples*, chapter 4 (inversion).

    Example:
        >>> prior_points(3).flatten()
        tensor([-0.9674,  0.0000,  0.9674], dtype=torch.float64)
    """
    if side < 1 or latent_dim < 1:
        raise ValueError(f"side and latent_dim must be at least 1, got {side} and {latent_dim}")
    if side**latent_dim > 10_000_000:
        raise ValueError(
            f"side ** latent_dim must be at most ten million, got {side} ** {latent_dim}: "
            f"the points of a grid grow as a power of its dimension"
        )
    shares = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    axis = torch.special.ndtri(shares)
    return torch.cartesian_prod(*[axis] * latent_dim).reshape(-1, latent_dim)
