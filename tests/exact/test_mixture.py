"""Finite mixtures held against torch.distributions, integration, and the limit of many points."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily, Normal

import vaelab.exact.mixture as module
from vaelab.data import load_digits
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.exact.mixture import FiniteMixture, bernoulli_mixture, gaussian_mixture, prior_points
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.models.vae import VAE


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def parameters(k: int = 5, pixels: int = 3) -> tuple[torch.Tensor, ...]:
    return normal(k, seed=1).log_softmax(0), 2 * normal(k, pixels), normal(k, pixels, seed=2)


def torch_gaussian(log_prior, mean, log_var) -> MixtureSameFamily:
    components = Independent(Normal(mean, (log_var / 2).exp()), 1)
    return MixtureSameFamily(Categorical(logits=log_prior), components)


@pytest.mark.parametrize("k", [1, 2, 5, 100])
def test_gaussian_log_marginal_agrees_with_torch_distributions(k: int) -> None:
    x = 3 * normal(20, 3, seed=3)
    expected = torch_gaussian(*parameters(k)).log_prob(x)

    log_marginal = gaussian_mixture(*parameters(k)).log_marginal(x)

    torch.testing.assert_close(log_marginal, expected, rtol=1e-12, atol=1e-12)


def test_gaussian_density_integrates_to_one() -> None:
    mixture = gaussian_mixture(*parameters(pixels=1))

    def density(x: float) -> float:
        return float(mixture.log_marginal(torch.tensor([[x]], dtype=torch.float64)).exp())

    assert quad(density, -30, 30, points=[-2, 0, 2], limit=200)[0] == pytest.approx(1, abs=1e-8)


def test_bernoulli_probabilities_sum_to_one_and_agree_with_torch_distributions() -> None:
    log_prior, logits, _ = parameters(pixels=6)
    every_image = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 6)
    components = Independent(Bernoulli(logits=logits), 1)
    expected = MixtureSameFamily(Categorical(logits=log_prior), components).log_prob(every_image)

    log_marginal = bernoulli_mixture(log_prior, logits).log_marginal(every_image)

    assert float(log_marginal.exp().sum()) == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(log_marginal, expected, rtol=1e-12, atol=1e-12)


def test_responsibilities_are_bayes_rule() -> None:
    log_prior, mean, log_var = parameters()
    x = 3 * normal(20, 3, seed=3)
    density = Normal(mean[:, None], (log_var / 2).exp()[:, None]).log_prob(x).exp().prod(-1)
    joint = log_prior.exp()[:, None] * density

    responsibilities = gaussian_mixture(log_prior, mean, log_var).responsibilities(x)

    assert responsibilities.shape == (5, 20)
    torch.testing.assert_close(responsibilities, joint / joint.sum(0), rtol=1e-11, atol=1e-14)


def test_gaussian_samples_have_the_mixtures_moments() -> None:
    log_prior, mean, log_var = parameters()
    prior, count = log_prior.exp(), 100_000

    x, k = gaussian_mixture(log_prior, mean, log_var).sample(
        count, torch.Generator().manual_seed(0)
    )

    shares = torch.bincount(k, minlength=5) / count
    assert ((shares - prior).abs() <= 5 * (prior * (1 - prior) / count).sqrt()).all()
    for component in range(5):
        own = x[k == component]
        error = (log_var[component] / 2).exp() / math.sqrt(len(own))
        assert ((own.mean(0) - mean[component]).abs() <= 5 * error).all()
        # The variance of a Gaussian sample's variance is 2 v^2 / n.
        variance = log_var[component].exp()
        assert ((own.var(0) - variance).abs() <= 5 * variance * math.sqrt(2 / len(own))).all()


def test_bernoulli_samples_have_the_mixtures_mean() -> None:
    log_prior, logits, _ = parameters()
    count = 100_000

    x, _ = bernoulli_mixture(log_prior, logits).sample(count, torch.Generator().manual_seed(0))

    mean = log_prior.exp() @ logits.sigmoid()
    assert set(x.unique().tolist()) == {0, 1}
    assert ((x.mean(0) - mean).abs() <= 5 * (mean * (1 - mean) / count).sqrt()).all()


def test_a_point_of_no_weight_changes_nothing() -> None:
    log_prior, mean, log_var = parameters()
    dead = torch.cat([log_prior, torch.tensor([-math.inf])]).requires_grad_()
    more = gaussian_mixture(dead, torch.cat([mean, mean[:1]]), torch.cat([log_var, log_var[:1]]))
    x = normal(4, 3, seed=3)

    log_marginal = more.log_marginal(x)

    expected = gaussian_mixture(log_prior, mean, log_var).log_marginal(x)
    torch.testing.assert_close(log_marginal, expected, rtol=1e-14, atol=0)
    log_marginal.sum().backward()
    assert dead.grad.isfinite().all()
    assert 5 not in more.sample(1000, torch.Generator().manual_seed(0))[1]


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_points_that_fill_the_prior_tend_to_the_continuous_model(latent_dim: int) -> None:
    vae = VAE(latent_dim, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(3)
    x = load_digits(dtype=torch.float64).test[:10]
    truth = quadrature_log_marginal(x, vae.log_likelihood, latent_dim).log_marginal
    errors = []

    for side in {1: (4, 32, 256, 2048, 16384), 2: (4, 16, 64, 256)}[latent_dim]:
        points = prior_points(side, latent_dim)
        log_prior = torch.full((len(points),), -math.log(len(points)), dtype=torch.float64)
        with torch.no_grad():
            value = FiniteMixture(log_prior, points, vae.log_likelihood).log_marginal(x)
        errors.append(float((value - truth).abs().max()))

    assert errors[0] > 0.1
    assert all(later < earlier / 2 for earlier, later in itertools.pairwise(errors))
    assert errors[-1] < {1: 5e-4, 2: 0.1}[latent_dim]


def test_the_prior_s_points_split_it_into_equal_parts() -> None:
    points = prior_points(1000).flatten()
    shares = torch.from_numpy(norm.cdf(points))

    expected = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    torch.testing.assert_close(shares, expected, rtol=1e-12, atol=0)
    square = prior_points(4, 2)
    assert len(square.unique(dim=0)) == 16
    assert square[0, 0] == square[3, 0] < square[4, 0]  # the last coordinate runs fastest


def test_gradient_is_fishers_identity_and_agrees_with_finite_differences() -> None:
    logits, mean, log_var = (p.requires_grad_() for p in parameters(4, 2))
    x = normal(3, 2, seed=3)

    def log_marginal(logits, mean, log_var) -> torch.Tensor:
        return gaussian_mixture(logits.log_softmax(0), mean, log_var).log_marginal(x)

    assert torch.autograd.gradcheck(log_marginal, (logits, mean, log_var))
    direct = torch.autograd.grad(log_marginal(logits, mean, log_var).sum(), (mean, log_var))
    mixture = gaussian_mixture(logits.log_softmax(0), mean, log_var)
    weighted = mixture.responsibilities(x).detach() * mixture.log_joint(x)
    fisher = torch.autograd.grad(weighted.sum(), (mean, log_var))
    for ours, theirs in zip(direct, fisher, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-13)


def test_cost_is_k_evaluations_in_bounded_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LinearGaussian(normal(3, 1), normal(3, seed=1), 0.5)
    x, points = normal(7, 3, seed=2), prior_points(1001)
    sizes = []

    def log_likelihood(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        sizes.append(len(z))
        return model.log_likelihood(x, z)

    log_prior = torch.full((1001,), -math.log(1001), dtype=torch.float64)
    mixture = FiniteMixture(log_prior, points, log_likelihood)
    whole = mixture.log_marginal(x)
    assert sizes == [1001]
    sizes.clear()
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 1000)
    pieces = mixture.log_marginal(x)

    assert sum(sizes) == 1001
    assert max(sizes) * x.numel() <= 1000
    torch.testing.assert_close(pieces, whole, rtol=1e-14, atol=0)
    torch.testing.assert_close(mixture.log_joint(x).logsumexp(0), whole, rtol=1e-14, atol=0)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    log_var=st.floats(-80, 80),
    batch=st.integers(1, 3),
    k=st.integers(1, 4),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_any_variance_any_batch(log_var: float, batch: int, k: int, dtype: torch.dtype) -> None:
    log_prior = torch.full((k,), -math.log(k), dtype=dtype)
    mean, x = normal(k, 2).to(dtype), normal(2, batch, seed=1).to(dtype).T  # not contiguous
    mixture = gaussian_mixture(log_prior, mean, torch.full_like(mean, log_var))

    log_marginal = mixture.log_marginal(x)

    expected = torch_gaussian(log_prior, mean, torch.full_like(mean, log_var)).log_prob(x)
    assert log_marginal.dtype == dtype
    assert log_marginal.isfinite().all()
    rtol = 1e-10 if dtype == torch.float64 else 1e-4
    torch.testing.assert_close(log_marginal, expected, rtol=rtol, atol=rtol)


def test_no_images() -> None:
    mixture = gaussian_mixture(*parameters())
    assert mixture.log_marginal(torch.zeros(0, 3)).shape == (0,)
    assert mixture.responsibilities(torch.zeros(0, 3)).shape == (5, 0)
    assert mixture.sample(0)[0].shape == (0, 3)


def test_threads_change_rounding_only() -> None:
    before, results = torch.get_num_threads(), []
    mixture = gaussian_mixture(*parameters(500, 64))
    x = normal(200, 64, seed=3)
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(mixture.log_marginal(x))
    finally:
        torch.set_num_threads(before)

    torch.testing.assert_close(*results, rtol=1e-13, atol=0)


def test_what_is_refused() -> None:
    log_prior, mean, log_var = parameters()
    with pytest.raises(ValueError, match=r"log_prior must be normalised .* is 0.69"):
        gaussian_mixture(log_prior + math.log(2), mean, log_var)
    with pytest.raises(ValueError, match=r"log_prior must be normalised .* is nan"):
        gaussian_mixture(log_prior * math.nan, mean, log_var)
    with pytest.raises(ValueError, match=r"K at least 1, got \(4,\) and \(5, 6\)"):
        gaussian_mixture(log_prior[:4], mean, log_var)
    with pytest.raises(ValueError, match=r"K at least 1, got \(0,\) and \(0, 3\)"):
        bernoulli_mixture(log_prior[:0], mean[:0])
    with pytest.raises(ValueError, match=r"same shape, got \(5, 3\) and \(5, 1\)"):
        gaussian_mixture(log_prior, mean, log_var[:, :1])
    mixture = FiniteMixture(log_prior, mean, lambda x, z: z.sum(-1))
    with pytest.raises(ValueError, match="draw must be given for sampling, got None"):
        mixture.sample(1)
    with pytest.raises(ValueError, match="num_samples must not be negative, got -1"):
        gaussian_mixture(log_prior, mean, log_var).sample(-1)
    with pytest.raises(ValueError, match="x must be finite, got nan"):
        mixture.log_marginal(torch.full((1, 3), math.nan))
    with pytest.raises(ValueError, match="side and latent_dim must be at least 1, got 0 and 1"):
        prior_points(0)
    with pytest.raises(ValueError, match=r"at most ten million, got 100 \*\* 4"):
        prior_points(100, 4)
