"""The data of the book: 1,797 handwritten digits of 8 by 8 pixels.

They are the test part of the UCI *Optical Recognition of Handwritten Digits* set
(Alpaydin and Kaynak, 1998), which scikit-learn carries, so nothing is downloaded.
Each pixel is a count from 0 to 16: how many cells of a 4 by 4 block are inked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

PIXELS = 64
MAX_COUNT = 16
BINARY_THRESHOLD = 8
TEST_SIZE = 360
KINDS = ("binary", "grey", "counts")


@dataclass(frozen=True)
class Digits:
    """A split of the digits: images of 64 pixels in rows, and what they show.

    Attributes:
        train: Images for training, shape ``(1437, 64)``.
        test: Held-out images, shape ``(360, 64)``.
        train_labels: Digits 0 to 9, int64, shape ``(1437,)``.
        test_labels: Digits 0 to 9, int64, shape ``(360,)``.
    """

    train: Tensor
    test: Tensor
    train_labels: Tensor
    test_labels: Tensor


def load_digits(kind: str = "binary", dtype: torch.dtype = torch.float32) -> Digits:
    """Load the digits in the book's one fixed split.

    The split is ``numpy.random.default_rng(0).permutation(1797)``; the last 360 are held
    out. On the last 360 in the file's own order log p(x) differs by half a nat, so a
    figure measured on other images can't be compared with the book's.

    Args:
        kind: ``"binary"`` (1 where the count is 8 or more: the default, since a Bernoulli
            likelihood is then a true probability), ``"grey"`` (count / 16, a real in
            [0, 1]) or ``"counts"`` (the integers 0 to 16, stored as floats).
        dtype: A floating-point type.

    Returns:
        The split, images as rows of 64 pixels, row by row from the top left.

    Raises:
        ValueError: If ``kind`` is not one of the three, or ``dtype`` is no float.

    Source:
        Alpaydin and Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI.

    Example:
        >>> digits = load_digits("binary")
        >>> tuple(digits.train.shape), tuple(digits.test.shape)
        ((1437, 64), (360, 64))
        >>> digits.train.unique()
        tensor([0., 1.])
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if not dtype.is_floating_point:
        raise ValueError(f"dtype must be a floating-point type, got {dtype}")
    from sklearn.datasets import load_digits as sklearn_digits  # a second to import: only here

    counts, labels = sklearn_digits(return_X_y=True)
    images = {
        "binary": counts >= BINARY_THRESHOLD,
        "grey": counts / MAX_COUNT,
        "counts": counts,
    }[kind]
    order = np.random.default_rng(0).permutation(len(images))
    images = torch.from_numpy(images[order]).to(dtype)
    labels = torch.from_numpy(labels[order].astype(np.int64))
    return Digits(
        train=images[:-TEST_SIZE],
        test=images[-TEST_SIZE:],
        train_labels=labels[:-TEST_SIZE],
        test_labels=labels[-TEST_SIZE:],
    )
