"""The ELBO's derivation: the page's numbers against closed forms, PyTorch and SciPy."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.distributions import Normal, kl_divergence

from tests.javascript import evaluator
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.widgets import ElboStepper
from vaelab.widgets.elbo_stepper import DEFAULT_MEAN, DEFAULT_SCALE, STEPS, lines
from vaelab.widgets.elbo_stepper.models import (
    LEAST_SCALE,
    LINEAR,
    MODELS,
    MOST_MEAN,
    MOST_SCALE,
    digit_image,
    digit_vae,
    encoder_q,
    model_and_x,
    terms,
)

CLOSE = {"rel": 1e-5, "abs": 1e-5}
SHARED = ("reconstruction", "log_prior", "log_posterior", "log_q", "log_marginal")


@pytest.fixture(scope="module")
def js():
    evaluate = evaluator("elbo_stepper")
    evaluate("0", recorded=ElboStepper.recorded())
    evaluate("globalThis.models = {}, 0")
    evaluate("models.digit = createDigit(recorded.digit), 0")
    evaluate("models.linear = createLinear(recorded.linear), 0")
    return evaluate


def in_page(js, name: str, mean: float, scale: float) -> dict[str, float]:
    return js(f"termsOf(models.{name}, q)", q={"mean": mean, "scale": scale})


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def some_qs(count: int = 8, seed: int = 0) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    inside = [
        (float(rng.uniform(-MOST_MEAN, MOST_MEAN)), float(0.05 * 40 ** rng.uniform()))
        for _ in range(count)
    ]
    corners = [(m, s) for m in (-MOST_MEAN, MOST_MEAN) for s in (LEAST_SCALE, MOST_SCALE)]
    return [*inside, *corners, encoder_q(), (DEFAULT_MEAN, DEFAULT_SCALE), (0.0, 1.0)]


@pytest.mark.parametrize("name", MODELS)
def test_log_p_x_is_that_of_exact_inference(js, name) -> None:
    model, x = model_and_x(name)
    if name == "linear":
        truth = model.log_marginal(x).item()
    else:
        truth = quadrature_log_marginal(x, model.log_likelihood, 1, step=0.005).log_marginal.item()

    assert js(f"models.{name}.logMarginal") == pytest.approx(truth, rel=0, abs=1e-10)


def test_the_digit_is_the_chapters(js) -> None:
    z = torch.linspace(-6, 6, 49, dtype=torch.float64)[:, None]
    with torch.no_grad():
        expected = digit_vae().log_likelihood(digit_image(), z[:, None])[:, 0]

    found = js("zs.map((z) => models.digit.logLikelihood(z))", zs=z[:, 0].tolist())

    assert found == pytest.approx(expected.tolist(), rel=1e-12)
    assert in_page(js, "digit", *encoder_q())["reconstruction"] == pytest.approx(-26.1725, abs=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_terms_are_pythons(js, name) -> None:
    for mean, scale in some_qs():
        found, expected = in_page(js, name, mean, scale), terms(name, mean, scale)
        for key in SHARED:
            assert found[camel(key)] == pytest.approx(getattr(expected, key), **CLOSE)


def test_the_linear_models_terms_are_scipys(js) -> None:
    weight, noise, x = LINEAR["weight"], LINEAR["noise"], LINEAR["x"]

    def log_normal(value, mean, deviation):
        return stats.norm.logpdf(value, mean, deviation)

    for mean, scale in some_qs(3):

        def average(f, mean=mean, scale=scale):
            ends = (mean - 12 * scale, mean + 12 * scale)
            return integrate.quad(
                lambda z: stats.norm.pdf(z, mean, scale) * f(z), *ends, epsabs=1e-7, epsrel=1e-7
            )[0]

        found = in_page(js, "linear", mean, scale)
        reconstruction = average(lambda z: log_normal(x, weight * z, noise))
        assert found["reconstruction"] == pytest.approx(reconstruction, **CLOSE)
        q = Normal(*torch.tensor([mean, scale], dtype=torch.float64))
        to_prior = kl_divergence(q, Normal(0.0, 1.0)).item()
        assert found["toPrior"] == pytest.approx(to_prior, **CLOSE)
        assert found["entropy"] == pytest.approx(q.entropy().item(), **CLOSE)
        assert found["elbo"] == pytest.approx(reconstruction - to_prior, **CLOSE)


@pytest.mark.parametrize("name", MODELS)
def test_every_step_adds_up_for_every_q(js, name) -> None:
    """With what the bound leaves out. The pieces are worked out apart from each other."""
    for mean, scale in some_qs(40):
        off = js(
            f"STEPS.map((step) => barsOf(step, termsOf(models.{name}, q)).off)",
            q={"mean": mean, "scale": scale},
        )
        assert len(off) == STEPS
        assert max(abs(value) for value in off) < 1e-10


@pytest.mark.parametrize("name", MODELS)
def test_a_wrong_piece_is_seen_by_the_check(js, name) -> None:
    for key in ("reconstruction", "toPrior", "toPosterior"):
        off = js(
            "(() => { const terms = termsOf(models[name], q); terms[key] += 1e-6;"
            " return barsOf(STEPS[4], terms).off; })()",
            name=name,
            key=key,
            q={"mean": 0.3, "scale": 0.4},
        )
        assert abs(off) == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_bounds_are_below_by_the_divergence(js, name) -> None:
    for mean, scale in some_qs():
        found = in_page(js, name, mean, scale)
        assert found["toPosterior"] > -1e-10
        for bound in (found["elbo"], found["logJoint"] + found["entropy"], found["logWeight"]):
            gap = found["logMarginal"] - bound
            assert gap == pytest.approx(found["toPosterior"], rel=0, abs=1e-10)


def test_on_the_linear_posterior_nothing_is_left_out(js) -> None:
    model, x = model_and_x("linear")
    mean, covariance = (value.item() for value in model.posterior(x))
    assert js("models.linear.posterior") == pytest.approx(
        {"mean": mean, "scale": math.sqrt(covariance)}, rel=1e-12
    )

    found = in_page(js, "linear", mean, math.sqrt(covariance))

    assert found["toPosterior"] == pytest.approx(0, abs=1e-12)
    assert found["logWeight"] == pytest.approx(found["logMarginal"], abs=1e-10)


def test_narrowing_q_is_paid_for_by_the_entropy(js) -> None:
    """What the second Try promises: energy settles, the entropy goes down without end."""
    narrow = [in_page(js, "linear", 0.5, 0.1**i) for i in (1, 2, 3)]

    energies = [found["logJoint"] for found in narrow]
    assert abs(energies[2] - energies[1]) < 1e-3
    drops = [a["entropy"] - b["entropy"] for a, b in itertools.pairwise(narrow)]
    assert drops == pytest.approx([math.log(10)] * 2)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("mean", [-1e6, -50, 0, 1e6])
def test_extreme_q_stay_finite(js, name, mean, scale) -> None:
    found = in_page(js, name, mean, scale)

    assert all(isinstance(value, (int, float)) for value in found.values())
    assert all(math.isfinite(value) for value in found.values())
    if abs(mean) < 100:
        assert found["integral"] == pytest.approx(1, abs=1e-9)
    shown = js("rowsOf(STEPS[4], terms).map((row) => row.adds)", terms=found)
    assert all(math.isfinite(value) for value in shown)


def test_the_line_stays_put_and_bars_end_in_the_picture(js) -> None:
    """Whatever q: log p(x) at one place, every bar's end between the edges."""
    for name in MODELS:
        for mean, scale in some_qs(20, seed=1):
            places = js(
                f"""(() => {{
                    const terms = termsOf(models.{name}, q);
                    const span = spanOf(reachOf(terms));
                    const {{ place }} = axisOf(terms.logMarginal, span);
                    const rows = STEPS.flatMap((step) => rowsOf(step, terms));
                    const ends = rows.map(({{ to }}) => place(to));
                    return [place(terms.logMarginal), Math.min(...ends), Math.max(...ends)];
                }})()""",
                q={"mean": mean, "scale": scale},
            )
            assert places[0] == pytest.approx(0.6, abs=1e-9)
            assert 0 <= places[1] <= places[2] <= 1


def test_steps_are_the_chapters_six_and_two_more_forms(js) -> None:
    """Every step has words, a line and pieces; a bound is one from step 6 on."""
    steps = js("STEPS")

    assert [step.get("isBound", False) for step in steps] == [False] * 5 + [True] * 3
    assert all(step["title"] and step["words"] and step["line"] for step in steps)
    assert [len(step["pieces"]) for step in steps] == [1, 1, 3, 5, 3, 2, 2, 1]


@pytest.mark.parametrize("name", MODELS)
def test_the_fallbacks_lines_are_the_pages(js, name) -> None:
    for mean, scale in some_qs(2):
        rows = js(
            f"STEPS.map((step) => barsOf(step, termsOf(models.{name}, q)).bars.map((b) => b.adds))",
            q={"mean": mean, "scale": scale},
        )
        for (_, expected), found in zip(lines(name, mean, scale), rows, strict=True):
            assert found == pytest.approx(list(expected), **CLOSE)


def test_the_fallback_has_each_steps_numbers() -> None:
    text = ElboStepper.fallback_html().replace("\N{MINUS SIGN}", "-")
    sums = [float(cell) for cell in re.findall(r"<td>(-\d+\.\d+)</td></tr>", text)]
    found = terms("digit", DEFAULT_MEAN, DEFAULT_SCALE)
    bound = found.reconstruction + found.log_prior - found.log_q

    assert sums == pytest.approx([found.log_marginal] * 5 + [bound] * 3, abs=5e-4)
