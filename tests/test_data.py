"""The digits: which images, in which order, as what."""

import numpy as np
import pytest
import sklearn.datasets
import torch

from vaelab.data import load_digits


@pytest.fixture(scope="module")
def raw() -> tuple[np.ndarray, np.ndarray]:
    return sklearn.datasets.load_digits(return_X_y=True)


def test_split_is_a_seeded_permutation_with_the_last_360_held_out(raw) -> None:
    counts, labels = raw
    order = np.random.default_rng(0).permutation(1797)

    digits = load_digits("counts")

    assert digits.train.shape == (1437, 64)
    assert digits.test.shape == (360, 64)
    np.testing.assert_array_equal(digits.train, counts[order[:1437]])
    np.testing.assert_array_equal(digits.test, counts[order[1437:]])
    np.testing.assert_array_equal(digits.train_labels, labels[order[:1437]])
    np.testing.assert_array_equal(digits.test_labels, labels[order[1437:]])


def test_the_split_is_the_one_the_figures_were_measured_on() -> None:
    # Typed in, so that another numpy's permutation could not pass unseen.
    digits = load_digits()

    assert digits.test_labels[:10].tolist() == [0, 8, 8, 9, 8, 3, 7, 5, 0, 6]
    assert int(digits.test.sum()) == 7455


def test_pixels_of_an_image_run_row_by_row(raw) -> None:
    images = sklearn.datasets.load_digits().images
    first = np.random.default_rng(0).permutation(1797)[0]

    digits = load_digits("counts")

    np.testing.assert_array_equal(digits.train[0].reshape(8, 8), images[first])


def test_kinds_are_three_views_of_the_same_counts() -> None:
    counts, grey, binary = (load_digits(kind) for kind in ("counts", "grey", "binary"))

    assert counts.train.unique().tolist() == list(range(17))
    assert torch.equal(grey.train, counts.train / 16)
    assert torch.equal(binary.train, (counts.train >= 8).float())
    assert torch.equal(binary.test, (counts.test >= 8).float())
    # Both sides of the threshold occur, so "> 8" or ">= 7" would be seen.
    assert bool((counts.train == 8).any())
    assert bool((counts.train == 7).any())


@pytest.mark.parametrize("kind", ["binary", "grey", "counts"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_images_have_the_type_asked_for(kind: str, dtype: torch.dtype) -> None:
    digits = load_digits(kind, dtype=dtype)

    assert digits.train.dtype == digits.test.dtype == dtype
    assert digits.train_labels.dtype == digits.test_labels.dtype == torch.int64
    # Multiples of 1/16 are exact in either type.
    assert torch.equal(digits.test, load_digits(kind, dtype=torch.float64).test.to(dtype))


def test_binary_float32_is_the_default() -> None:
    digits = load_digits()

    assert digits.train.dtype == torch.float32
    assert torch.equal(digits.train, load_digits("binary").train)


def test_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="kind must be one of binary, grey, counts, got 'gray'"):
        load_digits("gray")


def test_integer_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dtype must be a floating-point type, got torch\.int64"):
        load_digits("counts", dtype=torch.int64)
