"""Gaussians held against torch.distributions, scipy, quadrature and sampling, in float64."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from vaelab.densities import gaussian as module
from vaelab.densities import (
    kl_normal,
    kl_to_standard_normal,
    multivariate_normal_log_density,
    normal_log_density,
    normal_log_likelihood,
    standard_normal_log_density,
)


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_normal_agrees_with_torch_distributions_and_broadcasts() -> None:
    x, mean, log_var = normal(4, 6, 3), normal(6, 3, seed=1), normal(3, seed=2, scale=2.0)

    log_density = normal_log_density(x, mean, log_var)

    expected = Normal(mean, (log_var / 2).exp()).log_prob(x)
    torch.testing.assert_close(log_density, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("mean", "log_var"), [(0.0, 0.0), (1.5, -3.0), (-0.2, 1.0)])
def test_normal_integrates_to_one(mean: float, log_var: float) -> None:
    mean_, log_var_ = (torch.tensor(v, dtype=torch.float64) for v in (mean, log_var))

    def density(x: float) -> float:
        x_ = torch.tensor(x, dtype=torch.float64)
        return float(normal_log_density(x_, mean_, log_var_).exp())

    area, error = scipy.integrate.quad(density, mean - 40, mean + 40, points=[mean])

    assert abs(area - 1) <= max(error, 1e-12)


def test_standard_normal_agrees_with_scipy_far_into_the_tail() -> None:
    z = torch.linspace(-40, 40, 81, dtype=torch.float64)

    log_density = standard_normal_log_density(z)

    np.testing.assert_allclose(log_density, scipy.stats.norm.logpdf(z), rtol=1e-14)


def test_kl_agrees_with_torch_distributions() -> None:
    mean, log_var = normal(40, 5, scale=2.0), normal(40, 5, seed=1, scale=2.0)

    kl = kl_to_standard_normal(mean, log_var)

    expected = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(mean * 0, 1.0))
    assert kl.shape == (40, 5)
    torch.testing.assert_close(kl, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("mean", "log_var"), [(1.5, -3.0), (-0.2, 1.0), (0.0, 0.5)])
def test_kl_is_the_mean_log_ratio(mean: float, log_var: float) -> None:
    mean_, log_var_ = (torch.tensor([v], dtype=torch.float64) for v in (mean, log_var))
    z = mean_ + (log_var_ / 2).exp() * normal(200_000)
    log_ratio = Normal(mean_, (log_var_ / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    standard_error = log_ratio.std() / math.sqrt(len(z))

    kl = kl_to_standard_normal(mean_, log_var_)

    # Five standard errors: a correct formula fails about once in two million seeds.
    assert abs(kl - log_ratio.mean()) <= 5 * standard_error


@pytest.mark.parametrize("log_var", [1e-3, -1e-3, 1e-5, -1e-5, 1e-7])
def test_kl_keeps_its_digits_where_a_latent_has_collapsed(log_var: float) -> None:
    # e^v - 1 - v = v^2/2! + v^3/3! + ...
    expected = sum(log_var**k / math.factorial(k) for k in range(2, 8)) / 2

    kl = kl_to_standard_normal(
        torch.zeros(1, dtype=torch.float64), torch.tensor([log_var], dtype=torch.float64)
    )

    # One rounding of expm1(v). With exp(v) - 1 instead, the error is one of 1: up to 1e-16.
    assert float(kl) == pytest.approx(expected, rel=1e-13, abs=2.3e-16 * abs(log_var))


def test_kl_refuses_to_broadcast() -> None:
    message = r"mean and log_var must have the same shape, got \(8, 1\) and \(8, 2\)"
    with pytest.raises(ValueError, match=message):
        kl_to_standard_normal(torch.zeros(8, 1), torch.zeros(8, 2))


@pytest.mark.parametrize("shape", [(6, 5), (3, 6, 5), (3, 1, 5), (1, 5), (2, 4, 1, 5)])
@pytest.mark.parametrize("noise", ["one", "by pixel", "by sample"])
def test_image_log_likelihood_is_the_sum_over_pixels(shape: tuple[int, ...], noise: str) -> None:
    x, mean = normal(6, 5, seed=1), normal(*shape, scale=3.0)
    log_var = {"one": normal(1)[0], "by pixel": normal(5), "by sample": normal(*shape)}[noise]

    log_likelihood = normal_log_likelihood(x, mean, log_var)

    expected = Independent(Normal(mean, (log_var / 2).exp()), 1).log_prob(x)
    assert log_likelihood.shape == (*shape[:-2], 6)
    torch.testing.assert_close(log_likelihood, expected, rtol=1e-12, atol=1e-12)


def test_sharing_images_make_no_array_of_all_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "normal_log_density", None)

    assert normal_log_likelihood(normal(6, 5), normal(3, 1, 5), normal(5)).shape == (3, 6)
    with pytest.raises(TypeError):  # it is what images with their own means go by
        normal_log_likelihood(normal(6, 5), normal(3, 6, 5), normal(5))


def test_image_log_likelihood_has_the_gradient_of_the_sum() -> None:
    x, mean = normal(6, 5), normal(3, 1, 5, seed=1).requires_grad_()
    log_var = normal(5, seed=2).requires_grad_()

    assert torch.autograd.gradcheck(
        lambda *p: normal_log_likelihood(x, *p), (mean, log_var), atol=1e-7
    )


def covariance_factor(*shape: int) -> torch.Tensor:
    factor = normal(*shape, seed=3)
    return torch.linalg.cholesky(factor @ factor.mT + 0.1 * torch.eye(shape[-1]).double())


@pytest.mark.parametrize(
    ("x", "mean", "cholesky"),
    [
        ((3,), (3,), (3, 3)),
        ((7, 3), (3,), (3, 3)),
        ((5, 7, 3), (7, 3), (3, 3)),
        ((5, 7, 3), (7, 3), (7, 3, 3)),
        ((7, 3), (7, 3), (7, 3, 3)),
        ((5, 1, 3), (7, 3), (7, 3, 3)),
        ((2, 5, 7, 3), (1, 1, 3), (7, 3, 3)),
        ((0, 3), (3,), (3, 3)),
        ((4, 1), (1,), (1, 1)),
    ],
)
def test_multivariate_normal_agrees_with_torch_distributions(x, mean, cholesky) -> None:
    x, mean, cholesky = normal(*x), normal(*mean, seed=1), covariance_factor(*cholesky)

    log_density = multivariate_normal_log_density(x, mean, cholesky)

    expected = MultivariateNormal(mean, scale_tril=cholesky, validate_args=False).log_prob(x)
    assert log_density.shape == expected.shape
    torch.testing.assert_close(log_density, expected, rtol=1e-12, atol=1e-12)


def test_multivariate_normal_of_a_diagonal_is_the_sum_over_dimensions() -> None:
    x, mean, log_var = normal(4, 3), normal(3, seed=1), normal(3, seed=2)

    log_density = multivariate_normal_log_density(x, mean, (log_var / 2).exp().diag())

    torch.testing.assert_close(log_density, normal_log_density(x, mean, log_var).sum(-1))


def test_multivariate_normal_refuses_what_does_not_fit() -> None:
    for x, cholesky in [((4, 3), (2, 2)), ((4, 3), (5, 3, 3)), ((3,), (5, 3, 3)), ((3,), (3, 2))]:
        with pytest.raises(ValueError, match="cholesky must have shape") as error:
            multivariate_normal_log_density(normal(*x), normal(3), normal(*cholesky))
        assert str(cholesky) in str(error.value)
        assert str(x) in str(error.value)
    factor = torch.diag(torch.tensor([1.0, -2.0]))
    with pytest.raises(ValueError, match=r"a positive diagonal, got -2\.0"):
        multivariate_normal_log_density(torch.zeros(2), torch.zeros(2), factor)


@pytest.mark.parametrize("p_shape", [(40, 5), (5,), (1, 5), (3, 1, 5)])
def test_general_kl_agrees_with_torch_distributions(p_shape: tuple[int, ...]) -> None:
    mean_q, log_var_q = normal(40, 5, scale=2.0), normal(40, 5, seed=1, scale=2.0)
    mean_p, log_var_p = normal(*p_shape, seed=2), normal(*p_shape, seed=3, scale=2.0)

    kl = kl_normal(mean_q, log_var_q, mean_p, log_var_p)

    q, p = Normal(mean_q, (log_var_q / 2).exp()), Normal(mean_p, (log_var_p / 2).exp())
    torch.testing.assert_close(kl, kl_divergence(q, p), rtol=1e-12, atol=1e-13)


def test_general_kl_has_its_special_cases() -> None:
    mean, log_var = normal(4, 3), normal(4, 3, seed=1)

    to_standard = kl_normal(mean, log_var, torch.zeros(4, 3), torch.zeros(4, 3))
    to_itself = kl_normal(mean, log_var, mean, log_var)

    torch.testing.assert_close(to_standard, kl_to_standard_normal(mean, log_var))
    assert torch.equal(to_itself, torch.zeros(4, 3).double())


@pytest.mark.parametrize("log_var", [-80.0, 80.0])
def test_general_kl_is_finite_at_extreme_variances(log_var: float) -> None:
    extreme, zero = torch.full((3,), log_var, dtype=torch.float64), torch.zeros(3).double()

    for kl in (kl_normal(zero, extreme, zero, zero), kl_normal(zero, zero, zero, extreme)):
        assert torch.isfinite(kl).all()
        assert (kl > 30).all()


def test_general_kl_refuses_shapes_that_hide_a_bug() -> None:
    message = r"got \(8, 2\) and \(8, 1\) for q, \(2,\) and \(2,\) for p"
    with pytest.raises(ValueError, match=message):
        kl_normal(torch.zeros(8, 2), torch.zeros(8, 1), torch.zeros(2), torch.zeros(2))
    with pytest.raises(ValueError, match=r"got \(8, 2\) and \(8, 2\) for q, \(2,\) and \(1,\)"):
        kl_normal(torch.zeros(8, 2), torch.zeros(8, 2), torch.zeros(2), torch.zeros(1))
    message = r"the same number of latents, got \(8, 2\) and \(8, 1\)"
    with pytest.raises(ValueError, match=message):
        kl_normal(torch.zeros(8, 2), torch.zeros(8, 2), torch.zeros(8, 1), torch.zeros(8, 1))
