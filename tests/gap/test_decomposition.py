"""The gap and its two parts against closed forms, and for a bent posterior against quadrature."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.quadrature import latent_grid, quadrature_log_joint, quadrature_log_marginal
from vaelab.gap import DiagonalGaussian, FullGaussian, VariationalGap, variational_gap


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def setting(latent_dim: int, images: int = 6) -> tuple[LinearGaussian, Tensor, Tensor, Tensor]:
    model = LinearGaussian(0.8 * normal(7, latent_dim), torch.zeros(7).double(), 0.4)
    x, _ = model.sample(images, seeded(1))
    mean = model.posterior(x)[0] + 0.3 * normal(images, latent_dim, seed=2)
    return model, x, mean, torch.full_like(mean, -1.0)


def split(model: LinearGaussian, *arguments: Tensor, **options) -> VariationalGap:
    x = arguments[0]
    return variational_gap(
        x, model.log_likelihood, *arguments[1:], model.log_marginal(x), **options
    )


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
@pytest.mark.parametrize("family", [DiagonalGaussian(), FullGaussian()], ids=["diagonal", "full"])
def test_parts_are_those_of_the_closed_form(latent_dim: int, family) -> None:
    model, x, mean, log_var = setting(latent_dim)

    result = split(model, x, mean, log_var, family=family, num_samples=4000, generator=seeded(3))

    posterior_mean, covariance = model.posterior(x)
    q = MultivariateNormal(mean, torch.diag_embed(log_var.exp()))
    gap = kl_divergence(q, MultivariateNormal(posterior_mean, covariance))
    precision = torch.linalg.inv(covariance)
    best = (precision.diagonal().log().sum() - torch.logdet(precision)) / 2
    if isinstance(family, FullGaussian):
        best = torch.zeros(())
    # Five standard errors, and 1e-4 that the search may leave.
    for name, truth in (("gap", gap), ("approximation", best), ("amortisation", gap - best)):
        error = getattr(result, f"{name}_standard_error")
        assert ((getattr(result, name) - truth).abs() <= 5 * error + 1e-4).all(), name
    assert (result.gap_standard_error < 0.2).all()
    # Identically: no estimate may put the parts asunder.
    assert torch.equal(result.approximation + result.amortisation, result.gap)
    torch.testing.assert_close(result.best_elbo - result.elbo, result.amortisation)
    torch.testing.assert_close(result.log_marginal - result.elbo, result.gap)


def test_where_the_family_has_the_posterior_the_error_vanishes_with_the_gap() -> None:
    model, x, mean, log_var = setting(2)

    result = split(model, x, mean, log_var, family=FullGaussian(), generator=seeded(3))

    # log p(x, z) - log q(z) is the same for every z, namely log p(x).
    assert result.approximation.abs().max() < 1e-4
    assert result.approximation_standard_error.max() < 1e-3
    assert (result.amortisation > 0.01).all()


def test_a_perfect_encoder_has_no_gap_at_all() -> None:
    model = LinearGaussian(normal(7, 1), torch.zeros(7).double(), 0.4)
    x, _ = model.sample(5, seeded(1))
    mean, covariance = model.posterior(x)

    result = split(model, x, mean, covariance.log().expand(5, 1), generator=seeded(3))

    for part in (result.gap, result.approximation, result.amortisation):
        torch.testing.assert_close(part, torch.zeros(5).double(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["elbo", "best_elbo", "amortisation"])
def test_standard_errors_are_those_of_repeated_runs(name: str) -> None:
    model, x, mean, log_var = setting(2, images=1)
    repeats = 400
    # The same image many times: one call gives as many independent estimates.
    many = [value.repeat(repeats, 1) for value in (x, mean, log_var)]

    result = split(model, *many, num_samples=50, starts=1, generator=seeded(3))

    spread = getattr(result, name).std()
    told = getattr(result, f"{name}_standard_error").mean()
    # A standard deviation of 400 is known to 1 / sqrt(800) of itself; the errors' mean better.
    assert abs(told / spread - 1) <= 5 / math.sqrt(2 * repeats)


def test_errors_of_log_marginal_are_carried_over() -> None:
    model, x, mean, log_var = setting(2)
    error = torch.linspace(0.1, 0.6, 6, dtype=torch.float64)

    exact = split(model, x, mean, log_var, generator=seeded(3))
    unsure = variational_gap(
        x, model.log_likelihood, mean, log_var, model.log_marginal(x), error, generator=seeded(3)
    )

    assert torch.equal(exact.gap, unsure.gap)
    for name in ("gap", "approximation"):
        own = getattr(exact, f"{name}_standard_error")
        carried = getattr(unsure, f"{name}_standard_error")
        torch.testing.assert_close(carried**2, own**2 + error**2)
    assert torch.equal(exact.amortisation_standard_error, unsure.amortisation_standard_error)


def test_reported_elbo_is_not_the_one_it_was_selected_by() -> None:
    # With 8 nodes for 8 images of 2 latents, full Gaussians fit the nodes where p(z | x) bends.
    model, x, mean, log_var = setting(2)

    def bent(x: Tensor, z: Tensor) -> Tensor:
        return model.log_likelihood(x, z) - 3 * (z[..., 0] - z[..., 1] ** 2) ** 2

    options = {"family": FullGaussian(), "num_nodes": 8, "generator": seeded(0)}
    log_marginal = quadrature_log_marginal(x, bent, 2).log_marginal
    result = variational_gap(x, bent, mean, log_var, log_marginal, num_samples=5000, **options)

    # Fresh draws: whatever the search thought, no q can be better than the posterior.
    assert (result.approximation > -5 * result.approximation_standard_error).all()
    # And they are those of the q that is returned, by quadrature.
    grid = latent_grid(2)
    log_q = density_on(grid, result.parameters)
    joint = quadrature_log_joint(x, bent, grid)
    elbo = (log_q.exp() * (joint - log_q)).sum(0) * 0.05**2
    error = result.best_elbo_standard_error
    assert ((result.best_elbo - elbo).abs() <= 5 * error).all()


def density_on(grid: Tensor, parameters: Tensor) -> Tensor:
    """Log densities of full Gaussians with two latents, (points, batch)."""
    mean, log_var, slope = parameters[:, :2], parameters[:, 2:4], parameters[:, 4]
    factor = torch.diag_embed(torch.ones_like(mean))
    factor[:, 1, 0] = slope
    factor = (log_var / 2).exp()[..., None] * factor
    return MultivariateNormal(mean, scale_tril=factor).log_prob(grid[:, None])


def test_one_and_two_threads_agree() -> None:
    model, x, mean, log_var = setting(2)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(split(model, x, mean, log_var, num_samples=100, generator=seeded(3)))
    finally:
        torch.set_num_threads(before)

    # Another order of sums moves an optimum by the tolerance of its search at most.
    for name in ("gap", "approximation"):
        one, two = (getattr(result, name) for result in results)
        torch.testing.assert_close(one, two, rtol=0, atol=1e-6)


def test_draws_are_exactly_as_many_as_asked_for_however_memory_is_divided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, x, mean, log_var = setting(2)
    seen = []

    def log_likelihood(x: Tensor, z: Tensor) -> Tensor:
        seen.append((len(z) * len(x), len(z) * x.numel()))
        return model.log_likelihood(x, z)

    def run() -> VariationalGap:
        seen.clear()
        return variational_gap(
            x, log_likelihood, mean, log_var, model.log_marginal(x), num_samples=333, starts=1,
            num_nodes=8, generator=seeded(3),
        )  # fmt: skip

    whole = run()
    assert [draws for draws, _ in seen[-2:]] == [6 * 333] * 2
    monkeypatch.setattr("vaelab.gap.joint.CHUNK_NUMBERS", 1500)
    pieces = run()

    assert max(numbers for _, numbers in seen) <= 1500
    for name in ("elbo", "best_elbo", "amortisation"):
        assert (getattr(whole, name) - getattr(pieces, name)).abs().max() < 1e-9
        errors = [getattr(result, f"{name}_standard_error") for result in (whole, pieces)]
        torch.testing.assert_close(*errors, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("images", [0, 1])
def test_no_image_and_one(images: int) -> None:
    model, x, mean, log_var = (one[:images] if torch.is_tensor(one) else one for one in setting(3))

    result = split(model, x, mean, log_var, num_samples=2, generator=seeded(0))

    assert result.gap.shape == result.gap_standard_error.shape == (images,)
    assert result.parameters.shape == (images, 6)


@settings(deadline=None, derandomize=True, max_examples=12)
@given(log_var=st.floats(-80, 80), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_any_encoder_gives_finite_parts_or_an_error_that_names_it(
    log_var: float, dtype: torch.dtype
) -> None:
    model, x, mean, _ = setting(2, images=2)
    model = LinearGaussian(model.weight.to(dtype), model.bias.to(dtype), model.noise_var)
    x, mean = x.to(dtype).T.contiguous().T, mean.to(dtype)  # x not contiguous

    try:
        result = split(
            model, x, mean, torch.full_like(mean, log_var), num_samples=20, generator=seeded(0)
        )
    except ValueError as error:
        assert "must give a finite ELBO" in str(error)  # noqa: PT017
        assert dtype == torch.float32
        assert log_var > 70
        return

    for part in (result.gap, result.approximation, result.amortisation):
        assert part.isfinite().all()
        assert part.dtype == dtype
    # However far off the encoder is, the best q is found.
    best = (torch.linalg.inv(model.posterior(x)[1]).double()).diagonal().log().sum()
    best = (best + torch.logdet(model.posterior(x)[1].double())) / 2
    error = result.approximation_standard_error
    assert ((result.approximation - best).abs() <= 6 * error + 2e-3).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_samples": 1}, "num_samples must be at least 2 for a standard error, got 1"),
        ({"num_samples": -5}, "num_samples must be at least 2 for a standard error, got -5"),
        ({"log_marginal": torch.zeros(2)}, r"log_marginal must .*\(3,\), got shape \(2,\)"),
        ({"log_marginal": torch.full((3,), math.nan)}, "log_marginal must .* 3 not finite"),
        (
            {"log_marginal_standard_error": torch.zeros(3, 1)},
            r"log_marginal_standard_error must be .*\(3,\), got shape \(3, 1\)",
        ),
        ({"mean": torch.zeros(3)}, r"mean must be a matrix .* got \(3,\)"),
        ({"starts": 0}, "starts must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(change: dict, message: str) -> None:
    arguments = {
        "x": torch.zeros(3, 4),
        "log_likelihood": lambda x, z: z.sum(-1),
        "mean": torch.zeros(3, 2),
        "log_var": torch.zeros(3, 2),
        "log_marginal": torch.zeros(3),
    }
    with pytest.raises(ValueError, match=message):
        variational_gap(**(arguments | change))
