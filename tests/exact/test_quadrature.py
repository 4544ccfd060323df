"""Quadrature held against the linear-Gaussian closed form; its error against the true error."""

import math

import numpy as np
import pytest
import torch

import vaelab.exact.quadrature as quadrature
from vaelab.data import load_digits
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.quadrature import latent_grid, quadrature_log_joint, quadrature_log_marginal
from vaelab.models.vae import VAE


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_model(latent_dim: int, noise_var: float = 0.4, scale: float = 1.0) -> LinearGaussian:
    generator = seeded(latent_dim)
    weight = scale * torch.randn(4, latent_dim, generator=generator, dtype=torch.float64)
    return LinearGaussian(weight, torch.zeros(4, dtype=torch.float64), noise_var)


@pytest.mark.parametrize("noise_var", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_log_marginal_agrees_with_the_closed_form(latent_dim: int, noise_var: float) -> None:
    model = random_model(latent_dim, noise_var)
    x, _ = model.sample(20, seeded(1))

    result = quadrature_log_marginal(x, model.log_likelihood, latent_dim)

    truth = model.log_marginal(x)
    assert result.log_marginal.shape == result.error.shape == (20,)
    torch.testing.assert_close(result.log_marginal, truth, rtol=0, atol=1e-8)
    assert ((result.log_marginal - truth).abs() <= result.error + 1e-13).all()
    assert (result.error < 1e-6).all()


# Posterior deviations are 0.3 to 0.4; the worst true errors go from 1e-14 to 0.3.
@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("step", [0.2, 0.3, 0.4, 0.6, 0.8, 1.0])
def test_error_bounds_the_truth_when_the_step_is_coarse(step: float, latent_dim: int) -> None:
    model = random_model(latent_dim, noise_var=0.2)
    x, _ = model.sample(500, seeded(1))

    result = quadrature_log_marginal(x, model.log_likelihood, latent_dim, step=step)

    true_error = (result.log_marginal - model.log_marginal(x)).abs()
    assert true_error.max() <= result.error.max()
    if step <= 0.6:  # beyond, the largest of a batch is still sound, a single one may be lucky
        assert (true_error <= result.error + 1e-13).all()
    if step == 1.0:
        assert true_error.max() > 0.01


def test_error_bounds_the_truth_where_the_decoder_has_kinks() -> None:
    vae = VAE(latent_dim=1, generator=seeded(0)).double()
    vae.decoder[1] = torch.nn.ReLU()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(4)
    x = load_digits(dtype=torch.float64).test[:50]

    result = quadrature_log_marginal(x, vae.log_likelihood, 1)

    fine = quadrature_log_marginal(x, vae.log_likelihood, 1, step=0.001)
    true_error = (result.log_marginal - fine.log_marginal).abs()
    assert 1e-6 < true_error.max() <= result.error.max()


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("half_width", [0.5, 1.0, 2.0, 3.0, 4.0])
def test_error_bounds_the_truth_when_the_grid_is_narrow(half_width: float, latent_dim: int) -> None:
    # Weak and strong likelihoods: posteriors like the prior, and far out in its tail.
    for scale in (0.1, 0.7):
        model = random_model(latent_dim, noise_var=0.5, scale=scale)
        x = 4 * torch.randn(100, 4, generator=seeded(1), dtype=torch.float64)

        result = quadrature_log_marginal(x, model.log_likelihood, latent_dim, half_width)

        true_error = (result.log_marginal - model.log_marginal(x)).abs()
        assert (true_error <= result.error + 1e-13).all()
        if half_width <= 1:
            assert (true_error > 0.1).all()


def test_error_is_infinite_when_the_grid_misses_the_posterior() -> None:
    model = random_model(1, noise_var=0.01)
    z = torch.tensor([[-5.0], [0.0], [5.0]], dtype=torch.float64)

    result = quadrature_log_marginal(z @ model.weight.T, model.log_likelihood, 1, half_width=3)

    assert result.error[0] == result.error[2] == math.inf
    assert result.error[1] < 1e-6


def test_probabilities_of_all_binary_images_sum_to_one() -> None:
    vae = VAE(latent_dim=2, hidden=8, pixels=6, generator=seeded(0)).double()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(3)
    every_image = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 6)

    result = quadrature_log_marginal(every_image, vae.log_likelihood, 2)

    assert float(result.log_marginal.exp().sum()) == pytest.approx(1, abs=1e-10)
    assert not result.log_marginal.requires_grad


def test_results_do_not_depend_on_how_memory_is_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    vae = VAE(latent_dim=2, generator=seeded(0)).double()
    x = load_digits(dtype=torch.float64).test[:40]
    points = len(latent_grid(2, step=0.1))
    calls = []

    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        # What a call may need, in numbers; and its share of the log joint, held whole.
        calls.append((x.numel() * len(z), len(x) * points))
        return vae.log_likelihood(x, z)

    whole = quadrature_log_marginal(x, log_likelihood, 2, step=0.1)
    assert max(max(call) for call in calls) <= quadrature.CHUNK_NUMBERS
    calls.clear()
    monkeypatch.setattr(quadrature, "CHUNK_NUMBERS", 50_000)
    pieces = quadrature_log_marginal(x, log_likelihood, 2, step=0.1)

    assert max(max(call) for call in calls) <= 50_000
    torch.testing.assert_close(pieces.log_marginal, whole.log_marginal, rtol=0, atol=1e-12)
    torch.testing.assert_close(pieces.error, whole.error, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_grid_reaches_both_ends_in_steps_no_larger_than_asked(latent_dim: int) -> None:
    grid = latent_grid(latent_dim, half_width=2.0, step=0.3)

    axis = grid[:, -1].unique()
    points = len(axis) ** latent_dim
    assert grid.shape == (points, latent_dim)
    assert len(grid.unique(dim=0)) == points
    assert float(axis[0]) == -2.0
    assert float(axis[-1]) == 2.0
    assert 0 in axis
    np.testing.assert_allclose(axis.diff(), float(axis.diff()[0]), rtol=1e-12)
    assert axis.diff().max() <= 0.3
    if latent_dim == 2:
        assert grid[0, 0] == grid[1, 0]  # the last coordinate runs fastest
        assert grid[0, 1] < grid[1, 1]


def test_log_joint_is_likelihood_plus_prior() -> None:
    model = random_model(2)
    x, _ = model.sample(3, seeded(1))
    grid = latent_grid(2, half_width=2.0, step=0.5)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(grid).sum(-1)

    log_joint = quadrature_log_joint(x, model.log_likelihood, grid)

    for point in (0, 7, len(grid) - 1):
        expected = model.log_likelihood(x, grid[point].expand(3, 2)) + prior[point]
        torch.testing.assert_close(log_joint[point], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("latent_dim", [0, 3, 8])
def test_other_dimensions_are_refused(latent_dim: int) -> None:
    message = f"latent_dim must be 1 or 2 for quadrature, got {latent_dim}"
    with pytest.raises(ValueError, match=message):
        latent_grid(latent_dim)
    with pytest.raises(ValueError, match=message):
        quadrature_log_marginal(torch.zeros(1, 4), lambda x, z: z.sum(-1), latent_dim)


@pytest.mark.parametrize(("half_width", "step"), [(1.0, 0.0), (1.0, -0.1), (1.0, 2.0), (-1.0, 0.1)])
def test_lengths_must_make_sense(half_width: float, step: float) -> None:
    message = f"step must be positive and at most half_width, got {step} and {half_width}"
    with pytest.raises(ValueError, match=message):
        latent_grid(1, half_width, step)


def test_images_must_be_rows() -> None:
    with pytest.raises(ValueError, match=r"x must have shape \(batch, pixels\), got \(4,\)"):
        quadrature_log_marginal(torch.zeros(4), lambda x, z: z.sum(-1), 1)
