"""02.1: which of the sums in a latent-variable model is the obstacle."""

from vaelab.book.questions import Choice

WHAT_IS_HARD = Choice(
    options="abcde",
    right="d",
    hints={
        "a": "It has a great many terms. But the decoder gives each pixel a probability of its "
        "own: what do they make the sum equal to, for any z?",
        "b": "The prior was chosen to be a distribution. What is its integral?",
        "c": "Swap the sum over pictures and the integral over codes. What is left?",
        "e": "Given its terms, this is one addition for each picture. Where do the terms come "
        "from?",
    },
)
