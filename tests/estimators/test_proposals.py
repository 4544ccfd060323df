"""Proposals: each density integrates to one, and its draws follow it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.estimators.proposals import (
    DiagonalNormal,
    Mixture,
    Proposal,
    StandardNormal,
    defensive_mixture,
)
from vaelab.exact.gaussian_q import GaussianQ


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None]  # (batch, 1)


def proposals() -> dict[str, Proposal]:
    """Of one latent and two images."""
    q = DiagonalNormal(column(1.0, -2.0), column(-2.0, 0.3))
    wide = DiagonalNormal(q.mean, q.log_var, widen=2.0)
    prior = StandardNormal(1)
    mixture = Mixture([prior, q, wide], [0.2, 0.5, 0.3])
    return {
        "prior": prior,
        "normal": q,
        "wide": wide,
        "full": GaussianQ(q.mean, column(0.4, 1.3)[..., None]),
        "mixture": mixture,
        "defensive": defensive_mixture(q.mean, q.log_var, widen=1.5),
        "equal": Mixture([prior, q]),
        "nested": Mixture([mixture, prior], [0.6, 0.4]),
    }


NAMES = list(proposals())


@pytest.mark.parametrize("name", NAMES)
def test_density_integrates_to_one_and_has_the_moments_of_the_draws(name: str) -> None:
    proposal, count = proposals()[name], 400_000
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, 2, proposal.noise_dim, generator=generator, dtype=torch.float64)
    grid = torch.linspace(-25, 25, 10_001, dtype=torch.float64)[:, None, None].expand(-1, 2, 1)
    mass = proposal.log_density(grid).exp() * 50 / 10_000  # (points, batch)

    z = proposal.transform(noise)[..., 0]

    assert z.shape == (count, 2)
    torch.testing.assert_close(mass.sum(0).expand(2), torch.ones(2).double(), rtol=0, atol=1e-10)
    # cos(t z) and sin(t z): the whole distribution, not only its mean and variance.
    for t in (0.3, 1.0, 3.0):
        for f in (torch.cos, torch.sin):
            expected = (mass * f(t * grid[..., 0])).sum(0)
            values = f(t * z)
            standard_error = values.std(0) / math.sqrt(count)
            assert ((values.mean(0) - expected).abs() <= 5 * standard_error).all()


def test_density_of_several_latents_agrees_with_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(0)
    mean, log_var, z = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in ((4, 3), (4, 3), (7, 4, 3))
    )
    q = torch.distributions.Normal(mean, 1.7 * (log_var / 2).exp()).log_prob(z).sum(-1)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    proposal = DiagonalNormal(mean, log_var, widen=1.7)

    mixture = Mixture([StandardNormal(3), proposal], [0.25, 0.75])

    torch.testing.assert_close(StandardNormal(3).log_density(z), prior)
    torch.testing.assert_close(proposal.log_density(z), q)
    expected = (0.25 * prior.exp() + 0.75 * q.exp()).log()
    torch.testing.assert_close(mixture.log_density(z), expected)


def test_mixture_draws_from_each_by_its_share() -> None:
    # Components so far apart that each draw tells where it came from.
    shares = [0.1, 0.6, 0.3]
    parts = [DiagonalNormal(column(100.0 * m), column(0.0)) for m in range(3)]
    mixture, count = Mixture(parts, shares), 100_000
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, 1, mixture.noise_dim, generator=generator, dtype=torch.float64)

    origin = (mixture.transform(noise)[:, 0, 0] / 100).round()

    for m, share in enumerate(shares):
        standard_error = math.sqrt(share * (1 - share) / count)
        assert abs(float((origin == m).double().mean()) - share) <= 5 * standard_error


def test_mixture_copes_with_the_largest_noise() -> None:
    # In float32 the cumulative normal of 9 is exactly 1: it must still pick a proposal.
    mixture = Mixture([StandardNormal(1), StandardNormal(1)])

    z = mixture.transform(torch.tensor([[[0.5, 9.0]], [[0.5, -20.0]]]))

    assert z.flatten().tolist() == [0.5, 0.5]


def test_far_components_do_not_underflow() -> None:
    mixture = Mixture([StandardNormal(1), DiagonalNormal(column(1e3), column(0.0))])

    log_density = mixture.log_density(torch.tensor([[[500.0]]], dtype=torch.float64))

    np.testing.assert_allclose(log_density.item(), -125_000 - 0.5 * math.log(2 * math.pi))


@pytest.mark.parametrize("latent_dim", [0, -1])
def test_prior_needs_a_latent(latent_dim: int) -> None:
    with pytest.raises(ValueError, match=f"latent_dim must be at least 1, got {latent_dim}"):
        StandardNormal(latent_dim)


def test_normal_refuses_other_shapes() -> None:
    message = r"mean and log_var must have the same shape, got \(3, 2\) and \(2,\)"
    with pytest.raises(ValueError, match=message):
        DiagonalNormal(torch.zeros(3, 2), torch.zeros(2))


@pytest.mark.parametrize("widen", [0.0, -1.0, math.nan])
def test_widen_must_be_positive(widen: float) -> None:
    with pytest.raises(ValueError, match=f"widen must be positive, got {widen}"):
        DiagonalNormal(torch.zeros(1, 1), torch.zeros(1, 1), widen=widen)


@pytest.mark.parametrize(
    "shares", [[], [1.0], [0.5, 0.6], [1.5, -0.5], [0.0, 1.0], [math.nan, 0.5], [0.2, 0.3, 0.5]]
)
def test_shares_must_fit(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares must be 2 positive numbers that sum to 1, got"):
        Mixture([StandardNormal(1), StandardNormal(1)], shares)


def test_mixture_needs_proposals_of_one_dimension() -> None:
    with pytest.raises(ValueError, match="proposals must not be empty"):
        Mixture([])
    mixture = Mixture([StandardNormal(1), StandardNormal(2)])
    message = r"proposals must share one latent dimension, got \[1, 2\]"
    with pytest.raises(ValueError, match=message):
        mixture.transform(torch.zeros(4, 3, mixture.noise_dim))


def test_defensive_mixture_is_half_prior_half_wide_q() -> None:
    mean, log_var = torch.tensor([[2.0, 0.0]]).double(), torch.tensor([[-3.0, 0.0]]).double()
    z = torch.randn(9, 1, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    wide = torch.distributions.Normal(mean, 2 * (log_var / 2).exp()).log_prob(z).sum(-1)

    log_density = defensive_mixture(mean, log_var).log_density(z)

    torch.testing.assert_close(log_density, (0.5 * prior.exp() + 0.5 * wide.exp()).log())
    with pytest.raises(ValueError, match="widen must be positive, got 0"):
        defensive_mixture(mean, log_var, widen=0.0)
    with pytest.raises(ValueError, match="mean and log_var must have the same shape"):
        defensive_mixture(mean, log_var[0])


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.integers(1, 3),
    st.integers(0, 3),
    st.sampled_from([torch.float16, torch.float32, torch.float64]),
    st.floats(-80, 80),
)
def test_any_shape_type_and_spread_gives_numbers(
    num_samples: int, batch: int, dtype: torch.dtype, log_var: float
) -> None:
    if dtype == torch.float16:
        log_var /= 8  # beyond exp(11) there are no such numbers
    mean = torch.ones(2, batch, dtype=dtype).T  # not contiguous
    mixture = defensive_mixture(mean, torch.full_like(mean, log_var))
    noise = torch.ones(num_samples, batch, 3, dtype=dtype)
    noise[..., -1] = 1 - 2 * (torch.arange(num_samples) % 2)[:, None]  # both halves in turn

    z = mixture.transform(noise)

    assert z.shape == (num_samples, batch, 2)
    for proposal in (mixture, *mixture.proposals):
        log_density = proposal.log_density(z)
        assert log_density.shape == (num_samples, batch)
        assert not log_density.isnan().any()
    assert mixture.log_density(z).isfinite().all()
