"""03.1: the log of the average weight."""

from __future__ import annotations

import math

from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.book.questions.ch03.weights import HUGE, PLAIN, TINY, UNLIKE, prior_draws


def log_mean_exp(log_weights: Tensor) -> Tensor:
    """The log of the average weight."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def _estimate_against_truth(answer: Answer) -> str:
    log_weights, model, x = prior_draws(latent_dim=2)
    return (
        f"Your average of 10,000 prior draws puts log p(x) of a held-out digit at "
        f"{answer(log_weights).item():.2f} nats (linear-Gaussian model, 2 latents). "
        f"The exact value is {model.log_marginal(x).item():.2f}."
    )


QUESTION = Question(
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
)
