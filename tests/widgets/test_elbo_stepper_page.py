"""The ELBO's derivation in a real browser: stepped through, dragged, keyed; and its traits."""

import gzip
import json
import re

import pytest

from tests.widgets.refusals import assert_refused
from vaelab.widgets import ElboStepper
from vaelab.widgets._host import static_html
from vaelab.widgets.elbo_stepper import STEPS, lines
from vaelab.widgets.elbo_stepper.models import encoder_q, model_and_x, terms

ROWS = ".vaelab-waterfall dl > div:not([hidden])"


def opened(open_page, disk, state: str = "", **options):
    return open_page(f"{disk}elbo_stepper.html{state}", **options)


@pytest.fixture
def page(open_page, disk):
    return opened(open_page, disk)


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def adds(page) -> list[float]:
    """What each row says that its piece adds."""
    rows = page.locator(f"{ROWS} data").evaluate_all("all => all.map((el) => el.value)")
    return [float(value) for value in rows]


def off(page) -> float:
    return float(page.locator(".vaelab-check data").get_attribute("value"))


def ends(page) -> list[float]:
    """Where each row's bar ends, in pixels: its tip, to the left or to the right."""
    return page.locator(ROWS).evaluate_all(
        """rows => rows.map((row) => {
            const box = row.querySelector(".vaelab-track i").getBoundingClientRect();
            return row.classList.contains("vaelab-leftwards") ? box.left : box.right;
        })"""
    )


def line_of_truth(page) -> float:
    box = page.locator(".vaelab-waterfall dl").bounding_box()
    return box["x"] + 0.6 * box["width"]


def drag(page, handle: str, dx: float) -> None:
    box = page.locator(f".vaelab-handle-{handle}").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y)
    page.mouse.move(x + dx, y)
    page.mouse.up()


def state(page) -> dict[str, str]:
    return dict(re.findall(r"elbo_stepper\.(\w+)=([^&]+)", page.evaluate("location.hash")))


def test_next_leads_through_every_step_and_back_again(page) -> None:
    expected = lines("digit", ElboStepper().mean, ElboStepper().scale)
    titles = []
    for number, (_, pieces) in enumerate(expected, 1):
        titles.append(page.locator(".vaelab-step-title").inner_text())
        assert titles[-1].startswith(f"{number}. ")
        assert adds(page)[: len(pieces)] == pytest.approx(list(pieces), abs=1e-5)
        assert adds(page)[len(pieces)] == pytest.approx(sum(pieces), abs=1e-5)
        assert abs(off(page)) < 1e-10
        assert len(page.locator(ROWS).all()) == len(pieces) + (1 if number < 6 else 2)
        page.get_by_role("button", name="Next").focus()
        page.keyboard.press("Enter")

    assert len(set(titles)) == STEPS
    assert state(page) == {"step": "8"}  # there is none after it
    press(page, "Back")
    assert state(page) == {"step": "7"}


def test_dragging_moves_pieces_and_not_their_sum(open_page, disk) -> None:
    page = opened(open_page, disk, "#elbo_stepper.step=5")
    truth, before = line_of_truth(page), adds(page)
    unit = page.locator(".vaelab-box").bounding_box()["width"] / 8
    drag(page, "mean", 1.5 * unit)
    drag(page, "scale", 0.4 * unit)
    found = {key: float(value) for key, value in state(page).items()}

    assert found == pytest.approx({"step": 5, "mean": 0.5, "scale": 0.7}, abs=0.03)
    expected = terms("digit", found["mean"], found["scale"])
    assert adds(page)[0] == pytest.approx(expected.reconstruction, abs=1e-5)
    assert adds(page)[2] == pytest.approx(expected.log_q - expected.log_posterior, abs=1e-5)
    assert all(abs(a - b) > 0.1 for a, b in zip(adds(page)[:3], before[:3], strict=True))
    assert adds(page)[3] == pytest.approx(before[3], abs=1e-10)
    assert line_of_truth(page) == truth
    assert ends(page)[2:] == pytest.approx([truth, truth], abs=1.5)


def test_a_drag_that_goes_far_rescales_about_the_line(open_page, disk) -> None:
    """And leaves every bar in the picture, during the drag too."""
    page = opened(open_page, disk, "#elbo_stepper.step=5&elbo_stepper.model=linear")
    box = page.locator(".vaelab-handle-mean").bounding_box()
    unit = page.locator(".vaelab-box").bounding_box()["width"] / 8
    frame = page.locator(".vaelab-waterfall dl").bounding_box()
    ticks = page.locator(".vaelab-ticks")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    seen = []
    for places in (0, -2, 0.5, 1.7):
        page.mouse.move(x + places * unit, y)
        seen.append(ticks.inner_text())
        assert ends(page)[2:] == pytest.approx([line_of_truth(page)] * 2, abs=1.5)
        assert min(ends(page)) >= frame["x"] - 1

    assert seen[1] != seen[0]  # it had to grow
    assert seen[2] == seen[3] == seen[1]  # and does not shrink in the hand
    page.mouse.up()
    assert ticks.inner_text() not in seen[1:]


def test_arrow_keys_move_q(open_page, disk) -> None:
    page = opened(open_page, disk, "#elbo_stepper.step=6")
    for handle, keys in (("mean", ["ArrowRight", "Shift+ArrowRight"]), ("scale", ["ArrowUp"])):
        page.locator(f".vaelab-handle-{handle}").focus()
        for key in keys:
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement.name") == handle
    page.wait_for_function("location.hash.includes('scale')")

    assert state(page) == {"step": "6", "mean": "-0.4", "scale": "0.35"}
    expected = terms("digit", -0.4, 0.35)
    assert adds(page)[0] == pytest.approx(expected.reconstruction, abs=1e-5)


def test_q_on_the_linear_posterior_leaves_nothing_out(open_page, disk) -> None:
    page = opened(open_page, disk, "#elbo_stepper.step=6&elbo_stepper.model=linear")
    truth = model_and_x("linear")[0].log_marginal(model_and_x("linear")[1]).item()
    assert adds(page)[3] > 1

    press(page, "posterior")

    assert adds(page)[3] == pytest.approx(0, abs=1e-9)
    assert adds(page)[2] == pytest.approx(truth, abs=1e-9)
    assert "nothing is left out" in page.locator(".vaelab-said").inner_text()


def test_the_encoders_q_has_the_chapters_numbers(open_page, disk) -> None:
    page = opened(open_page, disk, "#elbo_stepper.step=5")
    press(page, "encoder")

    text = page.locator(".vaelab-waterfall").inner_text().replace("\N{MINUS SIGN}", "-")
    mean, scale = encoder_q()
    assert float(state(page)["mean"]) == pytest.approx(mean, rel=1e-9)
    assert float(state(page)["scale"]) == pytest.approx(scale, rel=1e-9)
    for number in ("-26.172", "-1.655", "+0.841", "-26.987"):
        assert number in text


def test_the_check_counts_where_q_has_been(page) -> None:
    check = page.locator(".vaelab-check")
    assert "over one q" in check.inner_text()
    for name in ("prior", "narrow", "prior"):
        press(page, name)
    assert "0.0000000000 over 3 q" in check.inner_text()
    press(page, "Reset")
    assert "over one q" in check.inner_text()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model", "banana", "one of digit, linear"),
        ("step", 9, "whole number from 1 to 8"),
        ("step", 1.5, "whole number from 1 to 8"),
        ("mean", 3.01, "number from -3 to 3"),
        ("mean", float("nan"), "number from -3 to 3"),
        ("scale", 0, "number from 0.05 to 2"),
        ("scale", "wide", "number from 0.05 to 2"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value, message: str) -> None:
    assert_refused(ElboStepper, name, value, message)


def test_what_was_changed_is_shown_in_python() -> None:
    assert repr(ElboStepper()) == "ElboStepper()"
    assert repr(ElboStepper(model="linear", step=5)) == "ElboStepper(model='linear', step=5)"


def test_a_page_carries_little() -> None:
    html = static_html(ElboStepper, ElboStepper().state())

    assert len(gzip.compress(html.encode())) < 35_000
    assert json.loads(json.dumps(ElboStepper.recorded())) == ElboStepper.recorded()
