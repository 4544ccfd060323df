"""Fixtures for tests in a real browser."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import Watch, launch


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # For a module, not the session: as long as it lives, asyncio.run works for nobody else.
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address. At the end, no page may have complained or asked anything of a host.

    Keyword arguments are the browser context's, such as ``color_scheme="dark"``.
    """
    watches = []

    def opened(url: str, **options) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 800}, **options})
        page = context.new_page()
        page.set_default_timeout(10_000)
        watches.append(Watch(page))
        page.goto(url)
        return page

    yield opened
    for watch in watches:
        watch.page.context.close()
    for watch in watches:
        watch.check()
