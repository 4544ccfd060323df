"""The ten bugs, each against what its one line must come to with the same noise."""

import math

import pytest
import torch
from torch import Tensor

from vaelab.book.bugs import BUGS, SOURCE, Bug, Draws, compile_loss, draw
from vaelab.densities import kl_to_standard_normal
from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.quadrature_elbo import quadrature_elbo
from vaelab.models.vae import VAE

BATCH = 6
by_name = {bug.name: bug for bug in BUGS}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def vae() -> VAE:
    vae = VAE(latent_dim=2, hidden=8, pixels=12, generator=seeded()).double()
    with torch.no_grad():  # away from the prior, so that every term matters
        vae.encoder[2].weight.mul_(4)
        vae.decoder[0].weight.mul_(3)
    return vae


@pytest.fixture(scope="module")
def x() -> Tensor:
    return torch.bernoulli(torch.full((BATCH, 12), 0.4, dtype=torch.float64), generator=seeded(1))


def value(vae: VAE, x: Tensor, source: str) -> Tensor:
    """The loss with always the same noise."""
    return compile_loss(source)(vae.encoder, vae.decoder, x, seeded(2)).detach()


def parts(vae: VAE, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Reconstruction with that noise, KL, mean and deviation, by the package's own functions."""
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        sigma = (0.5 * log_var).exp()
        noise = torch.randn(mean.shape, generator=seeded(2), dtype=torch.float64)
        reconstruction = vae.log_likelihood(x, mean + sigma * noise)
        return reconstruction, kl_to_standard_normal(mean, log_var).sum(-1), mean, sigma


def test_the_loss_without_a_bug_is_minus_the_elbo(vae: VAE, x: Tensor) -> None:
    draws = draw(compile_loss(), vae, x, vae.encoder[2].bias, 2_000, seeded())
    with torch.no_grad():
        q = GaussianQ.diagonal(*vae.encode(x))
    exact = quadrature_elbo(x, vae.log_likelihood, q).value

    # Five standard errors, for each image.
    error = draws.values.std(0) / math.sqrt(len(draws.values))
    assert ((draws.values.mean(0) - exact).abs() < 5 * error).all()
    assert draws.errors_off(exact) < 5


def test_ten_bugs_change_one_line_each_and_no_two_alike() -> None:
    assert len({bug.source for bug in BUGS} | {SOURCE}) == 11
    for bug in BUGS:
        assert len(bug.source.splitlines()) == len(SOURCE.splitlines())
        assert [line[0] for line in bug.diff.splitlines()] == ["-", "+"]
        assert bug.wrong in bug.diff


def test_a_bug_that_is_not_in_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r"right must occur once in the loss, got 'no such'"):
        _ = Bug("none", "no such", "").source


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean over pixels for their sum", lambda r, kl, m, s: kl - r / 12),
        ("lost one half", lambda r, kl, m, s: 2 * kl - r),
        ("detached graph", lambda r, kl, m, s: kl - r),
        ("KL summed over the batch", lambda r, kl, m, s: kl.sum() - r),
        ("KL with the wrong sign", lambda r, kl, m, s: -kl - r),
        (
            "deviation for variance in the KL",
            lambda r, kl, m, s: kl - r + 0.5 * (s - s**2).sum(-1),
        ),
    ],
)
def test_a_bug_comes_to_what_its_line_says(vae: VAE, x: Tensor, name: str, expected) -> None:
    assert torch.allclose(
        value(vae, x, by_name[name].source), expected(*parts(vae, x)), rtol=1e-12, atol=1e-12
    )


def test_the_bugs_in_the_draw(vae: VAE, x: Tensor) -> None:
    _, kl, mean, sigma = parts(vae, x)
    noise = torch.randn(mean.shape, generator=seeded(2), dtype=torch.float64)
    shared = torch.randn(2, generator=seeded(2), dtype=torch.float64)
    with torch.no_grad():
        without, narrow, same = (
            vae.log_likelihood(x, z) for z in (mean, mean + sigma**2 * noise, mean + sigma * shared)
        )
        p = torch.sigmoid(torch.sigmoid(vae.decode(mean + sigma * noise)))
    twice = torch.distributions.Bernoulli(p).log_prob(x).sum(-1)
    charged = 0.5 * (mean**2 + sigma**4 - 1 - 2 * sigma.log()).sum(-1)
    for name, expected in (
        ("noise left out", kl - without),
        ("one noise for all images", kl - same),
        ("log-variance taken for log-deviation", charged - narrow),
        ("sigmoid twice", kl - twice),
    ):
        assert torch.allclose(value(vae, x, by_name[name].source), expected, atol=1e-10), name


def test_a_detached_draw_leaves_the_encoder_the_gradient_of_the_kl(vae: VAE, x: Tensor) -> None:
    loss = compile_loss(by_name["detached graph"].source)
    draws = draw(loss, vae, x, vae.encoder[2].bias, 3, seeded())
    kl = kl_to_standard_normal(*vae.encode(x)).sum(-1).mean()
    (expected,) = torch.autograd.grad(-kl, vae.encoder[2].bias)

    assert torch.allclose(draws.gradients, expected.expand(3, -1), atol=1e-12)


def test_measurements_of_draws_that_are_known() -> None:
    noise = torch.randn(40_000, 5, generator=seeded(), dtype=torch.float64)
    independent = Draws(3 * noise, noise[:, :1], noise[:1, 0])
    together = Draws(noise[:, :1].expand(-1, 5) + torch.arange(5), noise[:, :1] + 1, noise[:1, 0])

    # A variance from n draws has a relative standard error of sqrt(2 / n), 0.7% here.
    assert abs(independent.noise - 3) < 0.04
    assert abs(independent.company - 1) < 0.04
    assert abs(together.company - 5) < 0.2
    assert abs(together.off(torch.zeros(5)) - 2) < 0.03
    assert together.errors_off(torch.arange(5.0)) < 5 < together.errors_off(torch.zeros(5))
    assert together.above(torch.tensor([-1.0, 0.5, 3.0, 2.5, 5.0])) == pytest.approx(0.6)
    assert together.gradient_errors(independent) == pytest.approx(math.sqrt(40_000 / 2), rel=0.05)


def test_a_single_call_has_no_spread(vae: VAE, x: Tensor) -> None:
    with pytest.raises(ValueError, match="repeats must be at least 2 for a spread, got 1"):
        draw(compile_loss(), vae, x, vae.encoder[2].bias, 1)
