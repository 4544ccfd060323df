"""Active units against the linear-Gaussian model, in which they are known."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from tests.diagnostics.linear_code import Codes, linear_code, seeded
from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.diagnostics import active_units
from vaelab.exact.linear_gaussian import LinearGaussian


class ExactPosterior:
    """The best encoder of a linear-Gaussian model: its posterior's mean and variances."""

    def __init__(self, model: LinearGaussian) -> None:
        self.model = model

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, covariance = self.model.posterior(x)
        return mean, covariance.diagonal().log().expand_as(mean)


def test_collapsed_latents_are_those_whose_eigenvalue_is_below_the_noise() -> None:
    scales = torch.tensor([3.0, 2.0, 1.2, 0.9, 0.5]).double()
    x = scales * torch.randn(5000, 5, generator=seeded(0), dtype=torch.float64)
    eigenvalues = np.linalg.eigvalsh(np.cov(x.numpy().T, bias=True))[::-1][:4]
    model = LinearGaussian.fit(x, latent_dim=4, noise_var=1.0)  # two eigenvalues of four under 1.4

    units = active_units(ExactPosterior(model), x)

    # Maximum likelihood: the posterior mean of latent j has variance 1 - s^2 / lambda_j.
    expected = np.clip(1 - 1.0 / eigenvalues, 0, None) * 5000 / 4999
    np.testing.assert_allclose(units.variance.numpy(), expected, rtol=1e-9, atol=1e-12)
    assert units.active.tolist() == [True, True, True, False]
    assert units.count == 3


def test_variance_and_rate_are_those_of_numpy_and_torch() -> None:
    vae = linear_code(latent_dim=3)
    x = vae.model.sample(50, seeded(2))[0]
    mean, log_var = vae.encode(x)

    units = active_units(vae, x, threshold=0.5)

    np.testing.assert_allclose(units.variance, mean.numpy().var(0, ddof=1), rtol=1e-12)
    kl = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(0 * mean, 1.0)).mean(0)
    torch.testing.assert_close(units.rate, kl, rtol=1e-12, atol=1e-13)
    assert units.threshold == 0.5
    assert units.active.tolist() == (mean.numpy().var(0, ddof=1) > 0.5).tolist()
    assert 0 < units.count < 3  # so that a threshold turned round would be seen


def test_shipped_models_are_as_recorded() -> None:
    x = load_digits(dtype=torch.float64).test
    settings = pretrained.manifest("beta_latent")["settings"].values()

    for recorded in settings:
        setting = {name: recorded[name] for name in ("beta", "latent_dim")}
        units = active_units(pretrained.load_vae("beta_latent", **setting).double(), x)
        assert units.count == recorded["active_units"], setting
        rate = torch.tensor(recorded["rate_per_latent"]).double()
        torch.testing.assert_close(units.rate, rate, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("threshold", [0.0, -0.01, math.inf, math.nan])
def test_threshold_must_be_positive(threshold: float) -> None:
    vae = linear_code()
    with pytest.raises(ValueError, match=f"threshold must be positive and finite, got {threshold}"):
        active_units(vae, torch.zeros(3, 4).double(), threshold)


def test_one_image_has_no_variance() -> None:
    with pytest.raises(ValueError, match="at least two images for a variance, got 1"):
        active_units(Codes(torch.zeros(1, 2), torch.zeros(1, 2)), torch.zeros(1, 4))
