"""Formulas rendered while the book is built."""

import re
from pathlib import Path

import pytest

from tools.katex import BUNDLE, FormulaError, Katex, get_katex
from tools.sphinx_katex import prepare

ELBO = r"\log p_\theta(x) \ge \mathbb{E}_{q}\!\left[\log\tfrac{p_\theta(x, z)}{q(z)}\right]"


def test_a_formula_is_drawn_and_said() -> None:
    html = get_katex().render(ELBO, display=True)

    assert 'class="katex-display"' in html
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in html
    # A screen reader gets the MathML, and not the boxes that draw it.
    assert '<span class="katex-html" aria-hidden="true">' in html


def test_inline_formulas_stay_in_the_line() -> None:
    assert "katex-display" not in get_katex().render("x", display=False)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (r"\unknown{x}", r"Undefined control sequence: \\.*"),
        (r"\frac{1}", "Unexpected end of input"),
        ("a & b", "Expected 'EOF', got '&'"),
        ("é", "LaTeX-incompatible input"),
    ],
)
def test_what_katex_cannot_read_is_one_short_line(formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        get_katex().render(formula, display=True)
    assert len(str(caught.value)) < 300


def test_script_and_stylesheet_are_of_one_version() -> None:
    katex = get_katex()

    assert f'content: "{katex.version}"' in katex.stylesheet()


def test_the_stylesheet_comes_with_its_fonts_and_no_others(tmp_path: Path) -> None:
    get_katex().write_assets(tmp_path)

    css = (tmp_path / "katex.css").read_text()
    named = set(re.findall(r"url\(([^)]+)\)", css))
    assert len(named) == 20
    assert {path.name for path in tmp_path.iterdir()} == named | {"katex.css"}
    assert all((tmp_path / name).read_bytes()[:4] == b"wOF2" for name in named)


def test_another_bundle_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is jupyterlab-myst installed"):
        Katex(bundle=tmp_path)
    assert BUNDLE.is_dir()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("x = 1", "x = 1"),
        (r"a \\ b", r"\begin{split}a \\ b\end{split}"),
        ("a\n\nb", "\\begin{split}a\\\\\nb\\end{split}"),
        (r"\begin{aligned}a\\b\end{aligned}", r"\begin{aligned}a\\b\end{aligned}"),
        # Numbered by Sphinx, so not by KaTeX too.
        (r"\begin{align}a\\b\end{align}", r"\begin{align*}a\\b\end{align*}"),
        (r"\begin{align*}a\end{align*}", r"\begin{align*}a\end{align*}"),
    ],
)
def test_what_sphinx_allows_becomes_what_katex_reads(written: str, read: str) -> None:
    assert prepare(written) == read
    assert get_katex().render(prepare(written), display=True)
