"""The coupling flow as a density: its integral, its Jacobian, its own inverse."""

import pytest
import torch
from torch import Tensor

from vaelab.models.flow_posterior import CouplingFlow


def normal(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def bent(latent_dim: int, members: int = 1, by: float = 0.4) -> tuple[CouplingFlow, Tensor]:
    flow = CouplingFlow(latent_dim, generator=torch.Generator().manual_seed(0))
    flat = 0.2 * normal(members, latent_dim, seed=1)
    parameters = flow.initial(flat, flat - 0.5)
    return flow, parameters + by * normal(*parameters.shape, seed=2)


def test_it_integrates_to_one() -> None:
    flow, parameters = bent(2, members=3, by=0.25)  # little enough to stay on the grid
    axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)[:, None].expand(-1, 3, -1)

    total = flow.log_density(parameters, grid).exp().sum(0) * 0.04**2

    torch.testing.assert_close(total, torch.ones(3).double(), rtol=0, atol=1e-3)


@pytest.mark.parametrize("latent_dim", [2, 3, 5])
def test_its_density_is_the_noises_over_the_jacobian(latent_dim: int) -> None:
    flow, parameters = bent(latent_dim)
    noise = normal(latent_dim, seed=3)

    def move(noise: Tensor) -> Tensor:
        return flow.transform(parameters, noise[None, None])[0][0, 0]

    jacobian = torch.autograd.functional.jacobian(move, noise)
    base = torch.distributions.Normal(0.0, 1.0).log_prob(noise).sum()
    z, log_density = flow.transform(parameters, noise[None, None])
    expected = base - torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(log_density[0, 0], expected, rtol=0, atol=1e-10)
    # The same density, found from z by going backwards.
    torch.testing.assert_close(flow.log_density(parameters, z), log_density, rtol=0, atol=1e-9)


def test_to_begin_with_it_is_the_gaussian_it_starts_from() -> None:
    flow = CouplingFlow(3, generator=torch.Generator().manual_seed(0))
    mean, log_var, z = normal(4, 3, seed=1), normal(4, 3, seed=2), normal(6, 4, 3, seed=3)

    log_density = flow.log_density(flow.initial(mean, log_var), z)

    gaussian = torch.distributions.Normal(mean, (log_var / 2).exp()).log_prob(z).sum(-1)
    torch.testing.assert_close(log_density, gaussian, rtol=0, atol=1e-10)


def test_one_latent_has_nothing_to_couple() -> None:
    with pytest.raises(ValueError, match="latent_dim must be at least 2 for a coupling, got 1"):
        CouplingFlow(1)
