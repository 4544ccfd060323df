"""Corrections to what the theme and its companions put into pages.

Each names its reason. The browser tests find what is missing here: axe-core complains, the
console shows an error, or a page weighs more than it should.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config

from tools.sphinx_execution import digest

TOOLS = Path(__file__).parent

CORRECTIONS = {
    # Half a megabyte of script that turns icons into pictures; its font shows them as well.
    r'<script src="[^"]*fontawesome[^"]*\.js[^"]*"></script>': "",
    # Browsers load a font when it is needed; from file:// a preload is an error on the console.
    r'<link rel="preload"[^>]*/fa-(?:brands-400|regular-400|solid-900)\.woff2"\s*/>': "",
    # The book's name, above the navigation, was part of no landmark.
    r'<div class="bd-sidebar-primary bd-sidebar([^"]*)">': (
        r'<div class="bd-sidebar-primary bd-sidebar\1" role="complementary" aria-label="Book">'
    ),
    # An icon alone says nothing to a screen reader.
    r'<summary>(<span class="toctree-toggle")': r'<summary aria-label="Pages below">\1',
    # Labels that differ from the words one sees: who speaks to a browser says what is seen.
    r'<summary aria-label="Toggle hidden content">': "<summary>",
    r'(<button class="btn search-button-field[^>]*?)\s+title="Search"\s+aria-label="Search"': r"\1",
    # A role that ARIA has given up, in a list without items.
    r'role="doc-biblioentry"': 'role="listitem"',
    # The theme gives what has the second class a tab stop while it is wider than its place.
    r'class="pst-scrollable-table-container"': (
        'class="pst-scrollable-table-container jp-RenderedHTMLCommon"'
    ),
    # The corner of a pandas table heads nothing.
    r"<th></th>": "<td></td>",
}
COMPILED = [(re.compile(pattern), mended) for pattern, mended in CORRECTIONS.items()]


def corrected(html: str) -> str:
    """The HTML of a page, or of a part of it, with every correction made."""
    for pattern, mended in COMPILED:
        html = pattern.sub(mended, html)
    return html


def is_for_thebe(script: object) -> bool:
    """Whether a script belongs to thebe, which is off: it would load from another host.

    sphinx-thebe adds its constants to every page all the same, and twice, which is an error.
    """
    attributes = getattr(script, "attributes", {})
    return "thebe" in f"{getattr(script, 'filename', '')} {attributes.get('body', '')}".lower()


def correct(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    context["script_files"] = [s for s in context["script_files"] if not is_for_thebe(s)]
    context["corrected"] = corrected
    # Follow the reader's system until they choose; unset, the theme says so on the console.
    context["default_mode"] = "auto"


def add_templates(app: Sphinx, config: Config) -> None:
    config.templates_path.append(str(TOOLS / "templates"))


def note_tools(app: Sphinx, config: Config) -> None:
    """Make every page again when a tool has changed, which Sphinx wouldn't see for itself."""
    config.tools_digest = digest(TOOLS)


def remove_stale_pages(app: Sphinx, exception: Exception | None) -> None:
    """Take away what earlier builds left: the page of a chapter that was renamed, say."""
    builder = app.builder
    if exception is not None or not isinstance(builder, StandaloneHTMLBuilder):
        return
    out = Path(builder.outdir)
    pages = {out / builder.get_outfilename(name) for name in app.env.found_docs}
    made_by_sphinx = {
        out / f"{name}.html" for name in ("genindex", "search", "index", "py-modindex")
    }
    for page in out.glob("**/*.html"):
        if page not in pages | made_by_sphinx and not page.relative_to(out).parts[0].startswith(
            "_"
        ):
            page.unlink()


def setup(app: Sphinx) -> dict:
    app.add_config_value("tools_digest", "", "env", str)
    app.connect("config-inited", add_templates)
    app.connect("config-inited", note_tools)
    # After the theme, which sets scripts and context at the default priority.
    app.connect("html-page-context", correct, priority=900)
    app.connect("build-finished", remove_stale_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
