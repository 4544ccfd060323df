"""The lab in Python: its traits, drawings, and what it is without JavaScript."""

import re

import numpy as np
import pytest
from traitlets import TraitError

from vaelab.book.results import load_results
from vaelab.widgets import VAELab
from vaelab.widgets.vae_lab import drawing_text

# Python


def test_traits_say_what_they_allow() -> None:
    for name, value, rule in [
        ("dataset", "cubes", "dataset must be one of moons, ring"),
        ("latent_dim", 3, "latent_dim must be one of 1, 2"),
        ("beta", 3, "beta must be one of 0, 0.1"),
        ("learning_rate", float("nan"), "learning_rate must be one of"),
        ("noise", 0, "noise must be one of 0.05"),
        ("noise_mode", "free", "noise_mode must be one of fixed, learnt"),
        ("part", "neither", "part must be one of both, encoder, decoder"),
        ("seed", -1, "seed must be a whole number from 0 to 9999"),
        ("drawing", "abc", "drawing must be ~ and three letters a point"),
        ("drawing", "~" + "AAA" * 301, "at most 300 points, or empty, got '~AAA"),
        ("drawing", None, "got None: drawing_text"),
    ]:
        with pytest.raises(TraitError, match=re.escape(rule)):
            VAELab(**{name: value})


@pytest.mark.parametrize(
    ("points", "rule"),
    [
        (np.zeros((301, 2)), "at most 300, got (301, 2)"),
        (np.zeros(4), "got (4,)"),
        (np.array([[3.5, 0.0]]), "within -3 and 3"),
        (np.array([[np.nan, 0.0]]), "within -3 and 3"),
    ],
)
def test_points_that_cannot_be_drawn_are_refused(points, rule: str) -> None:
    with pytest.raises(ValueError, match=re.escape(rule)):
        drawing_text(points)


def test_repr_repeats_the_call() -> None:
    widget = VAELab(dataset="ring", latent_dim=1, beta=0.1, drawing="~gQA")

    assert repr(widget) == "VAELab(dataset='ring', drawing='~gQA', latent_dim=1, beta=0.1)"


def test_without_javascript_the_recorded_figures_are_there() -> None:
    text = VAELab.fallback_html().replace("\N{MINUS SIGN}", "-")
    for run in load_results("vae_lab")["runs"]:
        assert f"<td>{run['log_marginal']:.2f}</td>" in text
        assert f"<td>{run['elbo']:.2f}</td>" in text
