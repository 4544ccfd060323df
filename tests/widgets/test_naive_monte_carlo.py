"""Naive Monte Carlo's numbers: the model's closed forms, and the estimate from the same draws."""

import math

import numpy as np
import pytest
import torch

from tests.javascript import evaluator
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import StandardNormal
from vaelab.estimators.reliability import effective_sample_size, log_mean_standard_error
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.widgets.naive_monte_carlo import FITTED, NOISES, NaiveMonteCarlo, image, model

CLOSE = {"rel": 1e-5, "abs": 1e-5}


@pytest.fixture(scope="module")
def js():
    evaluate = evaluator("naive_monte_carlo")
    evaluate("0", recorded=NaiveMonteCarlo.recorded())
    return evaluate


def draws(js, seed: int, count: int, latent_dim: int) -> torch.Tensor:
    """The latents that the page draws, (count, 1, latent)."""
    numbers = js(f"standardNormal({seed}, {count * latent_dim})")
    return torch.tensor(numbers, dtype=torch.float64).reshape(count, 1, latent_dim)


# Noise


@pytest.mark.parametrize("parts", [[1, 1, 1, 5, 2], [3, 7], [0, 4, 0, 6], [10]])
def test_noise_in_parts_is_the_same_noise(js, parts) -> None:
    ours = js(
        f"((fill) => {parts}.flatMap((n) => [...fill(new Float64Array(n))]))(normalStream(7))"
    )
    assert ours == js("standardNormal(7, 10)")


def test_noise_is_standard_normal(js) -> None:
    noise = np.array(js("standardNormal(3, 200000)"))
    error = 1 / math.sqrt(len(noise))

    assert abs(noise.mean()) < 5 * error
    assert abs(noise.var() - 1) < 5 * math.sqrt(2) * error
    assert abs((np.abs(noise) > 2).mean() - 0.0455) < 5 * math.sqrt(0.0455) * error
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 5 * error


# Closed forms


@pytest.mark.parametrize("noise", [FITTED, *NOISES])
@pytest.mark.parametrize("latent_dim", [1, 2, 7, 20])
def test_closed_forms_are_pythons(js, latent_dim: int, noise: float) -> None:
    ours = js(f"describeModel(recorded, {latent_dim}, {noise})")
    exact, x = model(latent_dim, noise), image()
    mean, covariance = exact.posterior(x)

    assert ours["model"]["noiseVar"] == pytest.approx(exact.noise_var, rel=1e-9)
    assert ours["logMarginal"] == pytest.approx(exact.log_marginal(x).item(), **CLOSE)
    assert ours["kl"] == pytest.approx(exact.kl_posterior_prior(x).item(), **CLOSE)
    assert ours["logEssFraction"] == pytest.approx(exact.log_ess_fraction(x).item(), **CLOSE)
    theirs = js(f"posterior(describeModel(recorded, {latent_dim}, {noise}).model)")
    # An eigenvector's sign is the page's choice.
    np.testing.assert_allclose(np.abs(theirs["mean"]), mean[0].abs(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(theirs["variance"], covariance.diagonal(), rtol=1e-5, atol=1e-5)
    peak = exact.log_likelihood(x, (x - exact.bias) @ torch.linalg.pinv(exact.weight).T)
    assert ours["highest"] == pytest.approx(peak.item(), **CLOSE)


@pytest.mark.parametrize("seed", range(6))
def test_closed_forms_of_random_and_extreme_models(js, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-4, 5)
    eigenvalues = np.sort(scale * rng.exponential(size=12))[::-1]
    coordinates = np.sqrt(scale) * 10 ** rng.uniform(-2, 2) * rng.normal(size=12)
    noise = float(np.sqrt(scale) * 10 ** rng.uniform(-2, 1))
    spectrum = {"eigenvalues": eigenvalues.tolist(), "coordinates": coordinates.tolist()}
    ours = js(f"describeModel(spectrum, 5, {noise})", spectrum=spectrum)

    slopes = np.sqrt(np.maximum(eigenvalues[:5] - noise**2, 0))
    weight = torch.zeros(12, 5, dtype=torch.float64)
    weight[range(5), range(5)] = torch.tensor(slopes)
    exact = LinearGaussian(weight, torch.zeros(12, dtype=torch.float64), noise**2)
    x = torch.tensor(coordinates)[None]
    assert ours["logMarginal"] == pytest.approx(exact.log_marginal(x).item(), **CLOSE)
    assert ours["kl"] == pytest.approx(exact.kl_posterior_prior(x).item(), **CLOSE)
    assert ours["logEssFraction"] == pytest.approx(exact.log_ess_fraction(x).item(), **CLOSE)


@pytest.mark.parametrize(("latent_dim", "noise"), [(2, FITTED), (20, FITTED), (5, 0.3)])
def test_the_spread_of_log_weights_is_that_of_draws(js, latent_dim: int, noise: float) -> None:
    ours = js(f"describeModel(recorded, {latent_dim}, {noise})")
    exact, x = model(latent_dim, noise), image()
    generator = torch.Generator().manual_seed(0)
    standard = torch.randn(100_000, 1, latent_dim, dtype=torch.float64, generator=generator)
    mean, covariance = exact.posterior(x)
    places = {"prior": standard, "posterior": mean + standard * covariance.diagonal().sqrt()}

    for kind, z in places.items():
        log_weights = exact.log_likelihood(x, z)[:, 0]
        deviation = log_weights.std().item()
        error = deviation / math.sqrt(len(z))
        assert abs(ours[kind]["mean"] - log_weights.mean().item()) < 5 * error
        # The weights' tails are long: 2% is some five standard errors of the deviation.
        assert ours[kind]["deviation"] == pytest.approx(deviation, rel=0.02)


# Draws


@pytest.mark.parametrize(
    ("latent_dim", "noise", "seed", "count"),
    [
        (1, FITTED, 0, 2),
        (2, FITTED, 3, 5000),
        (20, FITTED, 0, 3000),
        (20, 0.05, 1, 500),
        (7, 1, 2, 99),
    ],
)
def test_the_estimate_is_that_of_the_same_draws(js, latent_dim, noise, seed, count) -> None:
    ours = js(
        f"""(() => {{
            const known = describeModel(recorded, {latent_dim}, {noise});
            const sampler = createSampler(known, {seed});
            for (const part of [0.1, 0.5, 1]) sampler.advance(Math.ceil(part * {count}));
            const {{ tally, heaviest, trace, bins, last, best }} = sampler;
            return {{ estimate: logMeanWeight(tally), error: logMeanStandardError(tally),
                ess: effectiveSampleSize(tally), count: tally.count, heaviest: heaviest.list,
                trace, bins, last, best, score: logLikelihood(known.model, best) }};
        }})()"""
    )
    # In the page's axes, where the decoder is diagonal.
    exact = model(latent_dim, noise)
    spectrum = NaiveMonteCarlo.recorded()
    slopes = (exact.weight.T @ exact.weight).diagonal().sqrt()
    weight = torch.zeros(64, latent_dim, dtype=torch.float64)
    weight[range(latent_dim), range(latent_dim)] = slopes
    along = LinearGaussian(weight, torch.zeros(64, dtype=torch.float64), exact.noise_var)
    x = torch.tensor([spectrum["coordinates"]], dtype=torch.float64)
    z = draws(js, seed, count, latent_dim)
    log_weights = along.log_likelihood(x, z)[:, 0]
    ess = effective_sample_size(log_weights)

    assert ours["count"] == count
    assert ours["estimate"] == pytest.approx(
        log_weights.logsumexp(0).item() - math.log(count), **CLOSE
    )
    assert ours["ess"] == pytest.approx(ess.item(), rel=1e-5)
    assert ours["error"] == pytest.approx(log_mean_standard_error(ess, count).item(), **CLOSE)
    assert ours["last"] == pytest.approx(log_weights[-1].item(), **CLOSE)
    assert ours["score"] == pytest.approx(log_weights.max().item(), **CLOSE)
    most = min(30, count)
    heaviest = [float(value) for value in ours["heaviest"]]
    np.testing.assert_allclose(heaviest[:most], log_weights.topk(most).values, rtol=1e-5, atol=1e-5)
    assert all(value == -math.inf for value in heaviest[most:])
    bins = ours["bins"]
    edges = np.linspace(bins["least"], bins["most"], len(bins["counts"]) + 1)
    inside = log_weights.numpy().clip(edges[0], edges[-1])
    counts, _ = np.histogram(inside, edges)
    # A weight on an edge may fall to either side of it.
    assert np.abs(np.cumsum(bins["counts"]) - np.cumsum(counts)).max() <= 1
    assert log_weights.max() <= bins["most"]
    trace = ours["trace"]
    for at, estimate, error in zip(*trace.values(), strict=True):
        first = log_weights[:at]
        assert estimate == pytest.approx(first.logsumexp(0).item() - math.log(at), **CLOSE)
        expected = log_mean_standard_error(effective_sample_size(first), at).item()
        assert float(error) == pytest.approx(expected, **CLOSE)


def test_the_tally_is_importance_log_marginals(js) -> None:
    """The package's own estimator, given the page's draws as its noise."""
    exact, x = model(3), image()
    z = draws(js, 5, 400, 3)

    class PageDraws(StandardNormal):
        def transform(self, noise):
            return z

    theirs = importance_log_marginal(x, exact.log_likelihood, PageDraws(3), 400)
    weights = exact.log_likelihood(x, z)[:, 0].tolist()
    tally = "weights.reduce((tally, value) => (tally.add(value), tally), weightTally())"

    assert js(f"logMeanWeight({tally})", weights=weights) == pytest.approx(
        theirs.log_marginal.item(), **CLOSE
    )
    assert js(f"logMeanStandardError({tally})") == pytest.approx(
        theirs.standard_error.item(), **CLOSE
    )


@pytest.mark.parametrize(
    "log_weights",
    [
        [0.0],
        [-1e4, 1e4],
        [1e4, -1e4, 1e4],
        [-745.0] * 5,
        [-1e300, 1e300],
        [-math.inf, -3.0, -math.inf],
        list(np.linspace(-2000, 2000, 101)),
        list(np.random.default_rng(0).normal(scale=300, size=500)),
    ],
)
def test_tally_of_extreme_weights(js, log_weights) -> None:
    finite = [value if math.isfinite(value) else "-Infinity" for value in log_weights]
    ours = js(
        """((tally) => {
            values.forEach((value) => tally.add(Number(value)));
            return [logMeanWeight(tally), effectiveSampleSize(tally), logMeanStandardError(tally)];
        })(weightTally())""",
        values=finite,
    )
    weights = torch.tensor(log_weights, dtype=torch.float64)
    ess = effective_sample_size(weights)
    expected = [weights.logsumexp(0) - math.log(len(weights)), ess]
    expected.append(log_mean_standard_error(ess, len(weights)))

    assert [float(value) for value in ours] == pytest.approx(
        [value.item() for value in expected], **CLOSE
    )


def test_a_tally_of_nothing_is_no_number_that_would_be_shown(js) -> None:
    zero = "((tally) => (tally.add(-Infinity), tally.add(-Infinity), tally))(weightTally())"

    assert js(f"effectiveSampleSize({zero})") == 0
    assert js(f"logMeanStandardError({zero})") == "Infinity"


# The rule, and what the widget suggests to look for


def stopped(js, latent_dim: int, tolerance: float, seed: int, most: int) -> dict | None:
    """Where a run stops by the rule, if it does."""
    return js(
        f"""(() => {{
            const known = describeModel(recorded, {latent_dim}, 0);
            const sampler = createSampler(known, {seed});
            const {{ tally }} = sampler;
            const met = sampler.advance({most}, () => looksConverged(tally, {tolerance}));
            return met ? {{ count: tally.count, error: logMeanStandardError(tally),
                off: logMeanWeight(tally) - known.logMarginal }} : null;
        }})()"""
    )


def test_the_rule_is_right_with_two_latents_and_wrong_with_ten(js) -> None:
    few = [stopped(js, 2, 0.5, seed, 10_000) for seed in range(20)]
    many = [stopped(js, 10, 0.5, seed, 300_000) for seed in range(20)]

    assert all(run["count"] >= 100 and run["error"] < 0.5 for run in few)
    assert all(abs(run["off"]) < 5 * run["error"] for run in few)
    met = [run for run in many if run]
    wrong = [run for run in met if abs(run["off"]) > 3 * run["error"]]
    assert len(met) >= 10
    assert len(wrong) > len(met) / 2
    first = stopped(js, 10, 0.5, 0, 1_000_000)  # the seed that a reader meets first
    assert abs(first["off"]) > 3 * first["error"]


def test_with_twenty_latents_the_band_stays_narrow_and_the_truth_far(js) -> None:
    ours = js(
        """(() => {
            const known = describeModel(recorded, 20, 0);
            const sampler = createSampler(known, 0);
            sampler.advance(200000);
            return { ...sampler.trace, truth: known.logMarginal };
        })()"""
    )
    errors = np.array([float(error) for error in ours["errors"]])
    off = np.abs(np.array(ours["estimates"]) - ours["truth"])

    assert 2 * errors[1:].max() <= 2 + 1e-9  # whatever is drawn: ESS is at least 1
    assert off.min() > 5


def test_with_noise_held_dimension_does_no_harm(js) -> None:
    held = {d: js(f"describeModel(recorded, {d}, 0.4)") for d in range(1, 21)}
    in_use = held[20]["useful"]

    assert in_use < 10
    for latent_dim in range(in_use, 21):
        assert held[latent_dim]["useful"] == in_use
        assert held[latent_dim]["logEssFraction"] == pytest.approx(held[20]["logEssFraction"])
    assert math.exp(held[20]["logEssFraction"]) > 0.01


def test_more_draws_make_a_longer_run_of_the_same(js) -> None:
    counts = (
        "[10, 1000].map((n) => ((s) => (s.advance(n), s.trace.estimates))(createSampler(k, 4)))"
    )
    short, long = js(f"((k) => {counts})(describeModel(recorded, 6, 0))")
    assert long[: len(short)] == short


# Words and charts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00001, "1 × 10⁻⁵"),
        (9.6e-7, "1 × 10⁻⁶"),
        (0.02, "0.020"),
        (1, "1.0"),
        (9.94, "9.9"),
        (9.97, "9.97"),
        (1234, "1,230"),
        (99_400, "99,400"),
        (99_960, "100,000"),
        (123_456, "1 × 10⁵"),
        (9.7e11, "1 × 10¹²"),
    ],
)
def test_counts_are_written_legibly(js, value: float, text: str) -> None:
    assert js(f"formatCount({math.log(value)!r})") == text


def test_counts_beyond_any_number_are_written_too(js) -> None:
    assert js("formatCount(5000)").startswith("3 × 10²¹⁷¹")
    assert js("formatCount(-5000)").endswith("⁻²¹⁷²")
    assert js("formatCount(-Infinity)") == "0"


@pytest.mark.parametrize("off", [0.0, 1e-9, 0.3, -0.3, 20.0, -20.0, -900.0])
@pytest.mark.parametrize("error", [0.0, 1e-6, 0.1, 1.0, math.inf])
def test_the_chart_shows_truth_and_estimate_with_its_band(js, off: float, error: float) -> None:
    shown = "Infinity" if math.isinf(error) else repr(error)
    ours = js(f"estimateRange(35.2, {35.2 + off!r}, {shown})")
    band = 0 if math.isinf(error) else 2 * error

    assert ours["least"] < min(35.2, 35.2 + off - band / 2)
    assert ours["most"] > max(35.2, 35.2 + off + (band / 2 if off >= 0 else 0))
    assert ours["most"] - ours["least"] < 10 * max(abs(off), band, 0.1)


@pytest.mark.parametrize("least", [-1e6, -123.4, -0.07, 0.0, 35.2])
@pytest.mark.parametrize("width", [0.1, 1.0, 37.0, 1e5])
def test_ticks_lie_within_and_are_not_many(js, least: float, width: float) -> None:
    ticks = js(f"ticksOf({{ least: {least}, most: {least + width} }}, 5)")
    values = [tick["value"] for tick in ticks]

    assert 1 <= len(ticks) <= 6
    assert all(least - 1e-6 * width <= value <= least + width * (1 + 1e-6) for value in values)
    texts = [tick["text"].replace("−", "-") for tick in ticks]
    assert [float(text) for text in texts] == pytest.approx(values, rel=1e-9, abs=1e-9)
    assert len(set(texts)) == len(texts)
