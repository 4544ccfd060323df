"""A widget's state in the page's address."""

import pytest

SETTINGS = {
    "beta": {"values": [0.25, 1, 4]},
    "image": {"least": 0, "most": 359},
    "z": {"least": -5, "most": 5, "real": True},
    "drawing": {"bits": 4},
}
DEFAULTS = {"beta": 1, "image": 0}


def read(javascript, text: str) -> dict:
    return javascript("readHash(text, 'w', settings)", text=text, settings=SETTINGS)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("", {}),
        ("#", {}),
        ("#a-section", {}),
        ("#w.beta=4", {"beta": 4}),
        ("#a-section&w.beta=0.25&w.image=12", {"beta": 0.25, "image": 12}),
        ("#w%2Ebeta=4", {"beta": 4}),
        ("#w.z=-1.25&w.drawing=0110", {"z": -1.25, "drawing": "0110"}),
        ("#w.z=-5", {"z": -5}),
        ("#w.z=-0&w.image=-0", {"z": 0, "image": 0}),
        ("#other.beta=4&other.nonsense", {}),
    ],
)
def test_state_is_read(javascript, text: str, state: dict) -> None:
    assert read(javascript, text) == {"state": state, "problems": []}


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("beta=3", "one of 0.25, 1, 4"),
        ("beta=", "one of"),
        ("beta=NaN", "NaN"),
        ("beta=Infinity", "Infinity"),
        ("beta=-4", "-4"),
        ("beta=1e0", "1e0"),
        ("beta=4=4", "4=4"),
        ("beta=%E0%A4%A", "beta"),
        ("beta=<img src=x>", "beta"),
        ("image=360", "a whole number from 0 to 359"),
        ("image=1.5", "a whole number"),
        ("image=" + "9" * 400, "999…"),
        ("z=-5.01", "a number from -5 to 5"),
        ("z=1e0", "a number from -5 to 5"),
        ("z=--1", "--1"),
        ("drawing=", "4 zeros and ones"),
        ("drawing=011", "011"),
        ("drawing=01102", "4 zeros and ones"),
        ("drawing=0120", "4 zeros and ones"),
        ("gamma=1", "gamma"),
        ("toString=1", "toString"),
    ],
)
def test_a_bad_value_is_left_out_and_named(javascript, part: str, named: str) -> None:
    result = read(javascript, f"#a-section&w.{part}&w.beta=4")

    assert result["state"] == {"beta": 4}
    assert len(result["problems"]) == 1
    assert named in result["problems"][0]
    assert len(result["problems"][0]) < 160


@pytest.mark.parametrize(
    ("before", "state", "after"),
    [
        ("", {"beta": 1, "image": 0}, ""),
        ("", {"beta": 4, "image": 0}, "#w.beta=4"),
        ("#a-section", {"beta": 4, "image": 2}, "#a-section&w.beta=4&w.image=2"),
        ("#a-section&w.beta=0.25", {"beta": 1, "image": 0}, "#a-section"),
        ("#w.beta=4&v.beta=9", {"beta": 0.25, "image": 0}, "#v.beta=9&w.beta=0.25"),
        ("#w.gone=1&ww.beta=2", {"beta": 1, "image": 0}, "#ww.beta=2"),
    ],
)
def test_state_is_written_beside_the_rest(javascript, before, state, after) -> None:
    written = javascript(
        "writeHash(before, 'w', state, defaults)", before=before, state=state, defaults=DEFAULTS
    )

    assert written == after
