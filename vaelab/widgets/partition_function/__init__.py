"""Partition function: how many states Z sums over, and a grid whose Z is summed live."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch

from vaelab.exact.ising import IsingGrid
from vaelab.widgets._host import Host, IntegerBetween, NumberBetween, OneOf

NAME = "partition_function"
SHAPES = ((2, 2), (3, 3), (3, 4), (4, 4), (4, 5))
MOST_VARIABLES = 256 * 256 * 8  # a grey picture's bits
MOST_PICTURE = 2**20 - 1
SPEED = 1e8  # pictures or pixels a second, where nothing can be measured: without JavaScript


class PartitionFunction(Host):
    """How long Z takes, against the number of pixels, and the Z of a small Ising grid, summed.

    Args:
        variables: Binary variables whose states are counted, 1 to 524,288.
        pixels: Of the grid that is summed: 4, 9, 12, 16 or 20.
        coupling: J of the grid, -1 to 1; positive where neighbours like to agree.
        field: h of the grid, -1 to 1; positive where pixels like to be white.
        picture: Which picture is shown, in the order of ``binary_states``, whose last pixel
            runs fastest: 0 is black, and 2 to the power ``pixels``, minus 1, is white.
            Of a larger number the last ``pixels`` binary digits count.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> PartitionFunction(variables=784, coupling=0.5)
        PartitionFunction(variables=784, coupling=0.5)
    """

    widget_name = NAME
    script_files = (
        "../_js/slices.js",
        "sums.js",
        "rates.js",
        "words.js",
        "charts.js",
        "picture.js",
        "panels.js",
        "widget.js",
    )
    state_names = ("variables", "pixels", "coupling", "field", "picture")

    variables = IntegerBetween(1, MOST_VARIABLES, default_value=16).tag(sync=True)
    pixels = OneOf([height * width for height, width in SHAPES], default_value=16).tag(sync=True)
    coupling = NumberBetween(-1, 1, default_value=0.3).tag(sync=True)
    field = NumberBetween(-1, 1, default_value=0.0).tag(sync=True)
    picture = IntegerBetween(0, MOST_PICTURE, default_value=0x0660).tag(sync=True)

    def __init__(
        self,
        variables: int = 16,
        pixels: int = 16,
        coupling: float = 0.3,
        field: float = 0.0,
        picture: int = 0x0660,
    ) -> None:
        super().__init__(
            variables=variables, pixels=pixels, coupling=coupling, field=field, picture=picture
        )

    @classmethod
    def recorded(cls) -> dict[str, Any]:
        return {"shapes": [list(shape) for shape in SHAPES]}

    @classmethod
    @cache
    def fallback_html(cls) -> str:
        rows = "".join(
            f'<tr><th scope="row">{pixels:,}</th><td>{power_of_ten(pixels * math.log10(2))}</td>'
            f"<td>{power_of_ten(pixels * math.log10(2) - math.log10(SPEED))}</td>"
            f"<td>{pixels / SPEED:.2g}</td></tr>"
            for pixels in (16, 64, 784, 65_536, MOST_VARIABLES)
        )
        grid = IsingGrid.uniform(4, 4, coupling=0.3)
        white = grid.log_prob(torch.ones(4, 4)).exp()
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: choose '
            "how many pixels a picture has, and see how many pictures there are and how long their "
            "sum takes; and sum a small Ising grid picture by picture. Of 4 by 4 pixels with "
            f"J = 0.3 there are 65,536 pictures; log Z is {grid.log_normaliser():.4f} nats, and "
            f"the all-white picture has probability {white:.4f}.</p>"
            '<div class="vaelab-scroll"><table><caption>Seconds for Z at a hundred million '
            "pictures (of a chain: pixels) a second</caption>"
            '<thead><tr><th scope="col">pixels</th><th scope="col">pictures</th>'
            '<th scope="col">every picture</th><th scope="col">a chain</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div></div>"
        )


def power_of_ten(log10: float) -> str:
    r"""A number too long to write, from its logarithm.

    Example:
        >>> power_of_ten(19.27), power_of_ten(157826.4)
        ('1.9 × 10<sup>19</sup>', '10<sup>157826</sup>')
    """
    exponent = math.floor(log10)
    if exponent > 999:
        return f"10<sup>{exponent}</sup>"
    digits = f"{10 ** (log10 - exponent):.1f}"
    if 0 <= exponent < 6:
        return f"{round(10**log10):,}"
    return f"{digits} × 10<sup>{exponent}</sup>"
