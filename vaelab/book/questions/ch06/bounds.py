"""06.1: which losses bound a log probability, as they stand."""

from vaelab.book.questions import Choice

BOUNDS = Choice(
    options="abcde",
    right="be",
    hints={
        "a": "Think over (a): let q be the posterior. Where does minus the loss lie then?",
        "b": "Think over (b): write minus the loss as the ELBO and something else. Which sign has "
        "the something?",
        "c": "Think over (c): is a sixty-fourth of the cross-entropy a smaller cost or a larger "
        "one? Multiplying the loss afterwards is not allowed here.",
        "d": "Think over (d): what is the log density of a picture that the decoder hits exactly? "
        "And what does the loss say?",
        "e": "Think over (e): something is missing from the loss. Would minus the loss be larger "
        "with it, or smaller?",
    },
)
