"""Hamiltonian Monte Carlo: draws from a density that is known up to a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

# Each trajectory's step size is drawn within this share of what is asked for. With one step
# size throughout, a trajectory may close on itself and the chain stay where it is.
JITTER = 0.2

Term = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class HmcSamples:
    """A run of Hamiltonian Monte Carlo, the warming up included.

    Attributes:
        z: The chains' states after each step, shape ``(num_steps, *chains, latent)``.
        acceptance: Mean probability of accepting a proposed step, ``(*chains,)``. Near
            0.65 is right; near 0 the step size is too large, at 1 it could be larger.
    """

    z: Tensor
    acceptance: Tensor


@dataclass(frozen=True)
class State:
    """Where the chains are, with what is known about the density there.

    Attributes:
        z: Shape ``(*chains, latent)``.
        values: The density's terms, each ``(*chains,)``.
        gradients: Their gradients in z, each ``(*chains, latent)``.
    """

    z: Tensor
    values: Sequence[Tensor]
    gradients: Sequence[Tensor]

    @classmethod
    def at(cls, z: Tensor, terms: Sequence[Term]) -> State:
        """Evaluate all terms at z."""
        values, gradients = zip(*(term(z) for term in terms), strict=True)
        return cls(z, values, gradients)

    def log_density(self, shares: Sequence[float]) -> Tensor:
        """The terms' sum, each by its share; ``(*chains,)``."""
        return sum(share * value for share, value in zip(shares, self.values, strict=True))

    def gradient(self, shares: Sequence[float]) -> Tensor:
        """The gradient of that sum; ``(*chains, latent)``."""
        return sum(share * slope for share, slope in zip(shares, self.gradients, strict=True))

    def where(self, chosen: Tensor, other: State) -> State:
        """This state for the chains that are chosen, the other for those that are not."""
        return State(
            torch.where(chosen[..., None], self.z, other.z),
            [torch.where(chosen, *pair) for pair in zip(self.values, other.values, strict=True)],
            [
                torch.where(chosen[..., None], *pair)
                for pair in zip(self.gradients, other.gradients, strict=True)
            ],
        )


def value_and_gradient(log_density: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    r"""A log density and its gradient in z, by automatic differentiation.

    .. math::
        \log f(z), \quad \nabla_z \log f(z)

    Args:
        log_density: A differentiable function of z, nats of shape ``(*chains,)``.
        z: Shape ``(*chains, latent)``.

    Returns:
        Both, detached, shapes ``(*chains,)`` and ``(*chains, latent)``.

    Raises:
        ValueError: If ``log_density`` returns another shape, or nothing to differentiate.

    Source:
        Elementary: chains do not touch one another, so the gradient of their sum is all
        of their gradients.

    Example:
        >>> value_and_gradient(lambda z: -0.5 * z.square().sum(-1), torch.tensor([[1.0, 2.0]]))
        (tensor([-2.5000]), tensor([[-1., -2.]]))
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = log_density(z)
        if value.shape != z.shape[:-1] or not value.requires_grad:
            raise ValueError(
                f"log_density must return a differentiable tensor of shape {tuple(z.shape[:-1])} "
                f"for z of shape {tuple(z.shape)}, got {tuple(value.shape)}, "
                f"requires_grad={value.requires_grad}"
            )
        (gradient,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), gradient


def _trajectory(
    state: State,
    terms: Sequence[Term],
    shares: Sequence[float],
    momentum: Tensor,
    step_size: Tensor | float,
    num_leapfrog: int,
) -> tuple[State, Tensor]:
    for _ in range(num_leapfrog):
        momentum = momentum + 0.5 * step_size * state.gradient(shares)
        state = State.at(state.z + step_size * momentum, terms)
        momentum = momentum + 0.5 * step_size * state.gradient(shares)
    return state, momentum


@torch.no_grad()
def leapfrog(
    log_density: Callable[[Tensor], Tensor],
    z: Tensor,
    momentum: Tensor,
    step_size: float,
    num_leapfrog: int,
) -> tuple[Tensor, Tensor]:
    r"""Follow Hamilton's equations for a while, in steps that preserve volume.

    .. math::
        v \leftarrow v + \tfrac{\varepsilon}{2} \nabla \log f(z), \qquad
        z \leftarrow z + \varepsilon v, \qquad
        v \leftarrow v + \tfrac{\varepsilon}{2} \nabla \log f(z)

    Run again from where it ends with the momentum turned round, it comes back. The energy
    :math:`-\log f(z) + \tfrac12 \|v\|^2` is kept to order :math:`\varepsilon^2`.

    Args:
        log_density: :math:`\log f`, up to a constant: ``(*chains, latent)`` to ``(*chains,)``.
        z: Position, shape ``(*chains, latent)``.
        momentum: v, same shape.
        step_size: :math:`\varepsilon`.
        num_leapfrog: How many steps.

    Returns:
        Position and momentum at the end.

    Source:
        Neal (2011), *MCMC using Hamiltonian dynamics*, section 5.2.3.

    Example:
        >>> def log_density(z):
        ...     return -0.5 * z.square().sum(-1)
        >>> start = torch.tensor([[1.0]]), torch.tensor([[0.0]])
        >>> z, momentum = leapfrog(log_density, *start, step_size=0.1, num_leapfrog=10)
        >>> torch.allclose(z, torch.cos(torch.tensor(1.0)), atol=1e-3)  # the pendulum at time 1
        True
    """
    terms = [partial(value_and_gradient, log_density)]
    state = State.at(z, terms)
    state, momentum = _trajectory(state, terms, [1.0], momentum, step_size, num_leapfrog)
    return state.z, momentum


def transition(
    state: State,
    terms: Sequence[Term],
    shares: Sequence[float],
    noise: Tensor,
    step_size: Tensor | float,
    num_leapfrog: int,
) -> tuple[State, Tensor]:
    r"""One step of Hamiltonian Monte Carlo: a trajectory, accepted or not.

    .. math::
        P(\text{accept}) = \min\Big(1, \exp\big(
        \log f(z') - \tfrac12 \|v'\|^2 - \log f(z) + \tfrac12 \|v\|^2\big)\Big),
        \qquad \log f = \sum_i s_i \log f_i

    It leaves f as it is, whatever the step size, provided that this does not depend on
    where the chain is. The terms are kept apart, so that a change of shares (a new
    temperature) costs no new evaluation.

    Args:
        state: Where the chains are.
        terms: The terms of the log density; each gives its values and gradients at z.
        shares: :math:`s_i`, one a term.
        noise: Standard normal, shape ``(*chains, latent + 2)``: the momentum, a number for
            the jitter of the step size, a number to accept by.
        step_size: Shape ``(*chains,)`` or one that broadcasts to it.
        num_leapfrog: Leapfrog steps in the trajectory.

    Returns:
        The new state and the probability of acceptance, ``(*chains,)``; 0 where the
        trajectory ran into infinity.

    Source:
        Neal (2011), *MCMC using Hamiltonian dynamics*, sections 5.3.2 and 5.4.2.2.

    Example:
        >>> terms = [partial(value_and_gradient, lambda z: -0.5 * z.square().sum(-1))]
        >>> state = State.at(torch.zeros(7, 2), terms)
        >>> state, rate = transition(state, terms, [1.0], torch.randn(7, 4), 0.1, 5)
        >>> state.z.shape, rate.shape
        (torch.Size([7, 2]), torch.Size([7]))
    """
    momentum, jitter = noise[..., :-2], 2 * torch.special.ndtr(noise[..., -2]) - 1
    step_size = (step_size * (1 + JITTER * jitter))[..., None]
    end, final = _trajectory(state, terms, shares, momentum, step_size, num_leapfrog)
    log_ratio = (end.log_density(shares) - 0.5 * final.square().sum(-1)) - (
        state.log_density(shares) - 0.5 * momentum.square().sum(-1)
    )
    # The normal distribution function of a normal number is uniform. NaN is not accepted.
    accepted = torch.special.ndtr(noise[..., -1]).log() < log_ratio
    return end.where(accepted, state), log_ratio.clamp(max=0).exp().nan_to_num(0.0)


@torch.no_grad()
def hmc(
    log_density: Callable[[Tensor], Tensor],
    z: Tensor,
    step_size: Tensor | float,
    num_leapfrog: int,
    num_steps: int,
    generator: torch.Generator | None = None,
) -> HmcSamples:
    r"""Draw from :math:`f(z) / \int f` by Hamiltonian Monte Carlo, all chains at once.

    .. math::
        f(z) = p(x, z) = p(x \mid z)\, p(z) \quad\Rightarrow\quad z \sim p(z \mid x)

    The normaliser, p(x), is not needed: that is the point. What it needs is time: draws
    follow one another, so they are correlated, and the first ones still know where they
    began.

    Args:
        log_density: :math:`\log f`, up to a constant: ``(*chains, latent)`` to ``(*chains,)``,
            for instance ``vae.log_likelihood(x, z)`` plus the prior's log density.
        z: Where the chains begin, shape ``(*chains, latent)``, for instance
            ``(chains, batch, latent)``.
        step_size: Shape ``(*chains,)`` or one that broadcasts to it, or a number. Each
            trajectory draws its own within a fifth of it.
        num_leapfrog: Gradient evaluations a step.
        num_steps: Steps of the chain.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        The chains' states and their acceptance.

    Raises:
        ValueError: If a count is under 1, the step size is not positive and finite, or
            ``log_density`` returns another shape than ``(*chains,)``.

    Source:
        Duane et al. (1987); Neal (2011).

    Example:
        >>> samples = hmc(
        ...     lambda z: -0.5 * z.square().sum(-1), torch.zeros(200, 1), 1.0, 3, 20,
        ...     generator=torch.Generator().manual_seed(0),
        ... )
        >>> bool((samples.z[-1].std() - 1).abs() < 5 * 400**-0.5)
        True
    """
    for name, count in (("num_leapfrog", num_leapfrog), ("num_steps", num_steps)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    step_size = torch.as_tensor(step_size, dtype=z.dtype, device=z.device)
    wrong = ~((step_size > 0) & step_size.isfinite())
    if wrong.any():
        raise ValueError(f"step_size must be positive and finite, got {step_size[wrong][0].item()}")
    terms = [partial(value_and_gradient, log_density)]
    state = State.at(z, terms)
    states, total = [], torch.zeros(z.shape[:-1], dtype=z.dtype, device=z.device)
    for _ in range(num_steps):
        shape = (*z.shape[:-1], z.shape[-1] + 2)
        noise = torch.randn(shape, generator=generator, dtype=z.dtype, device=z.device)
        state, rate = transition(state, terms, [1.0], noise, step_size, num_leapfrog)
        states.append(state.z)
        total += rate
    return HmcSamples(torch.stack(states), total / num_steps)
