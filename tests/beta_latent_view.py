"""What a page with the β × latent dimension widget shows, held against PyTorch."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from tests.javascript import evaluator
from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.densities import kl_to_standard_normal
from vaelab.widgets.beta_latent import MANIFEST

CLOSE = {"rel": 1e-5, "abs": 1e-5}


@cache
def page_noise(latent_dim: int) -> torch.Tensor:
    """The seeded noise with which the page estimates a digit's distortion, (draws, latent)."""
    noise = evaluator("beta_latent")(f"standardNormal(ELBO_SEED, ELBO_DRAWS * {latent_dim})")
    return torch.tensor(noise, dtype=torch.float64).reshape(-1, latent_dim)


def number(page, part: str, name: str) -> float:
    return float(page.locator(f".vaelab-{part} .vaelab-number-{name} data").get_attribute("value"))


def inked(page, selector: str) -> np.ndarray:
    """Opacity of every pixel of every picture, (pictures, 64)."""
    pixels = page.locator(f"{selector} canvas").evaluate_all(
        "all => all.map((c) => [...c.getContext('2d').getImageData(0, 0, 8, 8).data]"
        ".filter((_, i) => i % 4 === 3))"
    )
    return np.array(pixels) / 255


def assert_shows(page, beta: float, latent_dim: int, image: int) -> None:
    """Recorded averages as in the manifest; this digit's figures and pictures as PyTorch's."""
    recorded = MANIFEST["settings"][pretrained.setting_key(beta=beta, latent_dim=latent_dim)]
    for name in ("rate", "distortion", "elbo", "active"):
        key = {"active": "active_units"}.get(name, name)
        assert number(page, "averages", name) == pytest.approx(recorded[key], **CLOSE)
    likelihood = recorded["likelihood"]
    shown = number(page, "averages", "likelihood")
    assert shown == pytest.approx(likelihood["log_likelihood"], **CLOSE)
    basis = page.locator(".vaelab-basis").inner_text()
    assert ("quadrature" in basis) == (latent_dim <= 2)
    assert ("K = 5,000" in basis and "standard error" in basis) == (latent_dim > 2)

    vae = pretrained.load_vae("beta_latent", beta=beta, latent_dim=latent_dim).double()
    x = load_digits(dtype=torch.float64).test[image]
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        rate = kl_to_standard_normal(mean, log_var).sum().item()
        picture = vae.decode_mean(mean).numpy()
        z = mean + torch.exp(0.5 * log_var) * page_noise(latent_dim)
        distortion = -vae.log_likelihood(x[None], z[:, None]).mean().item()
    page.wait_for_function(  # this digit follows once the averages are drawn
        "elbo => Math.abs(document.querySelector('.vaelab-single .vaelab-number-elbo data').value"
        " - elbo) < 1e-4",
        arg=-rate - distortion,
    )
    assert number(page, "single", "rate") == pytest.approx(rate, **CLOSE)
    assert number(page, "single", "distortion") == pytest.approx(distortion, **CLOSE)
    assert number(page, "single", "elbo") == pytest.approx(-rate - distortion, **CLOSE)
    original, from_mean = inked(page, ".vaelab-recon")[:2]
    np.testing.assert_array_equal(original, x.numpy())
    np.testing.assert_allclose(from_mean, picture, atol=0.6 / 255)  # a screen has 256 greys
