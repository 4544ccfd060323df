"""The VAE: shapes, initial weights, and likelihoods against torch.distributions."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from vaelab.models.vae import VAE


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize("batch", [(), (5,), (3, 5)])
@pytest.mark.parametrize("latent_dim", [1, 8])
def test_shapes(latent_dim: int, batch: tuple[int, ...]) -> None:
    vae = VAE(latent_dim, hidden=16, pixels=10, generator=seeded(0))

    mean, log_var = vae.encode(torch.zeros(*batch, 10))

    assert mean.shape == log_var.shape == (*batch, latent_dim)
    assert vae.decode(mean).shape == vae.decode_mean(mean).shape == (*batch, 10)


def test_weights_have_the_names_that_files_and_widgets_use() -> None:
    vae = VAE(latent_dim=3, hidden=16, pixels=10)

    shapes = {name: tuple(value.shape) for name, value in vae.state_dict().items()}

    assert shapes == {
        "encoder.0.weight": (16, 10),
        "encoder.0.bias": (16,),
        "encoder.2.weight": (6, 16),
        "encoder.2.bias": (6,),
        "decoder.0.weight": (16, 3),
        "decoder.0.bias": (16,),
        "decoder.2.weight": (10, 16),
        "decoder.2.bias": (10,),
    }


def test_networks_are_a_tanh_layer_with_the_mean_first() -> None:
    vae = VAE(latent_dim=2, hidden=5, pixels=7, generator=seeded(0)).double()
    w = vae.state_dict()
    x, z = normal(4, 7), normal(4, 2, seed=1)

    mean, log_var = vae.encode(x)

    hidden = torch.tanh(x @ w["encoder.0.weight"].T + w["encoder.0.bias"])
    both = hidden @ w["encoder.2.weight"].T + w["encoder.2.bias"]
    torch.testing.assert_close(mean, both[:, :2])
    torch.testing.assert_close(log_var, both[:, 2:])
    hidden = torch.tanh(z @ w["decoder.0.weight"].T + w["decoder.0.bias"])
    expected = hidden @ w["decoder.2.weight"].T + w["decoder.2.bias"]
    torch.testing.assert_close(vae.decode(z), expected)


def test_generator_alone_decides_the_weights() -> None:
    before = torch.get_rng_state()

    first, again, other = (VAE(generator=seeded(seed)) for seed in (0, 0, 1))

    assert torch.equal(torch.get_rng_state(), before)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
        assert not torch.equal(value, other.state_dict()[name])


def test_without_a_generator_torch_s_own_seed_decides() -> None:
    with torch.random.fork_rng(devices=[]):
        models = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            models.append(VAE().encoder[0].weight)

    assert torch.equal(models[0], models[1])
    assert not torch.equal(models[0], models[2])


def test_weights_start_as_those_of_torch_s_linear_layer() -> None:
    vae = VAE(latent_dim=8, hidden=200, pixels=100, generator=seeded(0))

    for layer in (vae.encoder[0], vae.encoder[2], vae.decoder[0], vae.decoder[2]):
        bound = 1 / math.sqrt(layer.in_features)
        assert layer.weight.abs().max() <= bound
        # A uniform's variance is bound^2 / 3, known from n draws to sqrt(0.8 / n) of itself.
        relative = layer.weight.double().square().mean() / (bound**2 / 3) - 1
        assert abs(relative) <= 5 * math.sqrt(0.8 / layer.weight.numel())
        assert 0 < layer.bias.abs().max() <= bound


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("shape", [(6, 2), (4, 6, 2), (4, 1, 2), (3, 4, 6, 2)])
def test_log_likelihood_agrees_with_torch_distributions(
    shape: tuple[int, ...], likelihood: str
) -> None:
    vae = VAE(2, 5, 7, likelihood, generator=seeded(0)).double()
    x, z = normal(6, 7), normal(*shape, seed=1)
    if likelihood == "bernoulli":
        x = (x > 0).double()
        pixels = Bernoulli(logits=vae.decode(z))
    else:
        torch.nn.init.constant_(vae.noise_log_var, -0.7)
        pixels = Normal(vae.decode(z), math.exp(-0.35))

    log_likelihood = vae.log_likelihood(x, z)

    assert log_likelihood.shape == (*shape[:-2], 6)
    torch.testing.assert_close(log_likelihood, pixels.log_prob(x).sum(-1))
    torch.testing.assert_close(vae.decode_mean(z), pixels.mean)


def test_noise_variance_is_learnt_and_best_at_the_mean_squared_error() -> None:
    vae = VAE(2, 5, 7, "gaussian", generator=seeded(0)).double()
    x, z = normal(50, 7), normal(50, 2, seed=1)
    mse = (x - vae.decode(z)).square().mean().item()

    def gradient(variance: float) -> float:
        torch.nn.init.constant_(vae.noise_log_var, math.log(variance))
        log_likelihood = vae.log_likelihood(x, z).mean()
        return float(torch.autograd.grad(log_likelihood, vae.noise_log_var)[0])

    assert "noise_log_var" in dict(vae.named_parameters())
    assert gradient(mse) == pytest.approx(0, abs=1e-10)
    assert gradient(mse / 2) > 1
    assert gradient(mse * 2) < -1


@pytest.mark.parametrize("name", ["latent_dim", "hidden", "pixels"])
def test_sizes_must_be_one_or_more(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        VAE(**{name: 0})


def test_unknown_likelihood_is_named() -> None:
    message = r"likelihood must be one of \('bernoulli', 'gaussian'\), got 'poisson'"
    with pytest.raises(ValueError, match=message):
        VAE(likelihood="poisson")
