"""Chapter 03, *Naive Monte Carlo*: averaging in log space, and how many draws count."""

from vaelab.book.questions.ch03 import average, divergence, effective_size, shells
from vaelab.book.questions.ch03.instruments import INSTRUMENTS
from vaelab.book.questions.ch03.weights import prior_draws

QUESTIONS = {
    "03.1": average.QUESTION,
    "03.2": effective_size.QUESTION,
    "03.3": INSTRUMENTS,
    "03.5": divergence.QUESTION,
    "03.6": shells.QUESTION,
}

__all__ = ["QUESTIONS", "prior_draws"]
