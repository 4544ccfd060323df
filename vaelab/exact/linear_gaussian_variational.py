"""Approximate posteriors of the linear-Gaussian model: their ELBOs, gaps, and the best of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.linear_gaussian import LinearGaussian


def expected_log_likelihood(model: LinearGaussian, x: Tensor, q: GaussianQ) -> Tensor:
    r"""The ELBO's reconstruction term, exact.

    .. math::
        E_q[\log p(x \mid z)] = \log p(x \mid \mu) - \frac{\|W L\|_F^2}{2 s^2}

    Args:
        model: The linear-Gaussian model.
        x: Shape ``(batch, pixels)``.
        q: A Gaussian for each image, :math:`\mathcal N(\mu, L L^\top)`.

    Returns:
        Nats, shape ``(batch,)``.

    Source:
        Lucas et al. (2019).

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), noise_var=1.0)
        >>> q = GaussianQ.diagonal(torch.zeros(1, 1), torch.zeros(1, 1))
        >>> expected_log_likelihood(model, torch.zeros(1, 1), q)  # log N(0; 0, 1) - 1/2
        tensor([-1.4189])
    """
    spread = (model.weight @ q.scale_tril).square().sum((-2, -1)) / model.noise_var
    return model.log_likelihood(x, q.mean) - 0.5 * spread


def gaussian_elbo(model: LinearGaussian, x: Tensor, q: GaussianQ) -> Tensor:
    r"""The exact ELBO of any Gaussian q, diagonal or not.

    .. math::
        \mathrm{ELBO} = E_q[\log p(x \mid z)] - \mathrm{KL}(q \,\|\, p(z))
        = \log p(x) - \mathrm{KL}(q \,\|\, p(z \mid x))

    Args:
        model: The linear-Gaussian model.
        x: Shape ``(batch, pixels)``.
        q: A Gaussian for each image.

    Returns:
        Nats, shape ``(batch,)``; at most ``model.log_marginal(x)``, which q = posterior reaches.

    Source:
        Lucas et al. (2019).

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), noise_var=1.0)
        >>> x = torch.zeros(1, 1)
        >>> gaussian_elbo(model, x, tempered_posterior(model, x)), model.log_marginal(x)
        (tensor([-1.2655]), tensor([-1.2655]))
    """
    return expected_log_likelihood(model, x, q) - q.kl_to_prior()


def kl_to_posterior(model: LinearGaussian, x: Tensor, q: GaussianQ) -> Tensor:
    r"""The exact KL(q || p(z | x)): what the ELBO lacks of log p(x).

    .. math::
        \tfrac12 \big( \|A^\top (\mu - m)\|^2 + \|A^\top L\|_F^2 - d - \log\det L L^\top
        - \log\det P \big), \qquad P = A A^\top = \frac{W^\top W}{s^2} + I

    with m the posterior's mean and P its precision.

    Args:
        model: The linear-Gaussian model.
        x: Shape ``(batch, pixels)``.
        q: A Gaussian for each image.

    Returns:
        Nats, shape ``(batch,)``, at least 0.

    Source:
        The KL of two Gaussians: Murphy (2023), *Advanced topics*.

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), noise_var=1.0)
        >>> q = GaussianQ.diagonal(torch.zeros(1, 1), torch.zeros(1, 1))
        >>> kl_to_posterior(model, torch.zeros(1, 1), q)  # N(0, 1) to N(0, 1/2)
        tensor([0.1534])
    """
    factor = torch.linalg.cholesky(posterior_precision(model))
    mean, _ = model.posterior(x)
    shift = ((q.mean - mean) @ factor).square().sum(-1)
    spread = (factor.mT @ q.scale_tril).square().sum((-2, -1))
    log_det = q.log_det + 2 * factor.diagonal().log().sum()
    return 0.5 * (shift + spread - model.latent_dim - log_det)


def posterior_precision(model: LinearGaussian, beta: float = 1.0) -> Tensor:
    r"""How sharply an image determines its latents, the same for every image.

    .. math::
        P = \frac{W^\top W}{\beta s^2} + I

    Args:
        model: The linear-Gaussian model.
        beta: Weight of the KL, positive; 1 is the posterior's own precision.

    Returns:
        Shape ``(latent, latent)``, one over squared units of z.

    Raises:
        ValueError: If ``beta`` is not positive and finite.

    Source:
        Tipping & Bishop (1999), section 3.1.

    Example:
        >>> posterior_precision(LinearGaussian(torch.ones(3, 1), torch.zeros(3), noise_var=0.5))
        tensor([[7.]])
    """
    if not (math.isfinite(beta) and beta > 0):
        raise ValueError(f"beta must be positive and finite, got {beta}")
    gram = model.weight.T @ model.weight / (beta * model.noise_var)
    return gram + torch.eye(model.latent_dim, dtype=gram.dtype, device=gram.device)


def tempered_posterior(model: LinearGaussian, x: Tensor, beta: float = 1.0) -> GaussianQ:
    r"""The q that maximises reconstruction less beta KL; for beta = 1, the posterior.

    .. math::
        q(z) \propto p(z)\, p(x \mid z)^{1 / \beta}

    A power of a Gaussian likelihood is one of more noise: this is the posterior of a
    model whose :math:`s^2` is :math:`\beta s^2`.

    Args:
        model: The linear-Gaussian model.
        x: Shape ``(batch, pixels)``.
        beta: Weight of the KL, positive.

    Returns:
        A Gaussian for each image, of one covariance.

    Raises:
        ValueError: If ``beta`` is not positive and finite.

    Source:
        Higgins et al. (2017) for the objective; Lucas et al. (2019) for the noise it means.

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), noise_var=1.0)
        >>> tempered_posterior(model, torch.ones(1, 1), beta=3.0).mean  # 1 / (1 + 3)
        tensor([[0.2500]])
    """
    posterior_precision(model, beta)  # refuses a beta that makes no sense
    noisier = LinearGaussian(model.weight, model.bias, beta * model.noise_var)
    return GaussianQ.full(*noisier.posterior(x))


def best_diagonal(model: LinearGaussian, x: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor]:
    r"""The diagonal q of the largest ELBO (or of reconstruction less beta KL).

    .. math::
        \mu = E[z \mid x], \qquad \sigma_j^2 = \frac{1}{P_{jj}}

    The reciprocals of the precision's diagonal, not the diagonal of the covariance: where
    latents are correlated in the posterior, q is narrower than their marginals.

    Args:
        model: The linear-Gaussian model.
        x: Shape ``(batch, pixels)``.
        beta: Weight of the KL, positive.

    Returns:
        Mean and log-variance, as an encoder would output them, each ``(batch, latent)``.

    Raises:
        ValueError: If ``beta`` is not positive and finite.

    Source:
        Bishop (2006), section 10.1.2.

    Example:
        >>> model = LinearGaussian(torch.ones(3, 1), torch.zeros(3), noise_var=0.5)
        >>> best_diagonal(model, torch.ones(1, 3))[1].exp()  # 1 / 7
        tensor([[0.1429]])
    """
    mean = tempered_posterior(model, x, beta).mean
    return mean, -posterior_precision(model, beta).diagonal().log().expand(mean.shape)


def diagonal_gap(model: LinearGaussian) -> Tensor:
    r"""What the best diagonal q lacks of log p(x), the same for every image.

    .. math::
        \min_{q\ \text{diagonal}} \mathrm{KL}(q \,\|\, p(z \mid x))
        = \tfrac12 \Big( \sum_j \log P_{jj} - \log\det P \Big)

    Zero where W's columns are orthogonal, as a rotation can always make them.

    Args:
        model: The linear-Gaussian model.

    Returns:
        Nats, a scalar, at least 0 (Hadamard's inequality).

    Source:
        Cremer et al. (2018), the approximation gap; in closed form here.

    Example:
        >>> diagonal_gap(LinearGaussian(torch.eye(2), torch.zeros(2), noise_var=1.0))
        tensor(0.)
    """
    precision = posterior_precision(model)
    return 0.5 * (precision.diagonal().log().sum() - torch.linalg.slogdet(precision).logabsdet)
