"""Distributions over z to draw from, whatever the target: prior, encoder, mixtures of both.

A proposal turns standard normal noise into z, and knows its own density. So one stream of
noise serves every proposal, and a sample drawn in pieces is the sample drawn at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import torch
from torch import Tensor

from vaelab.densities import (
    normal_log_density,
    standard_normal_log_density,
)


class Proposal(Protocol):
    """What importance sampling asks of a distribution over latents.

    Attributes:
        noise_dim: How many standard normal numbers one draw takes.
    """

    noise_dim: int

    def transform(self, noise: Tensor) -> Tensor:
        """Turn noise ``(K, batch, noise_dim)`` into draws ``(K, batch, latent)``."""
        ...

    def log_density(self, z: Tensor) -> Tensor:
        """Log density in nats at z ``(K, batch, latent)``, shape ``(K, batch)``."""
        ...


@dataclass(frozen=True)
class StandardNormal:
    """The prior N(0, I), as a proposal: naive Monte Carlo.

    Attributes:
        latent_dim: Dimension of z, at least 1.

    Raises:
        ValueError: If ``latent_dim`` is under 1.

    Example:
        >>> StandardNormal(2).log_density(torch.zeros(1, 1, 2))
        tensor([[-1.8379]])
    """

    latent_dim: int

    def __post_init__(self) -> None:
        if self.latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, got {self.latent_dim}")

    @property
    def noise_dim(self) -> int:
        """One number a latent."""
        return self.latent_dim

    def transform(self, noise: Tensor) -> Tensor:
        """The noise itself."""
        return noise

    def log_density(self, z: Tensor) -> Tensor:
        """Shape ``(K, batch)``, nats."""
        return standard_normal_log_density(z).sum(-1)


@dataclass(frozen=True)
class DiagonalNormal:
    """An encoder's q(z | x): one diagonal Gaussian for each image.

    Attributes:
        mean: Shape ``(batch, latent)``.
        log_var: Same shape.
        widen: Factor on the standard deviations; 1 is q itself.

    Raises:
        ValueError: If the shapes differ or ``widen`` is not positive.

    Example:
        >>> q = DiagonalNormal(torch.zeros(1, 2), torch.zeros(1, 2), widen=2.0)
        >>> q.transform(torch.ones(1, 1, 2))
        tensor([[[2., 2.]]])
    """

    mean: Tensor
    log_var: Tensor
    widen: float = 1.0

    def __post_init__(self) -> None:
        if self.mean.shape != self.log_var.shape:
            raise ValueError(
                f"mean and log_var must have the same shape, "
                f"got {tuple(self.mean.shape)} and {tuple(self.log_var.shape)}"
            )
        if not self.widen > 0:
            raise ValueError(f"widen must be positive, got {self.widen}")

    @property
    def noise_dim(self) -> int:
        """One number a latent."""
        return self.mean.shape[-1]

    @property
    def _wide_log_var(self) -> Tensor:
        return self.log_var + 2 * math.log(self.widen)

    def transform(self, noise: Tensor) -> Tensor:
        """Mean plus deviation times noise."""
        return self.mean + torch.exp(0.5 * self._wide_log_var) * noise

    def log_density(self, z: Tensor) -> Tensor:
        """Shape ``(K, batch)``, nats."""
        return normal_log_density(z, self.mean, self._wide_log_var).sum(-1)


@dataclass(frozen=True)
class Mixture:
    r"""A draw from one of several proposals, picked at random.

    .. math::
        r(z) = \sum_m \alpha_m\, r_m(z)

    With the prior among them the importance weights are bounded by the likelihood over
    :math:`\alpha`, so their variance is finite however narrow the others are.

    Attributes:
        proposals: One or more, all of the same latent dimension.
        shares: :math:`\alpha_m`, positive, summing to 1; equal if left out.

    Raises:
        ValueError: If there are no proposals, the shares do not fit, or (by ``transform``)
            the latent dimensions differ.

    Source:
        Hesterberg (1995), *Weighted average importance sampling and defensive mixtures*.

    Example:
        >>> q = DiagonalNormal(torch.zeros(1, 2), torch.zeros(1, 2))
        >>> half = Mixture([StandardNormal(2), q])
        >>> bool(half.log_density(torch.ones(1, 1, 2)) == q.log_density(torch.ones(1, 1, 2)))
        True
    """

    proposals: Sequence[Proposal]
    shares: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not self.proposals:
            raise ValueError("proposals must not be empty")
        shares = self._shares
        positive = all(share > 0 for share in shares)
        if len(shares) != len(self.proposals) or not (positive and abs(sum(shares) - 1) < 1e-9):
            raise ValueError(
                f"shares must be {len(self.proposals)} positive numbers that sum to 1, got {shares}"
            )

    @property
    def _shares(self) -> Sequence[float]:
        if self.shares is None:
            return [1 / len(self.proposals)] * len(self.proposals)
        return self.shares

    @property
    def noise_dim(self) -> int:
        """The largest of its proposals', and one more to pick among them."""
        return max(proposal.noise_dim for proposal in self.proposals) + 1

    def transform(self, noise: Tensor) -> Tensor:
        """Pick a proposal by the last number, feed it the others."""
        uniform = torch.special.ndtr(noise[..., -1])
        edges = torch.tensor(self._shares, dtype=noise.dtype, device=noise.device).cumsum(0)[:-1]
        picked = torch.bucketize(uniform, edges)
        draws = [p.transform(noise[..., : p.noise_dim]) for p in self.proposals]
        latent_dims = [draw.shape[-1] for draw in draws]
        if len(set(latent_dims)) > 1:
            raise ValueError(f"proposals must share one latent dimension, got {latent_dims}")
        chosen = draws[0]
        for m, draw in enumerate(draws[1:], start=1):
            chosen = torch.where((picked == m)[..., None], draw, chosen)
        return chosen

    def log_density(self, z: Tensor) -> Tensor:
        """Shape ``(K, batch)``, nats."""
        parts = [
            p.log_density(z) + math.log(share)
            for p, share in zip(self.proposals, self._shares, strict=True)
        ]
        return reduce(torch.logaddexp, parts)


def defensive_mixture(mean: Tensor, log_var: Tensor, widen: float = 2.0) -> Mixture:
    r"""Half the prior, half an encoder's q with its deviations widened.

    .. math::
        r(z) = \tfrac12 \mathcal N(z; 0, I) + \tfrac12 \mathcal N(z; \mu, c^2 \sigma^2)

    q alone is too narrow where it is wrong; the prior alone misses where it is right. With
    the prior's half no weight exceeds twice the likelihood.

    Args:
        mean: :math:`\mu`, shape ``(batch, latent)``.
        log_var: :math:`\log \sigma^2`, same shape.
        widen: c. 2 is sound for two latents; with more of them a smaller one is, since the
            price of widening is paid for each.

    Returns:
        The mixture, equal shares.

    Raises:
        ValueError: If the shapes differ or ``widen`` is not positive.

    Source:
        Hesterberg (1995), *Weighted average importance sampling and defensive mixtures*.

    Example:
        >>> r = defensive_mixture(torch.zeros(1, 2), torch.zeros(1, 2), widen=1.0)
        >>> r.log_density(torch.zeros(1, 1, 2))  # both halves are the prior
        tensor([[-1.8379]])
    """
    return Mixture([StandardNormal(mean.shape[-1]), DiagonalNormal(mean, log_var, widen)])
