"""The ``{claims}`` directive: every claim with its verdict, what was measured, and its cell."""

from collections import Counter
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tools.claim_cells import chapter_title, measured_in
from vaelab.book.claims import Claim, load_claims

logger = logging.getLogger(__name__)


class ClaimsDirective(SphinxDirective):
    """All of ``claims.yml``, a section for each chapter."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / "claims.yml"))
        load_claims.cache_clear()
        claims = load_claims(root / "claims.yml")
        made: list[nodes.Node] = [self.counts(list(claims.values()))]
        by_chapter = sorted(claims.values(), key=lambda one: one.chapter)
        for chapter, group in groupby(by_chapter, key=lambda one: one.chapter):
            notebook = root / "chapters" / f"{chapter}.ipynb"
            self.env.note_dependency(str(notebook))
            made.append(self.section(notebook, list(group)))
        return made

    def counts(self, claims: list[Claim]) -> nodes.paragraph:
        numbers = Counter(one.verdict for one in claims)
        parts = ", ".join(f"{numbers[v]} {v}" for v in ("sound", "loose", "wrong") if numbers[v])
        return nodes.paragraph("", f"{len(claims)} claims so far: {parts}.")

    def section(self, notebook: Path, claims: list[Claim]) -> nodes.section:
        measured = measured_in(notebook)
        section = nodes.section(ids=[nodes.make_id(f"claims-{notebook.stem}")])
        section += nodes.title("", chapter_title(notebook))
        entries = nodes.definition_list(classes=["vaelab-claims"])
        entries += [self.entry(one, measured) for one in claims]
        section += entries
        return section

    def entry(self, one: Claim, measured: dict[str, str]) -> nodes.definition_list_item:
        term = nodes.term("", "", ids=[one.id.lower()])
        term += [nodes.strong("", one.id), nodes.Text(f", {one.verdict}")]
        said = nodes.definition("", self.paragraph("", one.claim))
        if one.correction:
            said += self.paragraph("Instead: ", one.correction)
        if one.id in measured:
            found = nodes.paragraph("", "", nodes.Text(f"Measured: {measured[one.id]} ("))
            target = self.env.app.builder.get_relative_uri(
                self.env.docname, f"chapters/{one.chapter}"
            )
            found += nodes.reference(
                "", f"the cell of {one.id}", refuri=f"{target}#claim-{one.id}", internal=True
            )
            found += nodes.Text(").")
            said += found
        else:
            logger.warning(
                "%s: the stored outputs of chapters/%s.ipynb do not show this claim; "
                "`python tasks.py notebooks` writes them",
                one.id,
                one.chapter,
                location=self.get_location(),
                type="claims",
            )
        return nodes.definition_list_item("", term, said)

    def paragraph(self, lead: str, text: str) -> nodes.paragraph:
        parsed, _ = self.parse_inline(text)
        return nodes.paragraph("", "", *([nodes.emphasis("", lead)] if lead else []), *parsed)


def setup(app: Sphinx) -> dict:
    app.add_directive("claims", ClaimsDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
