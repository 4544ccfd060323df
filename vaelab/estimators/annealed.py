"""log p(x) by annealed importance sampling: from below, and for simulated data from above."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.estimators.annealing import Annealing, tune_step_sizes
from vaelab.estimators.hmc import State
from vaelab.estimators.proposals import Proposal
from vaelab.estimators.reliability import effective_sample_size, log_mean_standard_error


@dataclass(frozen=True)
class AnnealedEstimate:
    r"""An estimate of log p(x) for each image, and how it came about.

    Attributes:
        log_marginal: Nats, ``(batch,)``. On average too low from annealed_log_marginal, too
            high from reverse_annealed_log_marginal.
        standard_error: Of ``log_marginal``, from the spread of the chains' weights,
            ``(batch,)``; infinite for one chain.
        effective_sample_size: Of the chains' weights, ``(batch,)``.
        log_weights: One a chain, ``(chains, batch)``. The weights' mean estimates p(x), in
            reverse 1 / p(x).
        acceptance: Mean probability of acceptance at each temperature between the ends, in
            the order in which they were visited, ``(T - 1, batch)``.
        num_chains: Chains for each image.
        num_evaluations: How often a chain's likelihood was computed, with its gradient, over
            all chains and images; the pilot not counted.
    """

    log_marginal: Tensor
    standard_error: Tensor
    effective_sample_size: Tensor
    log_weights: Tensor
    acceptance: Tensor
    num_chains: int
    num_evaluations: int


def _walk(
    path: Annealing,
    z: Tensor,
    betas: list[float],
    step_sizes: Tensor,
    generator: torch.Generator | None,
) -> tuple[Tensor, Tensor]:
    """Log weights and acceptance of chains that go through the betas in the order given."""
    state = State.at(z, path.terms)
    log_weights, rates = 0.0, []
    for t in range(1, len(betas)):
        log_base, log_joint = state.values
        log_weights = log_weights + (betas[t] - betas[t - 1]) * (log_joint - log_base)
        if t < len(betas) - 1:
            state, rate = path.move(state, betas[t], step_sizes[t - 1], generator)
            rates.append(rate.mean(0))
    return log_weights, torch.stack(rates) if rates else step_sizes


def _fitting(step_sizes: Tensor | float, path: Annealing, like: Tensor) -> Tensor:
    """The step sizes as an array of one for each temperature between the ends and image."""
    shape = (len(path.betas) - 2, len(path.x))
    step_sizes = torch.as_tensor(step_sizes, dtype=like.dtype, device=like.device)
    if step_sizes.shape not in ((), shape):
        raise ValueError(f"step_sizes must have shape {shape}, got {tuple(step_sizes.shape)}")
    wrong = ~((step_sizes > 0) & step_sizes.isfinite())
    if wrong.any():
        raise ValueError(
            f"step_sizes must be positive and finite, got {step_sizes[wrong][0].item()}"
        )
    return step_sizes.expand(shape)


def _estimate(path: Annealing, log_weights: Tensor, rates: Tensor, sign: int) -> AnnealedEstimate:
    num_chains, num_transitions = len(log_weights), len(path.betas) - 2
    ess = effective_sample_size(log_weights)
    return AnnealedEstimate(
        log_marginal=sign * (log_weights.logsumexp(0) - math.log(num_chains)),
        standard_error=log_mean_standard_error(ess, num_chains),
        effective_sample_size=ess,
        log_weights=log_weights,
        acceptance=rates,
        num_chains=num_chains,
        num_evaluations=log_weights.numel() * (1 + num_transitions * path.num_leapfrog),
    )


@torch.no_grad()
def annealed_log_marginal(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    proposal: Proposal,
    betas: Tensor,
    num_chains: int = 16,
    step_sizes: Tensor | float | None = None,
    num_leapfrog: int = 2,
    generator: torch.Generator | None = None,
) -> AnnealedEstimate:
    r"""Estimate log p(x) by chains that go from a proposal to the posterior by degrees.

    .. math::
        \log w = \sum_{t=1}^T (\beta_t - \beta_{t-1}) \log \frac{p(x, z_t)}{r(z_t)}, \qquad
        z_1 \sim r, \quad z_{t+1} \sim \mathcal T_{\beta_t}(\cdot \mid z_t)

    where :math:`\mathcal T_\beta`, a step of Hamiltonian Monte Carlo, leaves
    :math:`r^{1 - \beta} p(x, \cdot)^\beta` as it is. The weights' average is unbiased for
    p(x) however few the temperatures, so its logarithm is on average too low: a stochastic
    lower bound, which rises to log p(x) with more temperatures and more chains. At T = 1
    it is importance sampling, draw for draw.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, differentiable in z, nats of shape
            ``(chains, batch)`` for z of ``(chains, batch, latent)``; it is called on pieces
            of both. The prior is N(0, I).
        proposal: Where the chains begin, :math:`r`: the prior, or anything with a density.
        betas: Inverse temperatures, shape ``(T + 1,)``, from ``sigmoid_betas`` or
            ``linear_betas``.
        num_chains: Chains for each image.
        step_sizes: Of the leapfrog, shape ``(T - 1, batch)`` or one number; if left out they
            come from ``tune_step_sizes``, with noise of its own.
        num_leapfrog: Leapfrog steps a transition. Few of them, and more temperatures, serve
            better than the reverse.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        The estimate in nats, its standard error and how the chains fared, for each image.

    Raises:
        ValueError: If ``x``, ``betas`` or ``step_sizes`` are not as above, or a count is
            under 1.

    Source:
        Neal (2001), *Annealed importance sampling*; for decoders: Wu et al. (2017).

    Example:
        >>> from vaelab.estimators.annealing import linear_betas
        >>> from vaelab.estimators.proposals import StandardNormal
        >>> estimate = annealed_log_marginal(
        ...     torch.zeros(1, 1), lambda x, z: -z.square().sum(-1), StandardNormal(1),
        ...     linear_betas(20), num_chains=100, generator=torch.Generator().manual_seed(0),
        ... )
        >>> truth = -0.5 * math.log(3)  # E[exp(-z^2)] = 1 / sqrt(3)
        >>> bool((estimate.log_marginal - truth).abs() < 5 * estimate.standard_error)
        True
    """
    path = Annealing(x, log_likelihood, proposal, betas, num_leapfrog)
    if num_chains < 1:
        raise ValueError(f"num_chains must be at least 1, got {num_chains}")
    if step_sizes is None:
        step_sizes = tune_step_sizes(
            x, log_likelihood, proposal, betas, num_leapfrog, generator=generator
        )
    z = path.start(num_chains, generator)
    step_sizes = _fitting(step_sizes, path, like=z)
    return _estimate(path, *_walk(path, z, betas.tolist(), step_sizes, generator), sign=1)


@torch.no_grad()
def reverse_annealed_log_marginal(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    proposal: Proposal,
    betas: Tensor,
    z: Tensor,
    step_sizes: Tensor | float | None = None,
    num_leapfrog: int = 2,
    generator: torch.Generator | None = None,
) -> AnnealedEstimate:
    r"""Estimate log p(x) from above, by chains that begin in exact posterior draws.

    .. math::
        \log \hat p(x) = -\log \frac1C \sum_{c=1}^C \frac{1}{w_c}, \qquad
        z_T \sim p(z \mid x), \quad z_t \sim \mathcal T_{\beta_t}(\cdot \mid z_{t+1})

    with the weights of :func:`annealed_log_marginal` along the same path walked backwards.
    The average of 1 / w is unbiased for 1 / p(x), so the estimate is on average too high:
    a stochastic upper bound. Between the two lies log p(x), and when they meet it is known.

    An exact draw is at hand for data that the model itself made: z drawn from the prior, x
    from p(x | z). There is one for each image; all its chains must then begin with it
    (``z.expand(chains, -1, -1)``), and the standard error leaves out that another z might
    have been drawn. A draw that is not from the posterior (a data set's image, an encoder)
    gives no bound.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)``, differentiable in z, nats of shape
            ``(chains, batch)``. The prior is N(0, I).
        proposal: Where the chains end, :math:`r`.
        betas: Inverse temperatures, shape ``(T + 1,)``, from 0 to 1: the same as forwards.
        z: Exact draws from p(z | x), shape ``(chains, batch, latent)``.
        step_sizes: As in :func:`annealed_log_marginal`, in the order of ``betas``.
        num_leapfrog: Leapfrog steps a transition. Few of them, and more temperatures, serve
            better than the reverse.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        The estimate in nats, its standard error and how the chains fared, for each image.

    Raises:
        ValueError: If ``x``, ``betas``, ``z`` or ``step_sizes`` are not as above, or
            ``num_leapfrog`` is under 1.

    Source:
        Grosse et al. (2015), *Sandwiching the marginal likelihood using bidirectional Monte
        Carlo*; for decoders: Wu et al. (2017).

    Example:
        >>> from vaelab.estimators.annealing import linear_betas
        >>> from vaelab.estimators.proposals import StandardNormal
        >>> generator = torch.Generator().manual_seed(0)
        >>> exact = torch.randn(100, 1, 1, generator=generator) / math.sqrt(3)
        >>> estimate = reverse_annealed_log_marginal(
        ...     torch.zeros(1, 1), lambda x, z: -z.square().sum(-1), StandardNormal(1),
        ...     linear_betas(20), exact, generator=generator,
        ... )
        >>> bool((estimate.log_marginal + 0.5 * math.log(3)).abs() < 5 * estimate.standard_error)
        True
    """
    path = Annealing(x, log_likelihood, proposal, betas, num_leapfrog)
    if z.ndim != 3 or len(z) < 1 or z.shape[1] != len(x):
        raise ValueError(
            f"z must have shape (chains, batch, latent) with a batch of {len(x)}, "
            f"got {tuple(z.shape)}"
        )
    if step_sizes is None:
        step_sizes = tune_step_sizes(
            x, log_likelihood, proposal, betas, num_leapfrog, generator=generator
        )
    steps = _fitting(step_sizes, path, like=z).flip(0)
    # The same sum with every difference of betas negative is the logarithm of 1 / w.
    return _estimate(path, *_walk(path, z, betas.flip(0).tolist(), steps, generator), sign=-1)
