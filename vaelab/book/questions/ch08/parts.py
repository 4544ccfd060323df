"""08.1: what closes which part of the gap."""

from vaelab.book.questions import Choice

PARTS = Choice(
    options="abcde",
    right="bc",
    hints={
        "a": "Think over (a): the best member may be better. Must the one that the network gives "
        "be as near to it as before?",
        "b": "Think over (b): a maximum over a larger set.",
        "c": "Think over (c): does the best member of the family depend on the network?",
        "d": "Think over (d): what is the expectation of an average of twice as many terms?",
        "e": "Think over (e): what is the gap of a decoder that pays no attention to its code?",
    },
)
