"""β × latent dimension in a real browser: by mouse and by keyboard, against PyTorch."""

import numpy as np
import pytest

from tests.beta_latent_view import assert_shows, inked
from vaelab.data import load_digits
from vaelab.widgets.beta_latent import BETAS, LATENT_DIMS


@pytest.fixture
def page(open_page, disk):
    page = open_page(disk + "beta_latent.html")
    page.wait_for_function("window.vaelabData?.beta_latent")
    return page


def test_it_starts_at_the_cells_values(page) -> None:
    assert_shows(page, 1.0, 2, 0)


def test_the_slider_walks_through_every_beta_by_keyboard(page) -> None:
    page.get_by_role("slider", name="Weight of the KL").focus()
    page.keyboard.press("Home")
    for beta in BETAS:
        assert_shows(page, beta, 2, 0)
        page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash") == "#beta_latent.beta=16"


def test_the_latent_dimension_moves_by_keyboard(page) -> None:
    page.get_by_role("radio", name="2", exact=True).focus()
    for latent_dim in (4, 8, 16, 1, 2):  # past the end it starts again, as radios do
        page.keyboard.press("ArrowRight")
        assert_shows(page, 1.0, latent_dim, 0)


def test_everything_moves_by_mouse(page) -> None:
    box = page.get_by_role("slider").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2)
    assert_shows(page, 16.0, 2, 0)
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert_shows(page, 0.1, 2, 0)
    page.get_by_text("0.5", exact=True).click()  # a mark below the slider
    assert_shows(page, 0.5, 2, 0)
    page.locator(".vaelab-segments label", has_text="8").click()
    assert_shows(page, 0.5, 8, 0)


def test_touch_moves_it_too(open_page, disk) -> None:
    page = open_page(
        disk + "beta_latent.html", has_touch=True, viewport={"width": 360, "height": 740}
    )
    page.wait_for_function("window.vaelabData?.beta_latent")
    page.locator(".vaelab-segments label", has_text="16").tap()
    box = page.get_by_role("slider").bounding_box()
    page.touchscreen.tap(box["x"] + 3, box["y"] + box["height"] / 2)
    assert_shows(page, 0.1, 16, 0)


@pytest.mark.parametrize("latent_dim", LATENT_DIMS)
def test_a_click_on_a_curve_chooses_its_point(page, latent_dim: int) -> None:
    curve = page.locator(".curve", has_text=f"d = {latent_dim}").filter(
        has=page.get_by_text(f"d = {latent_dim}", exact=True)
    )
    curve.locator("circle").first.click(force=True)  # the smallest β, at the curve's far end
    assert_shows(page, 0.1, latent_dim, 0)
    assert "chosen" in curve.get_attribute("class")


def test_a_click_beside_the_curves_chooses_nothing(page) -> None:
    page.locator(".vaelab-plot").click(position={"x": 60, "y": 230})
    assert_shows(page, 1.0, 2, 0)


def test_digits_are_chosen_and_exchanged(page) -> None:
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


def test_new_draws_change_the_prior_pictures_and_nothing_else(page) -> None:
    before, figures = inked(page, ".vaelab-prior"), page.locator(".vaelab-single").inner_text()

    page.get_by_role("button", name="New draws").click()

    after = inked(page, ".vaelab-prior")
    assert after.shape == before.shape == (24, 64)
    assert np.abs(after - before).max(1).min() > 0.01  # each picture is another
    assert page.locator(".vaelab-single").inner_text() == figures
    assert page.evaluate("location.hash") == "#beta_latent.seed=1"
    page.get_by_role("button", name="Reset").click()
    np.testing.assert_array_equal(inked(page, ".vaelab-prior"), before)


def test_at_beta_16_every_sample_is_the_same(page) -> None:
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert_shows(page, 16.0, 2, 0)

    assert np.ptp(inked(page, ".vaelab-prior"), axis=0).max() < 0.05


def test_the_address_opens_the_same_view(open_page, disk) -> None:
    page = open_page(disk + "beta_latent.html#beta_latent.beta=0.5&beta_latent.image=20")
    page.wait_for_function("window.vaelabData?.beta_latent")
    assert_shows(page, 0.5, 2, 20)

    page.evaluate("location.hash = 'beta_latent.latent_dim=16'")
    page.wait_for_function("document.querySelector('.chosen text').textContent === 'd = 16'")
    assert_shows(page, 0.5, 16, 20)  # what an address leaves out stays as it is
