"""Posteriors to fit a Gaussian to, with a known normaliser: two latents, one pixel.

Every target is a small model seen at one x,

.. math::
    z \\sim \\mathcal N(0, I), \\qquad
    x \\mid z \\sim \\mathcal N(\\pm f(z), \\sigma^2), \\qquad
    f(z) = w^\\top z + b z_1^2,

where the sign is plus with probability ``plus``. A bend makes a banana, a lost sign two modes,
and neither a tilted Gaussian. Given the first latent the second integrates in closed form, so
p(x) is an integral over a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

LEAST_SCALE, MOST_SCALE = 0.05, 3.0
MOST_MEAN = 4.0


@dataclass(frozen=True)
class Target:
    """One model and the x it is seen at.

    Attributes:
        weight: Of the two latents in f.
        bend: Of the first latent's square in f.
        plus: Probability that the sign is plus, above 0.
        noise: Standard deviation of x given z.
        x: The pixel.
    """

    weight: tuple[float, float]
    bend: float
    plus: float
    noise: float
    x: float

    def decode(self, z: Tensor) -> Tensor:
        """f(z) of latents (..., 2)."""
        return z @ z.new_tensor(self.weight) + self.bend * z[..., 0].square()

    def log_joint(self, z: Tensor) -> Tensor:
        """log p(x, z) in nats, (...), of latents (..., 2)."""
        prior = Normal(0.0, 1.0).log_prob(z).sum(-1)
        decoded, x = self.decode(z), z.new_tensor(self.x)
        likelihood = Normal(decoded, self.noise).log_prob(x) + math.log(self.plus)
        if self.plus < 1:
            lost = Normal(-decoded, self.noise).log_prob(x) + math.log(1 - self.plus)
            likelihood = torch.logaddexp(likelihood, lost)
        return prior + likelihood

    def log_marginal(self) -> float:
        """log p(x) in nats."""
        step = 0.01
        z = torch.arange(-1000, 1001, dtype=torch.float64) * step
        deviation = math.hypot(self.weight[1], self.noise)
        decoded = self.weight[0] * z + self.bend * z.square()
        terms = [
            math.log(share) + Normal(sign * decoded, deviation).log_prob(z.new_tensor(self.x))
            for sign, share in ((1, self.plus), (-1, 1 - self.plus))
            if share > 0
        ]
        log_line = torch.stack(terms).logsumexp(0) + Normal(0.0, 1.0).log_prob(z)
        return log_line.logsumexp(0).item() + math.log(step)


TARGETS = {
    "banana": Target(weight=(0.5, 1.0), bend=0.7, plus=1.0, noise=0.35, x=1.2),
    "modes": Target(weight=(1.4, 0.8), bend=0.0, plus=0.7, noise=0.6, x=2.6),
    "tilted": Target(weight=(1.0, 1.0), bend=0.0, plus=1.0, noise=0.4, x=1.0),
}
FAMILIES = ("diagonal", "rotated")


@cache
def _nodes(count: int) -> tuple[Tensor, Tensor]:
    """Gauss and Hermite's rule for two independent standard normals: (nodes, 2) and weights."""
    line, weights = np.polynomial.hermite_e.hermegauss(count)
    weights = torch.tensor(weights / weights.sum())
    nodes = torch.cartesian_prod(torch.tensor(line), torch.tensor(line))
    return nodes, torch.cartesian_prod(weights, weights).prod(-1)


def place(mean: Tensor, scale: Tensor, angle: Tensor, noise: Tensor) -> Tensor:
    """z = mean + R(angle) (scale * noise): standard normal noise (..., 2) as draws from q."""
    along, over = (scale * noise).unbind(-1)
    cos, sin = angle.cos(), angle.sin()
    return mean + torch.stack([cos * along - sin * over, sin * along + cos * over], -1)


def elbo(target: Target, mean: Tensor, scale: Tensor, angle: Tensor, count: int = 80) -> Tensor:
    """ELBO in nats of q = N(mean, R diag(scale^2) R^T), by ``count`` squared nodes.

    Differentiable in mean (2,), scale (2,) and angle (radians). Exact up to rounding where
    the sign is known (a polynomial); with two modes, near to it while q is not much wider
    than they are.
    """
    nodes, weights = _nodes(count)
    entropy = 1 + math.log(2 * math.pi) + scale.log().sum()
    return weights @ target.log_joint(place(mean, scale, angle, nodes)) + entropy


@dataclass(frozen=True)
class Fit:
    """A q and how far its ELBO is below log p(x), nats."""

    mean: tuple[float, float]
    scale: tuple[float, float]
    angle: float
    gap: float


def best_fit(target: Target, family: str, start: tuple[float, float] = (0.0, 0.0)) -> Fit:
    """The optimum that ascent on the exact ELBO reaches from a q of half the prior's scale."""
    parameters = torch.tensor([*start, math.log(0.4), math.log(0.6), 0.1], dtype=torch.float64)
    if family == "diagonal":
        parameters[4] = 0
    parameters.requires_grad_()
    optimiser = torch.optim.LBFGS(
        [parameters], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def parts() -> tuple[Tensor, Tensor, Tensor]:
        angle = parameters[4] if family == "rotated" else parameters[4].detach()
        return parameters[:2], parameters[2:4].exp(), angle

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -elbo(target, *parts(), count=24)
        value.backward()
        return value

    optimiser.step(loss)
    with torch.no_grad():
        mean, scale, angle = parts()
        gap = target.log_marginal() - elbo(target, mean, scale, angle).item()
    return Fit(tuple(mean.tolist()), tuple(scale.tolist()), angle.item(), gap)
