"""How annealed importance sampling is set up: its temperatures, and a step size for each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from vaelab.densities import standard_normal_log_density
from vaelab.estimators._chunks import BLOCK, check_images, map_pieces, noise_chunks
from vaelab.estimators.hmc import State, Term, transition, value_and_gradient
from vaelab.estimators.proposals import Proposal

# The acceptance that makes a trajectory cheapest lies between 0.6 and 0.9, in many
# dimensions at 0.65 (Beskos et al. 2013).
TARGET_ACCEPTANCE = 0.65
# How far the log of the step size follows the acceptance, for how many transitions it does so
# before the first temperature counts, and for how many at all temperatures together.
GAIN = 0.3
WARM_UP = 30
PILOT_MOVES = 100


def linear_betas(num_temperatures: int) -> Tensor:
    r"""Inverse temperatures at equal distances.

    .. math::
        \beta_t = t / T, \qquad t = 0, \dots, T

    Args:
        num_temperatures: T, at least 1.

    Returns:
        Shape ``(T + 1,)``, float64, from 0 to 1.

    Raises:
        ValueError: If ``num_temperatures`` is under 1.

    Source:
        Neal (2001), *Annealed importance sampling*.

    Example:
        >>> linear_betas(4)
        tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000], dtype=torch.float64)
    """
    if num_temperatures < 1:
        raise ValueError(f"num_temperatures must be at least 1, got {num_temperatures}")
    return torch.linspace(0, 1, num_temperatures + 1, dtype=torch.float64)


def sigmoid_betas(num_temperatures: int, steepness: float = 4.0) -> Tensor:
    r"""Inverse temperatures that lie closer together near both ends.

    .. math::
        \beta_t = \frac{\tilde\beta_t - \tilde\beta_0}{\tilde\beta_T - \tilde\beta_0}, \qquad
        \tilde\beta_t = \frac{1}{1 + \exp\big(-\delta (2 t / T - 1)\big)}

    Args:
        num_temperatures: T, at least 1.
        steepness: :math:`\delta`, positive.

    Returns:
        Shape ``(T + 1,)``, float64, from 0 to 1.

    Raises:
        ValueError: If ``num_temperatures`` is under 1, or ``steepness`` not positive and
            finite.

    Source:
        Grosse et al. (2015); steepness 4: Wu et al. (2017).

    Example:
        >>> sigmoid_betas(4)
        tensor([0.0000, 0.1050, 0.5000, 0.8950, 1.0000], dtype=torch.float64)
    """
    if not (math.isfinite(steepness) and steepness > 0):
        raise ValueError(f"steepness must be positive and finite, got {steepness}")
    betas = torch.sigmoid(steepness * (2 * linear_betas(num_temperatures) - 1))
    betas = (betas - betas[0]) / (betas[-1] - betas[0])
    betas[-1] = 1.0  # whatever the rounding
    return betas


@dataclass(frozen=True)
class Annealing:
    r"""The densities between a proposal and the posterior, and how to move within each.

    .. math::
        \log f_\beta(z) = (1 - \beta) \log r(z) + \beta \log p(x, z),
        \qquad 0 = \beta_0 < \dots < \beta_T = 1

    Attributes:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, differentiable in z, nats of shape
            ``(chains, batch)``. The prior is N(0, I).
        proposal: Where annealing begins, :math:`r`.
        betas: Inverse temperatures, shape ``(T + 1,)``.
        num_leapfrog: Leapfrog steps a transition.

    Raises:
        ValueError: If ``x`` is not of shape ``(batch, pixels)``, ``betas`` do not rise from 0
            to 1, or ``num_leapfrog`` is under 1.

    Source:
        Neal (2001), *Annealed importance sampling*, equation 3.
    """

    x: Tensor
    log_likelihood: Callable[[Tensor, Tensor], Tensor]
    proposal: Proposal
    betas: Tensor
    num_leapfrog: int

    def __post_init__(self) -> None:
        check_images(self.x)
        betas = self.betas
        ends = betas.ndim == 1 and len(betas) >= 2 and betas[0] == 0 and betas[-1] == 1
        if not (ends and (betas.diff() > 0).all()):
            raise ValueError(f"betas must rise from 0 to 1, got {betas.tolist()}")
        if self.num_leapfrog < 1:
            raise ValueError(f"num_leapfrog must be at least 1, got {self.num_leapfrog}")

    @property
    def terms(self) -> list[Term]:
        """The two ends, log r and log p(x, z): functions of z that give values and gradients."""

        def likelihood(x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
            return value_and_gradient(partial(self.log_likelihood, x), z)

        def log_joint(z: Tensor) -> tuple[Tensor, Tensor]:
            value, gradient = map_pieces(likelihood, self.x, z)
            return value + standard_normal_log_density(z).sum(-1), gradient - z

        return [partial(value_and_gradient, self.proposal.log_density), log_joint]

    def start(self, num_chains: int, generator: torch.Generator | None) -> Tensor:
        """Draws of the proposal, ``(chains, batch, latent)``: those of importance sampling."""
        shape = (len(self.x), self.proposal.noise_dim)
        # One chunk, whatever the number.
        (noise,) = noise_chunks(num_chains, num_chains + BLOCK, shape, self.x, generator)
        return self.proposal.transform(noise)

    def move(
        self,
        state: State,
        beta: float,
        step_size: Tensor,
        generator: torch.Generator | None,
    ) -> tuple[State, Tensor]:
        """A transition that leaves f_beta as it is; the new state, the rate of acceptance."""
        shape = (*state.z.shape[:-1], state.z.shape[-1] + 2)
        noise = torch.randn(shape, generator=generator, dtype=state.z.dtype, device=state.z.device)
        return transition(state, self.terms, (1 - beta, beta), noise, step_size, self.num_leapfrog)


@torch.no_grad()
def tune_step_sizes(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    proposal: Proposal,
    betas: Tensor,
    num_leapfrog: int = 2,
    num_chains: int = 8,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Step sizes for each image and temperature, from a pilot run with chains of its own.

    .. math::
        \log \varepsilon_{t+1} = \log \varepsilon_t + 0.3\, (\bar a_t - 0.65)

    where :math:`\bar a_t` is the acceptance, averaged over the chains. A chain that chose
    its step sizes as it went would no longer leave its target alone, and annealed
    importance sampling would be biased. These know nothing of the chains that will use
    them.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, differentiable in z, nats of shape
            ``(chains, batch)``. The prior is N(0, I).
        proposal: Where annealing begins, :math:`r`.
        betas: Inverse temperatures, shape ``(T + 1,)``.
        num_leapfrog: Leapfrog steps a transition.
        num_chains: Chains of the pilot for each image.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        Shape ``(T - 1, batch)``: one for each temperature between the ends.

    Raises:
        ValueError: If ``betas`` do not rise from 0 to 1, or a count is under 1.

    Source:
        Acceptance of 0.65: Beskos et al. (2013); step sizes that follow it along the
        temperatures: Wu et al. (2017), there in the run itself.

    Example:
        >>> from vaelab.estimators.proposals import StandardNormal
        >>> step_sizes = tune_step_sizes(
        ...     torch.zeros(3, 1), lambda x, z: -z.square().sum(-1), StandardNormal(1),
        ...     linear_betas(5),
        ... )
        >>> step_sizes.shape
        torch.Size([4, 3])
    """
    path = Annealing(x, log_likelihood, proposal, betas, num_leapfrog)
    if num_chains < 1:
        raise ValueError(f"num_chains must be at least 1, got {num_chains}")
    between, steps = betas[1:-1].tolist(), []
    if not between:  # and no noise taken, so that what follows is importance sampling's
        return x.new_empty(0, len(x))
    state = State.at(path.start(num_chains, generator), path.terms)
    log_step = torch.zeros(len(x), dtype=state.z.dtype, device=x.device)
    # Few temperatures lie far apart, so the step has far to go from one to the next.
    moves = math.ceil(PILOT_MOVES / len(between))
    for t, beta in enumerate(between):
        for _ in range(moves if t else moves + WARM_UP):
            state, rate = path.move(state, beta, log_step.exp(), generator)
            log_step = log_step + GAIN * (rate.mean(0) - TARGET_ACCEPTANCE)
        steps.append(log_step.exp())
    return torch.stack(steps)
