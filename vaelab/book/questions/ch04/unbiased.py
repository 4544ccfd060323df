"""04.1: which averages are right on average."""

from vaelab.book.questions import Choice

UNBIASED = Choice(
    options="abcde",
    right="bd",
    hints={
        "a": "Think over (a): write this expectation as an integral. Where would p(z) have to come "
        "from?",
        "b": "Think over (b): which condition on r did the chapter's derivation use? Was its width "
        "one?",
        "c": "Think over (c): which codes can never be drawn, and do they contribute to p(x)?",
        "d": "Think over (d): take the expectation of each half by itself.",
        "e": "Think over (e): is the average of a logarithm the logarithm of the average?",
    },
)
