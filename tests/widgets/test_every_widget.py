"""What every widget owes its reader, in a real browser: a new one is tested by being registered."""

import re

import pytest

from tests.browser import accessibility_problems, overflow
from vaelab.widgets import REGISTRY

pytestmark = pytest.mark.parametrize("name", REGISTRY)

RANGES = ".vaelab input[type=range]"
TABBABLE = ".vaelab :is(input, button, select, a[href])"


def loaded(open_page, url: str, **options):
    """A page whose widget has its data, or needs none."""
    page = open_page(url, **options)
    page.wait_for_function(
        """() => Object.keys(window.vaelabData ?? {}).length > 0
            || document.querySelector(".vaelab-host + script")
                .textContent.includes('"hasData":false')"""
    )
    return page


@pytest.mark.parametrize("path", ["{}.html", "deeper/{}.html"])
def test_it_loads_its_data_over_http_and_from_disk(open_page, site, name, path) -> None:
    page = loaded(open_page, site + path.format(name))

    assert page.locator(".vaelab").is_visible()
    assert page.locator(".vaelab-problem").is_hidden()
    assert not re.search(r"NaN|undefined|Infinity|\[object", page.locator(".vaelab").inner_text())


def test_without_javascript_it_says_what_would_be_there(open_page, disk, name) -> None:
    page = open_page(disk + f"{name}.html", java_script_enabled=False)

    assert "With JavaScript" in page.locator(".vaelab-fallback").inner_text()
    assert page.locator(".vaelab-fallback td").count() > 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("present", ["", "?present"])
def test_axe_finds_nothing(open_page, disk, name, theme, present) -> None:
    page = loaded(open_page, disk + f"{name}-{theme}.html{present}")

    assert accessibility_problems(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1600, "light")])
def test_nothing_is_wider_than_the_window(open_page, disk, name, width, scheme) -> None:
    page = loaded(
        open_page,
        disk + f"{name}.html",
        viewport={"width": width, "height": 700},
        color_scheme=scheme,
    )

    assert overflow(page) == 0


def test_theme_follows_the_page_before_the_system(open_page, disk, name) -> None:
    def background(path: str, scheme: str) -> str:
        page = open_page(disk + path, color_scheme=scheme)
        return page.locator(".vaelab").evaluate("el => getComputedStyle(el).backgroundColor")

    light = background(f"{name}-light.html", "dark")
    dark = background(f"{name}-dark.html", "light")

    assert light != dark
    assert background(f"{name}.html", "light") == light
    assert background(f"{name}.html", "dark") == dark


def test_every_control_is_reached_by_tab_and_shows_focus(open_page, disk, name) -> None:
    page = loaded(open_page, disk + f"{name}.html")
    groups = page.evaluate(
        """selector => {
            const all = [...document.querySelectorAll(selector)];
            return new Set(all.map((el, i) => el.name || i)).size; // a radio group counts once
        }""",
        TABBABLE,
    )
    reached = set()
    page.locator("h1").click()

    for _ in range(groups):
        page.keyboard.press("Tab")
        name_, label, outline = page.evaluate(
            """() => {
                const el = document.activeElement;
                const shown = el.type === "radio" ? el.nextElementSibling : el;
                return [el.name || el.textContent || el.id, el.closest(".vaelab") !== null,
                    getComputedStyle(shown).outlineStyle];
            }"""
        )
        assert label, "Tab left the widget before every control had its turn"
        assert outline == "solid"
        reached.add(name_)

    assert len(reached) == groups


def test_sliders_move_by_keyboard_and_say_their_value(open_page, disk, name) -> None:
    page = loaded(open_page, disk + f"{name}.html")
    for slider in page.locator(RANGES).all():
        slider.focus()
        page.keyboard.press("Home")
        said = [slider.get_attribute("aria-valuetext")]
        for _ in range(int(slider.get_attribute("max"))):
            page.keyboard.press("ArrowRight")
            said.append(slider.get_attribute("aria-valuetext"))

        assert len(set(said)) == len(said)
        assert page.evaluate("document.activeElement.type") == "range"  # focus stays


def test_a_change_is_announced_once_it_settles(open_page, disk, name) -> None:
    page = loaded(open_page, disk + f"{name}.html")
    live = page.locator(".vaelab [aria-live=polite]")
    page.wait_for_function("document.querySelector('.vaelab [aria-live]').textContent")
    page.evaluate(
        """() => {
            window.said = [];
            const live = document.querySelector(".vaelab [aria-live]");
            const observer = new MutationObserver(() => said.push(live.textContent));
            observer.observe(live, { childList: true });
        }"""
    )

    page.locator(RANGES).first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("said.length > 0")
    page.wait_for_timeout(300)

    assert page.evaluate("said") == [live.inner_text()]


@pytest.mark.parametrize("width", [360, 760, 1100])
def test_nothing_jumps(open_page, disk, name, width) -> None:
    """Neither while the page loads nor while values change."""
    page = loaded(open_page, disk + f"{name}.html", viewport={"width": width, "height": 4000})
    page.wait_for_timeout(300)
    shift = page.evaluate(
        """() => new Promise((resolve) => {
            let total = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) total += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => resolve(total), 200);
        })"""
    )
    tops = """() => [...document.querySelectorAll(".vaelab > *, h2")]
        .map((el) => el.getBoundingClientRect().top)"""
    before = page.evaluate(tops)
    after = []
    for control in page.locator(f"{RANGES}, .vaelab input:checked").all():
        control.focus()
        for _ in range(12):
            page.keyboard.press("ArrowLeft")
            after.append(page.evaluate(tops))

    assert shift == 0
    assert all(tops == before for tops in after)


def allowed_values(rule: dict) -> list[str]:
    """Some values of a trait, as an address has them."""
    if "bits" in rule:
        return ["0" * rule["bits"], "01" * (rule["bits"] // 2)]
    if "names" in rule or "letters" in rule:
        return rule.get("names") or rule["examples"]
    values = rule["values"] if "values" in rule else [rule["least"], rule["most"]]
    return [f"{value:.15g}" for value in values]


def another_value(widget: type, key: str, rule: dict) -> str:
    """One that is not the default, which an address leaves out."""
    default = widget.class_traits()[key].default_value
    shown = default if isinstance(default, str) else f"{default:.15g}"
    return next(value for value in reversed(allowed_values(rule)) if value != shown)


def bad_values(rule: dict) -> list[str]:
    # Of a real number's range, -1 and 0.123 may be part.
    numbers = ["-1e9", "1e9", "0,3"] if rule.get("real") else ["-1", "0.123"]
    return ["NaN", "1e400", "", "%3Cimg%20src=x%3E", *numbers]


def test_state_goes_into_the_address_and_comes_back(open_page, site, name) -> None:
    widget = REGISTRY[name]
    state = {key: another_value(widget, key, rule) for key, rule in widget.allowed().items()}
    hash_ = "#a-section&" + "&".join(f"{name}.{key}={value}" for key, value in state.items())
    page = loaded(open_page, site + f"{name}.html{hash_}")

    assert page.locator(".vaelab-problem").is_hidden()
    page.wait_for_function("scrollY > 0")  # the section was found beside the state
    assert page.evaluate("location.hash") == hash_

    page.locator("main a").click()  # a link to a section keeps the state
    page.wait_for_function("hash => location.hash === hash", arg=hash_)

    page.get_by_role("button", name="Reset").click()
    assert page.evaluate("location.hash") == "#a-section"


def test_bad_values_in_the_address_are_ignored_and_named(open_page, disk, name) -> None:
    page = loaded(open_page, disk + f"{name}.html")
    for key, rule in REGISTRY[name].allowed().items():
        named = f"{rule['bits']} zeros and ones" if "bits" in rule else allowed_values(rule)[0]
        named = rule.get("meaning", named)
        for value in bad_values(rule):
            page.goto(disk + f"{name}.html?{key}#{name}.{key}={value}")  # the query: load anew
            problem = page.locator(".vaelab-problem").inner_text()
            text = page.locator(".vaelab").inner_text().replace(problem, "")

            assert key in problem
            assert named in problem
            assert not re.search(r"NaN|undefined|Infinity", text)


@pytest.mark.parametrize("query", ["?present", "?present={}"])
def test_present_fills_the_screen_and_escape_leaves(open_page, disk, name, query) -> None:
    page = loaded(open_page, disk + f"{name}.html{query.format(name)}")
    dialog = page.locator("dialog.vaelab-present")

    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 1000, "height": 800}
    assert page.get_by_role("button", name="Leave").is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.locator("main .vaelab").is_visible()
    assert page.get_by_role("button", name="Present").is_visible()


def test_present_button_goes_there_and_back(open_page, disk, name) -> None:
    page = loaded(open_page, disk + f"{name}.html")
    before = page.locator("h2").bounding_box()

    page.get_by_role("button", name="Present").click()
    assert page.locator("dialog .vaelab").is_visible()
    page.get_by_role("button", name="Leave").click()

    page.locator("main .vaelab").wait_for()
    assert page.locator("h2").bounding_box() == before


def test_reduced_motion_stops_transitions(open_page, disk, name) -> None:
    page = loaded(open_page, disk + f"{name}.html", reduced_motion="reduce")

    moving = page.evaluate(
        """() => [...document.querySelectorAll(".vaelab *")].filter((el) => {
            const style = getComputedStyle(el);
            return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none";
        }).length"""
    )

    assert moving == 0
