"""Fit a Gaussian q to a posterior by hand, with the exact gap as the score."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

import torch

from vaelab.widgets._host import Host, NameOf, NumberBetween, OneOf
from vaelab.widgets.fit_q.targets import (
    FAMILIES,
    LEAST_SCALE,
    MOST_MEAN,
    MOST_SCALE,
    TARGETS,
    best_fit,
    elbo,
)

NAME = "fit_q"
DRAWS = (1, 2, 4, 8, 16, 32, 64)
# What the fallback's table tells: words, the posterior, the family, where the ascent starts.
ROWS = (
    ("banana, diagonal", "banana", "diagonal", (0.0, 1.0)),
    ("banana, rotation allowed", "banana", "rotated", (0.0, 1.0)),
    ("two modes, from the heavier", "modes", "rotated", (1.0, 0.6)),
    ("two modes, from the fainter", "modes", "rotated", (-1.0, -0.6)),
    ("tilted, diagonal", "tilted", "diagonal", (0.0, 0.0)),
    ("tilted, rotation allowed", "tilted", "rotated", (0.0, 0.0)),
)


@cache
def fits() -> tuple[tuple[str, float, float, float], ...]:
    """For each row: its words, log p(x), the prior's gap and the gap of the best q."""
    found = []
    for words, name, family, start in ROWS:
        target = TARGETS[name]
        zero = torch.zeros(2, dtype=torch.float64)
        prior = elbo(target, zero, zero + 1, zero[0]).item()
        log_marginal = target.log_marginal()
        best = best_fit(target, family, start).gap
        found.append((words, log_marginal, log_marginal - prior, best))
    return tuple(found)


class FitQ(Host):
    """A Gaussian q over p(x, z): its gap, its IWAE bound, and what gradient ascent makes of it.

    Args:
        target: The posterior, "banana", "modes" or "tilted".
        family: Of q, "diagonal" or "rotated".
        mean1: Of q along the first latent, -4 to 4.
        mean2: Along the second.
        scale1: Standard deviation of q along its first axis, 0.05 to 3.
        scale2: Along its second.
        angle: Degrees from the first latent's axis to q's, -90 to 90; of no use to a
            diagonal q.
        draws: K of the IWAE bound, one of ``DRAWS``.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> FitQ(target="modes", mean1=-1.0)
        FitQ(target='modes', mean1=-1)
    """

    widget_name = NAME
    script_files = (
        "../_js/chart.js",
        "../_js/handles.js",
        "targets.js",
        "quadrature.js",
        "ascent.js",
        "bound.js",
        "picture.js",
        "bars.js",
        "panels.js",
        "widget.js",
    )
    state_names = ("target", "family", "mean1", "mean2", "scale1", "scale2", "angle", "draws")

    target = NameOf(tuple(TARGETS), default_value="banana").tag(sync=True)
    family = NameOf(FAMILIES, default_value="diagonal").tag(sync=True)
    mean1 = NumberBetween(-MOST_MEAN, MOST_MEAN, default_value=0.0).tag(sync=True)
    mean2 = NumberBetween(-MOST_MEAN, MOST_MEAN, default_value=0.0).tag(sync=True)
    scale1 = NumberBetween(LEAST_SCALE, MOST_SCALE, default_value=1.0).tag(sync=True)
    scale2 = NumberBetween(LEAST_SCALE, MOST_SCALE, default_value=1.0).tag(sync=True)
    angle = NumberBetween(-90, 90, default_value=0.0).tag(sync=True)
    draws = OneOf(DRAWS, default_value=8).tag(sync=True)

    def __init__(
        self,
        target: str = "banana",
        family: str = "diagonal",
        mean1: float = 0.0,
        mean2: float = 0.0,
        scale1: float = 1.0,
        scale2: float = 1.0,
        angle: float = 0.0,
        draws: int = 8,
    ) -> None:
        super().__init__(
            target=target,
            family=family,
            mean1=mean1,
            mean2=mean2,
            scale1=scale1,
            scale2=scale2,
            angle=angle,
            draws=draws,
        )

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        parts = {name: asdict(target) for name, target in TARGETS.items()}
        for target in parts.values():
            target["weight"] = list(target["weight"])
        return {"targets": parts}

    @classmethod
    def fallback_html(cls) -> str:
        rows = "".join(
            f'<tr><th scope="row">{words}</th><td>{log_marginal:.3f}</td>'
            f"<td>{prior:.3f}</td><td>{abs(best):.3f}</td></tr>"
            for words, log_marginal, prior, best in fits()
        ).replace("<td>-", "<td>\N{MINUS SIGN}")
        heads = "".join(
            f'<th scope="col">{head}</th>'
            for head in ("log p(x)", "gap of the prior", "gap of the best q found")
        )
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: drag '
            "the mean, the deviations and the rotation of a Gaussian q over p(x, z), with the "
            "exact gap KL(q ‖ posterior) as the score, and let gradient ascent on the exact "
            "ELBO try from where you left it.</p>"
            '<div class="vaelab-scroll"><table><caption>Posteriors with a known normaliser, two '
            "latents, all in nats: where gradient ascent on the exact ELBO comes to</caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div></div>"
        )
