"""Chapter 05, *Deriving the ELBO*: what each line states, its terms in closed form, two sides."""

from vaelab.book.questions.ch05 import divergence, linear_bound, mixture, two_sides
from vaelab.book.questions.ch05.equalities import EQUALITIES

QUESTIONS = {
    "05.1": EQUALITIES,
    "05.2": divergence.QUESTION,
    "05.4": linear_bound.QUESTION,
    "05.5": mixture.QUESTION,
    "05.6": two_sides.QUESTION,
}
