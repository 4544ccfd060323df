"""What a variational autoencoder maximises: the ELBO and its relatives, named for what they are.

Everything is in nats. Where the number to report and the number to differentiate are not the
same, both come back, by name, in an :class:`Objective`.
"""

from vaelab.objectives.audit import LossAudit, audit_loss
from vaelab.objectives.draws import draw_posterior, log_joint, log_likelihood, log_posterior
from vaelab.objectives.elbo import ElboTerms, elbo_terms, sample_posterior
from vaelab.objectives.forms import (
    elbo_from_entropy,
    elbo_from_log_ratio,
    posterior_entropy,
    sampled_kl,
)
from vaelab.objectives.free_bits import free_bits_objective
from vaelab.objectives.iwae import iwae
from vaelab.objectives.objective import Objective
from vaelab.objectives.path_gradients import doubly_reparameterised, sticking_the_landing
from vaelab.objectives.schedules import cyclical, linear_warmup
from vaelab.objectives.signal_to_noise import signal_to_noise

__all__ = [
    "ElboTerms",
    "LossAudit",
    "Objective",
    "audit_loss",
    "cyclical",
    "doubly_reparameterised",
    "draw_posterior",
    "elbo_from_entropy",
    "elbo_from_log_ratio",
    "elbo_terms",
    "free_bits_objective",
    "iwae",
    "linear_warmup",
    "log_joint",
    "log_likelihood",
    "log_posterior",
    "posterior_entropy",
    "sample_posterior",
    "sampled_kl",
    "signal_to_noise",
    "sticking_the_landing",
]
