"""What all contestants start from: data, sizes, and the VAE in the shape that peers give it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaelab.models.vae import VAE

SEED = 0
BATCH_SIZE = 128
LEARNING_RATE = 1e-3


def new_vae(x: Tensor, hidden: int, latent_dim: int) -> VAE:
    return VAE(latent_dim, hidden, x.shape[1], generator=torch.Generator().manual_seed(SEED))


def generated_images(count: int, pixels: int = 784) -> Tensor:
    """Binary images with something to learn: ten patterns, a tenth of the pixels flipped."""
    generator = torch.Generator().manual_seed(SEED)
    patterns = torch.rand(10, pixels, generator=generator) < 0.3
    kinds = torch.randint(10, (count,), generator=generator)
    flipped = torch.rand(count, pixels, generator=generator) < 0.1
    return (patterns[kinds] ^ flipped).float()


def linear_layers(vae: VAE) -> list[nn.Linear]:
    """Encoder's first, encoder's head, decoder's first, decoder's last."""
    return [layer for layer in (*vae.encoder, *vae.decoder) if isinstance(layer, nn.Linear)]


class ExampleVAE(nn.Module):
    """The VAE in the style of PyTorch's example, with the weights of one of ours.

    It has a layer for the mean and another for the log-variance, as all peers have in their
    own examples.
    """

    def __init__(self, vae: VAE) -> None:
        super().__init__()
        self.fc1 = nn.Linear(vae.pixels, vae.hidden)
        self.fc21 = nn.Linear(vae.hidden, vae.latent_dim)
        self.fc22 = nn.Linear(vae.hidden, vae.latent_dim)
        self.fc3 = nn.Linear(vae.latent_dim, vae.hidden)
        self.fc4 = nn.Linear(vae.hidden, vae.pixels)
        first, heads, third, fourth = linear_layers(vae)
        with torch.no_grad():
            for own, theirs in ((self.fc1, first), (self.fc3, third), (self.fc4, fourth)):
                own.load_state_dict(theirs.state_dict())
            for own, part in ((self.fc21, 0), (self.fc22, 1)):
                own.weight.copy_(heads.weight.chunk(2)[part])
                own.bias.copy_(heads.bias.chunk(2)[part])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.tanh(self.fc1(x))
        return self.fc21(hidden), self.fc22(hidden)

    def decode_logits(self, z: Tensor) -> Tensor:
        return self.fc4(torch.tanh(self.fc3(z)))

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.decode_logits(z))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x)
        std = torch.exp(0.5 * log_var)
        z = mean + torch.randn_like(std) * std
        return self.decode(z), mean, log_var

    def gradients(self) -> list[Tensor]:
        """In the order of our model's parameters, where one head gives mean and log-variance."""
        found = []
        for layers in ((self.fc1,), (self.fc21, self.fc22), (self.fc3,), (self.fc4,)):
            found.append(torch.cat([layer.weight.grad for layer in layers]))
            found.append(torch.cat([layer.bias.grad for layer in layers]))
        return found
