"""Driving the lab in a browser: what its tests share."""

import re

import pytest

from vaelab.widgets.vae_lab.in_pytorch import Lab, measure

MEASURED = "document.querySelector('.vaelab-number-elbo data').value"


def open_lab(open_page, disk, hash_: str = "", **options):
    page = open_page(disk + f"vae_lab.html{hash_}", **options)
    page.wait_for_function(MEASURED)
    return page


def number(page, name: str) -> float:
    return float(page.locator(f".vaelab-number-{name} data").get_attribute("value"))


def status(page) -> str:
    return page.locator(".vaelab-status").inner_text()


def step_of(page) -> int:
    return int(re.search(r"[Ss]tep ([\d,]+)", status(page))[1].replace(",", ""))


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def wait_for_step(page, step: int) -> None:
    """Until it stands at this step, with its figures shown."""
    page.wait_for_function(
        "step => document.querySelector('.vaelab-status').textContent.startsWith(`Step ${step},`)",
        arg=step,
    )


def choose(page, group: str, name: str) -> None:
    page.get_by_role("group", name=group).get_by_role("radio", name=name).check(force=True)


def assert_shows(page, lab: Lab) -> None:
    figures = measure(lab.vae, lab.x)
    for name, value in [
        ("reconstruction", figures.reconstruction),
        ("rate", figures.rate),
        ("elbo", figures.elbo),
    ]:
        assert number(page, name) == pytest.approx(value, rel=1e-5, abs=1e-5), name
    # The page's lattice is coarser, and says by how much at most.
    assert number(page, "marginal") == pytest.approx(figures.log_marginal, abs=2e-3)
    assert number(page, "noise") == pytest.approx(figures.noise, rel=1e-9)
    assert number(page, "gap") == pytest.approx(
        number(page, "marginal") - number(page, "elbo"), abs=1e-9
    )


def place(page, x: float, y: float) -> dict:
    box = page.locator(".vaelab-data-plane").bounding_box()
    return {
        "x": box["x"] + (x + 3) / 6 * box["width"],
        "y": box["y"] + (3 - y) / 6 * box["height"],
    }


def shown_points(page) -> int:
    return int(re.search(r"(\d+) points", status(page))[1])


def ink(page, plane: str) -> int:
    """How many pixels of a canvas are not empty."""
    return page.locator(f"{plane} canvas").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".filter((v, i) => i % 4 === 3 && v > 0).length"
    )
