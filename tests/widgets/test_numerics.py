"""The widgets' JavaScript mathematics against the Python it mirrors."""

import base64

import numpy as np
import pytest
import torch

from vaelab.densities import bernoulli_log_likelihood, kl_to_standard_normal
from vaelab.models.vae import VAE
from vaelab.objectives import sample_posterior

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
EXTREMES = [0.0, -0.0, 1e-12, -1e-12, 1.0, -1.0, 36.0, -36.0, 700.0, -700.0, 1e4, -1e4]


def numbers(seed: int, *shape: int, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


def assert_close(ours: list, expected: torch.Tensor) -> None:
    torch.testing.assert_close(torch.tensor(ours, dtype=torch.float64), expected, **CLOSE)


@pytest.mark.parametrize("length", range(7))
def test_base64_decodes_any_length(javascript, length: int) -> None:
    data = bytes(range(250, 250 + min(length, 6))) if length < 6 else bytes(range(256))

    decoded = javascript("decodeBase64(text)", text=base64.b64encode(data).decode())

    assert bytes(decoded) == data


def test_every_float16_decodes_to_its_number(javascript) -> None:
    bits = np.arange(2**16, dtype="<u2")
    expected = bits.view("<f2").astype(np.float64)

    decoded = javascript("decodeFloat16(Uint8Array.from(bytes))", bytes=list(bits.tobytes()))

    # Infinities and NaN arrive as text, which float() reads.
    np.testing.assert_array_equal([float(number) for number in decoded], expected)


@pytest.mark.parametrize(
    ("name", "function"), [("sigmoid", torch.sigmoid), ("softplus", torch.nn.functional.softplus)]
)
def test_elementwise_functions(javascript, name: str, function) -> None:
    x = torch.cat([torch.tensor(EXTREMES, dtype=torch.float64), numbers(0, 200, scale=10.0)])

    assert_close(javascript(f"x.map({name})", x=x.tolist()), function(x))


@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 1e4])
def test_bernoulli_log_likelihood(javascript, scale: float) -> None:
    x = (numbers(1, 5, 64) > 0).double()
    logits = numbers(2, 5, 64, scale=scale)

    ours = javascript(
        "x.map((row, i) => bernoulliLogLikelihood(row, logits[i]))",
        x=x.tolist(),
        logits=logits.tolist(),
    )

    assert_close(ours, bernoulli_log_likelihood(x, logits))


def test_kl_to_standard_normal(javascript) -> None:
    mean = torch.tensor([0.0, 1e-9, -3.0, 1e3, 0.0, 0.0, *numbers(3, 50).tolist()]).double()
    log_var = torch.tensor([0.0, 1e-9, -40.0, 5.0, 80.0, -700.0, *numbers(4, 50).tolist()]).double()

    ours = javascript("klToStandardNormal(m, v)", m=mean.tolist(), v=log_var.tolist())

    assert_close(ours, kl_to_standard_normal(mean, log_var))


@pytest.mark.parametrize("latent_dim", [1, 2, 16])
@pytest.mark.parametrize("gain", [1.0, 30.0])
def test_network_and_elbo_terms(javascript, latent_dim: int, gain: float) -> None:
    """Random weights, then weights so large that every tanh and sigmoid saturates."""
    hidden, pixels, draws = 5, 64, 7
    vae = VAE(latent_dim, hidden, pixels, generator=torch.Generator().manual_seed(5)).double()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(gain)
    weights = torch.cat([p.detach().flatten() for p in vae.state_dict().values()])
    x = (numbers(6, 1, pixels) > 0).double()
    noise = numbers(7, draws, latent_dim)
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        z = mean + torch.exp(0.5 * log_var) * noise
        reconstruction = vae.log_likelihood(x, z[:, None])[:, 0]
        kl = kl_to_standard_normal(mean, log_var)[0]
        logits, picture = vae.decode(z[0]), vae.decode_mean(z[0])

    ours = javascript(
        """(() => {
            const vae = readVae(Float64Array.from(w), 0, { latentDim: d, hidden: h, pixels: p });
            const [image, draws] = [Float64Array.from(x), Float64Array.from(noise)];
            const { mean, logVar } = encode(vae, image);
            const z = samplePosterior(mean, logVar, draws.slice(0, d));
            return { size: vae.size, mean, logVar, z, logits: decode(vae, z),
                picture: decodeMean(vae, z), terms: elboTerms(vae, image, draws) };
        })()""",
        w=weights.tolist(),
        d=latent_dim,
        h=hidden,
        p=pixels,
        x=x[0].tolist(),
        noise=noise.flatten().tolist(),
    )

    assert ours["size"] == len(weights)
    assert_close(ours["mean"], mean[0])
    assert_close(ours["logVar"], log_var[0])
    assert_close(ours["z"], z[0])
    assert_close(ours["logits"], logits)
    assert_close(ours["picture"], picture)
    assert_close(ours["terms"]["kl"], kl)
    assert_close(ours["terms"]["rate"], kl.sum())
    assert_close(ours["terms"]["distortion"], -reconstruction.mean())
    assert_close(ours["terms"]["elbo"], reconstruction.mean() - kl.sum())
    assert_close(ours["terms"]["standardError"], reconstruction.std() / draws**0.5)


def test_the_standard_error_of_one_draw_is_unknown(javascript) -> None:
    error = javascript(
        "elboTerms(readVae(new Float64Array(22), 0, { latentDim: 1, hidden: 2, pixels: 2 }),"
        " Float64Array.of(0, 1), Float64Array.of(0.5)).standardError"
    )

    assert error == "Infinity"


def test_draws_are_normal_and_independent(javascript) -> None:
    count = 40_000
    draws = np.array(javascript(f"standardNormal(3, {count})"))

    # Five standard errors of each statistic of a standard normal.
    assert abs(draws.mean()) < 5 / count**0.5
    assert abs(draws.var() - 1) < 5 * (2 / count) ** 0.5
    assert abs((draws**4).mean() - 3) < 5 * (96 / count) ** 0.5
    assert abs((draws[::2] * draws[1::2]).mean()) < 5 / (count / 2) ** 0.5
    assert abs((draws[1:] * draws[:-1]).mean()) < 5 / count**0.5


def test_a_seed_repeats_its_draws_and_another_does_not(javascript) -> None:
    short, long, other = javascript(
        "[standardNormal(7, 5), standardNormal(7, 10), standardNormal(8, 10)]"
    )

    assert short == long[:5]
    assert not set(long) & set(other)


def test_posterior_samples_mirror_python() -> None:
    """What the vectors above lean on: Python's own draw is mean + deviation * noise."""
    mean, log_var = numbers(8, 3, 2), numbers(9, 3, 2)
    noise = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    z = sample_posterior(mean, log_var, 4, torch.Generator().manual_seed(0))

    torch.testing.assert_close(z, mean + torch.exp(0.5 * log_var) * noise)
