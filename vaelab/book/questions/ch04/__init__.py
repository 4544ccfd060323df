"""Chapter 04, *Importance sampling*: weights, safe proposals, and how to read the instruments."""

from vaelab.book.questions.ch04 import bracket, defensive, log_weights, tail
from vaelab.book.questions.ch04.unbiased import UNBIASED

QUESTIONS = {
    "04.1": UNBIASED,
    "04.2": log_weights.QUESTION,
    "04.4": defensive.QUESTION,
    "04.5": bracket.QUESTION,
    "04.6": tail.QUESTION,
}
