"""Importance sampling in Python: its traits, and what it is without JavaScript."""

import gzip
import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch.distributions import Normal

from tests.widgets.refusals import assert_refused
from vaelab.widgets import ImportanceSampling, static_files
from vaelab.widgets._host import static_html
from vaelab.widgets.importance_sampling import model, useful_share


def test_traits_read_and_write() -> None:
    widget = ImportanceSampling(latent_dim=np.int64(2), width2=np.float32(0.5))
    seen = []
    widget.observe(lambda change: seen.append((change.name, change.new)), ["mean1", "draws"])

    widget.mean1 = -1
    widget.draws = 1e4

    assert (widget.latent_dim, widget.width2) == (2, 0.5)
    assert seen == [("mean1", -1.0), ("draws", 10_000)]
    assert repr(widget) == ("ImportanceSampling(latent_dim=2, mean1=-1, width2=0.5, draws=10000)")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("latent_dim", 3, "latent_dim must be one of 1, 2, got 3"),
        ("humps", 0, "humps must be one of 1, 2, got 0"),
        ("mean1", 4.01, "mean1 must be a number from -4 to 4, got 4.01"),
        ("mean2", float("nan"), "mean2 must be a number from -4 to 4, got nan"),
        ("width1", 0, "width1 must be a number from 0.05 to 3, got 0"),
        ("width2", float("inf"), "width2 must be a number from 0.05 to 3, got inf"),
        ("width2", "1", "width2 must be a number from 0.05 to 3, got '1'"),
        ("draws", 300, "draws must be one of 10, 20, .* got 300"),
        ("seed", 0.5, "seed must be a whole number from 0 to 9999, got 0.5"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value, message: str) -> None:
    assert_refused(ImportanceSampling, name, value, message)


@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (1.4, 0.3), (1.0, 0.26), (-2.0, 2.0)])
def test_the_useful_share_is_the_integral(loc: float, scale: float) -> None:
    exact, x = model(1)
    mean, covariance = exact.posterior(x)
    posterior = Normal(mean.squeeze(), covariance.squeeze().sqrt())
    proposal = Normal(*torch.tensor([loc, scale], dtype=torch.float64))

    def ratio(z: float) -> float:
        at = torch.tensor(z, dtype=torch.float64)
        return (2 * posterior.log_prob(at) - proposal.log_prob(at)).exp().item()

    integral = quad(ratio, -12, 16, limit=500, epsabs=0, points=[mean.item()])[0]
    assert useful_share(posterior, proposal) == pytest.approx(1 / integral, rel=1e-6)


def test_from_half_the_posteriors_variance_downwards_no_draw_counts() -> None:
    exact, x = model(1)
    mean, covariance = exact.posterior(x)
    posterior = Normal(mean.squeeze(), covariance.squeeze().sqrt())
    half = math.sqrt(covariance.item() / 2)

    for factor, counts in ((1.001, True), (0.999, False), (0.5, False)):
        proposal = Normal(posterior.loc, posterior.scale.new_tensor(factor * half))
        assert (useful_share(posterior, proposal) > 0) == counts


def test_without_javascript_the_four_proposals_are_there() -> None:
    text = ImportanceSampling.fallback_html().replace("\N{MINUS SIGN}", "-")
    exact, x = model(1)

    assert f"log p(x) is {exact.log_marginal(x).item():.4f} nats" in text
    assert f"<td>{exact.kl_posterior_prior(x).item():.2f}</td>" in text
    share = exact.log_ess_fraction(x).exp().item()
    assert f"<td>{share:.2g}</td>" in text  # the prior's
    assert text.count("infinite variance") == 1
    assert text.count('scope="row"') == 4


def test_it_needs_no_file_and_is_small() -> None:
    state = ImportanceSampling().state()

    assert "importance_sampling.js" not in static_files()
    assert len(gzip.compress(static_html(ImportanceSampling, state).encode())) < 30_000
