"""What the ELBO's gradient is estimated of: log p(x, z) of small models, one latent, one pixel.

Every target is a model seen at one x,

.. math::
    z \\sim \\mathcal N(0, 1), \\qquad
    x \\mid z \\sim \\mathcal N(\\pm d(z), \\sigma^2), \\qquad
    d(z) = w z + a \\sin(\\omega z),

where the sign is plus with probability ``plus``. With neither wave nor lost sign it is
linear-Gaussian, and the gradient and its variances have closed forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal


@dataclass(frozen=True)
class Target:
    """One model and the x it is seen at.

    Attributes:
        weight: w, of the latent in d.
        wave: a, height of the wave in d.
        frequency: Of the wave.
        plus: Probability that the sign is plus, above 0.
        noise: Standard deviation of x given z.
        x: The pixel.
    """

    weight: float
    wave: float
    frequency: float
    plus: float
    noise: float
    x: float

    def decode(self, z: Tensor) -> Tensor:
        """d(z) of latents of any shape."""
        return self.weight * z + self.wave * torch.sin(self.frequency * z)

    def log_joint(self, z: Tensor) -> Tensor:
        """log p(x, z) in nats, of latents of any shape."""
        decoded, x = self.decode(z), z.new_tensor(self.x)
        likelihood = Normal(decoded, self.noise).log_prob(x) + math.log(self.plus)
        if self.plus < 1:
            lost = Normal(-decoded, self.noise).log_prob(x) + math.log(1 - self.plus)
            likelihood = torch.logaddexp(likelihood, lost)
        return Normal(0.0, 1.0).log_prob(z) + likelihood


TARGETS = {
    "linear": Target(weight=1.0, wave=0.0, frequency=0.0, plus=1.0, noise=0.6, x=1.2),
    "wavy": Target(weight=0.8, wave=0.4, frequency=4.0, plus=1.0, noise=0.6, x=1.0),
    "modes": Target(weight=1.0, wave=0.0, frequency=0.0, plus=0.7, noise=0.5, x=1.2),
}


@dataclass(frozen=True)
class MeanGradient:
    """The ELBO's gradient in the mean of q, and variances of its estimates from K draws.

    Attributes:
        exact: The gradient.
        reparameterised: Variance of the reparameterised estimate.
        score: Of the score function's, with no baseline.
        leave_one_out: Of the score function's, with the other draws' average as baseline.
    """

    exact: float
    reparameterised: float
    score: float
    leave_one_out: float


def mean_gradient(
    target: Target, mean: float, scale: float, constant: float = 0.0, draws: int = 8
) -> MeanGradient:
    """For q = N(mean, scale^2) and f(z) = log p(x, z) + constant, by a fine grid.

    With leave-one-out the estimate is the sample covariance of f and the score over the K
    draws, whose variance has a closed form in moments.
    """
    noise = torch.arange(-900, 901, dtype=torch.float64) * 0.01
    weights = (-noise.square() / 2).softmax(0)
    z = (mean + scale * noise).requires_grad_()
    value = target.log_joint(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    value, score = value.detach(), noise / scale
    exact = (weights @ slope).item()
    centred = value - weights @ value
    shared = exact**2 * (draws - 2) - (weights @ centred.square()) * (weights @ score.square())
    return MeanGradient(
        exact=exact,
        reparameterised=(weights @ (slope - exact).square()).item() / draws,
        score=(weights @ ((value + constant) * score - exact).square()).item() / draws,
        leave_one_out=((weights @ (centred * score).square()).item() - shared.item() / (draws - 1))
        / draws,
    )
