"""Chapter 01, *The partition function*: what it costs, what needs it, and what does not."""

from vaelab.book.questions.ch01 import bill, chain, learning, starts
from vaelab.book.questions.ch01.who_needs_z import WHO_NEEDS_Z

QUESTIONS = {
    "01.1": WHO_NEEDS_Z,
    "01.2": bill.QUESTION,
    "01.4": chain.QUESTION,
    "01.5": learning.QUESTION,
    "01.6": starts.QUESTION,
}
