"""The shipped log p(x), integrated anew: another decoder's code, other rules, other nodes."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy.integrate import cubature
from scipy.special import log_expit, logsumexp

from vaelab import pretrained
from vaelab.data import load_digits
from vaelab.testbed import DECODERS, Testbed, load
from vaelab.testbed.bed import PRETRAINED


@pytest.fixture(scope="module", params=DECODERS)
def bed(request: pytest.FixtureRequest) -> Testbed:
    return load(request.param)


def log_joint(name: str, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """log p(x, z) in numpy, from the file of weights: (points, images) for z (points, 2)."""
    setting = pretrained.manifest(PRETRAINED)["decoders"][name]["setting"]
    tensors = load_file(pretrained.FOLDER / f"{PRETRAINED}.safetensors")
    prefix = f"{pretrained.setting_key(**setting)}/decoder."
    inner, b, outer, c = (
        tensors[prefix + part].astype(np.float64)
        for part in ("0.weight", "0.bias", "2.weight", "2.bias")
    )
    logits = np.tanh(z @ inner.T + b) @ outer.T + c
    # log sigmoid(l) for ink, log sigmoid(-l) for paper
    log_likelihood = log_expit(logits) @ x.T + log_expit(-logits) @ (1 - x).T
    return log_likelihood - 0.5 * (z**2).sum(1, keepdims=True) - np.log(2 * np.pi)


def gauss_legendre(panels: int, nodes: int, half_width: float) -> tuple[np.ndarray, np.ndarray]:
    """A composite rule's nodes and weights on an interval."""
    point, weight = np.polynomial.legendre.leggauss(nodes)
    edges = np.linspace(-half_width, half_width, panels + 1)
    centre, half = (edges[1:] + edges[:-1]) / 2, half_width / panels
    return (centre[:, None] + half * point).ravel(), np.tile(half * weight, panels)


def test_gauss_legendre_panels_give_the_same_for_every_twelfth_digit(bed: Testbed) -> None:
    x, truth = bed.x[::12].numpy(), bed.log_marginal[::12].numpy()
    axis, weight = gauss_legendre(panels=24, nodes=28, half_width=8.5)
    log_sum = np.full(len(x), -np.inf)
    for first, w in zip(axis, weight, strict=True):
        z = np.column_stack([np.full_like(axis, first), axis])
        line = logsumexp(log_joint(bed.name, x, z) + np.log(weight)[:, None], axis=0)
        log_sum = np.logaddexp(log_sum, line + np.log(w))

    np.testing.assert_allclose(log_sum, truth, rtol=0, atol=1e-8)


def test_scipys_adaptive_cubature_gives_one(bed: Testbed) -> None:
    # p(x, z) / p(x) is the posterior, whose integral is 1 if p(x) is right.
    picked = [0, 123, 359]
    x, truth = bed.x[picked].numpy(), bed.log_marginal[picked].numpy()

    result = cubature(
        lambda z: np.exp(log_joint(bed.name, x, z) - truth),
        [-8.5, -8.5],
        [8.5, 8.5],
        rule="gk15",
        rtol=0,
        atol=1e-9,
        points=[np.zeros(2)],
        max_subdivisions=2_000,
    )

    assert result.status == "converged"
    np.testing.assert_allclose(result.estimate, 1, rtol=0, atol=1e-8)


def test_the_manifest_proves_eight_digits(bed: Testbed) -> None:
    truth = pretrained.manifest(PRETRAINED)["decoders"][bed.name]["truth"]
    by_step = truth["largest_error_by_step"]

    assert bed.log_marginal.shape == (360,)
    assert bed.largest_change < 1e-8
    # Halving the step squares a small error, until rounding: no chance agreement.
    assert by_step["0.1"] > 1e-5
    assert by_step["0.1"] > 100 * by_step["0.05"]
    assert by_step["0.05"] > 100 * by_step["0.025"]


def test_the_digits_are_the_books_and_the_decoder_is_frozen(bed: Testbed) -> None:
    digits = load_digits("binary", torch.float64)

    assert torch.equal(bed.x, digits.test)
    assert torch.equal(bed.train, digits.train)
    assert bed.vae.latent_dim == 2
    assert not any(weight.requires_grad for weight in bed.vae.parameters())
    assert all(torch.equal(w, w.half().double()) for w in bed.vae.parameters())
    assert not bed.mean.requires_grad


def test_a_decoder_slightly_off_would_be_seen() -> None:
    bed = load("smooth")
    x, truth = bed.x[:1].numpy(), bed.log_marginal[:1].numpy()
    axis, weight = gauss_legendre(panels=12, nodes=26, half_width=8.5)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    log_weight = np.log(np.outer(weight, weight)).ravel()

    def off(stretch: float) -> float:
        values = log_joint(bed.name, x, z * stretch)[:, 0]
        return abs(logsumexp(values + log_weight) - truth[0])

    assert off(1.0) < 1e-6 < off(1.0001)


def test_the_mirrored_decoder_cannot_tell_left_from_right() -> None:
    vae = load("mirrored").vae
    z = torch.randn(100, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mirror = torch.tensor([-1.0, 1.0], dtype=torch.float64)

    torch.testing.assert_close(vae.decode(z), vae.decode(z * mirror), rtol=0, atol=1e-12)
    # and it does tell up from down
    assert (vae.decode(z) - vae.decode(-z * mirror)).abs().max() > 1


def test_the_posterior_of_the_mirrored_decoder_has_two_halves() -> None:
    # Its encoder's q lies on one side, and can hold no more than half of the posterior.
    bed = load("mirrored")
    apart = bed.mean[:, 0].abs() / (0.5 * bed.log_var[:, 0]).exp()

    assert (apart > 3).double().mean() > 0.5
