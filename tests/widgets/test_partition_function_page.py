"""The partition function in a real browser: counted, flipped, run, by pointer, touch and key."""

import math
import re

import pytest
import torch

from vaelab.exact.enumeration import binary_states
from vaelab.exact.ising import IsingGrid

CLOSE = {"rel": 1e-5, "abs": 1e-5}
PATH = "partition_function.html"
SUMMED = "document.querySelector('.vaelab-number-sum data').value"
MEASURED = "document.querySelector('.vaelab-speeds data').value"
START = 0x0660


@pytest.fixture
def page(open_page, disk):
    page = open_page(disk + PATH)
    page.wait_for_function(f"{SUMMED} && {MEASURED}")
    return page


def value(page, name: str) -> float:
    return float(page.locator(f".vaelab-number-{name} data").get_attribute("value"))


def text(page, name: str) -> str:
    return page.locator(f".vaelab-number-{name} data").inner_text()


def shown_picture(page) -> int:
    pressed = page.locator(".vaelab-board button").evaluate_all(
        "all => all.map((cell) => cell.ariaPressed)"
    )
    return int("".join("1" if each == "true" else "0" for each in pressed), 2)


def assert_shows(page, shape, coupling: float, field: float, picture: int, last=None) -> None:
    """Every number, as Python has it for this picture of this grid."""
    height, width = shape
    grid = IsingGrid.uniform(height, width, coupling, field)
    spins = 2 * binary_states(height * width, 0, picture + 1).reshape(-1, height, width) - 1
    log_f = grid.log_unnormalised(spins)
    log_z = grid.enumerate_log_normaliser()

    assert shown_picture(page) == picture
    assert value(page, "score") == pytest.approx(log_f[-1].item(), **CLOSE)
    page.wait_for_function(  # the sum follows
        "z => Math.abs(document.querySelector('.vaelab-number-sum data').value - z) < 1e-4",
        arg=log_z.item(),
    )
    assert value(page, "probability") == pytest.approx((log_f[-1] - log_z).item(), **CLOSE)
    assert value(page, "share") == pytest.approx((log_f - log_z).exp().sum().item(), **CLOSE)
    assert value(page, "sum") == pytest.approx(log_z.item(), **CLOSE)
    assert value(page, "exact") == pytest.approx(grid.log_normaliser().item(), **CLOSE)
    if last is not None:
        before = 2 * binary_states(height * width, last, last + 1).reshape(1, height, width) - 1
        ratio = log_f[-1] - grid.log_unnormalised(before)[0]
        assert value(page, "ratio") == pytest.approx(ratio.item(), **CLOSE)
    count = f"{picture + 1:,} of {2 ** (height * width):,}"
    assert page.locator(".vaelab-progress output").inner_text() == count


# How many


def test_counts_and_times_follow_from_the_speeds_it_names(page) -> None:
    rates = [
        float(each.get_attribute("value")) for each in page.locator(".vaelab-speeds data").all()
    ]
    assert all(1e4 < rate < 1e11 for rate in rates)
    slider = page.get_by_role("slider", name="Pixels, each black or white")
    slider.focus()
    for key, pixels in [("Home", 2), ("End", 524_288), ("ArrowLeft", 65_536)]:
        page.keyboard.press(key)
        assert slider.get_attribute("aria-valuetext") == f"D = {pixels:,}"
        width = math.isqrt(pixels)
        rows = math.log10(pixels) + (width - 1) * math.log10(2)
        assert value(page, "count") == pytest.approx(pixels * math.log10(2))
        assert value(page, "pictures") == pytest.approx(
            pixels * math.log10(2) - math.log10(rates[0])
        )
        assert value(page, "rows") == pytest.approx(rows - math.log10(rates[1]))
        assert value(page, "chain") == pytest.approx(math.log10(pixels / rates[2]))
    page.wait_for_function("location.hash === '#partition_function.variables=65536'")


def test_a_photograph_is_named_and_off_the_chart(page) -> None:
    page.get_by_role("slider", name="Pixels, each").focus()
    page.keyboard.press("End")

    assert text(page, "count") == "10¹⁵⁷⁸²⁶"
    assert "157,827 digits" in page.locator(".vaelab-counts").inner_text()
    assert "256 greys" in page.locator(".vaelab-count").inner_text()
    marks = page.locator(".vaelab-times .vaelab-mark")
    assert marks.evaluate_all("all => all.map((m) => m.classList.contains('beyond'))") == [
        True,
        True,
        False,
    ]
    label = page.locator(".vaelab-times").get_attribute("aria-label")
    assert re.search(r"every picture: 10 to the power 1578\d\d ages of the universe", label)


def test_a_mark_below_the_slider_is_clicked(page) -> None:
    page.locator(".vaelab-count .vaelab-marks").get_by_text("64", exact=True).click()

    assert text(page, "count") == "1.8 × 10¹⁹"
    assert page.evaluate("location.hash") == "#partition_function.variables=64"


def test_python_may_count_what_the_slider_passes_over(open_page, disk) -> None:
    page = open_page(disk + f"{PATH}#partition_function.variables=17")
    page.wait_for_function(MEASURED)

    assert text(page, "count") == "131,072"


def test_presented_at_once_it_counts_wherever_it_stands(open_page, disk) -> None:
    page = open_page(disk + "partition_function-far.html?present")

    page.wait_for_function(f"{SUMMED} && {MEASURED}")


# A sum that can be done


def test_it_starts_with_every_number(page) -> None:
    assert_shows(page, (4, 4), 0.3, 0.0, START)
    assert text(page, "ratio") == "–"


def test_pixels_are_flipped_by_mouse(page) -> None:
    page.get_by_role("button", name="Row 1, column 1").click()
    assert_shows(page, (4, 4), 0.3, 0.0, START + 0x8000, last=START)
    page.get_by_role("button", name="Row 4, column 4").click()
    assert_shows(page, (4, 4), 0.3, 0.0, START + 0x8001, last=START + 0x8000)
    page.get_by_role("button", name="Row 4, column 4").click()
    assert_shows(page, (4, 4), 0.3, 0.0, START + 0x8000, last=START + 0x8001)
    assert page.evaluate("location.hash") == f"#partition_function.picture={START + 0x8000}"


def test_pixels_are_flipped_by_keyboard(page) -> None:
    page.get_by_role("button", name="Row 1, column 1").focus()
    for key in ("ArrowRight", "ArrowDown", "Space", "ArrowUp", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert_shows(page, (4, 4), 0.3, 0.0, START - 0x0400 + 0x4000, last=START - 0x0400)
    assert page.evaluate("document.activeElement.ariaLabel") == "Row 1, column 2"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.vaelab-board')") is None
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Row 1, column 2"


def test_pixels_are_flipped_by_touch(open_page, disk) -> None:
    size = {"width": 360, "height": 740}
    page = open_page(disk + PATH, has_touch=True, is_mobile=True, viewport=size)
    page.wait_for_function(SUMMED)

    page.get_by_role("button", name="Row 2, column 1").tap()

    page.wait_for_function("document.querySelectorAll('[aria-pressed=true]').length > 4")
    assert_shows(page, (4, 4), 0.3, 0.0, START + 0x0800, last=START)


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (3, 4), (4, 5)])
def test_another_size_is_summed_at_once(page, shape) -> None:
    height, width = shape
    page.get_by_role("radio", name=f"{height} by {width}").check(force=True)
    states = f"2{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(d)] for d in str(height * width))} terms"
    page.wait_for_function(
        "states => document.querySelector('.vaelab-number-sum small').textContent.includes(states)",
        arg=states,
    )

    assert page.locator(".vaelab-board button").count() == height * width
    assert_shows(page, shape, 0.3, 0.0, START % 2 ** (height * width))


def test_coupling_and_field_move_by_keyboard(page) -> None:
    page.get_by_role("slider", name="Coupling").focus()
    page.keyboard.press("Home")
    page.get_by_role("slider", name="Field").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert_shows(page, (4, 4), -1.0, 0.95, START)
    page.wait_for_function("location.hash.includes('field')")
    hash_ = "#partition_function.coupling=-1&partition_function.field=0.95"
    assert page.evaluate("location.hash") == hash_


def test_the_most_probable_picture_is_found(page) -> None:
    page.get_by_role("slider", name="Field").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Most probable").click()
    assert_shows(page, (4, 4), 0.3, 1.0, 0xFFFF, last=START)

    page.get_by_role("slider", name="Field").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.get_by_role("slider", name="Coupling").focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Most probable").click()
    assert shown_picture(page) in {0x5A5A, 0xA5A5}  # a chessboard


def test_the_progress_bar_goes_anywhere_in_the_sum(page) -> None:
    bar = page.get_by_role("slider", name="Summed so far")
    bar.focus()
    page.keyboard.press("End")
    assert_shows(page, (4, 4), 0.3, 0.0, 0xFFFF, last=START)
    assert text(page, "share") == "100.0%"
    page.keyboard.press("Home")
    assert_shows(page, (4, 4), 0.3, 0.0, 0, last=0xFFFF)
    assert bar.get_attribute("aria-valuetext") == "1 of 65,536 pictures"


def test_next_goes_one_on_and_from_the_last_to_the_first(page) -> None:
    page.get_by_role("button", name="Next picture").click()
    assert_shows(page, (4, 4), 0.3, 0.0, START + 1, last=START)
    page.get_by_role("slider", name="Summed so far").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Next picture").click()
    assert_shows(page, (4, 4), 0.3, 0.0, 0, last=0xFFFF)


def test_a_run_draws_one_picture_after_another_and_pauses(page) -> None:
    page.get_by_role("button", name="Run").click()
    page.wait_for_function("document.querySelector('.vaelab-progress output').value > '9'")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Pause").click()
    picture = shown_picture(page)
    page.wait_for_timeout(100)

    assert START < picture < 0xFFFF
    assert shown_picture(page) == picture  # it stands still
    assert_shows(page, (4, 4), 0.3, 0.0, picture)
    assert page.evaluate("location.hash") == f"#partition_function.picture={picture}"
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Row 1, column 1").click()  # whoever flips has taken over
    assert page.get_by_role("button", name="Run").is_visible()


def test_a_run_ends_at_the_last_picture(open_page, disk) -> None:
    page = open_page(disk + f"{PATH}#partition_function.pixels=4&partition_function.picture=10")
    page.wait_for_function(SUMMED)
    page.get_by_role("button", name="Run").click()
    page.wait_for_function("document.querySelector('.vaelab-progress output').value === '16 of 16'")

    page.get_by_role("button", name="Run").wait_for()
    assert_shows(page, (2, 2), 0.3, 0.0, 15)
    assert "picture=15" in page.evaluate("location.hash")


def test_reduced_motion_goes_to_the_end_at_once(open_page, disk) -> None:
    page = open_page(disk + PATH, reduced_motion="reduce")
    page.wait_for_function(SUMMED)
    page.get_by_role("button", name="Run").click()

    assert_shows(page, (4, 4), 0.3, 0.0, 0xFFFF, last=START)
    assert page.get_by_role("button", name="Run").is_visible()


def test_the_curve_and_its_mark_show_the_shares(page) -> None:
    curve = page.locator(".vaelab-shares path.ahead").get_attribute("d")
    points = [tuple(map(float, each.split())) for each in re.split("[ML]", curve)[1:]]
    pictures = 2 * binary_states(16).reshape(-1, 4, 4) - 1
    added = IsingGrid.uniform(4, 4, 0.3).log_unnormalised(pictures).softmax(0).cumsum(0)
    torch.testing.assert_close(
        torch.tensor([1 - down for _, down in points[1:]], dtype=torch.float64),
        added[255::256],
        rtol=0,
        atol=1e-5,
    )
    mark = page.locator(".vaelab-shares .vaelab-mark").get_attribute("style")
    x, y = (float(each) for each in re.findall(r"[\d.]+", mark))
    assert (x, y) == pytest.approx(((START + 1) / 65_536, added[START].item()), abs=1e-4)


def test_screen_readers_hear_the_picture(page) -> None:
    page.get_by_role("button", name="Next picture").click()
    page.wait_for_function(
        "document.querySelector('.vaelab [aria-live]').textContent.includes('Picture 1634 of')"
    )
    said = page.locator(".vaelab [aria-live=polite]").inner_text()

    assert re.search(r"Probability \d\.\d times 10 to the power minus 5\.", said)
    assert re.search(r"Share of Z so far: 9\.\d%\.", said)


@pytest.mark.parametrize("pixels", [4, 20])
@pytest.mark.parametrize(("coupling", "field"), [(-1, -1), (-1, 1), (1, -1), (1, 1), (0, 0)])
@pytest.mark.parametrize("picture", [0, 1_048_575])
def test_no_extreme_shows_nan(open_page, disk, pixels, coupling, field, picture) -> None:
    page = open_page(
        disk + f"{PATH}#partition_function.variables=524288&partition_function.pixels={pixels}"
        f"&partition_function.coupling={coupling}&partition_function.field={field}"
        f"&partition_function.picture={picture}"
    )
    page.wait_for_function(f"{SUMMED} && {MEASURED}")

    assert not re.search(r"NaN|undefined|Infinity", page.locator(".vaelab").inner_html())
    shape = (2, 2) if pixels == 4 else (4, 5)
    assert value(page, "sum") == pytest.approx(
        IsingGrid.uniform(*shape, coupling, field).enumerate_log_normaliser().item(), **CLOSE
    )
