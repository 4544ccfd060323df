"""The importance-weighted bound held against theory on a linear-Gaussian model."""

from itertools import pairwise

import torch

from vaelab.estimators.iwae import iwae_bound
from vaelab.estimators.proposals import StandardNormal
from vaelab.exact.linear_gaussian import LinearGaussian


def test_bound_rises_to_the_truth_as_theory_says(model: LinearGaussian, x: torch.Tensor) -> None:
    truth, prior = model.log_marginal(x), StandardNormal(2)
    bounds = [
        iwae_bound(x, model.log_likelihood, prior, k, 4000, torch.Generator().manual_seed(k))
        for k in (1, 8, 200)
    ]

    for below, above in pairwise(bounds):
        assert (below.bound < above.bound).all()
    # To first order the bias is -Var(w) / (2 K E[w]^2) = -(1 / ESS fraction - 1) / (2 K).
    bias = -(torch.exp(-model.log_ess_fraction(x)) - 1) / (2 * 200)
    last = bounds[-1]
    close = 5 * last.standard_error + 4 * bias.square() * 10
    assert ((last.bound - truth - bias).abs() <= close).all()


def test_groups_are_whole_however_chunked(model: LinearGaussian, x: torch.Tensor) -> None:
    def run(chunk_size: int | None) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        prior = StandardNormal(2)
        return iwae_bound(x, model.log_likelihood, prior, 7, 33, generator, chunk_size).bound

    for chunk_size in (16, 48, 5000):
        torch.testing.assert_close(run(chunk_size), run(None))
