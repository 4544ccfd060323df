"""The lab: a VAE on points of the plane, trained in the page, with the exact log p(x) beside it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import traitlets

from vaelab.book.results import load_results
from vaelab.widgets._host import Host, IntegerBetween, NameOf, OneOf
from vaelab.widgets.vae_lab import experiments
from vaelab.widgets.vae_lab.presets import DRAWN, MOST_DRAWN, PRESETS, drawing_text, preset

__all__ = ["VAELab", "drawing_text", "preset"]

NAME = "vae_lab"
BETAS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LEARNING_RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
NOISES = (0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
PARTS = ("both", "encoder", "decoder")
MOST_SEED = 9999


class Drawing(traitlets.TraitType):
    """Points as text: see :func:`drawing_text`. Empty for none."""

    letters = rf"^{DRAWN}(?:[A-Za-z0-9_-]{{3}}){{0,{MOST_DRAWN}}}$"
    meaning = f"{DRAWN} and three letters a point, of at most {MOST_DRAWN} points"

    def __init__(self) -> None:
        super().__init__("")

    def rule(self) -> dict[str, Any]:
        examples = [DRAWN, f"{DRAWN}gEAAH_"]
        return {"letters": self.letters, "meaning": self.meaning, "examples": examples}

    def validate(self, obj: Any, value: Any) -> str:
        if isinstance(value, str) and (value == "" or re.fullmatch(self.letters, value)):
            return value
        shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
        raise traitlets.TraitError(
            f"{self.name} must be {self.meaning}, or empty, got {shown}: "
            "drawing_text(points) writes it"
        )


class VAELab(Host):
    """A VAE on points of the plane, trained live: tanh networks, p(x | z) = N(mean(z), s^2 I).

    Args:
        dataset: ``"moons"``, ``"ring"``, ``"clusters"``, ``"spiral"`` or ``"pinwheel"``.
        drawing: Points of one's own instead, as :func:`drawing_text` writes them.
        latent_dim: 1 or 2.
        beta: Weight of the KL in the objective; one of ``BETAS``.
        learning_rate: Of Adam; one of ``LEARNING_RATES``.
        noise: s, one of ``NOISES``: held there, or where it starts.
        noise_mode: ``"fixed"`` or ``"learnt"``.
        part: What a step changes: ``"both"``, the ``"encoder"`` or the ``"decoder"``.
        seed: Of the first weights and of every draw.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> VAELab(dataset="ring", latent_dim=1)
        VAELab(dataset='ring', latent_dim=1)
    """

    widget_name = NAME
    script_files = (
        "../_js/chart.js",
        "data.js",
        "mlp.js",
        "vae.js",
        "adam.js",
        "lattice.js",
        "quadrature.js",
        "truth.js",
        "trainer.js",
        "engine.js",
        "player.js",
        "canvas.js",
        "fields.js",
        "draw_data.js",
        "draw_latent.js",
        "curves.js",
        "data_plane.js",
        "panels.js",
        "layout.js",
        "widget.js",
    )
    state_names = (
        "dataset",
        "drawing",
        "latent_dim",
        "beta",
        "learning_rate",
        "noise",
        "noise_mode",
        "part",
        "seed",
    )

    dataset = NameOf(PRESETS, default_value=PRESETS[0]).tag(sync=True)
    drawing = Drawing().tag(sync=True)
    latent_dim = OneOf((1, 2), default_value=2).tag(sync=True)
    beta = OneOf(BETAS, default_value=1.0).tag(sync=True)
    learning_rate = OneOf(LEARNING_RATES, default_value=0.01).tag(sync=True)
    noise = OneOf(NOISES, default_value=0.2).tag(sync=True)
    noise_mode = NameOf(("fixed", "learnt"), default_value="fixed").tag(sync=True)
    part = NameOf(PARTS, default_value="both").tag(sync=True)
    seed = IntegerBetween(0, MOST_SEED, default_value=0).tag(sync=True)

    def __init__(
        self,
        dataset: str = PRESETS[0],
        drawing: str = "",
        latent_dim: int = 2,
        beta: float = 1.0,
        learning_rate: float = 0.01,
        noise: float = 0.2,
        noise_mode: str = "fixed",
        part: str = "both",
        seed: int = 0,
    ) -> None:
        super().__init__(
            dataset=dataset,
            drawing=drawing,
            latent_dim=latent_dim,
            beta=beta,
            learning_rate=learning_rate,
            noise=noise,
            noise_mode=noise_mode,
            part=part,
            seed=seed,
        )

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        return {
            "points": {name: preset(name).ravel().tolist() for name in PRESETS},
            "experiments": experiments.as_json(),
            "allowed": {
                "latent_dim": [1, 2],
                "beta": list(BETAS),
                "learning_rate": list(LEARNING_RATES),
                "noise": list(NOISES),
            },
        }

    @classmethod
    def fallback_html(cls) -> str:
        rows = ""
        for run in load_results(NAME)["runs"]:
            numbers = (run["reconstruction"], run["rate"], run["elbo"], run["log_marginal"])
            gap = run["log_marginal"] - run["elbo"]
            cells = "".join(
                f"<td>{f'{value:.2f}'.replace('-', chr(0x2212))}</td>" for value in (*numbers, gap)
            )
            name = f"{run['dataset']}, {run['latent_dim']} latent{'s' * (run['latent_dim'] - 1)}"
            rows += f'<tr><th scope="row">{name}</th>{cells}</tr>'
        heads = "".join(
            f'<th scope="col">{name}</th>'
            for name in ("E log p(x | z)", "KL", "ELBO", "log p(x)", "gap")
        )
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a laboratory: a '
            "small VAE is trained here, step by step, on points of the plane that you may draw. "
            "You see the latent grid fold over the data, the codes move under the prior, and the "
            "ELBO climb towards the exact log p(x).</p>"
            '<div class="vaelab-scroll"><table><caption>Nats a point after '
            f"{load_results(NAME)['steps']} steps at the first settings</caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div></div>"
        )
