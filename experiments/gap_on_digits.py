"""Chapter 08's split of the gap: what the family costs, and what the encoder costs.

    python -m experiments.gap_on_digits

The model is the shipped VAE with 2 latents, so log p(x) comes from a grid. For 120 digits it was
trained on and 120 it was not, the best q of three families is sought image by image: diagonal
Gaussians, Gaussians of any covariance, and flows. About ten minutes on two cores.
"""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor

from experiments import record
from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.gap import DiagonalGaussian, FullGaussian, variational_gap
from vaelab.models.flow_posterior import CouplingFlow

NAME = "gap_on_digits"
SEED = 0
IMAGES = 120
STARTS = 4
STEP = 0.03  # of the grid
NUM_SAMPLES = 1_000


def with_error(values: Tensor) -> dict[str, float]:
    """Mean over images and its standard error, in nats."""
    return {
        "mean": values.mean().item(),
        "standard_error": (values.std() / math.sqrt(len(values))).item(),
    }


def main() -> None:
    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    digits = load_digits("binary", dtype=torch.float64)
    families = {
        "diagonal Gaussian": DiagonalGaussian(),
        "full Gaussian": FullGaussian(),
        "flow": CouplingFlow(2, generator=torch.Generator().manual_seed(SEED)),
    }
    rows, by_image = [], {}
    for part, x in (("train", digits.train[:IMAGES]), ("test", digits.test[:IMAGES])):
        with torch.no_grad():
            mean, log_var = vae.encode(x)
        exact = quadrature_log_marginal(x, vae.log_likelihood, latent_dim=2, step=STEP)
        for name, family in families.items():
            start = time.perf_counter()
            result = variational_gap(
                x,
                vae.log_likelihood,
                mean,
                log_var,
                exact.log_marginal,
                family=family,
                starts=STARTS,
                num_samples=NUM_SAMPLES,
                generator=torch.Generator().manual_seed(SEED),
            )
            rows.append(
                {
                    "images": part,
                    "family": name,
                    "gap": with_error(result.gap),
                    "approximation": with_error(result.approximation),
                    "amortisation": with_error(result.amortisation),
                }
            )
            if name == "diagonal Gaussian":
                by_image[part] = [round(value, 4) for value in result.gap.tolist()]
            print(f"{time.perf_counter() - start:.0f} s", rows[-1], flush=True)
    record(
        NAME,
        SEED,
        {
            "images": f"the first {IMAGES} training and the first {IMAGES} held-out digits",
            "starts": STARTS,
            "num_samples": NUM_SAMPLES,
            "rows": rows,
            "gap_by_image": by_image,
        },
    )


if __name__ == "__main__":
    main()
