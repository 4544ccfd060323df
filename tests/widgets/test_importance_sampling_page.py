"""Importance sampling in a real browser: dragged by mouse, touch and keyboard."""

import math
import re

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from tests.javascript import evaluator
from vaelab.estimators.pareto import pareto_k
from vaelab.estimators.reliability import effective_sample_size, log_mean_standard_error
from vaelab.widgets import ImportanceSampling
from vaelab.widgets.importance_sampling import model

CLOSE = {"rel": 1e-5, "abs": 1e-5}
REACH = 4.5


def opened(open_page, disk, state: str = "", **options):
    page = open_page(f"{disk}importance_sampling.html{state}", **options)
    page.locator(".vaelab-box").scroll_into_view_if_needed()
    return page


@pytest.fixture
def page(open_page, disk):
    return opened(open_page, disk)


@pytest.fixture(scope="module")
def js():
    return evaluator("importance_sampling")


def number(page, name: str) -> float:
    return float(page.locator(f".vaelab-number-{name} data").get_attribute("value"))


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choose(page, words: str) -> None:
    page.locator(".vaelab-segments label", has_text=re.compile(f"^{words}$")).click()


def state(page) -> dict[str, float]:
    """The address's part for the widget, with the defaults where it says nothing."""
    names = ImportanceSampling.class_traits()
    found = re.findall(r"importance_sampling\.(\w+)=([-\d.]+)", page.evaluate("location.hash"))
    defaults = {name: names[name].default_value for name in ImportanceSampling.state_names}
    return defaults | {key: float(value) for key, value in found}


def assert_shows(page, js, mean: list[float], width: list[float], draws: int = 1000) -> None:
    """Every number, as Python has it, for a posterior with one hump and seed 0."""
    d = len(mean)
    exact, x = model(d)
    center, covariance = exact.posterior(x)
    posterior = MultivariateNormal(center[0], covariance)
    mean, width = (torch.tensor(value, dtype=torch.float64) for value in (mean, width))
    proposal = MultivariateNormal(mean, torch.diag(width**2))
    noise = torch.tensor(js(f"standardNormal(0, {draws * d})"), dtype=torch.float64)
    z = mean + width * noise.reshape(draws, d)
    log_weights = exact.log_likelihood(x, z[:, None])[:, 0] - proposal.log_prob(z)
    log_weights += torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    ess = effective_sample_size(log_weights)
    estimate = log_weights.logsumexp(0).item() - math.log(draws)
    truth = exact.log_marginal(x).item()
    page.wait_for_function("document.querySelector('.vaelab-number-k data').value")  # all drawn

    assert number(page, "estimate") == pytest.approx(estimate, **CLOSE)
    assert number(page, "exact") == pytest.approx(truth, **CLOSE)
    assert number(page, "off") == pytest.approx(estimate - truth, **CLOSE)
    assert number(page, "ess") == pytest.approx(ess.item(), rel=1e-5)
    assert number(page, "k") == pytest.approx(pareto_k(log_weights).item(), rel=1e-4, abs=1e-4)
    assert number(page, "kl") == pytest.approx(kl_divergence(posterior, proposal).item(), **CLOSE)
    assert number(page, "other") == pytest.approx(
        kl_divergence(proposal, posterior).item(), **CLOSE
    )
    error = log_mean_standard_error(ess, draws).item()
    note = page.locator(".vaelab-number-estimate small").inner_text()
    assert note == f"nats ± {error:.2f} standard error"
    infinite = torch.linalg.eigvalsh(2 * posterior.precision_matrix - torch.diag(width**-2))
    said = page.locator(".vaelab-said").inner_text()
    assert ("variance is infinite" in said) == (infinite.min().item() <= 0)
    assert (page.locator(".vaelab-number-useful data").inner_text() == "0") == (
        infinite.min().item() <= 0
    )


def handle(page, name: str):
    return page.locator(f".vaelab-handle-{name}")


def middle(page, name: str) -> tuple[float, float]:
    box = handle(page, name).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def unit(page) -> float:
    return page.locator(".vaelab-box").bounding_box()["width"] / (2 * REACH)


def drag(page, name: str, dx: float, dy: float = 0.0) -> None:
    """By mouse, in units of the latents."""
    x, y = middle(page, name)
    page.mouse.move(x, y)
    page.mouse.down()
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(x + part * dx * unit(page), y - part * dy * unit(page))
    page.mouse.up()


def test_it_starts_with_the_prior(page, js) -> None:
    assert_shows(page, js, [0.0], [1.0])
    exact, x = model(1)
    assert number(page, "kl") == pytest.approx(exact.kl_posterior_prior(x).item(), **CLOSE)
    assert number(page, "useful") == pytest.approx(exact.log_ess_fraction(x).item(), **CLOSE)


def test_mean_and_width_are_dragged_by_mouse(page, js) -> None:
    drag(page, "mean", 1.5)
    drag(page, "width1", -0.6)
    now = state(page)

    assert now["mean1"] == pytest.approx(1.5, abs=0.02)
    assert now["width1"] == pytest.approx(0.4, abs=0.02)
    assert_shows(page, js, [now["mean1"]], [now["width1"]])
    assert page.evaluate("document.activeElement.name") == "width1"

    drag(page, "width1", -3)  # beyond the least
    assert state(page)["width1"] == 0.05
    drag(page, "mean", 9)
    assert state(page)["mean1"] == 4
    assert_shows(page, js, [4.0], [0.05])


def test_in_the_plane_both_coordinates_and_both_widths_are_dragged(page, js) -> None:
    choose(page, "two")
    assert_shows(page, js, [0.0, 0.0], [1.0, 1.0])
    drag(page, "mean", 1.5, 1.0)
    drag(page, "width1", -0.5)
    drag(page, "width2", 0.0, -0.4)
    now = state(page)

    assert now["mean1"] == pytest.approx(1.5, abs=0.03)
    assert now["mean2"] == pytest.approx(1.0, abs=0.03)
    assert now["width1"] == pytest.approx(0.5, abs=0.03)
    assert now["width2"] == pytest.approx(0.6, abs=0.03)
    assert_shows(page, js, [now["mean1"], now["mean2"]], [now["width1"], now["width2"]])
    choose(page, "one")
    assert handle(page, "width2").count() == 0


def test_arrow_keys_move_the_handles(page, js) -> None:
    handle(page, "mean").focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "ArrowLeft", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    assert "0.60" in handle(page, "mean").get_attribute("aria-label")
    handle(page, "width1").focus()
    for key in ("ArrowDown", "Shift+ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    assert "0.70" in handle(page, "width1").get_attribute("aria-label")
    assert_shows(page, js, [0.6], [0.7])

    choose(page, "two")
    handle(page, "mean").focus()
    page.keyboard.press("ArrowUp")
    handle(page, "width2").focus()
    page.keyboard.press("Shift+ArrowUp")
    assert_shows(page, js, [0.6, 0.1], [0.7, 1.25])
    assert page.evaluate("document.activeElement.name") == "width2"


def test_the_buttons_set_what_they_say(page, js) -> None:
    exact, x = model(1)
    mean, covariance = (part.item() for part in exact.posterior(x))
    width = math.sqrt(covariance)
    press(page, "Too narrow")
    assert_shows(page, js, [mean], [width / 3])
    assert "variance is infinite" in page.locator(".vaelab-said").inner_text()
    press(page, "Shifted")
    assert_shows(page, js, [mean - 2 * width], [width])
    press(page, "Prior")
    assert_shows(page, js, [0.0], [1.0])
    assert page.evaluate("location.hash") == ""

    press(page, "Posterior")
    assert number(page, "off") == pytest.approx(0, abs=1e-9)
    assert number(page, "ess") == pytest.approx(1000)
    assert number(page, "kl") == pytest.approx(0, abs=1e-9)
    assert page.locator(".vaelab-number-k data").inner_text() == "no tail"
    assert not re.search("NaN|Infinity", page.locator(".vaelab").inner_text())


def test_two_humps_and_one_of_them_found(page) -> None:
    choose(page, "two humps")
    press(page, "Shifted")

    assert number(page, "off") == pytest.approx(-math.log(2), abs=0.01)
    assert number(page, "k") < 0.5
    said = page.locator(".vaelab-said").inner_text()
    assert "k-hat warns of nothing" in said
    assert "no diagnostic sees" in said


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_hundred_thousand_draws_come_in_parts(open_page, disk, js, motion) -> None:
    page = opened(open_page, disk, reduced_motion=motion)
    page.get_by_role("slider", name="Draws").focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.vaelab-number-k data').value")
    page.wait_for_function(
        "document.querySelector('.vaelab-number-ess small').textContent.includes('100,000')"
    )
    assert_shows(page, js, [0.0], [1.0], 100_000)
    page.keyboard.press("Home")
    assert page.locator(".vaelab-number-k data").inner_text() == "too few"


def test_the_picture_has_draws_where_their_weights_are(page) -> None:
    """The dots' height, read off the path, against log w by definition."""
    press(page, "Too narrow")
    page.wait_for_timeout(50)
    width, height = page.locator(".vaelab-picture").evaluate(
        "el => [el.clientWidth, el.clientHeight]"
    )
    dots = page.locator(".vaelab-picture .draws").get_attribute("d")
    places = [(float(x), float(y)) for x, y in re.findall(r"M([-\d.]+) ([-\d.]+)h0", dots)]
    exact, x = model(1)
    mean, covariance = (part.item() for part in exact.posterior(x))
    posterior = torch.distributions.Normal(mean, math.sqrt(covariance))
    proposal = torch.distributions.Normal(mean, math.sqrt(covariance) / 3)

    assert len(places) == 300
    inside = 0
    for px, py in places:
        z = torch.tensor(px / width * 2 * REACH - REACH)
        log_ratio = (posterior.log_prob(z) - proposal.log_prob(z)).item()
        shown = -8 + 20 * (0.91 - py / height) / (0.91 - 0.62)
        inside += abs(shown - log_ratio) < 0.5  # a tenth of a pixel of z is up to 0.1 nats
    assert inside == 300


def fingers(page):
    """Touch as a browser sees it, along some points."""
    session = page.context.new_cdp_session(page)

    def touch(points: list[tuple[float, float]]) -> None:
        kinds = ["touchStart"] + ["touchMove"] * (len(points) - 1)
        for kind, (x, y) in zip(kinds, points, strict=True):
            session.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]}
            )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    return touch


def test_a_finger_drags_the_handles_and_scrolls_beside_them(open_page, disk, js) -> None:
    page = opened(
        open_page,
        disk,
        has_touch=True,
        is_mobile=True,
        viewport={"width": 360, "height": 740},
    )
    before = page.evaluate("scrollY")
    x, y = middle(page, "mean")
    step = unit(page)
    fingers(page)([(x, y), (x + 0.5 * step, y + 2), (x + 1.5 * step, y + 3)])
    x, y = middle(page, "width1")
    fingers(page)([(x, y), (x - 0.2 * step, y), (x - 0.5 * step, y)])
    page.wait_for_function("location.hash.includes('width1')")
    now = state(page)

    assert page.evaluate("scrollY") == before
    assert now["mean1"] == pytest.approx(1.5, abs=0.05)
    assert now["width1"] == pytest.approx(0.5, abs=0.05)
    assert_shows(page, js, [now["mean1"]], [now["width1"]])

    box = page.locator(".vaelab-box").bounding_box()
    beside = (box["x"] + 40, box["y"] + 60)
    fingers(page)([beside, *((beside[0], beside[1] - up) for up in range(20, 160, 20))])
    page.wait_for_function("before => scrollY > before", arg=before)
    assert state(page) == now


def test_a_theme_change_recolours_the_picture(page) -> None:
    colour = """document.querySelector(".vaelab-picture path.proposal")"""
    before = page.evaluate(f"getComputedStyle({colour}).stroke")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(f"getComputedStyle({colour}).stroke") != before
