"""The partition function widget in Python: its traits, and what it is without JavaScript."""

import gzip
import re

import numpy as np
import pytest

from tests.widgets.refusals import assert_refused
from vaelab.exact.ising import IsingGrid
from vaelab.widgets import PartitionFunction, static_files
from vaelab.widgets._host import static_html


def test_traits_read_and_write() -> None:
    widget = PartitionFunction(variables=np.int64(784), coupling=np.float32(0.5))
    seen = []
    widget.observe(lambda change: seen.append((change.name, change.new)), ["pixels", "picture"])

    widget.pixels = 20
    widget.picture = 2**20 - 1

    assert (widget.variables, widget.coupling, widget.field) == (784, 0.5, 0.0)
    assert seen == [("pixels", 20), ("picture", 1_048_575)]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("variables", 0, "a whole number from 1 to 524288"),
        ("variables", 524_289, "a whole number from 1 to 524288"),
        ("variables", 2.5, "a whole number from 1 to 524288"),
        ("variables", True, "a whole number from 1 to 524288"),
        ("pixels", 10, "one of 4, 9, 12, 16, 20"),
        ("pixels", "16", "one of 4, 9, 12, 16, 20"),
        ("coupling", 1.01, "a number from -1 to 1"),
        ("coupling", float("nan"), "a number from -1 to 1"),
        ("field", float("-inf"), "a number from -1 to 1"),
        ("field", None, "a number from -1 to 1"),
        ("picture", -1, "a whole number from 0 to 1048575"),
        ("picture", 2**20, "a whole number from 0 to 1048575"),
    ],
)
def test_a_bad_value_names_argument_value_and_rule(name: str, value, rule: str) -> None:
    message = re.escape(f"{name} must be {rule}, got {value!r}")
    assert_refused(PartitionFunction, name, value, message)


def test_repr_repeats_the_call() -> None:
    widget = PartitionFunction(variables=65_536, pixels=20, picture=1_048_575)

    assert repr(widget) == "PartitionFunction(variables=65536, pixels=20, picture=1048575)"
    assert eval(repr(widget)).state() == widget.state()


def test_it_needs_no_file_beside_the_page() -> None:
    text = static_html(PartitionFunction, PartitionFunction().state())

    assert "partition_function.js" not in static_files()
    assert '"hasData":false' in text
    assert len(gzip.compress(text.encode())) < 30_000
    outside = text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not re.search(r"https?://|@import|url\(", outside)


def test_without_javascript_real_numbers_are_there() -> None:
    text = PartitionFunction.fallback_html()
    grid = IsingGrid.uniform(4, 4, 0.3)

    assert f"log Z is {grid.enumerate_log_normaliser():.4f} nats" in text
    assert "65,536 pictures" in text
    # 2^64, at a hundred million a second, and a chain of as many pixels.
    assert f"<td>1.8 × 10<sup>19</sup></td><td>1.8 × 10<sup>11</sup></td><td>{64e-8}</td>" in text
    assert "10<sup>157826</sup>" in text
