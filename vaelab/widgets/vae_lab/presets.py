"""Data sets in the plane, for a VAE small enough to be trained while one watches."""

from __future__ import annotations

from functools import cache

import numpy as np

PRESETS = ("moons", "ring", "clusters", "spiral", "pinwheel")
COUNT = 200
REACH = 3.0  # of the plane, each way

# How a drawing is written: see data.js.
MOST_DRAWN = 300
CELLS = 512
DRAWN = "~"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _moons(rng: np.random.Generator, count: int) -> np.ndarray:
    angle = np.pi * rng.random(count)
    upper = np.arange(count) % 2 == 0
    x = np.where(upper, np.cos(angle) - 0.5, 0.5 - np.cos(angle))
    y = np.where(upper, np.sin(angle) - 0.25, 0.25 - np.sin(angle))
    return 1.35 * np.stack([x, y], 1) + 0.1 * rng.standard_normal((count, 2))


def _ring(rng: np.random.Generator, count: int) -> np.ndarray:
    angle = 2 * np.pi * (np.arange(count) + rng.random(count)) / count
    radius = 1.6 + 0.1 * rng.standard_normal(count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def _clusters(rng: np.random.Generator, count: int) -> np.ndarray:
    angle = np.pi / 2 + 2 * np.pi * (np.arange(count) % 3) / 3
    centres = 1.6 * np.stack([np.cos(angle), np.sin(angle)], 1)
    return centres + 0.22 * rng.standard_normal((count, 2))


def _spiral(rng: np.random.Generator, count: int) -> np.ndarray:
    turn = np.sqrt(0.06 + 0.94 * (np.arange(count) + rng.random(count)) / count)
    angle = 3 * np.pi * turn
    along = 2.1 * turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return along + 0.07 * rng.standard_normal((count, 2))


def _pinwheel(rng: np.random.Generator, count: int) -> np.ndarray:
    radius = 1.25 + 0.42 * rng.standard_normal(count)
    across = 0.1 * rng.standard_normal(count)
    angle = 2 * np.pi * (np.arange(count) % 5) / 5 + 0.55 * radius
    return np.stack(
        [
            radius * np.cos(angle) - across * np.sin(angle),
            radius * np.sin(angle) + across * np.cos(angle),
        ],
        1,
    )


@cache
def preset(name: str) -> np.ndarray:
    """The points of one data set, ``(200, 2)``, the same ones always.

    Args:
        name: One of ``PRESETS``.

    Raises:
        ValueError: If it is none of them.

    Example:
        >>> preset("ring").shape
        (200, 2)
    """
    if name not in PRESETS:
        raise ValueError(f"a preset must be one of {', '.join(PRESETS)}, got {name!r}")
    make = globals()[f"_{name}"]
    points = make(np.random.default_rng(PRESETS.index(name)), COUNT)
    # To what a data file of a few kilobytes can hold.
    points = np.clip(points, -REACH, REACH).round(3)
    points.setflags(write=False)
    return points


def drawing_text(points: np.ndarray) -> str:
    """Points of one's own as ``VAELab(drawing=...)`` takes them: three letters each.

    Args:
        points: Shape ``(count, 2)``, at most 300, all within -3 and 3; kept to 6/512.

    Raises:
        ValueError: If the shape is another, there are more, or one lies outside.

    Example:
        >>> drawing_text(np.array([[0.0, 0.0], [-3.0, 2.999]]))
        '~gEAAH_'
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) > MOST_DRAWN:
        raise ValueError(
            f"points must have shape (count, 2) with count at most {MOST_DRAWN}, got {points.shape}"
        )
    if not (np.abs(points) <= REACH).all():  # no NaN is
        raise ValueError(f"points must lie within -{REACH:g} and {REACH:g} each way")
    cells = np.minimum(((points + REACH) / (2 * REACH) * CELLS).astype(int), CELLS - 1)
    bits = cells[:, 0] * CELLS + cells[:, 1]
    letters = [ALPHABET[(bit >> shift) & 63] for bit in bits for shift in (12, 6, 0)]
    return DRAWN + "".join(letters)
