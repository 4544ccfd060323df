"""The mathematics of the partition function widget, against vaelab.exact; and its words."""

import math
import re

import numpy as np
import pytest
import torch

from tests.javascript import evaluator
from vaelab.exact.enumeration import binary_states
from vaelab.exact.ising import IsingGrid
from vaelab.exact.ising_chain import IsingChain
from vaelab.widgets.partition_function import MOST_VARIABLES, SHAPES

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
EXTREMES = [(1, 1), (1, -1), (-1, 1), (-1, -1), (0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
RANDOM = np.random.default_rng(0).uniform(-1, 1, (4, 2)).round(4).tolist()


@pytest.fixture(scope="module")
def page():
    evaluate = evaluator("partition_function")
    evaluate(
        """(() => {
            globalThis.summed = (height, width, coupling, field) => {
                const sum = pictureSum(isingGrid(height, width), coupling, field);
                while (!sum.next());
                return sum;
            };
            return 0;
        })()"""
    )
    return evaluate


def all_pictures(height: int, width: int) -> torch.Tensor:
    return 2 * binary_states(height * width).reshape(-1, height, width) - 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("coupling", "field"), EXTREMES + RANDOM)
def test_log_z_is_that_of_python(page, shape, coupling: float, field: float) -> None:
    grid = IsingGrid.uniform(*shape, coupling, field)

    sum_, rows = page(
        "[summed(...shape, j, h).logNormaliser, rowsLogNormaliser(...shape, j, h)]",
        shape=shape,
        j=coupling,
        h=field,
    )

    exact = grid.enumerate_log_normaliser().item()
    assert sum_ == pytest.approx(exact, rel=1e-10)
    assert rows == pytest.approx(exact, rel=1e-10)
    assert exact == pytest.approx(grid.log_normaliser().item(), rel=1e-10)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 5), (5, 1), (2, 3), (3, 2), (3, 5)])
def test_other_shapes_too(page, shape) -> None:
    exact = IsingGrid.uniform(*shape, 0.7, -0.4).enumerate_log_normaliser().item()

    ours = page(
        "[summed(...shape, 0.7, -0.4).logNormaliser, rowsLogNormaliser(...shape, 0.7, -0.4)]",
        shape=shape,
    )

    assert ours == pytest.approx([exact, exact], rel=1e-10)


@pytest.mark.parametrize("shape", SHAPES[:-1])
@pytest.mark.parametrize(("coupling", "field"), [(0.3, 0.0), (-0.8, 0.35), (1.0, -1.0)])
def test_every_picture_has_the_score_of_python(page, shape, coupling, field) -> None:
    """Picture by picture in the order of ``binary_states``: scores, and what is added up."""
    pictures = all_pictures(*shape)
    log_f = IsingGrid.uniform(*shape, coupling, field).log_unnormalised(pictures)
    some = sorted({0, 1, 2, 3, len(pictures) - 1, *range(0, len(pictures), 97)})

    scores, shares, best = page(
        """(() => {
            const grid = isingGrid(...shape);
            const sum = summed(...shape, j, h);
            return [some.map((i) => logScore(grid, j, h, i)), some.map(sum.shareThrough), sum.best];
        })()""",
        shape=shape,
        j=coupling,
        h=field,
        some=some,
    )

    torch.testing.assert_close(torch.tensor(scores, dtype=torch.float64), log_f[some], **CLOSE)
    expected = log_f.softmax(0).cumsum(0)[some]
    torch.testing.assert_close(torch.tensor(shares, dtype=torch.float64), expected, **CLOSE)
    assert max(shares) <= 1
    assert log_f[best] == pytest.approx(log_f.max().item())


def test_the_curve_of_shares_ends_at_z(page) -> None:
    added, blocks = page(
        "(({ added, blocks }) => [added, blocks])(summed(4, 4, 0.3, 0.1))",
    )
    log_f = IsingGrid.uniform(4, 4, 0.3, 0.1).log_unnormalised(all_pictures(4, 4))
    expected = log_f.exp().reshape(blocks, -1).sum(1).cumsum(0)

    assert added[0] == 0
    np.testing.assert_allclose(added[1:], expected.numpy(), rtol=1e-10)


def test_a_sum_from_anywhere_to_anywhere(page) -> None:
    """Counting on in two parts is counting on in one."""
    whole, parts = page(
        """(() => {
            const grid = isingGrid(3, 4);
            const table = scoreTable(grid, 0.4, -0.2);
            const cuts = [0, 1, 7, 8, 1000, 2047, 2048, 4096];
            const parts = cuts.slice(1).map((stop, i) => sumScores(grid, table, cuts[i], stop).sum);
            return [sumScores(grid, table, 0, 4096).sum, parts.reduce((a, b) => a + b)];
        })()"""
    )

    assert parts == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("pixels", [1, 2, 3, 17, 1000, MOST_VARIABLES])
@pytest.mark.parametrize(("coupling", "field"), [*EXTREMES, (0.3, 0.2)])
def test_a_chain_is_that_of_python(page, pixels: int, coupling: float, field: float) -> None:
    exact = IsingChain.uniform(pixels, coupling, field).log_normaliser().item()

    assert page("chainLogNormaliser(n, j, h)", n=pixels, j=coupling, h=field) == pytest.approx(
        exact, rel=1e-9
    )


# Time


RATES = {"pictures": 1e8, "rows": 5e7, "chain": 2e8}


@pytest.mark.parametrize("pixels", [1, 2, 16, 63, 64, 784, 65_536, MOST_VARIABLES])
def test_times_follow_from_the_speeds(page, pixels: int) -> None:
    seconds = page("log10Seconds(n, rates)", n=pixels, rates=RATES)
    width = math.isqrt(pixels)

    assert seconds["pictures"] == pytest.approx(pixels * math.log10(2) - 8)
    assert seconds["chain"] == pytest.approx(math.log10(pixels / 2e8))
    # width bits of each of pixels / width rows, with half of 2^width pairs each.
    assert seconds["rows"] == pytest.approx(
        math.log10(pixels) + (width - 1) * math.log10(2) - math.log10(5e7)
    )


def test_what_is_timed_is_counted_right(page) -> None:
    """The steps that a speed is reckoned in are those that the sums go through."""
    pairs = page(
        """(() => {
            const [height, width] = [10, 10];
            let pairs = 0;
            for (let i = 0; i < height; i++) pairs += width * 2 ** (width - 1);
            return [pairs, rowSteps(height * width), isingGrid(...SUMMED).pictures];
        })()"""
    )

    assert pairs[0] == pytest.approx(pairs[1])
    assert pairs[2] == 4096


def test_a_coarse_clock_gives_no_infinite_speed(page) -> None:
    """Some browsers tell the time to a tenth of a second only."""
    rates = page(
        """(() => {
            let [now, calls] = [0, 0];
            globalThis.performance = { now: () => (++calls % 500 ? now : (now += 100)) };
            const measuring = measurement();
            let steps = 1;
            while (!measuring.next()) steps++;
            return { ...measuring.rates(), steps };
        })()"""
    )

    assert rates.pop("steps") == 24
    assert all(0 < rate < 1e12 for rate in rates.values())


# Words


@pytest.mark.parametrize(
    ("log10", "text"),
    [
        (-9.3, "0.5 ns"),
        (-8, "10 ns"),
        (-4, "100 µs"),
        (-0.0001, "1 s"),
        (0, "1 s"),
        (1.7, "50 s"),
        (math.log10(60), "1 minute"),
        (3, "17 minutes"),
        (4, "2.8 hours"),
        (6, "12 days"),
        (math.log10(31_557_600), "1 year"),
        (11, "3,200 years"),
        (15, "32 million years"),
        (17.7, "1.2 ages"),
        (math.log10(13.8e9 * 31_557_600), "1 age"),
        (20, "230 ages"),
        (40, "2.3 × 10²² ages"),
        (157_818.44, "10¹⁵⁷⁸⁰⁰ ages"),
    ],
)
def test_durations_are_said_in_words(page, log10: float, text: str) -> None:
    assert page("formatDuration(log10)", log10=log10) == text


@pytest.mark.parametrize(
    ("pixels", "text"),
    [
        (1, "2"),
        (16, "65,536"),
        (28, "268,435,456"),
        (64, "1.8 × 10¹⁹"),
        (MOST_VARIABLES, "10¹⁵⁷⁸²⁶"),
    ],
)
def test_counts_are_exact_while_they_are_short(page, pixels: int, text: str) -> None:
    assert page("formatCount(n * Math.log10(2))", n=pixels) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1.00"),
        (0.0498, "0.0498"),
        (999.6, "1,000"),
        (2981, "2,981"),
        (9.96e-4, "1.0 × 10⁻³"),
        (1e-50, "1.0 × 10⁻⁵⁰"),
        (4.4e22, "4.4 × 10²²"),
    ],
)
def test_ratios_of_any_size(page, value: float, text: str) -> None:
    assert page("formatRatio(value)", value=value) == text


def test_screen_readers_hear_powers(page) -> None:
    assert page('spoken("1.8 × 10¹⁹")') == "1.8 times 10 to the power 19"
    assert page('spoken("10¹⁵⁷⁸⁰⁰ ages")') == "10 to the power 157800 ages of the universe"
    assert page('spoken("5.0 × 10⁻⁸")') == "5.0 times 10 to the power minus 8"


def test_no_words_hold_nan(page) -> None:
    words = page(
        """VARIABLES.flatMap((n) => {
            const seconds = Object.values(log10Seconds(n, rates));
            return [formatCount(n * Math.log10(2)), ...seconds.map(formatDuration)];
        })""",
        rates={"pictures": 3e4, "rows": 2e4, "chain": 1e12},
    )

    assert not [text for text in words if re.search("NaN|undefined|Infinity", text)]


# What the widget suggests to look for


def test_of_a_photograph_only_the_chain_is_summed(page) -> None:
    """Even by a page a thousand times slower than was measured anywhere."""
    slow = {name: rate / 1000 for name, rate in RATES.items()}
    fast = {name: rate * 1e6 for name, rate in RATES.items()}
    ages = math.log10(13.8e9 * 31_557_600)

    assert page("log10Seconds(32, r)", r=slow)["pictures"] < math.log10(86_400)
    assert page("log10Seconds(65536, r)", r=slow)["chain"] < math.log10(60)
    assert page("log10Seconds(65536, r)", r=fast)["rows"] > ages
    assert page("log10Seconds(65536, r)", r=fast)["pictures"] > ages


def test_at_j_1_nearly_all_of_z_is_in_the_first_and_the_last_picture() -> None:
    p = IsingGrid.uniform(4, 4, 1.0).log_unnormalised(all_pictures(4, 4)).softmax(0)

    assert p[0] > 0.4
    assert p[-1] > 0.4


def test_a_ratio_at_two_values_of_h_follows_from_the_scores_alone(page) -> None:
    """Of the white picture, flipping a corner: two neighbours and its own field, twice."""
    for h in (0.0, 0.5):
        ratio = page(
            "((g) => logScore(g, 0.3, h, 0x7fff) - logScore(g, 0.3, h, 0xffff))(isingGrid(4, 4))",
            h=h,
        )
        assert ratio == pytest.approx(-2 * (2 * 0.3 + h))
