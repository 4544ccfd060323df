"""A VAE all of whose averages are known: a linear encoder before a linear-Gaussian decoder."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.exact.linear_gaussian import LinearGaussian


@dataclass(frozen=True)
class LinearCode:
    """q(z | x) = N(x A, diag exp(log_var)), one variance for all images."""

    model: LinearGaussian
    encoder: Tensor
    log_var: Tensor

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = x @ self.encoder
        return mean, self.log_var.expand_as(mean)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        return self.model.log_likelihood(x, z)


@dataclass(frozen=True)
class Codes:
    """q(z | x) written down for each image; every image is as likely as any other."""

    mean: Tensor
    log_var: Tensor

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean, self.log_var

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        return 0 * z.sum(-1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear_code(latent_dim: int = 2, pixels: int = 4, dtype=torch.float64) -> LinearCode:
    weight = 0.7 * torch.randn(pixels, latent_dim, generator=seeded(0), dtype=torch.float64)
    encoder = 0.4 * torch.randn(pixels, latent_dim, generator=seeded(1), dtype=torch.float64)
    bias = torch.linspace(-0.5, 0.5, pixels)
    log_var = torch.linspace(-1.0, 0.3, latent_dim)
    return LinearCode(
        LinearGaussian(weight.to(dtype), bias.to(dtype), 0.5), encoder.to(dtype), log_var.to(dtype)
    )
