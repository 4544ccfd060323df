"""Naive Monte Carlo on a model whose log p(x) is known: draw, average, and be wrong."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from vaelab.data import load_digits
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.spectrum import covariance_spectrum
from vaelab.widgets._host import Host, IntegerBetween, OneOf

NAME = "naive_monte_carlo"
MOST_DIM = 20
MOST_SEED = 9999
MOST_DRAWS = 1_000_000
# Deviations of a pixel, whose range is 0 to 1.
NOISES = (0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.14, 0.17, 0.2, 0.24, 0.28, 0.34, 0.4, 0.5, 0.7, 1.0)
FITTED = 0  # as the noise: the one that fits the data best
TOLERANCES = (0.5, 0.2, 0.1)
TABLE_DIMS = (1, 2, 5, 10, 20)


@cache
def grey_digits() -> torch.Tensor:
    """All digits, pixels as counts divided by 16."""
    digits = load_digits("grey", torch.float64)
    return torch.cat([digits.train, digits.test])


@cache
def image() -> torch.Tensor:
    """The image that is scored: the first held-out digit, (1, pixels)."""
    return load_digits("grey", torch.float64).test[:1]


@cache
def axes() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean, eigenvalues, eigenvectors of the digits' covariance, and the image along them.

    An eigenvector's sign means nothing: it is chosen so that the image lies on its side, the
    same on every machine.
    """
    mean, eigenvalues, eigenvectors = covariance_spectrum(grey_digits())
    coordinates = ((image() - mean) @ eigenvectors)[0]
    signs = torch.where(coordinates < 0, -1.0, 1.0).double()
    return mean, eigenvalues, eigenvectors * signs, coordinates * signs


def model(latent_dim: int, noise: float = FITTED) -> LinearGaussian:
    """The most likely linear-Gaussian model, with the noise held unless it is ``FITTED``."""
    return LinearGaussian.fit(
        grey_digits(), latent_dim, noise_var=None if noise == FITTED else noise**2
    )


class NaiveMonteCarlo(Host):
    """log p(x) of a digit by averaging over draws from the prior, beside the exact value.

    The model is probabilistic PCA fitted to the digits, so the truth, the posterior and the
    effective share of the prior's draws have closed forms.

    Args:
        latent_dim: Latents, 1 to 20.
        noise: The decoder's standard deviation, one of ``NOISES``; 0 for the one that fits
            the data best at each ``latent_dim``.
        draws: How many draws have been made, 0 to a million.
        tolerance: The standard error in nats under which the estimate counts as converged;
            one of ``TOLERANCES``.
        seed: Of the draws, 0 to 9999.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> NaiveMonteCarlo(latent_dim=20, draws=10_000)
        NaiveMonteCarlo(latent_dim=20, draws=10000)
    """

    widget_name = NAME
    script_files = (
        "../_js/weights.js",
        "../_js/chart.js",
        "../_js/running_estimate.js",
        "model.js",
        "sampler.js",
        "../_js/draw_up_to.js",
        "charts.js",
        "panels.js",
        "controls.js",
        "widget.js",
    )
    state_names = ("latent_dim", "noise", "draws", "tolerance", "seed")

    latent_dim = IntegerBetween(1, MOST_DIM, default_value=2).tag(sync=True)
    noise = OneOf((FITTED, *NOISES), default_value=FITTED).tag(sync=True)
    draws = IntegerBetween(0, MOST_DRAWS, default_value=1000).tag(sync=True)
    tolerance = OneOf(TOLERANCES, default_value=0.5).tag(sync=True)
    seed = IntegerBetween(0, MOST_SEED, default_value=0).tag(sync=True)

    def __init__(
        self,
        latent_dim: int = 2,
        noise: float = FITTED,
        draws: int = 1000,
        tolerance: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim, noise=noise, draws=draws, tolerance=tolerance, seed=seed
        )

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        _, eigenvalues, _, coordinates = axes()
        return {
            "eigenvalues": eigenvalues.tolist(),
            "coordinates": coordinates.tolist(),
            "noises": list(NOISES),
            "dims": list(range(1, MOST_DIM + 1)),
            "tolerances": list(TOLERANCES),
            "most_seed": MOST_SEED,
        }

    @classmethod
    @cache
    def data(cls) -> dict[str, Any]:
        mean, _, eigenvectors, _ = axes()
        # For pictures alone: a screen has 256 greys.
        vectors = eigenvectors[:, :MOST_DIM].T.flatten()
        return {
            "image": image()[0].tolist(),
            "bias": [round(value, 4) for value in mean.tolist()],
            "vectors": [round(value, 4) for value in vectors.tolist()],
        }

    @classmethod
    def fallback_html(cls) -> str:
        rows = []
        for latent_dim in TABLE_DIMS:
            exact = model(latent_dim)
            log_p = f"{exact.log_marginal(image()).item():.2f}".replace("-", "\N{MINUS SIGN}")
            kl = exact.kl_posterior_prior(image()).item()
            useful = MOST_DRAWS * exact.log_ess_fraction(image()).exp().item()
            rows.append(
                f'<tr><th scope="row">d = {latent_dim}</th><td>{exact.noise_var**0.5:.3f}</td>'
                f"<td>{log_p}</td><td>{kl:.2f}</td><td>{useful:,.2g}</td></tr>"
            )
        heads = "".join(
            f'<th scope="col">{head}</th>'
            for head in ("noise", "log p(x)", "KL(posterior ‖ prior)", "of a million draws count")
        )
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: draw '
            "latents from the prior, average p(x | z) over them, and watch the estimate of "
            "log p(x) and its error band beside the exact value, for any number of latents.</p>"
            '<div class="vaelab-scroll"><table><caption>A linear-Gaussian model of the digits '
            "and one of them, all by closed forms; log p(x) and KL in nats</caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            "</div></div>"
        )
