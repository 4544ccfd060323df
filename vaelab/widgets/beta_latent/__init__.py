"""β × latent dimension: VAEs trained on the binarised digits, one for each pair."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np

from vaelab import pretrained
from vaelab.data import PIXELS, TEST_SIZE, load_digits
from vaelab.widgets._host import Host, IntegerBetween, OneOf

NAME = "beta_latent"
MANIFEST = pretrained.manifest(NAME)
BETAS = tuple(MANIFEST["betas"])
LATENT_DIMS = tuple(MANIFEST["latent_dims"])
MOST_SEED = 9999
# The order in which JavaScript's readVae takes weights: that of the model's state_dict.
PARAMETERS = tuple(
    f"{network}.{layer}.{part}"
    for network in ("encoder", "decoder")
    for layer in (0, 2)
    for part in ("weight", "bias")
)
FIGURES = ("beta", "latent_dim", "rate", "distortion", "elbo", "active_units", "likelihood")


class BetaLatent(Host):
    """Prior samples, reconstructions and the figures of the VAE at one (beta, latent_dim).

    Args:
        beta: Weight of the KL in training; one of ``BETAS``.
        latent_dim: Latents; one of ``LATENT_DIMS``.
        image: Which held-out image is reconstructed, 0 to 359.
        seed: Of the draws from the prior.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message lists them.

    Example:
        >>> BetaLatent(beta=4, latent_dim=8)
        BetaLatent(beta=4, latent_dim=8)
    """

    widget_name = NAME
    script_files = ("../_js/slices.js", "models.js", "plot.js", "panels.js", "widget.js")
    state_names = ("beta", "latent_dim", "image", "seed")

    beta = OneOf(BETAS, default_value=1.0).tag(sync=True)
    latent_dim = OneOf(LATENT_DIMS, default_value=2).tag(sync=True)
    image = IntegerBetween(0, TEST_SIZE - 1, default_value=0).tag(sync=True)
    seed = IntegerBetween(0, MOST_SEED, default_value=0).tag(sync=True)

    def __init__(
        self, beta: float = 1.0, latent_dim: int = 2, image: int = 0, seed: int = 0
    ) -> None:
        super().__init__(beta=beta, latent_dim=latent_dim, image=image, seed=seed)

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        settings = [
            {name: figures[name] for name in FIGURES}
            for figures in sorted(
                MANIFEST["settings"].values(), key=lambda f: (f["latent_dim"], f["beta"])
            )
        ]
        return {
            "betas": list(BETAS),
            "latent_dims": list(LATENT_DIMS),
            "settings": settings,
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
            "choose β and the latent dimension d of a VAE trained on handwritten digits, and "
            "see its samples from the prior, its reconstructions of held-out digits, and its "
            "place on the rate-distortion curves.</p>"
            '<div class="vaelab-scroll"><table><caption>Test ELBO in nats an image, and in '
            "brackets how many latents are active</caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            "</div></div>"
        )
