"""Fitting the linear-Gaussian model, sampling from it, and what it refuses."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from vaelab.data import load_digits
from vaelab.exact.linear_gaussian import LinearGaussian


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def data() -> torch.Tensor:
    """500 correlated observations of 6 numbers, the variances well apart."""
    x = torch.randn(500, 6, generator=seeded(0), dtype=torch.float64)
    return (
        x
        * torch.tensor([3.0, 2.0, 1.0, 0.5, 0.4, 0.3])
        @ torch.randn(6, 6, generator=seeded(1), dtype=torch.float64)
    )


def gradients(model: LinearGaussian, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Of the mean log likelihood, in W, b and log s^2, by the full covariance."""
    log_var = torch.tensor(math.log(model.noise_var), dtype=torch.float64)
    parameters = [p.clone().requires_grad_() for p in (model.weight, model.bias, log_var)]
    weight, bias, log_var = parameters
    covariance = weight @ weight.T + log_var.exp() * torch.eye(len(bias), dtype=x.dtype)
    objective = MultivariateNormal(bias, covariance).log_prob(x).mean()
    return torch.autograd.grad(objective, parameters)


@pytest.mark.parametrize("latent_dim", [1, 3, 5])
def test_gradient_is_zero_at_the_fit(latent_dim: int) -> None:
    x = data()

    model = LinearGaussian.fit(x, latent_dim)

    for gradient in gradients(model, x):
        assert gradient.abs().max() < 1e-9


@pytest.mark.parametrize("latent_dim", [1, 3])
def test_fit_beats_every_neighbour_and_the_wrong_eigenvectors(latent_dim: int) -> None:
    # A zero gradient is also found at saddles (other eigenvectors): the fit must be the best.
    x = data()
    model = LinearGaussian.fit(x, latent_dim)
    best = model.log_marginal(x).mean()
    eigenvalues, eigenvectors = torch.linalg.eigh(torch.cov(x.T, correction=0))
    for start in range(6 - latent_dim):
        columns = slice(start, start + latent_dim)
        rest = torch.cat([eigenvalues[:start], eigenvalues[start + latent_dim :]]).mean()
        scale = (eigenvalues[columns] - rest).clamp(min=0).sqrt()
        other = LinearGaussian(eigenvectors[:, columns] * scale, x.mean(0), float(rest))
        assert other.log_marginal(x).mean() < best - 1e-3
    for seed in range(20):
        shift = 0.1 * torch.randn(6, latent_dim, generator=seeded(seed), dtype=torch.float64)
        neighbour = LinearGaussian(model.weight + shift, model.bias, model.noise_var)
        assert neighbour.log_marginal(x).mean() < best


def test_fit_recovers_the_model_that_made_the_data() -> None:
    truth = LinearGaussian(
        torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, -1.0], [0.5, 0.5]]).double(),
        torch.tensor([1.0, -1.0, 0.0, 2.0]).double(),
        0.25,
    )
    count = 100_000
    x, _ = truth.sample(count, seeded(0))

    model = LinearGaussian.fit(x, 2)

    # Variances of a Gaussian sample: standard error of s^2 is s^2 sqrt(2 / (2 count)) on the
    # 2 discarded dimensions; an entry of W W^T moves by at most its variances' sqrt(2 / count).
    assert abs(model.noise_var - 0.25) <= 5 * 0.25 / math.sqrt(count)
    fitted, true = model.weight @ model.weight.T, truth.weight @ truth.weight.T
    assert (fitted - true).abs().max() <= 5 * (4 + 0.25) * math.sqrt(2 / count)


def test_fit_with_fixed_noise() -> None:
    x = data()

    model = LinearGaussian.fit(x, 3, noise_var=1.0)

    by_weight, by_bias, by_log_var = gradients(model, x)
    assert model.noise_var == 1.0
    assert by_weight.abs().max() < 1e-9
    assert by_bias.abs().max() < 1e-9
    assert abs(by_log_var) > 0.1  # held, not fitted


def test_a_latent_whose_eigenvalue_is_below_the_noise_is_unused() -> None:
    x = data()
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).flip(0)
    between = float(eigenvalues[1] + eigenvalues[2]) / 2

    model = LinearGaussian.fit(x, 3, noise_var=between)

    norms = model.weight.square().sum(0)
    torch.testing.assert_close(norms[:2], eigenvalues[:2] - between, rtol=1e-10, atol=0)
    assert norms[2] == 0


def test_fit_on_the_digits_is_float64_and_improves_with_each_latent() -> None:
    x = load_digits("grey").train

    fits = [LinearGaussian.fit(x, latent_dim) for latent_dim in (1, 2, 8)]

    means = [float(fit.log_marginal(x.double()).mean()) for fit in fits]
    assert fits[0].weight.dtype == torch.float64
    assert means[0] < means[1] < means[2]


def test_samples_have_the_moments_of_the_joint() -> None:
    model = LinearGaussian(
        torch.tensor([[2.0, 0.0], [0.5, 1.0], [1.0, -1.0]]).double(),
        torch.tensor([1.0, -1.0, 0.0]).double(),
        0.25,
    )
    count = 200_000

    x, z = model.sample(count, seeded(0))

    covariance = torch.cov(torch.cat([x, z], 1).T)
    xx = model.weight @ model.weight.T + 0.25 * torch.eye(3)
    expected = torch.cat(
        [torch.cat([xx, model.weight], 1), torch.cat([model.weight.T, torch.eye(2)], 1)]
    )
    variance = expected.diagonal()
    # Standard error of a Gaussian's sample covariance: sqrt((v_i v_j + c_ij^2) / n).
    standard_error = ((variance[:, None] * variance + expected**2) / count).sqrt()
    assert ((covariance - expected).abs() <= 5 * standard_error).all()
    assert ((x.mean(0) - model.bias).abs() <= 5 * (variance[:3] / count).sqrt()).all()
    assert (z.mean(0).abs() <= 5 / math.sqrt(count)).all()


@pytest.mark.parametrize("noise_var", [0.0, -1.0, math.inf, math.nan])
def test_noise_must_be_positive_and_finite(noise_var: float) -> None:
    with pytest.raises(ValueError, match=f"noise_var must be positive and finite, got {noise_var}"):
        LinearGaussian(torch.ones(3, 1), torch.zeros(3), noise_var)


def test_shapes_must_fit() -> None:
    message = r"weight must have shape \(pixels, latent\) and bias \(pixels,\), got \(3, 1\) and "
    with pytest.raises(ValueError, match=message + r"\(2,\)"):
        LinearGaussian(torch.ones(3, 1), torch.zeros(2), 1.0)
    with pytest.raises(ValueError, match=message + r"\(3, 1\)"):
        LinearGaussian(torch.ones(3, 1), torch.zeros(3, 1), 1.0)


@pytest.mark.parametrize("latent_dim", [0, 6, 7])
def test_fit_needs_fewer_latents_than_pixels(latent_dim: int) -> None:
    message = rf"latent_dim must be from 1 to 5 \(pixels less one\), got {latent_dim}"
    with pytest.raises(ValueError, match=message):
        LinearGaussian.fit(data(), latent_dim)


def test_fit_needs_two_images() -> None:
    message = r"x must have shape \(images, pixels\) with 2 images or more, got \(1, 6\)"
    with pytest.raises(ValueError, match=message):
        LinearGaussian.fit(data()[:1], 2)
