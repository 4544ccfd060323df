"""The gap and its two parts held against the linear-Gaussian closed form."""

import torch

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.linear_gaussian_variational import diagonal_gap
from vaelab.gap import FullGaussian, variational_gap
from vaelab.models.flow_posterior import CouplingFlow


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def setting() -> tuple[LinearGaussian, torch.Tensor, torch.Tensor, torch.Tensor]:
    weight = 0.8 * torch.randn(5, 2, generator=seeded(0), dtype=torch.float64)
    model = LinearGaussian(weight, torch.zeros(5, dtype=torch.float64), 0.5)
    x, _ = model.sample(4, seeded(1))
    mean = model.posterior(x)[0] + 0.3  # an encoder that is off by 0.3
    return model, x, mean, torch.full_like(mean, -1.0)


def test_parts_are_those_of_the_closed_form() -> None:
    model, x, mean, log_var = setting()
    log_marginal = model.log_marginal(x)

    result = variational_gap(
        x, model.log_likelihood, mean, log_var, log_marginal, num_samples=20_000,
        generator=seeded(2),
    )  # fmt: skip

    gap = log_marginal - model.elbo(x, mean, log_var)
    approximation = diagonal_gap(model)
    assert ((result.gap - gap).abs() <= 5 * result.gap_standard_error).all()
    error = result.approximation_standard_error
    # 1e-4: what the search may leave above the best q.
    assert ((result.approximation - approximation).abs() <= 5 * error + 1e-4).all()
    torch.testing.assert_close(result.approximation + result.amortisation, result.gap)


def test_the_right_family_has_no_approximation_gap() -> None:
    model, x, mean, log_var = setting()
    log_marginal = model.log_marginal(x)

    result = variational_gap(
        x, model.log_likelihood, mean, log_var, log_marginal, family=FullGaussian(),
        generator=seeded(2),
    )  # fmt: skip

    # At the posterior log p(x, z) - log q(z) is the same for every z: no error at all.
    assert result.approximation.abs().max() < 1e-4
    assert (result.amortisation > 0.01).all()


def test_a_flow_is_a_family_too() -> None:
    flow = CouplingFlow(2)
    parameters = flow.initial(torch.zeros(1, 2).double(), torch.zeros(1, 2).double())
    parameters = parameters + 0.3 * torch.randn(
        parameters.shape, generator=seeded(0), dtype=torch.float64
    )
    axis = torch.linspace(-9, 9, 361, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)[:, None]

    density = flow.log_density(parameters, grid).exp()

    assert abs(density.sum().item() * 0.05**2 - 1) < 1e-3
