"""The VAE: shapes, initial weights, and likelihoods against torch.distributions."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Binomial, ContinuousBernoulli, Normal

from vaelab.models import likelihoods
from vaelab.models.likelihoods import LIKELIHOODS
from vaelab.models.vae import VAE


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize("batch", [(), (5,), (3, 5), (0,)])
@pytest.mark.parametrize("latent_dim", [1, 8])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_shapes(latent_dim: int, batch: tuple[int, ...], likelihood: str) -> None:
    vae = VAE(latent_dim, 16, 10, likelihood, generator=seeded(0))

    mean, log_var = vae.encode(torch.zeros(*batch, 10))

    assert mean.shape == log_var.shape == (*batch, latent_dim)
    assert vae.decode(mean).shape == (*batch, 10 * vae.pixel_likelihood.outputs)
    assert vae.decode_mean(mean).shape == vae.decode_sample(mean).shape == (*batch, 10)


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


def test_encoder_reads_counts_as_grey_values() -> None:
    counts = torch.arange(17.0).reshape(1, 17)
    grey, binomial = (VAE(2, 5, 17, name, seeded(0)) for name in ("bernoulli", "binomial"))

    for one, other in zip(grey.encode(counts / 16), binomial.encode(counts), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_weights_are_drawn_layer_by_layer(likelihood: str) -> None:
    # Pretrained files and the book's figures rest on a seed's giving the same weights.
    vae, generator = VAE(2, 5, 7, likelihood, seeded(3)), seeded(3)

    for layer in (vae.encoder[0], vae.encoder[2], vae.decoder[0], vae.decoder[2]):
        bound = 1 / math.sqrt(layer.in_features)
        for parameter in (layer.weight, layer.bias):
            uniform = torch.rand(parameter.shape, generator=generator)
            torch.testing.assert_close(parameter.detach(), bound * (2 * uniform - 1))


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


@pytest.mark.parametrize(
    "likelihood", ["bernoulli", "gaussian", "binomial", "continuous-bernoulli"]
)
@pytest.mark.parametrize("shape", [(6, 2), (4, 6, 2), (4, 1, 2), (3, 4, 6, 2)])
def test_log_likelihood_agrees_with_torch_distributions(
    shape: tuple[int, ...], likelihood: str
) -> None:
    vae = VAE(2, 5, 7, likelihood, generator=seeded(0)).double()
    z = normal(*shape, seed=1)
    if likelihood == "bernoulli":
        x = (normal(6, 7) > 0).double()
        pixels = Bernoulli(logits=vae.decode(z))
    elif likelihood == "gaussian":
        x = normal(6, 7)
        torch.nn.init.constant_(vae.noise_log_var, -0.7)
        pixels = Normal(vae.decode(z), math.exp(-0.35))
    elif likelihood == "binomial":
        x = torch.randint(0, 17, (6, 7), generator=seeded(0)).double()
        pixels = Binomial(16, logits=vae.decode(z))
    else:
        x = torch.rand(6, 7, generator=seeded(0), dtype=torch.float64)
        # Torch's own series near zero is a short one: narrow the window it is used in.
        pixels = ContinuousBernoulli(logits=vae.decode(z), lims=(0.4999, 0.5001))

    log_likelihood = vae.log_likelihood(x, z)

    assert log_likelihood.shape == (*shape[:-2], 6)
    torch.testing.assert_close(log_likelihood, pixels.log_prob(x).sum(-1))
    torch.testing.assert_close(vae.decode_mean(z), pixels.mean)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_many_latents_for_all_images_are_the_same_latents_for_each(likelihood: str) -> None:
    vae = VAE(2, 5, 7, likelihood, generator=seeded(0)).double()
    x, _ = vae.sample(40, seeded(1))
    z = normal(9, 1, 2)

    shared = vae.log_likelihood(x, z)

    torch.testing.assert_close(shared, vae.log_likelihood(x, z.expand(9, 40, 2)))


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


def test_noise_variance_may_be_held() -> None:
    vae = VAE(2, 5, 7, likelihoods.Gaussian(noise_var=0.25), generator=seeded(0))
    optimiser = torch.optim.Adam(vae.parameters(), lr=0.1, fused=True)
    x, z = normal(50, 7).float(), normal(50, 2, seed=1).float()
    bias = vae.decoder[2].bias.detach().clone()

    vae.log_likelihood(x, z).sum().backward()
    optimiser.step()

    assert vae.likelihood == "gaussian"
    assert vae.state_dict()["noise_log_var"].item() == pytest.approx(math.log(0.25))
    assert not torch.equal(vae.decoder[2].bias, bias)
    expected = Normal(vae.decode(z), 0.5).log_prob(x).sum(-1)
    torch.testing.assert_close(vae.log_likelihood(x, z), expected)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_joint_draws_repeat_and_leave_the_global_generator(likelihood: str) -> None:
    vae = VAE(3, 5, 7, likelihood, generator=seeded(0)).double()
    before = torch.get_rng_state()

    draws = [vae.sample(4, seeded(seed)) for seed in (0, 0, 1)]

    assert torch.equal(torch.get_rng_state(), before)
    for x, z in draws:
        assert (x.shape, z.shape) == ((4, 7), (4, 3))
        assert x.dtype == z.dtype == torch.float64
        assert not x.requires_grad
        assert not z.requires_grad
    assert all(map(torch.equal, draws[0], draws[1]))
    assert not any(map(torch.equal, draws[0], draws[2]))
    assert vae.sample(0)[0].shape == (0, 7)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_joint_draws_have_the_prior_s_z_and_an_x_made_from_it(likelihood: str) -> None:
    vae, count = VAE(2, 5, 7, likelihood, generator=seeded(0)).double(), 50_000

    x, z = vae.sample(count, seeded(1))

    assert (z.mean(0).abs() <= 5 / math.sqrt(count)).all()
    assert ((z.var(0) - 1).abs() <= 5 * math.sqrt(2 / count)).all()
    # Given z, x is off its mean by noise that knows nothing of z.
    residual = x - vae.decode_mean(z).detach()
    for values in (residual, residual * z[:, :1], residual * z[:, 1:]):
        standard_error = values.std(0) / math.sqrt(count)
        assert (values.mean(0).abs() <= 5 * standard_error).all()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("shared", [True, False], ids=["one z for all", "a z for each"])
def test_under_autocast_products_are_narrow_and_densities_are_not(
    likelihood: str, shared: bool
) -> None:
    vae = VAE(2, 50, 64, likelihood, seeded(0))
    x = torch.full((20, 64), 1.0)
    z = torch.randn(5, 1 if shared else 20, 2, generator=seeded(1))
    with torch.autocast("cpu", torch.bfloat16):
        outputs = vae.decode(z)
        found = [*vae.encode(x), vae.log_likelihood(x, z)]

    assert {value.dtype for value in [outputs, *found]} == {torch.float32}
    assert torch.equal(outputs, outputs.bfloat16().float())  # their last digits are zeros
    # The same density of the same outputs, in float64: some 64 roundings of float32 off.
    parameters = list(outputs.double().split(64, -1))
    if likelihood == "gaussian":
        parameters.append(vae.noise_log_var.double())
    exact = vae.pixel_likelihood.log_likelihood(x.double(), *parameters)
    torch.testing.assert_close(found[2].double(), exact, rtol=1e-5, atol=1e-4)


def test_joint_draws_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="num_samples must not be negative, got -1"):
        VAE().sample(-1)


@pytest.mark.parametrize(
    ("likelihood", "message"),
    [
        ("binomial", r"whole numbers from 0 to 16, got 0\.5"),
        ("beta-binomial", r"whole numbers from 0 to 16, got 0\.5"),
        ("discretised-logistic", r"whole numbers from 0 to 16, got 0\.5"),
        ("categorical", r"whole numbers from 0 to 16, got 0\.5"),
        (likelihoods.Binomial(max_count=3), r"whole numbers from 0 to 3, got 0\.5"),
        ("continuous-bernoulli", r"between 0 and 1, got 8\.0"),
    ],
)
def test_pixels_of_another_kind_are_refused(likelihood, message: str) -> None:
    vae = VAE(2, 5, 7, likelihood)
    x = torch.full((3, 7), 8.0 if "between" in message else 0.5)

    with pytest.raises(ValueError, match=message):
        vae.log_likelihood(x, torch.zeros(3, 2))


@pytest.mark.parametrize("name", ["latent_dim", "hidden", "pixels"])
def test_sizes_must_be_one_or_more(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        VAE(**{name: 0})


def test_unknown_likelihood_is_named() -> None:
    message = "likelihood must be one of bernoulli, gaussian, binomial, .*, got 'poisson'"
    with pytest.raises(ValueError, match=message):
        VAE(likelihood="poisson")
