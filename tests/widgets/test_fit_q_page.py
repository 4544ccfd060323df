"""Fit q by hand in a real browser: dragged, keyed, climbed, taken back; and its traits."""

import gzip
import json
import math
import re

import pytest
import torch

from tests.widgets.refusals import assert_refused
from vaelab.widgets import FitQ
from vaelab.widgets._host import static_html
from vaelab.widgets.fit_q.targets import TARGETS, elbo

FAINT = "#fit_q.target=modes&fit_q.family=rotated&fit_q.mean1=-1&fit_q.mean2=-0.6&fit_q.scale1=0.5"
AT_REST = "document.querySelector('.vaelab-climb').textContent !== 'Stop'"


def opened(open_page, disk, state: str = "", **options):
    return open_page(f"{disk}fit_q.html{state}", **options)


@pytest.fixture
def page(open_page, disk):
    return opened(open_page, disk)


def number(page, name: str) -> float:
    return float(page.locator(f".vaelab-number-{name} data").get_attribute("value"))


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def gap(name: str, mean, scale, degrees: float = 0.0) -> float:
    parts = (torch.tensor(v, dtype=torch.float64) for v in (mean, scale, math.radians(degrees)))
    return TARGETS[name].log_marginal() - elbo(TARGETS[name], *parts).item()


def drag(page, handle: str, dx: float, dy: float) -> None:
    """By pixels, downwards positive."""
    box = page.locator(f".vaelab-handle-{handle}").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def state(page) -> dict[str, str]:
    return dict(re.findall(r"fit_q\.(\w+)=([^&]+)", page.evaluate("location.hash")))


def test_it_starts_with_the_prior_and_adds_up(page) -> None:
    assert number(page, "kl") == pytest.approx(gap("banana", [0.0, 0], [1.0, 1]), abs=1e-6)
    assert number(page, "elbo") + number(page, "kl") == pytest.approx(number(page, "exact"))
    assert number(page, "exact") == pytest.approx(TARGETS["banana"].log_marginal())


def test_handles_are_dragged(page) -> None:
    unit = page.locator(".vaelab-box").bounding_box()["width"] / 8
    drag(page, "mean", -0.5 * unit, -1 * unit)
    drag(page, "scale1", -0.6 * unit, 0)
    drag(page, "scale2", 0, 0.5 * unit)
    found = {key: float(value) for key, value in state(page).items()}

    expected = {"mean1": -0.5, "mean2": 1, "scale1": 0.4, "scale2": 0.5}
    assert found == pytest.approx(expected, abs=0.03)
    mean, scale = [found["mean1"], found["mean2"]], [found["scale1"], found["scale2"]]
    assert number(page, "kl") == pytest.approx(gap("banana", mean, scale), abs=1e-6)
    assert number(page, "best") == pytest.approx(number(page, "kl"))


def test_the_best_is_kept(page) -> None:
    page.locator(".vaelab-handle-mean").focus()
    seen = [number(page, "kl")]
    for _ in range(8):  # up past the best mean, which is half way
        page.keyboard.press("ArrowUp")
        seen.append(number(page, "kl"))

    assert number(page, "best") == min(seen) < min(seen[0], seen[-1])
    press(page, "Reset")
    assert number(page, "best") == number(page, "kl") == seen[0]


def test_the_turn_handle_is_there_when_q_may_rotate(page) -> None:
    assert page.locator(".vaelab-handle-turn").count() == 0
    page.locator("label", has_text="may rotate").click()
    page.locator(".vaelab-handle-turn").focus()
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    page.get_by_role("slider", name="First deviation").focus()
    page.keyboard.press("ArrowLeft")

    assert state(page) == {"family": "rotated", "angle": "10", "scale1": "0.95"}
    assert number(page, "kl") == pytest.approx(gap("banana", [0.0, 0], [0.95, 1], 10), abs=1e-6)
    page.locator("label", has_text="diagonal").click()
    assert state(page) == {"scale1": "0.95"}


def test_the_angles_slider_lets_q_rotate(page) -> None:
    page.get_by_role("slider", name="Rotation").focus()
    page.keyboard.press("ArrowLeft")
    assert state(page) == {"family": "rotated", "angle": "-5"}


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_gradient_ascent_stays_on_the_fainter_mode_and_goes_back(open_page, disk, motion) -> None:
    page = opened(open_page, disk, FAINT, reduced_motion=motion)
    before, best = number(page, "kl"), number(page, "best")
    page.evaluate(
        """() => {
            window.seen = [];
            const kl = document.querySelector(".vaelab-number-kl data");
            new MutationObserver(() => seen.push(+kl.value)).observe(kl, { attributes: true });
        }"""
    )
    press(page, "Let gradient ascent try")
    page.wait_for_function(f"{AT_REST} && seen.length > 0")
    seen = page.evaluate("[...new Set(seen)]")
    said = page.locator(".vaelab-said").inner_text()

    assert number(page, "kl") == pytest.approx(-math.log(0.3), abs=1e-3)
    assert "no step raises the ELBO any more" in said
    assert "the mode with 30% of the posterior" in said
    assert number(page, "best") == best == before  # what is not by hand does not count
    assert len(seen) == 1 if motion == "reduce" else len(seen) > 3
    assert seen == sorted(seen, reverse=True)

    press(page, "Back to where it began")
    assert number(page, "kl") == before
    assert page.evaluate("location.hash") == FAINT


def test_a_hand_on_q_stops_it(open_page, disk) -> None:
    page = opened(open_page, disk, FAINT)
    press(page, "Let gradient ascent try")
    page.get_by_role("slider", name="Mean along z₁").focus()
    page.keyboard.press("End")
    page.wait_for_timeout(300)

    assert page.evaluate(AT_REST)
    assert state(page)["mean1"] == "4"


def test_more_draws_come_nearer(page) -> None:
    slider = page.get_by_role("slider", name="Draws under the logarithm")
    slider.focus()
    page.keyboard.press("Home")
    values = [number(page, "bound")]
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        values.append(number(page, "bound"))

    assert values == sorted(set(values))
    assert number(page, "exact") - values[-1] < number(page, "kl") / 10


def test_the_bar_ends_at_the_truth_line(page) -> None:
    """The stack's two parts meet, and end where log p(x) is."""
    read = """(name) => {
        const el = document.querySelector(`.vaelab-bars ${name}`);
        return [+el.getAttribute("x"), +el.getAttribute("x") + +el.getAttribute("width")];
    }"""
    for _ in range(3):
        page.evaluate("() => new Promise(requestAnimationFrame)")  # drawn with the next frame
        page.evaluate("() => new Promise(requestAnimationFrame)")
        truth = page.locator(".vaelab-bars path.truth").get_attribute("d")
        line = float(re.match(r"M([\d.]+)", truth)[1])
        (_, end), (start, stop) = page.evaluate(read, "rect.elbo"), page.evaluate(read, "rect.gap")
        assert end == pytest.approx(start, abs=0.11)
        assert stop == pytest.approx(line, abs=0.11)
        page.locator(".vaelab-handle-mean").focus()
        page.keyboard.press("Shift+ArrowUp")


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("corner", [(4, 4, 3, 3), (-4, 4, 0.05, 3), (4, -4, 0.05, 0.05)])
def test_limits_show_no_nan(open_page, disk, name, corner) -> None:
    parts = zip(("mean1", "mean2", "scale1", "scale2"), corner, strict=True)
    hash_ = f"#fit_q.target={name}&" + "&".join(f"fit_q.{key}={value}" for key, value in parts)
    page = opened(open_page, disk, hash_, reduced_motion="reduce")
    for _ in range(2):
        html = page.locator(".vaelab").evaluate("el => el.outerHTML")
        assert not re.search(r"NaN|Infinity|undefined", html)
        press(page, "Let gradient ascent try")
    assert number(page, "kl") < 3


# Python's side


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("target", "ring", "target must be one of banana, modes, tilted, got 'ring'"),
        ("family", "full", "family must be one of diagonal, rotated, got 'full'"),
        ("mean1", 4.1, "mean1 must be a number from -4 to 4, got 4.1"),
        ("scale2", 0, "scale2 must be a number from 0.05 to 3, got 0"),
        ("angle", math.nan, "angle must be a number from -90 to 90, got nan"),
        ("draws", 3, "draws must be one of 1, 2, 4, 8, 16, 32, 64, got 3"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value, message: str) -> None:
    assert_refused(FitQ, name, value, message)


def test_it_is_small() -> None:
    assert len(gzip.compress(static_html(FitQ, FitQ().state()).encode())) < 30_000
    assert json.loads(json.dumps(FitQ.recorded())) == FitQ.recorded()
