"""How little of the prior matters to log p(x): the useful draws of naive Monte Carlo, exactly."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.exact.evaluate import check_images
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.quadratic_form import quadratic_form_log_cdf, quadratic_form_quantile


def log_prior_mass_in_use(model: LinearGaussian, x: Tensor, share: float = 0.99) -> Tensor:
    r"""Log of the least prior mass of a region that holds this share of the posterior.

    .. math::
        \min_A \int_A p(z)\, dz \quad \text{such that} \quad
        \int_A p(z \mid x)\, dz \ge \text{share}

    Of many draws from the prior, this share holds the largest weights
    :math:`p(x \mid z)` that together are ``share`` of them all. By the lemma of Neyman and
    Pearson A is where :math:`p(x \mid z)` is largest, here an ellipsoid
    :math:`\|x - b - W z\|^2 \le c`, whose mass under either Gaussian is that of a weighted
    sum of squared normals. ``GridPosterior.prior_mass_in_use`` is the same of any decoder
    with one or two latents.

    Args:
        model: The linear-Gaussian model.
        x: Images, shape ``(batch, pixels)``.
        share: Over 0 and under 1.

    Returns:
        Logarithm (nats) of a number between 0 and ``share``, shape ``(batch,)``, in float64;
        ``log(share)`` where W is zero and x tells nothing.

    Raises:
        ValueError: If ``share`` is not between 0 and 1, or ``x`` is not a finite matrix.

    Source:
        Neyman & Pearson (1933).

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), noise_var=1.0)
        >>> log_prior_mass_in_use(model, torch.zeros(1, 1), 0.5).exp()  # |z| < 0.674 / sqrt(2)
        tensor([0.3666], dtype=torch.float64)
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be over 0 and under 1, got {share}")
    residual = check_images(x).double() - model.bias.double()
    left, singular, _ = torch.linalg.svd(model.weight.double(), full_matrices=False)
    # A direction of z that moves no pixel beyond rounding leaves prior and posterior alike.
    used = singular > 1e-12 * max(1.0, math.sqrt(model.noise_var))
    if not bool(used.any()):
        return residual.new_full((len(x),), math.log(share))
    # Along singular vector j the region is sum_j gain_j (z_j - centre_j)^2 <= t, with z_j
    # standard normal a priori and N(gain_j v_j centre_j, v_j), v_j = 1 / (1 + gain_j), given x.
    gain = singular[used].square() / model.noise_var
    centre = residual @ left[:, used] / singular[used]
    posterior_var = 1 / (1 + gain)
    threshold = quadratic_form_quantile(gain * posterior_var, -centre * posterior_var.sqrt(), share)
    return quadratic_form_log_cdf(gain, -centre, threshold)
