"""Every page of the built book, in a real browser."""

import pytest

from tests.browser import accessibility_problems, overflow


def test_it_opens_in_silence_and_asks_nothing_of_other_hosts(open_page, address, page_path) -> None:
    page = open_page(address + page_path)  # which in the end checks console and requests
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # what loads when in view
    page.wait_for_load_state("networkidle")

    assert page.title()
    names = page.evaluate("[...document.querySelectorAll('.vaelab [id]')].map((el) => el.id)")
    assert len(names) == len(set(names))  # each widget brings its own copy of shared scripts


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page, http, page_path, theme) -> None:
    page = open_page(http + page_path, color_scheme=theme)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dataset.theme") in {theme, None}

    assert accessibility_problems(page) == []


def test_it_fits_a_phone(open_page, http, page_path) -> None:
    page = open_page(http + page_path, viewport={"width": 360, "height": 740})
    page.wait_for_load_state("networkidle")

    assert overflow(page) == 0


def test_the_front_page_leads_to_the_introduction(open_page, address) -> None:
    page = open_page(address + "index.html")
    page.wait_for_url("**/intro.html")

    assert page.get_by_role("heading", level=1).is_visible()
