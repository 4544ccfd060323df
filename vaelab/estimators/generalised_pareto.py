"""The generalised Pareto distribution, which tails tend to: fitted to many samples at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def fit_generalised_pareto(exceedances: Tensor) -> tuple[Tensor, Tensor]:
    r"""Shape and scale of a generalised Pareto distribution, by an empirical Bayes method.

    .. math::
        P(Y > y) = \Big(1 + \frac{k y}{\sigma}\Big)^{-1/k}, \qquad
        \hat\theta = \sum_j \theta_j \frac{L(\theta_j)}{\sum_i L(\theta_i)}, \quad
        \hat k = \frac1n \sum_i \log(1 - \hat\theta y_i), \quad
        \hat\sigma = -\frac{\hat k}{\hat\theta}

    with L the profile likelihood and :math:`\theta_j` on a grid of :math:`30 + \sqrt n`
    points that the data choose. Moments of order under 1 / k are finite.

    Args:
        exceedances: Positive numbers y, shape ``(n, *batch)``: one sample a column.

    Returns:
        Shape :math:`\hat k` and scale :math:`\hat\sigma`, each ``(*batch,)``, float64.

    Raises:
        ValueError: If there are fewer than 5 numbers in a sample.

    Source:
        Zhang & Stephens (2009), *A new and efficient estimation method for the generalized
        Pareto distribution*, with k of the opposite sign; the grid: Vehtari et al. (2024),
        Appendix C.

    Example:
        >>> probability = torch.arange(0.001, 1.0, 0.002, dtype=torch.float64)
        >>> y = 1 / probability - 1  # P(Y > y) = 1 / (1 + y)
        >>> k, scale = fit_generalised_pareto(y)
        >>> f"{k:.2f}, {scale:.1f}"
        '1.00, 1.0'
    """
    n = len(exceedances)
    if n < 5:
        raise ValueError(f"exceedances must have 5 numbers or more in a sample, got {n}")
    y = exceedances.double().sort(dim=0).values
    quartile = y[math.floor(n / 4 + 0.5) - 1]
    size = 30 + math.floor(math.sqrt(n))
    grid = [1 / y[-1] + (1 - math.sqrt(size / (j + 0.5))) / (3 * quartile) for j in range(size)]
    # One point of the grid at a time: all at once would be an array of a hundred times y.
    log_likelihoods = []
    for theta in grid:
        k = torch.log1p(-theta * y).mean(0)
        log_likelihoods.append(n * (torch.log(-theta / k) - k - 1))
    shares = torch.stack(log_likelihoods).softmax(0)
    theta = (shares * torch.stack(grid)).sum(0)
    k = torch.log1p(-theta * y).mean(0)
    return k, -k / theta


def generalised_pareto_quantile(probability: Tensor, shape: Tensor, scale: Tensor) -> Tensor:
    r"""The number under which a generalised Pareto variable lies with a given probability.

    .. math::
        F^{-1}(p) = \sigma\, \frac{(1 - p)^{-k} - 1}{k}

    Args:
        probability: p, from 0 to below 1, a shape that broadcasts.
        shape: k; at 0 the distribution is exponential.
        scale: :math:`\sigma`, positive.

    Returns:
        Of the broadcast shape.

    Source:
        Zhang & Stephens (2009), equation 1.

    Example:
        >>> generalised_pareto_quantile(torch.tensor(0.75), torch.tensor(1.0), torch.tensor(1.0))
        tensor(3.)
    """
    exponential = -torch.log1p(-probability)
    growth = torch.where(shape == 0, exponential, torch.expm1(shape * exponential) / shape)
    return scale * growth
