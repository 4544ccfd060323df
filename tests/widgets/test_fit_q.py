"""Fit q by hand: the page's numbers against PyTorch's, by other quadratures than its own."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

from tests.javascript import evaluator
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.widgets import FitQ
from vaelab.widgets.fit_q import fits
from vaelab.widgets.fit_q.targets import TARGETS, Target, best_fit, elbo, place

CLOSE = {"rel": 1e-5, "abs": 1e-5}
NAMES = list(TARGETS)


@pytest.fixture(scope="module")
def js():
    evaluate = evaluator("fit_q")
    evaluate("0", recorded=FitQ.recorded())
    return evaluate


def in_page(name: str) -> str:
    return f"createTarget(recorded.targets.{name})"


def some_qs(count: int = 12, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [
        {
            "mean": rng.uniform(-2, 2, 2).tolist(),
            "scale": (0.15 * 6 ** rng.uniform(size=2)).tolist(),
            "angle": float(rng.uniform(-1.5, 1.5)),
        }
        for _ in range(count)
    ]


EXTREME = [
    {"mean": [m1, m2], "scale": [s1, s2], "angle": angle}
    for m1, m2 in [(-4, -4), (4, -4), (0, 0), (4, 4)]
    for s1, s2 in [(0.05, 0.05), (3, 3), (0.05, 3), (3, 0.05)]
    for angle in (-math.pi / 2, 0, 0.7)
]


def tensors(q: dict) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return tuple(torch.tensor(q[key], dtype=torch.float64) for key in ("mean", "scale", "angle"))


def plane(reach: float = 9.0, step: float = 0.02) -> tuple[torch.Tensor, float]:
    line = torch.arange(-round(reach / step), round(reach / step) + 1, dtype=torch.float64) * step
    return torch.cartesian_prod(line, line), 2 * math.log(step)


def normal(q: dict) -> MultivariateNormal:
    mean, scale, angle = tensors(q)
    zero = torch.zeros(2, dtype=torch.float64)
    frame = torch.stack([place(zero, scale, angle, row) for row in torch.eye(2).double()], 1)
    return MultivariateNormal(mean, frame @ frame.T)


# The posterior


@pytest.mark.parametrize("name", NAMES)
def test_log_marginal_is_the_integral_over_the_plane(js, name) -> None:
    points, log_cell = plane()
    whole = TARGETS[name].log_joint(points).logsumexp(0).item() + log_cell

    assert js(f"{in_page(name)}.logMarginal") == pytest.approx(whole, **CLOSE)
    assert TARGETS[name].log_marginal() == pytest.approx(whole, **CLOSE)


@pytest.mark.parametrize("name", ["tilted", "modes"])
def test_without_a_bend_it_is_the_linear_gaussians(name) -> None:
    """The sign that is lost changes nothing in p(x)."""
    parts = TARGETS[name]
    weight = torch.tensor([parts.weight], dtype=torch.float64)
    model = LinearGaussian(weight, torch.zeros(1).double(), parts.noise**2)
    exact = model.log_marginal(torch.tensor([[parts.x]], dtype=torch.float64)).item()

    assert parts.log_marginal() == pytest.approx(exact, abs=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_log_joint_and_its_gradient_are_autograds(js, name) -> None:
    rng = np.random.default_rng(0)
    z = torch.tensor(
        np.concatenate([3 * rng.normal(size=(60, 2)), [[0, 0], [50, -40], [1e3, 1e3]]])
    )
    z.requires_grad_()
    log_joint = TARGETS[name].log_joint(z)
    (gradient,) = torch.autograd.grad(log_joint.sum(), z)
    ours = js(
        f"""((t) => z.map(([a, b]) => {{
            const g = [0, 0];
            t.gradient(a, b, g);
            return [t.logJoint(a, b), ...g];
        }}))({in_page(name)})""",
        z=z.tolist(),
    )

    np.testing.assert_allclose([row[0] for row in ours], log_joint.detach(), rtol=1e-9)
    np.testing.assert_allclose([row[1:] for row in ours], gradient, rtol=1e-9, atol=1e-9)


def test_random_models(js) -> None:
    rng = np.random.default_rng(1)
    points, log_cell = plane()
    for _ in range(6):
        parts = Target(
            weight=tuple(rng.normal(size=2).tolist()),
            bend=float(rng.normal() / 2),
            plus=float(rng.uniform(0.1, 1)),
            noise=float(rng.uniform(0.3, 1)),
            x=float(rng.normal()),
        )
        whole = parts.log_joint(points).logsumexp(0).item() + log_cell
        ours = js("logMarginalOf(parts)", parts={**vars(parts), "weight": list(parts.weight)})
        assert ours == pytest.approx(whole, **CLOSE)
        assert parts.log_marginal() == pytest.approx(whole, **CLOSE)


# The gap


@pytest.mark.parametrize("name", NAMES)
def test_gap_is_the_divergence_on_a_grid_of_the_plane(js, name) -> None:
    points, log_cell = plane()
    log_posterior = TARGETS[name].log_joint(points) - TARGETS[name].log_marginal()
    for q in some_qs():
        log_q = normal(q).log_prob(points)
        kl = ((log_q + log_cell).exp() * (log_q - log_posterior)).sum().item()
        ours = js(f"measure({in_page(name)}, q)", q=q)

        assert ours["kl"] == pytest.approx(kl, **CLOSE)
        assert ours["elbo"] == pytest.approx(TARGETS[name].log_marginal() - kl, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_elbo_and_gap_add_up_to_log_marginal_at_the_widgets_limits_too(js, name) -> None:
    log_marginal = TARGETS[name].log_marginal()
    for q in some_qs(6, seed=3) + EXTREME:
        ours = js(f"measure({in_page(name)}, q)", q=q)
        assert ours["elbo"] + ours["kl"] == pytest.approx(log_marginal, rel=1e-9, abs=1e-7)


def assert_value_and_gradient(js, name: str, q: dict, elbo_of) -> None:
    """In means, log scales and angle; `elbo_of` is PyTorch's, of a mean, scales and an angle."""
    mean, scale, angle = tensors(q)
    parameters = (mean.requires_grad_(), scale.log().requires_grad_(), angle.requires_grad_())
    value = elbo_of(parameters[0], parameters[1].exp(), parameters[2])
    expected = torch.cat([g.reshape(-1) for g in torch.autograd.grad(value, parameters)])
    ours = js(
        f"((m) => [m.elbo, gradientInParameters(q, m.gradient)])(measure({in_page(name)}, q))", q=q
    )

    assert ours[0] == pytest.approx(value.item(), **CLOSE)
    largest = expected.abs().max().item()
    np.testing.assert_allclose(ours[1], expected, rtol=1e-5, atol=1e-5 * max(1, largest))


@pytest.mark.parametrize("name", ["banana", "tilted"])
def test_elbo_and_its_gradient_are_autograds(js, name) -> None:
    for q in some_qs() + EXTREME:
        assert_value_and_gradient(js, name, q, lambda *parts: elbo(TARGETS[name], *parts))


def test_with_two_modes_too_on_a_fine_grid_of_the_noise(js) -> None:
    line = torch.arange(-200, 201, dtype=torch.float64) * 0.04
    noise = torch.cartesian_prod(line, line)
    weights = (-noise.square().sum(1) / 2).softmax(0)

    def elbo_of(mean, scale, angle):
        entropy = 1 + math.log(2 * math.pi) + scale.log().sum()
        return weights @ TARGETS["modes"].log_joint(place(mean, scale, angle, noise)) + entropy

    for q in some_qs():
        assert_value_and_gradient(js, "modes", q, elbo_of)


def test_with_two_modes_a_wide_q_is_right_where_nodes_are_few(js) -> None:
    """A line of 40,001 points across the modes, where a rule of few nodes would miss the kink."""
    parts = TARGETS["modes"]
    weight = torch.tensor(parts.weight, dtype=torch.float64)
    line = torch.linspace(-10, 10, 40_001, dtype=torch.float64)
    mass = (-(line**2) / 2).softmax(0)
    log_odds = math.log((1 - parts.plus) / parts.plus)
    constant = math.log(parts.plus / parts.noise) - 1.5 * math.log(2 * math.pi)

    def elbo_of(mean, scale, angle):
        zero = torch.zeros(2, dtype=torch.float64)
        rows = torch.stack([place(zero, scale, angle, row) for row in torch.eye(2).double()])
        covariance = rows.T @ rows
        second = covariance + torch.outer(mean, mean)
        squares = second.trace() + (weight @ second @ weight + parts.x**2) / parts.noise**2
        pull = weight * parts.x / parts.noise**2
        along, deviation = pull @ mean, (pull @ covariance @ pull).sqrt()
        soft = torch.nn.functional.softplus(log_odds - 2 * (along + deviation * line))
        entropy = 1 + math.log(2 * math.pi) + scale.log().sum()
        return constant - squares / 2 + along + mass @ soft + entropy

    for q in some_qs(6) + EXTREME:
        assert_value_and_gradient(js, "modes", q, elbo_of)


# Gradient ascent


CLIMB = """((t) => {
    const ascent = createAscent(t, q, rotated);
    const elbos = [measure(t, q).elbo];
    while (ascent.advance()) elbos.push(measure(t, ascent.q).elbo);
    return { q: ascent.q, steps: ascent.steps, elbos, ...measure(t, ascent.q) };
})"""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rotated", [False, True])
def test_every_step_raises_the_elbo_and_the_last_is_at_rest(js, name, rotated) -> None:
    for q in some_qs(8, seed=5) + EXTREME[::3]:
        q = q if rotated else {**q, "angle": 0.0}
        ours = js(f"{CLIMB}({in_page(name)})", q=q, rotated=rotated)
        gradient = ours["gradient"]
        shape = gradient["shape"] if rotated else gradient["shape"][::2]

        assert np.diff(ours["elbos"]).min() > 0
        assert ours["steps"] < 200
        assert np.abs(shape).max() < 2e-3
        assert np.abs(np.array(gradient["mean"]) * min(ours["q"]["scale"])).max() < 2e-3


@pytest.mark.parametrize("family", ["diagonal", "rotated"])
@pytest.mark.parametrize(
    ("name", "start"),
    [("banana", (0, 1)), ("modes", (1, 0.6)), ("modes", (-1, -0.6)), ("tilted", (0, 0))],
)
def test_it_comes_to_where_pytorchs_optimiser_comes(js, name, start, family) -> None:
    q = {"mean": start, "scale": [0.4, 0.6], "angle": 0.0}
    ours = js(f"{CLIMB}({in_page(name)})", q=q, rotated=family == "rotated")
    best = best_fit(TARGETS[name], family, start)

    assert ours["kl"] == pytest.approx(best.gap, abs=1e-4)
    np.testing.assert_allclose(ours["q"]["mean"], best.mean, atol=0.02)
    np.testing.assert_allclose(sorted(ours["q"]["scale"]), sorted(best.scale), atol=0.02)


def test_what_there_is_to_notice(js) -> None:
    """The fainter mode holds it, at the price of the other; a bend is not to be had."""
    start = {"mean": [-1, -0.6], "scale": [0.4, 0.6], "angle": 0.0}
    faint = js(f"{CLIMB}({in_page('modes')})", q=start, rotated=True)
    assert faint["kl"] == pytest.approx(-math.log(0.3), abs=1e-3)
    weights = f"logWeightsOf({in_page('modes')}, q, standardNormal(0, 2 * BOUND_DRAWS))"
    bound = js(f"iwaeBound({weights}, 64)", q=faint["q"])
    assert TARGETS["modes"].log_marginal() - bound["bound"] > 1

    start = {"mean": [0, 1], "scale": [0.5, 0.5], "angle": 0.0}
    diagonal, rotated = (
        js(f"{CLIMB}({in_page('banana')})", q=start, rotated=r)["kl"] for r in (False, True)
    )
    assert 0.5 < rotated < diagonal < 0.8
    exact = js(f"{CLIMB}({in_page('tilted')})", q=start, rotated=True)["kl"]
    assert exact < 1e-4


# The bound of K draws


@pytest.mark.parametrize("name", NAMES)
def test_bound_and_standard_error_of_given_draws(js, name) -> None:
    rng = np.random.default_rng(7)
    noise = torch.tensor(rng.normal(size=(640, 2)))
    for q in some_qs(4) + EXTREME[:6]:
        mean, scale, angle = tensors(q)
        z = place(mean, scale, angle, noise)
        log_q = -(noise.square().sum(1) / 2) - math.log(2 * math.pi) - scale.log().sum()
        log_weights = TARGETS[name].log_joint(z) - log_q
        ours = js(
            f"((w) => [w, ...[1, 8, 64].map((k) => iwaeBound(w, k))])"
            f"(logWeightsOf({in_page(name)}, q, noise))",
            q=q,
            noise=noise.flatten().tolist(),
        )
        np.testing.assert_allclose(ours[0], log_weights, rtol=1e-8, atol=1e-8)
        for answer in ours[1:]:
            k = answer["k"]
            values = log_weights.reshape(-1, k).logsumexp(1) - math.log(k)
            assert answer["bound"] == pytest.approx(values.mean().item(), **CLOSE)
            error = values.std().item() / math.sqrt(len(values))
            assert answer["error"] == pytest.approx(error, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_bounds_rise_from_elbo_towards_log_marginal(js, name) -> None:
    for q in some_qs(4, seed=2):
        elbo_, bounds = js(
            f"""((t) => {{
                const w = logWeightsOf(t, q, standardNormal(BOUND_SEED, 2 * BOUND_DRAWS));
                return [measure(t, q).elbo, BOUND_KS.map((k) => iwaeBound(w, k))];
            }})({in_page(name)})""",
            q=q,
        )
        assert abs(bounds[0]["bound"] - elbo_) < 5 * bounds[0]["error"]
        values = [bound["bound"] for bound in bounds]
        assert values == sorted(values)  # groups of the same draws: Jensen, exactly
        assert values[-1] < TARGETS[name].log_marginal() + 5 * bounds[-1]["error"]


def test_nothing_is_infinite_within_the_limits(js) -> None:
    for name in NAMES:
        for q in EXTREME:
            text = js(
                f"""((t) => {{
                    const w = logWeightsOf(t, q, standardNormal(BOUND_SEED, 2 * BOUND_DRAWS));
                    const bounds = BOUND_KS.map((k) => iwaeBound(w, k));
                    return JSON.stringify([measure(t, q), bounds], plain);
                }})({in_page(name)})""",
                q=q,
            )
            assert "NaN" not in text
            assert "Infinity" not in text


# Without JavaScript


def test_fallback_has_real_numbers() -> None:
    text = FitQ.fallback_html()
    by_words = {words: row for words, *row in fits()}

    for log_marginal, prior, best in by_words.values():
        shown = f"{log_marginal:.3f}".replace("-", "\N{MINUS SIGN}")
        assert f"<td>{shown}</td><td>{prior:.3f}</td><td>{abs(best):.3f}</td>" in text
    assert by_words["two modes, from the fainter"][2] == pytest.approx(-math.log(0.3), abs=1e-3)
    assert by_words["tilted, rotation allowed"][2] == pytest.approx(0, abs=1e-6)
