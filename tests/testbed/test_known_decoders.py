"""The run that makes the testbed: its mirrored decoder, and its sums over grids."""

import pytest
import torch

from experiments.known_decoders import SETTINGS, Mirrored, figures, log_marginal
from vaelab import pretrained
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.models.vae import VAE
from vaelab.testbed import DECODERS, load
from vaelab.testbed.bed import PRETRAINED


def test_a_mirrored_decoder_written_out_is_the_same_function() -> None:
    generator = torch.Generator().manual_seed(0)
    side = VAE(2, 5, generator=generator).decoder
    plain = VAE(2, 10, generator=generator).decoder
    mirrored = Mirrored(side)
    z = torch.randn(20, 2, generator=generator)

    plain.load_state_dict(mirrored.written_out())

    torch.testing.assert_close(plain(z), mirrored(z), rtol=0, atol=1e-5)
    torch.testing.assert_close(plain(z), side(z) + side(z * torch.tensor([-1.0, 1.0])))


def test_sums_in_slabs_are_the_packages_quadrature() -> None:
    vae = VAE(2, generator=torch.Generator().manual_seed(0)).double().requires_grad_(False)
    x = load("smooth").x[:3]

    # Over 40,000 points: more than one slab.
    value = log_marginal(x, vae.log_likelihood, half_width=7.0, step=0.07)

    expected = quadrature_log_marginal(x, vae.log_likelihood, 2, half_width=7.0, step=0.07)
    torch.testing.assert_close(value, expected.log_marginal, rtol=0, atol=1e-12)


def test_the_manifest_is_of_these_settings() -> None:
    decoders = pretrained.manifest(PRETRAINED)["decoders"]

    assert tuple(SETTINGS) == DECODERS
    assert {name: decoder["setting"] for name, decoder in decoders.items()} == SETTINGS


def test_the_manifests_figures_are_found_again() -> None:
    bed = load("smooth")

    found = figures(bed.x[:20], bed.vae, bed.log_marginal[:20])

    # Of the posterior itself the ELBO is log p(x), so its KL is E[log p(x | z)] less log p(x).
    axis = torch.arange(-6, 6, 0.06, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)[:, None]
    log_likelihood = bed.vae.log_likelihood(bed.x[:20], z)
    weights = (log_likelihood - 0.5 * z.square().sum(-1)).softmax(0)
    expected = (weights * log_likelihood).sum(0).mean() - bed.log_marginal[:20].mean()
    assert found["kl_posterior_prior"] == pytest.approx(expected.item(), abs=1e-5)
    assert 0 < found["encoder_gap"] < found["kl_posterior_prior"]
