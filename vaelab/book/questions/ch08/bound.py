"""08.2: the bound with K draws under the logarithm, and its standard error."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question


def bound_and_error(log_weights: Tensor) -> Tensor:
    """Mean over runs of the log of the mean of K weights, and its standard error."""
    return _over_runs(_runs(log_weights))


def _runs(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(1) - math.log(log_weights.shape[1])


def _over_runs(runs: Tensor) -> Tensor:
    return torch.stack([runs.mean(0), runs.std(0) / math.sqrt(len(runs))])


def _all_under_one_log(log_weights: Tensor) -> Tensor:
    pooled = log_weights.flatten(0, 1)
    return torch.stack(
        [pooled.logsumexp(0) - math.log(len(pooled)), bound_and_error(log_weights)[1]]
    )


def _with_error(error) -> Answer:
    """Right, but for the second row."""

    def answer(log_weights: Tensor) -> Tensor:
        return torch.stack([_runs(log_weights).mean(0), error(_runs(log_weights), log_weights)])

    return answer


def _weights(shift: float = 0.0) -> tuple[Argument]:
    """Six runs of four draws, for three pictures."""
    generator = torch.Generator().manual_seed(0)
    return (torch.randn(6, 4, 3, generator=generator, dtype=torch.float64) + shift,)


@torch.no_grad()
def _digits(answer: Answer) -> str:
    from vaelab.data import load_digits
    from vaelab.estimators.importance import log_importance_weights
    from vaelab.estimators.proposals import DiagonalNormal
    from vaelab.exact.quadrature import quadrature_log_marginal
    from vaelab.pretrained import load_vae

    vae = load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[1:2]
    q = DiagonalNormal(*vae.encode(x))
    noise = torch.randn(64_000, 1, 2, generator=torch.Generator().manual_seed(0)).double()
    log_weights = log_importance_weights(x, vae.log_likelihood, q, q.transform(noise))
    exact = quadrature_log_marginal(x, vae.log_likelihood, latent_dim=2).log_marginal.item()
    lines = ["64,000 draws for a held-out digit, in runs of K:"]
    for k in (1, 8, 64):
        bound, error = answer(log_weights.reshape(-1, k, 1)).flatten().tolist()
        lines.append(f"  K = {k:2d}: {bound:.3f} nats, standard error {error:.3f}")
    return "\n".join([*lines, f"  exact:  {exact:.3f}"])


QUESTION = Question(
    solution=bound_and_error,
    result="the bound, then its standard error, for each picture",
    cases={
        "six runs of four draws": _weights(),
        "weights near e^-2000": _weights(-2000.0),
    },
    mistakes=[
        Mistake(
            lambda w: _over_runs(w.exp().mean(1).log()),
            "The formula is right, but exp underflows to 0 below about -745. Average in log space.",
        ),
        Mistake(
            lambda w: _over_runs(w.mean(1)),
            "This is the ELBO, whatever K: you average logarithms. What stands under the "
            "logarithm in the bound?",
        ),
        Mistake(
            lambda w: _over_runs(w.logsumexp(1)),
            "You sum the weights of a run. With twice as many draws this bound would rise by log 2 "
            "for nothing.",
        ),
        Mistake(
            lambda w: _over_runs(_runs(w.transpose(0, 1))),
            "The axes have changed places: you put the runs under the logarithm and average over "
            "the draws of each.",
        ),
        Mistake(
            _all_under_one_log,
            "All draws of all runs are under one logarithm. That is another bound, with a larger "
            "K.",
        ),
        Mistake(
            lambda w: _over_runs(w.amax(1)),
            "You take the largest weight of each run alone.",
        ),
        Mistake(
            _with_error(lambda runs, w: runs.std(0)),
            "The second row is the spread of the runs. How far from the truth is their mean?",
        ),
        Mistake(
            _with_error(lambda runs, w: runs.var(0) / len(runs)),
            "The second row is a variance.",
        ),
        Mistake(
            _with_error(lambda runs, w: runs.std(0) / math.sqrt(w.shape[1])),
            "The second row divides by the root of K. How many independent terms does the mean "
            "have?",
        ),
        Mistake(
            _with_error(lambda runs, w: runs.std(0) / math.sqrt(w.shape[0] * w.shape[1])),
            "The second row counts every draw as a term of its own. The mean is over runs.",
        ),
        Mistake(
            _with_error(lambda runs, w: runs.std(0, correction=0) / math.sqrt(len(runs))),
            "The second row divides squares by the number of runs: the mean was estimated from "
            "the same runs, which costs one.",
        ),
        Mistake(
            lambda w: bound_and_error(w).exp(),
            "These are on the scale of p(x). The answer should be in nats.",
        ),
    ],
    afterword=_digits,
)
