"""The same gradient both ways: the page's numbers against PyTorch's, by draw and on average."""

import math

import numpy as np
import pytest
import torch

from tests.javascript import evaluator
from vaelab.estimators.gradients import reparameterised_gradients, score_function_gradients
from vaelab.widgets import Reparameterisation
from vaelab.widgets.reparameterisation import BASELINES, DRAWS, PARAMETERS, table
from vaelab.widgets.reparameterisation.targets import TARGETS, Target, mean_gradient

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
NAMES = list(TARGETS)
WAYS = ("reparameterised", "score")
QS = [(0.0, 0.5), (0.9, 0.5), (-0.7, 1.0), (0.3, 0.1), (1.6, 2.0)]
EXTREME = [(mean, scale) for mean in (-3.0, 0.0, 3.0) for scale in (0.05, 3.0)]


@pytest.fixture(scope="module")
def js():
    evaluate = evaluator("reparameterisation")
    evaluate("0", recorded=Reparameterisation.recorded())
    return evaluate


def in_page(name: str) -> str:
    return f"createTarget(recorded.targets.{name})"


def some_noise(count: int, seed: int = 0) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).normal(size=count))


def drawn(js, name: str, q: tuple, noise: torch.Tensor, constant=0.0, baseline="none") -> dict:
    return js(
        f"drawGradients({in_page(name)}, q, Float64Array.from(noise), options)",
        q=dict(zip(("mean", "scale"), q, strict=True)),
        noise=noise.tolist(),
        options={"constant": constant, "baseline": baseline},
    )


def exact(js, name: str, q: tuple, constant=0.0, baseline="none", draws=8) -> dict:
    return js(
        f"((m) => ({{ 'mean': m.mean, 'log-scale': m['log-scale'] }}))"
        f"(exactMoments({in_page(name)}, q, options))",
        q=dict(zip(("mean", "scale"), q, strict=True)),
        options={"constant": constant, "baseline": baseline, "draws": draws},
    )


def sampled(js, name: str, q: tuple, steps: int, seed: int = 0, **options) -> dict:
    options = {"constant": 0.0, "baseline": "none", "draws": 8, "seed": seed} | options
    return js(
        f"""((sampler) => {{
            while (sampler.tally.count < {steps}) sampler.advance({steps});
            return Object.fromEntries(WAYS.map((way) => [way, Object.fromEntries(
                PARAMETERS.map((parameter) => {{
                    const own = sampler.running[way][parameter];
                    return [parameter, {{ mean: own.mean, error: errorOf(own),
                        variance: varianceOf(own), trace: sampler.traceOf(way, parameter) }}];
                }}))]));
        }})(createSampler({in_page(name)}, q, options))""",
        q=dict(zip(("mean", "scale"), q, strict=True)),
        options=options,
    )


def fine_grid(q: tuple) -> tuple[torch.Tensor, torch.Tensor]:
    """Another rule than the page's: 24,001 points, ten deviations each way."""
    noise = torch.linspace(-10, 10, 24_001, dtype=torch.float64)
    return noise, (-noise.square() / 2).softmax(0)


# f


@pytest.mark.parametrize("name", NAMES)
def test_log_joint_and_its_slope_are_autograds(js, name) -> None:
    z = torch.cat([3 * some_noise(80), torch.tensor([0.0, -12, 12, 1e3, -1e3])]).requires_grad_()
    value = TARGETS[name].log_joint(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    ours = js(
        f"((t) => z.map((at) => [t.logJoint(at), t.slope(at)]))({in_page(name)})", z=z.tolist()
    )

    np.testing.assert_allclose([row[0] for row in ours], value.detach(), rtol=1e-9)
    np.testing.assert_allclose([row[1] for row in ours], slope, rtol=1e-9, atol=1e-9)


def test_random_models(js) -> None:
    rng = np.random.default_rng(1)
    for _ in range(8):
        parts = Target(
            weight=float(rng.normal()),
            wave=float(rng.normal()),
            frequency=float(rng.uniform(0, 5)),
            plus=float(rng.uniform(0.05, 1)),
            noise=float(rng.uniform(0.2, 1)),
            x=float(rng.normal()),
        )
        z = (2 * some_noise(20)).requires_grad_()
        value = parts.log_joint(z)
        (slope,) = torch.autograd.grad(value.sum(), z)
        ours = js(
            "((t) => z.map((at) => [t.logJoint(at), t.slope(at)]))(createTarget(parts))",
            z=z.tolist(),
            parts=vars(parts),
        )
        np.testing.assert_allclose(
            ours, torch.stack([value.detach(), slope], 1), rtol=1e-9, atol=1e-9
        )


# Draw by draw


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("baseline", BASELINES)
def test_gradients_of_each_draw_are_vaelabs(js, name, baseline) -> None:
    """vaelab's are of E[f] in the log variance, of which the log scale is half."""
    for constant in (0.0, -50.0, 17.5):
        for q in QS + EXTREME:
            noise = some_noise(16, seed=3)
            at = (
                lambda z: TARGETS[name].log_joint(z).sum(-1) + constant,  # noqa: B023
                torch.tensor([[q[0]]], dtype=torch.float64),
                torch.tensor([[2 * math.log(q[1])]], dtype=torch.float64),
                noise[:, None, None],
            )
            named = None if baseline == "none" else baseline
            expected = {
                "reparameterised": reparameterised_gradients(*at),
                "score": score_function_gradients(*at, baseline=named),
            }
            ours = drawn(js, name, q, noise, constant, baseline)
            for way, (by_mean, by_log_var) in expected.items():
                by_log_scale = 2 * by_log_var.flatten() + 1  # 1: the entropy's
                np.testing.assert_allclose(ours[way]["mean"], by_mean.flatten(), **CLOSE)
                np.testing.assert_allclose(ours[way]["log-scale"], by_log_scale, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_the_average_of_the_reparameterised_is_autograds_through_the_sampled_elbo(js, name) -> None:
    for q in QS:
        mean = torch.tensor(q[0], dtype=torch.float64, requires_grad=True)
        log_scale = torch.tensor(math.log(q[1]), dtype=torch.float64, requires_grad=True)
        noise = some_noise(8)
        elbo = TARGETS[name].log_joint(mean + log_scale.exp() * noise).mean() + log_scale
        expected = torch.autograd.grad(elbo, (mean, log_scale))
        ours = drawn(js, name, q, noise)["reparameterised"]
        for parameter, gradient in zip(PARAMETERS, expected, strict=True):
            np.testing.assert_allclose(np.mean(ours[parameter]), gradient, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_leaves_the_reparameterised_as_it_is_to_the_last_bit(js, name) -> None:
    noise = some_noise(32)
    plain, moved = (drawn(js, name, (0.2, 0.7), noise, constant) for constant in (0.0, 50.0))

    assert plain["reparameterised"] == moved["reparameterised"]
    assert plain["score"] != moved["score"]
    np.testing.assert_allclose(np.subtract(moved["values"], plain["values"]), 50)


# Exact moments


@pytest.mark.parametrize("name", NAMES)
def test_the_exact_gradient_is_autograds_through_a_fine_grid(js, name) -> None:
    for q in QS + EXTREME:
        mean = torch.tensor(q[0], dtype=torch.float64, requires_grad=True)
        log_scale = torch.tensor(math.log(q[1]), dtype=torch.float64, requires_grad=True)
        noise, weights = fine_grid(q)
        elbo = weights @ TARGETS[name].log_joint(mean + log_scale.exp() * noise) + log_scale
        expected = torch.autograd.grad(elbo, (mean, log_scale))
        ours = exact(js, name, q)
        for parameter, gradient in zip(PARAMETERS, expected, strict=True):
            np.testing.assert_allclose(ours[parameter]["gradient"], gradient, **CLOSE)


def test_with_a_linear_decoder_gradient_and_variances_have_closed_forms(js) -> None:
    """f' = a - b z is a line: its moments, and those of a quadratic f, by hand."""
    parts = TARGETS["linear"]
    a = parts.weight * parts.x / parts.noise**2
    b = 1 + parts.weight**2 / parts.noise**2
    top = parts.log_joint(torch.zeros((), dtype=torch.float64)).item()
    for mean, scale in QS + EXTREME:
        slope = a - b * mean
        for constant in (0.0, 30.0):
            ours = exact(js, "linear", (mean, scale), constant, draws=4)
            # f = level + linear e - square e^2, and the score of the mean is e / scale.
            level = top + constant + a * mean - b * mean**2 / 2
            linear, square = slope * scale, b * scale**2 / 2
            second = level**2 + 3 * (linear**2 - 2 * level * square) + 15 * square**2
            score = second / scale**2 - slope**2
            assert ours["mean"]["gradient"] == pytest.approx(slope, rel=1e-9, abs=1e-9)
            assert ours["mean"]["reparameterised"]["variance"] == pytest.approx(b**2 * scale**2 / 4)
            assert ours["mean"]["score"]["variance"] == pytest.approx(score / 4, rel=1e-8)
            log_scale = ours["log-scale"]
            assert log_scale["gradient"] == pytest.approx(1 - b * scale**2, rel=1e-9)
            path = slope**2 * scale**2 + 2 * b**2 * scale**4
            assert log_scale["reparameterised"]["variance"] == pytest.approx(path / 4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("baseline", BASELINES)
def test_exact_variances_are_those_of_all_pairs_of_draws(js, name, baseline) -> None:
    """With K = 2 the expectation over both draws is a double sum: no formula of moments."""
    for constant, q in [(0.0, (0.3, 0.4)), (-20.0, (-0.7, 1.0)), (50.0, (1.0, 0.1))]:
        noise = torch.linspace(-8, 8, 801, dtype=torch.float64)
        weights = (-noise.square() / 2).softmax(0)
        value = TARGETS[name].log_joint(q[0] + q[1] * noise) + constant
        first, second = value[:, None], value[None]
        shift = {"none": 0, "batch-mean": (first + second) / 2, "leave-one-out": None}[baseline]
        parts = (
            (first - second, second - first) if shift is None else (first - shift, second - shift)
        )
        for parameter, score, entropy in [
            ("mean", noise / q[1], 0),
            ("log-scale", noise.square() - 1, 1),
        ]:
            estimate = (parts[0] * score[:, None] + parts[1] * score[None]) / 2 + entropy
            mean = weights @ estimate @ weights
            variance = weights @ (estimate - mean).square() @ weights
            ours = exact(js, name, q, constant, baseline, draws=2)[parameter]["score"]
            np.testing.assert_allclose(ours["mean"], mean, **CLOSE)
            np.testing.assert_allclose(ours["variance"], variance, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_pythons_table_is_the_pages(js, name) -> None:
    for q in QS:
        for constant in (0.0, 50.0):
            theirs = mean_gradient(TARGETS[name], *q, constant=constant)
            plain = exact(js, name, q, constant)["mean"]
            loo = exact(js, name, q, constant, "leave-one-out")["mean"]
            ours = (
                plain["gradient"],
                plain["reparameterised"]["variance"],
                plain["score"]["variance"],
                loo["score"]["variance"],
            )
            expected = (theirs.exact, theirs.reparameterised, theirs.score, theirs.leave_one_out)
            np.testing.assert_allclose(ours, expected, **CLOSE)


# Steps


def step_estimates(
    name: str, q: tuple, noise: torch.Tensor, constant: float, baseline: str
) -> dict:
    """Of noise (steps, K): what each step estimates, (steps,), by way and parameter."""
    draws = noise.shape[1]
    z = (q[0] + q[1] * noise).requires_grad_()
    value = TARGETS[name].log_joint(z) + constant
    (slope,) = torch.autograd.grad(value.sum(), z)
    value = value.detach()
    others = (value.sum(1, keepdim=True) - value) / (draws - 1)
    weight = {
        "none": value,
        "batch-mean": value - value.mean(1, keepdim=True),
        "leave-one-out": value - others,
    }[baseline]
    each = {
        ("reparameterised", "mean"): slope,
        ("reparameterised", "log-scale"): slope * q[1] * noise + 1,
        ("score", "mean"): weight * noise / q[1],
        ("score", "log-scale"): weight * (noise.square() - 1) + 1,
    }
    return {key: gradients.mean(1).numpy() for key, gradients in each.items()}


@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("baseline", BASELINES)
def test_running_averages_and_variances_are_of_the_same_draws(js, draws, baseline) -> None:
    q, steps, constant = (0.4, 0.8), 203, 5.0
    options = {"draws": draws, "baseline": baseline, "constant": constant}
    ours = sampled(js, "modes", q, steps, seed=7, **options)
    noise = torch.tensor(js(f"standardNormal(7, {steps * draws})"), dtype=torch.float64)
    expected = step_estimates("modes", q, noise.reshape(steps, draws), constant, baseline)
    for (way, parameter), estimates in expected.items():
        own = ours[way][parameter]
        np.testing.assert_allclose(own["mean"], estimates.mean(), **CLOSE)
        np.testing.assert_allclose(own["variance"], estimates.var(ddof=1), **CLOSE)
        error = estimates.std(ddof=1) / math.sqrt(steps)
        np.testing.assert_allclose(own["error"], error, **CLOSE)
        trace = own["trace"]
        assert trace["counts"] == sorted({1, *trace["counts"], steps})
        for count, mean in zip(trace["counts"], trace["means"], strict=True):
            np.testing.assert_allclose(mean, estimates[:count].mean(), **CLOSE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("constant", [0.0, 50.0])
def test_averages_and_variances_are_the_exact_ones_within_five_standard_errors(
    js, name, baseline, constant
) -> None:
    q, steps, draws = (0.0, 0.5), 10_000, 8
    options = {"baseline": baseline, "constant": constant}
    ours = sampled(js, name, q, steps, **options)
    truth = exact(js, name, q, **options)
    noise = torch.tensor(js(f"standardNormal(0, {steps * draws})"), dtype=torch.float64)
    each = step_estimates(name, q, noise.reshape(steps, draws), constant, baseline)
    for (way, parameter), estimates in each.items():
        own, at = ours[way][parameter], truth[parameter]
        # The batch mean's is short of the gradient, as another test says.
        aim = at["gradient"] if baseline != "batch-mean" else at[way]["mean"]
        assert abs(own["mean"] - aim) < 5 * own["error"]
        squares = (estimates - estimates.mean()) ** 2
        error = squares.std(ddof=1) / math.sqrt(steps)  # of the variance: tails are long
        assert abs(own["variance"] - at[way]["variance"]) < 5 * error


def test_the_batch_means_average_is_short_by_its_own_share(js) -> None:
    options = {"baseline": "batch-mean", "draws": 4}
    own = sampled(js, "linear", (0.0, 0.5), 10_000, **options)["score"]["mean"]
    truth = exact(js, "linear", (0.0, 0.5), **options)["mean"]

    assert truth["score"]["mean"] == pytest.approx(0.75 * truth["gradient"])
    assert abs(own["mean"] - 0.75 * truth["gradient"]) < 5 * own["error"]
    assert abs(own["mean"] - truth["gradient"]) > 20 * own["error"]


# What there is to notice


def ratio(js, name: str, q: tuple, **options) -> float:
    at = exact(js, name, q, **options)["mean"]
    return at["score"]["variance"] / at["reparameterised"]["variance"]


def test_a_constant_makes_the_score_function_noisier_unless_there_is_a_baseline(js) -> None:
    q = (0.0, 0.5)
    plain = [ratio(js, "linear", q, constant=c) for c in (0.0, 10.0, 20.0, 50.0)]
    assert plain == sorted(plain)
    assert plain[0] > 20
    assert plain[-1] > 2000
    for baseline in ("batch-mean", "leave-one-out"):
        baselined = [ratio(js, "linear", q, constant=c, baseline=baseline) for c in (0.0, 50.0)]
        assert baselined[0] == pytest.approx(baselined[1])
        assert 1 < baselined[0] < plain[0]
    # The baseline is a constant chosen well: no more than the best of them.
    best = min(ratio(js, "linear", q, constant=float(c)) for c in range(-50, 51))
    assert best < plain[0] / 3


def test_between_two_modes_the_score_function_is_the_quieter(js) -> None:
    """No law says that reparameterising pays: where slopes disagree and f hardly changes, not."""
    assert ratio(js, "modes", (0.0, 0.5), baseline="leave-one-out") < 0.6
    assert ratio(js, "modes", (1.0, 0.5), baseline="leave-one-out") > 1.5


# At the limits, and without JavaScript


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_infinite_within_the_limits(js, name) -> None:
    for q in EXTREME:
        for baseline in BASELINES:
            for constant in (-50.0, 50.0):
                options = {"constant": constant, "baseline": baseline, "draws": 2}
                moments = exact(js, name, q, **options)
                ours = sampled(js, name, q, 300, **options)
                found = [
                    moments[p][way][key]
                    for p in PARAMETERS
                    for way in WAYS
                    for key in ("mean", "variance", "deviation")
                ]
                found += [
                    ours[way][p][key]
                    for p in PARAMETERS
                    for way in WAYS
                    for key in ("mean", "variance", "error")
                ]
                assert np.isfinite(np.array(found, dtype=float)).all()
                assert min(moments[p][way]["variance"] for p in PARAMETERS for way in WAYS) > 0


def test_fallback_has_real_numbers() -> None:
    text = Reparameterisation.fallback_html()
    for _, plain, shifted in table():
        cells = (
            f"<td>{plain.exact:.2f}</td><td>{plain.reparameterised:.2f}</td>"
            f"<td>{plain.score:,.1f}</td><td>{shifted.score:,.0f}</td>"
            f"<td>{plain.leave_one_out:.2f}</td>"
        )
        assert cells in text
        assert shifted.exact == plain.exact
        assert shifted.reparameterised == plain.reparameterised
        assert shifted.score > 50 * plain.score
