"""The Ising grid: unnormalised by nature, and small enough here that log Z is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.exact.enumeration import binary_states, spin_log_normaliser, spin_moments

# A message of the transfer matrix holds 2**side numbers, and one is made for each site.
MAX_SIDE = 16


@dataclass(frozen=True)
class IsingMoments:
    """Means of what the parameters multiply: the exact gradient of log Z, name by name.

    Attributes:
        horizontal: E of the products of neighbours in a row, ``(height, width - 1)``.
        vertical: E of the products of neighbours in a column, ``(height - 1, width)``.
        field: E of the spins themselves, ``(height, width)``.
    """

    horizontal: Tensor
    vertical: Tensor
    field: Tensor


@dataclass(frozen=True)
class IsingGrid:
    r"""Spins on a grid, each drawn to agree with its neighbours; the edges are free.

    .. math::
        f(s) = \exp\Big( \sum_{i \sim j} J_{ij} s_i s_j + \sum_i h_i s_i \Big), \qquad
        p(s) = \frac{f(s)}{Z}, \qquad s_i \in \{-1, 1\}

    An energy model: f gives every ratio of probabilities, and no probability. The inverse
    temperature is part of J and h.

    Attributes:
        horizontal: J of neighbours in a row, shape ``(height, width - 1)``.
        vertical: J of neighbours in a column, shape ``(height - 1, width)``.
        field: h, shape ``(height, width)``.

    Raises:
        ValueError: If the shapes do not fit one grid.

    Source:
        MacKay (2003), *Information theory, inference and learning algorithms*, chapter 31.

    Example:
        >>> grid = IsingGrid.uniform(1, 2, coupling=1.0)
        >>> grid.log_prob(torch.tensor([[1.0, 1.0]])).exp()  # e / (2 e + 2 / e)
        tensor(0.4404, dtype=torch.float64)
    """

    horizontal: Tensor
    vertical: Tensor
    field: Tensor

    def __post_init__(self) -> None:
        height, width = self.field.shape if self.field.ndim == 2 else (0, 0)
        fits = self.horizontal.shape == (height, width - 1) and self.vertical.shape == (
            height - 1,
            width,
        )
        if height < 1 or width < 1 or not fits:
            raise ValueError(
                f"horizontal, vertical and field must have shapes (height, width - 1), "
                f"(height - 1, width) and (height, width), got {tuple(self.horizontal.shape)}, "
                f"{tuple(self.vertical.shape)} and {tuple(self.field.shape)}"
            )

    @classmethod
    def uniform(
        cls,
        height: int,
        width: int,
        coupling: float = 1.0,
        field: float = 0.0,
        inverse_temperature: float = 1.0,
    ) -> IsingGrid:
        r"""One coupling and one field for all, both times the inverse temperature.

        Args:
            height: Rows, at least 1.
            width: Columns, at least 1.
            coupling: Positive where neighbours like to agree.
            field: Positive where spins like to be 1.
            inverse_temperature: :math:`\beta`; large is cold.

        Returns:
            A grid with float64 parameters.

        Raises:
            ValueError: If a size is under 1 or a number is not finite.
        """
        if height < 1 or width < 1:
            raise ValueError(f"height and width must be at least 1, got {height} and {width}")
        j, h = (
            torch.tensor(inverse_temperature * value, dtype=torch.float64)
            for value in (coupling, field)
        )
        if not (j.isfinite() and h.isfinite()):
            raise ValueError(
                f"coupling, field and inverse_temperature must be finite, "
                f"got {coupling}, {field} and {inverse_temperature}"
            )
        return cls(
            j.repeat(height, width - 1), j.repeat(height - 1, width), h.repeat(height, width)
        )

    @property
    def num_spins(self) -> int:
        """Height times width."""
        return self.field.numel()

    def log_unnormalised(self, spins: Tensor) -> Tensor:
        """log f, the exponent. Linear in each spin: of means, the mean under independent spins.

        Args:
            spins: -1 or 1 (or means, between), shape ``(*batch, height, width)``.

        Returns:
            Nats up to the unknown log Z, shape ``(*batch,)``.

        Raises:
            ValueError: If the shape is another or a value lies outside -1 to 1.
        """
        spins = self._check(spins)
        rows = (self.horizontal * spins[..., :, 1:] * spins[..., :, :-1]).sum((-2, -1))
        columns = (self.vertical * spins[..., 1:, :] * spins[..., :-1, :]).sum((-2, -1))
        return rows + columns + (self.field * spins).sum((-2, -1))

    def local_field(self, spins: Tensor) -> Tensor:
        r"""What a spin feels of the others, :math:`\partial \log f / \partial s_i`.

        Half the log odds of 1 against -1 given the rest: a ratio, so no Z is in it.

        Args:
            spins: Shape ``(*batch, height, width)``.

        Returns:
            Nats, same shape.
        """
        spins = self._check(spins)
        felt = self.field.expand(spins.shape).clone()
        felt[..., :, 1:] += self.horizontal * spins[..., :, :-1]
        felt[..., :, :-1] += self.horizontal * spins[..., :, 1:]
        felt[..., 1:, :] += self.vertical * spins[..., :-1, :]
        felt[..., :-1, :] += self.vertical * spins[..., 1:, :]
        return felt

    def log_normaliser(self) -> Tensor:
        r"""The exact log Z by transfer matrix, one site after another.

        The sum over a row's states, given the next row's, needs the row before only as
        numbers attached to its states: :math:`2^w` of them, not :math:`2^{hw}`. Each
        site's bond is a matrix of 2 by 2, so a row costs :math:`w\, 2^w`. Differentiable.

        Returns:
            Nats, a scalar.

        Raises:
            ValueError: If the shorter side is over 16.
        """
        height, width = self.field.shape
        if min(height, width) > MAX_SIDE:
            raise ValueError(
                f"the shorter side must be at most {MAX_SIDE}, got a grid of {height} by {width}: "
                f"the transfer matrix keeps 2^side numbers"
            )
        if width > height:
            return IsingGrid(self.vertical.T, self.horizontal.T, self.field.T).log_normaliser()
        states = 2 * binary_states(width, dtype=self.field.dtype) - 1
        neighbours = states[:, 1:] * states[:, :-1]
        within = states @ self.field.T + neighbours @ self.horizontal.T  # (2^width, height)
        message = within[:, 0]
        for row in range(1, height):
            for site in range(width):
                message = _sum_out(message, self.vertical[row - 1, site], site, width)
            message = message + within[:, row]
        return message.logsumexp(0)

    def log_prob(self, spins: Tensor) -> Tensor:
        """log p(s) = log f(s) - log Z in nats, shape ``(*batch,)``."""
        return self.log_unnormalised(spins) - self.log_normaliser()

    def moments(self) -> IsingMoments:
        """Means of spins and of neighbours' products, as derivatives of log Z."""
        parameters = [p.detach().requires_grad_() for p in vars(self).values()]
        with torch.enable_grad():
            log_z = IsingGrid(*parameters).log_normaliser()
        # materialize_grads: a grid of one row has no vertical bonds for log Z to depend on.
        return IsingMoments(*torch.autograd.grad(log_z, parameters, materialize_grads=True))

    def coupling_matrix(self) -> Tensor:
        """All J as one symmetric matrix, ``(spins, spins)``, row by row of the grid."""
        number = torch.arange(self.num_spins).reshape(self.field.shape)
        matrix = self.field.new_zeros(self.num_spins, self.num_spins)
        matrix[number[:, :-1], number[:, 1:]] = self.horizontal
        matrix[number[:-1], number[1:]] = self.vertical
        return matrix + matrix.T

    def enumerate_log_normaliser(self) -> Tensor:
        """log Z by summing over all states, in nats; refused above 26 spins."""
        return spin_log_normaliser(self.coupling_matrix(), self.field.flatten())

    def enumerate_moments(self) -> tuple[Tensor, Tensor]:
        """E[s] ``(spins,)`` and E[s s^T] ``(spins, spins)`` by summing over all states."""
        return spin_moments(self.coupling_matrix(), self.field.flatten())

    def _check(self, spins: Tensor) -> Tensor:
        if spins.shape[-2:] != self.field.shape:
            raise ValueError(
                f"spins must have shape (*batch, height, width) = (..., {self.field.shape[0]}, "
                f"{self.field.shape[1]}), got {tuple(spins.shape)}"
            )
        spins = spins.to(self.field.dtype)
        outside = ~(spins.abs() <= 1)  # written so that NaN is outside
        if bool(outside.any()):
            raise ValueError(
                f"spins must be -1 or 1 (or means, between), got {float(spins[outside][0])}"
            )
        return spins


def _sum_out(message: Tensor, coupling: Tensor, site: int, width: int) -> Tensor:
    """Replace a site's spin by its neighbour's in the next row: a 2 by 2 matrix, in logs."""
    folded = message.reshape(2**site, 2, 2 ** (width - site - 1))
    down, up = folded[:, 0], folded[:, 1]
    becomes_down = torch.logaddexp(down + coupling, up - coupling)
    becomes_up = torch.logaddexp(down - coupling, up + coupling)
    return torch.stack([becomes_down, becomes_up], 1).flatten()
