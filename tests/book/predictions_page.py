"""A small page that has a prediction of each kind."""

import os
import subprocess
import sys
from pathlib import Path

from vaelab.book.predictions import (
    Prediction,
    Reveal,
    choice,
    linear_slider,
    log_slider,
    predict,
)
from vaelab.book.predictions.page import question_html, reveal_html
from vaelab.widgets._host import style_text

ROOT = Path(__file__).resolve().parents[2]
SECRETS = [f"The {which} secret." for which in ("first", "second", "third")]


CONF = """
extensions = ["tools.sphinx_predictions"]
html_theme = "basic"
html_theme_options = {"body_min_width": 0}
html_favicon = "icon.svg"
exclude_patterns = ["_build"]
"""


def cell(shown: Prediction | Reveal) -> str:
    """An output as Sphinx reads it from a notebook's cell."""
    html = question_html(shown) if isinstance(shown, Prediction) else reveal_html(shown)
    return f".. container:: cell\n\n   .. raw:: html\n\n      {html}"


def told(prediction: Prediction, truth: float | str) -> str:
    return cell(Reveal(prediction, truth, prediction.answer.label(truth)))


def source() -> str:
    """A page with a question of every kind, and two that share a result."""
    share = linear_slider(0, 100, "%")
    options = choice("the encoder", "it's the prior", "a mixture of the one, the other and both")
    log = predict("p03-log", "Of a million draws, how many count?", log_slider(1, 1e6, "draws"))
    which = predict("p03-choice", "Which one is better?", options)
    under, over = predict("p03-under", "First?", share), predict("p03-over", "Then?", share)
    parts = ["Page\n====", "`To it <#claim-P022>`_"]
    parts += ["One\n---", cell(log), SECRETS[0]]
    parts += ['.. raw:: html\n\n   <p id="claim-P022">A claim</p>', told(log, 2800)]
    parts += ["Two\n---", cell(which), SECRETS[1], told(which, "it's the prior"), "It reads it."]
    parts += ["Three\n-----", cell(under), cell(over), SECRETS[2], told(under, 16), told(over, 95)]
    parts += ["Recap\n-----", "The end.", ".. toctree::\n\n   plain"]
    # As a widget further down brings it.
    style = style_text("fit_q").replace("\n", " ")
    return "\n\n".join([*parts, f".. raw:: html\n\n   <style>{style}</style>"])


def build(folder: Path) -> Path:
    """Build a small site, in a theme that adds nothing; gives the folder of its pages."""
    (folder / "index.rst").write_text(source(), encoding="utf-8")
    (folder / "plain.rst").write_text("Plain\n=====\n", encoding="utf-8")
    (folder / "conf.py").write_text(CONF)
    (folder / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    made = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", folder, folder / "_build"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return folder / "_build"
