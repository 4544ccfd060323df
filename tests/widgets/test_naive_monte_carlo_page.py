"""Naive Monte Carlo in a real browser: stepped, run, paused and run until it looks converged."""

import math

import pytest
import torch

from tests.javascript import evaluator
from vaelab.estimators.reliability import effective_sample_size, log_mean_standard_error
from vaelab.widgets import NaiveMonteCarlo
from vaelab.widgets.naive_monte_carlo import image, model

CLOSE = {"rel": 1e-5, "abs": 1e-5}
DRAWS = "+document.querySelector('.vaelab-number-draws data').value"
AT_REST = "document.querySelector('.vaelab-run').textContent === 'Run'"


def opened(open_page, disk, state: str = "", **options):
    page = open_page(f"{disk}naive_monte_carlo.html{state}", **options)
    page.wait_for_function("window.vaelabData?.naive_monte_carlo")
    return page


@pytest.fixture
def page(open_page, disk):
    return opened(open_page, disk)


@pytest.fixture(scope="module")
def js():
    evaluate = evaluator("naive_monte_carlo")
    evaluate("0", recorded=NaiveMonteCarlo.recorded())
    return evaluate


def number(page, name: str) -> float:
    return float(page.locator(f".vaelab-number-{name} data").get_attribute("value"))


def drawn(page) -> int:
    return int(number(page, "draws"))


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def wait_for_draws(page, count: int) -> None:
    page.wait_for_function(f"count => {DRAWS} === count", arg=count)


def assert_shows(page, js, latent_dim: int, count: int, noise: float = 0, seed: int = 0) -> None:
    """Every number, as Python has it for these draws."""
    exact, x = model(latent_dim, noise), image()
    z = torch.tensor(js(f"standardNormal({seed}, {count * latent_dim})"), dtype=torch.float64)
    coordinates = torch.tensor(NaiveMonteCarlo.recorded()["coordinates"], dtype=torch.float64)
    slopes = (exact.weight.T @ exact.weight).diagonal().sqrt()
    residual = coordinates[:latent_dim] - slopes * z.reshape(count, latent_dim)
    squared = residual.square().sum(1) + coordinates[latent_dim:].square().sum()
    log_weights = -32 * math.log(2 * math.pi * exact.noise_var) - squared / 2 / exact.noise_var
    estimate = log_weights.logsumexp(0).item() - math.log(count)
    ess = effective_sample_size(log_weights)
    truth = exact.log_marginal(x).item()

    assert drawn(page) == count
    assert number(page, "exact") == pytest.approx(truth, **CLOSE)
    assert number(page, "estimate") == pytest.approx(estimate, **CLOSE)
    assert number(page, "off") == pytest.approx(estimate - truth, **CLOSE)
    assert number(page, "ess") == pytest.approx(ess.item(), rel=1e-5)
    share = (log_weights.max() - log_weights.logsumexp(0)).exp().item()
    assert number(page, "heaviest") == pytest.approx(share, **CLOSE)
    assert number(page, "needed") == pytest.approx(exact.kl_posterior_prior(x).item(), **CLOSE)
    assert number(page, "useful") == pytest.approx(exact.log_ess_fraction(x).item(), **CLOSE)
    error = log_mean_standard_error(ess, count).item()
    note = page.locator(".vaelab-number-estimate small").inner_text()
    assert note == f"± {error:.2f} standard error"


def test_it_starts_with_a_thousand_draws(page, js) -> None:
    assert_shows(page, js, 2, 1000)


def test_draws_are_made_one_by_one(page, js) -> None:
    press(page, "Clear")
    assert drawn(page) == 0
    assert page.locator(".vaelab-number-estimate data").inner_text() == "–"
    assert "NaN" not in page.locator(".vaelab").inner_html()

    press(page, "Draw one")
    assert page.locator(".vaelab-number-estimate small").inner_text() == "no error from one draw"
    for _ in range(6):
        press(page, "Draw one")
    assert_shows(page, js, 2, 7)
    assert page.evaluate("location.hash") == "#naive_monte_carlo.draws=7"


def test_keyboard_chooses_the_dimension_and_keeps_the_number_of_draws(page, js) -> None:
    page.get_by_role("slider", name="Latent dimension").focus()
    page.keyboard.press("End")
    assert_shows(page, js, 20, 1000)
    page.keyboard.press("Home")
    assert_shows(page, js, 1, 1000)


def test_noise_is_held_or_fitted_anew(page, js) -> None:
    noise = page.get_by_role("slider", name="noise")
    fitted = noise.get_attribute("aria-valuetext")
    page.locator(".vaelab-noise label", has_text="held").click()
    assert_shows(page, js, 2, 1000, noise=0.24)  # the nearest to the fitted one
    page.get_by_role("slider", name="Latent dimension").focus()
    page.keyboard.press("End")
    assert_shows(page, js, 20, 1000, noise=0.24)
    noise.focus()
    page.keyboard.press("Home")
    assert_shows(page, js, 20, 1000, noise=0.05)
    page.keyboard.press("End")
    assert_shows(page, js, 20, 1000, noise=1)  # no latent is of use: all weights are equal
    assert "0.0 standard errors" in page.locator(".vaelab-said").inner_text()
    page.locator(".vaelab-noise label", has_text="fitted").click()
    assert_shows(page, js, 20, 1000)
    page.get_by_role("slider", name="Latent dimension").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert noise.get_attribute("aria-valuetext") == fitted


def test_a_new_seed_makes_other_draws(page, js) -> None:
    press(page, "New seed")
    assert_shows(page, js, 2, 1000, seed=1)


def test_it_runs_grows_and_pauses(page, js) -> None:
    press(page, "Clear")
    press(page, "Run")
    seen = [drawn(page)]
    for _ in range(4):
        page.wait_for_function(f"before => {DRAWS} > before", arg=seen[-1])
        seen.append(drawn(page))
    press(page, "Pause")
    count = drawn(page)
    page.wait_for_timeout(200)

    assert seen == sorted(set(seen))
    assert drawn(page) == count >= seen[-1]
    assert page.evaluate("location.hash") == f"#naive_monte_carlo.draws={count}"
    assert_shows(page, js, 2, count)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_it_runs_until_it_looks_converged(open_page, disk, js, motion) -> None:
    state = "#naive_monte_carlo.draws=0&naive_monte_carlo.tolerance=0.2"
    page = opened(open_page, disk, state, reduced_motion=motion)
    page.evaluate(
        """() => {
            window.shown = [];
            const value = document.querySelector(".vaelab-number-draws data");
            const observer = new MutationObserver(() => shown.push(+value.value));
            observer.observe(value, { attributes: true });
        }"""
    )
    press(page, "Run until it looks converged")
    page.wait_for_function(AT_REST)
    expected = js(
        """((sampler) => (sampler.advance(1e6, () => looksConverged(sampler.tally, 0.2)),
            sampler.tally.count))(createSampler(describeModel(recorded, 2, 0), 0))"""
    )

    assert_shows(page, js, 2, expected)
    assert "under 0.2 nats. Met, and rightly" in page.locator(".vaelab-said").inner_text()
    frames = len(set(page.evaluate("shown")))
    assert frames == 1 if motion == "reduce" else frames > 20


def test_where_it_stops_it_can_be_wrong_and_says_so(open_page, disk, js) -> None:
    state = "#naive_monte_carlo.latent_dim=10&naive_monte_carlo.draws=0"
    page = opened(open_page, disk, state, reduced_motion="reduce")
    press(page, "Run until it looks converged")
    page.wait_for_function(f"{AT_REST} && {DRAWS} > 0")
    said = page.locator(".vaelab-said").inner_text()

    assert "Met, and wrong!" in said
    assert abs(number(page, "off")) > 3 * 0.5


def test_a_million_draws_leave_the_page_responsive(open_page, disk) -> None:
    page = opened(open_page, disk, "#naive_monte_carlo.latent_dim=20")
    page.evaluate(
        """() => {
            window.longest = 0;
            const observer = new PerformanceObserver((list) => {
                for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
            });
            observer.observe({ type: "longtask" });
        }"""
    )
    page.evaluate("location.hash += '&naive_monte_carlo.draws=1000000'")
    wait_for_draws(page, 1_000_000)

    assert page.evaluate("longest") < 200  # a machine that does other things as well has time
    assert abs(number(page, "off")) > 5
    assert "this is as far as the widget goes" in page.locator(".vaelab-said").inner_text()
    press(page, "Run")
    assert drawn(page) == 1_000_000


def test_python_or_an_address_may_ask_for_fewer_draws(page, js) -> None:
    page.evaluate("location.hash = 'naive_monte_carlo.draws=50'")
    wait_for_draws(page, 50)
    assert_shows(page, js, 2, 50)


def test_the_heaviest_draw_is_pictured(page, js) -> None:
    ink = """all => all.map((c) => [...c.getContext("2d").getImageData(0, 0, 8, 8).data]
        .filter((_, i) => i % 4 === 3))"""
    x, best = page.locator(".vaelab-lower canvas").evaluate_all(ink)
    assert [value / 255 for value in x] == pytest.approx(image()[0].tolist(), abs=0.6 / 255)

    z = js(
        """((sampler) => (sampler.advance(1000), sampler.best))(
            createSampler(describeModel(recorded, 2, 0), 0))"""
    )
    exact = model(2)
    data = NaiveMonteCarlo.data()
    vectors = torch.tensor(data["vectors"], dtype=torch.float64).reshape(20, 64)[:2]
    slopes = (exact.weight.T @ exact.weight).diagonal().sqrt()
    picture = exact.bias + (slopes * torch.tensor(z, dtype=torch.float64)) @ vectors
    assert [value / 255 for value in best] == pytest.approx(
        picture.clamp(0, 1).tolist(), abs=1 / 255
    )


def test_charts_show_the_numbers(page) -> None:
    """The estimate's last point and the truth lie where the axis says."""
    ticks = page.locator(".vaelab-running text[text-anchor=end]").evaluate_all(
        "all => all.map((t) => [t.textContent, +t.getAttribute('y')])"
    )
    scale = [(float(text.replace("−", "-")), y) for text, y in ticks if text[-1].isdigit()]
    (low, low_y), (high, high_y) = scale[0], scale[-1]
    pixels = (high_y - low_y) / (high - low)
    dot = float(page.locator(".vaelab-running circle").get_attribute("cy"))
    line = page.locator(".vaelab-running path.truth").get_attribute("d")
    truth = float(line.split("H")[0].split()[1])

    assert dot - truth == pytest.approx(pixels * number(page, "off"), abs=0.1)
    heights = page.locator(".vaelab-heaviest span").evaluate_all(
        "all => all.map((bar) => +bar.style.getPropertyValue('--share'))"
    )
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == 1


def test_a_theme_change_recolours_the_charts(page) -> None:
    colour = """document.querySelector(".vaelab-running path.estimate")"""
    before = page.evaluate(f"getComputedStyle({colour}).stroke")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(f"getComputedStyle({colour}).stroke") != before
