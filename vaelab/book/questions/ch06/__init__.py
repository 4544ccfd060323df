"""Chapter 06, *The constants that a VAE knows*, and the one that its losses forget."""

from vaelab.book.questions.ch06 import by_beta, counts, effective, forgotten
from vaelab.book.questions.ch06.bounds import BOUNDS

QUESTIONS = {
    "06.1": BOUNDS,
    "06.2": forgotten.QUESTION,
    "06.4": effective.QUESTION,
    "06.5": counts.QUESTION,
    "06.6": by_beta.QUESTION,
}
