"""What the exact methods refuse to take from a model, and in which words."""

import math

import pytest
import torch

from vaelab.exact.evaluate import check_images, evaluate_log_likelihood
from vaelab.exact.quadrature import quadrature_log_joint, quadrature_log_marginal
from vaelab.exact.quadrature_posterior import quadrature_posterior
from vaelab.models.vae import VAE


def vae(likelihood: str = "bernoulli") -> VAE:
    generator = torch.Generator().manual_seed(0)
    return VAE(latent_dim=1, pixels=4, likelihood=likelihood, generator=generator)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("integrate", [quadrature_log_marginal, quadrature_posterior])
def test_a_float32_model_is_told_what_to_do(integrate, likelihood: str) -> None:
    x = torch.zeros(2, 4, dtype=torch.float64)

    with pytest.raises(ValueError, match=r"log_likelihood .* float64 .*vae\.double\(\)"):
        integrate(x, vae(likelihood).log_likelihood, 1)

    assert integrate(x.float(), vae(likelihood).double().log_likelihood, 1).log_marginal.shape == (
        2,
    )


def test_float32_images_of_a_float64_model_are_named() -> None:
    grid = torch.zeros(3, 1, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"x of dtype float32 .*x\.double\(\)"):
        quadrature_log_joint(torch.zeros(2, 4), vae().double().log_likelihood, grid)


def test_an_answer_of_less_precision_is_refused() -> None:
    # It would be copied into float64 without a word, sixteen digits of which eight are noise.
    with pytest.raises(ValueError, match=r"must return float64, got torch\.float32"):
        quadrature_log_marginal(torch.zeros(2, 4), lambda x, z: -(z.float().sum(-1) ** 2), 1)


def test_other_errors_of_the_model_pass() -> None:
    def broken(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("out of cheese")

    with pytest.raises(RuntimeError, match="out of cheese"):
        evaluate_log_likelihood(broken, torch.zeros(2, 4), torch.zeros(3, 1, 1))


def test_an_answer_of_another_shape_is_refused() -> None:
    message = r"must return shape \(samples, batch\) = \(3, 2\), got \(3, 2, 4\)"
    with pytest.raises(ValueError, match=message):
        evaluate_log_likelihood(lambda x, z: x - z, torch.zeros(2, 4), torch.zeros(3, 1, 1))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_images_must_be_finite(value: float) -> None:
    x = torch.zeros(3, 4)
    x[1, 2] = value
    with pytest.raises(ValueError, match=f"x must be finite, got {value}"):
        check_images(x)
    with pytest.raises(ValueError, match=f"x must be finite, got {value}"):
        quadrature_log_marginal(x, vae().double().log_likelihood, 1)


def test_no_images_are_images() -> None:
    empty = torch.zeros(0, 4)
    assert check_images(empty) is empty
    assert quadrature_log_marginal(empty, vae().double().log_likelihood, 1).error.shape == (0,)
