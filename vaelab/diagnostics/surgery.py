"""ELBO surgery: how much of the rate tells images apart, and how much is a misfit to the prior."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import (
    LOG_2PI,
    kl_to_standard_normal,
    normal_log_density,
    standard_normal_log_density,
)
from vaelab.diagnostics._posterior import encode, noise_by_image

# Points times images handled at once; half a megabyte of float64 stays in a processor's cache.
CHUNK_NUMBERS = 2**16


@dataclass(frozen=True)
class ElboSurgery:
    r"""The mean rate of a data set in two parts, in nats an image.

    .. math::
        \frac1N \sum_n \mathrm{KL}\big(q(z \mid x_n) \,\|\, p(z)\big)
        = I_q(n; z) + \mathrm{KL}\big(q(z) \,\|\, p(z)\big)

    Attributes:
        rate: The left-hand side, in closed form.
        mutual_information: :math:`I_q`, what z tells about which image it came from; at
            most log N.
        marginal_kl: :math:`\mathrm{KL}(q(z) \,\|\, p(z))`, what it costs that the images'
            codes together are not spread as the prior is: ``rate`` less
            ``mutual_information``.
        standard_error: Of either part, from the draws' noise; infinite for one draw an
            image.
        num_images: N.
        num_samples: K, draws for each image.
    """

    rate: float
    mutual_information: float
    marginal_kl: float
    standard_error: float
    num_images: int
    num_samples: int

    @property
    def largest_information(self) -> float:
        """log N: what it takes to tell all the images apart, in nats."""
        return math.log(self.num_images)


@torch.no_grad()
def aggregate_log_density(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Log density of the aggregate posterior: the mixture of all the images' q(z | x).

    .. math::
        \log q(z) = \log \frac1N \sum_{n=1}^N \mathcal N(z; \mu_n, \operatorname{diag} \sigma_n^2)

    All N images, not a minibatch of them, so that this is the density itself and no
    estimate. Computed in float64 and bounded memory, in time of points times images.

    Args:
        z: Points, shape ``(points, latent)``.
        mean: :math:`\mu_n`, shape ``(batch, latent)``, at least one image.
        log_var: :math:`\log \sigma_n^2`, same shape.

    Returns:
        Nats, float64, shape ``(points,)``.

    Raises:
        ValueError: If the shapes do not fit, or there is no image.

    Source:
        Makhzani et al. (2016), who name it; Hoffman & Johnson (2016).

    Example:
        >>> two = torch.tensor([[-1.0], [1.0]])
        >>> aggregate_log_density(torch.zeros(1, 1), two, torch.zeros(2, 1))  # log N(1; 0, 1)
        tensor([-1.4189], dtype=torch.float64)
    """
    if mean.ndim != 2 or len(mean) == 0 or log_var.shape != mean.shape:
        raise ValueError(
            f"mean and log_var must have one shape (batch, latent) with at least one image, "
            f"got {tuple(mean.shape)} and {tuple(log_var.shape)}"
        )
    if z.ndim != 2 or z.shape[1] != mean.shape[1]:
        raise ValueError(
            f"z must have shape (points, latent) with latent {mean.shape[1]}, got {tuple(z.shape)}"
        )
    z, mean, log_var = z.double(), mean.double(), log_var.double()
    precision_root = torch.exp(-0.5 * log_var)
    peak = -0.5 * (LOG_2PI + log_var).sum(-1) - math.log(len(mean))  # (batch,)
    values = []
    for points in z.split(max(1, CHUNK_NUMBERS // len(mean))):
        squared = torch.zeros(len(points), len(mean), dtype=z.dtype, device=z.device)
        # Latent by latent: an array of every point by image by latent would not fit the cache.
        for j in range(mean.shape[1]):
            squared += ((points[:, j, None] - mean[:, j]) * precision_root[:, j]).square_()
        values.append(torch.add(peak, squared, alpha=-0.5).logsumexp(1))
    return torch.cat(values)


@torch.no_grad()
def elbo_surgery(
    vae, x: Tensor, num_samples: int = 10, generator: torch.Generator | None = None
) -> ElboSurgery:
    r"""Divide the mean rate into mutual information and the misfit of the aggregate posterior.

    .. math::
        I_q(n; z) = \frac1N \sum_n E_{q(z \mid x_n)}\big[ \log q(z \mid x_n) - \log q(z) \big],
        \qquad q(z) = \frac1N \sum_m q(z \mid x_m)

    N is the number of images handed in, and q(z) their mixture, summed exactly for every
    draw, the image that the draw came from among them. So nothing is biased: these are the
    two parts for *this* data set, with n uniform over its images, and only the expectation
    over z is sampled. By the same token :math:`I_q \le \log N`: from 1,000 images it cannot
    come out above 6.9 nats, however finely the latents would tell more of them apart. A
    minibatch in place of the data set lowers that ceiling to the log of its size.

    Args:
        vae: A model with ``encode(x)``.
        x: The data set, shape ``(batch, pixels)``, at least one image.
        num_samples: K, draws for each image; each draw is scored under all N.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        Rate, mutual information and KL(q(z) || p(z)) in nats an image, with the standard
        error that the last two share.

    Raises:
        ValueError: If there is no image, ``num_samples`` is under 1, or the images or the
            encoder's output are of a wrong shape or not finite.

    Source:
        Hoffman & Johnson (2016); aggregate posterior: Makhzani et al. (2016); the draws'
        noise is reduced by a control variate: Owen (2013), chapter 8.

    Example:
        >>> class TwoApart:  # two images, two codes that do not overlap
        ...     def encode(self, x):
        ...         return 10 * x, torch.zeros_like(x)
        >>> x = torch.tensor([[-1.0], [1.0]])
        >>> parts = elbo_surgery(TwoApart(), x, generator=torch.Generator().manual_seed(0))
        >>> parts.rate, round(parts.mutual_information, 4), round(parts.marginal_kl, 4)
        (50.0, 0.6931, 49.3069)
    """
    # The model is asked for no more than this, so what follows can be in float64 throughout.
    mean, log_var = (part.double() for part in encode(vae, x))
    scale = torch.exp(0.5 * log_var)
    information, log_ratio = [], []
    for images, noise in noise_by_image(mean, num_samples, generator):
        z = mean[images] + scale[images] * noise  # (K, images, latent)
        own = normal_log_density(z, mean[images], log_var[images]).sum(-1)
        aggregate = aggregate_log_density(z.flatten(0, 1), mean, log_var).reshape(own.shape)
        information.append(own - aggregate)
        log_ratio.append(own - standard_normal_log_density(z).sum(-1))
    rate = kl_to_standard_normal(mean, log_var).sum(-1)
    values = _with_known_mean(torch.cat(information, 1), torch.cat(log_ratio, 1), rate)
    mutual_information = float(values.mean())
    standard_error = math.inf
    if num_samples > 1:
        # Images are drawn for independently, so the variances of their means add up.
        standard_error = math.sqrt(float(values.var(0).sum()) / num_samples) / len(x)
    return ElboSurgery(
        rate=float(rate.mean()),
        mutual_information=mutual_information,
        marginal_kl=float(rate.mean()) - mutual_information,
        standard_error=standard_error,
        num_images=len(x),
        num_samples=num_samples,
    )


def _with_known_mean(values: Tensor, control: Tensor, mean: Tensor) -> Tensor:
    """Values of the same mean and less noise, by a control variate whose mean is known.

    log q(z | x) - log p(z) averages to the rate. Of a nearly collapsed model its noise is
    almost the whole noise of log q(z | x) - log q(z), so its own error tells the other's;
    where codes lie apart the slope goes to zero, and nothing changes. One slope for all
    images, so that fitting it to the same draws does no harm.

    Args:
        values: ``(K, batch)``.
        control: ``(K, batch)``, drawn together with them.
        mean: Of ``control``, image by image, ``(batch,)``.
    """
    deviation = control - control.mean(0)
    spread = deviation.square().sum()
    slope = (deviation * values).sum() / spread if spread > 0 else 0.0
    return values - slope * (control - mean)
