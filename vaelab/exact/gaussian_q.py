"""One Gaussian for each image, of any covariance: a q whose ELBO is asked for, or a proposal."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import multivariate_normal_log_density


@dataclass(frozen=True)
class GaussianQ:
    r"""An approximate posterior, :math:`q(z \mid x) = \mathcal N(\mu, L L^\top)`.

    Attributes:
        mean: :math:`\mu`, shape ``(batch, latent)``.
        scale_tril: L, lower triangular with a positive diagonal, shape ``(latent, latent)``
            if it is the same for all images, or ``(batch, latent, latent)``.

    Raises:
        ValueError: If the shapes disagree, a number is not finite, or L is no such factor.

    Source:
        Cremer et al. (2018).

    Example:
        >>> q = GaussianQ.diagonal(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
        >>> q.kl_to_prior()
        tensor([0.5000])
    """

    mean: Tensor
    scale_tril: Tensor

    def __post_init__(self) -> None:
        mean, factor = self.mean, self.scale_tril
        if mean.ndim != 2 or factor.shape not in (
            (mean.shape[1], mean.shape[1]),
            (*mean.shape, mean.shape[1]),
        ):
            raise ValueError(
                f"mean must have shape (batch, latent) and scale_tril (latent, latent) or "
                f"(batch, latent, latent), got {tuple(mean.shape)} and {tuple(factor.shape)}"
            )
        for name, value in (("mean", mean), ("scale_tril", factor)):
            if not bool(value.isfinite().all()):
                raise ValueError(f"{name} must be finite, got {float(value[~value.isfinite()][0])}")
        diagonal = factor.diagonal(dim1=-2, dim2=-1)
        if bool((diagonal <= 0).any()) or bool(factor.triu(1).any()):
            raise ValueError(
                f"scale_tril must be lower triangular with a positive diagonal, got one whose "
                f"smallest is {float(diagonal.min())}, or with numbers above it"
            )

    @classmethod
    def diagonal(cls, mean: Tensor, log_var: Tensor) -> GaussianQ:
        r"""From what an encoder outputs.

        Args:
            mean: :math:`\mu`, shape ``(batch, latent)``.
            log_var: :math:`\log \sigma^2`, same shape.

        Returns:
            Independent latents.

        Raises:
            ValueError: If the shapes differ.
        """
        if mean.shape != log_var.shape:
            raise ValueError(
                f"mean and log_var must have the same shape, "
                f"got {tuple(mean.shape)} and {tuple(log_var.shape)}"
            )
        return cls(mean, torch.diag_embed(torch.exp(0.5 * log_var)))

    @classmethod
    def full(cls, mean: Tensor, covariance: Tensor) -> GaussianQ:
        r"""From a covariance.

        Args:
            mean: :math:`\mu`, shape ``(batch, latent)``.
            covariance: Shape ``(latent, latent)`` or ``(batch, latent, latent)``.

        Returns:
            Its Cholesky factor with the mean.

        Raises:
            ValueError: If the covariance is not symmetric and positive definite.
        """
        if covariance.ndim < 2 or covariance.shape[-1] != covariance.shape[-2]:
            raise ValueError(
                f"covariance must have shape (latent, latent) or (batch, latent, latent), "
                f"got {tuple(covariance.shape)}"
            )
        factor, failed = torch.linalg.cholesky_ex(covariance)
        # cholesky reads the lower triangle alone, and would not see that the upper differs.
        if bool(failed.any()) or not torch.allclose(covariance, covariance.mT):
            raise ValueError(
                f"covariance must be symmetric and positive definite, got one whose smallest "
                f"eigenvalue is {float(torch.linalg.eigvals(covariance).real.min()):.3g}, "
                f"and which differs from its transpose by "
                f"{float((covariance - covariance.mT).abs().max()):.3g}"
            )
        return cls(mean, factor)

    @property
    def covariance(self) -> Tensor:
        """L L^T, of the shape of ``scale_tril``."""
        return self.scale_tril @ self.scale_tril.mT

    @property
    def log_det(self) -> Tensor:
        """log det of the covariance: a scalar, or ``(batch,)``."""
        return 2 * self.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    @property
    def noise_dim(self) -> int:
        """One number a latent: it can be drawn from as a proposal."""
        return self.mean.shape[-1]

    def transform(self, noise: Tensor) -> Tensor:
        r""":math:`z = \mu + L \epsilon` of standard normal noise, ``(K, batch or 1, latent)``."""
        # One matrix product an image, all its draws at once.
        return self.mean + (noise.movedim(0, -2) @ self.scale_tril.mT).movedim(-2, 0)

    def log_density(self, z: Tensor) -> Tensor:
        """log q(z) in nats for z of shape ``(K, batch or 1, latent)``, shape ``(K, batch)``."""
        return multivariate_normal_log_density(z, self.mean, self.scale_tril)

    def kl_to_prior(self) -> Tensor:
        r"""KL(q || N(0, I)), in nats, shape ``(batch,)``.

        .. math::
            \tfrac12 \big( \|\mu\|^2 + \operatorname{tr} L L^\top - d - \log\det L L^\top \big)
        """
        trace = self.scale_tril.square().sum((-2, -1))
        squared = self.mean.square().sum(-1)
        return 0.5 * (squared + trace - self.mean.shape[-1] - self.log_det)
