"""β × latent dimension in a real browser: by mouse, touch and keyboard, against PyTorch."""

import re

import numpy as np
import pytest

from tests.beta_latent_view import assert_model_shows, assert_shows, inked
from tests.browser import accessibility_problems
from vaelab.data import load_digits
from vaelab.widgets.beta_latent import BETAS, LATENT_DIMS

BLANK, FULL = "0" * 64, "1" * 64


@pytest.fixture
def start(open_page, disk):
    """A page with its data, at a state given as the address has it."""

    def go(state: str = "", query: str = "", **options):
        parts = "&".join(f"beta_latent.{part}" for part in state.split())
        page = open_page(disk + f"beta_latent.html{query}#{parts}", **options)
        page.wait_for_function("window.vaelabData?.beta_latent")
        return page

    return go


def test_it_starts_at_the_cells_values(start) -> None:
    assert_shows(start(), 1.0, 2, 0)


def test_the_slider_walks_through_every_beta_by_keyboard(start) -> None:
    page = start()
    page.get_by_role("slider", name="Weight of the KL").focus()
    page.keyboard.press("Home")
    for beta in BETAS:
        assert_shows(page, beta, 2, 0)
        page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash === '#beta_latent.beta=16'")


def test_the_latent_dimension_moves_by_keyboard(start) -> None:
    page = start()
    page.locator(".vaelab-segments input:checked").focus()
    for latent_dim in (4, 8, 16, 1, 2):  # past the end it starts again, as radios do
        page.keyboard.press("ArrowRight")
        assert_shows(page, 1.0, latent_dim, 0)


def test_everything_moves_by_mouse(start) -> None:
    page = start()
    box = page.get_by_role("slider", name="Weight of the KL").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert_shows(page, 0.1, 2, 0)
    page.get_by_text("0.5", exact=True).click()  # a mark below the slider
    assert_shows(page, 0.5, 2, 0)
    page.locator(".vaelab-segments label", has_text="8").click()
    assert_shows(page, 0.5, 8, 0)


def test_touch_moves_it_too(start) -> None:
    page = start(has_touch=True, viewport={"width": 360, "height": 740})
    page.locator(".vaelab-segments label", has_text="16").tap()
    box = page.get_by_role("slider", name="Weight of the KL").bounding_box()
    page.touchscreen.tap(box["x"] + 3, box["y"] + box["height"] / 2)
    assert_shows(page, 0.1, 16, 0)


# One digit


def test_digits_are_chosen_and_exchanged(start) -> None:
    page = start()
    labels = load_digits().test_labels.tolist()
    sevens = [i for i, label in enumerate(labels) if label == 7]

    page.get_by_role("radio", name="Digit 7").focus()
    page.keyboard.press("Space")
    assert_shows(page, 1.0, 2, sevens[0])
    another = page.get_by_role("button", name="Another 7")
    another.click()
    assert_shows(page, 1.0, 2, sevens[1])
    for _ in sevens[1:]:
        another.press("Enter")
    assert_shows(page, 1.0, 2, sevens[0])  # all of them seen, the first again


def test_a_digit_is_drawn_by_mouse_and_by_keyboard(start) -> None:
    page = start("latent_dim=8")
    page.get_by_role("button", name="Clear the pad").click()
    assert_shows(page, 1.0, 8, BLANK)
    box = page.locator(".vaelab-pad").bounding_box()
    across = box["x"] + box["width"] * 4.5 / 8
    page.mouse.move(across, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(across, box["y"] + box["height"] - 5, steps=3)
    page.mouse.up()
    assert_shows(page, 1.0, 8, "00001000" * 8)
    page.get_by_role("button", name="Row 1, column 1", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert_shows(page, 1.0, 8, "01001000" + "00001000" * 7)
    page.get_by_role("radio", name="Digit 0").press("Space")  # back to a held-out one
    assert_shows(page, 1.0, 8, 0)


@pytest.mark.parametrize("drawing", [BLANK, FULL])
@pytest.mark.parametrize(("beta", "latent_dim"), [(0.1, 1), (0.25, 2), (0.1, 16)])
def test_the_oddest_images_have_numbers(start, drawing: str, beta: float, latent_dim: int) -> None:
    state = f"beta={beta:g} latent_dim={latent_dim} drawing={drawing}"
    for draws in (1, 50):
        page = start(f"{state} draws={draws}")
        page.wait_for_function(
            "draws => document.querySelector('.vaelab-bars svg').textContent"
            ".includes(`K = ${draws}`)",
            arg=draws,
        )
        if latent_dim <= 2:
            page.wait_for_function("document.querySelector('.vaelab-number-exact data').value")
        shown = page.locator(".vaelab").evaluate("el => el.innerHTML")
        assert not re.search(r"NaN|undefined|Infinity", shown)


def test_a_latent_is_chosen_by_its_interval_and_traversed(start) -> None:
    page = start("latent_dim=4")
    before = inked(page, ".vaelab-decoded")

    page.locator(".vaelab-latents label").nth(2).click()
    clicked = inked(page, ".vaelab-decoded")
    page.keyboard.press("ArrowRight")
    moved = inked(page, ".vaelab-decoded")

    assert page.evaluate("location.hash") == "#beta_latent.latent_dim=4&beta_latent.unit=4"
    assert page.get_by_text("Decoded with latent 4 from").is_visible()
    for pictures in (clicked, moved):
        np.testing.assert_array_equal(pictures[:7], before[:7])  # q is the same
    assert np.abs(clicked[7:] - before[7:]).max() > 0.1
    assert np.abs(moved[7:] - clicked[7:]).max() > 0.1


def test_more_draws_find_more(start) -> None:
    """K goes from 1 to 10,000 by keyboard; of one draw no error is claimed."""
    page = start("latent_dim=8")
    page.get_by_role("slider", name="Draws for each estimate").focus()
    page.keyboard.press("Home")
    assert_shows(page, 1.0, 8, 0, draws=1)
    assert "One draw tells nothing" in page.locator(".vaelab-said").inner_text()
    page.keyboard.press("End")
    assert_shows(page, 1.0, 8, 0, draws=10_000)
    assert "nats short" in page.locator(".vaelab-said").inner_text()


def test_new_draws_change_what_is_drawn_and_only_that(start) -> None:
    page = start("latent_dim=8")
    assert_shows(page, 1.0, 8, 0)
    before = inked(page, ".vaelab-decoded")

    page.get_by_role("button", name="New draws").click()

    assert_shows(page, 1.0, 8, 0, seed=1)
    after = inked(page, ".vaelab-decoded")
    same = [0, *range(7, 14)]  # q's mean, and the traversal
    np.testing.assert_array_equal(after[same], before[same])
    assert np.abs(after[1:7] - before[1:7]).max(1).min() > 0.01  # each picture is another
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate("location.hash") == ""


# Two settings


def test_two_settings_stand_side_by_side(start) -> None:
    page = start("latent_dim=8")
    page.get_by_role("button", name="Compare two").click()
    assert_shows(page, 1.0, 8, 0)
    assert_shows(page, 4.0, 2, 0, side="b")

    second = page.get_by_role("group", name="Setting B")
    second.locator(".vaelab-segments label", has_text="16").click()
    second.get_by_role("slider").press("Home")
    page.get_by_role("button", name="Clear the pad").click()
    assert_shows(page, 1.0, 8, BLANK)
    assert_shows(page, 0.1, 16, BLANK, side="b")

    page.get_by_role("tab", name="The whole model").click()
    assert_model_shows(page, 1.0, 8)
    assert_model_shows(page, 0.1, 16, side="b")
    page.get_by_role("button", name="Compare two").click()
    assert page.locator(".vaelab-side-b").count() == 0


def test_the_same_setting_twice_is_the_same_twice(start) -> None:
    page = start("compare=1 other_beta=1 latent_dim=16 other_latent_dim=16")
    assert_shows(page, 1.0, 16, 0)
    assert_shows(page, 1.0, 16, 0, side="b")

    a, b = (inked(page, f".vaelab-side-{side} .vaelab-decoded") for side in "ab")
    np.testing.assert_array_equal(a, b)


# The whole model


def test_tabs_change_by_keyboard(start) -> None:
    page = start()
    page.get_by_role("tab", name="One digit").focus()
    page.keyboard.press("ArrowRight")

    assert page.get_by_role("tab", name="The whole model").get_attribute("aria-selected") == "true"
    assert page.evaluate("location.hash") == "#beta_latent.view=model"
    assert_model_shows(page, 1.0, 2)
    page.keyboard.press("Home")
    assert page.locator(".vaelab-pad").is_visible()


@pytest.mark.parametrize("latent_dim", LATENT_DIMS)
def test_a_click_on_a_curve_chooses_its_point(start, latent_dim: int) -> None:
    page = start("view=model")
    curve = page.locator(".curve").filter(has=page.get_by_text(f"d = {latent_dim}", exact=True))
    curve.locator("circle").first.click(force=True)  # the smallest β, at the curve's far end
    assert_model_shows(page, 0.1, latent_dim)
    assert "chosen" in curve.get_attribute("class")


def test_with_two_settings_a_click_moves_the_one_that_moved_last(start) -> None:
    page = start("view=model")
    page.get_by_role("button", name="Compare two").click()
    page.locator(".curve", has_text="d = 16").locator("circle").first.click(force=True)
    assert_model_shows(page, 1.0, 2)
    assert_model_shows(page, 0.1, 16, side="b")
    page.get_by_role("group", name="Setting A").get_by_role("slider").press("End")
    page.locator(".curve", has_text="d = 8").locator("circle").first.click(force=True)
    assert_model_shows(page, 0.1, 8)
    assert_model_shows(page, 0.1, 16, side="b")


def test_a_click_beside_the_curves_chooses_nothing(start) -> None:
    page = start("view=model")
    page.locator(".vaelab-plot").click(position={"x": 60, "y": 230})
    assert_model_shows(page, 1.0, 2)


def test_new_draws_change_the_prior_pictures(start) -> None:
    page = start("view=model")
    before = inked(page, ".vaelab-prior")

    page.get_by_role("button", name="New draws").click()

    after = inked(page, ".vaelab-prior")
    assert after.shape == before.shape == (24, 64)
    assert np.abs(after - before).max(1).min() > 0.01  # each picture is another
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("tab", name="The whole model").click()
    np.testing.assert_array_equal(inked(page, ".vaelab-prior"), before)


def test_at_beta_16_every_sample_is_the_same(start) -> None:
    page = start("view=model beta=16")
    assert_model_shows(page, 16.0, 2)

    assert np.ptp(inked(page, ".vaelab-prior"), axis=0).max() < 0.05


# Everywhere


def test_the_address_opens_the_same_view(start) -> None:
    page = start("beta=0.5 image=20")
    assert_shows(page, 0.5, 2, 20)

    page.evaluate("location.hash = 'beta_latent.latent_dim=16'")
    assert_shows(page, 0.5, 16, 20)  # what an address leaves out stays as it is


@pytest.mark.parametrize("state", ["view=model compare=1", "compare=1 latent_dim=16"])
def test_the_other_views_are_accessible_and_fit_a_phone(start, state: str) -> None:
    page = start(state, viewport={"width": 360, "height": 740})

    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert accessibility_problems(page) == []


def test_one_setting_fits_a_lecture_halls_screen(start) -> None:
    page = start("latent_dim=16", "?present", viewport={"width": 1400, "height": 900})

    for tab in ("One digit", "The whole model"):
        page.get_by_role("tab", name=tab).click()
        size = page.locator("dialog").evaluate("el => [el.scrollWidth, el.scrollHeight]")
        assert size == [1400, 900]
