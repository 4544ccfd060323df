r"""Where training a linear VAE ends: the best parameters for the ELBO, for beta, for a held q.

.. math::
    E_q[\log p(x \mid z)] - \beta\, \mathrm{KL}(q \,\|\, p(z))
    = \beta\, \mathrm{ELBO}_{\beta s^2} - \tfrac{D}{2} \log 2 \pi s^2
    + \beta \tfrac{D}{2} \log 2 \pi \beta s^2

where :math:`\mathrm{ELBO}_{\beta s^2}` is that of the same W, b and q with noise
:math:`\beta s^2`: at a noise that is held, beta and a noisier model are one thing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.spectrum import covariance_spectrum


def collapsed(eigenvalues: Tensor, noise_var: float, beta: float = 1.0) -> Tensor:
    r"""Which principal directions get no latent, however many latents there are.

    .. math::
        \lambda_j \le \beta s^2

    A direction that varies by less than the noise is cheaper to call noise. Nothing is
    wrong with the ELBO there: at beta = 1, maximum likelihood says the same.

    Args:
        eigenvalues: Of the data's covariance, any shape.
        noise_var: The decoder's :math:`s^2`.
        beta: Weight of the KL.

    Returns:
        Booleans (no unit), the shape of ``eigenvalues``.

    Raises:
        ValueError: If ``noise_var`` or ``beta`` is not positive and finite.

    Source:
        Tipping & Bishop (1999), appendix A; Lucas et al. (2019).

    Example:
        >>> collapsed(torch.tensor([3.0, 1.5, 1.0]), noise_var=1.0, beta=2.0)
        tensor([False,  True,  True])
    """
    for name, value in (("noise_var", noise_var), ("beta", beta)):
        _check_positive(name, value)
    return eigenvalues <= beta * noise_var


def fit_beta(
    x: Tensor, latent_dim: int, beta: float = 1.0, noise_var: float | None = None
) -> LinearGaussian:
    r"""The parameters that maximise reconstruction less beta KL, with the best q for each image.

    .. math::
        \hat W = U_d \big( \Lambda_d - \beta s^2 I \big)_+^{1/2}, \qquad
        \hat s^2 = \frac{\sum_{j > k} \lambda_j}{D - \beta k}

    with k the number of latents in use, those of :math:`\lambda_j > \beta \hat s^2`. The
    columns of W are orthogonal, so the best q is diagonal: restricting q to diagonal ones
    costs nothing at the optimum, and only takes away the freedom of rotation. At beta = 1
    this is maximum likelihood.

    Args:
        x: Data, shape ``(images, pixels)``; computed in float64.
        latent_dim: d, at least 1 and less than the number of pixels.
        beta: Weight of the KL, positive.
        noise_var: Hold :math:`s^2` at this value instead of fitting it.

    Returns:
        A model with float64 parameters, whose q is ``best_diagonal(model, x, beta)``.

    Raises:
        ValueError: If ``x`` is not a finite matrix of two images or more, ``latent_dim`` is
            out of range, ``beta`` or ``noise_var`` is not positive and finite, or the best
            :math:`s^2` is 0: with so many latents and so little beta the bound is unbounded.

    Source:
        beta = 1: Lucas et al. (2019) and Tipping & Bishop (1999); noise that
        goes to zero: Dai & Wipf (2019). Other beta: from the identity at this file's head.

    Example:
        >>> x = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
        >>> model = fit_beta(x, latent_dim=2)
        >>> bool((model.weight - LinearGaussian.fit(x, 2).weight).abs().max() < 1e-10)
        True
    """
    _check_positive("beta", beta)
    mean, eigenvalues, eigenvectors = covariance_spectrum(x)
    _check_latent_dim(latent_dim, len(eigenvalues))
    if noise_var is None:
        noise_var = _best_noise_var(eigenvalues, latent_dim, beta)
    squared = eigenvalues[:latent_dim] - beta * noise_var
    return _model(mean, eigenvectors, squared, noise_var)


def fit_held_variance(
    x: Tensor, latent_dim: int, noise_var: float, posterior_var: float
) -> LinearGaussian:
    r"""The W that maximises the ELBO while every variance of q is held at one value v.

    .. math::
        \hat w_j^\top \hat w_j = \Big( s \sqrt{\lambda_j / v} - s^2 \Big)_+
        \qquad \text{(maximum likelihood: } \lambda_j - s^2 \text{)}

    The two agree where :math:`v = s^2 / \lambda_j`, the posterior's own variance at
    maximum likelihood. A q that is too narrow makes W too large, one too wide too small:
    the ELBO bends the model towards what q can express.

    Args:
        x: Data, shape ``(images, pixels)``; computed in float64.
        latent_dim: d, at least 1 and less than the number of pixels.
        noise_var: The decoder's :math:`s^2`, held.
        posterior_var: v, the variance of q in every latent of every image; its mean is free.

    Returns:
        A model with float64 parameters.

    Raises:
        ValueError: If ``x`` is not a finite matrix of two images or more, ``latent_dim`` is
            out of range, or a variance is not positive and finite.

    Source:
        Turner & Sahani (2011), on the bias of variational learning; the closed form is
        elementary: set the derivative of
        :math:`-\lambda / (w^2 + s^2) - v w^2 / s^2` in :math:`w^2` to zero.

    Example:
        >>> x = 2 * torch.tensor([[1.0, 0.0], [-1.0, 0.0]])  # variance 4, and 0
        >>> model = fit_held_variance(x, 1, noise_var=1.0, posterior_var=1.0)
        >>> float(model.weight.norm())  # maximum likelihood: the root of 3
        1.0
    """
    _check_positive("posterior_var", posterior_var)
    _check_positive("noise_var", noise_var)
    mean, eigenvalues, eigenvectors = covariance_spectrum(x)
    _check_latent_dim(latent_dim, len(eigenvalues))
    squared = torch.sqrt(noise_var * eigenvalues[:latent_dim] / posterior_var) - noise_var
    return _model(mean, eigenvectors, squared, noise_var)


def _model(mean: Tensor, eigenvectors: Tensor, squared: Tensor, noise_var: float) -> LinearGaussian:
    """Columns along the first eigenvectors, of the squared lengths given, or of none."""
    lengths = squared.clamp(min=0).sqrt()
    return LinearGaussian(eigenvectors[:, : len(squared)] * lengths, mean, noise_var)


def _best_noise_var(eigenvalues: Tensor, latent_dim: int, beta: float) -> float:
    r"""The root in :math:`\tau = \beta s^2` of the derivative, which only falls as tau rises.

    .. math::
        \beta \Big( \sum_{j \le d} \min(1, \lambda_j / \tau) + \sum_{j > d} \lambda_j / \tau \Big)
        = D
    """
    pixels = len(eigenvalues)
    for used in range(latent_dim, -1, -1):
        if beta * used >= pixels:
            continue
        tau = beta * float(eigenvalues[used:].sum()) / (pixels - beta * used)
        fits = used == 0 or float(eigenvalues[used - 1]) > tau
        if tau > 0 and fits and (used == latent_dim or float(eigenvalues[used]) <= tau):
            return tau / beta
    raise ValueError(
        f"latent_dim = {latent_dim} latents explain x entirely, so the best noise_var is 0 and the "
        f"bound has no maximum: hold noise_var, or take fewer latents"
    )


def _check_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive and finite, got {value}")


def _check_latent_dim(latent_dim: int, pixels: int) -> None:
    if not 1 <= latent_dim < pixels:
        raise ValueError(
            f"latent_dim must be from 1 to {pixels - 1} (pixels less one), got {latent_dim}"
        )
