"""Predictions in a real browser, on a small page that has one of each kind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.book.predictions_page import SECRETS, build
from tests.browser import accessibility_problems, overflow, serve


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """A small site, in a theme that adds nothing."""
    return build(tmp_path_factory.mktemp("predictions"))


@pytest.fixture(scope="module", params=["http", "file"])
def site(request, small: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"{small.as_uri()}/"
    else:
        with serve(small) as address:
            yield address


@pytest.fixture
def disk(small: Path) -> str:
    return f"{small.as_uri()}/index.html"


def card(page: Page, name: str):
    return page.locator(f'[data-vaelab-prediction="p03-{name}"]')


def guess_by_keyboard(page: Page, name: str, *keys: str) -> None:
    card(page, name).locator("input").first.focus()
    for key in (*keys, "Enter"):
        page.keyboard.press(key)


def verdict(page: Page, name: str) -> str:
    return re.sub(r"\s*So far.*", "", card(page, name).get_by_role("status").inner_text())


def is_read(page: Page, secret: str) -> bool:
    """Whether a text is on the page for eyes and for screen readers."""
    return page.get_by_text(secret).evaluate(
        "el => el.checkVisibility({ contentVisibilityAuto: true })"
    )


def read(page: Page) -> list[bool]:
    return [is_read(page, secret) for secret in SECRETS]


def tally(page: Page) -> str:
    return page.locator(".vaelab-tally p").inner_text()


# Guessing


def test_results_wait_and_the_rest_of_the_page_does_not(open_page, disk) -> None:
    page = open_page(disk)

    assert read(page) == [False, False, False]
    assert not is_read(page, "It reads it.")
    assert is_read(page, "The end.")
    assert tally(page) == "Your predictions in this chapter: 0 of 4 made, 0 close."


def test_a_guess_by_mouse_on_a_log_slider(open_page, site) -> None:
    page = open_page(f"{site}index.html")
    slider = card(page, "log").get_by_role("slider", name="Your guess")
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] - 4, "y": box["height"] / 2})
    assert card(page, "log").locator(".vaelab-shown").inner_text() == "1,000,000 draws"

    card(page, "log").get_by_role("button", name="That is my guess").click()

    assert read(page) == [True, False, False]
    assert verdict(page, "log") == (
        "Measured: 2,800 draws. Your guess, 1,000,000 draws, is too high by a factor of 360."
    )
    assert card(page, "log").get_by_role("button").count() == 0
    assert slider.is_disabled()
    assert tally(page).endswith("1 of 4 made, 0 close.")


def test_a_guess_by_keyboard(open_page, site) -> None:
    page = open_page(f"{site}index.html")
    slider = card(page, "log").get_by_role("slider")
    assert slider.get_attribute("aria-valuetext") == "1,000 draws"

    guess_by_keyboard(page, "log", "ArrowRight", "ArrowRight")

    assert slider.get_attribute("aria-valuetext") == "1,500 draws"
    assert verdict(page, "log").endswith("1,500 draws, is too low by a factor of 1.9.")
    assert tally(page).endswith("1 of 4 made, 1 close.")
    # Focus goes to the result, and from there on into it or past it.
    assert page.evaluate("document.activeElement.innerText").startswith(SECRETS[0])
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize(
    ("keys", "says", "close"),
    [
        (["Space", "ArrowDown"], "Measured: it's the prior. Your guess is right.", 1),
        (["Space"], "Measured: it's the prior. Your guess was: the encoder.", 0),
    ],
)
def test_a_choice_by_keyboard(open_page, disk, keys, says, close) -> None:
    page = open_page(disk)
    guess_by_keyboard(page, "choice", *keys)

    assert verdict(page, "choice") == says
    assert read(page) == [False, True, False]
    assert is_read(page, "It reads it.")
    right = card(page, "choice").locator("label", has_text="measured")
    assert right.inner_text().startswith("it's the prior")
    assert tally(page).endswith(f"1 of 4 made, {close} close.")


def test_a_choice_has_to_be_made(open_page, disk) -> None:
    page = open_page(disk)
    card(page, "choice").get_by_role("button", name="That is my guess").click()

    assert read(page) == [False, False, False]
    assert page.evaluate("document.activeElement.type") == "radio"


def test_a_shared_result_waits_for_both(open_page, disk) -> None:
    page = open_page(disk)
    guess_by_keyboard(page, "under", "Home")

    assert read(page) == [False, False, False]
    assert verdict(page, "under") == "Noted. The result opens with the other answer."
    assert page.evaluate("document.activeElement.id") == "p03-over-guess"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert read(page) == [False, False, True]
    assert verdict(page, "under").endswith("0%, is too low by 16 percentage points.")
    assert verdict(page, "over").endswith("100%, is too high by 5 percentage points.")
    assert tally(page).endswith("2 of 4 made, 1 close.")


def test_the_mark_of_the_truth_stands_at_its_place(open_page, disk) -> None:
    page = open_page(disk)
    guess_by_keyboard(page, "over", "End", *["ArrowLeft"] * 5)
    guess_by_keyboard(page, "under", "Home")
    thumb = "el => (el.value / el.max) * (el.offsetWidth - 24) + 12"  # its middle
    slider = card(page, "over").locator("input")
    mark = "el => parseFloat(getComputedStyle(el, '::before').insetInlineStart) + 1.5 + 12"

    at = card(page, "over").locator(".vaelab-truth").evaluate(mark)

    assert verdict(page, "over").endswith("as near as the slider goes.")
    assert at == pytest.approx(slider.evaluate(thumb), abs=1)


# Without a guess


def test_whoever_asks_is_shown(open_page, disk) -> None:
    page = open_page(disk)
    card(page, "choice").get_by_role("button", name="Show me").click()

    assert read(page) == [False, True, False]
    assert verdict(page, "choice") == "Measured: it's the prior."
    assert tally(page).endswith("0 of 4 made, 0 close.")


@pytest.mark.parametrize(("place", "leads_to"), [("log", 0), ("choice", 1), (None, 0)])
def test_every_result_can_be_shown(open_page, disk, place, leads_to) -> None:
    page = open_page(disk)
    within = card(page, place) if place else page.locator(".vaelab-tally")
    within.get_by_role("button", name="Show all").click()

    assert read(page) == [True, True, True]
    assert page.evaluate("document.activeElement.innerText").startswith(SECRETS[leads_to])
    assert card(page, "log").locator(".vaelab-shown").is_hidden()  # nothing was guessed
    page.reload()
    assert read(page) == [True, True, True]


def test_an_address_can_ask_for_every_result(open_page, disk) -> None:
    page = open_page(f"{disk}?reveal")
    assert read(page) == [True, True, True]

    page.goto(disk)
    assert read(page) == [False, False, False]  # for that visit only


def test_without_javascript_the_results_are_there(open_page, site) -> None:
    page = open_page(f"{site}index.html", java_script_enabled=False)

    for secret in SECRETS:
        assert page.get_by_text(secret).is_visible()
    assert page.get_by_text("Which one is better?").is_visible()
    assert page.locator("form").get_by_role("button").count() == 0
    assert page.locator("input:visible").count() == 0


def test_print_shows_everything(open_page, disk) -> None:
    page = open_page(disk)
    page.emulate_media(media="print")

    assert read(page) == [True, True, True]
    assert page.get_by_role("button").count() == 0


def test_a_link_into_a_result_opens_it(open_page, site) -> None:
    page = open_page(f"{site}index.html#claim-P022&widget.beta=4")
    assert read(page) == [True, False, False]
    assert page.locator("#claim-P022").bounding_box()["y"] < 800

    page.goto(f"{site}plain.html")
    page.goto(f"{site}index.html")
    assert read(page) == [False, False, False]
    page.get_by_role("link", name="To it").click()
    assert read(page) == [True, False, False]


def test_a_link_opens_it_where_the_browser_does_not(open_page, disk) -> None:
    page = open_page(disk)
    # Changes the address and nothing else, as following a link does without `until-found`.
    page.evaluate("history.replaceState(null, '', '#claim-P022')")
    assert read(page) == [False, False, False]

    page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")

    assert read(page) == [True, False, False]


@pytest.mark.parametrize("hash_", ["#", "#nowhere", "#%E0%A4%A", "#p03-log"])
def test_other_links_open_nothing(open_page, disk, hash_) -> None:
    page = open_page(disk + hash_)

    assert read(page) == [False, False, False]


def test_a_search_that_leads_here_opens_what_it_found(open_page, disk) -> None:
    page = open_page(f"{disk}?highlight=SECOND+secretary")

    assert read(page) == [False, True, False]
    assert page.locator(".highlighted", has_text="second").first.is_visible()


def test_the_browsers_own_search_can_open_it(open_page, disk) -> None:
    page = open_page(disk)
    result = page.locator(".vaelab-result").first
    assert result.get_attribute("hidden") == "until-found"

    result.dispatch_event("beforematch")

    assert read(page) == [True, False, False]


# What the browser keeps


def test_guesses_last_and_can_be_forgotten(open_page, site) -> None:
    page = open_page(f"{site}index.html")
    guess_by_keyboard(page, "log", "End")
    guess_by_keyboard(page, "choice", "Space", "ArrowDown")
    before = [verdict(page, "log"), verdict(page, "choice"), tally(page)]
    assert before[2].endswith("2 of 4 made, 1 close.")

    page.reload()

    assert [verdict(page, "log"), verdict(page, "choice"), tally(page)] == before
    assert read(page) == [True, True, False]
    assert card(page, "log").locator(".vaelab-shown").inner_text() == "1,000,000 draws"
    assert card(page, "choice").get_by_label("it's the prior").is_checked()
    assert page.evaluate("document.activeElement.tagName") == "BODY"

    page.get_by_role("button", name="Start over").click()
    for _ in range(2):
        assert read(page) == [False, False, False]
        assert tally(page).endswith("0 of 4 made, 0 close.")
        assert card(page, "log").locator(".vaelab-shown").inner_text() == "1,000 draws"
        assert card(page, "choice").locator("input:checked").count() == 0
        page.reload()
    assert page.evaluate("Object.keys(localStorage)") == []


def test_nothing_breaks_where_nothing_can_be_kept(browser, disk) -> None:
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # As in a browser told to block cookies. Sphinx's own script asks too, and fails.
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })"
    )
    page.goto(disk)
    ours = [error for error in errors if "blocked" not in error]
    guess_by_keyboard(page, "log", "End")

    assert read(page) == [True, False, False]
    assert tally(page).endswith("1 of 4 made, 0 close.")
    assert ours == []
    page.close()


def test_a_kept_guess_that_no_longer_fits_is_left_out(open_page, disk) -> None:
    page = open_page(disk)
    page.evaluate("localStorage.setItem('vaelab.p03-log', '17 pints')")
    page.reload()

    assert read(page) == [False, False, False]
    assert card(page, "log").locator(".vaelab-shown").inner_text() == "1,000 draws"


# For everybody


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_before_and_after(open_page, disk, theme) -> None:
    page = open_page(disk, color_scheme=theme)
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    within = ".vaelab, .vaelab-result"

    assert accessibility_problems(page, within) == []
    guess_by_keyboard(page, "log", "End")
    guess_by_keyboard(page, "choice", "Space")
    guess_by_keyboard(page, "under", "Home")
    assert accessibility_problems(page, within) == []
    card(page, "over").get_by_role("button", name="Show me").click()
    assert accessibility_problems(page, within) == []


def test_only_the_new_verdict_is_announced(open_page, disk) -> None:
    page = open_page(disk)
    guess_by_keyboard(page, "log", "End")
    page.evaluate(
        """() => {
            window.said = [];
            for (const status of document.querySelectorAll("[role=status]")) {
                const note = () => said.push(status.textContent);
                new MutationObserver(note).observe(status, { childList: true, subtree: true });
            }
        }"""
    )
    guess_by_keyboard(page, "choice", "Space", "ArrowDown")
    page.wait_for_function("said.length > 0")

    assert set(page.evaluate("said")) == {
        "Measured: it's the prior. Your guess is right. So far: 2 of 4 made, 1 close."
    }


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window_or_jumps_while_loading(open_page, disk, width) -> None:
    page = open_page(disk, viewport={"width": width, "height": 700})
    shift = page.evaluate(
        """() => new Promise((resolve) => {
            let total = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) total += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => resolve(total), 200);
        })"""
    )
    assert shift < 0.01
    assert overflow(page) == 0

    page.locator("[data-do=all]").first.click()
    assert overflow(page) == 0


def test_nothing_moves_by_itself(open_page, disk) -> None:
    page = open_page(disk)
    guess_by_keyboard(page, "log", "End")

    assert page.evaluate("document.getAnimations().length") == 0


def test_its_style_holds_beside_that_of_a_widget(open_page, disk) -> None:
    page = open_page(disk)
    style = """(el, name) => getComputedStyle(el).getPropertyValue(name)"""

    assert card(page, "log").evaluate(style, "border-inline-start-width") == "4px"
    assert card(page, "log").locator("legend").evaluate(style, "font-weight") == "400"
    commit = card(page, "log").get_by_role("button", name="That is my guess")
    commit.hover()
    assert commit.evaluate(style, "color") != commit.evaluate(style, "background-color")


def test_pages_without_questions_load_nothing_for_them(small) -> None:
    assert "vaelab-predictions" in (small / "index.html").read_text(encoding="utf-8")
    assert "vaelab-predictions" not in (small / "plain.html").read_text(encoding="utf-8")
