"""A testbed for estimators of log p(x): three decoders whose log p(x) is known to 1e-8 nats.

An estimator is a function of a :class:`Problem`, a budget and a generator::

    def mine(problem, budget, generator):
        z = torch.randn(budget, len(problem.x), 2, generator=generator, dtype=torch.float64)
        return problem.log_likelihood(problem.x, z).logsumexp(0) - math.log(budget)

    for score in load("smooth").evaluate(mine):
        print(score)

The decoders and the truth ship with the package; ``python -m experiments.known_decoders`` made
both. How the package's own estimators (:func:`entries`) fare is recorded by
``python -m experiments.marginal_likelihood``.
"""

from vaelab.testbed.bed import DECODERS, Testbed, load
from vaelab.testbed.entries import entries
from vaelab.testbed.problem import CountedLikelihood, Problem
from vaelab.testbed.score import Estimator, Score

__all__ = [
    "DECODERS",
    "CountedLikelihood",
    "Estimator",
    "Problem",
    "Score",
    "Testbed",
    "entries",
    "load",
]
