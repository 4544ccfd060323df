"""What every widget that ships data owes its reader, besides what every widget owes."""

import pytest

from vaelab.widgets import REGISTRY

pytestmark = pytest.mark.parametrize(
    "name", [name for name, widget in REGISTRY.items() if widget.data()]
)


def test_data_waits_until_the_widget_is_near(open_page, disk, name) -> None:
    page = open_page(disk + f"{name}-far.html")
    page.wait_for_timeout(300)
    assert page.evaluate("window.vaelabData") is None

    page.locator("h2").scroll_into_view_if_needed()
    page.wait_for_function("window.vaelabData")


def test_presented_at_once_it_has_its_data_wherever_it_stands(open_page, disk, name) -> None:
    page = open_page(disk + f"{name}-far.html?present")

    page.wait_for_function("window.vaelabData")
    assert page.evaluate("scrollY") == 0


def test_missing_data_is_said_and_figures_stay(open_page, pages, name, browser) -> None:
    page = browser.new_page()  # unwatched: the console names the missing file, as it should
    page.route("**/_widgets/**", lambda route: route.abort())
    page.goto(f"{pages.as_uri()}/{name}.html")
    problem = page.locator(".vaelab-problem")
    problem.wait_for()

    assert f"_widgets/{name}.js did not load" in problem.inner_text()
    assert page.locator(".vaelab data").first.inner_text() != ""
    page.close()
