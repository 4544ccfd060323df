"""The derivation of the ELBO, a step at a time, with q in the reader's hand."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from vaelab.data import PIXELS
from vaelab.widgets._host import Host, IntegerBetween, NameOf, NumberBetween
from vaelab.widgets.elbo_stepper.models import (
    LEAST_SCALE,
    LINEAR,
    MODELS,
    MOST_MEAN,
    MOST_SCALE,
    digit_image,
    digit_vae,
    encoder_q,
    terms,
)

NAME = "elbo_stepper"
STEPS = 8
#: The q that the chapter names, beside the encoder's.
PLACES = (("prior", 0.0, 1.0), ("narrow", 1.4, 0.1), ("shifted", -1.0, 0.3))
DEFAULT_MEAN, DEFAULT_SCALE = PLACES[2][1:]
DECODER = ("decoder.0.weight", "decoder.0.bias", "decoder.2.weight", "decoder.2.bias")


def lines(name: str, mean: float, scale: float) -> list[tuple[str, tuple[float, ...]]]:
    """Each step's line, and what its pieces add, in nats."""
    t = terms(name, mean, scale)
    to_prior, to_posterior = t.log_q - t.log_prior, t.log_q - t.log_posterior
    reconstruction = "E[log p(x | z)]"
    return [
        ("log p(x) · ∫ q(z) dz", (t.log_marginal,)),
        ("E[log p(x)]", (t.log_marginal,)),
        (
            f"{reconstruction} + E[log p(z)] − E[log p(z | x)]",
            (t.reconstruction, t.log_prior, -t.log_posterior),
        ),
        (
            f"{reconstruction} + E[log p(z)] − E[log q(z)] + E[log q(z)] − E[log p(z | x)]",
            (t.reconstruction, t.log_prior, -t.log_q, t.log_q, -t.log_posterior),
        ),
        (
            f"{reconstruction} − KL(q ‖ p(z)) + KL(q ‖ p(z | x))",
            (t.reconstruction, -to_prior, to_posterior),
        ),
        (f"{reconstruction} − KL(q ‖ p(z)), the bound", (t.reconstruction, -to_prior)),
        ("E[log p(x, z)] + H(q), the bound", (t.reconstruction + t.log_prior, -t.log_q)),
        ("E[log w(z)], the bound", (t.reconstruction + t.log_prior - t.log_q,)),
    ]


class ElboStepper(Host):
    """The derivation of the ELBO for a Gaussian q = N(mean, scale^2): each piece as a bar.

    Args:
        model: "digit", chapter 05's decoder of one latent at its digit, or "linear", whose
            posterior is a Gaussian.
        step: Of the derivation, 1 to 8: log p(x) times 1, an average, Bayes' rule, q / q,
            regrouped, the bound, its form of energy and entropy, its form of a mean log weight.
        mean: Of q, -3 to 3.
        scale: Standard deviation of q, 0.05 to 2.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> ElboStepper(model="linear", step=5)
        ElboStepper(model='linear', step=5)
    """

    widget_name = NAME
    script_files = (
        "../_js/chart.js",
        "../_js/handles.js",
        "models.js",
        "derivation.js",
        "picture.js",
        "waterfall.js",
        "panels.js",
        "widget.js",
    )
    state_names = ("model", "step", "mean", "scale")

    model = NameOf(MODELS, default_value="digit").tag(sync=True)
    step = IntegerBetween(1, STEPS, default_value=1).tag(sync=True)
    mean = NumberBetween(-MOST_MEAN, MOST_MEAN, default_value=DEFAULT_MEAN).tag(sync=True)
    scale = NumberBetween(LEAST_SCALE, MOST_SCALE, default_value=DEFAULT_SCALE).tag(sync=True)

    def __init__(
        self,
        model: str = "digit",
        step: int = 1,
        mean: float = DEFAULT_MEAN,
        scale: float = DEFAULT_SCALE,
    ) -> None:
        super().__init__(model=model, step=step, mean=mean, scale=scale)

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        """The models' parameters; what follows from them the page works out."""
        state = digit_vae().state_dict()
        # The stored weights are float16, so this conversion changes nothing.
        weights = b"".join(state[name].numpy().astype("<f2").tobytes() for name in DECODER)
        mean, scale = encoder_q()
        return {
            "linear": LINEAR,
            "digit": {
                "weights": base64.b64encode(weights).decode(),
                "hidden": len(state["decoder.0.bias"]),
                "pixels": PIXELS,
                "image": "".join(f"{pixel:.0f}" for pixel in digit_image()[0].tolist()),
            },
            "encoder": {"mean": mean, "scale": scale},
            "places": [
                {"name": name, "mean": mean, "scale": scale} for name, mean, scale in PLACES
            ],
        }

    @classmethod
    def fallback_html(cls) -> str:
        rows = ""
        for number, (line, adds) in enumerate(lines("digit", DEFAULT_MEAN, DEFAULT_SCALE), 1):
            pieces = ", ".join(f"{value:+.3f}" for value in adds)
            rows += (
                f'<tr><th scope="row">{number}. {line}</th>'
                f"<td>{pieces}</td><td>{sum(adds):.3f}</td></tr>"
            ).replace("-", "\N{MINUS SIGN}")
        heads = "".join(
            f'<th scope="col">{head}</th>' for head in ("log p(x) as", "its pieces", "their sum")
        )
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: step '
            "through the derivation of the ELBO, drag q, and see every piece of log p(x) move "
            "while the sum stays put.</p>"
            '<div class="vaelab-scroll"><table><caption>One digit, a decoder with one latent, '
            f"q with mean {DEFAULT_MEAN:g} and standard deviation {DEFAULT_SCALE:g}; averages E "
            "are over q, in nats</caption>".replace("mean -", "mean \N{MINUS SIGN}")
            + f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></div>"
        )
