"""The predictions of every chapter, in a real browser."""

import re

import pytest

from tests.book.conftest import BOOK, pages
from tests.browser import accessibility_problems, overflow

ASKING = [path for path in pages() if "data-vaelab-prediction=" in (BOOK / path).read_text("utf-8")]


def test_a_chapter_asks(book) -> None:
    assert ASKING


@pytest.mark.parametrize("path", ASKING)
def test_every_question_of_a_chapter_opens_its_result(open_page, address, path) -> None:
    page = open_page(address + path)
    closed = page.locator(".vaelab-result[hidden]")
    results = closed.count()
    assert results > 0

    for one in page.locator(".vaelab-prediction").all():
        left = closed.count()
        one.locator("input").nth(0).check() if one.get_by_role("radio").count() else None
        one.get_by_role("button", name="That is my guess").click()
        assert closed.count() <= left
    assert closed.count() == 0
    texts = page.locator(".vaelab-verdict").all_inner_texts()
    assert all(re.match(r"Measured: .+\. Your guess.* (is|was)", text) for text in texts)
    assert f"{len(texts)} of {len(texts)} made" in page.locator(".vaelab-tally p").inner_text()


@pytest.mark.parametrize("path", ASKING)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_an_opened_chapter(open_page, http, path, theme) -> None:
    page = open_page(f"{http}{path}?reveal", color_scheme=theme)
    page.wait_for_load_state("networkidle")

    assert accessibility_problems(page, ".vaelab, .vaelab-result") == []


@pytest.mark.parametrize("path", ASKING)
def test_an_opened_chapter_fits_a_phone(open_page, http, path) -> None:
    page = open_page(f"{http}{path}?reveal", viewport={"width": 360, "height": 740})
    page.wait_for_load_state("networkidle")

    assert overflow(page) == 0
