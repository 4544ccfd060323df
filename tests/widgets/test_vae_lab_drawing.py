"""The lab's planes in a real browser: points chosen, drawn and rubbed out."""

import re

import numpy as np
import pytest
import torch

from tests.widgets.lab_in_browser import (
    assert_shows,
    choose,
    number,
    open_lab,
    place,
    press,
    shown_points,
    wait_for_step,
)
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.widgets.vae_lab import drawing_text, preset
from vaelab.widgets.vae_lab.in_pytorch import Lab


@pytest.fixture
def page(open_page, disk):
    return open_lab(open_page, disk)


# The planes


def test_a_point_is_chosen_by_mouse(page) -> None:
    points = preset("moons")
    i = int(points[:, 1].argmax())
    page.mouse.click(**place(page, *points[i]))
    where = ", ".join(f"{v:.2f}" for v in points[i]).replace("-", "−")
    words = page.locator(".vaelab-point-words").inner_text()

    assert f"x = ({where})" in words
    lab = Lab({})
    exact = quadrature_log_marginal(lab.x[i : i + 1], lab.vae.log_likelihood, 2)
    shown = float(re.search(r"log p\(x\) ([−\d.]+)", words)[1].replace("−", "-"))
    assert shown == pytest.approx(exact.log_marginal.item(), abs=0.02)


def test_points_are_drawn_by_mouse_and_rubbed_out(page) -> None:
    press(page, "Clear")
    page.wait_for_function(
        "document.querySelector('.vaelab-status').textContent.includes('no points')"
    )
    assert page.locator(".vaelab-number-elbo data").inner_text() == "–"
    choose(page, "On this plane", "Draw")
    page.mouse.move(**place(page, -1, 0))
    page.mouse.down()
    for x in np.linspace(-1, 1, 21):
        page.mouse.move(**place(page, x, 0.5))
    page.mouse.up()
    page.wait_for_function(
        "document.querySelector('.vaelab-status').textContent.includes(' points')"
    )
    count = shown_points(page)
    assert 8 <= count <= 22
    drawing = re.search(r"drawing=(~[\w-]+)", page.evaluate("location.hash"))[1]
    assert len(drawing) == 1 + 3 * count

    choose(page, "On this plane", "Erase")
    page.mouse.click(**place(page, 1, 0.5))
    page.wait_for_function(
        "n => !document.querySelector('.vaelab-status').textContent.includes(`${n} points`)",
        arg=count,
    )
    assert shown_points(page) < count
    press(page, "Step")
    wait_for_step(page, 1)
    assert np.isfinite(number(page, "elbo"))


def test_points_are_drawn_by_keyboard(page) -> None:
    press(page, "Clear")
    choose(page, "On this plane", "Draw")
    cursor = page.locator(".vaelab-cursor")
    cursor.focus()
    for key in ("ArrowRight", "Enter", "Shift+ArrowUp", "Enter", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    expected = drawing_text(np.array([[0.1, 0.0], [0.1, 0.5], [0.0, 0.5]]))
    page.wait_for_function("text => location.hash === `#vae_lab.drawing=${text}`", arg=expected)

    assert "(0.0, 0.5)" in cursor.get_attribute("aria-label")
    for _ in range(9):
        page.keyboard.press("Shift+ArrowDown")
    assert "(0.0, −3.0)" in cursor.get_attribute("aria-label")


def test_a_finger_draws_and_the_page_stays(open_page, disk) -> None:
    phone = open_lab(
        open_page,
        disk,
        has_touch=True,
        is_mobile=True,
        viewport={"width": 360, "height": 740},
    )
    phone.get_by_role("button", name="Clear", exact=True).tap()
    choose(phone, "On this plane", "Draw")
    phone.locator(".vaelab-data-plane").scroll_into_view_if_needed()
    before = phone.evaluate("scrollY")
    session = phone.context.new_cdp_session(phone)
    points = [place(phone, x, 0.0) for x in np.linspace(-2, 2, 9)]
    for kind, at in [("touchStart", points[0]), *(("touchMove", p) for p in points[1:])]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.wait_for_function(
        "document.querySelector('.vaelab-status').textContent.includes(' points')"
    )

    assert 6 <= shown_points(phone) <= 9
    assert phone.evaluate("scrollY") == before


def test_an_address_with_a_drawing_opens_it(open_page, disk) -> None:
    points = np.random.default_rng(1).uniform(-2, 2, (40, 2))
    text = drawing_text(points)
    page = open_lab(open_page, disk, f"#vae_lab.drawing={text}&vae_lab.latent_dim=1")

    assert shown_points(page) == 40
    lab = Lab({"latent_dim": 1})
    lab.x = torch.from_numpy((np.floor((points + 3) / 6 * 512) + 0.5) / 512 * 6 - 3)
    assert_shows(page, lab)
    choose(page, "Data", "Moons")
    page.wait_for_function("document.querySelector('.vaelab-status').textContent.includes('200')")
    assert page.evaluate("location.hash") == "#vae_lab.latent_dim=1"


def test_colours_follow_the_theme(page) -> None:
    def picture(theme: str) -> str:
        page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        page.wait_for_timeout(200)
        return page.locator(".vaelab-data-plane canvas").evaluate("c => c.toDataURL()")

    light, dark = picture("light"), picture("dark")

    assert light != dark
    assert picture("light") == light
