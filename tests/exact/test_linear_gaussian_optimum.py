"""Closed-form optima of linear VAEs held against numerical optimisation of what is maximised."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from vaelab.data import load_digits
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.linear_gaussian_optimum import collapsed, fit_beta, fit_held_variance
from vaelab.exact.linear_gaussian_variational import best_diagonal, diagonal_gap
from vaelab.exact.spectrum import covariance_spectrum

PIXELS = 5


def data() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, PIXELS, generator=generator, dtype=torch.float64)
    mix = torch.randn(PIXELS, PIXELS, generator=generator, dtype=torch.float64)
    return x * torch.tensor([3.0, 1.5, 0.8, 0.5, 0.3]) @ torch.linalg.qr(mix).Q + 1


def objective(x, weight, bias, log_noise, mean, log_var, beta):
    """Reconstruction less beta KL of a diagonal q, mean over images, written out."""
    residual = x - bias - mean @ weight.T
    squared = residual.square().sum(-1) + (log_var.exp() * weight.square().sum(0)).sum(-1)
    log_likelihood = -0.5 * (PIXELS * (math.log(2 * math.pi) + log_noise))
    log_likelihood = log_likelihood - 0.5 * squared / log_noise.exp()
    kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
    return (log_likelihood - beta * kl).mean()


def optimise(x, latent_dim, beta=1.0, noise_var=None, posterior_var=None):
    """W, b, s^2, and every image's own q, all by scipy from a random start."""
    sizes = {
        "weight": (PIXELS, latent_dim),
        "bias": (PIXELS,),
        "log_noise": (),
        "mean": (len(x), latent_dim),
        "log_var": (latent_dim,),
    }

    def unpack(p):
        parts = torch.split(p, [math.prod(s) for s in sizes.values()])
        parts = [part.reshape(s) for part, s in zip(parts, sizes.values(), strict=True)]
        if noise_var is not None:
            parts[2] = torch.tensor(noise_var, dtype=torch.float64).log()
        if posterior_var is not None:
            parts[4] = torch.full((latent_dim,), posterior_var, dtype=torch.float64).log()
        return parts

    def negative(p):
        p = torch.tensor(p, requires_grad=True)
        value = -objective(x, *unpack(p), beta)
        (gradient,) = torch.autograd.grad(value, p)
        return float(value.detach()), gradient.numpy()

    start = 0.5 * np.random.default_rng(0).standard_normal(sum(map(math.prod, sizes.values())))
    found = minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-15, "gtol": 1e-9},
    )
    weight, bias, log_noise, *_ = unpack(torch.tensor(found.x))
    return -found.fun, weight, bias, float(log_noise.exp())


def assert_agree(model: LinearGaussian, found, x, beta) -> None:
    best, weight, bias, noise_var = found
    mean, log_var = best_diagonal(model, x, beta)
    log_noise = torch.tensor(math.log(model.noise_var), dtype=torch.float64)
    ours = float(objective(x, model.weight, model.bias, log_noise, mean, log_var[0], beta))
    assert ours == pytest.approx(best, abs=1e-7)
    assert model.noise_var == pytest.approx(noise_var, rel=1e-3)
    torch.testing.assert_close(model.bias, bias, rtol=0, atol=1e-3)
    # A direction that collapses does so slowly, hence the loose tolerance on W W^T.
    product = model.weight @ model.weight.T
    torch.testing.assert_close(product, weight @ weight.T, rtol=0, atol=2e-2)


@pytest.mark.parametrize("beta", [0.5, 1.0, 1.4, 3.0])
@pytest.mark.parametrize("latent_dim", [1, 3])
def test_fit_is_where_scipy_ends(latent_dim: int, beta: float) -> None:
    x = data()

    assert_agree(fit_beta(x, latent_dim, beta), optimise(x, latent_dim, beta), x, beta)


@pytest.mark.parametrize(("beta", "noise_var"), [(1.0, 0.3), (4.0, 0.3), (0.2, 2.0)])
def test_fit_with_held_noise_is_where_scipy_ends(beta: float, noise_var: float) -> None:
    x = data()

    model = fit_beta(x, 3, beta, noise_var)

    assert model.noise_var == noise_var
    assert_agree(model, optimise(x, 3, beta, noise_var), x, beta)


def test_beta_of_one_is_maximum_likelihood() -> None:
    x = load_digits("grey").train

    for latent_dim in (1, 2, 8):
        model, expected = fit_beta(x, latent_dim), LinearGaussian.fit(x, latent_dim)
        assert model.noise_var == pytest.approx(expected.noise_var, rel=1e-12)
        torch.testing.assert_close(model.weight, expected.weight, rtol=1e-9, atol=1e-9)


def test_beta_at_held_noise_is_a_noisier_model() -> None:
    x = data()

    model = fit_beta(x, 3, beta=2.5, noise_var=0.2)

    noisier = LinearGaussian.fit(x, 3, noise_var=0.5)
    torch.testing.assert_close(model.weight, noisier.weight, rtol=1e-12, atol=1e-12)


def test_a_restricted_q_costs_nothing_at_the_optimum() -> None:
    for beta in (0.5, 1.0, 2.0):
        assert diagonal_gap(fit_beta(data(), 3, beta)) < 1e-12


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0, 20.0])
def test_collapsed_says_which_columns_are_empty(beta: float) -> None:
    x = data()
    _, eigenvalues, _ = covariance_spectrum(x)
    for noise_var in (None, 0.1, 0.7):
        model = fit_beta(x, 4, beta, noise_var)

        empty = collapsed(eigenvalues, model.noise_var, beta)[:4]

        assert torch.equal(model.weight.square().sum(0) == 0, empty)
        kl = -0.5 * best_diagonal(model, x, beta)[1][0]  # of the variance's part
        assert torch.equal(kl < 1e-12, empty)


@pytest.mark.parametrize("beta", [0.6, 1.0, 2.0])
def test_threshold_is_where_a_column_starts_to_pay(beta: float) -> None:
    # A small column along the first direction helps if and only if its eigenvalue is larger.
    x = data()
    mean, eigenvalues, eigenvectors = covariance_spectrum(x)
    for factor, pays in ((0.98, True), (1.02, False)):
        noise_var = factor * float(eigenvalues[0]) / beta
        values = []
        for size in (0.0, 0.05):
            model = LinearGaussian(size * eigenvectors[:, :1], mean, noise_var)
            q_mean, log_var = best_diagonal(model, x, beta)
            log_noise = torch.tensor(math.log(noise_var), dtype=torch.float64)
            values.append(
                float(objective(x, model.weight, mean, log_noise, q_mean, log_var[0], beta))
            )
        assert (values[1] > values[0]) == pays
        assert bool(collapsed(eigenvalues, noise_var, beta)[0]) != pays


@pytest.mark.parametrize("posterior_var", [0.02, 0.2, 0.9])
def test_held_variance_is_where_scipy_ends(posterior_var: float) -> None:
    x, noise_var = data(), 0.3

    model = fit_held_variance(x, 3, noise_var, posterior_var)

    best, weight, *_ = optimise(x, 3, 1.0, noise_var, posterior_var)
    mean = model.posterior(x)[0]
    log_var = torch.full((3,), math.log(posterior_var), dtype=torch.float64)
    log_noise = torch.tensor(math.log(noise_var), dtype=torch.float64)
    ours = float(objective(x, model.weight, model.bias, log_noise, mean, log_var, 1.0))
    assert ours == pytest.approx(best, abs=1e-7)
    product = model.weight @ model.weight.T
    torch.testing.assert_close(product, weight @ weight.T, rtol=0, atol=2e-2)


def test_held_variance_bends_the_model_to_what_q_can_express() -> None:
    # One direction of variance 4 and noise 1; maximum likelihood's w is the root of 3.
    x = 2 * torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)

    for variance, expected in ((0.05, 2.82), (0.25, math.sqrt(3)), (0.5, 1.35), (1.0, 1.0)):
        weight = fit_held_variance(x, 1, 1.0, variance).weight.norm()
        assert float(weight) == pytest.approx(expected, abs=0.005)


def test_spectrum_rebuilds_the_covariance() -> None:
    x = data()
    mean, eigenvalues, eigenvectors = covariance_spectrum(x.float())
    expected = np.cov(x.float().double().numpy().T, bias=True)

    rebuilt = (eigenvectors * eigenvalues) @ eigenvectors.T
    np.testing.assert_allclose(rebuilt, expected, atol=1e-12)
    np.testing.assert_allclose(mean, x.float().double().mean(0), atol=1e-12)
    assert (eigenvalues.diff() <= 0).all()
    assert (covariance_spectrum(load_digits("grey").train)[1] >= 0).all()


def test_what_is_refused() -> None:
    x = data()
    for value in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"beta must be positive and finite, got {value}"):
            fit_beta(x, 1, beta=value)
        with pytest.raises(ValueError, match=f"beta must be positive and finite, got {value}"):
            collapsed(torch.ones(2), 1.0, beta=value)
        with pytest.raises(ValueError, match=f"noise_var must be positive and finite, got {value}"):
            fit_beta(x, 1, noise_var=value)
        with pytest.raises(ValueError, match=f"noise_var must be positive and finite, got {value}"):
            collapsed(torch.ones(2), value)
        with pytest.raises(ValueError, match=f"posterior_var must be positive .* got {value}"):
            fit_held_variance(x, 1, 1.0, value)
    for latent_dim in (0, 5):
        with pytest.raises(ValueError, match=rf"from 1 to 4 \(pixels less one\), got {latent_dim}"):
            fit_beta(x, latent_dim)
        with pytest.raises(ValueError, match=rf"from 1 to 4 \(pixels less one\), got {latent_dim}"):
            fit_held_variance(x, latent_dim, 1.0, 1.0)
    flat = torch.cat([x[:, :2], torch.zeros(60, 2)], 1)
    with pytest.raises(ValueError, match="latents explain x entirely, so the best noise_var is 0"):
        fit_beta(flat, 2)
    with pytest.raises(ValueError, match=r"2 images or more, got \(1, 5\)"):
        covariance_spectrum(x[:1])
    with pytest.raises(ValueError, match="x must be finite, got nan"):
        LinearGaussian.fit(x * math.nan, 1)
