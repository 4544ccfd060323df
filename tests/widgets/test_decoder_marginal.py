"""The mathematics of the decoder and marginal widget, against PyTorch and quadrature."""

import json

import numpy as np
import pytest
import torch

from tests.javascript import evaluator
from tests.widgets.marginal_truth import held_out, marginal, model, odd_images
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.models.vae import VAE
from vaelab.widgets import DecoderMarginal, static_files

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def page():
    """V8 with the decoder of the page's own data file on the page's own lattice."""
    evaluate = evaluator("decoder_marginal")
    script = static_files()["decoder_marginal.js"]
    data = json.loads(script[script.index("] = ") + 4 : script.rindex(";")])
    evaluate(
        """(() => {
            globalThis.source = readDecoder(data);
            globalThis.lattice = decoderLattice(source.vae);
            while (!lattice.decodeNext());
            globalThis.brief = ({ x, shares, logLikelihood, ...rest }) => rest;
            return 0;
        })()""",
        data=data,
    )
    return evaluate


@pytest.mark.parametrize("kind", ["held out", "odd"])
def test_the_page_computes_what_pytorch_computes(page, kind: str) -> None:
    x = held_out()[::24] if kind == "held out" else odd_images()
    expected = marginal(x)

    ours = page("x.map((image) => brief(describeMarginal(lattice, image)))", x=x.tolist())

    def column(name: str) -> torch.Tensor:
        return torch.tensor([row[name] for row in ours], dtype=torch.float64)

    torch.testing.assert_close(column("logMarginal"), expected.log_marginal, **CLOSE)
    # Shares may be as small as 1e-16: to five digits, whatever their size.
    for name, value in [
        ("effectiveShare", expected.effective_share),
        ("priorMass", expected.prior_mass),
    ]:
        torch.testing.assert_close(column(name), value, rtol=1e-5, atol=0)
    torch.testing.assert_close(column("peak"), expected.peak, **CLOSE)


def test_a_drawing_pixel_by_pixel_is_the_drawing_at_once(page) -> None:
    """What differs from the image before is added and taken away; nothing must pile up."""
    generator = torch.Generator().manual_seed(0)
    flips = torch.randint(64, (400,), generator=generator).tolist()

    steps, at_once = page(
        """(() => {
            let last;
            const x = source.image(0);
            for (const pixel of flips) {
                x[pixel] = 1 - x[pixel];
                last = describeMarginal(lattice, x.slice(), last);
            }
            return [last, describeMarginal(lattice, x)].map(brief);
        })()""",
        flips=flips,
    )

    for name, value in at_once.items():
        assert steps[name] == pytest.approx(value, rel=1e-9), name


def test_the_page_reads_the_held_out_digits(page) -> None:
    images = page("[0, 1, 17, 359].map((i) => source.image(i))")

    np.testing.assert_array_equal(images, held_out()[[0, 1, 17, 359]].numpy())


def test_log_marginals_are_those_of_a_finer_grid(page) -> None:
    """The figure in decoder_lattice.js; and the error that the page shows is never too small."""
    fine = {"half_width": 6.0, "step": 0.03}
    truth = quadrature_log_marginal(held_out(), model().log_likelihood, 2, **fine)

    ours = page(
        "Array.from({ length: 360 }, (_, i) => describeMarginal(lattice, source.image(i)))"
        ".map(({ logMarginal, error }) => [logMarginal, error])"
    )
    log_marginal, reported = torch.tensor(ours, dtype=torch.float64).T

    assert truth.error.max() < 1e-3  # fine enough to be held against
    error = (log_marginal - truth.log_marginal).abs()
    assert error.max() < 3e-3
    assert (error <= reported + 1e-9).all()
    recorded = DecoderMarginal.recorded()["log_likelihood"]
    assert float(log_marginal.mean()) == pytest.approx(recorded, abs=1e-4)


def test_of_odd_images_the_reported_error_is_never_too_small(page) -> None:
    x = odd_images()
    wide = {"half_width": 16.0, "step": 0.08}
    truth = quadrature_log_marginal(x, model().log_likelihood, 2, **wide).log_marginal

    ours = page(
        "x.map((image) => describeMarginal(lattice, image))"
        ".map(({ logMarginal, error }) => [logMarginal, error])",
        x=x.tolist(),
    )

    for (log_marginal, reported), true in zip(ours, truth.tolist(), strict=True):
        assert abs(log_marginal - true) <= float(reported) + 1e-9
        assert abs(log_marginal - true) < 0.02


def test_the_point_shows_the_models_log_densities(page) -> None:
    z = torch.tensor([[0.0, 0.0], [-5.0, 5.0], [1.25, -0.3]], dtype=torch.float64)
    x = held_out()[:3]
    with torch.no_grad():
        expected = model().log_likelihood(x, z)
        prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)

    ours = page(
        "z.map((at, i) => [bernoulliLogLikelihood(x[i], decode(source.vae, at)),"
        " at.reduce((sum, value) => sum + standardNormalLogDensity(value), 0)])",
        z=z.tolist(),
        x=x.tolist(),
    )

    torch.testing.assert_close(
        torch.tensor(ours, dtype=torch.float64), torch.stack([expected, prior], 1), **CLOSE
    )


@pytest.mark.parametrize("gain", [0.0, 1.0, 40.0])
def test_any_decoder_gives_finite_numbers(page, gain: float) -> None:
    """No signal, random weights, and weights so large that every unit and pixel saturates."""
    vae = VAE(latent_dim=2, hidden=5, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(gain)
    weights = torch.cat([value.flatten() for value in vae.state_dict().values()])
    x = odd_images()[[0, 1, 6]]
    expected = marginal(x, vae)

    ours = page(
        """(() => {
            const vae = readVae(Float64Array.from(w), 0, { latentDim: 2, hidden: 5, pixels: 64 });
            const own = decoderLattice(vae);
            while (!own.decodeNext());
            return x.map((image) => brief(describeMarginal(own, image)));
        })()""",
        w=weights.tolist(),
        x=x.tolist(),
    )

    for i, row in enumerate(ours):
        assert row["logMarginal"] == pytest.approx(float(expected.log_marginal[i]), rel=1e-5)
        assert row["effectiveShare"] == pytest.approx(float(expected.effective_share[i]), rel=1e-5)
        assert row["priorMass"] == pytest.approx(float(expected.prior_mass[i]), rel=1e-5)
    if gain == 0.0:  # every z explains x alike: 99% of the posterior is 99% of the prior
        assert ours[0]["priorMass"] == pytest.approx(0.99, abs=1e-5)
        assert ours[0]["effectiveShare"] == pytest.approx(1, abs=1e-9)


def test_what_lies_beyond_the_disc_is_owned_up_to(page) -> None:
    """An integrand that grows to the rim has an infinite bound, which the panel says in words."""
    outcome = page(
        """(() => {
            const rim = Float64Array.from(lattice.ring, (ring) => ring / 10);
            const sum = rim.reduce((a, b) => a + b);
            return [latticeError(lattice, rim.map((v) => v / sum))];
        })()"""
    )

    assert outcome == ["Infinity"]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1, "100%"),
        (0.0995, "10%"),
        (0.0994, "9.9%"),
        (0.00123, "0.12%"),
        (0.0004, "1 in 2,500"),
        (1e-6, "1 in 1,000,000"),
        (3.81e-12, "4 × 10⁻¹²"),
        (6e-300, "6 × 10⁻³⁰⁰"),
    ],
)
def test_shares_are_said_in_words(page, share: float, text: str) -> None:
    assert page("formatShare(share)", share=share) == text


def test_a_contour_follows_its_level(page) -> None:
    """On a bowl the line of one level is a circle: closed, and of the right radius."""
    side = 41
    pieces = page(
        """contour(Float64Array.from({ length: side * side }, (_, i) =>
            -Math.hypot((i % side) - 20, Math.floor(i / side) - 20)), side, -12.3)""",
        side=side,
    )
    ends = np.array(pieces).reshape(-1, 2)

    np.testing.assert_allclose(np.hypot(*(ends - 20).T), 12.3, atol=0.02)
    _, counts = np.unique(ends.round(9), axis=0, return_counts=True)
    assert set(counts) == {2}  # each end is the next piece's start
    assert page("contour(new Float64Array(9), 3, 1)") == []


def test_the_plane_picture_takes_each_pixels_own_point(page) -> None:
    side, corner, centre = page(
        """(() => {
            const { side, points } = planePixels(lattice, 5);
            const at = (i) => lattice.places[points[i]].map((n) => n * lattice.step);
            return [side, at(0), at((side * side - 1) / 2)];
        })()"""
    )

    assert side == 125
    assert corner == pytest.approx([-4.96, 4.96])  # above, left
    assert centre == [0, 0]


@pytest.mark.parametrize(
    ("z", "step", "within"),
    [
        ([9, -1e9], 0.05, [5, -5]),
        ([0.026, -0.024], 0.05, [0.05, 0]),
        ([0.123, 1], None, [0.123, 1]),
    ],
)
def test_a_drag_stays_on_the_plane(page, z, step, within) -> None:
    assert page("withinPlane(z, 5, step)", z=z, step=step) == within


def test_a_quick_stroke_has_no_holes(page) -> None:
    cells = np.array(page("cellsBetween([0, 1], [7, 4])"))

    assert cells[0].tolist() == [0, 1]
    assert cells[-1].tolist() == [7, 4]
    assert np.abs(np.diff(cells, axis=0)).max() == 1
    assert page("cellsBetween([3, 3], [3, 3])") == [[3, 3], [3, 3]]


def test_the_strip_holds_every_digit(page) -> None:
    axis = page(
        "(({ place, ...rest }) => [rest, [-34, -9, -500].map(place)])(axisOver([-34, -9], 5))"
    )

    assert axis[0] == {"least": -35, "most": -5, "ticks": [-35, -30, -25, -20, -15, -10, -5]}
    assert axis[1] == pytest.approx([1 / 30, 26 / 30, 0])


# What the widget suggests to look for


def test_nearly_all_of_the_plane_decodes_to_something_else() -> None:
    mass = marginal(held_out()[::4]).prior_mass

    assert mass.median() < 0.08
    assert mass.max() < 0.25


def test_a_stray_pixel_costs_nats_and_a_scribble_many() -> None:
    digits = held_out()[:20]
    corner = digits.clone()
    assert (corner[:, 56] == 0).all()
    corner[:, 56] = 1  # below, left: where none of them has ink

    cost = marginal(digits).log_marginal - marginal(corner).log_marginal
    scribble = marginal(odd_images()).log_marginal

    assert cost.min() > 2
    assert scribble.max() < DecoderMarginal.recorded()["log_likelihood"] - 20
