"""Every sampled objective on the input that nobody plans for."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.objectives.linear_vae import LinearVAE, images, linear_gaussian, off_posterior, seeded
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.objectives import (
    doubly_reparameterised,
    elbo_from_entropy,
    elbo_from_log_ratio,
    elbo_terms,
    iwae,
    sticking_the_landing,
)

checked = settings(deadline=None, derandomize=True, max_examples=40)


def value_of(objective, *arguments, **options) -> torch.Tensor:
    result = objective(*arguments, **options)
    return getattr(result, "value", result)


OBJECTIVES = (
    elbo_from_entropy,
    elbo_from_log_ratio,
    iwae,
    sticking_the_landing,
    doubly_reparameterised,
)
each = pytest.mark.parametrize("objective", OBJECTIVES)


def elbo_of_terms(*arguments, **options) -> torch.Tensor:
    """What training uses: the same formula, without the checks of every step."""
    return elbo_terms(*arguments, **options).elbo


each_and_terms = pytest.mark.parametrize("objective", [elbo_of_terms, *OBJECTIVES])


@each_and_terms
@checked
@given(batch=st.integers(0, 4), latent=st.integers(1, 3), num_samples=st.integers(1, 4))
def test_one_number_for_each_image(objective, batch: int, latent: int, num_samples: int) -> None:
    model = linear_gaussian(latent_dim=latent)
    q = torch.zeros(batch, latent, dtype=torch.float64)

    value = value_of(objective, LinearVAE(model, q, q), torch.zeros(batch, 4).double(), num_samples)

    assert value.shape == (batch,)
    assert value.dtype == torch.float64
    assert value.isfinite().all()


@each_and_terms
@checked
@given(log_var=st.floats(-80, 80), mean=st.floats(-1e3, 1e3))
def test_log_variances_from_minus_80_to_80_are_finite(objective, log_var, mean) -> None:
    model = linear_gaussian()
    leaves = [torch.full((1, 2), v).double().requires_grad_() for v in (mean, log_var)]

    result = objective(LinearVAE(model, *leaves), torch.zeros(1, 4).double(), 3, seeded(0))

    assert getattr(result, "value", result).isfinite().all()
    gradients = torch.autograd.grad(getattr(result, "surrogate", result).sum(), leaves)
    assert all(gradient.isfinite().all() for gradient in gradients)


@each
@pytest.mark.parametrize(("dtype", "log_var"), [(torch.float32, 90.0), (torch.float16, -12.0)])
def test_log_variance_beyond_the_floats_is_named(objective, dtype, log_var: float) -> None:
    q = torch.zeros(2, 2, dtype=dtype)
    vae = LinearVAE(linear_gaussian(), q, q + log_var)
    with pytest.raises(ValueError, match=rf"log_var must lie within .* {dtype}, got {log_var}"):
        objective(vae, torch.zeros(2, 4), 1)


@each
@pytest.mark.parametrize("name", ["mean", "log_var"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_encoder_that_has_diverged_is_named(objective, name: str, bad: float) -> None:
    q = {"mean": torch.zeros(2, 2), "log_var": torch.zeros(2, 2)}
    q[name] = q[name].clone()
    q[name][1, 0] = bad
    with pytest.raises(ValueError, match=f"the encoder's {name} must be finite, got {bad}"):
        objective(LinearVAE(linear_gaussian(), **q), torch.zeros(2, 4), 1)


@each_and_terms
def test_a_spoilt_image_spoils_no_other(objective) -> None:
    model = linear_gaussian()
    x = images(model)
    vae = LinearVAE(model, *off_posterior(model, x))
    spoilt = x.clone()
    spoilt[1, 0] = math.nan

    clean, value = (value_of(objective, vae, data, 3, seeded(0)) for data in (x, spoilt))

    assert value.isnan().tolist() == [False, True, False]
    torch.testing.assert_close(value[[0, 2]], clean[[0, 2]])


@each_and_terms
def test_non_contiguous_input_changes_nothing(objective) -> None:
    model = linear_gaussian()
    x = images(model)
    mean, log_var = off_posterior(model, x)
    strided = [part.T.contiguous().T for part in (x, mean, log_var)]
    assert not any(part.is_contiguous() for part in strided)

    plain = value_of(objective, LinearVAE(model, mean, log_var), x, 3, seeded(0))
    other = value_of(objective, LinearVAE(model, *strided[1:]), strided[0], 3, seeded(0))

    torch.testing.assert_close(other, plain, rtol=1e-13, atol=0)


@each_and_terms
def test_half_precision_is_right_to_its_own_digits(objective) -> None:
    model = linear_gaussian()
    x = images(model).half()
    q = [part.half() for part in off_posterior(model, images(model))]
    coarse = LinearGaussian(model.weight.half(), model.bias.half(), model.noise_var)

    value = value_of(objective, LinearVAE(coarse, *q), x, 2000, seeded(0))
    fine = LinearVAE(model, *(part.double() for part in q))
    # The half-precision noise is another stream, so the two agree to Monte Carlo error only.
    reference = value_of(objective, fine, x.double(), 2000, seeded(0))

    assert value.dtype == torch.float16
    torch.testing.assert_close(value.double(), reference, rtol=0, atol=0.25)


@each_and_terms
def test_seed_repeats_threads_agree_and_the_global_generator_is_left_alone(objective) -> None:
    model = linear_gaussian()
    x = images(model)
    vae = LinearVAE(model, *off_posterior(model, x))
    before, threads, values = torch.get_rng_state(), torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            values.append(value_of(objective, vae, x, 5000, seeded(1)))
    finally:
        torch.set_num_threads(threads)

    torch.testing.assert_close(values[0], values[1], rtol=1e-12, atol=0)
    assert not torch.equal(values[0], value_of(objective, vae, x, 5000, seeded(2)))
    assert torch.equal(torch.get_rng_state(), before)
