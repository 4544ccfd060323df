"""Modes and Laplace's scale against closed forms, finite differences and a grid."""

import pytest
import torch
from torch import Tensor

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.quadrature import latent_grid, quadrature_log_joint
from vaelab.gap import posterior_mode
from vaelab.gap.starts import DRAW_LOG_VAR, gaussian_starts
from vaelab.models.vae import VAE


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def two_humps(x: Tensor, z: Tensor) -> Tensor:
    """z^2 is seen, so that the sign of z is not known: modes near +-1 if x is 1."""
    return -20 * (x[:, 0] - z[..., 0] ** 2) ** 2


def test_mode_and_scale_of_a_gaussian_posterior() -> None:
    model = LinearGaussian(normal(6, 3), normal(6, seed=1), 0.3)
    x, _ = model.sample(5, seeded(2))

    mode, log_var = posterior_mode(x, model.log_likelihood, torch.zeros(5, 3).double())

    mean, covariance = model.posterior(x)
    torch.testing.assert_close(mode, mean, rtol=0, atol=1e-3)
    # The precision's diagonal, which is not that of the covariance inverted.
    expected = -torch.linalg.inv(covariance).diagonal().log().expand(5, 3)
    torch.testing.assert_close(log_var, expected, rtol=0, atol=1e-9)
    assert not torch.allclose(log_var, covariance.diagonal().log(), atol=0.1)


def test_mode_is_the_highest_point_near_by_and_its_scale_the_curvature_there() -> None:
    vae = VAE(latent_dim=1, hidden=8, pixels=10, generator=seeded(0)).double()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(3)
    x = (normal(6, 10) > 0).double()
    step = 1e-3
    grid = latent_grid(1, half_width=4.0, step=step)
    joint = quadrature_log_joint(x, vae.log_likelihood, grid).detach()
    # One grid point off the mode is not far enough for another hump.
    start = grid[joint.argmax(0)] + 0.05

    mode, log_var = posterior_mode(x, vae.log_likelihood, start)

    best = joint.argmax(0)
    assert ((mode - grid[best]).abs() <= step).all()
    assert best.min() > 0
    image = torch.arange(6)
    bend = (joint[best - 1, image] + joint[best + 1, image] - 2 * joint[best, image]) / step**2
    torch.testing.assert_close(log_var[:, 0], -(-bend).clamp(min=0.1).log(), rtol=0, atol=0.02)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_the_mode_found_is_the_one_uphill(sign: float) -> None:
    x = torch.ones(1, 1, dtype=torch.float64)

    mode, _ = posterior_mode(x, two_humps, torch.full((1, 1), 0.3 * sign).double())

    assert float(mode) * sign == pytest.approx(1, abs=0.05)


def test_starts_come_in_the_order_that_is_told() -> None:
    x = torch.ones(40, 1, dtype=torch.float64)
    mean, log_var = torch.full((40, 1), 0.3).double(), torch.full((40, 1), -1.3).double()

    starts = gaussian_starts(x, two_humps, mean, log_var, 6, seeded(0))

    assert len(starts) == 6
    assert torch.equal(starts[0][0], mean)
    assert torch.equal(starts[0][1], log_var)
    torch.testing.assert_close(starts[1][0], torch.full_like(mean, 0.99), rtol=0, atol=0.02)
    for k in (2, 4):  # modes: both of them are found
        assert ((starts[k][0].abs() - 0.99).abs() < 0.02).all()
        assert (starts[k][0] > 0).double().mean() == pytest.approx(0.5, abs=0.3)
    for k in (3, 5):  # good draws: near a mode more often than the prior's draws are
        assert (starts[k][1] == DRAW_LOG_VAR).all()
        assert ((starts[k][0].abs() - 1).abs() < 0.2).double().mean() > 0.8
        assert starts[k][0].abs().std() > 0.01
    assert not torch.equal(starts[3][0], starts[5][0])


def test_draws_are_chosen_image_by_image_however_memory_is_divided(monkeypatch) -> None:
    model = LinearGaussian(5 * normal(4, 2), torch.zeros(4).double(), 0.3)
    x, _ = model.sample(7, seeded(2))
    zero = torch.zeros(7, 2).double()
    sizes = []

    def log_likelihood(x: Tensor, z: Tensor) -> Tensor:
        sizes.append(z.shape[0] * x.numel())
        return model.log_likelihood(x, z)

    whole = gaussian_starts(x, log_likelihood, zero, zero, 4, seeded(1))
    sizes.clear()
    monkeypatch.setattr("vaelab.gap.joint.CHUNK_NUMBERS", 300)
    pieces = gaussian_starts(x, log_likelihood, zero, zero, 4, seeded(1))

    assert max(sizes) <= 300
    torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-6)


def test_images_and_starts_must_match() -> None:
    with pytest.raises(ValueError, match=r"start must be a matrix with a row for each .*\(3, 4\)"):
        posterior_mode(torch.zeros(3, 4), two_humps, torch.zeros(2, 1))
