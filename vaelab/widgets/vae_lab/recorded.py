"""What the guided experiments ended in, recorded over seeds by ``experiments/vae_lab.py``."""

from __future__ import annotations

from vaelab.book.results import load_results

COLUMNS = {"log p(x)": "log_marginal", "ELBO": "elbo", "gap": "gap", "KL": "rate", "s": "noise"}


def runs(key: str, label: str) -> list[list[dict[str, float]]]:
    """The figures of one button: for each seed, before training and after each phase.

    Args:
        key: The experiment.
        label: The button.

    Raises:
        KeyError: If nothing is recorded under those names.

    Example:
        >>> len(runs("ring", "1 latent"))
        5
    """
    guided = load_results("vae_lab")["guided"]
    found = [run["figures"] for run in guided if (run["key"], run["label"]) == (key, label)]
    if not found:
        raise KeyError(f"nothing is recorded of a button {label!r} of {key!r}")
    return found


def ends(key: str, label: str) -> list[dict[str, float]]:
    """The figures that one button ends with, for each seed."""
    return [figures[-1] for figures in runs(key, label)]


def table(key: str, *labels: str) -> str:
    """What buttons end with, in nats a point, averaged over the seeds."""
    lines = [" " * 10 + "".join(f"{name:>10}" for name in COLUMNS)]
    for label in labels:
        found = ends(key, label)
        means = (sum(end[column] for end in found) / len(found) for column in COLUMNS.values())
        lines.append(f"{label:10}" + "".join(f"{mean:10.2f}" for mean in means))
    return "\n".join(lines)
