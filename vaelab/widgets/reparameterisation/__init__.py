"""The gradient of one ELBO, from the same draws, reparameterised and by the score function."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

from vaelab.widgets._host import Host, IntegerBetween, NameOf, NumberBetween, OneOf
from vaelab.widgets.reparameterisation.targets import TARGETS, MeanGradient, mean_gradient

NAME = "reparameterisation"
PARAMETERS = ("mean", "log-scale")
BASELINES = ("none", "batch-mean", "leave-one-out")
DRAWS = (2, 4, 8, 16, 32)
MOST_STEPS, MOST_SEED = 10_000, 9999
MOST_MEAN, LEAST_SCALE, MOST_SCALE, MOST_CONSTANT = 3.0, 0.05, 3.0, 50.0
START = {"mean": 0.0, "scale": 0.5}
# What the fallback's table tells: words, the target.
ROWS = (("linear decoder", "linear"), ("wavy decoder", "wavy"), ("two modes", "modes"))


@cache
def table() -> tuple[tuple[str, MeanGradient, MeanGradient], ...]:
    """For each target: its words, and the gradient without and with a constant added to f."""
    return tuple(
        (
            words,
            mean_gradient(TARGETS[name], **START),
            mean_gradient(TARGETS[name], **START, constant=MOST_CONSTANT),
        )
        for words, name in ROWS
    )


class Reparameterisation(Host):
    """Two estimates of the ELBO's gradient from the same draws, beside the exact one.

    Each step draws K latents from q = N(mean, scale²) and estimates the gradient of
    E_q[f(z)] + entropy of q, f(z) = log p(x, z) + constant, in both ways.

    Args:
        target: What decodes z, "linear", "wavy" or "modes" (a decoder that loses the sign).
        parameter: Of q, whose gradient is shown: "mean" or "log-scale".
        baseline: Of the score function, "none", "batch-mean" (of the step's K draws, which
            holds the draw itself: its average is short of the gradient) or "leave-one-out".
        constant: Added to f, -50 to 50 nats. It changes no gradient.
        mean: Of q, -3 to 3.
        scale: Standard deviation of q, 0.05 to 3.
        draws: K, how many draws a step makes, one of ``DRAWS``.
        steps: How many have been made, 0 to 10,000.
        seed: Of the draws, 0 to 9999.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> Reparameterisation(baseline="leave-one-out", constant=20)
        Reparameterisation(baseline='leave-one-out', constant=20)
    """

    widget_name = NAME
    script_files = (
        "../_js/chart.js",
        "../_js/draw_up_to.js",
        "target.js",
        "gradients.js",
        "exact.js",
        "sampler.js",
        "picture.js",
        "running.js",
        "controls.js",
        "panels.js",
        "widget.js",
    )
    state_names = (
        "target",
        "parameter",
        "baseline",
        "constant",
        "mean",
        "scale",
        "draws",
        "steps",
        "seed",
    )

    target = NameOf(tuple(TARGETS), default_value="linear").tag(sync=True)
    parameter = NameOf(PARAMETERS, default_value="mean").tag(sync=True)
    baseline = NameOf(BASELINES, default_value="none").tag(sync=True)
    constant = NumberBetween(-MOST_CONSTANT, MOST_CONSTANT, default_value=0.0).tag(sync=True)
    mean = NumberBetween(-MOST_MEAN, MOST_MEAN, default_value=START["mean"]).tag(sync=True)
    scale = NumberBetween(LEAST_SCALE, MOST_SCALE, default_value=START["scale"]).tag(sync=True)
    draws = OneOf(DRAWS, default_value=8).tag(sync=True)
    steps = IntegerBetween(0, MOST_STEPS, default_value=100).tag(sync=True)
    seed = IntegerBetween(0, MOST_SEED, default_value=0).tag(sync=True)

    def __init__(
        self,
        target: str = "linear",
        parameter: str = "mean",
        baseline: str = "none",
        constant: float = 0.0,
        mean: float = 0.0,
        scale: float = 0.5,
        draws: int = 8,
        steps: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(
            target=target,
            parameter=parameter,
            baseline=baseline,
            constant=constant,
            mean=mean,
            scale=scale,
            draws=draws,
            steps=steps,
            seed=seed,
        )

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        return {"targets": {name: asdict(target) for name, target in TARGETS.items()}}

    @classmethod
    def fallback_html(cls) -> str:
        rows = "".join(
            f'<tr><th scope="row">{words}</th><td>{plain.exact:.2f}</td>'
            f"<td>{plain.reparameterised:.2f}</td><td>{plain.score:,.1f}</td>"
            f"<td>{shifted.score:,.0f}</td><td>{plain.leave_one_out:.2f}</td></tr>"
            for words, plain, shifted in table()
        )
        heads = "".join(
            f'<th scope="col">{head}</th>'
            for head in (
                "exact gradient",
                "reparameterised",
                "score function, no baseline",
                f"the same with {MOST_CONSTANT:g} added to f",
                "score function, leave-one-out",
            )
        )
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: '
            "estimate the gradient of an ELBO from the same draws of q, reparameterised and by "
            "the score function, add constants and baselines, and watch both averages and both "
            "variances beside the exact ones.</p>"
            '<div class="vaelab-scroll"><table><caption>The gradient in the mean of q = '
            f"N({START['mean']:g}, {START['scale']:g}²), and the variance of each estimate of it "
            "from 8 draws, by quadrature</caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div></div>"
        )
