"""The built book as a reader meets it: how fast widgets answer, and what pages weigh.

Usage: python -m benchmarks.pages [--book _build/html] [--rounds 3] [--only chapters/01]

Drives Chromium over the built book, served on loopback, and writes ``PAGES.md``, anew after
each page, so that what was measured is kept if it stops; with ``--only`` it prints instead. Ends
with 1 where a bound is exceeded.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from benchmarks.driving import (
    IDLE,
    RECORDER,
    Action,
    by_control,
    drive,
    least,
    p95,
    wait_until_quiet,
)
from tests.browser import Watch, accessibility_problems, launch, serve

ROOT = Path(__file__).resolve().parent.parent
BOOK, RESULTS = ROOT / "_build" / "html", ROOT / "benchmarks" / "PAGES.md"
THEMES = ("light", "dark")
THROTTLING = 4
# Milliseconds that 95 of 100 actions may take, without and with throttling; seconds until the
# first widget is drawn; bytes of a page with all it loads.
MOST_ACTION, MOST_THROTTLED, MOST_VISIBLE, MOST_BYTES = 8.0, 40.0, 0.4, 1_300_000

PREFACE = """# Pages and widgets

Written by `python -m benchmarks.pages`, never by hand. Chromium is headless, draws without a
graphics card, and reads the built book from loopback. An action is one key, one click or one move
of a drag on a real control; its time is what the page's handlers took and what the frame after it
took to draw; what a widget puts off until then is not in it. *Clock* is the page's own; *processor*
is from the browser's trace, in which nothing counts that another program did on the same core, so
it is what the bounds are held against. *Throttled* is with the browser's emulation of a processor
{throttling} times slower. Every action is done in {rounds} rounds, each on a fresh page, and its
least time counts; p95 is over actions. The first row of each widget is the cost of measuring.
"""

# When the first widget is drawn, in seconds from the start of navigation.
FIRST_WIDGET = """(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => (window.firstWidget = performance.now() / 1000);
    const look = () => {
        const widget = document.querySelector(".vaelab-host .vaelab");
        if (widget?.offsetHeight) channel.port2.postMessage(0);
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})()"""

SCROLL = """async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight / 2) {
        scrollTo({ top: y, behavior: "instant" });
        await new Promise((resolve) => setTimeout(resolve, 60));
    }
}"""


@dataclass
class WidgetResult:
    """One widget where the book shows it."""

    name: str
    path: str
    plain: list[Action]
    throttled: list[Action]

    def answered(self, throttled: bool) -> list[Action]:
        """The actions that something answers."""
        actions = self.throttled if throttled else self.plain
        return [action for action in actions if action.control != IDLE]


@dataclass
class PageResult:
    """One page of the book."""

    path: str
    weight: int = 0
    first_widget: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    findings: dict[str, list[str]] = field(default_factory=dict)


def pages(book: Path) -> list[str]:
    """Every page, relative to the book's root.

    Raises:
        FileNotFoundError: If there is no built book.
    """
    if not (book / "index.html").exists():
        raise FileNotFoundError(f"there is no built book in {book}: run `python tasks.py book`")
    found = (path.relative_to(book) for path in book.rglob("*.html"))
    paths = (path.as_posix() for path in found if path.parts[0] != "_static")
    return sorted(path for path in paths if path != "index.html")  # which only leads on


def opened(browser: Browser, url: str, script: str = "", **options) -> tuple[Page, Watch]:
    """A page in a context of its own, with nothing cached."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = context.new_page()
    watch = Watch(page)
    if script:
        page.add_init_script(script)
    page.goto(url)
    return page, watch


def examine(browser: Browser, address: str, path: str, rounds: int) -> PageResult:
    """Weight, silence, accessibility, and when the first widget is there."""
    result = PageResult(path)
    for theme in THEMES:
        bodies: dict[str, int] = {}
        page, watch = opened(browser, "about:blank", color_scheme=theme)
        page.on("response", lambda response, bodies=bodies: note_body(response, bodies))
        page.goto(address + path)
        page.evaluate(SCROLL)
        page.wait_for_load_state("networkidle")
        result.findings[theme] = accessibility_problems(page)
        result.weight = max(result.weight, sum(bodies.values()))
        result.problems += watch.problems
        result.outside += watch.outside
        page.context.close()
    if widgets_of(browser, address + path):
        for _ in range(rounds):
            page, _ = opened(browser, address + path, FIRST_WIDGET)
            page.wait_for_function("window.firstWidget")
            result.first_widget.append(page.evaluate("firstWidget"))
            page.context.close()
    return result


def note_body(response, bodies: dict[str, int]) -> None:
    """The size of an answer as a server that compresses would send it."""
    try:
        body = response.body()
    except Error:  # a redirection has none
        return
    bodies[response.url] = min(len(body), len(gzip.compress(body, 6)))


def widgets_of(browser: Browser, url: str) -> list[str]:
    page, _ = opened(browser, url)
    names = page.locator("[data-vaelab-widget]").evaluate_all(
        "all => all.map((el) => el.dataset.vaelabWidget)"
    )
    page.context.close()
    return list(dict.fromkeys(names))


def time_widget(browser: Browser, url: str, name: str, rate: int) -> list[Action]:
    """Every action on a widget, with the processor ``rate`` times slower."""
    page, _ = opened(browser, url, RECORDER)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    widget = page.locator(f"[data-vaelab-widget={name}]").first
    widget.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    wait_until_quiet(session)
    session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    actions = drive(browser, page, widget)
    page.context.close()
    return actions


def over_bounds(widgets: list[WidgetResult], results: list[PageResult]) -> Iterator[str]:
    """What is not as it should be, a line each."""
    for each in widgets:
        for throttled, most in ((False, MOST_ACTION), (True, MOST_THROTTLED)):
            if p95([action.processor for action in each.answered(throttled)]) >= most:
                how = "throttled" if throttled else "plain"
                yield f"{each.name}, {how}: p95 is not under {most:g} ms"
    for each in results:
        if each.first_widget and statistics.median(each.first_widget) >= MOST_VISIBLE:
            yield f"{each.path}: its first widget is not there within {MOST_VISIBLE:g} s"
        if each.weight > MOST_BYTES:
            yield f"{each.path}: it weighs over {MOST_BYTES / 1e6:g} MB"
        yield from (f"{each.path}: it asked for {url}" for url in each.outside)
        yield from (f"{each.path}: console {problem}" for problem in each.problems)
        for theme, findings in each.findings.items():
            yield from (f"{each.path}, {theme}: {finding}" for finding in findings)


def widget_table(widgets: list[WidgetResult]) -> str:
    lines = [
        "| widget | control | actions | p95 processor, ms | clock | throttled: processor | clock |",
        "|---|---|---|---|---|---|---|",
    ]

    def row(name: str, control: str, plain: list[Action], throttled: list[Action]) -> str:
        times = [
            f"{p95([getattr(action, kind) for action in actions]):.1f}"
            for actions in (plain, throttled)
            for kind in ("processor", "wall")
        ]
        return f"| {name} | {control} | {len(plain)} | {' | '.join(times)} |"

    for each in widgets:
        lines.append(row(f"**{each.name}**", "all", each.answered(False), each.answered(True)))
        throttled = by_control(each.throttled)
        for control, actions in by_control(each.plain).items():
            lines.append(row("", control, actions, throttled[control]))
    return "\n".join(lines)


def page_table(results: list[PageResult]) -> str:
    lines = [
        "| page | kB, gzipped | first widget, s | requests elsewhere | console | axe |",
        "|---|---|---|---|---|---|",
    ]
    for each in results:
        seen = each.first_widget
        first = f"{statistics.median(seen):.2f}, at most {max(seen):.2f}" if seen else ""
        axe = " + ".join(str(len(each.findings[theme])) for theme in THEMES)
        counts = f"{len(each.outside)} | {len(each.problems)} | {axe}"
        lines.append(f"| {each.path} | {each.weight / 1000:.0f} | {first} | {counts} |")
    return "\n".join(lines)


def machine(browser: Browser) -> str:
    """What it was measured on, as far as it matters and no further."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"Measured on {cores} cores ({platform.machine()}{load}), {platform.system()}, "
        f"Chromium {browser.version}, Playwright {version('playwright')}, "
        f"Python {platform.python_version()}."
    )


def report(widgets: list[WidgetResult], results: list[PageResult], where: str, rounds: int) -> str:
    over = list(over_bounds(widgets, results))
    verdict = "Nothing exceeds its bound." if not over else "Over a bound:"
    parts = [
        PREFACE.format(throttling=THROTTLING, rounds=rounds),
        where,
        "## Widgets",
        f"Bounds on p95: {MOST_ACTION:g} ms, and {MOST_THROTTLED:g} ms throttled.",
        widget_table(widgets),
        "## Pages",
        f"Bounds: {MOST_BYTES / 1000:,.0f} kB with all that a page loads, the first widget drawn "
        f"within {MOST_VISIBLE:g} s, and zero of the rest. axe-core looks at the whole page, in "
        "the light theme + in the dark one.",
        page_table(results),
        "\n".join([verdict, *(f"- {line}" for line in over)]),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--book", type=Path, default=BOOK)
    parser.add_argument("--rounds", type=int, default=3, help="of all that is timed")
    parser.add_argument("--only", default="", help="pages whose path holds this")
    options = parser.parse_args(arguments)
    try:
        paths = pages(options.book)
    except FileNotFoundError as error:
        print(f"pages: {error}", file=sys.stderr)
        return 1
    widgets, results = [], []

    def so_far() -> str:
        return report(widgets, results, where, options.rounds)

    with sync_playwright() as playwright, serve(options.book) as address:
        browser = launch(playwright)
        where = machine(browser)
        for path in filter(lambda path: options.only in path, paths):
            results.append(examine(browser, address, path, options.rounds))
            for name in widgets_of(browser, address + path):
                rates = (1, THROTTLING)
                times = [
                    least(
                        [
                            time_widget(browser, address + path, name, rate)
                            for _ in range(options.rounds)
                        ]
                    )
                    for rate in rates
                ]
                widgets.append(WidgetResult(name, path, *times))
            print(f"{path} is done", flush=True)
            if not options.only:
                RESULTS.write_text(so_far(), encoding="utf-8", newline="\n")
        browser.close()
    if options.only:
        print(so_far())
    over = list(over_bounds(widgets, results))
    print("\n".join(over) or "nothing exceeds its bound")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
