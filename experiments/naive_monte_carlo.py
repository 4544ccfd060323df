"""Chapter 03's long run: naive Monte Carlo against the exact log p(x), to a million draws.

The model is probabilistic PCA, fitted by maximum likelihood to all 1,797 digits
(pixels / 16), so log p(x), KL(posterior || prior) and the true effective sample size are
known for every image. About four minutes on two cores.
"""

from __future__ import annotations

import math

import torch

from experiments import record
from vaelab.data import load_digits
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import StandardNormal
from vaelab.exact.linear_gaussian import LinearGaussian

SEED = 0
NAME = "naive_monte_carlo"


def error_against_samples(images: torch.Tensor, data: torch.Tensor, generator) -> list[dict]:
    """|log p-hat - log p| for d up to 20 and K up to 10^6, averaged over images."""
    rows = []
    for latent_dim in (1, 2, 5, 10, 20):
        model = LinearGaussian.fit(data, latent_dim)
        truth = model.log_marginal(images)
        for exponent in range(1, 7):
            estimate = importance_log_marginal(
                images, model.log_likelihood, StandardNormal(latent_dim), 10**exponent, generator
            )
            error = estimate.log_marginal - truth
            rows.append(
                {
                    "latent_dim": latent_dim,
                    "num_samples": 10**exponent,
                    "mean_absolute_error": error.abs().mean().item(),
                    "standard_error": (error.abs().std() / math.sqrt(len(error))).item(),
                    "mean_error": error.mean().item(),
                    "mean_claimed_standard_error": estimate.standard_error.mean().item(),
                }
            )
            print(rows[-1], flush=True)
    return rows


def measured_effective_sample_size(
    images: torch.Tensor, data: torch.Tensor, generator
) -> list[dict]:
    """The effective sample size as the weights report it, beside the exact one."""
    rows = []
    for latent_dim in (1, 2, 4, 5, 6, 7, 8, 10, 12, 16, 20):
        model = LinearGaussian.fit(data, latent_dim)
        exact = model.log_ess_fraction(images).exp()
        for num_samples in (1_000, 100_000):
            estimate = importance_log_marginal(
                images, model.log_likelihood, StandardNormal(latent_dim), num_samples, generator
            )
            measured = estimate.effective_sample_size / num_samples
            rows.append(
                {
                    "latent_dim": latent_dim,
                    "num_samples": num_samples,
                    "median_measured_fraction": measured.median().item(),
                    "median_exact_fraction": exact.median().item(),
                    "median_ratio": (measured / exact).median().item(),
                }
            )
            print(rows[-1], flush=True)
    return rows


def samples_that_suffice(images: torch.Tensor, data: torch.Tensor, generator) -> list[dict]:
    """Share of images within one nat at K = exp(KL + shift), each image with its own K."""
    rows = []
    for latent_dim in (4, 8):
        model = LinearGaussian.fit(data, latent_dim)
        truth, kl = model.log_marginal(images), model.kl_posterior_prior(images)
        for shift in (-2, 0, 2):
            within = []
            for image, log_p, nats in zip(images[:, None], truth, kl, strict=True):
                num_samples = max(1, round(math.exp(nats.item() + shift)))
                estimate = importance_log_marginal(
                    image, model.log_likelihood, StandardNormal(latent_dim), num_samples, generator
                )
                within.append(abs(estimate.log_marginal.item() - log_p.item()) < 1)
            share = sum(within) / len(within)
            rows.append(
                {
                    "latent_dim": latent_dim,
                    "shift": shift,
                    "mean_kl": kl.mean().item(),
                    "share_within_one_nat": share,
                    "standard_error": math.sqrt(share * (1 - share) / len(within)),
                }
            )
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    digits = load_digits("grey", torch.float64)
    data = torch.cat([digits.train, digits.test])
    generator = torch.Generator().manual_seed(SEED)
    hundred = digits.test[:100]
    record(
        NAME,
        SEED,
        {
            "images": "the first 100 held-out digits; effective sample size: all 360",
            "error_against_samples": error_against_samples(hundred, data, generator),
            "effective_sample_size": measured_effective_sample_size(digits.test, data, generator),
            "samples_that_suffice": samples_that_suffice(hundred, data, generator),
        },
    )


if __name__ == "__main__":
    main()
