"""Importance sampling's numbers: closed forms against quadrature, estimates from the same draws."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from tests.javascript import evaluator
from vaelab.estimators.importance import log_importance_weights
from vaelab.estimators.pareto import pareto_k
from vaelab.estimators.proposals import DiagonalNormal
from vaelab.estimators.reliability import effective_sample_size, log_mean_standard_error
from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.widgets import ImportanceSampling
from vaelab.widgets.importance_sampling import MODELS, model, useful_share

CLOSE = {"rel": 1e-5, "abs": 1e-5}
PRESETS = ("prior", "posterior", "narrow", "shifted")


@pytest.fixture(scope="module")
def js():
    evaluate = evaluator("importance_sampling")
    evaluate("0", recorded=ImportanceSampling.recorded())
    return evaluate


def log_joint(parts: dict, humps: int, z: np.ndarray) -> np.ndarray:
    """By definition, from what the model is made of; z is (points, latent)."""
    x, d = np.array(parts["x"]), len(parts["x"])
    weight = np.array(parts["weight"]).reshape(d, d)

    def log_normal(value, mean, deviation):
        squared = ((value - mean) ** 2).sum(-1) / deviation**2
        return -0.5 * squared - 0.5 * d * math.log(2 * math.pi * deviation**2)

    decoded = z @ weight.T
    likelihood = log_normal(x, decoded, parts["noise"])
    if humps == 2:
        likelihood = np.logaddexp(likelihood, log_normal(x, -decoded, parts["noise"])) - math.log(2)
    return likelihood + log_normal(z, np.zeros(d), 1.0)


def grid(d: int, reach: float = 9.0, step: float | None = None) -> tuple[np.ndarray, float]:
    """Points, and the logarithm of what each stands for."""
    step = step or {1: 0.002, 2: 0.03}[d]
    line = np.arange(-round(reach / step), round(reach / step) + 1) * step
    points = np.stack(np.meshgrid(*[line] * d, indexing="ij"), -1).reshape(-1, d)
    return points, d * math.log(step)


def log_sum(values: np.ndarray) -> float:
    return torch.tensor(values).logsumexp(0).item()


@pytest.fixture(scope="module", params=[(1, 1), (1, 2), (2, 1), (2, 2)])
def known(request, js):
    """A target of the widget: its parts, its log density on a grid, and the page's own."""
    d, humps = request.param
    parts = MODELS[d - 1]
    points, log_cell = grid(d)
    log_p = log_joint(parts, humps, points)
    log_marginal = log_sum(log_p) + log_cell
    return {
        "d": d,
        "humps": humps,
        "parts": parts,
        "points": points,
        "log_cell": log_cell,
        "log_marginal": log_marginal,
        "log_posterior": log_p - log_marginal,
        "js": f"createTarget(recorded.models[{d - 1}], {humps})",
    }


# The target


def test_log_marginal_is_the_integral_and_the_closed_form(js, known) -> None:
    ours = js(f"{known['js']}.logMarginal")
    exact, x = model(known["d"])

    assert ours == pytest.approx(known["log_marginal"], **CLOSE)
    assert ours == pytest.approx(exact.log_marginal(x).item(), **CLOSE)


def test_the_integrand_is_the_definition(js, known) -> None:
    rng = np.random.default_rng(0)
    z = np.concatenate([4 * rng.normal(size=(50, known["d"])), np.full((1, known["d"]), 1e3)])
    ours = js(f"((t) => z.map((z) => t.logJoint(z)))({known['js']})", z=z.tolist())

    np.testing.assert_allclose(ours, log_joint(known["parts"], known["humps"], z), rtol=1e-9)


def test_the_posterior_is_the_linear_gaussians(js, known) -> None:
    exact, x = model(known["d"])
    mean, covariance = exact.posterior(x)
    ours = js(f"{known['js']}")

    np.testing.assert_allclose(ours["mean"], mean[0], rtol=1e-9)
    np.testing.assert_allclose(ours["covariance"], covariance.flatten(), rtol=1e-9)


def test_moments_are_the_posteriors(js, known) -> None:
    ours = js(f"posteriorMoments({known['js']})")
    mass = np.exp(known["log_posterior"] + known["log_cell"])[:, None]
    mean = (mass * known["points"]).sum(0)
    variance = (mass * (known["points"] - mean) ** 2).sum(0)

    np.testing.assert_allclose(ours["mean"], mean, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.square(ours["width"]), variance, rtol=1e-5, atol=1e-5)


def test_humps_are_apart(js) -> None:
    """Else a proposal on one would find the other."""
    for d in (1, 2):
        exact, x = model(d)
        mean, covariance = exact.posterior(x)
        apart = 4 * mean[0] @ torch.linalg.solve(covariance, mean[0])
        assert apart.sqrt() > 7


# The proposal


def normal(proposal: dict) -> MultivariateNormal:
    mean, width = (torch.tensor(proposal[key], dtype=torch.float64) for key in ("mean", "width"))
    return MultivariateNormal(mean, torch.diag(width**2))


def some_proposals(d: int) -> list[dict]:
    rng = np.random.default_rng(d)
    named = [([0.0] * d, [1.0] * d), ([-4.0] * d, [3.0] * d), ([4.0] * d, [0.05] * d)]
    rest = [
        (rng.uniform(-4, 4, d).tolist(), (0.05 * 60 ** rng.uniform(size=d)).tolist())
        for _ in range(12)
    ]
    return [{"mean": mean, "width": width} for mean, width in named + rest]


def test_divergences_and_useful_share_are_the_integrals(js, known) -> None:
    """On the grid, wherever it is fine enough for the proposal; KLs of all widths by hand."""
    log_p, points, cell = known["log_posterior"], known["points"], math.exp(known["log_cell"])
    compared = shares = 0
    for proposal in some_proposals(known["d"]):
        ours = js(f"describeProposal({known['js']}, proposal)", proposal=proposal)
        log_r = normal(proposal).log_prob(torch.tensor(points)).numpy()

        kl = (np.exp(log_p) * (log_p - log_r)).sum() * cell
        assert ours["kl"] == pytest.approx(kl, **CLOSE)
        if (
            min(proposal["width"]) > 0.1
            and max(np.abs(proposal["mean"])) + 5 * max(proposal["width"]) < 9
        ):
            other = (np.exp(log_r) * (log_r - log_p)).sum() * cell
            assert ours["otherKl"] == pytest.approx(other, **CLOSE)
            compared += 1
        finite = 2 * precision_of(known) - torch.diag(1 / torch.tensor(proposal["width"]) ** 2)
        least = torch.linalg.eigvalsh(finite).min().item()
        if least <= 0:
            assert ours["logUseful"] == "-Infinity"
        elif farthest_mode(known, proposal) + 5 / math.sqrt(least) < 9:  # of the grid
            expected = -(log_sum(2 * log_p - log_r) + known["log_cell"])
            assert ours["logUseful"] == pytest.approx(expected, **CLOSE)
            shares += 1
    assert min(compared, shares) >= 3


def precision_of(known) -> torch.Tensor:
    exact, x = model(known["d"])
    return torch.linalg.inv(exact.posterior(x)[1])


def farthest_mode(known, proposal: dict) -> float:
    """How far out the squared posterior over the proposal has a peak."""
    exact, x = model(known["d"])
    precision, r = precision_of(known), normal(proposal).precision_matrix
    pull = 2 * precision @ exact.posterior(x)[0][0]
    signs = (1, 0, -1) if known["humps"] == 2 else (1,)
    mean = torch.tensor(proposal["mean"], dtype=torch.float64)
    modes = [torch.linalg.solve(2 * precision - r, sign * pull - r @ mean) for sign in signs]
    return max(mode.abs().max().item() for mode in modes)


def test_a_wide_or_far_proposals_gap_is_the_draws_average(js, known) -> None:
    """KL(r || posterior) where no grid reaches."""
    proposal = {"mean": [-4.0] * known["d"], "width": [3.0] * known["d"]}
    ours = js(f"describeProposal({known['js']}, proposal)", proposal=proposal)["otherKl"]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(200_000, known["d"], dtype=torch.float64, generator=generator)
    z = torch.tensor(proposal["mean"]) + 3 * noise
    log_ratio = normal(proposal).log_prob(z).numpy() - (
        log_joint(known["parts"], known["humps"], z.numpy()) - known["log_marginal"]
    )
    assert abs(log_ratio.mean() - ours) < 5 * log_ratio.std() / math.sqrt(len(z))


def test_with_one_hump_divergences_are_pytorchs(js) -> None:
    for d in (1, 2):
        exact, x = model(d)
        mean, covariance = exact.posterior(x)
        posterior = MultivariateNormal(mean[0], covariance)
        for proposal in some_proposals(d):
            ours = js(f"describeProposal(createTarget(recorded.models[{d - 1}], 1), p)", p=proposal)
            r = normal(proposal)
            assert ours["kl"] == pytest.approx(kl_divergence(posterior, r).item(), **CLOSE)
            assert ours["otherKl"] == pytest.approx(kl_divergence(r, posterior).item(), **CLOSE)


@pytest.mark.parametrize("width", [0.05, 0.2, 0.24, 0.26, 0.35, 1.0, 3.0])
@pytest.mark.parametrize("mean", [-4.0, 0.0, 1.5])
def test_half_the_posteriors_variance_divides_finite_from_infinite(js, mean, width) -> None:
    exact, x = model(1)
    center, variance = (part.item() for part in exact.posterior(x))
    ours = js(
        "describeProposal(createTarget(recorded.models[0], 1), p)",
        p={"mean": [mean], "width": [width]},
    )

    assert ours["tail"] == pytest.approx(1 - width**2 / variance, **CLOSE)
    assert (ours["logUseful"] == "-Infinity") == (width**2 <= variance / 2)
    center, deviation, mean, width = torch.tensor(
        [center, math.sqrt(variance), mean, width], dtype=torch.float64
    )
    share = useful_share(Normal(center, deviation), Normal(mean, width))
    assert math.exp(float(ours["logUseful"])) == pytest.approx(share, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("seed", range(8))
def test_random_models(js, seed: int) -> None:
    """Other decoders than the two of the widget, of any shape."""
    rng = np.random.default_rng(seed)
    d = 1 + seed % 2
    parts = {
        "weight": rng.normal(scale=1.5, size=d * d).tolist(),
        "noise": float(rng.uniform(0.4, 1.5)),
        "x": rng.normal(scale=2, size=d).tolist(),
    }
    exact = LinearGaussian(
        torch.tensor(parts["weight"]).double().reshape(d, d),
        torch.zeros(d, dtype=torch.float64),
        parts["noise"] ** 2,
    )
    x = torch.tensor([parts["x"]], dtype=torch.float64)
    points, log_cell = grid(d, reach=8.0)
    proposal = {"mean": rng.normal(size=d).tolist(), "width": rng.uniform(0.5, 1.2, d).tolist()}
    log_r = normal(proposal).log_prob(torch.tensor(points)).numpy()
    for humps in (1, 2):
        described = "({ ...describeProposal(t, proposal), p: t.logMarginal })"
        ours = js(
            f"((t) => {described})(createTarget(parts, {humps}))", parts=parts, proposal=proposal
        )
        log_p = log_joint(parts, humps, points) - exact.log_marginal(x).item()
        assert ours["p"] == pytest.approx(exact.log_marginal(x).item(), **CLOSE)
        kl = (np.exp(log_p) * (log_p - log_r)).sum() * math.exp(log_cell)
        other = (np.exp(log_r) * (log_r - log_p)).sum() * math.exp(log_cell)
        assert ours["kl"] == pytest.approx(kl, **CLOSE)
        assert ours["otherKl"] == pytest.approx(other, **CLOSE)


# Draws


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("draws", [10, 1000, 5000])
def test_estimate_weights_and_k_hat_are_those_of_the_same_draws(js, known, preset, draws) -> None:
    seed = draws % 7
    ours = js(
        f"""((target) => {{
            const proposal = presets(target).{preset};
            const sampler = createSampler(describeProposal(target, proposal), {seed}, {draws});
            sampler.advance(3);
            sampler.advance({draws});
            const {{ tally, logWeights, heaviest, places }} = sampler;
            return {{ proposal, logWeights, heaviest: heaviest.list, places, k: sampler.kHat(),
                estimate: logMeanWeight(tally), error: logMeanStandardError(tally),
                ess: effectiveSampleSize(tally) }};
        }})({known["js"]})"""
    )
    d = known["d"]
    noise = torch.tensor(js(f"standardNormal({seed}, {draws * d})"), dtype=torch.float64)
    r = normal(ours["proposal"])
    z = r.mean + r.stddev * noise.reshape(draws, d)
    log_weights = torch.tensor(log_joint(known["parts"], known["humps"], z.numpy())) - r.log_prob(z)
    ess = effective_sample_size(log_weights)

    np.testing.assert_allclose(ours["logWeights"], log_weights, rtol=1e-7, atol=1e-7)
    assert ours["estimate"] == pytest.approx(
        log_sum(log_weights.numpy()) - math.log(draws), **CLOSE
    )
    assert ours["ess"] == pytest.approx(ess.item(), rel=1e-5)
    error = log_mean_standard_error(ess, draws).item()
    assert ours["error"] == pytest.approx(error, rel=1e-5, abs=1e-7)
    shown = torch.tensor(ours["logWeights"], dtype=torch.float64)
    assert float(ours["k"]) == pytest.approx(pareto_k(shown).item(), **CLOSE)
    pictured = min(300, draws)
    np.testing.assert_allclose(ours["places"][: pictured * d], z[:pictured].flatten(), rtol=1e-9)
    most = min(30, draws)
    heaviest = log_weights.topk(most).values
    np.testing.assert_allclose(
        [float(value) for value in ours["heaviest"][:most]], heaviest, rtol=1e-7, atol=1e-7
    )


def test_weights_are_the_packages(js) -> None:
    """log_importance_weights, on the page's draws."""
    exact, x = model(2)
    ours = js(
        """((target) => {
            const proposal = { mean: [0.5, -0.2], width: [0.8, 1.1] };
            const sampler = createSampler(describeProposal(target, proposal), 3, 100);
            sampler.advance(100);
            return { z: sampler.places.slice(0, 200), logWeights: sampler.logWeights };
        })(createTarget(recorded.models[1], 1))"""
    )
    proposal = DiagonalNormal(
        torch.tensor([[0.5, -0.2]], dtype=torch.float64),
        2 * torch.tensor([[0.8, 1.1]], dtype=torch.float64).log(),
    )
    z = torch.tensor(ours["z"], dtype=torch.float64).reshape(100, 1, 2)
    theirs = log_importance_weights(x, exact.log_likelihood, proposal, z)

    np.testing.assert_allclose(ours["logWeights"], theirs[:, 0], rtol=1e-9)


@pytest.mark.parametrize("width", [[0.05, 0.05], [3.0, 0.05], [3.0, 3.0]])
@pytest.mark.parametrize("mean", [[4.0, 4.0], [-4.0, 4.0]])
def test_no_number_of_an_extreme_proposal_is_infinite_or_none(js, known, mean, width) -> None:
    d = known["d"]
    ours = js(
        f"""((target) => {{
            const known = describeProposal(target, proposal);
            const sampler = createSampler(known, 0, 1000);
            sampler.advance(1000);
            const {{ tally }} = sampler;
            const all = {{ known, tally, k: sampler.kHat(), draws: 1000 }};
            return {{ numbers: [known.kl, known.otherKl, known.tail, logMeanWeight(tally),
                logMeanStandardError(tally), effectiveSampleSize(tally)],
                text: verdict(all) + formatK(all.k) + formatCount(known.kl)
                    + formatCount(Math.log(1000) + known.logUseful) }};
        }})({known["js"]})""",
        proposal={"mean": mean[:d], "width": width[:d]},
    )
    assert all(isinstance(value, int | float) for value in ours["numbers"])
    assert not any(word in ours["text"] for word in ("NaN", "Infinity", "undefined"))


# What the widget suggests to look for


def runs(js, d: int, humps: int, preset: str, draws: int, seeds: int = 20) -> np.ndarray:
    """Off by, standard error, k-hat, effective share; a row for each seed."""
    rows = js(
        f"""Array.from({{ length: {seeds} }}, (_, seed) => {{
            const target = createTarget(recorded.models[{d - 1}], {humps});
            const known = describeProposal(target, presets(target).{preset});
            const sampler = createSampler(known, seed, {draws});
            sampler.advance({draws});
            const {{ tally }} = sampler;
            return [logMeanWeight(tally) - target.logMarginal, logMeanStandardError(tally),
                sampler.kHat(), effectiveSampleSize(tally) / {draws}];
        }})"""
    )
    return np.array([[float(value) for value in row] for row in rows])


@pytest.mark.parametrize("draws", [1000, 100_000])
def test_after_a_jump_the_band_of_a_narrow_proposal_believes_it_was_the_last(js, draws) -> None:
    off, error, k, _ = runs(js, 2, 1, "narrow", draws).T

    assert (off < 0).mean() > 0.75
    assert (np.abs(off) > 2 * error).mean() > 0.5
    assert (k > 0.7).mean() > 0.75


@pytest.mark.parametrize("draws", [1000, 100_000])
def test_on_one_of_two_humps_every_diagnostic_is_content(js, draws) -> None:
    off, error, k, share = runs(js, 1, 2, "shifted", draws).T

    # Of a hundred thousand draws a few may reach the valley, which tells.
    content = (np.abs(off + math.log(2)) < 0.05) & (error < 0.02) & (k < 0.7) & (share > 0.9)
    assert content[0]  # the seed that a reader meets first
    assert content.mean() > (0.9 if draws == 1000 else 0.5)
    assert off.max() < -0.5


def test_one_draw_of_the_posterior_is_enough(js) -> None:
    off, _, k, share = runs(js, 1, 1, "posterior", 10).T

    assert np.abs(off).max() < 1e-9
    assert share == pytest.approx(1)
    assert np.isinf(k).all()


def test_no_proposal_of_its_shape_fits_a_slanting_posterior(js) -> None:
    """With two latents the best one still has weights with a tail."""
    ours = js(
        "((t) => describeProposal(t, presets(t).posterior))(createTarget(recorded.models[1], 1))"
    )

    assert ours["kl"] > 0.2
    assert 0.3 < ours["tail"] < 0.5
