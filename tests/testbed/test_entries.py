"""The package's entries: honest about what they spend, and about what they are."""

import math

import pytest
import torch

from vaelab.book.results import load_results
from vaelab.estimators.iwae import iwae_bound
from vaelab.estimators.proposals import DiagonalNormal
from vaelab.gap import FullGaussian, best_posterior
from vaelab.testbed import DECODERS, CountedLikelihood, Testbed, entries, load
from vaelab.testbed.entries import LEAPFROG, NODES, _fitted_full

SPENDERS = ("prior + wide Laplace q", "fitted diagonal q", "fitted full q", "prior + wide fitted q")


@pytest.fixture(scope="module")
def bed() -> Testbed:
    return load("smooth")


@pytest.fixture(scope="module")
def found(bed: Testbed) -> dict:
    return entries(bed)


def test_no_entry_spends_more_than_it_may(bed: Testbed, found: dict) -> None:
    for name, estimator in found.items():
        (score,) = bed.evaluate(estimator, budgets=(1_200,), repeats=1)
        if "annealing" in name:
            count = int(name.split()[-1])
            chains = 1_200 // (2 * (1 + (count - 1) * LEAPFROG))
            assert score.cost == chains * 2 * (1 + (count - 1) * LEAPFROG)
            assert score.evaluations == score.gradients
        elif name in SPENDERS:
            # The fit's cost differs from digit to digit; the rest is spent on whole draws.
            assert 1_199 < score.cost <= 1_200
            assert score.gradients > 0
        else:
            assert (score.evaluations, score.gradients) == (1_200, 0)


def test_what_a_budget_cannot_pay_for_is_left_out(bed: Testbed, found: dict) -> None:
    able = {name for name, one in found.items() if bed.evaluate(one, budgets=(20,), repeats=1)}

    draws_alone = {"prior", "encoder q", "wide encoder q", "prior + wide encoder q"}
    assert able == draws_alone | {"annealing, T = 4"}


def test_the_encoders_mean_error_is_that_of_the_iwae_bound(bed: Testbed, found: dict) -> None:
    (score,) = bed.evaluate(found["encoder q"], budgets=(50,), repeats=20)

    q = DiagonalNormal(bed.mean, bed.log_var)
    generator = torch.Generator().manual_seed(9)
    bound = iwae_bound(bed.x, bed.vae.log_likelihood, q, 50, 20, generator)
    # On the same digits only the noise of both differs.
    noise = math.sqrt(2) * bound.standard_error.square().sum().sqrt().item() / len(bed.x)
    below = (bound.bound - bed.log_marginal).mean().item()
    assert below < -5 * noise
    assert abs(score.mean_error - below) < 5 * noise


def test_a_fitted_gaussian_is_the_one_that_was_fitted(bed: Testbed) -> None:
    problem = bed.problem(CountedLikelihood(bed.vae.log_likelihood))
    q = _fitted_full(problem, torch.Generator().manual_seed(4))
    again = best_posterior(
        bed.x,
        bed.vae.log_likelihood,
        bed.mean,
        bed.log_var,
        FullGaussian(),
        starts=1,
        num_nodes=NODES,
        generator=torch.Generator().manual_seed(4),
    )

    noise = torch.randn(5, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    z, log_density = FullGaussian().transform(again.parameters, noise)
    torch.testing.assert_close(q.transform(noise), z, rtol=0, atol=1e-12)
    torch.testing.assert_close(q.log_density(z), log_density, rtol=0, atol=1e-9)
    assert (q.scale_tril[:, 1, 0] != 0).all()


# The record


@pytest.fixture(scope="module")
def record() -> dict:
    return load_results("marginal_likelihood")


def test_the_record_has_every_entry_on_every_decoder(found: dict, record: dict) -> None:
    assert tuple(record["decoders"]) == DECODERS
    for decoder in record["decoders"].values():
        assert [curve["estimator"] for curve in decoder["curves"]] == list(found)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("name", ["encoder q", "prior + wide encoder q", "annealing, T = 4"])
def test_the_record_is_found_again(record: dict, decoder: str, name: str) -> None:
    bed = load(decoder)
    (curve,) = (c for c in record["decoders"][decoder]["curves"] if c["estimator"] == name)
    budget = 30

    (score,) = bed.evaluate(
        entries(bed)[name], (budget,), record["repeats"][str(budget)], record["seed"]
    )

    row = curve["budget"].index(budget)
    assert score.cost == pytest.approx(curve["evaluations"][row] + curve["gradients"][row])
    if "annealing" in name:
        # On a processor that rounds otherwise, chains part at the first acceptance that tips.
        apart = score.mean_absolute_error - curve["mean_absolute_error"][row]
        assert abs(apart) < 5 * math.hypot(score.noise, curve["noise"][row])
        return
    for field in ("mean_absolute_error", "standard_error", "noise", "mean_error"):
        assert getattr(score, field) == pytest.approx(curve[field][row], rel=1e-3)


def test_noise_is_smaller_than_the_standard_error(record: dict) -> None:
    for decoder in record["decoders"].values():
        for curve in decoder["curves"]:
            for noise, error in zip(curve["noise"], curve["standard_error"], strict=True):
                assert 0 < noise < 1.5 * error


def test_the_bracket_has_the_truth_between(record: dict) -> None:
    for decoder in record["decoders"].values():
        for row in decoder["bracket"]:
            for side in ("truth_less_lower", "upper_less_truth"):
                assert row[side]["mean"] > -3 * row[side]["standard_error"]
