"""Chapter 02, *Latent variables and the marginal*: sums over codes, exact and in log space."""

from vaelab.book.questions.ch02 import fisher, grid_error, grid_sum, mixture
from vaelab.book.questions.ch02.what_is_hard import WHAT_IS_HARD

QUESTIONS = {
    "02.1": WHAT_IS_HARD,
    "02.2": mixture.QUESTION,
    "02.4": grid_sum.QUESTION,
    "02.5": fisher.QUESTION,
    "02.6": grid_error.QUESTION,
}
