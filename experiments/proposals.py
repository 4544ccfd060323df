"""Chapter 04's comparison of proposals on all held-out digits, whose log p(x) is known.

    python -m experiments.proposals

The model is the shipped VAE with 2 latents, so log p(x) comes from a grid. Every proposal draws
for the same 360 digits with noise of its own. About five minutes on two cores.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from experiments import record
from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import DiagonalNormal, StandardNormal, defensive_mixture
from vaelab.exact.quadrature import quadrature_log_marginal

NAME = "proposals"
SEED = 0
COUNTS = (10, 100, 1_000, 10_000, 100_000)
STEP = 0.03  # of the grid


def with_error(values: Tensor) -> tuple[float, float]:
    """Mean over images and its standard error."""
    return values.mean().item(), (values.std() / math.sqrt(len(values))).item()


def rounded(values: Tensor, digits: int) -> list[float]:
    """Numbers for a file that people read."""
    return [round(value, digits) for value in values.tolist()]


def main() -> None:
    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test
    with torch.no_grad():
        mean, log_var = vae.encode(x)
    exact = quadrature_log_marginal(x, vae.log_likelihood, latent_dim=2, step=STEP)
    proposals = {
        "prior": StandardNormal(2),
        "encoder q": DiagonalNormal(mean, log_var),
        "q, a third as wide": DiagonalNormal(mean, log_var, widen=1 / 3),
        "half prior, half wide q": defensive_mixture(mean, log_var, widen=2.0),
    }
    generator = torch.Generator().manual_seed(SEED)
    rows, errors, k_hat = [], {}, {}
    for name, proposal in proposals.items():
        for count in COUNTS:
            estimate = importance_log_marginal(x, vae.log_likelihood, proposal, count, generator)
            errors[name, count] = (estimate.log_marginal - exact.log_marginal).abs()
            k_hat[name, count] = estimate.pareto_k
            mean_error, standard_error = with_error(errors[name, count])
            rows.append(
                {
                    "proposal": name,
                    "num_samples": count,
                    "mean_absolute_error": mean_error,
                    "standard_error": standard_error,
                }
            )
            print(rows[-1], flush=True)
    # The same digits for both, so their difference is known better than either.
    pairs = [
        (count, *with_error(errors["encoder q", count] - errors["prior", count]))
        for count in COUNTS
    ]
    record(
        NAME,
        SEED,
        {
            "images": "all 360 held-out digits, binarised",
            "largest_error_of_the_grid": exact.error.max().item(),
            "rows": rows,
            "encoder_less_prior": [
                {"num_samples": count, "difference": difference, "standard_error": error}
                for count, difference, error in pairs
            ],
            "encoder_digit_by_digit": {
                str(count): {
                    "pareto_k": rounded(k_hat["encoder q", count], 3),
                    "absolute_error": rounded(errors["encoder q", count], 5),
                }
                for count in COUNTS[-2:]
            },
        },
    )


if __name__ == "__main__":
    main()
