"""The linear-Gaussian model (probabilistic PCA): everything a VAE estimates, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import LOG_2PI, kl_to_standard_normal
from vaelab.exact.spectrum import covariance_spectrum


@dataclass(frozen=True)
class LinearGaussian:
    r"""A linear decoder with Gaussian noise of one variance.

    .. math::
        z \sim \mathcal N(0, I_d), \qquad x = W z + b + \varepsilon, \qquad
        \varepsilon \sim \mathcal N(0, s^2 I_D)

    A variational autoencoder whose decoder is linear. Its marginal, posterior, ELBO and
    the efficiency of any Gaussian proposal have closed forms: the truth of many chapters.

    Attributes:
        weight: :math:`W`, shape ``(pixels, latent)``.
        bias: :math:`b`, shape ``(pixels,)``.
        noise_var: :math:`s^2`, a positive number.

    Raises:
        ValueError: If the shapes disagree or ``noise_var`` is not positive and finite.

    Source:
        Tipping & Bishop (1999), *Probabilistic principal component analysis*.

    Example:
        >>> one = torch.ones(1, dtype=torch.float64)
        >>> model = LinearGaussian(weight=one[:, None], bias=0 * one, noise_var=1.0)
        >>> model.log_marginal(torch.zeros(1, 1, dtype=torch.float64))  # log N(0; 0, 2)
        tensor([-1.2655], dtype=torch.float64)
    """

    weight: Tensor
    bias: Tensor
    noise_var: float

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1]:
            raise ValueError(
                f"weight must have shape (pixels, latent) and bias (pixels,), "
                f"got {tuple(self.weight.shape)} and {tuple(self.bias.shape)}"
            )
        if not (math.isfinite(self.noise_var) and self.noise_var > 0):
            raise ValueError(f"noise_var must be positive and finite, got {self.noise_var}")

    @classmethod
    def fit(cls, x: Tensor, latent_dim: int, noise_var: float | None = None) -> LinearGaussian:
        r"""Maximum likelihood, from the eigenvalues of the data's covariance.

        .. math::
            \hat W = U_d (\Lambda_d - \hat s^2 I)^{1/2}, \qquad
            \hat s^2 = \frac{1}{D - d} \sum_{j > d} \lambda_j

        Args:
            x: Data, shape ``(images, pixels)``; computed in float64 whatever its type.
            latent_dim: d, at least 1 and less than the number of pixels.
            noise_var: Hold :math:`s^2` at this value instead, and fit W and b alone.

        Returns:
            A model with float64 parameters. An eigenvalue at or under :math:`s^2` gets a
            zero column: its latent dimension is unused. For any rotation R, ``W R`` is as
            likely; this one, of orthogonal columns, has a diagonal posterior.

        Raises:
            ValueError: If ``x`` is not a finite matrix of two images or more, or
                ``latent_dim`` is out of range.

        Source:
            Tipping & Bishop (1999), equations 7 and 8.
        """
        mean, eigenvalues, eigenvectors = covariance_spectrum(x)
        if not 1 <= latent_dim < x.shape[1]:
            raise ValueError(
                f"latent_dim must be from 1 to {x.shape[1] - 1} (pixels less one), got {latent_dim}"
            )
        if noise_var is None:
            noise_var = float(eigenvalues[latent_dim:].mean())
        scale = (eigenvalues[:latent_dim] - noise_var).clamp(min=0).sqrt()
        return cls(eigenvectors[:, :latent_dim] * scale, mean, noise_var)

    @property
    def latent_dim(self) -> int:
        """d, the number of columns of W."""
        return self.weight.shape[1]

    @property
    def pixels(self) -> int:
        """D, the number of rows of W."""
        return self.weight.shape[0]

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        r"""Log likelihood :math:`\log \mathcal N(x; W z + b, s^2 I)`.

        Args:
            x: Shape ``(batch, pixels)``.
            z: Shape ``(*samples, batch, latent)`` or ``(*samples, 1, latent)``.

        Returns:
            Nats, shape ``(*samples, batch)``.
        """
        # Only z^T (W^T r), not each image's pixels for each z: (samples, batch) stays small.
        residual = x - self.bias  # (batch, pixels)
        gram = self.weight.T @ self.weight
        squared = (
            residual.square().sum(-1)
            - 2 * (z * (residual @ self.weight)).sum(-1)
            + ((z @ gram) * z).sum(-1)
        )
        return -0.5 * (
            self.pixels * (LOG_2PI + math.log(self.noise_var)) + squared / self.noise_var
        )

    def log_marginal(self, x: Tensor) -> Tensor:
        r"""The exact :math:`\log p(x) = \log \mathcal N(x; b, W W^\top + s^2 I)`.

        Args:
            x: Shape ``(batch, pixels)``, of the parameters' type.

        Returns:
            Nats, shape ``(batch,)``: a log density, which may be positive.
        """
        return self._log_normal(x, self.noise_var)

    def _log_normal(self, x: Tensor, noise_var: float) -> Tensor:
        r""":math:`\log \mathcal N(x; b, W W^\top + s^2 I)` for any s, in d dimensions."""
        residual = x - self.bias
        projected = residual @ self.weight  # (batch, latent)
        identity = torch.eye(self.latent_dim, dtype=x.dtype, device=x.device)
        cholesky = torch.linalg.cholesky(self.weight.T @ self.weight + noise_var * identity)
        whitened = torch.linalg.solve_triangular(cholesky, projected.T, upper=False)
        mahalanobis = (residual.square().sum(-1) - whitened.square().sum(0)) / noise_var
        log_det = 2 * cholesky.diagonal().log().sum() + (self.pixels - self.latent_dim) * math.log(
            noise_var
        )
        return -0.5 * (self.pixels * LOG_2PI + log_det + mahalanobis)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""The exact p(z | x), a Gaussian.

        .. math::
            p(z \mid x) = \mathcal N\big(M^{-1} W^\top (x - b),\; s^2 M^{-1}\big),
            \qquad M = W^\top W + s^2 I

        Args:
            x: Shape ``(batch, pixels)``.

        Returns:
            Mean ``(batch, latent)``, and covariance ``(latent, latent)``: one for all
            images, since in a linear model how much an image tells does not depend on it.
        """
        identity = torch.eye(self.latent_dim, dtype=x.dtype, device=x.device)
        inverse = torch.linalg.inv(self.weight.T @ self.weight + self.noise_var * identity)
        return (x - self.bias) @ self.weight @ inverse, self.noise_var * inverse

    def kl_posterior_prior(self, x: Tensor) -> Tensor:
        r"""The exact :math:`\mathrm{KL}(p(z \mid x) \,\|\, p(z))`: what the image tells about z.

        Args:
            x: Shape ``(batch, pixels)``.

        Returns:
            Nats, shape ``(batch,)``.
        """
        mean, covariance = self.posterior(x)
        return 0.5 * (
            mean.square().sum(-1)
            + covariance.trace()
            - self.latent_dim
            - torch.linalg.slogdet(covariance).logabsdet
        )

    def log_ess_fraction(self, x: Tensor) -> Tensor:
        r"""Log of the exact effective sample size of prior draws, as a share of their number.

        .. math::
            \frac{\big(E_{p(z)}[w]\big)^2}{E_{p(z)}[w^2]}
            = \frac{p(x)^2}{E_{p(z)}[p(x \mid z)^2]}, \qquad w = p(x \mid z)

        closed because the square of a Gaussian is one of half the variance, times
        :math:`(4 \pi s^2)^{-D/2}`.

        Args:
            x: Shape ``(batch, pixels)``.

        Returns:
            At most 0, shape ``(batch,)``: 0 where every draw counts, -7 where one in
            1,100 does.

        Source:
            The weights' effective sample size: Kong (1992); the closed form is elementary.
        """
        log_second_moment = self._log_normal(x, self.noise_var / 2) - 0.5 * self.pixels * (
            math.log(4 * math.pi * self.noise_var)
        )
        return 2 * self.log_marginal(x) - log_second_moment

    def elbo(self, x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
        r"""The exact ELBO of a diagonal Gaussian q, no sampling.

        .. math::
            E_q[\log p(x \mid z)] - \mathrm{KL}(q \,\|\, p(z)), \qquad
            E_q\|x - b - W z\|^2 = \|x - b - W\mu\|^2 + \sum_j \sigma_j^2 \|w_j\|^2

        Args:
            x: Shape ``(batch, pixels)``.
            mean: :math:`\mu`, shape ``(batch, latent)``.
            log_var: :math:`\log \sigma^2`, same shape.

        Returns:
            Nats, shape ``(batch,)``.
        """
        spread = (log_var.exp() * self.weight.square().sum(0)).sum(-1) / self.noise_var
        reconstruction = self.log_likelihood(x, mean) - 0.5 * spread
        return reconstruction - kl_to_standard_normal(mean, log_var).sum(-1)

    def sample(
        self, num_samples: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw (x, z) from the joint, shapes ``(num_samples, pixels)`` and ``(..., latent)``."""
        like = {"dtype": self.weight.dtype, "device": self.weight.device, "generator": generator}
        z = torch.randn(num_samples, self.latent_dim, **like)
        noise = torch.randn(num_samples, self.pixels, **like)
        return z @ self.weight.T + self.bias + math.sqrt(self.noise_var) * noise, z
