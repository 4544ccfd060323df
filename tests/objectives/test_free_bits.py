"""Free bits: the value, what it bounds, and where it lets go of the gradient."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.objectives import ElboTerms, free_bits_objective


def terms(kl: list[list[float]]) -> ElboTerms:
    kl = torch.tensor(kl, dtype=torch.float64, requires_grad=True)
    return ElboTerms(-torch.arange(1.0, len(kl) + 1).double(), kl)


def test_value_by_hand() -> None:
    # Mean KL of the two latents: 2 and 0.05; reconstruction: -1.5 on average.
    value = free_bits_objective(terms([[1.0, 0.1], [3.0, 0.0]]), free_nats=0.5)

    assert value.shape == ()
    assert value.item() == pytest.approx(-1.5 - 2 - 0.5, abs=1e-15)


def test_no_gradient_below_the_threshold_and_the_plain_one_above() -> None:
    batch = terms([[1.0, 0.1], [3.0, 0.0]])

    free_bits_objective(batch, free_nats=0.5).backward()

    # The first image's KL in latent 2 is pushed no more than its average is.
    assert batch.kl.grad.tolist() == [[-0.5, 0.0], [-0.5, 0.0]]


def test_threshold_is_on_the_batch_mean_not_on_images() -> None:
    uneven = terms([[0.0], [2.0]])

    # Image by image it would be max(1, 0) and max(1, 2): 1.5 on average.
    assert free_bits_objective(uneven, free_nats=1.0).item() == pytest.approx(-1.5 - 1.0)


KLS = st.lists(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), min_size=1, max_size=5)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(kl=KLS, free_nats=st.floats(0, 1e6), more=st.floats(0, 1e6))
def test_never_above_the_elbo_and_falling_in_the_threshold(
    kl: list[list[float]], free_nats: float, more: float
) -> None:
    batch = terms(kl)
    elbo = batch.elbo.mean()
    rounding = 1e-14 * (1 + elbo.abs())

    value = free_bits_objective(batch, free_nats)

    assert value <= elbo + rounding
    assert free_bits_objective(batch, free_nats + more) <= value + rounding
    torch.testing.assert_close(free_bits_objective(batch, 0.0), elbo, rtol=1e-14, atol=1e-12)
    # Nor is any image's objective alone above the batch's: the mean of a maximum is the larger.
    alone = [free_bits_objective(terms([one]), free_nats) + 1 for one in kl]
    by_image = sum(alone) / len(alone) + batch.reconstruction.mean()
    assert by_image <= value + rounding


@pytest.mark.parametrize("free_nats", [-0.1, math.nan, math.inf])
def test_threshold_must_be_finite_and_not_negative(free_nats: float) -> None:
    with pytest.raises(
        ValueError, match=f"free_nats must be finite and not negative, got {free_nats}"
    ):
        free_bits_objective(terms([[1.0]]), free_nats)


def test_empty_batch_has_no_mean() -> None:
    empty = ElboTerms(torch.zeros(0), torch.zeros(0, 2))
    with pytest.raises(ValueError, match=r"at least one image, got KL of \(0, 2\)"):
        free_bits_objective(empty, 0.5)


@pytest.mark.parametrize("beta", [-1.0, math.nan, math.inf])
def test_beta_must_be_finite_and_not_negative(beta: float) -> None:
    with pytest.raises(ValueError, match=f"beta must be finite and not negative, got {beta}"):
        terms([[1.0]]).beta_objective(beta)
