"""A model of x with no latent and no Z: the chain rule, with every conditional in a table."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from vaelab.exact.enumeration import binary_states, check_enumerable

MAX_BITS = 20


@dataclass(frozen=True)
class ChainRuleTable:
    r"""Each bit given all before it, one free number for every past.

    .. math::
        p(x) = \prod_{i=1}^D p(x_i \mid x_1, \dots, x_{i-1}), \qquad
        p(x_i = 1 \mid x_{<i}) = \operatorname{sigmoid}(\ell_{x_{<i}})

    It sums to one whatever the numbers: every factor is normalised by itself. Any
    distribution over D bits has this form.

    Attributes:
        logits: One for each past, ``(2^D - 1,)``: first the empty one, then those of one
            bit, in the order of counting, and so on.

    Raises:
        ValueError: If the number of logits is not 2^D - 1 for a D from 1 to 20.

    Source:
        Bishop (2006), equation 8.5; Frey (1998), *Graphical models for machine learning*.

    Example:
        >>> table = ChainRuleTable(torch.zeros(7, dtype=torch.float64))
        >>> table.log_prob(torch.tensor([[1.0, 0.0, 1.0]])).exp()  # 2^-3
        tensor([0.1250], dtype=torch.float64)
    """

    logits: Tensor

    def __post_init__(self) -> None:
        states = self.logits.numel() + 1
        if self.logits.ndim != 1 or states < 2 or states & (states - 1):
            raise ValueError(
                f"logits must have shape (2^bits - 1,) with bits at least 1, "
                f"got {tuple(self.logits.shape)}"
            )
        check_enumerable(self.bits, MAX_BITS)

    @classmethod
    def random(
        cls, bits: int, scale: float = 1.0, generator: torch.Generator | None = None
    ) -> ChainRuleTable:
        """Logits drawn from N(0, scale^2), float64.

        Args:
            bits: D, from 1 to 20.
            scale: Standard deviation.
            generator: Source of the numbers; ``None`` takes torch's global one.

        Returns:
            A table.
        """
        count = check_enumerable(bits, MAX_BITS) - 1
        return cls(scale * torch.randn(count, generator=generator, dtype=torch.float64))

    @property
    def bits(self) -> int:
        """D."""
        return self.logits.numel().bit_length()

    def log_prob(self, x: Tensor) -> Tensor:
        """The exact log p(x), from D numbers of the table.

        Args:
            x: 0 or 1, shape ``(*batch, bits)``.

        Returns:
            Nats, shape ``(*batch,)``.

        Raises:
            ValueError: If the shape is another or a value is not 0 or 1.
        """
        if x.shape[-1:] != (self.bits,):
            raise ValueError(
                f"x must have shape (*batch, bits) = (..., {self.bits}), got {tuple(x.shape)}"
            )
        wrong = ~((x == 0) | (x == 1))
        if bool(wrong.any()):
            raise ValueError(f"x must be 0 or 1, got {float(x[wrong][0])}")
        past = self._pasts(x.long())
        sign = 2 * x.to(self.logits.dtype) - 1
        return logsigmoid(sign * self.logits[past]).sum(-1)

    def log_prob_of_all(self) -> Tensor:
        """log p of every state in the order of counting, nats, ``(2^bits,)``."""
        return self.log_prob(binary_states(self.bits, dtype=self.logits.dtype))

    def sample(self, num_samples: int, generator: torch.Generator | None = None) -> Tensor:
        """Exact draws, bit after bit, shape ``(num_samples, bits)``."""
        x = torch.zeros(num_samples, self.bits, dtype=torch.long)
        uniform = torch.rand(x.shape, generator=generator, dtype=self.logits.dtype)
        for i in range(self.bits):
            logits = self.logits[self._pasts(x)[:, i]]
            x[:, i] = uniform[:, i] < logits.sigmoid()
        return x.to(self.logits.dtype)

    def _pasts(self, x: Tensor) -> Tensor:
        """Where the logit of each bit's past stands: 2^i - 1 pasts are shorter, ``x.shape``."""
        power = 2 ** torch.arange(self.bits)
        number = torch.zeros_like(x)
        for i in range(1, self.bits):
            number[..., i] = 2 * number[..., i - 1] + x[..., i - 1]
        return number + power - 1
