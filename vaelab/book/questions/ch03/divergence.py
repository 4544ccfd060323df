"""03.5: what a picture tells about its code, and so how many prior draws it takes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question


def kl_to_prior(mean: Tensor, covariance: Tensor) -> Tensor:
    """KL(N(mean, covariance) || N(0, I)) of each picture in nats."""
    return _half_of(mean, covariance, log_det=torch.linalg.slogdet(covariance).logabsdet)


def _half_of(mean: Tensor, covariance: Tensor, log_det: Tensor) -> Tensor:
    return 0.5 * (mean.square().sum(1) + covariance.trace() - len(covariance) - log_det)


def _reversed(mean: Tensor, covariance: Tensor) -> Tensor:
    precision = torch.linalg.inv(covariance)
    distance = ((mean @ precision) * mean).sum(1)
    log_det = torch.linalg.slogdet(covariance).logabsdet
    return 0.5 * (precision.trace() + distance - len(covariance) + log_det)


def _correlated(latent: int, scale: float) -> tuple[Argument, ...]:
    """Means of three pictures, and one covariance that is not diagonal."""
    generator = torch.Generator().manual_seed(latent)
    factor = torch.randn(latent, latent, generator=generator, dtype=torch.float64)
    covariance = scale * (factor @ factor.T / latent + torch.eye(latent, dtype=torch.float64))
    return torch.randn(3, latent, generator=generator, dtype=torch.float64), covariance


INDEPENDENT = (
    torch.tensor([[0.5, -1.0], [0.0, 0.3], [2.0, 1.0]], dtype=torch.float64),
    torch.tensor([0.2, 0.05], dtype=torch.float64).diag(),
)


def _draws(answer: Answer) -> str:
    from vaelab.data import load_digits
    from vaelab.exact.linear_gaussian import LinearGaussian

    digits = load_digits("grey", dtype=torch.float64)
    lines = ["By your divergence, prior draws for a held-out digit (linear-Gaussian model):"]
    for latent_dim in (2, 8, 16, 32):
        model = LinearGaussian.fit(digits.train, latent_dim)
        kl = answer(*model.posterior(digits.test)).mean().item()
        lines.append(f"  {latent_dim:2d} latents: {kl:4.1f} nats, about {math.exp(kl):.0e} draws.")
    return "\n".join(lines)


QUESTION = Question(
    solution=kl_to_prior,
    result="one number for each picture",
    cases={
        "two independent latents": INDEPENDENT,
        "three correlated latents": _correlated(3, scale=0.3),
        "300 latents of small variance": _correlated(300, scale=1e-3),
    },
    mistakes=[
        Mistake(
            lambda mean, cov: _half_of(mean, cov, log_det=torch.linalg.det(cov).log()),
            "The formula is right, but the determinant of so many small variances underflows to "
            "0. What could you ask torch.linalg for instead?",
        ),
        Mistake(
            lambda mean, cov: 2 * kl_to_prior(mean, cov),
            "The factor of 1/2 is missing.",
        ),
        Mistake(
            lambda mean, cov: kl_to_prior(mean, cov) + len(cov) / 2,
            "Try mean 0 and covariance I: the two distributions are then the same, and the "
            "divergence should be 0. What does yours give?",
        ),
        Mistake(
            lambda mean, cov: _half_of(mean, cov, log_det=torch.zeros(())),
            "The log-determinant is missing: with it goes nearly all that a narrow posterior "
            "costs.",
        ),
        Mistake(
            lambda mean, cov: _half_of(mean, cov, log_det=-torch.linalg.slogdet(cov).logabsdet),
            "The log-determinant has the wrong sign: a narrower posterior should be further from "
            "the prior.",
        ),
        Mistake(
            lambda mean, cov: _half_of(mean, cov, log_det=torch.linalg.det(cov)),
            "This has the determinant where its logarithm belongs.",
        ),
        Mistake(
            lambda mean, cov: _half_of(mean, cov, log_det=cov.diagonal().log().sum()),
            "You take the log-determinant as the sum of the logs of the variances. That leaves "
            "out the correlations.",
        ),
        Mistake(
            lambda mean, cov: kl_to_prior(mean, cov.diagonal().sqrt().diag()),
            "You use deviations where variances belong.",
        ),
        Mistake(
            _reversed,
            "This is the other divergence, from prior to posterior: the average over the "
            "prior's draws, not over the posterior's.",
        ),
        Mistake(
            lambda mean, cov: kl_to_prior(0 * mean, cov),
            "The mean is missing: a posterior can be far from the prior by where it lies as well "
            "as by how narrow it is.",
        ),
        Mistake(
            lambda mean, cov: kl_to_prior(mean, cov) / math.log(2),
            "This is in bits. The answer should be in nats.",
        ),
    ],
    afterword=_draws,
)
