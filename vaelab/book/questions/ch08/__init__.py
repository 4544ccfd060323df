"""Chapter 08, *The variational gap*: whose fault it is, and how to measure that."""

from vaelab.book.questions.ch08 import bound, closed_form, measured, refined
from vaelab.book.questions.ch08.parts import PARTS

QUESTIONS = {
    "08.1": PARTS,
    "08.2": bound.QUESTION,
    "08.4": closed_form.QUESTION,
    "08.5": measured.QUESTION,
    "08.6": refined.QUESTION,
}
