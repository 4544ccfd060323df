"""The check of counts, and the sum over pixels in its two forms."""

import math

import pytest
import torch

from vaelab.densities import check_counts, count_log_likelihood
from vaelab.densities.counts import log_binomial_coefficient

TYPES = [torch.float16, torch.float32, torch.float64, torch.int64, torch.uint8]


@pytest.mark.parametrize("dtype", TYPES)
def test_counts_pass_whatever_their_type(dtype: torch.dtype) -> None:
    check_counts(torch.arange(17).to(dtype), 16)
    check_counts(torch.zeros(0, 64, dtype=dtype), 16)
    check_counts(torch.zeros(4, 64, dtype=dtype).T, 1)


@pytest.mark.parametrize(
    "wrong", [-1.0, 17.0, 0.5, 15.999, -1e-3, math.nan, math.inf, -math.inf, 1e30]
)
def test_anything_else_is_refused_and_named(wrong: float) -> None:
    x = torch.zeros(3, 64, dtype=torch.float64)
    x[2, 63] = wrong

    with pytest.raises(ValueError, match=f"from 0 to 16, got {wrong}".replace("+", r"\+")):
        check_counts(x, 16)


@pytest.mark.parametrize("max_count", [0, -3])
def test_max_count_must_be_one_or_more(max_count: int) -> None:
    with pytest.raises(ValueError, match=f"max_count must be at least 1, got {max_count}"):
        check_counts(torch.zeros(1), max_count)


@pytest.mark.parametrize("max_count", [1, 2, 16, 255])
def test_coefficients_agree_with_whole_number_arithmetic(max_count: int) -> None:
    x = torch.arange(max_count + 1)

    log_coefficient = log_binomial_coefficient(x, max_count, torch.float64)

    expected = [math.log(math.comb(max_count, k)) for k in range(max_count + 1)]
    # Three log-factorials, each rounded: a few roundings of log n!.
    tolerance = 1e-15 * math.lgamma(max_count + 1) + 1e-15
    assert log_coefficient.tolist() == pytest.approx(expected, rel=0, abs=tolerance)


def poisson_like(x: torch.Tensor, log_rate: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """No density; any function of a count and two parameters will do."""
    return x * log_rate - torch.exp(0.3 * log_rate) + torch.cos(x * shift)


# At n = 3, up to 4 images are summed directly, from 5 on by levels where they share.
@pytest.mark.parametrize("images", [0, 1, 4, 5, 50])
@pytest.mark.parametrize("samples", [(), (1,), (7,), (2, 3)])
@pytest.mark.parametrize("shared", [(True, True), (True, False), (False, False)])
def test_both_forms_are_the_sum_over_pixels(images, samples, shared) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 4, (images, 6), generator=generator).double()
    rows = [1 if each else images for each in shared]
    parameters = [
        torch.randn(*samples, n, 6, generator=generator, dtype=torch.float64) for n in rows
    ]

    log_likelihood = count_log_likelihood(poisson_like, x, *parameters, max_count=3)

    expected = poisson_like(x, *parameters).sum(-1)
    assert log_likelihood.shape == (*samples, images)
    torch.testing.assert_close(log_likelihood, expected, rtol=1e-13, atol=1e-13)


def test_sharing_images_make_no_array_of_all_by_all() -> None:
    largest = 0

    def watched(x, logits):
        nonlocal largest
        result = x * logits
        largest = max(largest, result.numel())
        return result

    count_log_likelihood(watched, torch.ones(500, 6), torch.zeros(100, 1, 6), max_count=3)

    assert largest == 4 * 100 * 6


def test_sum_refuses_other_pixels_and_other_data() -> None:
    message = r"number of pixels, got \(2, 64\) and \(5, 1, 64\), \(5, 1, 63\)"
    with pytest.raises(ValueError, match=message):
        count_log_likelihood(
            poisson_like,
            torch.zeros(2, 64),
            torch.zeros(5, 1, 64),
            torch.zeros(5, 1, 63),
            max_count=16,
        )
    with pytest.raises(ValueError, match=r"whole numbers from 0 to 3, got 0\.5"):
        count_log_likelihood(
            poisson_like, torch.full((9, 2), 0.5), *torch.zeros(2, 1, 1, 2), max_count=3
        )
