"""Annealed importance sampling held against the linear-Gaussian closed form, from both sides."""

import math

import torch

from vaelab.estimators.annealed import annealed_log_marginal, reverse_annealed_log_marginal
from vaelab.estimators.annealing import linear_betas, sigmoid_betas
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import StandardNormal
from vaelab.exact.linear_gaussian import LinearGaussian

PRIOR = StandardNormal(2)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_weights_are_unbiased_however_short_the_walk(
    model: LinearGaussian, x: torch.Tensor
) -> None:
    for betas, step in ((linear_betas(3), 0.5), (sigmoid_betas(8), 1.2)):
        estimate = annealed_log_marginal(
            x, model.log_likelihood, PRIOR, betas, 20_000, step, 3, seeded(0)
        )

        ratio = (estimate.log_weights - model.log_marginal(x)).exp()
        standard_error = ratio.std(0) / math.sqrt(len(ratio))
        # Five standard errors: a correct sampler fails about once in two million seeds.
        assert ((ratio.mean(0) - 1).abs() <= 5 * standard_error).all()


def test_backwards_the_inverse_is_unbiased(model: LinearGaussian, x: torch.Tensor) -> None:
    mean, covariance = model.posterior(x)
    exact = torch.distributions.MultivariateNormal(mean, covariance)
    noise = torch.randn(20_000, 3, 2, generator=seeded(1), dtype=torch.float64)
    z = mean + noise @ exact.scale_tril[0].T

    estimate = reverse_annealed_log_marginal(
        x, model.log_likelihood, PRIOR, sigmoid_betas(8), z, 0.6, 3, seeded(0)
    )

    ratio = (estimate.log_weights + model.log_marginal(x)).exp()
    standard_error = ratio.std(0) / math.sqrt(len(ratio))
    assert ((ratio.mean(0) - 1).abs() <= 5 * standard_error).all()


def test_one_temperature_is_importance_sampling(model: LinearGaussian, x: torch.Tensor) -> None:
    annealed = annealed_log_marginal(
        x, model.log_likelihood, PRIOR, linear_betas(1), 64, step_sizes=1.0, generator=seeded(3)
    )
    plain = importance_log_marginal(x, model.log_likelihood, PRIOR, 64, seeded(3))

    torch.testing.assert_close(annealed.log_marginal, plain.log_marginal)
    torch.testing.assert_close(annealed.effective_sample_size, plain.effective_sample_size)


def test_the_truth_lies_between_and_the_bracket_closes(model: LinearGaussian) -> None:
    z = torch.randn(200, 2, generator=seeded(4), dtype=torch.float64)
    noise = torch.randn(200, 4, generator=seeded(5), dtype=torch.float64)
    x = z @ model.weight.T + model.bias + math.sqrt(model.noise_var) * noise
    truth = model.log_marginal(x).mean().item()
    widths = []
    for temperatures in (2, 16):
        path = (x, model.log_likelihood, PRIOR, sigmoid_betas(temperatures))
        up = annealed_log_marginal(*path, num_chains=4, generator=seeded(6))
        down = reverse_annealed_log_marginal(*path, z.expand(4, -1, -1), generator=seeded(7))
        low, high = up.log_marginal.mean().item(), down.log_marginal.mean().item()
        assert low < truth < high
        widths.append(high - low)

    assert widths[1] < 0.5 * widths[0]
