"""A VAE whose truth is known: a linear-Gaussian decoder, and a q handed in as numbers."""

import math
from dataclasses import dataclass

import torch

from vaelab.exact.linear_gaussian import LinearGaussian


@dataclass(frozen=True)
class LinearVAE:
    """``encode`` ignores x: each image of the batch has the q written down for it."""

    model: LinearGaussian
    mean: torch.Tensor
    log_var: torch.Tensor

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.mean, self.log_var

    def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return self.model.log_likelihood(x, z)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear_gaussian(latent_dim: int = 2, pixels: int = 4) -> LinearGaussian:
    weight = 0.7 * torch.randn(pixels, latent_dim, generator=seeded(0), dtype=torch.float64)
    return LinearGaussian(weight, torch.linspace(-0.5, 0.5, pixels).double(), 0.5)


def images(model: LinearGaussian, count: int = 3) -> torch.Tensor:
    return model.sample(count, seeded(1))[0]


def off_posterior(model: LinearGaussian, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A q near the posterior and not it: shifted, and wider in places."""
    mean, covariance = model.posterior(x)
    log_var = covariance.diagonal().log().expand_as(mean)
    return mean + 0.3, (log_var + torch.linspace(-0.4, 0.6, mean.shape[1])).contiguous()


def exact_posterior(model: LinearGaussian, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """With one latent the posterior is itself a diagonal Gaussian."""
    mean, variance = model.posterior(x)
    return mean, variance.log().expand_as(mean).contiguous()


def assert_mean_is(estimates: torch.Tensor, expected: torch.Tensor) -> None:
    """Within 5 standard errors: a right answer fails about once in two million seeds."""
    standard_error = estimates.std(0) / math.sqrt(len(estimates))
    distance = (estimates.mean(0) - expected).abs()
    assert (distance <= 5 * standard_error + 1e-12).all(), (distance / standard_error).max()
