"""What every likelihood of pixels must do: gradients, shapes, types, and odd input."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vaelab.densities as d

N = 16
FEW = settings(deadline=None, derandomize=True, max_examples=25)


@dataclass(frozen=True)
class Case:
    """A likelihood, how many parameters it takes, and the largest value of its data."""

    density: Callable
    summed: Callable
    parameters: int
    largest: int
    whole: bool = True

    def data(self, *shape: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1)
        if self.whole:
            return torch.randint(0, self.largest + 1, shape, generator=generator).double()
        return torch.rand(shape, generator=generator, dtype=torch.float64) * self.largest

    def random_parameters(self, *shape: int) -> tuple[torch.Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        shape = (self.parameters, *shape)
        return tuple(torch.randn(shape, generator=generator, dtype=torch.float64))


def of_counts(density: Callable) -> Callable:
    return lambda x, *parameters: density(x, *parameters, N)


CASES = {
    "bernoulli": Case(d.bernoulli_log_density, d.bernoulli_log_likelihood, 1, 1),
    "normal": Case(d.normal_log_density, d.normal_log_likelihood, 2, 1, whole=False),
    "continuous bernoulli": Case(
        d.continuous_bernoulli_log_density,
        d.continuous_bernoulli_log_likelihood,
        1,
        1,
        whole=False,
    ),
    "binomial": Case(of_counts(d.binomial_log_density), of_counts(d.binomial_log_likelihood), 1, N),
    "beta-binomial": Case(
        of_counts(d.beta_binomial_log_density), of_counts(d.beta_binomial_log_likelihood), 2, N
    ),
    "discretised logistic": Case(
        of_counts(d.discretised_logistic_log_density),
        of_counts(d.discretised_logistic_log_likelihood),
        2,
        N,
    ),
}
NEW = [name for name in CASES if name not in ("bernoulli", "normal")]
COUNTS = ["binomial", "beta-binomial", "discretised logistic"]

every = pytest.mark.parametrize("name", CASES)


@every
@pytest.mark.parametrize("centre", [0.0, -20.5, 20.5, -80.0, 80.0])
def test_gradients_agree_with_finite_differences(name: str, centre: float) -> None:
    case = CASES[name]
    x = torch.cat([case.data(5), torch.tensor([0.0, case.largest], dtype=torch.float64)])
    # The last parameter of a pair is a logarithm, as a scale's or a variance's.
    corners = [(centre,)] if case.parameters == 1 else [(centre, 0.3), (0.3, centre)]
    for corner in corners:
        if name in ("normal", "discretised logistic") and corner[-1] < -20:
            continue  # the function bends within a finite difference's step
        parameters = [
            (p + c).requires_grad_() for p, c in zip(case.random_parameters(7), corner, strict=True)
        ]

        assert torch.autograd.gradcheck(lambda *p: case.density(x, *p), parameters, atol=2e-6)


@every
@FEW
@given(
    values=st.lists(st.floats(-80, 80), min_size=2, max_size=2),
    dtype=st.sampled_from([torch.float64, torch.float32]),
)
def test_values_and_gradients_are_finite_from_minus_80_to_80(name, values, dtype) -> None:
    case = CASES[name]
    if name == "normal":
        values[0] /= 2  # 80^2 e^80 is more than float32 holds
    x = torch.tensor([0.0, 1.0, case.largest], dtype=dtype)
    parameters = [
        torch.full((3,), v, dtype=dtype).requires_grad_() for v in values[: case.parameters]
    ]

    log_density = case.density(x, *parameters)
    gradients = torch.autograd.grad(log_density.sum(), parameters)

    assert log_density.dtype == dtype
    for result in (log_density, *gradients):
        assert torch.isfinite(result).all()
    if case.whole:
        assert (log_density <= 1e-6 * max(map(abs, values))).all()


@every
@FEW
@given(
    samples=st.sampled_from([(), (1,), (3,), (2, 3)]),
    images=st.sampled_from([0, 1, 2, 40]),
    shared=st.booleans(),
)
def test_image_log_likelihood_is_the_sum_over_pixels(name, samples, images, shared) -> None:
    case = CASES[name]
    x, parameters = (
        case.data(images, 5),
        case.random_parameters(*samples, 1 if shared else images, 5),
    )

    log_likelihood = case.summed(x, *parameters)

    expected = case.density(x, *parameters).sum(-1)
    assert log_likelihood.shape == (*samples, images)
    torch.testing.assert_close(log_likelihood, expected, rtol=1e-12, atol=1e-12)


@every
def test_sharing_images_get_the_gradient_of_the_sum(name: str) -> None:
    case = CASES[name]
    x, parameters = case.data(20, 2), case.random_parameters(2, 1, 2)
    parameters = [p.requires_grad_() for p in parameters]

    by_images = torch.autograd.grad(case.summed(x, *parameters).sum(), parameters)

    by_pixels = torch.autograd.grad(case.density(x, *parameters).sum(), parameters)
    for one, other in zip(by_images, by_pixels, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


@every
def test_memory_order_changes_nothing(name: str) -> None:
    case = CASES[name]
    x, parameters = case.data(6, 4), case.random_parameters(3, 6, 4)
    turned = [p.movedim(0, -1).contiguous().movedim(-1, 0) for p in parameters]
    assert not turned[0].is_contiguous()

    log_likelihood = case.summed(x.T.contiguous().T, *turned)

    torch.testing.assert_close(log_likelihood, case.summed(x, *parameters), rtol=1e-14, atol=1e-13)


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("images", [3, 40])
def test_half_precision_is_computed_in_float32(name: str, images: int) -> None:
    case = CASES[name]
    x, parameters = (
        case.data(images, 64).half(),
        [p.half() for p in case.random_parameters(2, 1, 64)],
    )

    log_likelihood = case.summed(x, *parameters)

    exact = case.summed(x.double(), *(p.double() for p in parameters))
    assert log_likelihood.dtype == torch.float32
    torch.testing.assert_close(log_likelihood.double(), exact, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("images", [3, 40])
def test_counts_may_be_whole_number_types(name: str, images: int) -> None:
    case = CASES[name]
    x, parameters = case.data(images, 6), case.random_parameters(2, 1, 6)

    for dtype in (torch.uint8, torch.int64):
        log_likelihood = case.summed(x.to(dtype), *parameters)

        torch.testing.assert_close(log_likelihood, case.summed(x, *parameters), rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", COUNTS)
def test_pixels_divided_by_n_are_refused(name: str) -> None:
    case = CASES[name]

    for images in (3, 40):
        x, parameters = case.data(images, 6) / N, case.random_parameters(2, 1, 6)
        for function in (case.density, case.summed):
            with pytest.raises(
                ValueError, match=r"x must hold whole numbers from 0 to 16, got 0\."
            ):
                function(x, *parameters)


@pytest.mark.parametrize("name", NEW)
def test_data_that_are_no_numbers_are_refused(name: str) -> None:
    case = CASES[name]
    for wrong in (math.nan, math.inf, -1.0):
        x = case.data(3, 6)
        x[1, 2] = wrong

        for function in (case.density, case.summed):
            with pytest.raises(ValueError, match=f"x must .* got {wrong}"):
                function(x, *case.random_parameters(3, 6))


@every
@pytest.mark.parametrize("images", [3, 40])
def test_a_parameter_that_is_no_number_shows(name: str, images: int) -> None:
    case = CASES[name]
    x = case.data(images, 6)
    for which in range(case.parameters):
        parameters = case.random_parameters(2, 1, 6)
        parameters[which][1, 0, 3] = math.nan

        log_likelihood = case.summed(x, *parameters)

        assert torch.isfinite(log_likelihood[0]).all()
        assert log_likelihood[1].isnan().all()


@every
def test_other_pixels_are_refused(name: str) -> None:
    case = CASES[name]
    for images in (3, 40):
        with pytest.raises(
            ValueError, match=rf"number of pixels, got \({images}, 6\) and \(2, 1, 5\)"
        ):
            case.summed(case.data(images, 6), *case.random_parameters(2, 1, 5))


@pytest.mark.parametrize("name", COUNTS)
def test_threads_change_nothing_but_rounding(name: str) -> None:
    case, before, results = CASES[name], torch.get_num_threads(), []
    x, parameters = case.data(200, 64), case.random_parameters(3, 200, 64)
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(case.summed(x, *parameters))
    finally:
        torch.set_num_threads(before)

    torch.testing.assert_close(*results, rtol=1e-13, atol=0)
