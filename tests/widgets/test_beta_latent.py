"""The main widget: traits, errors, both hosts' output, and its numbers against PyTorch."""

import gzip
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from traitlets import TraitError

from tests.beta_latent_view import PAIRS, bound_of, figures, held_out, page_noise, vae_of
from tests.widgets.marginal_truth import odd_images
from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.densities import kl_to_standard_normal
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.objectives import elbo_terms
from vaelab.widgets import BetaLatent, static_files
from vaelab.widgets._host import KernelHost, static_html
from vaelab.widgets.beta_latent import BETAS

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


# Traits


def test_traits_read_and_write() -> None:
    widget = BetaLatent(beta=4, latent_dim=np.int64(8))
    seen = []
    widget.observe(lambda change: seen.append((change.name, change.new)), ["beta", "latent_dim"])

    widget.beta = np.float32(0.25)
    widget.latent_dim = 16.0

    assert (widget.beta, widget.latent_dim) == (0.25, 16)
    assert seen == [("beta", 0.25), ("latent_dim", 16)]
    assert isinstance(widget.latent_dim, int)


@pytest.mark.parametrize("value", [5, -1, 0, float("nan"), float("inf"), "1", None, True, [1]])
def test_a_bad_beta_names_argument_value_and_choices(value) -> None:
    message = r"beta must be one of 0\.1, 0\.25, 0\.5, 1, 2, 3, 4, 16, got "
    with pytest.raises(TraitError, match=message) as error:
        BetaLatent(beta=value)
    assert repr(value) in str(error.value)

    widget = BetaLatent()
    with pytest.raises(TraitError, match=message):
        widget.beta = value
    assert widget.beta == 1


@pytest.mark.parametrize("value", [3, 0, 2.5, "2", None, True])
def test_a_bad_latent_dim_names_argument_value_and_choices(value) -> None:
    with pytest.raises(TraitError, match=r"latent_dim must be one of 1, 2, 4, 8, 16, got "):
        BetaLatent(latent_dim=value)


@pytest.mark.parametrize(
    ("name", "value"), [("image", 360), ("image", -1), ("seed", 0.5), ("seed", "0")]
)
def test_a_bad_whole_number_names_its_range(name: str, value) -> None:
    with pytest.raises(TraitError, match=rf"{name} must be a whole number from 0 to \d+, got "):
        BetaLatent(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("draws", 3, "one of 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000"),
        ("view", "both", "one of digit, model"),
        ("compare", "yes", "True or False"),
        ("compare", 2, "True or False"),
        ("drawing", "01", "64 zeros and ones, or empty"),
        ("other_beta", 5, r"one of 0\.1, "),
        ("other_latent_dim", 3, "one of 1, 2, 4, 8, 16"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(name: str, value, allowed: str) -> None:
    with pytest.raises(TraitError, match=f"{name} must be {allowed}.*, got {value!r}"):
        BetaLatent(**{name: value})


def test_compare_is_a_flag() -> None:
    widget = BetaLatent(compare=True, other_beta=16)

    assert widget.compare
    assert repr(widget) == "BetaLatent(compare=1, other_beta=16)"
    widget.compare = False
    assert widget.state()["compare"] == 0


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="gamma"):
        BetaLatent(gamma=1)


def test_repr_repeats_the_call() -> None:
    assert repr(BetaLatent()) == "BetaLatent()"
    assert repr(BetaLatent(beta=4, latent_dim=2, seed=3)) == "BetaLatent(beta=4, seed=3)"


# Hosts


def test_under_a_kernel_it_is_an_anywidget() -> None:
    widget = BetaLatent(beta=2)
    bundle = widget._repr_mimebundle_()[0]

    assert isinstance(widget, KernelHost)
    assert set(bundle) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert bundle["text/plain"] == "BetaLatent(beta=2)"
    assert "export default" in widget._esm
    assert widget._defaults == widget.state()


def test_in_the_build_it_is_html_without_a_comm() -> None:
    """In a process of its own: the host is chosen when the package is imported."""
    program = (
        "import json, ipywidgets\n"
        "from vaelab.widgets import BetaLatent\n"
        "bundle = BetaLatent(beta=4)._repr_mimebundle_()\n"
        "print(json.dumps([sorted(bundle), ipywidgets.Widget.widgets == {}]))\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "VAELAB_HOST": "static"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(run.stdout) == [["text/html", "text/plain"], True]


def test_bad_values_fail_in_the_build_too() -> None:
    program = "from vaelab.widgets import BetaLatent; BetaLatent(beta=5)"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "VAELAB_HOST": "static"},
        capture_output=True,
        text=True,
    )

    assert run.returncode == 1
    assert "beta must be one of 0.1, 0.25, 0.5, 1, 2, 3, 4, 16, got 5" in run.stderr


def test_static_html_asks_nothing_of_the_network() -> None:
    text = static_html(BetaLatent, BetaLatent().state())

    outside = text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not re.search(r"https?://|@import|url\(", outside)
    assert text.count("<script") == text.count("</script") == 1
    assert "<noscript>" in text


def test_without_javascript_every_elbo_is_there() -> None:
    text = BetaLatent.fallback_html().replace("\N{MINUS SIGN}", "-")

    for beta, dim in PAIRS:
        assert f"{figures(beta, dim)['elbo']:.2f} ({figures(beta, dim)['active_units']})" in text


def test_a_page_loads_a_third_of_a_megabyte_of_data() -> None:
    """The page with it must stay under 1.3 MB gzipped."""
    text = static_files()["beta_latent.js"]

    assert len(gzip.compress(text.encode())) < 400_000


# Numbers


@pytest.fixture(scope="module")
def page(javascript):
    """V8 with the models of the page's own data file."""
    script = static_files()["beta_latent.js"]
    data = json.loads(script[script.index("] = ") + 4 : script.rindex(";")])
    javascript("[globalThis.models = readModels(data), 0][1]", data=data)
    javascript("[globalThis.recorded = figures, 0][1]", figures=BetaLatent.recorded())
    return javascript


def of_image(page, beta: float, latent_dim: int, x: torch.Tensor, expression: str):
    """What an expression with ``vae``, ``x``, ``digit`` and ``widen`` gives in the page."""
    widen = figures(beta, latent_dim)["importance"]["widen"]
    return page(
        f"""(() => {{
            const vae = models.vae({beta}, {latent_dim});
            const x = Float64Array.from(image);
            const digit = describeDigit(vae, x, 5);
            const widen = {widen};
            return {expression};
        }})()""",
        image=x.tolist(),
    )


def assert_agree(ours: dict, expected: dict) -> None:
    for name, value in expected.items():
        torch.testing.assert_close(
            torch.tensor(ours[name], dtype=torch.float64),
            torch.as_tensor(value, dtype=torch.float64),
            **CLOSE,
            msg=lambda text, n=name: f"{n}: {text}",
        )


@pytest.mark.parametrize(("beta", "latent_dim"), PAIRS)
def test_the_page_decodes_what_pytorch_decodes(page, beta: float, latent_dim: int) -> None:
    image = 17 * latent_dim + int(beta)
    x = held_out()[image]
    ours = of_image(
        page,
        beta,
        latent_dim,
        x,
        f"""{{ ...digit, x: models.image({image}),
            prior: priorDraws(5, {latent_dim}).map((z) => decodeMean(vae, z)),
            walk: traverse(vae, digit.mean, {latent_dim - 1}) }}""",
    )
    vae = vae_of(beta, latent_dim)
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        deviation = torch.exp(0.5 * log_var)
        walk = mean.repeat(7, 1)
        walk[:, -1] = torch.arange(-3, 4)
        noise = page_noise("posterior", 5, 6, 16)[:, :latent_dim]
        expected = {
            "x": x,
            "mean": mean,
            "deviation": deviation,
            "kl": kl_to_standard_normal(mean, log_var),
            "fromMean": vae.decode_mean(mean),
            "draws": vae.decode_mean(mean + deviation * noise),
            "prior": vae.decode_mean(page_noise("prior", 5, 24, 16)[:, :latent_dim]),
            "walk": vae.decode_mean(walk),
        }

    assert_agree(ours, expected)


BOUND = """(() => {
    const bound = createBound(vae, x, digit, { widen, seed: 5 });
    bound.advance(7);
    bound.advance(DRAWS);
    return bound.now();
})()"""


@pytest.mark.parametrize(("beta", "latent_dim"), PAIRS)
def test_both_estimates_are_vaelabs(page, beta: float, latent_dim: int) -> None:
    x = held_out()[22 * latent_dim - 7]
    ours = of_image(page, beta, latent_dim, x, BOUND.replace("DRAWS", "300"))

    assert ours.pop("count") == 300
    assert_agree(ours, bound_of(beta, latent_dim, x, 300, seed=5))


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("latent_dim", [1, 16])
def test_no_image_is_too_odd(page, beta: float, latent_dim: int) -> None:
    """Blank, full, stripes, noise, negatives; many draws and one, of which no error is known."""
    for x in odd_images():
        ours = of_image(page, beta, latent_dim, x, BOUND.replace("DRAWS", "50"))
        del ours["count"]
        assert_agree(ours, bound_of(beta, latent_dim, x, 50, seed=5))

        single = of_image(
            page, beta, latent_dim, x, BOUND.replace("DRAWS", "1").replace("(7)", "(1)")
        )
        assert single.pop("elboError") == single.pop("error") == "Infinity"
        assert all(isinstance(value, int | float) for value in single.values())


EXACT = """(() => {
    const steps = exactMarginals().steps(vae, x);
    let found;
    while (!found) found = steps();
    return found;
})()"""


@pytest.mark.parametrize("beta", [0.1, 1.0, 16.0])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_exact_value_is_quadratures(page, beta: float, latent_dim: int) -> None:
    """And is as far off as it says, at most."""
    step = {1: 0.004, 2: 0.03}[latent_dim]
    for x in [held_out()[40], held_out()[301], odd_images()[5]]:
        truth = quadrature_log_marginal(
            x[None], vae_of(beta, latent_dim).log_likelihood, latent_dim, 10.0, step
        ).log_marginal.item()
        found = of_image(page, beta, latent_dim, x, EXACT)
        off = abs(found["value"] - truth)

        assert off < 0.01
        assert off <= float(found["error"]) + 1e-6


def test_lattices_of_the_last_models_are_kept(page) -> None:
    """A second image of the same model decodes nothing; of many models the oldest are let go."""
    steps = page(
        """(() => {
            const exact = exactMarginals();
            const count = (beta, image) => {
                const steps = exact.steps(models.vae(beta, 1), models.image(image));
                let number = 1;
                while (!steps()) number++;
                return number;
            };
            return [count(1, 0), count(1, 1), count(2, 0), count(3, 0), count(4, 0), count(1, 0)];
        })()"""
    )
    anew = steps[0]

    assert anew > 50
    assert steps == [anew, 2, anew, anew, anew, anew]


def test_the_active_latents_come_first(page) -> None:
    """Which latents are active is a matter of their means' variance; their order is of rates."""
    settings = {(s["beta"], s["latent_dim"]): s for s in BetaLatent.recorded()["settings"]}
    for beta, latent_dim in PAIRS:
        setting = settings[beta, latent_dim]
        with torch.no_grad():
            variance = vae_of(beta, latent_dim).encode(held_out())[0].var(0)
        active = set((variance > 0.01).nonzero().flatten().tolist())

        assert set(setting["order"][: setting["active_units"]]) == active
        assert sorted(setting["order"]) == list(range(latent_dim))


@pytest.mark.parametrize(("beta", "latent_dim"), PAIRS)
def test_the_spread_over_seeds_holds_the_seed_that_is_shown(
    page, beta: float, latent_dim: int
) -> None:
    recorded = figures(beta, latent_dim)
    seeds = recorded["over_seeds"]

    assert {len(values) for values in seeds.values()} == {3}
    for name in ("rate", "distortion", "elbo", "active_units"):
        assert seeds[name][0] == pytest.approx(recorded[name], rel=1e-9)
    least, most = min(seeds["elbo"]), max(seeds["elbo"])
    shown = page("describeSpread(values)", values=seeds["elbo"]).replace("\N{MINUS SIGN}", "-")
    assert f"{least:.2f}" in shown
    assert f"{most:.2f}" in shown


# What is drawn and said of the bound


def known(**changes) -> dict:
    bound = {
        "count": 1000,
        "rate": 5.0,
        "distortion": 15.0,
        "elbo": -20.0,
        "elboError": 0.05,
        "logMarginal": -18.9,
        "error": 0.05,
        "effective": 200.0,
        "gap": 1.1,
        "exact": None,
    }
    return {**bound, **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "about 1.10 nats short"),
        ({"count": 1, "effective": 1.0}, "raise K"),
        ({"effective": 3.0}, "only 3.0 of 1,000 draws count"),
        ({"logMarginal": -25.0, "gap": -5.0}, "below the bound"),
        ({"error": 2.0}, "within its own error"),
        ({"gap": 0.01, "error": 0.001, "elboError": 0.001}, "about 0.01 nats short"),
        ({"gap": 0.001, "error": 0.001, "elboError": 0.001}, "less than 0.1 nats"),
        (
            {"exact": {"value": -18.8, "error": 0.001}},
            "1.20 nats short. The estimate is off by −0.10",
        ),
        ({"exact": {"value": -18.8, "error": 1e999}}, "1.10 nats short. Some of p(x) lies beyond"),
    ],
)
def test_the_verdict_fits_the_numbers(page, changes: dict, words: str) -> None:
    text = json.dumps(known(**changes)).replace("Infinity", "1e999")

    assert words in page(f"boundVerdict({text})")


@pytest.mark.parametrize("low", [-18.9, -19.9, -60.0, -2000.0])
def test_two_settings_share_an_axis_that_holds_them(page, low: float) -> None:
    bounds = [known(), known(elbo=low, logMarginal=low + 0.2)]
    axis = page("boundRange(bounds)", bounds=bounds)

    assert axis["least"] < min(low, -20.0)
    assert axis["most"] > -18.9
    assert axis["most"] - axis["least"] < 4 * max(0.5, -18.9 - min(low, -20.0))


# What was recorded


@pytest.mark.parametrize(("beta", "latent_dim"), [(0.25, 16), (1.0, 2), (2.0, 8), (16.0, 4)])
def test_recorded_figures_belong_to_the_shipped_weights(beta: float, latent_dim: int) -> None:
    vae = pretrained.load_vae("beta_latent", beta=beta, latent_dim=latent_dim).double()
    x = load_digits(dtype=torch.float64).test
    with torch.no_grad():
        terms = elbo_terms(vae, x, 50, torch.Generator().manual_seed(11))
        mean, log_var = vae.encode(x)
        single = torch.stack(
            [elbo_terms(vae, x, 1, torch.Generator().manual_seed(k)).distortion for k in range(20)]
        )
    recorded = figures(beta, latent_dim)
    kl = kl_to_standard_normal(mean, log_var)
    # Two averages, of 50 and 200 draws an image, from noise of their own.
    error = (single.var(0).mean() / len(x) * (1 / 50 + 1 / 200)).sqrt()

    assert recorded["rate"] == pytest.approx(kl.sum(-1).mean().item(), rel=1e-9)
    assert recorded["rate_per_latent"] == pytest.approx(kl.mean(0).tolist(), rel=1e-9, abs=1e-12)
    assert recorded["active_units"] == int((mean.var(0) > 0.01).sum())
    assert recorded["elbo"] == pytest.approx(-recorded["rate"] - recorded["distortion"])
    assert abs(terms.distortion.mean() - recorded["distortion"]) < 5 * error


@pytest.mark.parametrize(("beta", "latent_dim"), [pair for pair in PAIRS if pair[1] <= 2])
def test_the_importance_estimate_agrees_with_quadrature(beta: float, latent_dim: int) -> None:
    """Where the truth is known, the proposal used above two latents finds it."""
    recorded = figures(beta, latent_dim)
    estimate, truth = recorded["importance"], recorded["likelihood"]

    assert truth["method"] == "quadrature"
    assert truth["mean_error"] < 1e-3
    difference = estimate["log_likelihood"] - truth["log_likelihood"]
    assert abs(difference) < 5 * estimate["standard_error"]


@pytest.mark.parametrize(("beta", "latent_dim"), PAIRS)
def test_every_likelihood_says_what_it_rests_on(beta: float, latent_dim: int) -> None:
    recorded = figures(beta, latent_dim)
    likelihood = recorded["likelihood"]

    assert likelihood["log_likelihood"] > recorded["elbo"] - 1e-3
    if latent_dim > 2:
        assert likelihood["method"] == "importance"
        assert likelihood["num_samples"] >= 1000
        assert 0 < likelihood["standard_error"] < 0.05
        assert "prior" in likelihood["proposal"]


# What the widget suggests to look for


def test_units_switch_off_as_beta_rises() -> None:
    active = [figures(beta, 16)["active_units"] for beta in BETAS]

    assert active == sorted(active, reverse=True)
    assert active[0] > 10
    assert active[-1] == 0


def test_with_two_latents_elbo_and_likelihood_choose_another_beta() -> None:
    by_elbo = max(BETAS, key=lambda beta: figures(beta, 2)["elbo"])
    by_likelihood = max(BETAS, key=lambda beta: figures(beta, 2)["likelihood"]["log_likelihood"])

    assert by_likelihood < by_elbo
