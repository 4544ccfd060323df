"""Scores held against errors that are known beforehand, and against another sum."""

import math

import numpy as np
import pytest
import torch

from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import DiagonalNormal, StandardNormal
from vaelab.testbed import Problem, Score, Testbed, load


@pytest.fixture(scope="module")
def bed() -> Testbed:
    return load("smooth")


def off_by(bed: Testbed, errors: torch.Tensor):
    """An estimator that looks the truth up, and errs by what it is told."""

    def estimate(problem: Problem, budget: int, generator: torch.Generator) -> torch.Tensor:
        noise = torch.randn(errors.shape, generator=generator, dtype=errors.dtype)
        return bed.log_marginal + errors * noise

    return estimate


def prior_by_hand(problem: Problem, budget: int, generator: torch.Generator) -> torch.Tensor:
    z = torch.randn(budget, len(problem.x), 2, generator=generator, dtype=torch.float64)
    return problem.log_likelihood(problem.x, z).logsumexp(0) - math.log(budget)


def test_a_known_error_is_found(bed: Testbed) -> None:
    def too_low(problem: Problem, budget: int, generator: torch.Generator) -> torch.Tensor:
        return bed.log_marginal - 0.25

    (score,) = bed.evaluate(too_low, budgets=(10,), repeats=3)

    assert score.budget == 10
    assert (score.evaluations, score.gradients, score.cost) == (0, 0, 0)
    assert score.mean_error == pytest.approx(-0.25, abs=1e-12)
    assert score.mean_absolute_error == pytest.approx(0.25, abs=1e-12)
    assert score.untrusted is None
    for error in (score.standard_error, score.noise, score.mean_error_standard_error):
        assert error == pytest.approx(0, abs=1e-12)


def test_standard_errors_agree_with_numpys(bed: Testbed) -> None:
    sizes = torch.linspace(0.1, 2.0, 360, dtype=torch.float64)

    (score,) = bed.evaluate(off_by(bed, sizes), budgets=(10,), repeats=5, seed=3)

    state = int(np.random.SeedSequence([3, 10]).generate_state(1)[0])
    generator = torch.Generator().manual_seed(state)
    noise = [torch.randn(360, generator=generator, dtype=torch.float64) for _ in range(5)]
    errors = np.stack([(sizes * one).numpy() for one in noise])
    by_image = np.abs(errors).mean(0)
    assert score.mean_absolute_error == pytest.approx(by_image.mean(), rel=1e-9)
    assert score.mean_error == pytest.approx(errors.mean(), rel=1e-9)
    assert score.standard_error == pytest.approx(np.std(by_image, ddof=1) / 360**0.5, rel=1e-9)
    assert score.mean_error_standard_error == pytest.approx(
        np.std(errors.mean(0), ddof=1) / 360**0.5, rel=1e-9
    )


def test_noise_is_what_other_seeds_change(bed: Testbed) -> None:
    sizes = torch.linspace(0.1, 2.0, 360, dtype=torch.float64)

    scores = [
        bed.evaluate(off_by(bed, sizes), budgets=(10,), repeats=4, seed=seed)[0]
        for seed in range(400)
    ]

    means = np.array([score.mean_absolute_error for score in scores])
    # A deviation estimated from 400 values is within 5 x 1 / sqrt(2 x 400) = 18 %.
    assert np.mean([score.noise for score in scores]) == pytest.approx(means.std(), rel=0.18)
    # Digits differ in how hard they are: what other digits would change is more.
    assert np.mean([score.standard_error for score in scores]) > 1.2 * means.std()


def test_one_repeat_says_nothing_of_the_noise(bed: Testbed) -> None:
    (score,) = bed.evaluate(prior_by_hand, budgets=(5,), repeats=1)

    assert score.noise == math.inf
    assert 0 < score.standard_error < math.inf


def test_an_estimator_by_hand_scores_as_the_packages(bed: Testbed) -> None:
    def packaged(problem: Problem, budget: int, generator: torch.Generator):
        return importance_log_marginal(
            problem.x, problem.log_likelihood, StandardNormal(2), budget, generator
        )

    # Draws are made sixteen at a time, so both see the same noise.
    by_hand = bed.evaluate(prior_by_hand, budgets=(16, 64))
    for mine, theirs in zip(by_hand, bed.evaluate(packaged, budgets=(16, 64)), strict=True):
        assert mine.cost == theirs.cost == mine.budget
        assert mine.mean_absolute_error == pytest.approx(theirs.mean_absolute_error, rel=1e-9)
        assert 0 < theirs.untrusted <= 1


def test_biased_estimators_rank_behind_those_they_were_made_from(bed: Testbed) -> None:
    def without_weights(problem: Problem, budget: int, generator: torch.Generator) -> torch.Tensor:
        q = DiagonalNormal(problem.mean, problem.log_var, widen=2.0)
        noise = torch.randn(budget, len(problem.x), 2, generator=generator, dtype=torch.float64)
        value = problem.log_likelihood(problem.x, q.transform(noise))
        return value.logsumexp(0) - math.log(budget)

    def elbo(problem: Problem, budget: int, generator: torch.Generator) -> torch.Tensor:
        q = DiagonalNormal(problem.mean, problem.log_var, widen=2.0)
        noise = torch.randn(budget, len(problem.x), 2, generator=generator, dtype=torch.float64)
        z = q.transform(noise)
        log_weights = problem.log_likelihood(problem.x, z) + StandardNormal(2).log_density(z)
        return (log_weights - q.log_density(z)).mean(0)

    def weighted(problem: Problem, budget: int, generator: torch.Generator):
        q = DiagonalNormal(problem.mean, problem.log_var, widen=2.0)
        return importance_log_marginal(problem.x, problem.log_likelihood, q, budget, generator)

    wrong_up, wrong_down, right = (
        bed.evaluate(one, budgets=(1_000,), repeats=2)[0]
        for one in (without_weights, elbo, weighted)
    )

    apart = 5 * math.hypot(right.standard_error, wrong_up.standard_error)
    assert wrong_up.mean_absolute_error > right.mean_absolute_error + apart
    assert wrong_up.mean_error > 5 * wrong_up.mean_error_standard_error
    apart = 5 * math.hypot(right.standard_error, wrong_down.standard_error)
    assert wrong_down.mean_absolute_error > right.mean_absolute_error + apart
    assert wrong_down.mean_error < -5 * wrong_down.mean_error_standard_error


def test_the_same_seed_gives_the_same_score_whatever_else_is_asked(bed: Testbed) -> None:
    together = bed.evaluate(prior_by_hand, budgets=(8, 20), seed=1)

    assert bed.evaluate(prior_by_hand, budgets=(20,), seed=1) == together[1:]
    assert bed.evaluate(prior_by_hand, budgets=(20,), seed=2) != together[1:]


def test_the_global_generator_is_left_alone(bed: Testbed) -> None:
    before = torch.get_rng_state()

    bed.evaluate(prior_by_hand, budgets=(8,))

    assert torch.equal(torch.get_rng_state(), before)


def test_a_budget_that_does_not_suffice_is_left_out(bed: Testbed) -> None:
    def dear(problem: Problem, budget: int, generator: torch.Generator) -> torch.Tensor | None:
        return None if budget < 100 else bed.log_marginal

    assert [score.budget for score in bed.evaluate(dear, budgets=(10, 100))] == [100]


def test_no_weight_at_all_is_an_infinite_error(bed: Testbed) -> None:
    def nothing(problem: Problem, budget: int, generator: torch.Generator) -> torch.Tensor:
        return torch.full_like(bed.log_marginal, -math.inf)

    (score,) = bed.evaluate(nothing, budgets=(10,), repeats=1)

    assert score.mean_absolute_error == math.inf


def test_a_score_reads_as_a_line() -> None:
    score = Score(100, 80.0, 20.0, 0.1234, 0.01, 0.005, -0.1, 0.01, 0.25)

    expected = "100 evaluations: error 0.1234 nats (standard error 0.0100), bias -0.1000"
    assert str(score).strip() == f"{expected}, 25% warned of"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros(3), r"must return numbers of shape \(360,\), got \(3,\)"),
        (torch.zeros(1, 360), r"must return numbers of shape \(360,\), got \(1, 360\)"),
        (torch.full((360,), math.nan), r"got \(360,\) with 360 NaN"),
        (0.5, "must return numbers of shape"),
    ],
)
def test_what_is_no_estimate_is_refused(bed: Testbed, value, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bed.evaluate(lambda problem, budget, generator: value, budgets=(10,))


def test_numbers_under_one_are_refused(bed: Testbed) -> None:
    with pytest.raises(ValueError, match="repeats must be at least 1, got 0"):
        bed.evaluate(prior_by_hand, repeats=0)
    with pytest.raises(ValueError, match="budgets must be at least 1, got 0"):
        bed.evaluate(prior_by_hand, budgets=(0,))


def test_an_unknown_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="one of smooth, sharp, mirrored, got 'dull'"):
        load("dull")
