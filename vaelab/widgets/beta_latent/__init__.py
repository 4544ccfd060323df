"""β × latent dimension: VAEs trained on the binarised digits, one for each pair."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np

from vaelab import pretrained
from vaelab.data import PIXELS, TEST_SIZE, load_digits
from vaelab.widgets._host import Bits, Flag, Host, IntegerBetween, NameOf, OneOf

NAME = "beta_latent"
MANIFEST = pretrained.manifest(NAME)
BETAS = tuple(MANIFEST["betas"])
LATENT_DIMS = tuple(MANIFEST["latent_dims"])
MOST_SEED = 9999
DRAWS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
VIEWS = ("digit", "model")
# The order in which JavaScript's readVae takes weights: that of the model's state_dict.
PARAMETERS = tuple(
    f"{network}.{layer}.{part}"
    for network in ("encoder", "decoder")
    for layer in (0, 2)
    for part in ("weight", "bias")
)
FIGURES = (
    "beta",
    "latent_dim",
    "rate",
    "distortion",
    "elbo",
    "active_units",
    "likelihood",
    "over_seeds",
)


def recorded_setting(figures: dict[str, Any]) -> dict[str, Any]:
    """What the page needs of one setting's figures.

    ``order`` lists its latents by their rate over held-out digits, the busiest first: the
    first ``active_units`` of them are the active ones. ``widen`` is the factor on q's
    deviations with which importance sampling was sound in this many latents.
    """
    rates = figures["rate_per_latent"]
    return {
        **{name: figures[name] for name in FIGURES},
        "order": sorted(range(len(rates)), key=lambda j: -rates[j]),
        "widen": figures["importance"]["widen"],
    }


class BetaLatent(Host):
    """A digit encoded, sampled and decoded by the VAE at one (beta, latent_dim), or at two.

    One view has a digit, its code, pictures decoded from it, and its ELBO beside an estimate
    of log p(x); the other has the model's figures over held-out digits and its samples.

    Args:
        beta: Weight of the KL in training; one of ``BETAS``.
        latent_dim: Latents; one of ``LATENT_DIMS``.
        image: Which held-out image is the digit, 0 to 359.
        seed: Of all draws, 0 to 9999.
        drawing: 64 zeros and ones, row by row: a digit of one's own. Empty for none.
        unit: Which latent is traversed, 1 to 16 in order of rate; more than there are means
            the last.
        draws: Of each estimate; one of ``DRAWS``.
        view: ``"digit"`` or ``"model"``.
        compare: Whether a second setting stands beside the first.
        other_beta: Of the second setting.
        other_latent_dim: Likewise.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message lists them.

    Example:
        >>> BetaLatent(beta=4, latent_dim=8)
        BetaLatent(beta=4, latent_dim=8)
    """

    widget_name = NAME
    script_files = (
        "../_js/slices.js",
        "../_js/weights.js",
        "../_js/chart.js",
        "../_js/digit_pad.js",
        "../_js/decoder_lattice.js",
        "models.js",
        "bound.js",
        "exact.js",
        "settings.js",
        "code.js",
        "panels.js",
        "bars.js",
        "plot.js",
        "side.js",
        "widget.js",
    )
    state_names = (
        "beta",
        "latent_dim",
        "image",
        "seed",
        "drawing",
        "unit",
        "draws",
        "view",
        "compare",
        "other_beta",
        "other_latent_dim",
    )

    beta = OneOf(BETAS, default_value=1.0).tag(sync=True)
    latent_dim = OneOf(LATENT_DIMS, default_value=2).tag(sync=True)
    image = IntegerBetween(0, TEST_SIZE - 1, default_value=0).tag(sync=True)
    seed = IntegerBetween(0, MOST_SEED, default_value=0).tag(sync=True)
    drawing = Bits(PIXELS).tag(sync=True)
    unit = IntegerBetween(1, max(LATENT_DIMS), default_value=1).tag(sync=True)
    draws = OneOf(DRAWS, default_value=1000).tag(sync=True)
    view = NameOf(VIEWS, default_value="digit").tag(sync=True)
    compare = Flag(0).tag(sync=True)
    other_beta = OneOf(BETAS, default_value=4.0).tag(sync=True)
    other_latent_dim = OneOf(LATENT_DIMS, default_value=2).tag(sync=True)

    def __init__(
        self,
        beta: float = 1.0,
        latent_dim: int = 2,
        image: int = 0,
        seed: int = 0,
        drawing: str = "",
        unit: int = 1,
        draws: int = 1000,
        view: str = "digit",
        compare: bool = False,
        other_beta: float = 4.0,
        other_latent_dim: int = 2,
    ) -> None:
        super().__init__(
            beta=beta,
            latent_dim=latent_dim,
            image=image,
            seed=seed,
            drawing=drawing,
            unit=unit,
            draws=draws,
            view=view,
            compare=compare,
            other_beta=other_beta,
            other_latent_dim=other_latent_dim,
        )

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        settings = sorted(
            MANIFEST["settings"].values(),
            key=lambda figures: (figures["latent_dim"], figures["beta"]),
        )
        return {
            "betas": list(BETAS),
            "latent_dims": list(LATENT_DIMS),
            "draws": list(DRAWS),
            "seeds": MANIFEST["seeds"],
            "settings": [recorded_setting(figures) for figures in settings],
            "labels": "".join(str(label) for label in load_digits().test_labels.tolist()),
            "most_seed": MOST_SEED,
        }

    @classmethod
    @cache
    def data(cls) -> dict[str, Any]:
        settings = [(beta, dim) for dim in LATENT_DIMS for beta in BETAS]
        weights = b""
        for beta, dim in settings:
            state = pretrained.load_vae(NAME, beta=beta, latent_dim=dim).state_dict()
            # The stored weights are float16, so this conversion changes nothing.
            weights += b"".join(state[name].numpy().astype("<f2").tobytes() for name in PARAMETERS)
        images = np.packbits(load_digits().test.numpy().astype(bool), axis=None)
        return {
            "pixels": PIXELS,
            "hidden": MANIFEST["model"]["hidden"],
            "settings": settings,
            "weights": base64.b64encode(weights).decode(),
            "images": base64.b64encode(images.tobytes()).decode(),
        }

    @classmethod
    def fallback_html(cls) -> str:
        rows = []
        for beta in BETAS:
            cells = ""
            for dim in LATENT_DIMS:
                figures = MANIFEST["settings"][pretrained.setting_key(beta=beta, latent_dim=dim)]
                elbo = f"{figures['elbo']:.2f}".replace("-", "\N{MINUS SIGN}")
                cells += f"<td>{elbo} ({figures['active_units']})</td>"
            rows.append(f'<tr><th scope="row">β = {beta:g}</th>{cells}</tr>')
        heads = "".join(f'<th scope="col">d = {dim}</th>' for dim in LATENT_DIMS)
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: '
            "choose β and the latent dimension d of a VAE trained on handwritten digits, or two "
            "such pairs; draw a digit and see it encoded, sampled and decoded; read its ELBO "
            "beside an estimate of log p(x); and see samples from the prior and the model's "
            "place on the rate-distortion curves.</p>"
            '<div class="vaelab-scroll"><table><caption>Test ELBO in nats an image, and in '
            "brackets how many latents are active</caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            "</div></div>"
        )
