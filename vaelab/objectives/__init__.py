"""What a variational autoencoder maximises: the ELBO and its relatives, named for what they are."""

from vaelab.objectives.elbo import ElboTerms, elbo_terms, sample_posterior

__all__ = ["ElboTerms", "elbo_terms", "sample_posterior"]
