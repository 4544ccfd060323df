"""The lab in a real browser: trained, paused, drawn on, by mouse, touch and keyboard."""

import re

import pytest

from tests.widgets.lab_in_browser import (
    MEASURED,
    assert_shows,
    choose,
    ink,
    number,
    open_lab,
    press,
    step_of,
    wait_for_step,
)
from vaelab.widgets.vae_lab.experiments import EXPERIMENTS
from vaelab.widgets.vae_lab.in_pytorch import Lab, measure


@pytest.fixture
def page(open_page, disk):
    return open_lab(open_page, disk)


# Training


def test_it_starts_untrained_with_the_true_gap(page) -> None:
    assert_shows(page, Lab({}))
    assert step_of(page) == 0
    assert ink(page, ".vaelab-data-plane") > 2000
    assert ink(page, ".vaelab-spaces > div:last-child") > 2000


def test_a_step_is_pytorchs_step(page) -> None:
    lab = Lab({})
    for step in (1, 2, 3):
        press(page, "Step")
        wait_for_step(page, step)
    page.wait_for_timeout(100)

    lab.train("both", 3)
    assert_shows(page, lab)


def test_it_plays_and_pauses(page) -> None:
    press(page, "Play")
    page.wait_for_function(
        "document.querySelector('.vaelab-bound path.estimate').getTotalLength() > 9"
    )
    press(page, "Pause")
    page.wait_for_timeout(400)
    stood = step_of(page)
    page.wait_for_timeout(400)

    assert step_of(page) == stood > 0
    lab = Lab({})
    lab.train("both", stood)
    assert_shows(page, lab)


def test_it_trains_in_a_worker_at_thirty_steps_a_second(page) -> None:
    assert len(page.workers) == 1
    choose(page, "Steps a second", "All it can")
    before = page.evaluate("performance.now()")
    press(page, "Play")
    page.wait_for_function(
        "Number(document.querySelector('.vaelab-status').textContent.match(/[\\d,]+/)[0]"
        ".replace(',', '')) > 150"
    )
    seconds = (page.evaluate("performance.now()") - before) / 1000

    assert step_of(page) / seconds > 30


def test_without_a_worker_it_trains_in_the_page(open_page, disk) -> None:
    page = open_page("about:blank")
    page.context.add_init_script("window.Worker = class { constructor() { throw new Error(); } };")
    page.goto(disk + "vae_lab.html")
    page.wait_for_function(MEASURED)
    press(page, "Step")
    wait_for_step(page, 1)

    assert page.workers == []
    lab = Lab({})
    lab.train("both", 1)
    assert_shows(page, lab)


def test_a_worker_that_fails_to_load_is_replaced(open_page, disk) -> None:
    page = open_page("about:blank")
    page.context.add_init_script(
        """window.Worker = class {
            postMessage() {}
            terminate() {}
            constructor() { setTimeout(() => this.onerror({ preventDefault() {} }), 50); }
        };"""
    )
    page.goto(disk + "vae_lab.html")
    page.wait_for_function(MEASURED)

    assert_shows(page, Lab({}))


def test_the_encoder_alone_leaves_log_p_where_it_is(page) -> None:
    before = number(page, "marginal"), number(page, "elbo")
    choose(page, "What is trained", "Encoder only")
    assert "frozen" in page.locator(".vaelab-arrow-decoder").inner_text()
    for step in range(1, 6):
        press(page, "Step")
        wait_for_step(page, step)
    page.wait_for_timeout(100)

    assert number(page, "marginal") == before[0]
    assert number(page, "elbo") > before[1]


def test_settings_reach_the_training(open_page, disk) -> None:
    page = open_lab(
        open_page,
        disk,
        "#vae_lab.dataset=ring&vae_lab.latent_dim=1&vae_lab.beta=4&vae_lab.learning_rate=0.03"
        "&vae_lab.noise=0.5&vae_lab.noise_mode=learnt&vae_lab.seed=7",
    )
    for step in (1, 2):
        press(page, "Step")
        wait_for_step(page, step)
    page.wait_for_timeout(100)

    lab = Lab(
        {
            "dataset": "ring",
            "latent_dim": 1,
            "beta": 4.0,
            "learning_rate": 0.03,
            "noise": 0.5,
            "noise_mode": "learnt",
            "seed": 7,
        }
    )
    lab.train("both", 2)
    assert_shows(page, lab)


def test_other_weights_and_other_data_begin_anew(page) -> None:
    press(page, "Step")
    wait_for_step(page, 1)
    press(page, "Other weights")
    wait_for_step(page, 0)
    assert page.evaluate("location.hash") == "#vae_lab.seed=1"
    page.wait_for_timeout(300)
    assert_shows(page, Lab({"seed": 1}))

    choose(page, "Data", "Spiral")
    page.wait_for_timeout(400)
    assert_shows(page, Lab({"seed": 1, "dataset": "spiral"}))


def test_divergence_is_said_plainly_and_reset_recovers(page) -> None:
    slider = page.get_by_role("slider", name="Learning rate")
    slider.focus()
    page.keyboard.press("End")
    page.get_by_role("slider", name="Noise").focus()
    page.keyboard.press("Home")
    page.get_by_role("slider", name="Weight").focus()
    page.keyboard.press("End")
    choose(page, "Steps a second", "All it can")
    press(page, "Play")
    page.wait_for_timeout(2500)
    text = page.locator(".vaelab").inner_text()
    assert not re.search(r"NaN|undefined|Infinity", text)
    assert not re.search(r"NaN|undefined|Infinity", page.locator(".vaelab").inner_html())

    press(page, "Reset")
    wait_for_step(page, 0)
    page.wait_for_timeout(300)
    assert page.evaluate("location.hash") == ""
    assert_shows(page, Lab({}))


# The guided experiments


def test_an_experiment_sets_the_state_runs_its_phases_and_stops(page) -> None:
    choose(page, "Steps a second", "All it can")
    page.get_by_role("button", name="encoder", exact=True).click()
    assert "lies still to the last digit" in page.locator(".vaelab-notice").inner_text()
    page.wait_for_function(
        "document.querySelector('.vaelab-status').textContent.startsWith('Step 460,')",
        timeout=60_000,
    )
    page.get_by_role("button", name="Play", exact=True).wait_for()
    page.wait_for_timeout(500)

    assert "part=encoder" in page.evaluate("location.hash")
    lab = Lab({})
    lab.train("both", 60)
    lab.train("encoder", 400)
    figures = measure(lab.vae, lab.x)
    # 460 steps: rounding has had time to grow.
    assert number(page, "marginal") == pytest.approx(figures.log_marginal, abs=2e-3)
    assert number(page, "elbo") == pytest.approx(figures.elbo, abs=2e-3)
    assert page.locator(".vaelab-bound text.phase").all_text_contents() == ["encoder only"]


def test_every_experiment_has_its_buttons(page) -> None:
    for experiment in EXPERIMENTS:
        card = page.get_by_role("group", name=experiment.title)
        assert card.get_by_role("button").all_inner_texts() == [
            variant.label for variant in experiment.variants
        ]


def test_with_reduced_motion_it_goes_in_jumps(open_page, disk) -> None:
    page = open_lab(open_page, disk, reduced_motion="reduce")
    page.evaluate(
        """() => {
            window.said = [];
            const status = document.querySelector(".vaelab-status");
            new MutationObserver(() => said.push(status.textContent)).observe(status,
                { childList: true, characterData: true, subtree: true });
        }"""
    )
    press(page, "Play")
    page.wait_for_timeout(2600)

    assert 1 <= len(page.evaluate("said")) <= 4
    assert step_of(page) >= 60


# Speed


def test_the_page_answers_while_it_trains(page) -> None:
    """How long the page's own work takes at each picture, with figures and without."""
    choose(page, "Steps a second", "All it can")
    page.evaluate(
        """() => {
            window.long = [];
            const keep = (list) => long.push(...list.getEntries().map((e) => e.duration));
            new PerformanceObserver(keep).observe({ entryTypes: ["longtask"] });
        }"""
    )
    press(page, "Play")
    page.wait_for_timeout(2500)

    assert len([duration for duration in page.evaluate("long") if duration > 150]) <= 2
