"""The best member of a family against linear-Gaussian truth, and where one start sticks."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.gap import FullGaussian, best_posterior
from vaelab.gap.fit import _nodes


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def setting(latent_dim: int) -> tuple[LinearGaussian, Tensor, Tensor, Tensor]:
    model = LinearGaussian(0.8 * normal(7, latent_dim), torch.zeros(7).double(), 0.4)
    x, _ = model.sample(4, seeded(1))
    mean = model.posterior(x)[0] + 0.5 * normal(4, latent_dim, seed=2)
    return model, x, mean, torch.full_like(mean, -1.0)


def two_humps(x: Tensor, z: Tensor) -> Tensor:
    """Posterior modes at z = -2, a narrow one, and z = 2, with far more mass."""
    one = Normal(torch.tensor(-2.0).double(), 0.1).log_prob(z[..., 0]) - 3
    other = Normal(torch.tensor(2.0).double(), 0.5).log_prob(z[..., 0])
    return torch.logaddexp(one, other) + 0 * x[:, 0]


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_best_diagonal_gaussian_of_a_gaussian_posterior(latent_dim: int) -> None:
    model, x, mean, log_var = setting(latent_dim)

    best = best_posterior(x, model.log_likelihood, mean, log_var, generator=seeded(3))

    posterior_mean, covariance = model.posterior(x)
    precision = torch.linalg.inv(covariance)
    expected = torch.cat(
        [posterior_mean, -precision.diagonal().log().expand(4, latent_dim)], dim=-1
    )
    # Stopped where a step promises 1e-5 nat: half a square, so parameters are within 1e-2.
    torch.testing.assert_close(best.parameters, expected, rtol=0, atol=1e-2)
    gap = (precision.diagonal().log().sum() - torch.logdet(precision)) / 2
    torch.testing.assert_close(
        best.elbo, model.log_marginal(x) - gap, rtol=0, atol=1e-4
    )  # exact on the nodes, since the integrand is quadratic
    # Ten times what is tolerated above, so that the family's own optimum is what is tested.
    assert (gap > 1e-3) == (latent_dim > 1)


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_best_full_gaussian_is_the_posterior(latent_dim: int) -> None:
    model, x, mean, log_var = setting(latent_dim)

    best = best_posterior(
        x, model.log_likelihood, mean, log_var, FullGaussian(), generator=seeded(3)
    )

    torch.testing.assert_close(best.elbo, model.log_marginal(x), rtol=0, atol=1e-4)
    # Its covariance, from the draws of unit vectors.
    units = torch.cat([torch.zeros(1, latent_dim), torch.eye(latent_dim)]).double()
    z, _ = FullGaussian().transform(best.parameters, units[:, None])
    factor = (z[1:] - z[0]).permute(1, 2, 0)
    q = MultivariateNormal(z[0], scale_tril=factor)
    posterior_mean, covariance = model.posterior(x)
    posterior = MultivariateNormal(posterior_mean, covariance)
    assert kl_divergence(q, posterior).max() < 1e-4


def test_a_start_that_sticks_is_overcome_by_others() -> None:
    x = torch.zeros(3, 1, dtype=torch.float64)
    stuck = torch.full((3, 1), -2.0).double(), torch.full((3, 1), math.log(0.01)).double()

    alone = best_posterior(x, two_humps, *stuck, starts=1, generator=seeded(0))
    several = best_posterior(x, two_humps, *stuck, starts=4, generator=seeded(0))

    # Each hump is a Gaussian times the prior N(0, 1), so its best q is a Gaussian too, and
    # the ELBO is the logarithm of its mass.
    near = -3 + Normal(0.0, math.sqrt(1.01)).log_prob(torch.tensor(-2.0))
    far = Normal(0.0, math.sqrt(1.25)).log_prob(torch.tensor(2.0))
    torch.testing.assert_close(alone.elbo.float(), near.expand(3), rtol=0, atol=1e-3)
    torch.testing.assert_close(several.elbo.float(), far.expand(3), rtol=0, atol=1e-3)
    assert several.elbo_by_start.shape == (4, 3)
    assert torch.equal(several.elbo, several.elbo_by_start.amax(0))
    # The encoder's own start is the first of them, and the mode uphill of its mean the next.
    torch.testing.assert_close(several.elbo_by_start[0], alone.elbo)
    torch.testing.assert_close(several.elbo_by_start[1], alone.elbo, rtol=0, atol=1e-3)


def test_best_is_never_below_the_encoder_s_own_q() -> None:
    model, x, mean, log_var = setting(5)

    best = best_posterior(x, model.log_likelihood, mean, log_var, starts=1, generator=seeded(0))

    assert (best.elbo > model.elbo(x, mean, log_var) + 0.1).all()


@pytest.mark.parametrize("latent_dim", [1, 2, 8])
def test_nodes_have_the_moments_of_a_standard_normal(latent_dim: int) -> None:
    nodes = _nodes(torch.zeros(1, latent_dim).double(), 10, None, seeded(0))

    assert nodes.shape == (160 if latent_dim else 0, latent_dim)
    identity = torch.eye(latent_dim).double()
    torch.testing.assert_close(nodes.mean(0), torch.zeros(latent_dim).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(nodes.T @ nodes / 160, identity, rtol=0, atol=1e-12)
    third = torch.einsum("ki,kj,kl->ijl", nodes, nodes, nodes)
    torch.testing.assert_close(third, torch.zeros_like(third), rtol=0, atol=1e-9)
    # The fourth, by 3 for a normal; equally spaced in probability, so better than 160 draws.
    assert (nodes**4).mean(0) == pytest.approx(torch.full((latent_dim,), 3.0), abs=0.8)
    assert len(_nodes(torch.zeros(1, latent_dim).double(), 1, None, seeded(0))) == 128
    assert len(_nodes(torch.zeros(1, latent_dim).double(), 1, 40, seeded(0))) == 40


def test_seed_repeats_and_the_global_generator_is_left_alone() -> None:
    model, x, mean, log_var = setting(2)
    before = torch.get_rng_state()

    first, again, other = (
        best_posterior(
            x, lambda x, z: model.log_likelihood(x, z) - z[..., 0] ** 4, mean, log_var,
            generator=seeded(seed),
        )
        for seed in (0, 0, 1)
    )  # fmt: skip

    assert torch.equal(first.parameters, again.parameters)
    assert not torch.equal(first.parameters, other.parameters)
    assert torch.equal(torch.get_rng_state(), before)


def test_memory_is_bounded_and_how_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x, mean, log_var = setting(2)
    numbers = []

    def log_likelihood(x: Tensor, z: Tensor) -> Tensor:
        numbers.append(len(z) * x.numel())
        return model.log_likelihood(x, z)

    whole = best_posterior(x, log_likelihood, mean, log_var, generator=seeded(0))
    assert max(numbers) > 2000
    numbers.clear()
    monkeypatch.setattr("vaelab.gap.joint.CHUNK_NUMBERS", 2000)
    pieces = best_posterior(x, log_likelihood, mean, log_var, generator=seeded(0))

    assert max(numbers) <= 2000
    torch.testing.assert_close(pieces.elbo, whole.elbo, rtol=0, atol=1e-9)


def test_weights_get_no_gradient_and_arguments_may_carry_one() -> None:
    model, x, mean, log_var = setting(2)
    weight = model.weight.clone().requires_grad_()
    model = LinearGaussian(weight, model.bias, model.noise_var)

    best = best_posterior(
        x, model.log_likelihood, mean.requires_grad_(), log_var, generator=seeded(0)
    )

    assert not best.parameters.requires_grad
    assert not best.elbo.requires_grad
    assert weight.grad is None
    assert mean.grad is None


def test_infinite_likelihood_at_every_start_is_named() -> None:
    x = torch.zeros(3, 1)

    def log_likelihood(x: Tensor, z: Tensor) -> Tensor:
        return z[..., 0] - torch.tensor([0.0, math.inf, 0.0])[: z.shape[1]]

    with pytest.raises(ValueError, match=r"finite somewhere .* -inf from every start for image 1"):
        best_posterior(x, log_likelihood, torch.zeros(3, 1), torch.zeros(3, 1), starts=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"starts": 0}, "starts must be at least 1, got 0"),
        ({"num_nodes": 7}, "num_nodes must be even and at least 8, 4 for each latent, got 7"),
        ({"num_nodes": 9}, "num_nodes must be even and at least 8, 4 for each latent, got 9"),
        ({"x": torch.zeros(3)}, r"x must be a matrix with a row for each .* got \(3,\)"),
        ({"mean": torch.zeros(2, 2)}, r"mean must be a matrix .* x \(3, 4\), got \(2, 2\)"),
        ({"log_var": torch.zeros(3, 1)}, r"same shape, got \(3, 2\) and \(3, 1\)"),
        ({"x": torch.full((3, 4), math.nan)}, "x must be finite, got nan"),
        ({"log_var": torch.full((3, 2), math.inf)}, "log_var must be finite, got inf"),
        ({"mean": torch.zeros(3, 2).double()}, "mean must be float32 or float64, and of the type"),
        ({"x": torch.zeros(3, 4).half()}, "x must be float32 or float64.* got torch.float16"),
        (
            {"log_likelihood": lambda x, z: z.sum(-1).mean(0)},
            r"log_likelihood must return shape \(K, batch\) = \(1, 3\), got \(3,\)",
        ),
    ],
)
def test_bad_arguments_are_named(change: dict, message: str) -> None:
    arguments = {
        "x": torch.zeros(3, 4),
        "log_likelihood": lambda x, z: z.sum(-1),
        "mean": torch.zeros(3, 2),
        "log_var": torch.zeros(3, 2),
    }
    with pytest.raises(ValueError, match=message):
        best_posterior(**(arguments | change))
