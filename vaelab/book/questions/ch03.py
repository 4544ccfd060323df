"""Chapter 03, *Naive Monte Carlo*: averaging in log space, and how many draws count."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.estimators.reliability import effective_sample_size


def log_mean_exp(log_weights: Tensor) -> Tensor:
    """The log of the average weight."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def _weights(*images: list[float]) -> tuple[Tensor]:
    """Log weights, written one image at a time, as an argument of shape ``(K, batch)``."""
    return (torch.tensor(images, dtype=torch.float64).T.contiguous(),)


PLAIN = _weights([-1.0, -2.0, -0.5, 0.3], [0.2, -4.0, -1.5, -1.0], [1.0, 0.6, -3.0, 0.1])
TINY = _weights([-2000.0, -2001.0, -2003.0, -2000.5], [-1500.0, -1499.0, -1502.0, -1501.0])
HUGE = _weights([900.0, 901.0, 899.0, 899.5], [1200.0, 1201.0, 1190.0, 1200.5])
# Far apart, yet each image's largest log weight is 0: only a shift of the image's own helps.
UNLIKE = _weights([-2.0, 0.0, -1.0, -3.0], [-3000.0, -3001.0, -3002.0, -3000.5])


def prior_draws(latent_dim: int, num_samples: int = 10_000):
    """Log weights of prior draws for one held-out digit, and the model, whose truth is known."""
    from vaelab.data import load_digits
    from vaelab.exact.linear_gaussian import LinearGaussian

    digits = load_digits("grey", dtype=torch.float64)
    model, x = LinearGaussian.fit(digits.train, latent_dim), digits.test[:1]
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(num_samples, 1, latent_dim, generator=generator, dtype=torch.float64)
    return model.log_likelihood(x, z), model, x


def _estimate_against_truth(answer: Answer) -> str:
    log_weights, model, x = prior_draws(latent_dim=2)
    return (
        f"Your average of 10,000 prior draws puts log p(x) of a held-out digit at "
        f"{answer(log_weights).item():.2f} nats (linear-Gaussian model, 2 latents). "
        f"The exact value is {model.log_marginal(x).item():.2f}."
    )


def _count_against_truth(answer: Answer) -> str:
    lines = ["For a held-out digit and 10,000 prior draws (linear-Gaussian model):"]
    for latent_dim in (2, 16):
        log_weights, model, x = prior_draws(latent_dim)
        exact = len(log_weights) * model.log_ess_fraction(x).exp().item()
        lines.append(
            f"  {latent_dim:2d} latents: your count is {answer(log_weights).item():.3g}, "
            f"the exact one {exact:.3g}."
        )
    lines.append("A count made from the draws themselves can't fall below 1. When it's near 1,")
    lines.append("expect the truth to be worse.")
    return "\n".join(lines)


def _naive(log_weights: Tensor) -> Tensor:
    weights = log_weights.exp()
    return weights.sum(0).square() / weights.square().sum(0)


def _perplexity(log_weights: Tensor) -> Tensor:
    log_share = log_weights.log_softmax(0)
    return (-(log_share.exp() * log_share).sum(0)).exp()


QUESTIONS = {
    "03.1": Question(
        solution=log_mean_exp,
        result="one estimate for each image, averaged over its K draws",
        cases={
            "ordinary weights": PLAIN,
            "weights near e^-2000": TINY,
            "weights near e^1000": HUGE,
            "two images whose weights are e^3000 apart": UNLIKE,
        },
        mistakes=[
            Mistake(
                lambda w: w.logsumexp(0),
                "This is the log of the sum of the weights. An estimate of p(x) must not "
                "grow just because you draw more.",
            ),
            Mistake(
                lambda w: w.mean(0),
                "This is the average of the logs. The quantity asked for is the log of an "
                "average, and the two differ: by Jensen's inequality yours is too low.",
            ),
            Mistake(
                lambda w: w.exp().mean(0),
                "This is the average weight itself. The answer should be its log, in nats.",
            ),
            Mistake(
                lambda w: w.exp().mean(0).log10(),
                "This is a logarithm to base 10. Nats are natural logarithms.",
            ),
            Mistake(
                lambda w: w.exp().mean(0).log(),
                "The formula is right, but exp underflows to 0 below about -745 and "
                "overflows to inf above about 709. Which shift would keep it in range?",
            ),
            Mistake(
                lambda w: (w - w.max()).exp().mean(0).log() + w.max(),
                "You shift all images by one number, the largest log weight of them all. "
                "An image far below it still underflows.",
            ),
            Mistake(
                lambda w: log_mean_exp(w - w.amax(0)),
                "You subtract the largest log weight to keep exp in range, and then leave "
                "it out of the answer.",
            ),
            Mistake(
                lambda w: w.amax(0),
                "This is the largest log weight alone. It often dominates, but the other "
                "draws and their number count too.",
            ),
            Mistake(
                lambda w: w.logsumexp(0) - math.log(w.shape[1]),
                "You divide by the number of images. How many weights are you averaging?",
            ),
        ],
        afterword=_estimate_against_truth,
    ),
    "03.2": Question(
        solution=effective_sample_size,
        result="one count for each image, over its K draws",
        cases={
            "ordinary weights": PLAIN,
            "equal weights": _weights([-0.7] * 5, [1.1] * 5),
            "weights near e^-2000": TINY,
            "weights near e^1000": HUGE,
            "two images whose weights are e^3000 apart": UNLIKE,
        },
        mistakes=[
            Mistake(
                lambda w: effective_sample_size(w) / len(w),
                "This is a share of K, at most 1. The question asks for a number of draws, "
                "at most K. (A mean where a sum belongs does this.)",
            ),
            Mistake(
                lambda w: 1 / effective_sample_size(w),
                "This is upside down: it is smallest when all draws count alike.",
            ),
            Mistake(
                lambda w: 1 / w.exp().square().sum(0),
                "This holds only for weights that sum to one, and these don't. Try adding "
                "a constant to every log weight: the count should not move.",
            ),
            Mistake(
                lambda w: effective_sample_size(w).log(),
                "This is the logarithm of the count. The answer should be the count.",
            ),
            Mistake(
                lambda w: w.sum(0).square() / w.square().sum(0),
                "You put the log weights where the weights belong.",
            ),
            Mistake(
                lambda w: w.logsumexp(0).exp(),
                "This is the sum of the weights. Squaring a weight doubles its log: did "
                "you do that in both halves of the fraction?",
            ),
            Mistake(
                lambda w: w.exp().sum(0) / w.exp().square().sum(0),
                "The sum on top is not squared. Try adding a constant to every log "
                "weight: the count should not move.",
            ),
            Mistake(
                _perplexity,
                "This is the exponential of the entropy of the weights: also a count of "
                "draws, and a larger one. The question asks for the one by squares.",
            ),
            Mistake(
                _naive,
                "The formula is right, but exp underflows to 0 below about -745 and "
                "overflows to inf above about 709, and squaring halves that range. "
                "What leaves the fraction unchanged and keeps exp in range?",
            ),
            Mistake(
                lambda w: _naive(w - w.max()),
                "You shift all images by one number, the largest log weight of them all. "
                "An image far below it still underflows.",
            ),
        ],
        afterword=_count_against_truth,
    ),
}
