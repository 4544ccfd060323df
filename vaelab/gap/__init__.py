"""How far the ELBO is below log p(x), and whose fault that is: the family's or the encoder's."""

from vaelab.gap.decomposition import VariationalGap, variational_gap
from vaelab.gap.families import DiagonalGaussian, Family, FullGaussian
from vaelab.gap.fit import BestPosterior, best_posterior
from vaelab.gap.starts import posterior_mode

__all__ = [
    "BestPosterior",
    "DiagonalGaussian",
    "Family",
    "FullGaussian",
    "VariationalGap",
    "best_posterior",
    "posterior_mode",
    "variational_gap",
]
