"""Log densities and Kullback-Leibler divergences, in nats, element by element.

Nothing here sums unless its name says ``log_likelihood``: a caller who writes ``.sum(-1)``
says what is one example, and a mean where a sum belongs (the commonest bug in VAE code) can
be seen on the page. (A multivariate density is of a whole vector by nature.)
"""

from vaelab.densities.bernoulli import bernoulli_log_density, bernoulli_log_likelihood
from vaelab.densities.binomial import (
    beta_binomial_log_density,
    beta_binomial_log_likelihood,
    binomial_log_density,
    binomial_log_likelihood,
)
from vaelab.densities.categorical import categorical_log_density
from vaelab.densities.continuous_bernoulli import (
    continuous_bernoulli_log_density,
    continuous_bernoulli_log_likelihood,
    continuous_bernoulli_mean,
    continuous_bernoulli_quantile,
)
from vaelab.densities.counts import check_counts, count_log_likelihood
from vaelab.densities.gaussian import (
    LOG_2PI,
    kl_normal,
    kl_to_standard_normal,
    multivariate_normal_log_density,
    normal_log_density,
    normal_log_likelihood,
    standard_normal_log_density,
)
from vaelab.densities.logistic import (
    discretised_logistic_log_density,
    discretised_logistic_log_likelihood,
)

__all__ = [
    "LOG_2PI",
    "bernoulli_log_density",
    "bernoulli_log_likelihood",
    "beta_binomial_log_density",
    "beta_binomial_log_likelihood",
    "binomial_log_density",
    "binomial_log_likelihood",
    "categorical_log_density",
    "check_counts",
    "continuous_bernoulli_log_density",
    "continuous_bernoulli_log_likelihood",
    "continuous_bernoulli_mean",
    "continuous_bernoulli_quantile",
    "count_log_likelihood",
    "discretised_logistic_log_density",
    "discretised_logistic_log_likelihood",
    "kl_normal",
    "kl_to_standard_normal",
    "multivariate_normal_log_density",
    "normal_log_density",
    "normal_log_likelihood",
    "standard_normal_log_density",
]
