"""The variational autoencoder: a decoder that defines p(x, z), an encoder that defines q(z | x)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vaelab.models.likelihoods import LIKELIHOODS, Gaussian, Likelihood


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

    The likelihood is a product over pixels *given z*, of the kind that suits them, and
    normalised over x whatever the network outputs: for binary pixels ``"bernoulli"``; for
    counts 0 to 16 ``"binomial"``, ``"beta-binomial"``, ``"discretised-logistic"`` or
    ``"categorical"``; for grey values in [0, 1] ``"continuous-bernoulli"``; for reals
    ``"gaussian"``, with one variance :math:`s^2` learnt for all pixels. Other settings are
    given as a likelihood of one's own making: ``Gaussian(noise_var=1.0)`` holds the variance,
    ``Binomial(max_count=255)`` counts further. tanh, not ReLU, so that log p(x) can be
    integrated on a grid to eight digits.

    Args:
        latent_dim: Dimension of z.
        hidden: Width of both hidden layers.
        pixels: Dimension of x.
        likelihood: One of the names above, or an object from ``vaelab.models.likelihoods``.
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
        likelihood: str | Likelihood = "bernoulli",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("latent_dim", latent_dim), ("hidden", hidden), ("pixels", pixels)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        if isinstance(likelihood, str):
            if likelihood not in LIKELIHOODS:
                raise ValueError(
                    f"likelihood must be one of {', '.join(LIKELIHOODS)}, got {likelihood!r}"
                )
            likelihood = LIKELIHOODS[likelihood]
        self.latent_dim, self.hidden, self.pixels = latent_dim, hidden, pixels
        self.likelihood, self.pixel_likelihood = likelihood.name, likelihood
        # One head for mean and log-variance: one matrix product instead of two.
        self.encoder = _network(pixels, hidden, 2 * latent_dim)
        self.decoder = _network(latent_dim, hidden, likelihood.outputs * pixels)
        if isinstance(likelihood, Gaussian):
            self.noise_log_var = nn.Parameter(
                torch.tensor(math.log(likelihood.noise_var or 1.0)),
                requires_grad=likelihood.noise_var is None,
            )
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

        The network outputs a logarithm, so the variance is positive whatever it says. Counts
        are divided by n before it sees them: at 16, tanh would stand still.

        Args:
            x: Images, shape ``(*batch, pixels)``.

        Returns:
            Two tensors of shape ``(*batch, latent)``.
        """
        scaled = x / self.pixel_likelihood.unit
        # Under autocast the products are narrow, and what is made of them is not.
        mean, log_var = self.encoder(scaled).to(scaled.dtype).chunk(2, dim=-1)
        return mean, log_var

    def decode(self, z: Tensor) -> Tensor:
        """Parameters of p(x | z) as the network outputs them: Bernoulli logits, Gaussian means...

        Args:
            z: Latents, shape ``(*batch, latent)``.

        Returns:
            Shape ``(*batch, pixels)`` where a pixel has one parameter. Where it has more,
            ``(*batch, parameters * pixels)``: the first of every pixel, then the second.
        """
        return self.decoder(z).to(z.dtype)

    def _pixel_parameters(self, z: Tensor) -> tuple[Tensor, ...]:
        parameters = self.decode(z).split(self.pixels, dim=-1)
        if isinstance(self.pixel_likelihood, Gaussian):
            return (*parameters, self.noise_log_var)
        return parameters

    def decode_mean(self, z: Tensor) -> Tensor:
        """The mean image E[x | z], shape ``(*batch, pixels)``: what a VAE's pictures show."""
        return self.pixel_likelihood.mean(*self._pixel_parameters(z))

    @torch.no_grad()
    def decode_sample(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """An image drawn from p(x | z), shape ``(*batch, pixels)``: what the model says x is.

        Args:
            z: Latents, shape ``(*batch, latent)``.
            generator: Source of the draws; ``None`` takes torch's global one.
        """
        return self.pixel_likelihood.sample(*self._pixel_parameters(z), generator=generator)

    @torch.no_grad()
    def sample(
        self, num_samples: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        r"""Draw pairs from the joint: :math:`z \sim \mathcal N(0, I)`, :math:`x \sim p(x \mid z)`.

        Such an x comes with an exact draw from its own posterior: the z that made it.

        Args:
            num_samples: How many pairs.
            generator: Source of the draws; ``None`` takes torch's global one.

        Returns:
            x of shape ``(num_samples, pixels)`` and z of ``(num_samples, latent)``.

        Raises:
            ValueError: If ``num_samples`` is negative.
        """
        if num_samples < 0:
            raise ValueError(f"num_samples must not be negative, got {num_samples}")
        weight = self.decoder[0].weight
        z = torch.randn(
            (num_samples, self.latent_dim),
            generator=generator,
            dtype=weight.dtype,
            device=weight.device,
        )
        return self.decode_sample(z, generator), z

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        r"""Log likelihood :math:`\log p_\theta(x \mid z)`, summed over pixels.

        Args:
            x: Images, shape ``(batch, pixels)``.
            z: Latents, shape ``(*samples, batch, latent)``: one or many for each image; or
                ``(*samples, 1, latent)``: the same for all of them.

        Returns:
            Nats, shape ``(*samples, batch)``.

        Raises:
            ValueError: If x does not suit the likelihood: other pixels, or values that are
                no counts or not in [0, 1] where it is of those.
        """
        parameters = self._pixel_parameters(z)
        # A sum over pixels is a product too where many images share a z; in bfloat16 it would
        # be off by whole nats.
        with torch.autocast(x.device.type, enabled=False):
            return self.pixel_likelihood.log_likelihood(x, *parameters)
