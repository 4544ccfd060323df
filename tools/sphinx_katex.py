"""Formulas as finished HTML: a Sphinx math renderer on top of ``tools.katex``.

A formula that KaTeX cannot read is a warning, so the strict build fails and says where it stands.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from tools.katex import FormulaError, get_katex

logger = logging.getLogger(__name__)

# Sphinx numbers equations; left to itself KaTeX would number these environments again.
NUMBERED = re.compile(r"\\(begin|end)\{(equation|align|gather|alignat)\}")
PUNCTUATION = re.compile(r"[.,;:?!)\]’”]+")
SHORT = 25  # characters of TeX; a longer formula must be allowed to break


def prepare(formula: str) -> str:
    r"""What Sphinx's directives and MyST's dollars allow, as the one formula that KaTeX reads.

    A blank line starts a new row, and rows split by ``\\`` need an environment around them.
    """
    formula = NUMBERED.sub(r"\\\1{\2*}", formula.strip())
    formula = re.sub(r"\n\s*\n", r"\\\\\n", formula)
    if r"\\" in formula and r"\begin{" not in formula:
        formula = rf"\begin{{split}}{formula}\end{{split}}"
    return formula


def render(node: nodes.Element, *, display: bool) -> str:
    formula = node.astext()
    try:
        return get_katex().render(prepare(formula) if display else formula, display=display)
    except FormulaError as error:
        logger.warning("KaTeX cannot read this formula: %s", error, location=node, type="katex")
        return f"<code>{nodes.raw('', formula).astext()}</code>"


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    html = render(node, display=False)
    self.body.append(f"{self.starttag(node, 'span', '', CLASS='math notranslate')}{html}</span>")
    raise nodes.SkipNode


def visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    # The theme gives what has this class a tab stop while it is wider than its place.
    self.body.append('<div class="formula jp-RenderedHTMLCommon">')
    self.body.append(f"{render(node, display=True)}</div></div>\n")
    raise nodes.SkipNode


class KeepPunctuation(SphinxPostTransform):
    """Hold a short formula and the punctuation behind it on one line.

    Browsers break lines around a formula as around a picture, even before a full stop.
    """

    default_priority = 900

    def run(self, **kwargs: object) -> None:
        for node in list(self.document.findall(nodes.math)):
            place = node.parent.index(node)
            following = node.parent[place + 1 : place + 2]
            if not following or not isinstance(following[0], nodes.Text):
                continue
            text = following[0].astext()
            mark = PUNCTUATION.match(text)
            if mark and len(node.astext()) <= SHORT:
                together = nodes.inline("", "", node.deepcopy(), nodes.Text(mark[0]))
                together["classes"].append("with-punctuation")
                node.parent[place : place + 2] = [together, nodes.Text(text[mark.end() :])]


def write_assets(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        get_katex().write_assets(Path(app.outdir, "_static", "katex"))


def add_stylesheet(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if app.env.get_domain("math").has_equations(page):
        app.add_css_file("katex/katex.css")


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer(
        "katex", inline_renderers=(visit_inline, None), block_renderers=(visit_display, None)
    )
    app.add_post_transform(KeepPunctuation)
    app.connect("html-page-context", add_stylesheet)
    app.connect("build-finished", write_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
