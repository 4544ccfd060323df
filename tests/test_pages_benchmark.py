"""The benchmark of pages sees what it is to see, on a small book with faults. No times."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import pages
from benchmarks.driving import IDLE, Action, by_control, least, p95, wait_until_quiet
from tests.browser import serve

WIDGET = """<div class="vaelab-host" data-vaelab-widget="one"><div class="vaelab">
<label for="s">Slider</label><input id="s" type="range" min="0" max="5">
<fieldset><legend>Choice</legend><label><input type="radio" name="r" checked>A</label>
<label><input type="radio" name="r">B</label></fieldset>
<button type="button">Wait</button><button type="button">Present</button>
<div class="surface" style="cursor: crosshair; height: 5em"></div>
<output for="s">0</output></div></div>
<script>
const wait = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
document.querySelector("#s").oninput = () => wait(20);
document.querySelector("button").onclick = () => requestAnimationFrame(() => wait(30));
document.querySelector(".surface").onpointermove = () => wait(10);
</script>"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"></head><body><main><h1>A page</h1>{}</main></body></html>"""
FAULTY = """<img src="http://localhost:9/x.png"><script>throw new Error("a fault")</script>"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    for name, body in {"index": "", "good": WIDGET, "faulty": FAULTY}.items():
        (tmp_path / f"{name}.html").write_text(PAGE.format(body), encoding="utf-8")
    (tmp_path / "heavy.html").write_text(PAGE.format("<p>Heavy</p><script src='h.js'></script>"))
    # Bytes that do not compress.
    noise = "".join(f"{k * k * 2654435761 % 2**32:08x}" for k in range(20_000))
    (tmp_path / "h.js").write_text(f"const noise = '{noise}';")
    return tmp_path


def test_every_fault_is_found(browser, book, monkeypatch) -> None:
    monkeypatch.setattr(pages, "MOST_BYTES", 50_000)
    with serve(book) as address:
        results = [pages.examine(browser, address, path, 1) for path in pages.pages(book)]
    good, faulty, heavy = (
        next(each for each in results if each.path == f"{name}.html")
        for name in ("good", "faulty", "heavy")
    )

    assert [each.path for each in results] == ["faulty.html", "good.html", "heavy.html"]
    assert list(pages.over_bounds([], [good])) == []
    assert 0 < good.first_widget[0] < 30
    assert good.weight < 2_000
    assert heavy.weight > 50_000
    assert "localhost:9" in faulty.outside[0]
    assert any("a fault" in problem for problem in faulty.problems)
    assert all(any("image-alt" in one for one in found) for found in faulty.findings.values())
    over = "\n".join(pages.over_bounds([], results))
    for part in (
        "it asked for http://localhost:9",
        "a fault",
        "light: image-alt",
        "heavy.html: it",
    ):
        assert part in over


def test_every_control_is_driven_and_timed(browser, book) -> None:
    with serve(book) as address:
        actions = pages.time_widget(browser, address + "good.html", "one", 1)
    found = by_control(actions)

    assert {name: len(done) for name, done in found.items()} == {
        IDLE: 10,
        "Slider": 5,
        "Choice": 10,
        "drag on surface": 31,
        "click on Wait": 10,
    }
    assert min(action.wall for action in found["Slider"]) >= 20  # what handlers take
    assert min(action.wall for action in found["click on Wait"]) >= 30  # and the frame after
    # On a busy machine a wait of 20 ms is given less of the processor, never more of it.
    assert all(0 < action.processor <= action.wall + 5 for action in found["Slider"])
    moves = sorted(action.wall for action in found["drag on surface"])
    assert moves[5] >= 10
    result = pages.WidgetResult("one", "good.html", actions, actions)
    assert list(pages.over_bounds([result], [])) == ["one, plain: p95 is not under 8 ms"]
    assert "| Slider | 5 |" in pages.widget_table([result])


def test_of_each_action_the_least_counts() -> None:
    rounds = [[Action("a", 3, 1), Action("b", 5, 5)], [Action("a", 2, 2), Action("b", 9, 4)]]

    assert least(rounds) == [Action("a", 2, 1), Action("b", 5, 4)]
    with pytest.raises(ValueError, match="shorter"):
        least([rounds[0], rounds[1][:1]])


def test_p95_is_passed_by_one_in_twenty() -> None:
    assert p95([float(k) for k in range(101)]) == 95


def test_a_page_that_never_rests_is_given_up(browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.set_content("<script>setInterval(() => { for (let i = 0; i < 1e7; i++); }, 20)</script>")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    with pytest.raises(TimeoutError, match="still at work after 1 seconds"):
        wait_until_quiet(session, limit=1)
    page.close()


def test_without_a_book_it_says_how_to_get_one(tmp_path: Path, capsys) -> None:
    assert pages.main(["--book", str(tmp_path)]) == 1
    assert "run `python tasks.py book`" in capsys.readouterr().err
