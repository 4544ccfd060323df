"""The table and the picture say what the record says."""

import numpy as np
import pytest

from vaelab.book.testbed import LOOKS, error_at, error_curves, ranking, ranking_table, with_noise
from vaelab.testbed import DECODERS


def curve(name: str, budgets: list[int], errors: list[float]) -> dict:
    return {
        "estimator": name,
        "budget": budgets,
        "evaluations": [0.5 * budget for budget in budgets],
        "gradients": [0.25 * budget for budget in budgets],
        "mean_absolute_error": errors,
        "noise": [0.002 for _ in budgets],
    }


@pytest.fixture
def record() -> dict:
    curves = [
        curve("prior", [10, 100], [0.5, 0.3]),
        curve("encoder q", [10, 100], [0.4, 0.35]),
        curve("other", [100], [0.1]),
    ]
    return {"decoders": {name: {"curves": curves} for name in DECODERS}}


def test_the_order_is_by_error_of_those_that_can(record: dict) -> None:
    assert ranking(record, "sharp", 10) == ["encoder q", "prior"]
    assert ranking(record, "sharp", 100) == ["other", "prior", "encoder q"]
    assert error_at(record, "sharp", "other", 10) is None
    assert error_at(record, "sharp", "other", 100)["mean_absolute_error"] == 0.1


def test_the_table_has_rank_error_and_noise(record: dict) -> None:
    tables = [ranking_table(record, budget).splitlines() for budget in (10, 100)]

    assert [[line.split() for line in lines] for lines in tables] == [
        [
            ["10", "evaluations", *DECODERS],
            ["prior", *["2", "0.500(2)"] * 3],
            ["encoder", "q", *["1", "0.400(2)"] * 3],
            ["other", *["-"] * 3],
        ],
        [
            ["100", "evaluations", *DECODERS],
            ["prior", *["2", "0.300(2)"] * 3],
            ["encoder", "q", *["3", "0.350(2)"] * 3],
            ["other", *["1", "0.100(2)"] * 3],
        ],
    ]
    assert {len(line) for lines in tables for line in lines} == {69}


@pytest.mark.parametrize(
    ("error", "noise", "text"),
    [
        (0.01234, 0.00051, "0.0123(5)"),
        (0.01234, 0.00098, "0.012(1)"),
        (1.0634, 0.0203, "1.06(2)"),
        (11.75, 0.1825, "11.8(2)"),
        (120.0, 3.2, "120(3)"),
    ],
)
def test_an_error_ends_with_its_noise(error: float, noise: float, text: str) -> None:
    assert with_noise({"mean_absolute_error": error, "noise": noise}) == text


def test_the_picture_draws_error_against_what_was_spent(record: dict) -> None:
    figure = error_curves(record)

    assert len(figure.axes) == 3
    for ax, name in zip(figure.axes, DECODERS, strict=True):
        assert ax.get_title(loc="left").startswith(f"{name}: mean log p(x) is -1")
        # The estimator without a look is left out; the others keep theirs.
        lines = [container.lines[0] for container in ax.containers]
        assert [line.get_color() for line in lines] == [
            LOOKS["prior"][0],
            LOOKS["encoder q"][0],
        ]
        np.testing.assert_allclose(lines[0].get_xydata(), [[7.5, 0.5], [75, 0.3]])
        np.testing.assert_allclose(lines[1].get_xydata(), [[7.5, 0.4], [75, 0.35]])
