"""The lab where it is hard: sharp decoders, huge rates, no points; its worker; what is drawn."""

import json

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from tests.javascript import evaluator
from tests.widgets.lab_in_v8 import SETTINGS, start, train
from vaelab.widgets import VAELab
from vaelab.widgets.vae_lab.experiments import EXPERIMENTS
from vaelab.widgets.vae_lab.in_pytorch import DEFAULTS, Lab
from vaelab.widgets.vae_lab.presets import MOST_DRAWN, PRESETS, drawing_text, preset


@pytest.fixture(scope="module")
def page():
    return evaluator("vae_lab")


# Honesty of the lattice


def test_a_coarse_lattice_is_refined_until_it_resolves_the_noise(page) -> None:
    lab = Lab({"noise": 0.05})
    options = start(page, lab)
    train(page, options, 300)

    coarse = page("mean(quadratureLogMarginal(t.vae, t.x, 5, 0.2).change)")
    refined = page(
        "(({ lattice, error }) => [lattice.step, error])(refinedLogMarginal(t.vae, t.x))"
    )

    assert coarse > 0.05
    assert refined[0] < 0.2
    assert refined[1] < 0.05


def test_what_no_affordable_lattice_resolves_is_reported(page) -> None:
    """Decoders far sharper than any that training reaches here: an error in place of silence."""
    start(page, Lab({}))
    error = page(
        "(() => { t.vae.values.subarray(t.split).forEach((v, i, all) => (all[i] = 60 * v));"
        " t.vae.noiseLogVar[0] = 2 * Math.log(0.05);"
        " return refinedLogMarginal(t.vae, t.x).error; })()"
    )

    assert float(error) > 0.05


# Extreme settings


@pytest.mark.parametrize("rate", [1.0, 50.0])
@pytest.mark.parametrize("settings", SETTINGS)
def test_a_huge_rate_never_leaves_a_number_that_is_none(page, rate: float, settings: dict) -> None:
    options = start(page, Lab(settings))
    train(page, {**options, "rate": rate, "beta": 8.0}, 150)

    outcome = page("snapshot(t, true)")

    assert np.isfinite(np.array(outcome["values"], float)).all()
    found = outcome["figures"]
    for name in ("reconstruction", "rate", "elbo", "logMarginal", "gap", "noise"):
        assert np.isfinite(float(found[name])), name


def test_divergence_is_said_and_another_start_recovers(page) -> None:
    answers = page(
        """(() => {
            const answer = createTrainer();
            const start = { points: [0, 1, 1, 0, 2, -1], latentDim: 2, seed: 0, noise: 0.05 };
            const options = { beta: 1, rate: 1e6, part: "both", learnNoise: false, noise: 0.05 };
            return [
                answer({ id: 1, start, options, count: 50, figures: true }),
                answer({ id: 1, options, count: 50 }),
                answer({ id: 2, start, options: { ...options, rate: 0.01 }, count: 50 }),
            ];
        })()"""
    )

    assert answers[0]["diverged"]
    assert answers[1]["step"] == answers[0]["step"]  # it stands still
    assert np.isfinite(np.array(answers[0]["values"], float)).all()
    assert not answers[2]["diverged"]
    assert answers[2]["step"] == 50


def test_no_points_and_one_point(page) -> None:
    none, one = page(
        """(() => {
            const options = { beta: 1, rate: 0.01, part: "both", learnNoise: true, noise: 0.2 };
            const start = (points) => ({ points, latentDim: 2, seed: 0, noise: 0.2 });
            const answer = createTrainer();
            return [[], [0.5, 0.5]].map((points) =>
                answer({ id: 1, start: start(points), options, count: 20, figures: true }));
        })()"""
    )

    assert none["step"] == 0
    assert none["figures"] is None
    assert one["step"] == 20
    assert np.isfinite(one["figures"]["elbo"])


def test_learnt_noise_stays_where_a_lattice_can_follow(page) -> None:
    options = start(page, Lab({"dataset": "ring", "noise_mode": "learnt", "beta": 0.0}))
    train(page, {**options, "rate": 0.3}, 60)

    assert 0.05 - 1e-12 <= page("Math.exp(t.vae.noiseLogVar[0] / 2)") <= 2 + 1e-12


# The worker


def test_the_workers_script_stands_alone(page) -> None:
    """In an engine that has nothing but it; the same answer as the page's own functions."""
    alone = MiniRacer()
    alone.eval(page("workerSource()"))
    request = {
        "id": 1,
        "start": {
            "points": preset("moons").ravel().tolist(),
            "latentDim": 2,
            "seed": 4,
            "noise": 0.2,
        },
        "options": {"beta": 1, "rate": 0.01, "part": "both", "learnNoise": True, "noise": 0.2},
        "count": 5,
        "figures": True,
    }
    brief = "(({ values, figures }) => [Array.from(values), figures.elbo, figures.logMarginal])"

    theirs = json.loads(alone.eval(f"JSON.stringify({brief}(answer({json.dumps(request)})))"))
    ours = page(f"{brief}(createTrainer()(request))", request=request)

    assert theirs == ours


# What is drawn


def test_the_density_is_the_exponential_of_log_p(page) -> None:
    lab = Lab({"dataset": "ring", "noise": 0.5})
    options = start(page, lab)
    train(page, options, 100)
    density = np.array(page("modelDensity(t.vae)")).reshape(72, 72)
    middles = (np.arange(72) + 0.5) / 72 * 6 - 3

    rows, columns = [20, 36, 50], [15, 36, 40]
    points = [[middles[c], -middles[r]] for r in rows for c in columns]
    exact = page(
        "quadratureLogMarginal(t.vae, Float64Array.from(p), 7, 0.1).logMarginal",
        p=np.ravel(points).tolist(),
    )

    drawn = [density[r, c] for r in rows for c in columns]
    np.testing.assert_allclose(drawn, np.exp(exact), rtol=0.06, atol=0.002)


def test_one_latents_posterior_and_aggregate_are_densities(page) -> None:
    options = start(page, Lab({"latent_dim": 1}))
    train(page, options, 50)
    areas = page(
        """(() => {
            const axis = evenAxis(9, 0.01);
            const area = (values) => values.reduce((a, b) => a + b, 0) * (axis[1] - axis[0]);
            const codes = encodeAll(t.vae, t.x).output;
            const posterior = posteriorDensity(t.vae, t.x.subarray(0, 2), axis);
            return [posterior, aggregate(codes, axis)].map(area);
        })()"""
    )

    assert areas == pytest.approx([1, 1], abs=1e-6)


def test_a_drawing_is_read_back(page) -> None:
    points = np.random.default_rng(0).uniform(-3, 3, (MOST_DRAWN, 2))
    text = drawing_text(points)

    read = np.array(page("readPoints(text)", text=text)).reshape(-1, 2)
    written = page("writePoints(Float64Array.from(p))", p=points.ravel().tolist())

    assert written == text
    assert np.abs(read - points).max() <= 3 / 512 + 1e-12
    assert page("writePoints(readPoints(text))", text=text) == text
    assert page("readPoints('~')") == []
    assert page("writePoints(Float64Array.from([9, -9]))") == "~_4A"


def test_history_keeps_its_ends_when_it_is_thinned(page) -> None:
    steps = page(
        """(() => {
            const history = createHistory();
            for (let i = 0; i < 2000; i++) history.add(i, { elbo: -i });
            return history.entries().map(({ step }) => step);
        })()"""
    )

    assert len(steps) <= 500
    assert (steps[0], steps[-1]) == (0, 1999)
    assert steps == sorted(steps)


@pytest.mark.parametrize(("spread", "least"), [(0.5, 3.5), (6.0, 5.0), (1e3, 60.0)])
def test_the_latent_plane_holds_the_codes(page, spread: float, least: float) -> None:
    codes = np.concatenate(
        [np.random.default_rng(0).normal(0, spread, (50, 2)), np.zeros((50, 2))], 1
    )
    reach = page("latentReach(Float64Array.from(codes), 2)", codes=codes.ravel().tolist())

    assert reach >= least
    assert reach <= 60


# Settings that the page and PyTorch must share


def test_the_experiments_settings_are_the_widgets(page) -> None:
    traits = {name: trait.default_value for name, trait in VAELab.class_traits().items()}
    assert all(traits[name] == value for name, value in DEFAULTS.items())
    for experiment in EXPERIMENTS:
        for variant in experiment.variants:
            VAELab(**variant.settings)  # all are allowed
            assert all(part in ("both", "encoder", "decoder") for part, _ in variant.phases)
    assert page("[HIDDEN, LEAST_NOISE, MOST_NOISE]") == [24, 0.05, 2]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_fill_the_plane(name: str) -> None:
    points = preset(name)

    assert points.shape == (200, 2)
    assert np.abs(points).max() < 3
    assert 0.5 < points.std(0).min() < 1.6
