"""What a pixel may be, given z: one class a likelihood, the same few questions of each.

Each says how many numbers the decoder gives for a pixel (``outputs``), and answers for
them: the log likelihood of images, the mean image, and an image drawn at random. Each is
normalised over its own pixels, whatever the network outputs; log likelihoods of
different kinds of pixels are not to be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from vaelab.data import MAX_COUNT
from vaelab.densities import (
    bernoulli_log_likelihood,
    beta_binomial_log_likelihood,
    binomial_log_likelihood,
    categorical_log_density,
    continuous_bernoulli_log_likelihood,
    continuous_bernoulli_mean,
    continuous_bernoulli_quantile,
    count_log_likelihood,
    discretised_logistic_log_likelihood,
    normal_log_likelihood,
)


class Likelihood(Protocol):
    """One kind of pixel.

    The parameters are the decoder's ``outputs`` for each pixel, each of shape ``(*samples,
    batch, pixels)`` or ``(*samples, 1, pixels)``, and after them, for a Gaussian, the
    log-variance that all pixels share.

    Attributes:
        name: What ``VAE(likelihood=...)`` calls it.
        outputs: Numbers the decoder gives for each pixel.
        unit: What an encoder divides x by, so that its input is of the size of 1.
    """

    name: ClassVar[str]

    @property
    def outputs(self) -> int: ...

    @property
    def unit(self) -> float: ...

    def log_likelihood(self, x: Tensor, *parameters: Tensor) -> Tensor:
        """Of images x, ``(batch, pixels)``: nats, ``(*samples, batch)``."""

    def mean(self, *parameters: Tensor) -> Tensor:
        """E[x | z], in the units of x."""

    def sample(self, *parameters: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """An x drawn for each set of parameters."""


@dataclass(frozen=True)
class Bernoulli:
    """Binary pixels; the decoder gives logits."""

    name: ClassVar[str] = "bernoulli"
    outputs: ClassVar[int] = 1
    unit: ClassVar[float] = 1.0

    def log_likelihood(self, x: Tensor, logits: Tensor) -> Tensor:
        return bernoulli_log_likelihood(x, logits)

    def mean(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits)

    def sample(self, logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.bernoulli(torch.sigmoid(logits), generator=generator)


@dataclass(frozen=True)
class Gaussian:
    """Real-valued pixels; the decoder gives means, and one variance holds for all pixels.

    Attributes:
        noise_var: Hold the variance at this value; ``None`` learns it, starting at 1.

    Raises:
        ValueError: If ``noise_var`` is not positive and finite.
    """

    name: ClassVar[str] = "gaussian"
    outputs: ClassVar[int] = 1
    unit: ClassVar[float] = 1.0
    noise_var: float | None = None

    def __post_init__(self) -> None:
        if self.noise_var is not None and not 0 < self.noise_var < math.inf:
            raise ValueError(f"noise_var must be positive and finite, got {self.noise_var}")

    def log_likelihood(self, x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
        return normal_log_likelihood(x, mean, log_var)

    def mean(self, mean: Tensor, log_var: Tensor) -> Tensor:
        return mean

    def sample(
        self, mean: Tensor, log_var: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
        return mean + torch.exp(log_var / 2) * noise


@dataclass(frozen=True)
class ContinuousBernoulli:
    """Grey pixels in [0, 1]; the decoder gives logits."""

    name: ClassVar[str] = "continuous-bernoulli"
    outputs: ClassVar[int] = 1
    unit: ClassVar[float] = 1.0

    def log_likelihood(self, x: Tensor, logits: Tensor) -> Tensor:
        return continuous_bernoulli_log_likelihood(x, logits)

    def mean(self, logits: Tensor) -> Tensor:
        return continuous_bernoulli_mean(logits)

    def sample(self, logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return continuous_bernoulli_quantile(_uniform(logits, generator), logits)


@dataclass(frozen=True)
class _Counts:
    """Pixels that count from 0 to n.

    Attributes:
        max_count: n.

    Raises:
        ValueError: If ``max_count`` is under 1.
    """

    max_count: int = MAX_COUNT

    def __post_init__(self) -> None:
        if self.max_count < 1:
            raise ValueError(f"max_count must be at least 1, got {self.max_count}")

    @property
    def unit(self) -> float:
        return self.max_count


@dataclass(frozen=True)
class Binomial(_Counts):
    """Counts 0 to n; the decoder gives the logit of each of n trials."""

    name: ClassVar[str] = "binomial"
    outputs: ClassVar[int] = 1

    def log_likelihood(self, x: Tensor, logits: Tensor) -> Tensor:
        return binomial_log_likelihood(x, logits, self.max_count)

    def mean(self, logits: Tensor) -> Tensor:
        return self.max_count * torch.sigmoid(logits)

    def sample(self, logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
        trials = torch.full_like(logits, self.max_count)
        return torch.binomial(trials, torch.sigmoid(logits), generator=generator)


@dataclass(frozen=True)
class BetaBinomial(_Counts):
    """Counts 0 to n; the decoder gives the logit of their mean, and a log-concentration."""

    name: ClassVar[str] = "beta-binomial"
    outputs: ClassVar[int] = 2

    def log_likelihood(self, x: Tensor, mean_logit: Tensor, log_concentration: Tensor) -> Tensor:
        return beta_binomial_log_likelihood(x, mean_logit, log_concentration, self.max_count)

    def mean(self, mean_logit: Tensor, log_concentration: Tensor) -> Tensor:
        return self.max_count * torch.sigmoid(mean_logit)

    def sample(
        self,
        mean_logit: Tensor,
        log_concentration: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        # Polya's urn: trial number k repeats one of the k before it with probability
        # k / (c + k), and else is a fresh draw with the mean's probability.
        mean, x = torch.sigmoid(mean_logit), torch.zeros_like(mean_logit)
        for k in range(self.max_count):
            fresh = torch.sigmoid(log_concentration - math.log(k)) if k else 1.0
            share = x / k if k else 0.0
            x = x + (_uniform(x, generator) < fresh * mean + (1 - fresh) * share)
        return x


@dataclass(frozen=True)
class DiscretisedLogistic(_Counts):
    """Counts 0 to n, a rounded real number; the decoder gives its mean and log-scale.

    Its outputs are of the size of 1: the mean n (1/2 + output), the scale n exp(output).
    """

    name: ClassVar[str] = "discretised-logistic"
    outputs: ClassVar[int] = 2

    def _in_counts(self, mean: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
        return self.max_count * (0.5 + mean), math.log(self.max_count) + log_scale

    def log_likelihood(self, x: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
        mean, log_scale = self._in_counts(mean, log_scale)
        return discretised_logistic_log_likelihood(x, mean, log_scale, self.max_count)

    def mean(self, mean: Tensor, log_scale: Tensor) -> Tensor:
        # A count's mean is the sum of the probabilities of reaching 1, 2, ..., n.
        mean, log_scale = self._in_counts(mean, log_scale)
        edges = torch.arange(self.max_count, dtype=mean.dtype, device=mean.device) + 0.5
        return sum(torch.sigmoid((mean - edge) * torch.exp(-log_scale)) for edge in edges)

    def sample(
        self, mean: Tensor, log_scale: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        mean, log_scale = self._in_counts(mean, log_scale)
        real = mean + torch.exp(log_scale) * torch.logit(_uniform(mean, generator))
        return real.round().clamp(0, self.max_count)


@dataclass(frozen=True)
class Categorical(_Counts):
    """Counts 0 to n; the decoder gives a logit for each of the n + 1 levels."""

    name: ClassVar[str] = "categorical"

    @property
    def outputs(self) -> int:
        return self.max_count + 1

    def log_likelihood(self, x: Tensor, *logits: Tensor) -> Tensor:
        def log_density(x: Tensor, *logits: Tensor) -> Tensor:
            return categorical_log_density(x, torch.stack(logits, -1))

        return count_log_likelihood(log_density, x, *logits, max_count=self.max_count)

    def mean(self, *logits: Tensor) -> Tensor:
        levels = torch.arange(self.outputs, dtype=logits[0].dtype, device=logits[0].device)
        return torch.softmax(torch.stack(logits, -1), -1) @ levels

    def sample(self, *logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
        shares = torch.softmax(torch.stack(logits, -1), -1).cumsum(-1)
        return (_uniform(logits[0], generator)[..., None] > shares[..., :-1]).sum(-1).to(shares)


LIKELIHOODS: dict[str, Likelihood] = {
    each.name: each
    for each in (
        Bernoulli(),
        Gaussian(),
        Binomial(),
        BetaBinomial(),
        ContinuousBernoulli(),
        DiscretisedLogistic(),
        Categorical(),
    )
}


def _uniform(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
