"""Naive Monte Carlo in Python: its traits, and what it is without JavaScript."""

import gzip
import json
import math

import numpy as np
import pytest
import torch

from tests.widgets.refusals import assert_refused
from vaelab.widgets import NaiveMonteCarlo, static_files
from vaelab.widgets._host import static_html
from vaelab.widgets.naive_monte_carlo import TABLE_DIMS, axes, grey_digits, image, model


def test_traits_read_and_write() -> None:
    widget = NaiveMonteCarlo(latent_dim=np.int64(8), noise=np.float64(0.2))
    seen = []
    widget.observe(lambda change: seen.append((change.name, change.new)), ["draws", "tolerance"])

    widget.draws = 1e6
    widget.tolerance = 0.1

    assert (widget.latent_dim, widget.noise) == (8, 0.2)
    assert seen == [("draws", 1_000_000), ("tolerance", 0.1)]
    assert isinstance(widget.draws, int)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("latent_dim", 0, "latent_dim must be a whole number from 1 to 20, got 0"),
        ("latent_dim", 2.5, "latent_dim must be a whole number from 1 to 20, got 2.5"),
        ("draws", 1_000_001, "draws must be a whole number from 0 to 1000000, got 1000001"),
        ("draws", True, "draws must be a whole number from 0 to 1000000, got True"),
        ("noise", 0.3, "noise must be one of 0, 0.05, 0.06, .* 0.7, 1, got 0.3"),
        ("noise", float("nan"), "noise must be one of 0, .* got nan"),
        ("tolerance", 1, "tolerance must be one of 0.5, 0.2, 0.1, got 1"),
        ("seed", -1, "seed must be a whole number from 0 to 9999, got -1"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value, message: str) -> None:
    assert_refused(NaiveMonteCarlo, name, value, message)


def test_without_javascript_the_closed_forms_are_there() -> None:
    text = NaiveMonteCarlo.fallback_html().replace("\N{MINUS SIGN}", "-")

    for latent_dim in TABLE_DIMS:
        exact = model(latent_dim)
        assert f"<td>{exact.log_marginal(image()).item():.2f}</td>" in text
        assert f"<td>{exact.kl_posterior_prior(image()).item():.2f}</td>" in text
    assert "<td>5.1e+04</td>" in text  # of a million draws, with two latents
    assert f"{1e6 * math.exp(model(2).log_ess_fraction(image()).item()):.1e}" == "5.1e+04"


def test_its_axes_are_those_of_the_digits() -> None:
    mean, eigenvalues, eigenvectors, coordinates = axes()

    assert (coordinates >= 0).all()
    torch.testing.assert_close(mean + eigenvectors @ coordinates, image()[0])
    covariance = torch.cov(grey_digits().T, correction=0)
    torch.testing.assert_close(eigenvectors.T @ covariance @ eigenvectors, eigenvalues.diag())


def test_what_it_decodes_is_the_models_mean() -> None:
    data = NaiveMonteCarlo.data()
    vectors = torch.tensor(data["vectors"]).reshape(20, 64)
    weight = model(20).weight.float()
    along = vectors / vectors.norm(dim=1, keepdim=True)

    # Each direction is a column of W, up to its sign and length.
    cosines = (along @ (weight / weight.norm(dim=0))).diagonal().abs()
    torch.testing.assert_close(cosines, torch.ones(20), rtol=0, atol=1e-4)


def test_it_is_small() -> None:
    state = NaiveMonteCarlo().state()

    assert len(gzip.compress(static_files()["naive_monte_carlo.js"].encode())) < 10_000
    assert len(gzip.compress(static_html(NaiveMonteCarlo, state).encode())) < 30_000
    assert json.loads(json.dumps(NaiveMonteCarlo.recorded())) == NaiveMonteCarlo.recorded()
