"""Rate and distortion: what the code costs, and what it leaves to say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.densities import kl_to_standard_normal
from vaelab.diagnostics._posterior import encode, noise_by_image
from vaelab.estimators._chunks import map_pieces
from vaelab.objectives.draws import log_likelihood


@dataclass(frozen=True)
class RateDistortion:
    """Means over images, in nats an image, and how far they can be off.

    There are two kinds of error. A standard error takes the images for a sample of those
    there might have been, and contains the noise of the draws of z. The Monte Carlo error
    is that noise alone: what is uncertain about the average over *these* images.

    Attributes:
        rate: KL(q(z | x) || p(z)), in closed form.
        rate_standard_error: Over images; infinite for one image.
        distortion: Minus the expected log likelihood, from draws of z.
        distortion_standard_error: Over images, the draws' noise included; infinite for one.
        elbo: Minus rate minus distortion.
        elbo_standard_error: Over images, the draws' noise included; infinite for one.
        monte_carlo_error: Of distortion and ELBO alike; infinite for one draw an image.
        num_samples: K, draws for each image.
    """

    rate: float
    rate_standard_error: float
    distortion: float
    distortion_standard_error: float
    elbo: float
    elbo_standard_error: float
    monte_carlo_error: float
    num_samples: int


def _mean_and_standard_error(values: Tensor) -> tuple[float, float]:
    error = float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return float(values.mean()), error


@torch.no_grad()
def rate_distortion(
    vae, x: Tensor, num_samples: int = 100, generator: torch.Generator | None = None
) -> RateDistortion:
    r"""Split minus the ELBO, averaged over images, into rate and distortion.

    .. math::
        R = \frac1N \sum_n \mathrm{KL}\big(q(z \mid x_n) \,\|\, p(z)\big), \qquad
        D = -\frac1N \sum_n E_{q(z \mid x_n)}[\log p(x_n \mid z)], \qquad
        \mathrm{ELBO} = -(R + D)

    Models of one ELBO may lie anywhere on a line of slope -1, from R = 0, where z is
    ignored, to a code that carries all there is. Memory is bounded, whatever K and N.

    Args:
        vae: A model with ``encode(x)`` and ``log_likelihood(x, z)``.
        x: Images, shape ``(batch, pixels)``, at least one.
        num_samples: K, draws for each image.
        generator: Source of the draws; ``None`` takes torch's global one.

    Returns:
        Rate, distortion and ELBO in nats an image, each with its standard error.

    Raises:
        ValueError: If there is no image, ``num_samples`` is under 1, or the images, the
            encoder's output or the log likelihood are of a wrong shape or not finite.

    Source:
        Alemi et al. (2018), section 2.

    Example:
        >>> from vaelab.data import load_digits
        >>> from vaelab.pretrained import load_vae
        >>> result = rate_distortion(
        ...     load_vae("beta_latent", beta=1.0, latent_dim=2), load_digits().test,
        ...     num_samples=10, generator=torch.Generator().manual_seed(0),
        ... )
        >>> round(result.rate, 1), round(result.distortion, 1)
        (3.6, 16.2)
        >>> result.monte_carlo_error < result.distortion_standard_error
        True
    """
    mean, log_var = encode(vae, x)
    scale = torch.exp(0.5 * log_var)
    distortions, variances = [], []
    for images, noise in noise_by_image(mean, num_samples, generator):
        z = mean[images] + scale[images] * noise
        values = map_pieces(lambda x, z: (log_likelihood(vae, x, z),), x[images], z)[0].double()
        if not bool(values.isfinite().all()):
            k, image = (~values.isfinite()).nonzero()[0].tolist()
            raise ValueError(
                f"vae.log_likelihood must be finite to be averaged, got "
                f"{float(values[k, image])} for image {images.start + image}"
            )
        distortions.append(-values.mean(0))
        variances.append((values + distortions[-1]).square().sum(0))
    distortion = torch.cat(distortions)
    rate = kl_to_standard_normal(mean.double(), log_var.double()).sum(-1)
    monte_carlo = math.inf
    if num_samples > 1:
        # Images are drawn for independently, so the variances of their means add up.
        variance = torch.cat(variances) / (num_samples - 1) / num_samples
        monte_carlo = math.sqrt(float(variance.sum())) / len(x)
    return RateDistortion(
        *_mean_and_standard_error(rate),
        *_mean_and_standard_error(distortion),
        *_mean_and_standard_error(-rate - distortion),
        monte_carlo_error=monte_carlo,
        num_samples=num_samples,
    )
