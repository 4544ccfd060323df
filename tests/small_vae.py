"""Models small enough to train in a test, and one whose gradient is known exactly."""

import torch
from torch import Tensor

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.models.vae import VAE


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def new_vae(latent_dim: int = 2, seed: int = 0) -> VAE:
    return VAE(latent_dim=latent_dim, hidden=8, generator=seeded(seed))


def weights(vae: torch.nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in vae.parameters()])


class LinearVAE(torch.nn.Module):
    """A VAE whose ELBO, and so its gradient, is known exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = torch.nn.Parameter(torch.randn(4, 2, generator=seeded(0)).double())
        self.encoder = torch.nn.Parameter(torch.randn(4, 2, generator=seeded(1)).double() / 4)
        self.log_var = torch.nn.Parameter(torch.tensor([-1.0, 0.3]).double())

    def model(self) -> LinearGaussian:
        return LinearGaussian(self.decoder, torch.zeros(4).double(), 0.5)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x @ self.encoder, self.log_var.expand(len(x), 2)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        return self.model().log_likelihood(x, z)

    def rate(self, x: Tensor) -> Tensor:
        mean, log_var = self.encode(x)
        q = torch.distributions.Normal(mean, (log_var / 2).exp())
        prior = torch.distributions.Normal(torch.zeros(2).double(), 1.0)
        return torch.distributions.kl_divergence(q, prior).sum(-1)

    def exact_objective(self, x: Tensor, beta: float) -> Tensor:
        """Image by image, nothing sampled."""
        return self.model().elbo(x, *self.encode(x)) + (1 - beta) * self.rate(x)
