"""The same gradient both ways in a real browser: stepped, run, shifted; and its traits."""

import gzip
import json
import math
import re

import pytest
from traitlets import TraitError

from vaelab.widgets import BetaLatent, Reparameterisation
from vaelab.widgets._host import data_script, static_html
from vaelab.widgets.reparameterisation.targets import TARGETS, mean_gradient

NAME = "reparameterisation"
AT_REST = "document.querySelector('.vaelab-run').textContent === 'Run'"


def opened(open_page, disk, options: dict | None = None, **context):
    parts = "&".join(f"{NAME}.{key}={value}" for key, value in (options or {}).items())
    return open_page(f"{disk}{NAME}.html#{parts}", **context)


@pytest.fixture
def page(open_page, disk):
    return opened(open_page, disk)


def number(page, name: str) -> float:
    return float(page.locator(f".vaelab-number-{name} data").get_attribute("value"))


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def state(page) -> dict[str, str]:
    return dict(re.findall(rf"{NAME}\.([\w-]+)=([^&]+)", page.evaluate("location.hash")))


def painted(page, selector: str) -> str:
    """A path's geometry, once the next frames have drawn it."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    return page.locator(selector).get_attribute("d")


def test_it_starts_with_exact_numbers_beside_estimates(page) -> None:
    exact = mean_gradient(TARGETS["linear"], 0.0, 0.5)

    assert number(page, "exact") == pytest.approx(exact.exact)
    assert number(page, "ratio") == pytest.approx(exact.score / exact.reparameterised)
    said = page.locator(".vaelab-said").inner_text()
    assert "with no baseline, has 33 times the variance" in said
    assert "After 100 steps of 8 draws" in said
    away = [float(found) for found in re.findall(r"(\d+\.\d)(?= (?:and|standard))", said)]
    assert len(away) == 2
    assert max(away) < 5


def test_a_constant_moves_the_score_functions_arrows_only(page) -> None:
    names = ("reparameterised", "path-variance", "exact")
    before = [number(page, name) for name in names]
    noisy = number(page, "score-variance")
    slider = page.get_by_role("slider", name="Added to f, nats")
    slider.focus()
    page.keyboard.press("End")

    assert state(page) == {"constant": "50"}
    assert [number(page, name) for name in names] == before
    assert number(page, "score-variance") > 30 * noisy
    exact = mean_gradient(TARGETS["linear"], 0.0, 0.5, constant=50)
    assert number(page, "ratio") == pytest.approx(exact.score / exact.reparameterised)

    page.locator("label", has_text="leave-one-out").click()
    assert number(page, "ratio") == pytest.approx(exact.leave_one_out / exact.reparameterised)
    assert "with a leave-one-out baseline" in page.locator(".vaelab-said").inner_text()


def test_a_step_draws_k_arrows_each_way_beside_the_exact_gradient(page) -> None:
    for way in ("reparameterised", "score"):
        first = painted(page, f".vaelab-two-ways .arrow.{way}")
        assert first.count("Z") == 8
        press(page, "One step")
        assert painted(page, f".vaelab-two-ways .arrow.{way}") != first
    assert state(page) == {"steps": "102"}
    assert page.locator(".vaelab-two-ways path.truth").count() == 2  # one a lane
    assert page.locator(".vaelab-averages path.truth").count() == 1
    assert page.locator(".vaelab-variances path.truth").count() == 2  # one a way

    press(page, "Clear")
    assert state(page) == {"steps": "0"}
    painted(page, ".vaelab-two-ways .f")
    assert page.locator(".vaelab-two-ways .arrow").count() == 0
    assert page.locator(".vaelab-number-score data").inner_text() == "–"


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_it_runs_is_paused_and_goes_on_from_there(open_page, disk, motion) -> None:
    page = opened(open_page, disk, {"steps": 0, "draws": 2}, reduced_motion=motion)
    press(page, "Run")
    if motion == "no-preference":
        page.wait_for_function("+document.querySelector('.vaelab-number-score data').value !== 0")
        press(page, "Pause")
        paused = int(state(page)["steps"])
        assert 0 < paused < 10_000
        press(page, "Run")
    page.wait_for_function(AT_REST, timeout=30_000)

    assert state(page) == {"steps": "10000", "draws": "2"}
    assert number(page, "score") == pytest.approx(number(page, "exact"), abs=0.3)
    # It is the run that an address with as many steps shows.
    once = opened(open_page, disk, {"steps": 10000, "draws": 2}, reduced_motion=motion)
    once.wait_for_function(
        "document.querySelector('.vaelab-said').textContent.includes('10,000 steps')"
    )
    assert number(once, "score") == pytest.approx(number(page, "score"), rel=1e-12)


def test_a_new_seed_has_other_draws_and_the_same_truth(page) -> None:
    before = number(page, "score"), number(page, "exact"), number(page, "ratio")
    press(page, "New seed")

    assert state(page) == {"seed": "1"}
    assert number(page, "score") != before[0]
    assert (number(page, "exact"), number(page, "ratio")) == before[1:]


def test_the_log_scale_is_from_the_same_draws(page) -> None:
    page.locator("label", has_text="log scale").click()
    # log s: 1 - (1 + w²/noise²) s², by hand.
    assert number(page, "exact") == pytest.approx(1 - (1 + 1 / 0.36) * 0.25)
    page.locator("label", has_text="mean m").click()
    assert state(page) == {}


def test_beside_the_chapters_other_widget_every_choice_is_made(open_page, tmp_path) -> None:
    """Names of radio buttons and ids are of the whole page."""
    widgets = (Reparameterisation, BetaLatent)
    text = "".join(static_html(widget, widget().state()) for widget in widgets)
    (tmp_path / "both.html").write_text(f"<!doctype html><main>{text}</main>", encoding="utf-8")
    (tmp_path / "_widgets").mkdir()
    (tmp_path / "_widgets" / "beta_latent.js").write_text(data_script(BetaLatent))
    page = open_page((tmp_path / "both.html").as_uri())
    made = page.locator(".vaelab-reparameterisation input:checked + span").all_inner_texts()
    ids = page.evaluate("[...document.querySelectorAll('.vaelab [id]')].map((el) => el.id)")

    assert made == ["linear", "mean m", "none"]
    assert len(set(ids)) == len(ids) > 4


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("corner", [(-3, 0.05, -50, "none"), (3, 3, 50, "batch-mean")])
def test_limits_show_no_nan(open_page, disk, target, corner) -> None:
    options = dict(zip(("mean", "scale", "constant", "baseline"), corner, strict=True))
    page = opened(open_page, disk, {"target": target, "draws": 2, "steps": 2, **options})
    for parameter in ("log scale", "mean m"):
        page.locator("label", has_text=parameter).click()
        painted(page, ".vaelab-two-ways .f")
        html = page.locator(".vaelab").evaluate("el => el.outerHTML")
        assert not re.search(r"NaN|Infinity|undefined", html)
    for label in ("One step", "Clear", "One step"):
        press(page, label)
        html = page.locator(".vaelab").evaluate("el => el.outerHTML")
        assert not re.search(r"NaN|Infinity|undefined", html)


# Python's side


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("target", "ring", "target must be one of linear, wavy, modes, got 'ring'"),
        ("parameter", "scale", "parameter must be one of mean, log-scale, got 'scale'"),
        (
            "baseline",
            "mean",
            "baseline must be one of none, batch-mean, leave-one-out, got 'mean'",
        ),
        ("constant", 51, "constant must be a number from -50 to 50, got 51"),
        ("mean", math.nan, "mean must be a number from -3 to 3, got nan"),
        ("scale", 0, "scale must be a number from 0.05 to 3, got 0"),
        ("draws", 1, "draws must be one of 2, 4, 8, 16, 32, got 1"),
        ("steps", 0.5, "steps must be a whole number from 0 to 10000, got 0.5"),
        ("seed", -1, "seed must be a whole number from 0 to 9999, got -1"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        Reparameterisation(**{name: value})
    widget = Reparameterisation()
    with pytest.raises(TraitError, match=message):
        setattr(widget, name, value)
    assert repr(widget) == "Reparameterisation()"


def test_it_is_small() -> None:
    html = static_html(Reparameterisation, Reparameterisation().state())
    assert len(gzip.compress(html.encode())) < 30_000
    assert json.loads(json.dumps(Reparameterisation.recorded())) == Reparameterisation.recorded()
