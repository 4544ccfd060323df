"""What a trained model does with its latents: what they cost, what they carry, which are idle.

Everything is in nats and taken over a data set handed in. The model is any object with
``encode(x)`` and ``log_likelihood(x, z)``, under the prior N(0, I).
"""

from vaelab.diagnostics.active_units import ActiveUnits, active_units
from vaelab.diagnostics.rate_distortion import RateDistortion, rate_distortion
from vaelab.diagnostics.surgery import ElboSurgery, aggregate_log_density, elbo_surgery

__all__ = [
    "ActiveUnits",
    "ElboSurgery",
    "RateDistortion",
    "active_units",
    "aggregate_log_density",
    "elbo_surgery",
    "rate_distortion",
]
