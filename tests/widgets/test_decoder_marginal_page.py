"""Decoder and marginal in a real browser: dragged, drawn on, by mouse, touch and keyboard."""

import re

import numpy as np
import pytest
import torch

from tests.widgets.marginal_truth import held_out, marginal, model
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.widgets import DecoderMarginal

CLOSE = {"rel": 1e-5, "abs": 1e-5}
DECODED = "document.querySelector('.vaelab-number-mass data').value"
RANKED = "document.querySelector('.vaelab-lines path[d]')"


@pytest.fixture
def page(open_page, disk):
    page = open_page(disk + "decoder_marginal.html")
    page.wait_for_function(DECODED)
    return page


def number(page, name: str) -> float:
    return float(page.locator(f".vaelab-number-{name} data").get_attribute("value"))


def bits(page) -> list[int]:
    pressed = page.locator(".vaelab-pad button").evaluate_all(
        "all => all.map((cell) => cell.ariaPressed)"
    )
    return [int(value == "true") for value in pressed]


def assert_shows(page, z: tuple[float, float], x: list[int]) -> None:
    """Every number and the decoded picture, as PyTorch has them for this z and this x."""
    image = torch.tensor([x], dtype=torch.float64)
    latent = torch.tensor([z], dtype=torch.float64)
    with torch.no_grad():
        likelihood = model().log_likelihood(image, latent).item()
        picture = model().decode_mean(latent)[0].numpy()
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(latent).sum().item()
    truth = marginal(image)

    assert bits(page) == x  # at once; the sum over the plane follows
    page.wait_for_function(
        "value => Math.abs(document.querySelector('.vaelab-number-marginal data').value - value)"
        " < 1e-4",
        arg=truth.log_marginal.item(),
    )
    assert number(page, "prior") == pytest.approx(prior, **CLOSE)
    assert number(page, "likelihood") == pytest.approx(likelihood, **CLOSE)
    assert number(page, "joint") == pytest.approx(prior + likelihood, **CLOSE)
    assert number(page, "marginal") == pytest.approx(truth.log_marginal.item(), **CLOSE)
    assert number(page, "mass") == pytest.approx(truth.prior_mass.item(), rel=1e-5)
    assert number(page, "draws") == pytest.approx(truth.effective_share.item(), rel=1e-5)
    ink = page.locator(".vaelab-images canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, i) => i % 4 === 3)"
    )
    np.testing.assert_allclose(np.array(ink) / 255, picture, atol=0.6 / 255)


def digit(i: int) -> list[int]:
    return [int(value) for value in held_out()[i]]


def place(page, z1: float, z2: float) -> dict:
    """Where a latent lies in the window."""
    box = page.locator(".vaelab-plane").bounding_box()
    return {
        "x": box["x"] + (z1 + 5) / 10 * box["width"],
        "y": box["y"] + (5 - z2) / 10 * box["height"],
    }


def cell(page, row: int, column: int) -> dict:
    box = page.locator(".vaelab-pad button").nth(8 * row + column).bounding_box()
    return {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}


def drag(page, points: list[dict]) -> None:
    page.mouse.move(**points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(**point)
    page.mouse.up()


def inked(start: list[int], cells: list[tuple[int, int]], ink: int = 1) -> list[int]:
    picture = np.array(start).reshape(8, 8)
    for row, column in cells:
        picture[row, column] = ink
    return picture.flatten().tolist()


def test_it_starts_at_the_first_digit(page) -> None:
    assert_shows(page, (0.0, 0.0), digit(0))
    recorded = DecoderMarginal.recorded()["log_likelihood"]
    assert number(page, "average") == pytest.approx(recorded, **CLOSE)


def test_the_darkest_of_the_plane_is_the_posteriors_peak(page) -> None:
    row, column = page.locator(".vaelab-plane canvas").evaluate(
        """c => {
            const { width, height } = c;
            const data = c.getContext("2d").getImageData(0, 0, width, height).data;
            let most = 3;
            for (let i = 3; i < data.length; i += 4) if (data[i] > data[most]) most = i;
            const pixel = (most - 3) / 4;
            return [Math.floor(pixel / width), pixel % width];
        }"""
    )
    peak = marginal(held_out()[:1]).peak[0].tolist()

    assert [(column - 62) * 0.08, (62 - row) * 0.08] == pytest.approx(peak)


def test_the_point_is_dragged_by_mouse(page) -> None:
    drag(page, [place(page, 0, 0), place(page, 1.1, 0.4), place(page, -1.0, 2.0)])
    z = tuple(float(v) for v in re.findall(r"z\d=([-\d.]+)", page.evaluate("location.hash")))
    assert z == pytest.approx((-1.0, 2.0), abs=0.051)  # a drag rounds to 0.05
    assert_shows(page, z, digit(0))

    page.mouse.click(**place(page, 3, -3))  # beside the point
    z = tuple(float(v) for v in re.findall(r"z\d=([-\d.]+)", page.evaluate("location.hash")))
    assert z == pytest.approx((3.0, -3.0), abs=0.051)
    assert_shows(page, z, digit(0))


def test_the_point_moves_by_keyboard_and_stays_on_the_plane(page) -> None:
    handle = page.locator(".vaelab-handle")
    handle.focus()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowUp", "ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert "(−0.50, 0.60)" in handle.get_attribute("aria-label")
    assert_shows(page, (-0.5, 0.6), digit(0))
    for _ in range(12):
        page.keyboard.press("Shift+ArrowDown")
    assert "(−0.50, −5.00)" in handle.get_attribute("aria-label")
    assert_shows(page, (-0.5, -5.0), digit(0))
    assert page.evaluate("document.activeElement.className") == "vaelab-handle"


def test_the_sliders_move_the_same_point(page) -> None:
    first, second = page.get_by_role("slider").all()
    first.focus()
    page.keyboard.press("Home")
    second.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert_shows(page, (-5.0, 4.9), digit(0))


def test_the_peak_is_found(page) -> None:
    page.get_by_role("button", name="z to the peak").click()
    peak = marginal(held_out()[:1]).peak[0].tolist()

    assert_shows(page, tuple(peak), digit(0))


def test_a_stroke_by_mouse_inks_without_holes_and_another_clears(page) -> None:
    page.get_by_role("button", name="Clear the pad").click()
    assert_shows(page, (0.0, 0.0), [0] * 64)

    drag(page, [cell(page, 1, 1), cell(page, 1, 6), cell(page, 7, 6)])
    stroke = [(1, c) for c in range(1, 7)] + [(r, 6) for r in range(1, 8)]
    drawn = inked([0] * 64, stroke)
    assert_shows(page, (0.0, 0.0), drawn)

    drag(page, [cell(page, 1, 3), cell(page, 1, 7)])  # begins on ink: it clears
    left = inked(drawn, [(1, c) for c in range(3, 8)], 0)
    assert_shows(page, (0.0, 0.0), left)
    written = "#decoder_marginal.drawing=" + "".join(map(str, left))
    assert page.evaluate("location.hash") == written
    assert page.locator(".vaelab-digits input:checked").count() == 0


def test_a_stroke_may_leave_the_pad(page) -> None:
    page.get_by_role("button", name="Clear the pad").click()
    outside = cell(page, 0, 0)
    drag(
        page, [cell(page, 0, 2), {"x": outside["x"] - 60, "y": outside["y"] - 40}, cell(page, 5, 0)]
    )

    assert bits(page)[2] == 1
    assert bits(page)[40] == 1
    page.mouse.move(**cell(page, 7, 7))  # the button is up: nothing is drawn
    assert bits(page)[63] == 0


def test_it_is_drawn_by_keyboard(page) -> None:
    page.get_by_role("button", name="Row 1, column 1", exact=True).focus()
    for key in ("End", "Space", "ArrowDown", "Enter", "ArrowDown", "ArrowRight", "Space"):
        page.keyboard.press(key)
    start = digit(0)
    expected = inked(inked(start, [(0, 7), (1, 7)]), [(2, 7)])
    assert [start[7], start[15], start[23]] == [0, 0, 0]
    assert_shows(page, (0.0, 0.0), expected)
    page.keyboard.press("Space")
    assert bits(page)[23] == 0
    assert page.evaluate("document.activeElement.ariaLabel") == "Row 3, column 8"
    # Tab leaves the pad, and comes back to the pixel it left.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.vaelab-pad')") is None
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Row 3, column 8"


def test_screen_readers_hear_what_the_pad_is(page) -> None:
    group = page.get_by_role("group", name="The image x. Arrow keys move, Space inks or clears.")
    assert group.get_by_role("button", pressed=True).count() == sum(digit(0))
    live = page.locator(".vaelab [aria-live=polite]")

    page.get_by_role("button", name="Clear the pad").click()

    text = f"log p of x: {marginal(torch.zeros(1, 64).double()).log_marginal.item():.2f} nats"
    page.wait_for_function(
        "text => document.querySelector('.vaelab [aria-live]').textContent.includes(text)",
        arg=text.replace("-", "−"),
    )
    assert "z is 0.00, 0.00." in live.inner_text()


def test_a_digit_can_be_chosen_after_drawing(page) -> None:
    page.get_by_role("button", name="Clear the pad").click()
    page.locator(".vaelab-digits label").first.click()  # the digit that was there before
    assert_shows(page, (0.0, 0.0), digit(0))
    assert page.evaluate("location.hash") == ""

    page.get_by_role("radio", name="Digit 7").check(force=True)
    labels = DecoderMarginal.recorded()["labels"]
    assert_shows(page, (0.0, 0.0), digit(labels.index("7")))
    page.get_by_role("button", name="Another 7").click()
    assert_shows(page, (0.0, 0.0), digit(labels.index("7", labels.index("7") + 1)))


def test_the_address_opens_the_same_view(open_page, disk) -> None:
    drawing = "01" * 32
    page = open_page(
        disk + "decoder_marginal.html#decoder_marginal.drawing="
        f"{drawing}&decoder_marginal.z1=-1.25&decoder_marginal.z2=0.5"
    )
    page.wait_for_function(DECODED)
    assert_shows(page, (-1.25, 0.5), [int(bit) for bit in drawing])

    page.get_by_role("button", name="Reset").click()
    assert_shows(page, (0.0, 0.0), digit(0))
    assert page.evaluate("location.hash") == ""


@pytest.mark.parametrize("drawing", ["0" * 64, "1" * 64, "01" * 32])
@pytest.mark.parametrize("z", [(-5, -5), (5, 5)])
def test_no_drawing_shows_nan(open_page, disk, drawing: str, z: tuple[int, int]) -> None:
    page = open_page(
        disk + f"decoder_marginal.html#decoder_marginal.drawing={drawing}"
        f"&decoder_marginal.z1={z[0]}&decoder_marginal.z2={z[1]}"
    )
    page.wait_for_function(RANKED)
    text = page.locator(".vaelab").inner_text()

    assert not re.search(r"NaN|undefined|Infinity", text)
    assert not re.search(r"NaN|Infinity", page.locator(".vaelab").inner_html())
    assert "Of 360, 360 are more probable than x, which lies off the strip." in text


def test_the_strip_ranks_the_image_among_all(page) -> None:
    page.wait_for_function(RANKED)
    settings = {"half_width": 6.0, "step": 0.08}
    truth = quadrature_log_marginal(held_out(), model().log_likelihood, 2, **settings)
    all_of_them = truth.log_marginal
    above = int((all_of_them > all_of_them[0]).sum())

    assert page.locator(".vaelab-lines path").get_attribute("d").count("M") == 360
    assert f"Of 360, {above} are more probable than x." in page.locator(".vaelab").inner_text()


# Touch


def fingers(page):
    session = page.context.new_cdp_session(page)

    def swipe(points: list[dict]) -> None:
        for kind, at in [("touchStart", points[0]), *(("touchMove", p) for p in points[1:])]:
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    return swipe


@pytest.fixture
def phone(open_page, disk):
    page = open_page(
        disk + "decoder_marginal.html",
        has_touch=True,
        is_mobile=True,
        viewport={"width": 360, "height": 740},
    )
    page.wait_for_function(DECODED)
    return page


def test_a_finger_draws_and_the_page_stays(phone) -> None:
    phone.get_by_role("button", name="Clear the pad").tap()
    phone.locator(".vaelab-pad").scroll_into_view_if_needed()
    before = phone.evaluate("scrollY")

    fingers(phone)([cell(phone, 1, 2), cell(phone, 3, 2), cell(phone, 6, 2)])

    assert_shows(phone, (0.0, 0.0), inked([0] * 64, [(row, 2) for row in range(1, 7)]))
    assert phone.evaluate("scrollY") == before
    phone.locator(".vaelab-pad button").nth(63).tap()
    assert bits(phone)[63] == 1


def test_a_finger_drags_the_point_and_taps_beside_it(phone) -> None:
    phone.locator(".vaelab-plane").scroll_into_view_if_needed()
    fingers(phone)([place(phone, 0, 0), place(phone, 1, 1), place(phone, 2, 1)])
    page_z = phone.locator(".vaelab-handle").get_attribute("aria-label")
    z = [float(v.replace("−", "-")) for v in re.findall(r"[−\d]+\.\d+", page_z)]
    assert z == pytest.approx([2, 1], abs=0.08)  # a pixel is 0.03

    at = place(phone, -2, -1)
    phone.touchscreen.tap(**at)
    phone.wait_for_function(  # a tap becomes a click some time after it
        "label => document.querySelector('.vaelab-handle').ariaLabel !== label", arg=page_z
    )
    page_z = phone.locator(".vaelab-handle").get_attribute("aria-label")
    z = [float(v.replace("−", "-")) for v in re.findall(r"[−\d]+\.\d+", page_z)]
    assert z == pytest.approx([-2, -1], abs=0.08)


def test_a_finger_beside_the_point_scrolls_the_page(phone) -> None:
    phone.locator(".vaelab-plane").scroll_into_view_if_needed()
    label = phone.locator(".vaelab-handle").get_attribute("aria-label")
    start = place(phone, -3, -3)
    before = phone.evaluate("scrollY")

    fingers(phone)([start, *({**start, "y": start["y"] - up} for up in range(20, 200, 20))])

    phone.wait_for_function("before => scrollY > before", arg=before)
    assert phone.locator(".vaelab-handle").get_attribute("aria-label") == label
