"""The restricted Boltzmann machine, small enough that its log Z is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from vaelab.exact.enumeration import binary_states, check_enumerable

# The states of the smaller layer are held at once, as one logarithm each.
MAX_LAYER = 22
# The largest array a chunk may make, in numbers: 2**20 float64 are 8 MiB.
CHUNK_NUMBERS = 2**20


@dataclass(frozen=True)
class RBMStatistics:
    """What the parameters multiply in log f, or its mean: a gradient, name by name.

    Attributes:
        weight: Products of a visible and a hidden unit, ``(*batch, visible, hidden)``.
        visible_bias: Visible units, ``(*batch, visible)``.
        hidden_bias: Hidden units, ``(*batch, hidden)``.
    """

    weight: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor


@dataclass(frozen=True)
class RBM:
    r"""Binary units in two layers; only units of different layers act on each other.

    .. math::
        f(v, h) = \exp\big( v^\top W h + b^\top v + c^\top h \big), \qquad
        p(v) = \frac1Z \sum_h f(v, h)

    Given one layer, the units of the other are independent, so the sum over the larger
    layer is a product, and Z a sum over the states of the smaller.

    Attributes:
        weight: W, shape ``(visible, hidden)``.
        visible_bias: b, shape ``(visible,)``.
        hidden_bias: c, shape ``(hidden,)``.

    Raises:
        ValueError: If the shapes disagree.

    Source:
        Smolensky (1986); Hinton (2002), *Training products of experts by minimizing
        contrastive divergence*.

    Example:
        >>> rbm = RBM(torch.zeros(3, 2), torch.zeros(3), torch.zeros(2))
        >>> rbm.log_normaliser()  # 2^5 states alike: 5 log 2
        tensor(3.4657)
    """

    weight: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor

    def __post_init__(self) -> None:
        sizes = (*self.visible_bias.shape, *self.hidden_bias.shape)
        if self.weight.ndim != 2 or 0 in self.weight.shape or self.weight.shape != sizes:
            raise ValueError(
                f"weight must have shape (visible, hidden), visible_bias (visible,) and "
                f"hidden_bias (hidden,), got {tuple(self.weight.shape)}, "
                f"{tuple(self.visible_bias.shape)} and {tuple(self.hidden_bias.shape)}"
            )

    @classmethod
    def random(
        cls,
        visible: int,
        hidden: int,
        scale: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> RBM:
        """Parameters drawn from N(0, scale^2), float64: a machine to try things on.

        Args:
            visible: Number of visible units.
            hidden: Number of hidden units.
            scale: Standard deviation; large makes few states likely.
            generator: Source of the numbers; ``None`` takes torch's global one.

        Returns:
            A machine.
        """
        shapes = ((visible, hidden), (visible,), (hidden,))
        return cls(
            *(scale * torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
        )

    def transposed(self) -> RBM:
        """The same machine with its layers' names exchanged."""
        return RBM(self.weight.T, self.hidden_bias, self.visible_bias)

    def log_unnormalised(self, visible: Tensor) -> Tensor:
        r"""log f of the visible units alone, the hidden summed out: minus the free energy.

        .. math::
            \log f(v) = b^\top v + \sum_j \log\big( 1 + e^{c_j + v^\top w_j} \big)

        Args:
            visible: 0 or 1, shape ``(*batch, visible)``.

        Returns:
            Nats up to the unknown log Z, shape ``(*batch,)``.

        Raises:
            ValueError: If the shape is another or a value is not 0 or 1.
        """
        return self._log_unnormalised(self._check("visible", visible, self.visible_bias, True))

    def log_unnormalised_joint(self, visible: Tensor, hidden: Tensor) -> Tensor:
        """log f of both layers. Linear in each unit: of means, the mean of independent units.

        Args:
            visible: 0 or 1 (or means, between), shape ``(*batch, visible)``.
            hidden: The same, shape ``(*batch, hidden)``.

        Returns:
            Nats up to the unknown log Z, shape ``(*batch,)``.

        Raises:
            ValueError: If a shape is another or a value lies outside 0 to 1.
        """
        v = self._check("visible", visible, self.visible_bias)
        h = self._check("hidden", hidden, self.hidden_bias)
        return ((v @ self.weight) * h).sum(-1) + v @ self.visible_bias + h @ self.hidden_bias

    def hidden_logits(self, visible: Tensor) -> Tensor:
        """Log odds of each hidden unit given the visible ones: no Z is in them.

        Args:
            visible: Shape ``(*batch, visible)``.

        Returns:
            Nats, shape ``(*batch, hidden)``.
        """
        v = self._check("visible", visible, self.visible_bias)
        return v @ self.weight + self.hidden_bias

    def log_normaliser(self) -> Tensor:
        """The exact log Z, over the states of the smaller layer. Differentiable.

        Returns:
            Nats, a scalar.

        Raises:
            ValueError: If both layers have more than 22 units.
        """
        return self._narrow()._log_share_of_hidden().logsumexp(0)

    def log_prob(self, visible: Tensor) -> Tensor:
        """The exact log p(v) in nats, shape ``(*batch,)``."""
        return self.log_unnormalised(visible) - self.log_normaliser()

    def statistics(self, visible: Tensor) -> RBMStatistics:
        r"""The gradient of log f(v) in the parameters, for each image.

        .. math::
            \frac{\partial \log f(v)}{\partial w_{ij}} = v_i\, p(h_j = 1 \mid v)

        Its mean over data less its mean under the model (:meth:`moments`, or a sampler's
        states) is the gradient of the log likelihood.

        Args:
            visible: 0 or 1, shape ``(*batch, visible)``.

        Returns:
            Shapes ``(*batch, visible, hidden)``, ``(*batch, visible)`` and ``(*batch, hidden)``.
        """
        v = self._check("visible", visible, self.visible_bias, True)
        hidden = self.hidden_logits(v).sigmoid()
        return RBMStatistics(v[..., :, None] * hidden[..., None, :], v, hidden)

    def moments(self) -> RBMStatistics:
        r"""The mean of :meth:`statistics` under the model: the exact gradient of log Z.

        .. math::
            \nabla \log Z = \frac1Z \sum_v f(v)\, \nabla \log f(v) = E_{p(v)}[\nabla \log f(v)]

        Returns:
            Shapes of the parameters; ``visible_bias`` holds the marginals p(v_i = 1).

        Raises:
            ValueError: If both layers have more than 22 units.
        """
        narrow = self._narrow()
        share = narrow._log_share_of_hidden().softmax(0)
        product, visible_mean, hidden_mean = (torch.zeros_like(p) for p in vars(narrow).values())
        for weight, h in zip(share.split(narrow._rows()), narrow._hidden_states(), strict=True):
            weighted = weight[:, None] * (h @ narrow.weight.T + narrow.visible_bias).sigmoid()
            product += weighted.T @ h
            visible_mean += weighted.sum(0)
            hidden_mean += weight @ h
        if narrow is self:
            return RBMStatistics(product, visible_mean, hidden_mean)
        return RBMStatistics(product.T, hidden_mean, visible_mean)

    def sample(
        self, num_samples: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Exact, independent draws of (v, h), ``(num_samples, visible)`` and ``(..., hidden)``."""
        if num_samples < 0:
            raise ValueError(f"num_samples must not be negative, got {num_samples}")
        narrow = self._narrow()
        cumulative = narrow._log_share_of_hidden().detach().double().softmax(0).cumsum(0)
        uniform = torch.rand(num_samples, generator=generator, dtype=torch.float64)
        state = torch.searchsorted(cumulative, uniform * cumulative[-1], right=True)
        state = state.clamp(max=len(cumulative) - 1)
        bits = torch.arange(len(narrow.hidden_bias) - 1, -1, -1)
        hidden = ((state[:, None] >> bits) & 1).to(self.weight.dtype)
        logits = narrow.transposed().hidden_logits(hidden)
        uniform = torch.rand(logits.shape, generator=generator, dtype=logits.dtype)
        visible = (uniform < logits.sigmoid()).to(logits.dtype)
        return (visible, hidden) if narrow is self else (hidden, visible)

    def _narrow(self) -> RBM:
        """The machine turned so that its hidden layer is the smaller."""
        visible, hidden = self.weight.shape
        narrow = self if hidden <= visible else self.transposed()
        check_enumerable(min(visible, hidden), MAX_LAYER)
        return narrow

    def _rows(self) -> int:
        return max(1, CHUNK_NUMBERS // len(self.visible_bias))

    def _hidden_states(self):
        bits, rows = len(self.hidden_bias), self._rows()
        for start in range(0, 2**bits, rows):
            stop = min(start + rows, 2**bits)
            yield binary_states(bits, start, stop, self.weight.dtype)

    def _log_share_of_hidden(self) -> Tensor:
        """log f of every hidden state, the visible units summed out: ``(2^hidden,)``."""
        over = self.transposed()
        return torch.cat([over._log_unnormalised(h) for h in self._hidden_states()])

    def _log_unnormalised(self, visible: Tensor) -> Tensor:
        logits = visible @ self.weight + self.hidden_bias
        # log(1 + e^l) = -log sigmoid(-l), which neither overflows nor rounds away.
        return visible @ self.visible_bias - logsigmoid(-logits).sum(-1)

    def _check(self, name: str, units: Tensor, bias: Tensor, binary: bool = False) -> Tensor:
        if units.shape[-1:] != bias.shape:
            raise ValueError(
                f"{name} must have shape (*batch, {name}) = (..., {len(bias)}), "
                f"got {tuple(units.shape)}"
            )
        units = units.to(bias.dtype)
        # Written so that NaN is wrong.
        wrong = ~((units == 0) | (units == 1)) if binary else ~((units >= 0) & (units <= 1))
        if bool(wrong.any()):
            rule = "0 or 1" if binary else "0 or 1 (or means, between)"
            raise ValueError(f"{name} must be {rule}, got {float(units[wrong][0])}")
        return units
