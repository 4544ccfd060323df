"""Chapter 06's comparison: the same network under five losses, judged on the same counts.

    python -m experiments.pixel_likelihoods

The data are the digits as they are, counts from 0 to 16. Every figure is a true log-probability
of the held-out counts, in nats an image, so that all models can be compared: those trained by
cross-entropy on counts / 16 are read as what their output means, the chance of each of 16
trials. About five minutes on two cores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from experiments import record
from vaelab.data import MAX_COUNT, load_digits
from vaelab.densities import kl_to_standard_normal
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import defensive_mixture
from vaelab.gap import best_posterior
from vaelab.models.vae import VAE
from vaelab.objectives import elbo_terms, sample_posterior
from vaelab.training import Trainer

NAME = "pixel_likelihoods"
SEEDS = (0, 1, 2)  # of training
SEED = SEEDS[0]  # of every estimate
LATENT_DIM = 8
HIDDEN = 64
SCHEDULE = ((3e-3, 150), (1e-3, 50))  # (learning rate, passes)
SAMPLES = 1_000
WIDEN = 1.25
RECONSTRUCTION_SAMPLES = 50
ACTIVE_THRESHOLD = 0.01  # Burda et al. (2016): variance over images of E_q[z | x]


def cross_entropy(vae: VAE, x: Tensor, generator: torch.Generator, averaged: bool) -> Tensor:
    """What much code trains on: cross-entropy of counts / 16, less the KL; to be raised."""
    mean, log_var = vae.encode(x)
    logits = vae.decode(sample_posterior(mean, log_var, generator=generator)[0])
    entropy = binary_cross_entropy_with_logits(logits, x / MAX_COUNT, reduction="none")
    total = entropy.mean(-1) if averaged else entropy.sum(-1)
    return -total - kl_to_standard_normal(mean, log_var).sum(-1)


# Name, likelihood that judges, objective (None: the ELBO under that likelihood).
LOSSES: tuple[tuple[str, str, Callable | None], ...] = (
    (
        "cross-entropy, averaged over pixels",
        "binomial",
        partial(cross_entropy, averaged=True),
    ),
    ("cross-entropy, summed", "binomial", partial(cross_entropy, averaged=False)),
    ("Binomial(16)", "binomial", None),
    ("discretised logistic", "discretised-logistic", None),
    ("beta-binomial", "beta-binomial", None),
)


def train(likelihood: str, objective: Callable | None, seed: int, x: Tensor) -> VAE:
    vae = VAE(
        LATENT_DIM,
        HIDDEN,
        likelihood=likelihood,
        generator=torch.Generator().manual_seed(seed),
    )
    for stage, (learning_rate, passes) in enumerate(SCHEDULE):
        trainer = Trainer(
            vae,
            x,
            learning_rate=learning_rate,
            seed=100 * seed + stage,
            objective=objective,
        )
        for _ in trainer.epochs(passes):
            pass
    return vae


def judge(vae: VAE, x: Tensor) -> dict:
    """ELBO and importance-weighted log p(x) of counts, in nats an image.

    An encoder trained at another β than the judge's is far too wide to draw from, so each
    image's q is fitted afresh before it serves as a proposal.
    """
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        terms = elbo_terms(vae, x, RECONSTRUCTION_SAMPLES, generator)
        mean, log_var = vae.encode(x)
        best = best_posterior(x, vae.log_likelihood, mean, log_var, starts=2, generator=generator)
        proposal = defensive_mixture(*best.parameters.chunk(2, -1), WIDEN)
        estimate = importance_log_marginal(x, vae.log_likelihood, proposal, SAMPLES, generator)
    return {
        "elbo": terms.elbo.mean().item(),
        "rate": terms.rate.mean().item(),
        "best_elbo": best.elbo.mean().item(),
        "log_likelihood": estimate.log_marginal.mean().item(),
        "over_images": (estimate.log_marginal.std() / math.sqrt(len(x))).item(),
        "median_effective_sample_size": estimate.effective_sample_size.median().item(),
        "active_units": int((mean.var(0) > ACTIVE_THRESHOLD).sum()),
    }


def independent_pixels(train: Tensor, test: Tensor) -> float:
    """Mean log p(x) with no latents: each pixel's own frequencies, one added to each level."""
    counts = torch.stack([(train == level).sum(0) for level in range(MAX_COUNT + 1)]) + 1.0
    log_share = (counts / counts.sum(0)).log()  # (levels, pixels)
    return log_share.gather(0, test.long()).sum(1).mean().item()


def main() -> None:
    digits = load_digits("counts")
    models = []
    for name, likelihood, objective in LOSSES:
        runs = []
        for seed in SEEDS:
            vae = train(likelihood, objective, seed, digits.train)
            runs.append(judge(vae, digits.test) | {"seed": seed})
            print(name, runs[-1], flush=True)
        models.append({"loss": name, "judged_as": likelihood, "runs": runs})
    record(
        NAME,
        SEED,
        {
            "seeds": SEEDS,
            "images": "all 360 held-out digits, counts 0 to 16",
            "model": f"64-{HIDDEN}-{LATENT_DIM}, tanh",
            "schedule": SCHEDULE,
            "num_samples": SAMPLES,
            "proposal": f"half prior, half fitted q with {WIDEN:g} times its deviation",
            "independent_pixels": independent_pixels(digits.train, digits.test),
            "models": models,
        },
    )


if __name__ == "__main__":
    main()
