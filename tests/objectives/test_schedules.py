"""Schedules of beta: exact at their corners, within 0 and 1 everywhere."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.objectives import cyclical, linear_warmup

STEPS = st.integers(1, 10**6)
checked = settings(deadline=None, derandomize=True, max_examples=100)


def test_linear_warmup_is_a_line_that_ends() -> None:
    values = [linear_warmup(step, 10) for step in range(15)]

    assert values[:11] == pytest.approx([step / 10 for step in range(11)], abs=1e-15)
    assert values[10:] == [1.0] * 5


@checked
@given(step=st.integers(0, 10**6), steps=STEPS)
def test_linear_warmup_rises_within_0_and_1(step: int, steps: int) -> None:
    assert 0 <= linear_warmup(step, steps) <= linear_warmup(step + 1, steps) <= 1
    assert linear_warmup(0, steps) == 0
    assert linear_warmup(steps, steps) == 1
    assert linear_warmup(steps - 1, steps) < 1


def published(t: int, total: int, cycles: int, ramp: float) -> float:
    """As the paper writes it, t counted from 1."""
    tau = math.fmod(t - 1, math.ceil(total / cycles)) / (total / cycles)
    return tau / ramp if tau <= ramp else 1.0


@checked
@given(
    steps=st.integers(1, 5000), cycles=st.integers(1, 9), ramp=st.floats(0.05, 1), data=st.data()
)
def test_cyclical_is_the_published_schedule(steps, cycles, ramp, data) -> None:
    cycles = min(cycles, steps)
    step = data.draw(st.integers(0, steps - 1))

    value = cyclical(step, steps, cycles, ramp)

    assert 0 <= value <= 1
    assert value == pytest.approx(published(step + 1, steps, cycles, ramp), abs=1e-12)
    assert cyclical(steps, steps, cycles, ramp) == cyclical(7 * steps, steps, cycles, ramp) == 1


def test_one_cycle_of_ramp_1_is_linear_warmup() -> None:
    assert [cyclical(t, 7, 1, 1.0) for t in range(20)] == [linear_warmup(t, 7) for t in range(20)]


def test_each_cycle_starts_at_0_and_holds_1_for_its_second_half() -> None:
    one = [0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1]

    values = [cyclical(step, 40) for step in range(40)]

    assert values == pytest.approx(4 * one, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": -1}, "step must be 0 or more, got -1"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"cycles": 0}, "cycles must be from 1 to steps = 8, got 0"),
        ({"cycles": 9}, "cycles must be from 1 to steps = 8, got 9"),
        ({"ramp": 0.0}, r"ramp must be above 0 and at most 1, got 0\.0"),
        ({"ramp": 1.1}, r"ramp must be above 0 and at most 1, got 1\.1"),
        ({"ramp": math.nan}, "ramp must be above 0 and at most 1, got nan"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cyclical(**{"step": 1, "steps": 8} | arguments)
    if not {"cycles", "ramp"} & set(arguments):
        with pytest.raises(ValueError, match=message):
            linear_warmup(**{"step": 1, "steps": 8} | arguments)
