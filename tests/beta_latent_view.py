"""What a page with the β × latent dimension widget shows, held against PyTorch."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.javascript import evaluator
from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.densities import kl_to_standard_normal
from vaelab.estimators.importance import log_importance_weights
from vaelab.estimators.proposals import defensive_mixture
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.models.vae import VAE
from vaelab.widgets.beta_latent import BETAS, LATENT_DIMS, MANIFEST

CLOSE = {"rel": 1e-5, "abs": 1e-5}
PAIRS = [(beta, dim) for dim in LATENT_DIMS for beta in BETAS]


def figures(beta: float, latent_dim: int) -> dict:
    return MANIFEST["settings"][pretrained.setting_key(beta=beta, latent_dim=latent_dim)]


@cache
def vae_of(beta: float, latent_dim: int) -> VAE:
    return pretrained.load_vae("beta_latent", beta=beta, latent_dim=latent_dim).double()


@cache
def held_out() -> Tensor:
    return load_digits(dtype=torch.float64).test


def image_of(bits: str) -> Tensor:
    """A drawing, as its text in the address has it."""
    return torch.tensor([int(bit) for bit in bits], dtype=torch.float64)


@cache
def page_noise(stream: str, seed: int, rows: int, columns: int) -> Tensor:
    """The page's own noise, (rows, columns)."""
    expression = f"standardNormal(STREAM.{stream} + {seed}, {rows * columns})"
    noise = evaluator("beta_latent")(expression)
    return torch.tensor(noise, dtype=torch.float64).reshape(rows, columns)


@torch.no_grad()
def bound_of(beta: float, latent_dim: int, x: Tensor, draws: int, seed: int = 0) -> dict:
    """Both estimates of one image by vaelab, from the page's noise."""
    vae = vae_of(beta, latent_dim)
    mean, log_var = vae.encode(x)
    noise = page_noise("reconstruction", seed, draws, latent_dim)
    values = vae.log_likelihood(x[None], (mean + torch.exp(0.5 * log_var) * noise)[:, None])
    widen = figures(beta, latent_dim)["importance"]["widen"]
    proposal = defensive_mixture(mean[None], log_var[None], widen)
    z = proposal.transform(page_noise("proposal", seed, draws, latent_dim + 1)[:, None])
    log_w = log_importance_weights(x[None], vae.log_likelihood, proposal, z)[:, 0]
    rate = kl_to_standard_normal(mean, log_var).sum()
    log_marginal = log_w.logsumexp(0) - math.log(draws)
    effective = (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp()
    error = torch.sqrt((draws / effective - 1).clamp(min=0) / max(1, draws - 1))
    bound = {
        "rate": rate,
        "distortion": -values.mean(),
        "elbo": values.mean() - rate,
        "elboError": values.std() / math.sqrt(draws) if draws > 1 else math.inf,
        "logMarginal": log_marginal,
        "error": error if draws > 1 else math.inf,
        "effective": effective,
        "gap": log_marginal - values.mean() + rate,
    }
    return {name: float(value) for name, value in bound.items()}


def rounded(value: Tensor) -> str:
    """As the page writes it."""
    text = f"{abs(float(value)):.2f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and float(text) else text


def number(page, part: str, name: str, side: str = "a") -> float:
    cell = page.locator(f".vaelab-side-{side} .vaelab-{part} .vaelab-number-{name} data")
    return float(cell.get_attribute("value"))


def inked(page, selector: str) -> np.ndarray:
    """Opacity of every pixel of every picture, (pictures, 64)."""
    pixels = page.locator(f"{selector} canvas").evaluate_all(
        "all => all.map((c) => [...c.getContext('2d').getImageData(0, 0, 8, 8).data]"
        ".filter((_, i) => i % 4 === 3))"
    )
    return np.array(pixels) / 255


def assert_model_shows(page, beta: float, latent_dim: int, side: str = "a") -> None:
    """The whole model: recorded averages as in the manifest, and what they rest on."""
    recorded = figures(beta, latent_dim)
    for name in ("rate", "distortion", "elbo", "active"):
        key = {"active": "active_units"}.get(name, name)
        assert number(page, "averages", name, side) == pytest.approx(recorded[key], **CLOSE)
    likelihood = recorded["likelihood"]
    shown = number(page, "averages", "likelihood", side)
    assert shown == pytest.approx(likelihood["log_likelihood"], **CLOSE)
    basis = page.locator(f".vaelab-side-{side} .vaelab-basis").inner_text()
    assert ("quadrature" in basis) == (latent_dim <= 2)
    assert ("K = 5,000" in basis and "standard error" in basis) == (latent_dim > 2)


def assert_shows(
    page,
    beta: float,
    latent_dim: int,
    image: int | str,
    draws: int = 1000,
    side: str = "a",
    seed: int = 0,
) -> None:
    """One digit, held out or drawn: its code, figures and pictures are PyTorch's."""
    x = image_of(image) if isinstance(image, str) else held_out()[image]
    expected = bound_of(beta, latent_dim, x, draws, seed)
    vae = vae_of(beta, latent_dim)
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        picture = vae.decode_mean(mean).numpy()
    page.wait_for_function(  # the estimates come a little at a time
        """([side, values]) => Object.entries(values).every(([name, value]) => Math.abs(
            document.querySelector(`.vaelab-side-${side} .vaelab-number-${name} data`).value
            - value) < 1e-4)""",
        arg=[side, {"elbo": expected["elbo"], "likelihood": expected["logMarginal"]}],
    )
    for name in ("rate", "distortion", "elbo", "gap"):
        assert number(page, "single", name, side) == pytest.approx(expected[name], **CLOSE)
    if latent_dim <= 2:
        exact = f".vaelab-side-{side} .vaelab-number-exact data"
        page.wait_for_function("s => document.querySelector(s).value !== ''", arg=exact)
        truth = quadrature_log_marginal(x[None], vae.log_likelihood, latent_dim).log_marginal
        assert number(page, "single", "exact", side) == pytest.approx(truth.item(), abs=0.01)
    assert inked(page, f".vaelab-side-{side} .vaelab-decoded")[0] == pytest.approx(
        picture,
        abs=0.6 / 255,  # a screen has 256 greys
    )
    pad = page.locator(".vaelab-pad button").evaluate_all(
        "all => all.map((cell) => Number(cell.ariaPressed === 'true'))"
    )
    assert pad == x.tolist()
    recorded = figures(beta, latent_dim)
    latents = page.locator(f".vaelab-side-{side} .vaelab-latents input")
    said = [latent.get_attribute("aria-label") for latent in latents.all()]
    order = sorted(range(latent_dim), key=lambda j: -recorded["rate_per_latent"][j])
    assert len(said) == latent_dim
    for i, (words, j) in enumerate(zip(said, order, strict=True)):
        shown = f"mean {rounded(mean[j])}, deviation {rounded(torch.exp(0.5 * log_var[j]))},"
        assert shown in words
        assert ("Idle" in words) == (i >= recorded["active_units"])
