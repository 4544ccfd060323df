"""The Ising chain: as many states as any image of its size, and a Z that costs next to nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ChainMoments:
    """Means of what the parameters multiply: the exact gradient of log Z, name by name.

    Attributes:
        coupling: E of the products of neighbours, ``(bonds,)``.
        field: E of the spins themselves, ``(sites,)``.
    """

    coupling: Tensor
    field: Tensor


@dataclass(frozen=True)
class IsingChain:
    r"""Spins in a line or a ring, each acting on the next.

    .. math::
        f(s) = \exp\Big( \sum_i J_i s_i s_{i+1} + \sum_i h_i s_i \Big), \qquad
        s_i \in \{-1, 1\}

    :math:`Z` has :math:`2^D` terms, and is a product of D matrices of 2 by 2: it is
    structure that decides whether a sum can be done, not the number of its terms.

    Attributes:
        coupling: J, shape ``(sites - 1,)`` for a line; ``(sites,)`` for a ring, whose
            last bond joins the last spin to the first.
        field: h, shape ``(sites,)``.

    Raises:
        ValueError: If the shapes fit neither, or a ring has under 3 spins.

    Source:
        MacKay (2003), section 31.2; Baxter (1982), *Exactly solved models*, section 2.1.

    Example:
        >>> chain = IsingChain.uniform(10_000, coupling=0.5)
        >>> chain.log_normaliser()  # log 2 + 9,999 log(2 cosh 0.5)
        tensor(8132.4968, dtype=torch.float64)
    """

    coupling: Tensor
    field: Tensor

    def __post_init__(self) -> None:
        sites = len(self.field) if self.field.ndim == 1 else 0
        line, ring = (sites - 1,), (sites,)
        if sites < 1 or self.coupling.shape not in (line, ring):
            raise ValueError(
                f"field must have shape (sites,) and coupling (sites - 1,) for a line or (sites,) "
                f"for a ring, got {tuple(self.field.shape)} and {tuple(self.coupling.shape)}"
            )
        if self.periodic and sites < 3:
            raise ValueError(f"a ring (coupling as long as field) needs 3 spins, got {sites}")

    @classmethod
    def uniform(
        cls,
        sites: int,
        coupling: float = 1.0,
        field: float = 0.0,
        inverse_temperature: float = 1.0,
        periodic: bool = False,
    ) -> IsingChain:
        r"""One coupling and one field for all, both times the inverse temperature.

        Args:
            sites: D, at least 1 (3 for a ring).
            coupling: Positive where neighbours like to agree.
            field: Positive where spins like to be 1.
            inverse_temperature: :math:`\beta`; large is cold.
            periodic: A ring rather than a line.

        Returns:
            A chain with float64 parameters.

        Raises:
            ValueError: If there are too few sites or a number is not finite.
        """
        if sites < 1:
            raise ValueError(f"sites must be at least 1, got {sites}")
        j, h = (
            torch.tensor(inverse_temperature * value, dtype=torch.float64)
            for value in (coupling, field)
        )
        if not (j.isfinite() and h.isfinite()):
            raise ValueError(
                f"coupling, field and inverse_temperature must be finite, "
                f"got {coupling}, {field} and {inverse_temperature}"
            )
        return cls(j.repeat(sites if periodic else sites - 1), h.repeat(sites))

    @property
    def periodic(self) -> bool:
        """Whether the last spin acts on the first."""
        return len(self.coupling) == len(self.field)

    def log_unnormalised(self, spins: Tensor) -> Tensor:
        """log f, the exponent.

        Args:
            spins: -1 or 1 (or means, between, of independent spins), ``(*batch, sites)``.

        Returns:
            Nats up to the unknown log Z, shape ``(*batch,)``.

        Raises:
            ValueError: If the shape is another or a value lies outside -1 to 1.
        """
        if spins.shape[-1:] != self.field.shape:
            raise ValueError(
                f"spins must have shape (*batch, sites) = (..., {len(self.field)}), "
                f"got {tuple(spins.shape)}"
            )
        spins = spins.to(self.field.dtype)
        outside = ~(spins.abs() <= 1)  # written so that NaN is outside
        if bool(outside.any()):
            raise ValueError(
                f"spins must be -1 or 1 (or means, between), got {float(spins[outside][0])}"
            )
        following = spins.roll(-1, -1)[..., : len(self.coupling)]
        pairs = spins[..., : len(self.coupling)] * following
        return pairs @ self.coupling + spins @ self.field

    def log_normaliser(self) -> Tensor:
        r"""The exact log Z, as the logarithm of a product of transfer matrices.

        .. math::
            T_i(a, b) = \exp(J_{i-1}\, a b + h_i\, b), \qquad
            Z_{\text{ring}} = \operatorname{tr} \prod_i T_i

        Neighbouring matrices are multiplied all at once, so D of them take
        :math:`\log_2 D` steps. In logarithms, hence without overflow. Differentiable.

        Returns:
            Nats, a scalar.
        """
        spin = torch.tensor([-1.0, 1.0], dtype=self.field.dtype, device=self.field.device)
        # The bond that leads into each site: none into the first of a line.
        into = (
            self.coupling.roll(1)
            if self.periodic
            else torch.cat([self.coupling.new_zeros(1), self.coupling])
        )
        log_product = (
            into[:, None, None] * torch.outer(spin, spin) + self.field[:, None, None] * spin
        )
        while len(log_product) > 1:
            even = len(log_product) // 2 * 2
            left, right = log_product[:even:2], log_product[1:even:2]
            merged = (left[:, :, :, None] + right[:, None, :, :]).logsumexp(2)
            log_product = torch.cat([merged, log_product[even:]])
        # A line starts from nothing: both rows are the same, and one is the sum.
        ends = log_product[0].diagonal() if self.periodic else log_product[0, 0]
        return ends.logsumexp(0)

    def log_prob(self, spins: Tensor) -> Tensor:
        """log p(s) = log f(s) - log Z in nats, shape ``(*batch,)``."""
        return self.log_unnormalised(spins) - self.log_normaliser()

    def moments(self) -> ChainMoments:
        """Means of spins and of neighbours' products, as derivatives of log Z."""
        parameters = [p.detach().requires_grad_() for p in vars(self).values()]
        with torch.enable_grad():
            log_z = IsingChain(*parameters).log_normaliser()
        return ChainMoments(*torch.autograd.grad(log_z, parameters))
