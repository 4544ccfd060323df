"""Every diagnostic on the input that nobody plans for."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.diagnostics.linear_code import Codes, linear_code, seeded
from vaelab.diagnostics import active_units, elbo_surgery, rate_distortion

each = pytest.mark.parametrize("diagnose", [active_units, elbo_surgery, rate_distortion])
sampled = pytest.mark.parametrize("diagnose", [elbo_surgery, rate_distortion])
checked = settings(deadline=None, derandomize=True, max_examples=30)


def numbers(result) -> list[float]:
    """All that a diagnosis reports, in one list."""
    return [float(n) for value in vars(result).values() for n in torch.as_tensor(value).flatten()]


@each
@checked
@given(log_var=st.floats(-80, 80), mean=st.floats(-1e3, 1e3), images=st.integers(2, 4))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_variances_from_minus_80_to_80_are_finite(
    diagnose, dtype: torch.dtype, log_var: float, mean: float, images: int
) -> None:
    codes = Codes(
        mean * torch.linspace(-1, 1, 2 * images, dtype=dtype).reshape(images, 2),
        torch.full((images, 2), log_var, dtype=dtype),
    )

    assert all(math.isfinite(n) for n in numbers(diagnose(codes, torch.zeros(images, 4))))


@each
@pytest.mark.parametrize(("dtype", "log_var"), [(torch.float32, 90.0), (torch.float16, -12.0)])
def test_log_variance_beyond_the_floats_is_named(diagnose, dtype, log_var: float) -> None:
    codes = Codes(torch.zeros(2, 2, dtype=dtype), torch.full((2, 2), log_var, dtype=dtype))
    with pytest.raises(ValueError, match=rf"log_var must lie within .* {dtype}, got {log_var}"):
        diagnose(codes, torch.zeros(2, 4))


@each
@pytest.mark.parametrize("name", ["mean", "log_var"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_encoder_that_has_diverged_is_named(diagnose, name: str, bad: float) -> None:
    parts = {"mean": torch.zeros(2, 2), "log_var": torch.zeros(2, 2)}
    parts[name][1, 0] = bad
    with pytest.raises(ValueError, match=f"the encoder's {name} must be finite, got {bad}"):
        diagnose(Codes(**parts), torch.zeros(2, 4))


@each
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(0, 4), r"x must hold at least one image, got shape \(0, 4\)"),
        (torch.zeros(4), r"x must have shape \(batch, pixels\), got \(4,\)"),
        (torch.full((2, 4), math.nan), "x must be finite, got nan"),
        (torch.full((2, 4), math.inf), "x must be finite, got inf"),
    ],
)
def test_images_that_are_none_are_named(diagnose, x: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        diagnose(linear_code(dtype=torch.float32), x)


@each
@pytest.mark.parametrize(
    ("mean", "log_var"), [((3, 2), (3, 2)), ((2, 2), (2, 1)), ((2,), (2,)), ((5, 2, 2), (5, 2, 2))]
)
def test_an_encoder_of_another_shape_is_named(diagnose, mean: tuple, log_var: tuple) -> None:
    with pytest.raises(ValueError, match=r"vae\.encode\(x\) must give .* with 2 images, got"):
        diagnose(Codes(torch.zeros(mean), torch.zeros(log_var)), torch.zeros(2, 4))


@sampled
@pytest.mark.parametrize("num_samples", [0, -3])
def test_draws_must_be_one_or_more(diagnose, num_samples: int) -> None:
    with pytest.raises(ValueError, match=f"num_samples must be at least 1, got {num_samples}"):
        diagnose(linear_code(), torch.zeros(2, 4).double(), num_samples)


@each
def test_non_contiguous_images_change_nothing(diagnose) -> None:
    vae = linear_code()
    x = vae.model.sample(6, seeded(2))[0]
    options = {} if diagnose is active_units else {"num_samples": 5}

    def found(x: torch.Tensor) -> list[float]:
        if options:
            return numbers(diagnose(vae, x, **options, generator=seeded(0)))
        return numbers(diagnose(vae, x))

    assert found(x.T.contiguous().T) == pytest.approx(found(x), rel=1e-12)


@each
def test_half_precision_is_right_to_its_own_digits(diagnose) -> None:
    fine, coarse = linear_code(), linear_code(dtype=torch.float16)
    x = fine.model.sample(300, seeded(2))[0].half()

    found, reference = (diagnose(vae, x.to(vae.log_var.dtype)) for vae in (coarse, fine))

    # Other noise, and a mean and log-variance of three digits: a hundredth of what is averaged.
    assert numbers(found) == pytest.approx(numbers(reference), rel=0.05, abs=0.05)


@sampled
def test_seed_repeats_threads_agree_and_the_global_generator_is_left_alone(diagnose) -> None:
    vae = linear_code()
    x = vae.model.sample(400, seeded(2))[0]
    before, threads, found = torch.get_rng_state(), torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(numbers(diagnose(vae, x, 20, seeded(1))))
    finally:
        torch.set_num_threads(threads)

    assert found[0] == pytest.approx(found[1], rel=1e-11)
    assert found[0] != numbers(diagnose(vae, x, 20, seeded(2)))
    assert torch.equal(torch.get_rng_state(), before)


@each
def test_no_gradient_is_kept(diagnose) -> None:
    mean = torch.zeros(3, 2, requires_grad=True)
    result = diagnose(Codes(mean + 1, mean - 1), torch.zeros(3, 4))
    assert not any(getattr(value, "requires_grad", False) for value in vars(result).values())
