"""A normalising flow as a family for q(z | x): a Gaussian, bent by a few affine couplings."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density

# A coupling scales by a factor between exp(-LOG_SCALE) and exp(LOG_SCALE). Bounded, so that
# no step of an optimiser can send an exponential to infinity.
LOG_SCALE = 2.0


class CouplingFlow:
    r"""Densities that a Gaussian becomes under a stack of affine couplings.

    .. math::
        z = \mu + \sigma\, y_L, \qquad
        y_l = \text{coupling}_l(y_{l-1}), \quad y_0 = \epsilon \sim \mathcal N(0, I), \qquad
        \log q(z) = \log \mathcal N(\epsilon; 0, I)
        - \sum_l \sum_j s_{l,j} - \sum_j \log \sigma_j

    A coupling leaves one half a of its input and changes the other,
    :math:`b \mapsto b\, e^{s(a)} + t(a)`, with s and t from a small tanh network of a. Its
    Jacobian is triangular, so its log-determinant is the sum of s, and it can be undone.
    Couplings take turns at the halves.

    Every image has networks of its own: all their weights, with :math:`\mu` and
    :math:`\log \sigma^2`, are one row of parameters. A Gaussian of any mean and diagonal
    is a member (s = t = 0). It is a family in the sense of :class:`vaelab.gap.Family`.

    Args:
        latent_dim: Dimension of z, 2 or more: a coupling needs two halves.
        couplings: How many, at least 1; from 2 on, every latent is changed.
        hidden: Width of each small network.
        generator: Source of the hidden layers' first weights; ``None`` takes torch's
            global one.

    Raises:
        ValueError: If ``latent_dim`` is under 2, or another size under 1.

    Source:
        Dinh et al. (2017), *Density estimation using Real NVP*; as a posterior, Rezende &
        Mohamed (2015).

    Example:
        >>> flow = CouplingFlow(2, generator=torch.Generator().manual_seed(0))
        >>> parameters = flow.initial(torch.zeros(5, 2), torch.zeros(5, 2))
        >>> z, log_density = flow.transform(parameters, torch.zeros(1, 1, 2))
        >>> z.shape, round(log_density[0, 0].item(), 4)  # N(0, I) to begin with
        (torch.Size([1, 5, 2]), -1.8379)
    """

    def __init__(
        self,
        latent_dim: int,
        couplings: int = 4,
        hidden: int = 4,
        generator: torch.Generator | None = None,
    ) -> None:
        if latent_dim < 2:
            raise ValueError(f"latent_dim must be at least 2 for a coupling, got {latent_dim}")
        for name, size in (("couplings", couplings), ("hidden", hidden)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        self.latent_dim, self.couplings, self.hidden = latent_dim, couplings, hidden
        # Hidden weights must differ to begin with, or they would all learn the same.
        self._first = [
            torch.randn(self._shapes(layer)[0], generator=generator) for layer in range(couplings)
        ]

    @property
    def num_parameters(self) -> int:
        """Numbers that one member has."""
        networks = sum(
            torch.Size(shape).numel()
            for layer in range(self.couplings)
            for shape in self._shapes(layer)
        )
        return 2 * self.latent_dim + networks

    def initial(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Shape ``(batch, num_parameters)``: the Gaussian of that mean and log-variance.

        Args:
            mean: Shape ``(batch, latent)``.
            log_var: Same shape.

        Raises:
            ValueError: If a shape is another.
        """
        if mean.shape != log_var.shape or mean.ndim != 2 or mean.shape[1] != self.latent_dim:
            raise ValueError(
                f"mean and log_var must have shape (batch, {self.latent_dim}), "
                f"got {tuple(mean.shape)} and {tuple(log_var.shape)}"
            )
        parts = [mean, log_var]
        for layer, first in enumerate(self._first):
            _, outer = self._shapes(layer)
            row = torch.cat([first.flatten(), torch.zeros(torch.Size(outer).numel())])
            parts.append(row.to(mean).expand(len(mean), -1))
        return torch.cat(parts, -1)

    def transform(self, parameters: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Draws and their log densities, differentiable in both arguments.

        Args:
            parameters: Shape ``(batch, num_parameters)``.
            noise: Standard normal, shape ``(K, batch or 1, latent)``.

        Returns:
            z of shape ``(K, batch, latent)`` and nats of shape ``(K, batch)``.

        Raises:
            ValueError: If a shape is another.
        """
        mean, log_var, networks = self._unpack(parameters, noise, "noise")
        y = noise.expand(-1, len(parameters), -1)
        log_density = standard_normal_log_density(y).sum(-1)
        for layer, network in enumerate(networks):
            kept, changed = self._halves(layer)
            log_scale, shift = _scale_and_shift(network, y[..., kept])
            y = _put(y[..., kept], y[..., changed] * log_scale.exp() + shift, kept, changed)
            log_density = log_density - log_scale.sum(-1)
        return mean + torch.exp(0.5 * log_var) * y, log_density - 0.5 * log_var.sum(-1)

    def log_density(self, parameters: Tensor, z: Tensor) -> Tensor:
        """Log density anywhere, by undoing the couplings.

        Args:
            parameters: Shape ``(batch, num_parameters)``.
            z: Shape ``(K, batch or 1, latent)``.

        Returns:
            Nats, shape ``(K, batch)``.

        Raises:
            ValueError: If a shape is another.
        """
        mean, log_var, networks = self._unpack(parameters, z, "z")
        y = (z - mean) * torch.exp(-0.5 * log_var)
        log_density = -0.5 * log_var.sum(-1)
        for layer, network in reversed(list(enumerate(networks))):
            kept, changed = self._halves(layer)
            log_scale, shift = _scale_and_shift(network, y[..., kept])
            y = _put(y[..., kept], (y[..., changed] - shift) * (-log_scale).exp(), kept, changed)
            log_density = log_density - log_scale.sum(-1)
        return log_density + standard_normal_log_density(y).sum(-1)

    def _halves(self, layer: int) -> tuple[list[int], list[int]]:
        """Latents that a coupling keeps, and those it changes: even and odd ones in turn."""
        latents = range(self.latent_dim)
        return list(latents[layer % 2 :: 2]), list(latents[1 - layer % 2 :: 2])

    def _shapes(self, layer: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Shapes of a network's two layers, the bias as a last column."""
        kept, changed = self._halves(layer)
        return (self.hidden, len(kept) + 1), (2 * len(changed), self.hidden + 1)

    def _unpack(
        self, parameters: Tensor, points: Tensor, name: str
    ) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor]]]:
        if parameters.ndim != 2 or parameters.shape[1] != self.num_parameters:
            raise ValueError(
                f"parameters must have shape (batch, {self.num_parameters}), "
                f"got {tuple(parameters.shape)}"
            )
        if (
            points.ndim != 3
            or points.shape[2] != self.latent_dim
            or points.shape[1] not in (1, len(parameters))
        ):
            raise ValueError(
                f"{name} must have shape (K, {len(parameters)} or 1, {self.latent_dim}), "
                f"got {tuple(points.shape)}"
            )
        shapes = [shape for layer in range(self.couplings) for shape in self._shapes(layer)]
        sizes = [self.latent_dim] * 2 + [torch.Size(shape).numel() for shape in shapes]
        mean, log_var, *rows = parameters.split(sizes, -1)
        matrices = [row.unflatten(-1, shape) for row, shape in zip(rows, shapes, strict=True)]
        return mean, log_var, list(zip(matrices[::2], matrices[1::2], strict=True))


def _scale_and_shift(network: tuple[Tensor, Tensor], kept: Tensor) -> tuple[Tensor, Tensor]:
    """s and t of one coupling, each ``(K, batch, changed)``."""
    hidden = torch.tanh(_affine(network[0], kept))
    raw, shift = _affine(network[1], hidden).chunk(2, -1)
    return LOG_SCALE * torch.tanh(raw / LOG_SCALE), shift


def _affine(matrix: Tensor, inputs: Tensor) -> Tensor:
    """Every image's own matrix ``(batch, out, in + 1)`` on its inputs ``(K, batch, in)``."""
    weight, bias = matrix[..., :-1], matrix[..., -1]
    return torch.einsum("boi,kbi->kbo", weight, inputs) + bias


def _put(
    kept_values: Tensor, changed_values: Tensor, kept: list[int], changed: list[int]
) -> Tensor:
    order = torch.tensor(kept + changed, device=kept_values.device).argsort()
    return torch.cat([kept_values, changed_values], -1)[..., order]
