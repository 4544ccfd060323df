"""Chapter 07, *Training a VAE*: a loss without the ten bugs, and gradients that arrive."""

from vaelab.book.questions.ch07 import estimates, gradients, leave_one_out, loss
from vaelab.book.questions.ch07.statements import STATEMENTS

QUESTIONS = {
    "07.1": STATEMENTS,
    "07.2": loss.QUESTION,
    "07.4": gradients.QUESTION,
    "07.5": leave_one_out.QUESTION,
    "07.6": estimates.QUESTION,
}
