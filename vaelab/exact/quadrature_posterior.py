"""The true posterior over one or two latents, on the grid that log p(x) is summed over."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density
from vaelab.exact.evaluate import check_images
from vaelab.exact.quadrature import latent_grid, quadrature_log_joint


@dataclass(frozen=True)
class GridPosterior:
    r"""p(z | x) as a weight for each point of a grid: Bayes' rule, point by point.

    .. math::
        w_k = \frac{p(x \mid z_k)\, p(z_k)}{\sum_l p(x \mid z_l)\, p(z_l)}, \qquad
        E[g(z) \mid x] \approx \sum_k w_k\, g(z_k)

    As exact as the quadrature of log p(x), whose ``.error`` tells how exact that is.

    Attributes:
        grid: :math:`z_k`, shape ``(points, latent)``.
        log_weights: :math:`\log w_k`, shape ``(points, batch)``; they sum to one.
        log_marginal: log p(x) in nats, shape ``(batch,)``.
        step: Distance of neighbouring points.

    Source:
        Bishop (2006), equation 1.43.
    """

    grid: Tensor
    log_weights: Tensor
    log_marginal: Tensor
    step: float

    @property
    def log_density(self) -> Tensor:
        """log p(z | x) in nats at the grid's points, ``(points, batch)``."""
        return self.log_weights - self.grid.shape[1] * math.log(self.step)

    @property
    def mean(self) -> Tensor:
        """E[z | x], shape ``(batch, latent)``."""
        return self.log_weights.exp().T @ self.grid

    @property
    def covariance(self) -> Tensor:
        """Cov[z | x], shape ``(batch, latent, latent)``."""
        deviation = self.grid[:, None] - self.mean  # (points, batch, latent)
        return torch.einsum("pb,pbi,pbj->bij", self.log_weights.exp(), deviation, deviation)

    def expectation(self, values: Tensor) -> Tensor:
        r"""E[g(z) | x], differentiable in the values.

        With ``quadrature_log_joint`` as values, its gradient in the decoder's weights is
        :math:`E[\nabla \log p(x, z) \mid x]`: by Fisher's identity, that of log p(x).

        Args:
            values: g at the grid's points, shape ``(points, batch)``, or ``(points, 1)``
                where x plays no part.

        Returns:
            Shape ``(batch,)``, in the unit of the values.

        Raises:
            ValueError: If the shape is another.
        """
        if values.ndim != 2 or len(values) != len(self.grid):
            raise ValueError(
                f"values must have shape (points, batch) or (points, 1) with "
                f"{len(self.grid)} points, got {tuple(values.shape)}"
            )
        # A point of weight 0 adds nothing, even where log p(x, z) is -inf.
        weights = self.log_weights.exp()
        return torch.where(weights > 0, weights * values, 0.0).sum(0)

    def kl_from(self, log_q: Tensor) -> Tensor:
        r"""KL(q || p(z | x)), integrated on the grid, for a q of any shape.

        .. math::
            \sum_k h^d\, q(z_k) \big( \log q(z_k) - \log p(z_k \mid x) \big)

        Only for a q that the grid resolves: with a deviation of at least the step, and
        within its ends. For a Gaussian q, :func:`vaelab.exact.quadrature_elbo.quadrature_kl`
        does without either.

        Args:
            log_q: log q(z) at the grid's points, shape ``(points, batch)`` or ``(points, 1)``.

        Returns:
            Nats, shape ``(batch,)``.

        Raises:
            ValueError: If q does not sum to one on the grid, to 1e-6.
        """
        cell = self.grid.shape[1] * math.log(self.step)
        total = (log_q + cell).logsumexp(0).exp()
        if not bool(((total - 1).abs() <= 1e-6).all()):  # written so that NaN is refused
            worst = float(total[(total - 1).abs().argmax()])
            raise ValueError(
                f"log_q must be a density that the grid resolves, got one that sums to {worst:.6g}"
            )
        share = (log_q + cell).exp()
        terms = torch.where(share > 0, share * (log_q - self.log_density), 0.0)
        return terms.sum(0)

    def prior_mass_in_use(self, share: float = 0.99) -> Tensor:
        r"""The least prior mass of a region that holds this share of the posterior.

        .. math::
            \min_A \int_A p(z)\, dz \quad \text{such that} \quad
            \int_A p(z \mid x)\, dz \ge \text{share}

        By the lemma of Neyman and Pearson A is where :math:`p(x \mid z)` is largest. It says
        how much of the prior matters to p(x): ``share`` itself if x tells nothing.

        Args:
            share: Over 0 and under 1.

        Returns:
            From 0 to 1, shape ``(batch,)``. Of the last point only the part that is needed
            counts.

        Raises:
            ValueError: If ``share`` is not between 0 and 1.

        Source:
            Neyman & Pearson (1933).
        """
        if not 0 < share < 1:
            raise ValueError(f"share must be over 0 and under 1, got {share}")
        log_prior = standard_normal_log_density(self.grid).sum(-1)
        order = (self.log_weights - log_prior[:, None]).argsort(0, descending=True)
        held = self.log_weights.exp().gather(0, order)
        before = held.cumsum(0) - held
        needed = ((share - before) / held).nan_to_num(0.0).clamp(0, 1)
        mass = (log_prior + self.grid.shape[1] * math.log(self.step)).exp()[order]
        return (needed * mass).sum(0)

    def sample(self, num_samples: int, generator: torch.Generator | None = None) -> Tensor:
        r"""Independent draws: a point by its weight, then a place in the cell around it.

        The histogram's draws: their variance exceeds the posterior's by
        :math:`h^2 / 12` a latent, 0.0002 at the usual step.

        Args:
            num_samples: K, draws for each image.
            generator: Source of the draws; ``None`` takes torch's global one.

        Returns:
            Shape ``(K, batch, latent)``.

        Raises:
            ValueError: If ``num_samples`` is negative.
        """
        if num_samples < 0:
            raise ValueError(f"num_samples must not be negative, got {num_samples}")
        cumulative = self.log_weights.exp().T.cumsum(1)  # (batch, points)
        batch, points = cumulative.shape
        uniform = torch.rand(batch, num_samples, generator=generator, dtype=torch.float64)
        picked = torch.searchsorted(cumulative, uniform * cumulative[:, -1:], right=True)
        picked = picked.clamp(max=points - 1)
        z = self.grid[picked.T]  # (K, batch, latent)
        jitter = torch.rand(z.shape, generator=generator, dtype=torch.float64) - 0.5
        return z + self.step * jitter


def quadrature_posterior(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    latent_dim: int,
    half_width: float = 7.0,
    step: float = 0.05,
) -> GridPosterior:
    r"""p(z | x) and log p(x) from the same sum over a grid of latents.

    .. math::
        w_i = \frac{p(x \mid z_i)\, p(z_i)}{\sum_j p(x \mid z_j)\, p(z_j)}, \qquad
        p(x) \approx \delta^d \sum_j p(x \mid z_j)\, p(z_j)

    The weights are held whole: in two dimensions the default grid takes 0.6 MB an image.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: See :func:`vaelab.exact.quadrature.quadrature_log_joint`.
        latent_dim: 1 or 2.
        half_width: How far the grid reaches each way.
        step: Distance of neighbouring points.

    Returns:
        Weights that sum to one, log p(x) in nats, and what follows from them.

    Raises:
        ValueError: If ``latent_dim`` is above 2, a length is not positive, ``x`` is not a
            finite matrix, or the model's weights are not float64 (``vae.double()``).

    Source:
        Bishop (2006), equation 1.43; Trefethen & Weideman (2014).

    Example:
        >>> from vaelab.exact.linear_gaussian import LinearGaussian
        >>> x = torch.ones(1, 1, dtype=torch.float64)
        >>> model = LinearGaussian(x, 0 * x[0], noise_var=1.0)
        >>> posterior = quadrature_posterior(x, model.log_likelihood, latent_dim=1)
        >>> posterior.mean, posterior.covariance.squeeze()  # N(1/2, 1/2)
        (tensor([[0.5000]], dtype=torch.float64), tensor(0.5000, dtype=torch.float64))
    """
    check_images(x)
    grid = latent_grid(latent_dim, half_width, step)
    with torch.no_grad():
        log_joint = quadrature_log_joint(x.double(), log_likelihood, grid)
        log_sum = log_joint.logsumexp(0)
    spacing = float(grid[1, -1] - grid[0, -1])
    return GridPosterior(
        grid=grid,
        log_weights=log_joint - log_sum,
        log_marginal=log_sum + latent_dim * math.log(spacing),
        step=spacing,
    )
