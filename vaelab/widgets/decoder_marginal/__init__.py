"""Decoder and marginal: the plane of latents, an image, and log p(x) while it is drawn."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np

from vaelab import pretrained
from vaelab.data import PIXELS, TEST_SIZE, load_digits
from vaelab.widgets._host import Bits, Host, IntegerBetween, NumberBetween
from vaelab.widgets.beta_latent import PARAMETERS

NAME = "decoder_marginal"
WEIGHTS = "beta_latent"
SETTING = {"beta": 1.0, "latent_dim": 2}
REACH = 5  # of the plane that is shown, each way from 0


class DecoderMarginal(Host):
    """The decoder of a VAE with two latents, and p(x | z) p(z) over their plane for an image.

    Args:
        image: Which held-out digit is x, 0 to 359.
        drawing: 64 zeros and ones, row by row: an image of one's own, which is x instead of
            the digit. Empty for none.
        z1: First coordinate of the latent that is decoded, -5 to 5.
        z2: The second.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> DecoderMarginal(image=3, z1=0.5)
        DecoderMarginal(image=3, z1=0.5)
    """

    widget_name = NAME
    script_files = (
        "../_js/digit_pad.js",
        "../_js/slices.js",
        "../_js/decoder_lattice.js",
        "prior_mass.js",
        "plane.js",
        "panels.js",
        "standing.js",
        "widget.js",
    )
    state_names = ("image", "drawing", "z1", "z2")

    image = IntegerBetween(0, TEST_SIZE - 1, default_value=0).tag(sync=True)
    drawing = Bits(PIXELS).tag(sync=True)
    z1 = NumberBetween(-REACH, REACH, default_value=0.0).tag(sync=True)
    z2 = NumberBetween(-REACH, REACH, default_value=0.0).tag(sync=True)

    def __init__(self, image: int = 0, drawing: str = "", z1: float = 0.0, z2: float = 0.0) -> None:
        super().__init__(image=image, drawing=drawing, z1=z1, z2=z2)

    @classmethod
    @cache
    def figures(cls) -> dict[str, Any]:
        """What was recorded with the weights, over all held-out digits."""
        settings = pretrained.manifest(WEIGHTS)["settings"]
        return settings[pretrained.setting_key(**SETTING)]

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        likelihood = cls.figures()["likelihood"]
        return {
            "log_likelihood": likelihood["log_likelihood"],
            "labels": "".join(str(label) for label in load_digits().test_labels.tolist()),
            "reach": REACH,
        }

    @classmethod
    @cache
    def data(cls) -> dict[str, Any]:
        vae = pretrained.load_vae(WEIGHTS, **SETTING)
        state = vae.state_dict()
        # The stored weights are float16, so this conversion changes nothing.
        weights = b"".join(state[name].numpy().astype("<f2").tobytes() for name in PARAMETERS)
        images = np.packbits(load_digits().test.numpy().astype(bool), axis=None)
        return {
            "sizes": {"latentDim": vae.latent_dim, "hidden": vae.hidden, "pixels": vae.pixels},
            "weights": base64.b64encode(weights).decode(),
            "images": base64.b64encode(images.tobytes()).decode(),
        }

    @classmethod
    def fallback_html(cls) -> str:
        figures = cls.figures()
        likelihood = figures["likelihood"]
        rows = [
            ("log p(x), by quadrature", likelihood["log_likelihood"]),
            ("ELBO", figures["elbo"]),
            ("E log p(x | z), z from the encoder", -figures["distortion"]),
        ]
        cells = "".join(
            f'<tr><th scope="row">{name}</th>'
            f"<td>{f'{value:.2f}'.replace('-', chr(0x2212))}</td></tr>"
            for name, value in rows
        )
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: pick '
            "or draw a digit x, see over the plane of latents where p(x | z) p(z) lies, drag a "
            "latent z and see what it decodes to, and read log p(x), summed over the plane.</p>"
            '<div class="vaelab-scroll"><table><caption>Nats an image, averaged over '
            f"{TEST_SIZE} held-out digits</caption>"
            '<thead><tr><td></td><th scope="col">nats</th></tr></thead>'
            f"<tbody>{cells}</tbody></table></div></div>"
        )
