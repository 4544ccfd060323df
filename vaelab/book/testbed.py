"""The testbed's ranking, as a table and as a picture."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from vaelab.book.plots import ESTIMATE, POSTERIOR, PRIOR, PROPOSAL, STYLE
from vaelab.testbed import load

# The estimators that the picture shows, one of each kind.
LOOKS = {
    "prior": (PRIOR, "o"),
    "encoder q": (PROPOSAL, "s"),
    "wide encoder q": ("#E69F00", "P"),
    "prior + wide encoder q": (POSTERIOR, "^"),
    "prior + wide Laplace q": (ESTIMATE, "D"),
    "fitted full q": ("#56B4E9", "v"),
    "annealing, T = 4": ("#767676", "x"),
}


def error_at(record: dict, decoder: str, estimator: str, budget: int) -> dict | None:
    """One estimator's row of the record, or None if it could not do with the budget.

    Args:
        record: ``load_results("marginal_likelihood")``.
        decoder: One of the record's.
        estimator: One of the record's.
        budget: In evaluations.
    """
    for curve in record["decoders"][decoder]["curves"]:
        if curve["estimator"] == estimator and budget in curve["budget"]:
            row = curve["budget"].index(budget)
            return {key: column[row] for key, column in curve.items() if key != "estimator"}
    return None


def ranking(record: dict, decoder: str, budget: int) -> list[str]:
    """The estimators of one decoder from the smallest mean absolute error to the largest."""
    names = [curve["estimator"] for curve in record["decoders"][decoder]["curves"]]
    errors = {name: error_at(record, decoder, name, budget) for name in names}
    able = [name for name in names if errors[name]]
    return sorted(able, key=lambda name: errors[name]["mean_absolute_error"])


def ranking_table(record: dict, budget: int) -> str:
    """Rank and mean error in nats of every estimator, the noise of its last digit in brackets.

    Args:
        record: ``load_results("marginal_likelihood")``.
        budget: In evaluations.

    Returns:
        Lines of 69 characters.
    """
    decoders = list(record["decoders"])
    orders = {decoder: ranking(record, decoder, budget) for decoder in decoders}
    lines = [f"{f'{budget:,} evaluations':24}" + "".join(f"{name:>15}" for name in decoders)]
    for curve in record["decoders"][decoders[0]]["curves"]:
        name = curve["estimator"]
        cells = []
        for decoder, order in orders.items():
            row = error_at(record, decoder, name, budget)
            cells.append(f"{order.index(name) + 1:2}  {with_noise(row):>9}" if row else "-")
        lines.append(f"{name:24}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


def with_noise(row: dict) -> str:
    """An error to the digit that is noise, and that digit's noise: 0.0361(10) is 0.036(1).

    Example:
        >>> with_noise({"mean_absolute_error": 0.0361, "noise": 0.00098})
        '0.036(1)'
    """
    digits = max(0, -math.floor(math.log10(row["noise"])))
    if digits and round(row["noise"] * 10**digits) == 10:
        digits -= 1
    return f"{row['mean_absolute_error']:.{digits}f}({round(row['noise'] * 10**digits)})"


def error_curves(record: dict, width: float = 5.0, height: float = 8.2) -> Figure:
    """Mean absolute error against evaluations, a panel for each decoder, one below the other.

    Args:
        record: ``load_results("marginal_likelihood")``.
        width: Inches.
        height: Inches, of all panels together.

    Returns:
        The figure, to be named in a cell's last line.
    """
    decoders = list(record["decoders"])
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(decoders), 1, figsize=(width, height), sharex=True)
        for ax, decoder in zip(axes, decoders, strict=True):
            for curve in record["decoders"][decoder]["curves"]:
                if curve["estimator"] in LOOKS:
                    _draw(ax, curve)
            truth = load(decoder)
            ax.set(xscale="log", yscale="log", ylabel="mean error (nats)")
            ax.set_title(
                f"{decoder}: mean log p(x) is {truth.log_marginal.mean().item():.3f}, "
                f"known to {max(truth.largest_change, 1e-12):.0e}",
                fontsize=10,
                loc="left",
            )
        axes[-1].set_xlabel("evaluations of the decoder for each digit")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(figure)
    return figure


def _draw(ax, curve: dict) -> None:
    colour, marker = LOOKS[curve["estimator"]]
    cost = [
        evaluations + gradients
        for evaluations, gradients in zip(curve["evaluations"], curve["gradients"], strict=True)
    ]
    ax.errorbar(
        cost,
        curve["mean_absolute_error"],
        curve["noise"],
        color=colour,
        marker=marker,
        markersize=5,
        label=curve["estimator"],
    )
