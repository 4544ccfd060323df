"""01.1: which tasks a score can do, and which need its sum."""

from vaelab.book.questions import Choice

WHO_NEEDS_Z = Choice(
    options="abcde",
    right="bd",
    hints={
        "a": "Think over (a): write down p(x) / p(x') for two pictures of one model.",
        "b": "Think over (b): double every score. Does f(x) change? Does p(x)?",
        "c": "Think over (c): given the rest, there are just two pictures to tell apart.",
        "d": "Think over (d): is there one Z here, or are there two?",
        "e": "Think over (e): of what is the gradient of log Z an average, and who supplies "
        "the draws?",
    },
)
