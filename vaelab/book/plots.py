"""The book's look for figures: one palette, sizes that stay legible on a phone.

A quantity keeps its colour from the first chapter to the last. The colours are those of
Okabe and Ito (2008), told apart with any colour vision; lines differ in dash or marker
too, so nothing is said by colour alone.
"""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

PRIOR = "#0072B2"
POSTERIOR = "#009E73"
PROPOSAL = "#CC79A7"
ESTIMATE = "#D55E00"
TRUTH = "#1A1A1A"

# Drawn the same way wherever an exact value is known.
TRUTH_LINE = {"color": TRUTH, "linestyle": "--", "linewidth": 1.6}

# From light to dark and still distinct in grey: for families ordered by a number.
SEQUENCE = ("#9ECAE1", "#56B4E9", "#0072B2", "#08519C", "#041F4A")
MARKERS = ("o", "s", "^", "D", "v")

STYLE: dict[str, Any] = {
    "figure.dpi": 144,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
}


def new_figure(columns: int = 1, height: float = 3.4, width: float = 5.0) -> tuple[Figure, Any]:
    """A figure in the book's style, to be named in a cell's last line.

    Args:
        columns: Plots side by side.
        height: Inches.
        width: Inches; 5 keeps 11-point letters at 10 pixels on a phone 360 pixels wide.

    Returns:
        The figure, and its axes: one, or an array of ``columns``.

    Example:
        >>> fig, ax = new_figure()
        >>> ax.get_xlabel()
        ''
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, columns, figsize=(width, height))
    # pyplot would show it a second time at the end of the cell.
    plt.close(figure)
    return figure, axes


def show_digits(ax: Axes, images: Tensor, columns: int = 10) -> None:
    """Draw images of 8 by 8 pixels as one picture, ink dark on light, row after row.

    Args:
        ax: Where to draw.
        images: Values from 0 (paper) to 1 (ink), shape ``(images, 64)``.
        columns: Images in a row; the last row may be short.

    Raises:
        ValueError: If the images do not have 64 pixels.
    """
    if images.ndim != 2 or images.shape[1] != 64:
        raise ValueError(f"images must have shape (images, 64), got {tuple(images.shape)}")
    rows = -(-len(images) // columns)
    sheet = np.zeros((rows * 9 + 1, columns * 9 + 1))
    for i, image in enumerate(images.detach().reshape(-1, 8, 8).numpy()):
        top, left = 9 * (i // columns) + 1, 9 * (i % columns) + 1
        sheet[top : top + 8, left : left + 8] = image
    ax.imshow(sheet, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()
