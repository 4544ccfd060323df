"""The guided experiments: settings, what is trained for how long, and what to look for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """One button: settings that differ from the defaults, and phases of (part, steps)."""

    label: str
    settings: dict[str, Any]
    phases: tuple[tuple[str, int], ...] = (("both", 600),)


@dataclass(frozen=True)
class Experiment:
    """A question, the buttons that put it to the model, and what to notice."""

    key: str
    title: str
    attempt: str
    notice: str
    variants: tuple[Variant, ...] = field(default_factory=tuple)


EXPERIMENTS = (
    Experiment(
        key="first",
        title="A first look",
        attempt="two moons and two latents, as a VAE comes: both halves, β = 1.",
        notice="that the blue sheet on the left is the one on the right, folded by the decoder. "
        "The green codes settle under the prior, and the ELBO closes in on log p(x).",
        variants=(Variant("Run", {}),),
    ),
    Experiment(
        key="beta",
        title="The price of a code",
        attempt="the same model with the KL free, at its price, and at eight times it.",
        notice="the green codes: needles at β = 0, though the true posterior (the dark cloud) is "
        "wide; as wide as that at β = 1; all one at β = 8: a tiny gap, and a useless model.",
        variants=(
            Variant("β = 0", {"dataset": "pinwheel", "beta": 0, "noise": 0.5}),
            Variant("β = 1", {"dataset": "pinwheel", "beta": 1, "noise": 0.5}),
            Variant("β = 8", {"dataset": "pinwheel", "beta": 8, "noise": 0.5}),
        ),
    ),
    Experiment(
        key="ring",
        title="A ring on one latent",
        attempt="to wrap a line around a circle; then give the line a second dimension.",
        notice="where the curve’s two ends meet. Press a point there: its true posterior lies at "
        "an end of the line, and its green q does not.",
        variants=(
            Variant("1 latent", {"dataset": "ring", "latent_dim": 1}, (("both", 1000),)),
            Variant("2 latents", {"dataset": "ring", "latent_dim": 2}, (("both", 1000),)),
        ),
    ),
    Experiment(
        key="halves",
        title="One half at a time",
        attempt="60 steps of both, then 400 of the encoder alone, or of the decoder alone.",
        notice="log p(x). While only the encoder learns it lies still to the last digit, and the "
        "ELBO climbs towards it. Only the decoder can move it.",
        variants=(
            Variant("encoder", {"dataset": "moons"}, (("both", 60), ("encoder", 400))),
            Variant("decoder", {"dataset": "moons"}, (("both", 60), ("decoder", 400))),
        ),
    ),
    Experiment(
        key="bridges",
        title="Three clusters, one cloth",
        attempt="a decoder of three clusters: the prior has no holes, the data have.",
        notice="the bridges. The decoder is continuous, so what the prior has between the "
        "clusters’ codes is decoded to places where no data are.",
        variants=(
            Variant("1 latent", {"dataset": "clusters", "latent_dim": 1}),
            Variant("2 latents", {"dataset": "clusters", "latent_dim": 2}),
        ),
    ),
    Experiment(
        key="noise",
        title="How much noise",
        attempt="a wide s, a narrow one, and one that is learnt along with the rest.",
        notice="wide: hardly a gap, and a poor model. Narrow: every code must be exact, and is "
        "dear. Learnt: s falls to what the decoder can’t explain, and log p(x) beats both.",
        variants=(
            Variant("s = 1", {"noise": 1}),
            Variant("s = 0.1", {"noise": 0.1}),
            Variant("learnt", {"noise": 1, "noise_mode": "learnt"}),
        ),
    ),
)


def as_json() -> list[dict[str, Any]]:
    """The experiments in the form that the page reads."""
    return [asdict(experiment) for experiment in EXPERIMENTS]


def variant(key: str, label: str) -> Variant:
    """One button of one experiment.

    Raises:
        KeyError: If there is none of that name.

    Example:
        >>> variant("ring", "1 latent").settings["latent_dim"]
        1
    """
    for experiment in EXPERIMENTS:
        for found in experiment.variants:
            if (experiment.key, found.label) == (key, label):
                return found
    raise KeyError(f"no experiment {key!r} has a button {label!r}")
