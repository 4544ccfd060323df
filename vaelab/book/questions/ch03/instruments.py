"""03.3: what an effective sample size of one does and does not say."""

from vaelab.book.questions import Choice

INSTRUMENTS = Choice(
    options="abcde",
    right="ac",
    hints={
        "a": "Think over (a): if all draws but one had no weight at all, what would be reported?",
        "b": "Think over (b): the standard error is computed from the draws that were made. How "
        "large can it ever get?",
        "c": "Think over (c): the estimate of p(x) is unbiased. What does the logarithm do to it?",
        "d": "Think over (d): if the share were a thousand times smaller still, would the report "
        "look different?",
        "e": "Think over (e): what happens to the effective sample size when one of the new draws "
        "has a hundred times the weight of the best so far?",
    },
)
