"""Chapter 04's long run: how many draws until log p-hat is off by a tenth of a nat on average.

    python -m experiments.draws_needed

The posterior is a Gaussian, the proposal another, so KL(posterior || proposal) is known and p(x)
is 1. The proposal is too wide, shifted, or too narrow. A weight then depends on the draw through
one number, a chi-square or a normal one, so a million draws in many dimensions are a million
numbers. About three minutes on two cores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments import record

NAME = "draws_needed"
SEED = 0
TOLERANCE = 0.1  # nats
REPEATS = 200
EXPONENTS = range(1, 21)  # K = 2 to 2^20
LATENT_DIM = 10


@dataclass(frozen=True)
class Proposal:
    """One Gaussian against the posterior N(0, I).

    Attributes:
        kind: wide, shifted or narrow.
        kl: KL(posterior || proposal), nats.
        other_kl: KL(proposal || posterior), the gap of the ELBO.
        log_weights: Draws a tensor of log weights, ``(draws, repeats)``.
    """

    kind: str
    kl: float
    other_kl: float
    log_weights: Callable[[int, torch.Generator], Tensor]


def scaled(kind: str, scale: float) -> Proposal:
    """The proposal N(0, t^2 I): log w = d log t - (t^2 - 1) c / 2 with c a chi-square."""
    squared = scale**2

    def log_weights(draws: int, generator: torch.Generator) -> Tensor:
        chi_square = torch.zeros(draws, REPEATS, dtype=torch.float64)
        for _ in range(LATENT_DIM):
            chi_square += torch.randn(chi_square.shape, generator=generator).double().square()
        return LATENT_DIM * math.log(scale) - 0.5 * (squared - 1) * chi_square

    return Proposal(
        kind,
        kl=0.5 * LATENT_DIM * (1 / squared - 1 + math.log(squared)),
        other_kl=0.5 * LATENT_DIM * (squared - 1 - math.log(squared)),
        log_weights=log_weights,
    )


def shifted(distance: float) -> Proposal:
    """The proposal N(a, I): log w = -|a| e - |a|^2 / 2 with e normal; both KLs are alike."""

    def log_weights(draws: int, generator: torch.Generator) -> Tensor:
        normal = torch.randn(draws, REPEATS, generator=generator).double()
        return -distance * normal - 0.5 * distance**2

    return Proposal("shifted", 0.5 * distance**2, 0.5 * distance**2, log_weights)


def mean_errors(proposal: Proposal, generator: torch.Generator) -> list[float]:
    """Mean of |log p-hat| over the repeats, at K = 2, 4, ..., each K using the draws before."""
    log_sum = proposal.log_weights(1, generator)[0]
    errors = []
    for exponent in EXPONENTS:
        left = 2**exponent - 2 ** (exponent - 1)
        while left:
            draws = min(left, 2**14)
            fresh = proposal.log_weights(draws, generator).logsumexp(0)
            log_sum = torch.logaddexp(log_sum, fresh)
            left -= draws
        errors.append((log_sum - exponent * math.log(2)).abs().mean().item())
        if errors[-1] < TOLERANCE / 2:
            break
    return errors


def log_draws_needed(errors: list[float]) -> float | None:
    """log K where the error falls under the tolerance for good, between powers of two."""
    above = [i for i, error in enumerate(errors) if error >= TOLERANCE]
    last = above[-1] if above else -1
    if last + 1 >= len(errors):
        return None  # not within the draws made
    exponent = EXPONENTS[last + 1]
    if last >= 0:
        high, low = math.log(errors[last]), math.log(errors[last + 1])
        exponent = EXPONENTS[last] + (high - math.log(TOLERANCE)) / (high - low)
    return exponent * math.log(2)


def main() -> None:
    generator = torch.Generator().manual_seed(SEED)
    proposals = [scaled("wide", t) for t in (1.3, 1.5, 1.75, 2.0, 2.3, 2.6)]
    proposals += [shifted(a) for a in (1.0, 1.5, 2.0, 2.5, 3.0)]
    proposals += [scaled("narrow", t) for t in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7)]
    rows = []
    for proposal in proposals:
        errors = mean_errors(proposal, generator)
        rows.append(
            {
                "kind": proposal.kind,
                "kl": proposal.kl,
                "other_kl": proposal.other_kl,
                "log_draws": log_draws_needed(errors),
                "last_error": errors[-1],
                "most_draws": 2 ** EXPONENTS[len(errors) - 1],
            }
        )
        print(rows[-1], flush=True)
    record(
        NAME,
        SEED,
        {
            "tolerance": TOLERANCE,
            "repeats": REPEATS,
            "latent_dim": LATENT_DIM,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
