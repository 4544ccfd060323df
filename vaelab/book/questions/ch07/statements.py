"""07.1: what is true of gradients that are right on average."""

from vaelab.book.questions import Choice

STATEMENTS = Choice(
    options="abcde",
    right="bd",
    hints={
        "a": "Think over (a): in which of the two terms, and by which path, do the decoder's "
        "parameters act?",
        "b": "Think over (b): what is the derivative of a step, wherever there is one? And does "
        "the score function ask for it?",
        "c": "Think over (c): is that baseline independent of the draw that it is subtracted for?",
        "d": "Think over (d): which part of the variance do more draws an image reduce, and which "
        "part do more images reduce?",
        "e": "Think over (e): is Adam's step a linear function of the gradient?",
    },
)
