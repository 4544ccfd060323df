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

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.densities import kl_to_standard_normal
from vaelab.objectives import elbo_terms
from vaelab.widgets import BetaLatent, static_files
from vaelab.widgets._host import KernelHost, static_html
from vaelab.widgets.beta_latent import BETAS, LATENT_DIMS, MANIFEST

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
PAIRS = [(beta, dim) for dim in LATENT_DIMS for beta in BETAS]


def figures(beta: float, latent_dim: int) -> dict:
    return MANIFEST["settings"][pretrained.setting_key(beta=beta, latent_dim=latent_dim)]


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
    text = static_html(BetaLatent, {"beta": 1.0, "latent_dim": 2, "image": 0, "seed": 0})

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
def described(javascript):
    """What the page shows of one pair: its models are read from the page's own data file."""
    script = static_files()["beta_latent.js"]
    data = json.loads(script[script.index("] = ") + 4 : script.rindex(";")])
    javascript("[globalThis.models = readModels(data), 0][1]", data=data)

    def describe(beta: float, latent_dim: int, image: int) -> dict:
        return javascript(
            f"""(() => {{
                const vae = models.vae({beta}, {latent_dim});
                const x = models.image({image});
                return {{ x, ...describeImage(vae, x), z: priorDraws(5, {latent_dim}),
                    prior: priorDraws(5, {latent_dim}).map((z) => decodeMean(vae, z)),
                    posterior: standardNormal(POSTERIOR_SEED, POSTERIOR_DRAWS * {latent_dim}),
                    noise: standardNormal(ELBO_SEED, ELBO_DRAWS * {latent_dim}) }};
            }})()"""
        )

    return describe


@pytest.mark.parametrize(("beta", "latent_dim"), PAIRS)
def test_the_page_computes_what_pytorch_computes(described, beta: float, latent_dim: int) -> None:
    image = 17 * latent_dim + int(beta)
    ours = {
        key: torch.tensor(value, dtype=torch.float64)
        for key, value in described(beta, latent_dim, image).items()
    }
    vae = pretrained.load_vae("beta_latent", beta=beta, latent_dim=latent_dim).double()
    x = load_digits(dtype=torch.float64).test[image]
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        deviation = torch.exp(0.5 * log_var)
        z = mean + deviation * ours["noise"].reshape(-1, latent_dim)
        distortion = -vae.log_likelihood(x[None], z[:, None]).mean()
        rate = kl_to_standard_normal(mean, log_var)
        drawn = vae.decode_mean(mean + deviation * ours["posterior"].reshape(-1, latent_dim))
        expected = {
            "x": x,
            "kl": rate,
            "rate": rate.sum(),
            "distortion": distortion,
            "elbo": -distortion - rate.sum(),
            "fromMean": vae.decode_mean(mean),
            "draws": drawn,
            "prior": vae.decode_mean(ours["z"]),
        }

    for name, value in expected.items():
        torch.testing.assert_close(
            ours[name], value, **CLOSE, msg=lambda text, n=name: f"{n}: {text}"
        )


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
