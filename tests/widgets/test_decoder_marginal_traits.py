"""The decoder and marginal widget in Python: its traits, and what it is without JavaScript."""

import gzip

import numpy as np
import pytest
from traitlets import TraitError

from vaelab.widgets import DecoderMarginal, static_files

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
CROSS = "10000001" * 8


# Traits


def test_traits_read_and_write() -> None:
    widget = DecoderMarginal(image=np.int64(3), z1=np.float32(0.5))
    seen = []
    widget.observe(lambda change: seen.append((change.name, change.new)), ["z2", "drawing"])

    widget.z2 = -2
    widget.drawing = CROSS

    assert (widget.image, widget.z1, widget.z2) == (3, 0.5, -2.0)
    assert seen == [("z2", -2.0), ("drawing", CROSS)]
    widget.drawing = ""
    assert widget.state()["drawing"] == ""


@pytest.mark.parametrize("value", [5.01, -6, float("nan"), float("inf"), "1", None, True])
def test_a_latent_beyond_the_plane_is_refused(value) -> None:
    with pytest.raises(TraitError, match="z1 must be a number from -5 to 5, got ") as error:
        DecoderMarginal(z1=value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("value", ["01", CROSS + "1", CROSS[1:] + "2", 0, None, [1] * 64])
def test_a_drawing_is_64_zeros_and_ones(value) -> None:
    widget = DecoderMarginal(drawing=CROSS)
    with pytest.raises(TraitError, match="drawing must be 64 zeros and ones, or empty, got "):
        widget.drawing = value
    assert widget.drawing == CROSS


@pytest.mark.parametrize("value", [360, -1, 0.5, "0"])
def test_an_image_that_is_not_held_out_is_refused(value) -> None:
    with pytest.raises(TraitError, match="image must be a whole number from 0 to 359, got "):
        DecoderMarginal(image=value)


def test_repr_repeats_the_call() -> None:
    widget = DecoderMarginal(image=2, drawing=CROSS, z1=-0.25)

    assert repr(widget) == f"DecoderMarginal(image=2, drawing='{CROSS}', z1=-0.25)"


def test_without_javascript_the_recorded_averages_are_there() -> None:
    text = DecoderMarginal.fallback_html().replace("\N{MINUS SIGN}", "-")
    figures = DecoderMarginal.figures()

    assert f"<td>{figures['likelihood']['log_likelihood']:.2f}</td>" in text
    assert f"<td>{figures['elbo']:.2f}</td>" in text
    assert f"<td>{-figures['distortion']:.2f}</td>" in text


def test_its_data_are_small() -> None:
    assert len(gzip.compress(static_files()["decoder_marginal.js"].encode())) < 20_000
