"""Rate and distortion against the linear-Gaussian ELBO, and their errors against repetition."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from tests.diagnostics.linear_code import LinearCode, linear_code, seeded
from vaelab.data import load_digits
from vaelab.diagnostics import rate_distortion
from vaelab.objectives import elbo_terms
from vaelab.pretrained import load_vae


def exact(vae: LinearCode, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rate by torch's KL, and the ELBO in closed form, image by image."""
    mean, log_var = vae.encode(x)
    kl = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(0 * mean, 1.0)).sum(-1)
    return kl, vae.model.elbo(x, mean, log_var)


@pytest.mark.parametrize("num_samples", [1, 2])
def test_rate_is_exact_and_distortion_is_unbiased(num_samples: int) -> None:
    vae = linear_code()
    x = vae.model.sample(40, seeded(2))[0]
    rate, elbo = exact(vae, x)

    results = [rate_distortion(vae, x, num_samples, seeded(s)) for s in range(300)]

    for result in results:
        assert result.rate == pytest.approx(rate.mean().item(), rel=1e-12)
        assert result.elbo == pytest.approx(-result.rate - result.distortion, rel=1e-12)
        assert result.num_samples == num_samples
    distortions = torch.tensor([result.distortion for result in results]).double()
    spread = distortions.std()
    truth = -(elbo + rate).mean()
    assert abs(distortions.mean() - truth) <= 5 * spread / math.sqrt(300)
    if num_samples > 1:
        # The spread of 300 repeats is known to 1 / sqrt(600); 5 of those are 0.2.
        reported = torch.tensor([result.monte_carlo_error for result in results]).mean()
        assert abs(spread / reported - 1) <= 0.2


def test_standard_errors_are_the_spread_over_data_sets() -> None:
    vae, repeats, images = linear_code(), 400, 30
    results = [
        rate_distortion(vae, vae.model.sample(images, seeded(s))[0], 2, seeded(1000 + s))
        for s in range(repeats)
    ]

    for name in ("rate", "distortion", "elbo"):
        values = torch.tensor([getattr(r, name) for r in results]).double()
        reported = torch.tensor([getattr(r, f"{name}_standard_error") for r in results]).double()
        # Of repeats, the spread has an error of 1 / sqrt(2 repeats), more for the heavy tails
        # of squares; 0.25 is five of those.
        assert abs(values.std() / reported.square().mean().sqrt() - 1) <= 0.25, name


def test_what_the_errors_are_made_of() -> None:
    vae = linear_code()
    x = vae.model.sample(50, seeded(2))[0]
    rate, elbo = exact(vae, x)

    result = rate_distortion(vae, x, 20_000, seeded(0))

    # With so many draws nearly all of the error is the images' own.
    root = math.sqrt(50)
    assert result.rate_standard_error == pytest.approx(rate.std().item() / root, rel=1e-12)
    assert result.elbo_standard_error == pytest.approx(elbo.std().item() / root, rel=0.01)
    assert result.distortion_standard_error == pytest.approx(
        (elbo + rate).std().item() / root, rel=0.01
    )
    assert result.monte_carlo_error < 0.02 * result.distortion_standard_error


def test_agrees_with_elbo_terms_on_digits() -> None:
    vae, x = load_vae("beta_latent", beta=1.0, latent_dim=2), load_digits().test

    result = rate_distortion(vae, x, 50, seeded(0))
    with torch.no_grad():
        terms = elbo_terms(vae, x, 50, seeded(1))

    assert result.rate == pytest.approx(terms.rate.mean().item(), rel=1e-5)
    # Both have the same Monte Carlo error, independently.
    off = abs(result.distortion - terms.distortion.mean().item())
    assert off <= 5 * math.sqrt(2) * result.monte_carlo_error


@pytest.mark.parametrize("numbers", [1, 60, 2**20])
def test_pieces_of_any_size_give_the_same_numbers(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = linear_code()
    x = vae.model.sample(9, seeded(2))[0]
    whole = rate_distortion(vae, x, 21, seeded(0))

    monkeypatch.setattr("vaelab.diagnostics._posterior.CHUNK_NUMBERS", numbers)
    monkeypatch.setattr("vaelab.estimators._chunks.CHUNK_NUMBERS", numbers)
    pieces = rate_distortion(vae, x, 21, seeded(0))

    assert vars(pieces) == pytest.approx(vars(whole), rel=1e-12)


def test_one_draw_and_one_image_say_what_they_cannot_know() -> None:
    vae = linear_code()
    x = vae.model.sample(3, seeded(2))[0]

    one_draw = rate_distortion(vae, x, 1, seeded(0))
    one_image = rate_distortion(vae, x[:1], 5, seeded(0))

    assert one_draw.monte_carlo_error == math.inf
    assert math.isfinite(one_draw.distortion_standard_error)
    assert math.isfinite(one_image.monte_carlo_error)
    assert one_image.rate_standard_error == one_image.elbo_standard_error == math.inf


@pytest.mark.parametrize("numbers", [1, 2**20], ids=["image by image", "all at once"])
def test_a_likelihood_that_is_no_number_is_named(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaelab.diagnostics._posterior.CHUNK_NUMBERS", numbers)
    vae = linear_code()
    x = vae.model.sample(5, seeded(2))[0]

    class Broken(LinearCode):
        def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            value = super().log_likelihood(x, z)
            value[..., x[:, 0] == spoilt] = -math.inf
            return value

    spoilt = x[3, 0]
    with pytest.raises(ValueError, match="must be finite to be averaged, got -inf for image 3"):
        rate_distortion(Broken(*vars(vae).values()), x, 3)


def test_a_likelihood_of_another_shape_is_refused() -> None:
    class Unsummed(LinearCode):
        def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            return super().log_likelihood(x, z)[..., None]

    vae = linear_code()
    with pytest.raises(ValueError, match=r"must have shape \(3, 5\).*got \(3, 5, 1\)"):
        rate_distortion(Unsummed(*vars(vae).values()), vae.model.sample(5, seeded(2))[0], 3)
