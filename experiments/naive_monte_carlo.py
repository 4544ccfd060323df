"""Chapter 03's long run: naive Monte Carlo against the exact log p(x), to a million draws.

The model is probabilistic PCA, fitted by maximum likelihood to all 1,797 digits
(pixels / 16), so log p(x), KL(posterior || prior) and the true effective sample size are
known for every image. Some fifteen minutes on two cores.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from experiments import record
from vaelab.data import load_digits
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import StandardNormal
from vaelab.exact.linear_gaussian import LinearGaussian

SEED = 0
NAME = "naive_monte_carlo"
FITTED = (1, 2, 5, 10, 20, 50)  # latent dimensions, noise fitted anew for each
HELD = (2, 5, 10, 20, 50)  # noise held where the fit with 2 latents left it


def error_against_samples(images: Tensor, data: Tensor, generator: torch.Generator) -> list[dict]:
    """|log p-hat - log p| for d up to 50 and K up to 10^6, averaged over images."""
    held_var = LinearGaussian.fit(data, 2).noise_var
    models = [("fitted", LinearGaussian.fit(data, d)) for d in FITTED]
    models += [("held", LinearGaussian.fit(data, d, noise_var=held_var)) for d in HELD]
    rows = []
    for noise, model in models:
        truth, prior = model.log_marginal(images), StandardNormal(model.latent_dim)
        for exponent in range(1, 7):
            estimate = importance_log_marginal(
                images, model.log_likelihood, prior, 10**exponent, generator
            )
            error = estimate.log_marginal - truth
            rows.append(
                {
                    "noise": noise,
                    "latent_dim": model.latent_dim,
                    "num_samples": 10**exponent,
                    "mean_absolute_error": error.abs().mean().item(),
                    "standard_error": (error.abs().std() / math.sqrt(len(error))).item(),
                    "mean_error": error.mean().item(),
                    "share_below": (error < 0).double().mean().item(),
                    "mean_claimed_standard_error": estimate.standard_error.mean().item(),
                    "largest_claimed_standard_error": estimate.standard_error.max().item(),
                }
            )
            print(rows[-1], flush=True)
    return rows


def measured_effective_sample_size(
    images: Tensor, data: Tensor, generator: torch.Generator
) -> tuple[list[dict], list[dict]]:
    """The effective sample size as the weights report it, beside the exact one.

    By latent dimension, medians over images; and over all of them together, by how many draws
    truly count: K times the exact fraction, in thirds of a power of ten.
    """
    rows, bins = [], []
    for num_samples in (1_000, 100_000):
        exact_all, measured_all = [], []
        for latent_dim in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20):
            model = LinearGaussian.fit(data, latent_dim)
            exact = model.log_ess_fraction(images).exp()
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
            exact_all.append(num_samples * exact)
            measured_all.append(num_samples * measured)
        bins += in_bins(num_samples, torch.cat(exact_all), torch.cat(measured_all))
    return rows, bins


def in_bins(num_samples: int, exact: Tensor, measured: Tensor) -> list[dict]:
    """What is reported where so many draws count, median and middle 80 percent of images."""
    thirds = (3 * exact.log10()).floor()
    rows = []
    for third in thirds.unique().tolist():
        inside = thirds == third
        if inside.sum() < 30:
            continue
        low, median, high = measured[inside].quantile(measured.new_tensor([0.1, 0.5, 0.9])).tolist()
        rows.append(
            {
                "num_samples": num_samples,
                "pairs": int(inside.sum()),
                "median_exact": exact[inside].median().item(),
                "median_reported": median,
                "reported_10_percent": low,
                "reported_90_percent": high,
            }
        )
        print(rows[-1], flush=True)
    return rows


def samples_that_suffice(images: Tensor, data: Tensor, generator: torch.Generator) -> list[dict]:
    """Share of images within one nat at K = exp(KL + shift), each image with its own K."""
    rows = []
    for latent_dim in (4, 6, 8):
        model, prior = LinearGaussian.fit(data, latent_dim), StandardNormal(latent_dim)
        truth, kl = model.log_marginal(images), model.kl_posterior_prior(images)
        for shift in range(-4, 5):
            within = []
            for image, log_p, nats in zip(images[:, None], truth, kl, strict=True):
                num_samples = max(1, round(math.exp(nats.item() + shift)))
                estimate = importance_log_marginal(
                    image, model.log_likelihood, prior, num_samples, generator
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
    by_dimension, by_count = measured_effective_sample_size(digits.test, data, generator)
    record(
        NAME,
        SEED,
        {
            "images": "the first 100 digits of the test split; effective sample size: all 360",
            "effective_sample_size": by_dimension,
            "effective_sample_size_by_count": by_count,
            "error_against_samples": error_against_samples(hundred, data, generator),
            "samples_that_suffice": samples_that_suffice(hundred, data, generator),
        },
    )


if __name__ == "__main__":
    main()
