"""Log densities and Kullback-Leibler divergences, in nats, element by element.

Nothing here sums unless its name says ``log_likelihood``: a caller who writes ``.sum(-1)``
says what is one example, and a mean where a sum belongs (the commonest bug in VAE code) can
be seen on the page.
"""

from vaelab.densities.bernoulli import bernoulli_log_density, bernoulli_log_likelihood
from vaelab.densities.gaussian import (
    LOG_2PI,
    kl_to_standard_normal,
    normal_log_density,
    standard_normal_log_density,
)

__all__ = [
    "LOG_2PI",
    "bernoulli_log_density",
    "bernoulli_log_likelihood",
    "kl_to_standard_normal",
    "normal_log_density",
    "standard_normal_log_density",
]
