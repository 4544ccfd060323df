"""05.1: which lines about the bound are equalities."""

from vaelab.book.questions import Choice

EQUALITIES = Choice(
    options="abcde",
    right="ce",
    hints={
        "a": "Think over (a): over whose draws is the divergence in the chapter's equation "
        "averaged?",
        "b": "Think over (b): which q has an ELBO of log p(x)? Write that ELBO with both of its "
        "terms.",
        "c": "Think over (c): add to each ELBO its own gap. What do the two sums have in common?",
        "d": "Think over (d): write the bound as energy and entropy. Which of the two is linear "
        "in q?",
        "e": "Think over (e): take the prior itself for q. What are the three terms then?",
    },
)
