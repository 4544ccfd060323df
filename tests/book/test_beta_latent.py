"""The main widget where the reader meets it: in its chapter."""

import gzip
from urllib.parse import urlsplit

import pytest

from tests.beta_latent_view import assert_shows
from vaelab.data import load_digits

# A chapter's predictions look alike, and have sliders too.
WIDGET = "[data-vaelab-widget=beta_latent]"
LIMIT = 1_300_000  # bytes that a page with a widget may transfer, gzipped


@pytest.fixture
def page(open_page, address, beta_latent_page):
    page = open_page(f"{address}{beta_latent_page}#beta_latent.beta=1&beta_latent.latent_dim=2")
    page.locator(WIDGET).scroll_into_view_if_needed()
    page.wait_for_function("window.vaelabData?.beta_latent")
    return page


def test_it_moves_by_keyboard_and_agrees_with_pytorch(page) -> None:
    assert_shows(page, 1.0, 2, 0)
    page.get_by_role("slider", name="Weight of the KL").focus()
    page.keyboard.press("ArrowRight")
    assert_shows(page, 2.0, 2, 0)
    page.keyboard.press("Home")
    assert_shows(page, 0.1, 2, 0)
    page.keyboard.press("Tab")  # on to the latent dimension
    page.keyboard.press("ArrowRight")
    assert_shows(page, 0.1, 4, 0)


def test_it_moves_by_mouse_and_agrees_with_pytorch(page) -> None:
    widget = page.locator(WIDGET)
    widget.locator(".vaelab-segments label", has_text="16").click()
    assert_shows(page, 1.0, 16, 0)
    widget.locator(".vaelab-marks").get_by_text("4", exact=True).click()
    assert_shows(page, 4.0, 16, 0)
    widget.locator(".vaelab-digits label").nth(3).click()
    widget.get_by_role("button", name="Another 3").click()
    threes = [i for i, label in enumerate(load_digits().test_labels.tolist()) if label == 3]
    assert_shows(page, 4.0, 16, threes[1])
    widget.get_by_role("button", name="Clear the pad").click()
    assert_shows(page, 4.0, 16, "0" * 64)
    widget.get_by_role("button", name="Reset").click()
    assert_shows(page, 1.0, 8, 0)


def test_a_link_holds_a_section_and_the_state(open_page, address, beta_latent_page) -> None:
    page = open_page(address + beta_latent_page)
    section = page.locator("section[id]").last.get_attribute("id")
    page.goto(f"{address}{beta_latent_page}?again#{section}&beta_latent.beta=4")
    page.wait_for_function(
        "id => Math.abs(document.getElementById(id).getBoundingClientRect().y) < 300", arg=section
    )

    beta = page.locator(WIDGET).get_by_role("slider", name="Weight of the KL")
    assert beta.get_attribute("aria-valuetext") == "β = 4"


def test_present_works_within_the_theme(open_page, address, beta_latent_page) -> None:
    page = open_page(f"{address}{beta_latent_page}?present=beta_latent")

    assert page.locator("dialog").bounding_box() == {"x": 0, "y": 0, "width": 1000, "height": 800}
    assert page.locator("dialog .vaelab-beta-latent").is_visible()
    page.keyboard.press("Escape")
    page.locator(f"main {WIDGET} .vaelab").wait_for()


def test_without_javascript_the_chapter_still_says_it(open_page, address, beta_latent_page) -> None:
    page = open_page(address + beta_latent_page, java_script_enabled=False)

    assert page.locator(f"{WIDGET} .vaelab-fallback").is_visible()


def test_the_page_stays_light(browser, http, beta_latent_page) -> None:
    """All that a first visit transfers, as a server that compresses would send it."""
    page = browser.new_page()
    bodies = {}
    page.on("response", lambda response: bodies.setdefault(response.url, response))
    page.goto(http + beta_latent_page)
    page.locator(WIDGET).scroll_into_view_if_needed()
    page.wait_for_function("window.vaelabData?.beta_latent")
    page.wait_for_load_state("networkidle")
    sizes = {urlsplit(url).path: len(gzip.compress(r.body())) for url, r in bodies.items()}
    page.close()

    assert any("_widgets" in path for path in sizes)
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:8]
    assert sum(sizes.values()) < LIMIT, largest
