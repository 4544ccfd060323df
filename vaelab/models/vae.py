"""The variational autoencoder: a decoder that defines p(x, z), an encoder that defines q(z | x)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vaelab.densities import bernoulli_log_likelihood, normal_log_density

LIKELIHOODS = ("bernoulli", "gaussian")


def _network(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    # skip_init, because a layer's own initialisation draws from the global generator.
    return nn.Sequential(
        nn.utils.skip_init(nn.Linear, inputs, hidden),
        nn.Tanh(),
        nn.utils.skip_init(nn.Linear, hidden, outputs),
    )


class VAE(nn.Module):
    r"""A decoder and an encoder, each with one hidden layer of tanh units.

    .. math::
        z \sim \mathcal N(0, I), \qquad x \mid z \sim p_\theta(x \mid z), \qquad
        q_\phi(z \mid x) = \mathcal N\big(\mu_\phi(x), \operatorname{diag} \sigma_\phi^2(x)\big)

    The likelihood is a product over pixels *given z*: Bernoullis whose logits the decoder
    outputs (for binary pixels), or Gaussians whose means it outputs, with one variance
    :math:`s^2` learnt for all pixels (for real-valued ones). Both are normalised over x
    whatever the network outputs. tanh, not ReLU, so that log p(x) can be integrated on a
    grid to eight digits.

    Args:
        latent_dim: Dimension of z.
        hidden: Width of both hidden layers.
        pixels: Dimension of x.
        likelihood: ``"bernoulli"`` or ``"gaussian"``.
        generator: Source of the initial weights; ``None`` takes torch's global one.

    Raises:
        ValueError: If a size is under 1 or the likelihood is unknown.

    Source:
        Kingma & Welling (2014), section 3 and Appendix C.

    Example:
        >>> vae = VAE(latent_dim=2, generator=torch.Generator().manual_seed(0))
        >>> mean, log_var = vae.encode(torch.zeros(5, 64))
        >>> vae.log_likelihood(torch.zeros(5, 64), mean).shape
        torch.Size([5])
    """

    def __init__(
        self,
        latent_dim: int = 2,
        hidden: int = 32,
        pixels: int = 64,
        likelihood: str = "bernoulli",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("latent_dim", latent_dim), ("hidden", hidden), ("pixels", pixels)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        if likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood must be one of {LIKELIHOODS}, got {likelihood!r}")
        self.latent_dim, self.hidden, self.pixels = latent_dim, hidden, pixels
        self.likelihood = likelihood
        # One head for mean and log-variance: one matrix product instead of two.
        self.encoder = _network(pixels, hidden, 2 * latent_dim)
        self.decoder = _network(latent_dim, hidden, pixels)
        if likelihood == "gaussian":
            self.noise_log_var = nn.Parameter(torch.zeros(()))
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator | None) -> None:
        """Draw the weights as ``nn.Linear`` does, but from an explicit generator."""
        with torch.no_grad():
            for layer in (*self.encoder, *self.decoder):
                if isinstance(layer, nn.Linear):
                    bound = 1 / math.sqrt(layer.in_features)
                    layer.weight.uniform_(-bound, bound, generator=generator)
                    layer.bias.uniform_(-bound, bound, generator=generator)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Parameters of q(z | x): its mean :math:`\mu` and log-variance :math:`\log \sigma^2`.

        The network outputs a logarithm, so the variance is positive whatever it says.

        Args:
            x: Images, shape ``(*batch, pixels)``.

        Returns:
            Two tensors of shape ``(*batch, latent)``.
        """
        mean, log_var = self.encoder(x).chunk(2, dim=-1)
        return mean, log_var

    def decode(self, z: Tensor) -> Tensor:
        """Parameters of p(x | z): Bernoulli logits, or Gaussian means.

        Args:
            z: Latents, shape ``(*batch, latent)``.

        Returns:
            Shape ``(*batch, pixels)``.
        """
        return self.decoder(z)

    def decode_mean(self, z: Tensor) -> Tensor:
        """The mean image E[x | z], shape ``(*batch, pixels)``: what a VAE's pictures show."""
        output = self.decode(z)
        return torch.sigmoid(output) if self.likelihood == "bernoulli" else output

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        r"""Log likelihood :math:`\log p_\theta(x \mid z)`, summed over pixels.

        Args:
            x: Images, shape ``(batch, pixels)``.
            z: Latents, shape ``(*samples, batch, latent)``: one or many for each image; or
                ``(*samples, 1, latent)``: the same for all of them.

        Returns:
            Nats, shape ``(*samples, batch)``.
        """
        output = self.decode(z)
        if self.likelihood == "bernoulli":
            return bernoulli_log_likelihood(x, output)
        return normal_log_density(x, output, self.noise_log_var).sum(-1)
