"""Chapter 04's brackets: annealing forwards and backwards on digits that the model made itself.

    python -m experiments.annealing

Two shipped models: with 2 latents, where log p(x) is known by quadrature, and with 8, where it is
not. About three minutes on two cores.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from experiments import record
from vaelab import pretrained
from vaelab.estimators.annealed import annealed_log_marginal, reverse_annealed_log_marginal
from vaelab.estimators.annealing import sigmoid_betas
from vaelab.estimators.proposals import StandardNormal
from vaelab.exact.quadrature import quadrature_log_marginal

NAME = "annealing"
SEED = 0
IMAGES = 100
CHAINS = 8
LEAPFROG = 5
TEMPERATURES = (4, 8, 16, 32, 64, 128)


def with_error(values: Tensor) -> dict[str, float]:
    """Mean over images and its standard error, in nats."""
    return {
        "mean": values.mean().item(),
        "standard_error": (values.std() / math.sqrt(len(values))).item(),
    }


def brackets(latent_dim: int, generator: torch.Generator) -> dict:
    """Bounds of log p(x) for each number of temperatures, and the truth where there is one."""
    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=latent_dim).double()
    with torch.no_grad():
        x, z = vae.sample(IMAGES, generator)
    prior, rows = StandardNormal(latent_dim), []
    for count in TEMPERATURES:
        path = (x, vae.log_likelihood, prior, sigmoid_betas(count))
        lower = annealed_log_marginal(
            *path, num_chains=CHAINS, num_leapfrog=LEAPFROG, generator=generator
        ).log_marginal
        # The z that made x is an exact draw from p(z | x).
        upper = reverse_annealed_log_marginal(
            *path, z.expand(CHAINS, -1, -1), num_leapfrog=LEAPFROG, generator=generator
        ).log_marginal
        rows.append(
            {
                "num_temperatures": count,
                "lower": with_error(lower),
                "upper": with_error(upper),
                "width": with_error(upper - lower),
            }
        )
        print(latent_dim, rows[-1], flush=True)
        if latent_dim <= 2:
            exact = quadrature_log_marginal(x, vae.log_likelihood, latent_dim).log_marginal
            rows[-1] |= {
                "truth": exact.mean().item(),
                "truth_less_lower": with_error(exact - lower),
                "upper_less_truth": with_error(upper - exact),
            }
    return {"latent_dim": latent_dim, "rows": rows}


def main() -> None:
    generator = torch.Generator().manual_seed(SEED)
    record(
        NAME,
        SEED,
        {
            "images": f"{IMAGES} digits drawn from each model",
            "chains": CHAINS,
            "leapfrog_steps": LEAPFROG,
            "models": [brackets(latent_dim, generator) for latent_dim in (2, 8)],
        },
    )


if __name__ == "__main__":
    main()
