"""The lab's mathematics in V8, against autograd, PyTorch's Adam and the package's quadrature."""

import numpy as np
import pytest
import torch

from tests.javascript import evaluator
from tests.widgets.lab_in_v8 import SETTINGS, figures, flat, load, start, train
from vaelab.densities import kl_to_standard_normal
from vaelab.exact.gaussian_q import GaussianQ
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.exact.quadrature_elbo import expected_log_likelihood
from vaelab.objectives import elbo_terms
from vaelab.widgets.vae_lab.in_pytorch import Lab, initial_vae, step_noise


@pytest.fixture(scope="module")
def page():
    return evaluator("vae_lab")


# The gradient and the steps


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_the_gradient_is_autograds(page, settings: dict, gain: float) -> None:
    lab = Lab(settings)
    start(page, lab)
    with torch.no_grad():
        for network in (lab.vae.encoder, lab.vae.decoder):
            for parameter in network.parameters():
                parameter.mul_(gain)
    shape = (len(lab.x), lab.vae.latent_dim)
    noise = np.random.default_rng(5).standard_normal(shape)
    objective = lab.objective(torch.from_numpy(noise))
    (-objective).backward()
    named = dict(lab.vae.named_parameters())
    names = [name for name in named if name != "noise_log_var"]
    gradient = torch.cat([named[name].grad.flatten() for name in (*names, "noise_log_var")])

    ours = page(
        "(() => { t.vae.values.set(w);"
        " const { objective } = betaObjective(t.vae, t.gradient, t.x, Float64Array.from(noise), b);"
        " return [objective, t.gradient.values]; })()",
        w=flat(lab.vae).tolist(),
        noise=noise.ravel().tolist(),
        b=lab.settings["beta"],
    )

    assert ours[0] == pytest.approx(objective.item(), rel=1e-10)
    scale = gradient.abs().max()
    torch.testing.assert_close(
        torch.tensor(ours[1], dtype=torch.float64), gradient, rtol=1e-8, atol=1e-10 * scale.item()
    )


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_hundred_steps_of_adam_are_pytorchs(page, settings: dict) -> None:
    """Then the encoder alone and the decoder alone, each optimiser going on where it was."""
    lab = Lab(settings)
    options = start(page, lab)

    for part, steps in (("both", 100), ("encoder", 15), ("decoder", 15), ("both", 5)):
        lab.train(part, steps)
        train(page, {**options, "part": part}, steps)

        ours = torch.tensor(page("t.vae.values"), dtype=torch.float64)
        torch.testing.assert_close(ours, flat(lab.vae), rtol=1e-8, atol=1e-8)


def test_first_weights_and_noise_are_the_pages(page) -> None:
    for seed in (0, 1, 9999):
        for latent_dim in (1, 2):
            ours = page("initialVae(seed, d, 0.3).values", seed=seed, d=latent_dim)
            assert ours == pytest.approx(
                flat(initial_vae(seed, latent_dim, 0.3)).tolist(), rel=1e-14
            )
        for step, count in ((1, 7), (700, 400)):
            ours = page("standardNormal(mixSeed(seed, step), n)", seed=seed, step=step, n=count)
            np.testing.assert_allclose(ours, step_noise(seed, step, count), rtol=1e-12, atol=1e-14)


def test_noise_of_neighbouring_steps_and_seeds_is_unrelated() -> None:
    """Of 40,000 pairs a correlation has a standard error of 0.005."""
    count = 40_000
    one = step_noise(0, 1, count)
    for other in (step_noise(0, 2, count), step_noise(1, 1, count), step_noise(1, 2, count)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(count)
    assert abs(one.mean()) < 5 / np.sqrt(count)
    assert abs(one.std() - 1) < 5 / np.sqrt(2 * count)


def test_the_part_that_is_not_trained_stays(page) -> None:
    options = start(page, Lab({}))
    train(page, options, 3)
    split = page("t.split")
    before = page("t.vae.values")

    train(page, {**options, "part": "encoder"}, 3)
    after_encoder = page("t.vae.values")
    train(page, {**options, "part": "decoder"}, 3)
    after_decoder = page("t.vae.values")

    assert after_encoder[split:] == before[split:]
    assert after_encoder[:split] != before[:split]
    assert after_decoder[:split] == after_encoder[:split]
    assert after_decoder[split:-1] != after_encoder[split:-1]
    assert after_decoder[-1] == before[-1]  # fixed noise


# The figures


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("steps", [0, 200])
def test_the_figures_are_the_packages(page, settings: dict, steps: int) -> None:
    lab = Lab(settings)
    options = start(page, lab)
    train(page, options, steps)
    weights = torch.tensor(page("t.vae.values"), dtype=torch.float64)
    names = [name for name in lab.vae.state_dict() if name != "noise_log_var"]
    load(lab.vae, weights, names)

    ours = figures(page)

    mean, log_var = lab.vae.encode(lab.x)
    kl = kl_to_standard_normal(mean, log_var).mean(0)
    assert ours["rates"] == pytest.approx(kl.tolist(), rel=1e-10)
    assert ours["rate"] == pytest.approx(kl.sum().item(), rel=1e-10)
    exact = expected_log_likelihood(
        lab.x, lab.vae.log_likelihood, GaussianQ.diagonal(mean, log_var)
    ).value.mean()
    assert ours["reconstruction"] == pytest.approx(exact.item(), rel=1e-6, abs=1e-6)
    # Before training a point may be likeliest far out, where a line of latents can be followed.
    fine = {1: {"half_width": 40.0, "step": 0.004}, 2: {"half_width": 9.0, "step": 0.04}}
    truth = quadrature_log_marginal(
        lab.x[::10], lab.vae.log_likelihood, lab.vae.latent_dim, **fine[lab.vae.latent_dim]
    )
    assert truth.error.mean() < 2e-3
    off = np.abs(np.array(ours["logMarginals"])[::10] - truth.log_marginal.numpy())
    assert off.mean() < 2e-3
    assert off.mean() <= ours["error"] + 1e-9
    assert ours["gap"] > -ours["error"]
    assert ours["gap"] == pytest.approx(ours["logMarginal"] - ours["elbo"], abs=1e-12)


def test_the_elbo_agrees_with_that_of_many_draws(page) -> None:
    lab = Lab({"dataset": "pinwheel"})
    options = start(page, lab)
    train(page, options, 50)
    names = [name for name in lab.vae.state_dict() if name != "noise_log_var"]
    load(lab.vae, torch.tensor(page("t.vae.values"), dtype=torch.float64), names)

    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        draws = torch.stack(
            [elbo_terms(lab.vae, lab.x, 20, generator).elbo.mean() for _ in range(50)]
        )
    standard_error = draws.std() / len(draws) ** 0.5

    assert abs(figures(page)["elbo"] - draws.mean()) < 5 * standard_error


@pytest.mark.parametrize(
    ("latent_dim", "reach", "step"), [(1, 7.0, 0.01), (2, 7.0, 0.2), (2, 5.0, 0.1)]
)
def test_quadrature_is_the_packages_point_by_point(page, latent_dim, reach, step) -> None:
    """On the same lattice: the same sums, and a change of the same size when it is thinned."""
    lab = Lab({"dataset": "ring", "latent_dim": latent_dim})
    options = start(page, lab)
    train(page, options, 60)
    names = [name for name in lab.vae.state_dict() if name != "noise_log_var"]
    load(lab.vae, torch.tensor(page("t.vae.values"), dtype=torch.float64), names)
    truth = quadrature_log_marginal(lab.x, lab.vae.log_likelihood, latent_dim, reach, step)

    ours = page("quadratureLogMarginal(t.vae, t.x, reach, step)", reach=reach, step=step)

    np.testing.assert_allclose(ours["logMarginal"], truth.log_marginal, rtol=1e-9, atol=1e-7)
    total = np.array(ours["change"], float) + np.array(ours["beyond"], float)
    np.testing.assert_allclose(total, truth.error, rtol=0.2, atol=1e-6)


def test_a_lattice_of_means_is_the_decoder(page) -> None:
    for latent_dim in (1, 2):
        vae = initial_vae(2, latent_dim, 0.2)
        for gain in (1.0, 30.0, 1e3):  # the last takes the way round that cannot overflow
            weights = flat(vae) * gain
            ours, z = page(
                "(() => { const vae = readLabVae(Float64Array.from(w), d);"
                " const axis = evenAxis(6, 1.5); const axes = d === 1 ? [axis] : [axis, axis];"
                " return [latticeMeans(vae.decoder, axes), axis]; })()",
                w=weights.tolist(),
                d=latent_dim,
            )
            model = initial_vae(2, latent_dim, 0.2)
            names = [name for name in model.state_dict() if name != "noise_log_var"]
            load(model, weights, names)
            axis = torch.tensor(z, dtype=torch.float64)
            grid = torch.cartesian_prod(*[axis] * latent_dim).reshape(-1, latent_dim)
            expected = model.decode(grid).detach().numpy().ravel()
            np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-10 * gain)
