"""03.2: the effective sample size."""

from __future__ import annotations

from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.book.questions.ch03.weights import HUGE, PLAIN, TINY, UNLIKE, prior_draws, weights_of
from vaelab.estimators.reliability import effective_sample_size


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


QUESTION = Question(
    solution=effective_sample_size,
    result="one count for each image, over its K draws",
    cases={
        "ordinary weights": PLAIN,
        "equal weights": weights_of([-0.7] * 5, [1.1] * 5),
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
)
