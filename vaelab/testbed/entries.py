"""The package's own estimators, in the form that the testbed takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from vaelab.estimators.annealed import AnnealedEstimate, annealed_log_marginal
from vaelab.estimators.annealing import sigmoid_betas, tune_step_sizes
from vaelab.estimators.importance import ImportanceEstimate, importance_log_marginal
from vaelab.estimators.proposals import (
    DiagonalNormal,
    Mixture,
    Proposal,
    StandardNormal,
    defensive_mixture,
)
from vaelab.exact.gaussian_q import GaussianQ
from vaelab.gap import DiagonalGaussian, FullGaussian, best_posterior, posterior_mode
from vaelab.testbed.bed import Testbed
from vaelab.testbed.problem import Problem
from vaelab.testbed.score import Estimator

WIDEN = 2.0
NODES = 16  # of a fit: few, since each costs an evaluation and a gradient a step
LEAST_DRAWS = 10  # to be left over by a fit
TEMPERATURES = (4, 16, 64)
LEAPFROG = 2
TUNING_IMAGES, TUNING_SEED = 64, 0


def entries(bed: Testbed) -> dict[str, Estimator]:
    """Every estimator of the package that the recorded run ranks, by name.

    Args:
        bed: The decoder; its training digits set the step sizes of annealing, which therefore
            cost a held-out digit nothing.

    Returns:
        Estimators for :meth:`vaelab.testbed.Testbed.evaluate`.

    Source:
        ``python -m experiments.marginal_likelihood``.

    Example:
        >>> from vaelab.testbed import load
        >>> bed = load("smooth")
        >>> (score,) = bed.evaluate(entries(bed)["prior"], budgets=(100,), repeats=1)
        >>> score.cost
        100.0
    """
    found = {
        "prior": _importance(lambda problem, _: StandardNormal(problem.latent_dim)),
        "encoder q": _importance(lambda problem, _: _encoder(problem, 1.0)),
        "wide encoder q": _importance(lambda problem, _: _encoder(problem, WIDEN)),
        "prior + wide encoder q": _importance(
            lambda problem, _: defensive_mixture(problem.mean, problem.log_var, WIDEN)
        ),
        "prior + wide Laplace q": _importance(_laplace),
        "fitted diagonal q": _importance(_fitted_diagonal),
        "fitted full q": _importance(_fitted_full),
        "prior + wide fitted q": _importance(_prior_and_fitted_full),
    }
    return found | {f"annealing, T = {count}": _annealing(bed, count) for count in TEMPERATURES}


def _importance(propose: Callable[[Problem, torch.Generator], Proposal]) -> Estimator:
    """Importance sampling with whatever the proposal's making has left of the budget."""

    def estimate(
        problem: Problem, budget: int, generator: torch.Generator
    ) -> ImportanceEstimate | None:
        proposal = propose(problem, generator)
        draws = int(budget - problem.spent)
        if problem.spent and draws < LEAST_DRAWS:
            return None
        return importance_log_marginal(
            problem.x, problem.log_likelihood, proposal, draws, generator
        )

    return estimate


def _encoder(problem: Problem, widen: float) -> DiagonalNormal:
    return DiagonalNormal(problem.mean, problem.log_var, widen)


def _laplace(problem: Problem, _: torch.Generator) -> Mixture:
    """Half prior, half a Gaussian at the mode uphill of the encoder's mean."""
    mode, log_var = posterior_mode(problem.x, problem.log_likelihood, problem.mean)
    return defensive_mixture(mode, log_var, WIDEN)


def _fit(problem: Problem, family, generator: torch.Generator) -> Tensor:
    return best_posterior(
        problem.x,
        problem.log_likelihood,
        problem.mean,
        problem.log_var,
        family,
        starts=1,
        num_nodes=NODES,
        generator=generator,
    ).parameters


def _fitted_diagonal(problem: Problem, generator: torch.Generator) -> DiagonalNormal:
    return DiagonalNormal(*_fit(problem, DiagonalGaussian(), generator).chunk(2, -1))


def _fitted_full(problem: Problem, generator: torch.Generator) -> GaussianQ:
    family = FullGaussian()
    parameters = _fit(problem, family, generator)
    # A Gaussian's draw is affine in its noise, so three draws are its mean and its factor.
    zero, unit = torch.zeros(1, 1, problem.latent_dim), torch.eye(problem.latent_dim)[:, None]
    noise = torch.cat([zero, unit]).to(parameters)
    z, _ = family.transform(parameters, noise)
    return GaussianQ(z[0], (z[1:] - z[0]).permute(1, 2, 0).tril())


def _prior_and_fitted_full(problem: Problem, generator: torch.Generator) -> Mixture:
    q = _fitted_full(problem, generator)
    return Mixture([StandardNormal(problem.latent_dim), GaussianQ(q.mean, WIDEN * q.scale_tril)])


def _annealing(bed: Testbed, temperatures: int) -> Estimator:
    """Annealing from the prior, with as many chains as the budget pays for."""
    betas, prior = sigmoid_betas(temperatures), StandardNormal(bed.mean.shape[-1])
    # A chain's likelihoods, each with its gradient.
    chain_cost = 2 * (1 + (temperatures - 1) * LEAPFROG)

    @cache
    def step_sizes() -> Tensor:
        """One for each temperature, ``(T - 1, 1)``: a pilot on every digit would cost too much."""
        tuned = tune_step_sizes(
            bed.train[:TUNING_IMAGES],
            bed.vae.log_likelihood,
            prior,
            betas,
            LEAPFROG,
            generator=torch.Generator().manual_seed(TUNING_SEED),
        )
        return tuned.median(1, keepdim=True).values

    def estimate(
        problem: Problem, budget: int, generator: torch.Generator
    ) -> AnnealedEstimate | None:
        if budget < chain_cost:
            return None
        return annealed_log_marginal(
            problem.x,
            problem.log_likelihood,
            prior,
            betas,
            num_chains=budget // chain_cost,
            step_sizes=step_sizes().expand(-1, len(problem.x)),
            num_leapfrog=LEAPFROG,
            generator=generator,
        )

    return estimate
