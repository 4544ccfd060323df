"""The package's estimators of log p(x), ranked where log p(x) is known.

    python -m experiments.marginal_likelihood

Every estimator of vaelab.testbed on each of its three decoders, all 360 held-out digits: error in
nats against evaluations of the decoder. And annealing's bracket on digits that the decoders
made themselves. About ten minutes on one core; what is done so far is recorded after each decoder.
"""

from __future__ import annotations

import time
from dataclasses import asdict

import torch

from experiments import record
from experiments.annealing import with_error
from vaelab.estimators.annealed import annealed_log_marginal, reverse_annealed_log_marginal
from vaelab.estimators.annealing import sigmoid_betas
from vaelab.estimators.proposals import StandardNormal
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.testbed import DECODERS, Estimator, Testbed, entries, load

NAME = "marginal_likelihood"
SEED = 0
# Runs at each budget: more where they cost less.
REPEATS = {30: 8, 100: 8, 300: 4, 1_000: 4, 3_000: 2, 10_000: 2}
SIMULATED = 100
BRACKET_TEMPERATURES = (4, 16, 64)
BRACKET_CHAINS = 8
BRACKET_STEP = 0.025  # of the grid for the simulated digits' truth


def rounded(value: float | None) -> float | None:
    """Four digits, for a file that people read."""
    return None if value is None else float(f"{value:.4g}")


def curve(bed: Testbed, name: str, estimator: Estimator) -> dict:
    """One estimator on one decoder: a column for each field of a score."""
    scores = []
    for budget, repeats in REPEATS.items():
        start = time.perf_counter()
        scores += bed.evaluate(estimator, (budget,), repeats, SEED)
        told = scores[-1] if scores and scores[-1].budget == budget else "not within the budget"
        print(f"{bed.name:8} {name:24} {time.perf_counter() - start:5.1f} s {told}", flush=True)
    rows = [asdict(score) for score in scores]
    return {"estimator": name} | {key: [rounded(row[key]) for row in rows] for key in rows[0]}


def bracket(bed: Testbed) -> list[dict]:
    """Annealing forwards and backwards on digits that the decoder made, and the truth between."""
    generator = torch.Generator().manual_seed(SEED)
    x, z = bed.vae.sample(SIMULATED, generator)
    likelihood, prior = bed.vae.log_likelihood, StandardNormal(bed.mean.shape[-1])
    exact = quadrature_log_marginal(x, likelihood, prior.latent_dim, step=BRACKET_STEP)
    truth, rows = exact.log_marginal, []
    for count in BRACKET_TEMPERATURES:
        path = (x, likelihood, prior, sigmoid_betas(count))
        lower = annealed_log_marginal(*path, num_chains=BRACKET_CHAINS, generator=generator)
        # The z that made x is an exact draw from p(z | x).
        draws = z.expand(BRACKET_CHAINS, -1, -1)
        upper = reverse_annealed_log_marginal(*path, draws, generator=generator)
        rows.append(
            {
                "num_temperatures": count,
                "truth_less_lower": with_error(truth - lower.log_marginal),
                "upper_less_truth": with_error(upper.log_marginal - truth),
            }
        )
        print(f"{bed.name:8} bracket {rows[-1]}", flush=True)
    return rows


def main() -> None:
    torch.set_num_threads(1)
    results = {
        "images": "all 360 held-out digits, binarised",
        "cost": "an evaluation of log p(x | z) is 1, its gradient in z another 1",
        "repeats": {str(budget): repeats for budget, repeats in REPEATS.items()},
        "bracket_setting": {
            "images": f"{SIMULATED} digits drawn from each decoder",
            "chains": BRACKET_CHAINS,
        },
        "decoders": {},
    }
    for name in DECODERS:
        bed = load(name)
        results["decoders"][name] = {
            "curves": [curve(bed, key, estimator) for key, estimator in entries(bed).items()],
            "bracket": bracket(bed),
        }
        record(NAME, SEED, results)


if __name__ == "__main__":
    main()
