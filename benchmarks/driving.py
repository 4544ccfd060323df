"""Driving a widget in Chromium as a reader would, and timing each action.

An action is one key, one click or one move of a drag, which the browser sends to the real control.
Its time is what the page's handlers took and what the frame that follows took to draw: its
callbacks, styles, layout and painting. It is taken twice: by the page's clock, and from the
browser's trace as time of the processor, in which nothing counts that other programs did
meanwhile. What is put off until that frame is drawn is in neither, nor is what the compositor
does later, in a thread of its own.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, Locator, Page

# The first listener of every event and the last: what lies between is the page's handlers. The
# frame's own callback is asked for before they run, so that it comes before theirs; a message
# sent from it arrives when the frame is drawn.
RECORDER = """(() => {
    const channel = new MessageChannel();
    let [depth, begun, handling, drawing, waiting] = [0, 0, 0, 0, false];
    let [most, tell] = [0, () => {}];
    channel.port1.onmessage = () => {
        most = Math.max(most, handling + performance.now() - drawing); // an action may span frames
        [handling, waiting] = [0, false];
        tell();
    };
    const begin = () => {
        if (!waiting) {
            waiting = true;
            requestAnimationFrame(() => {
                drawing = performance.now();
                channel.port2.postMessage(0);
            });
        }
        if (depth++ === 0) begun = performance.now();
    };
    const end = () => {
        if (--depth === 0) handling += performance.now() - begun;
    };
    const pointer = ["pointerdown", "pointermove", "pointerup"];
    for (const type of ["keydown", "input", "change", "click", ...pointer]) {
        window.addEventListener(type, begin, true);
        window.addEventListener(type, end);
    }
    window.recorder = {
        start() {
            most = 0;
            performance.mark("begin");
        },
        async take() {
            if (waiting) await new Promise((resolve) => (tell = resolve));
            performance.mark("end");
            return most;
        },
    };
})()"""

# The same in the browser's trace.
TIMED = {"EventDispatch", "TimerFire", "FireAnimationFrame", "UpdateLayoutTree", "Layout"}
TIMED |= {"PrePaint", "Layerize", "Paint", "Commit"}
TRACED = ["devtools.timeline", "blink.user_timing"]

SLIDER_STEPS = 24  # of one slider
DRAG_STEPS = 30  # on one surface
CLICKS = 10  # of one button, or in one set of buttons
# Where a pointer is shown one of these, it drags or draws.
DRAGGED = ("crosshair", "cell", "grab", "move", "ew-resize", "col-resize")


@dataclass
class Action:
    """One action: the control, and milliseconds by the page's clock and of its main thread."""

    control: str
    wall: float
    processor: float


def p95(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=20, method="inclusive")[-1]


def main_thread(session: CDPSession) -> float:
    """Milliseconds that the page's main thread has been at work."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1000 * next(each["value"] for each in metrics if each["name"] == "TaskDuration")


def wait_until_quiet(session: CDPSession, limit: float = 60) -> None:
    """Until the page has nothing left to do: what it decodes or measures on arrival is done.

    Raises:
        TimeoutError: If it goes on for longer than ``limit`` seconds.
    """
    end = time.monotonic() + limit
    before = main_thread(session)
    while time.monotonic() < end:
        time.sleep(0.5)
        now = main_thread(session)
        if now - before < 10:
            return
        before = now
    raise TimeoutError(f"the page was still at work after {limit:g} seconds")


def drive(browser: Browser, page: Page, widget: Locator) -> list[Action]:
    """Use every control of a widget, and time each action."""
    controls, walls = [], []
    browser.start_tracing(page=page, categories=TRACED)
    for control, act in plan(page, widget):
        page.evaluate("recorder.start()")
        act()
        walls.append(page.evaluate("recorder.take()"))
        controls.append(control)
    processor = processor_times(json.loads(browser.stop_tracing())["traceEvents"])
    return [Action(*each) for each in zip(controls, walls, processor, strict=True)]


def processor_times(trace: list[dict]) -> list[float]:
    """Milliseconds of the processor between each pair of the recorder's marks.

    What happens within something else, such as a layout that a handler forces, counts once.
    """
    trace = sorted((each for each in trace if "ts" in each), key=lambda each: each["ts"])
    marks = [each for each in trace if each["name"] in ("begin", "end")]
    thread = (marks[0]["pid"], marks[0]["tid"])
    times: list[float] = []
    counting, busy_until = False, 0.0
    for each in trace:
        if (each["pid"], each["tid"]) != thread:
            continue
        if each["name"] == "begin":
            times.append(0.0)
        if each["name"] in ("begin", "end"):
            counting = each["name"] == "begin"
        elif counting and each["name"] in TIMED and "dur" in each and each["ts"] >= busy_until:
            times[-1] += each.get("tdur", each["dur"]) / 1000
            busy_until = each["ts"] + each["dur"]
    return times


def least(rounds: list[list[Action]]) -> list[Action]:
    """Of each action the least time of all rounds: in the others something else ran as well."""
    return [
        Action(
            same[0].control,
            min(each.wall for each in same),
            min(each.processor for each in same),
        )
        for same in zip(*rounds, strict=True)
    ]


def by_control(actions: list[Action]) -> dict[str, list[Action]]:
    grouped: dict[str, list[Action]] = {}
    for action in actions:
        grouped.setdefault(action.control, []).append(action)
    return grouped


# What there is to do. What comes before an action is yielded is not timed.

Plan = Iterator[tuple[str, Callable[[], object]]]
IDLE = "a key that nothing answers"


def plan(page: Page, widget: Locator) -> Plan:
    """Every action, with the name of its control; first some that only cost the measuring."""
    for _ in range(CLICKS):
        yield IDLE, lambda: page.keyboard.press("F9")
    yield from keys(page, widget)
    yield from drags(page, widget)
    yield from clicks(page, widget)


def keys(page: Page, widget: Locator) -> Plan:
    for slider in widget.locator("input[type=range]").all():
        if not slider.is_visible():  # it waits on another tab
            continue
        name = slider.evaluate("el => el.labels[0]?.firstChild.textContent.trim()")
        slider.focus()
        page.keyboard.press("Home")
        for _ in range(min(SLIDER_STEPS, int(slider.get_attribute("max")))):
            yield name, lambda: page.keyboard.press("ArrowRight")
    for radio in widget.locator("input[type=radio]:checked").all():
        if not radio.is_visible():
            continue
        name = radio.evaluate("el => el.closest('fieldset').querySelector('legend').textContent")
        radio.focus()
        for _ in range(CLICKS):
            yield name, lambda: page.keyboard.press("ArrowRight")


def drags(page: Page, widget: Locator) -> Plan:
    for surface in widget.locator(":is(div, svg, canvas)").all():
        name = surface.evaluate(
            """(el, cursors) => {
                const isDragged = (el) => cursors.includes(getComputedStyle(el).cursor);
                if (!isDragged(el) || isDragged(el.parentElement)) return "";
                return el.getAttribute("class") || "a surface";
            }""",
            list(DRAGGED),
        )
        if not name or not surface.is_visible():
            continue
        surface.scroll_into_view_if_needed()
        box = surface.bounding_box()
        at = lambda x, y, box=box: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
        name = f"drag on {name}"
        page.mouse.move(*at(0.5, 0.5))
        yield name, page.mouse.down
        for k in range(1, DRAG_STEPS):
            part = k / DRAG_STEPS
            place = at(part, part) if k % 2 else at(1 - part, 0.5)
            yield name, lambda place=place: page.mouse.move(*place)
        yield name, page.mouse.up


def clicks(page: Page, widget: Locator) -> Plan:
    sets: dict[str, list[Locator]] = {}
    for button in widget.locator("button").all():
        label = button.evaluate("el => el.name || el.textContent.trim() || el.className")
        if button.is_visible() and label != "Present":  # it opens a dialog, which moves the widget
            sets.setdefault(label, []).append(button)
    for label, members in sets.items():
        name = f"click on {label if len(members) == 1 else f'{len(members)} buttons'}"
        for k in range(CLICKS):
            member = members[5 * k % len(members)]
            if not member.is_visible():  # a click has opened another tab
                continue
            member.scroll_into_view_if_needed()
            box = member.bounding_box()
            place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.mouse.move(*place)
            yield name, lambda place=place: page.mouse.click(*place)
