"""Results that wait for a reader's guess: finds them, wraps them, and ships what opens them.

``predict()`` and ``reveal()`` leave marks in the outputs of cells. What stands from the one to
the other, the cell with the answer included, becomes the result that the page's script closes.
So do the words that read the result, up to the next cell or heading; but where a question comes
next, they lead up to it, and stay. The code of a question says nothing that the question
doesn't, and is left out.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from vaelab.book.predictions.page import (
    QUESTION_MARK,
    REVEAL_MARK,
    TALLY,
    script_text,
    style_text,
)

logger = logging.getLogger(__name__)

SCRIPT, STYLE = "vaelab-predictions.js", "vaelab-predictions.css"
OPENING = '<div class="vaelab-result" data-predictions="{}">'


def ids_in(node: nodes.Node, mark: str) -> list[str]:
    """The ids of the questions, or of the answers, that the HTML within a node shows."""
    html = "".join(raw.astext() for raw in node.findall(nodes.raw) if raw["format"] == "html")
    return re.findall(f'{mark}="([^"]+)"', html)


def has_class(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Element) and name in node.get("classes", [])


def raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def wrap_results(section: nodes.section) -> list[str]:
    """Wrap each result that stands directly in a section; gives what the author has to mend."""
    problems: list[str] = []
    results: list[tuple[int, int, list[str]]] = []
    group: list[str] = []  # questions that one result answers
    waiting: list[str] = []  # those of them whose answer has not come yet
    first = 0
    # Subsections have their own turns, and what comes after one is always within another.
    children = [child for child in section.children if not isinstance(child, nodes.section)]
    for index, child in enumerate(children):
        asked, told = ids_in(child, QUESTION_MARK), ids_in(child, REVEAL_MARK)
        if asked and len(waiting) < len(group):
            problems.append(f"{asked[0]} is asked between the answers to other questions")
        if asked:
            group, waiting, first = group + asked, waiting + asked, index + 1
        for one in told:
            if one not in waiting or one in asked:
                problems.append(f"{one} is not asked in a cell above, under the same heading")
            else:
                waiting.remove(one)
        if group and not waiting:
            results.append((first, end_of_reading(children, index + 1), group))
            group = []
    problems += [f"{one} has no answer below, under the same heading" for one in waiting]

    for first, end, answers in reversed(results):
        section.insert(end, raw("</div>"))
        section.insert(first, raw(OPENING.format(" ".join(answers))))
    return problems


def end_of_reading(children: list[nodes.Node], after: int) -> int:
    """The index behind the words that stand from ``after`` on, if they lead to no question."""
    end = after
    while end < len(children) and not has_class(children[end], "cell"):
        end += 1
    leads_on = end < len(children) and ids_in(children[end], QUESTION_MARK)
    return after if leads_on else end


def drop_code_of_questions(doctree: nodes.document) -> None:
    for cell in list(doctree.findall(lambda node: has_class(node, "cell"))):
        if ids_in(cell, QUESTION_MARK):
            cell.children = [part for part in cell.children if not has_class(part, "cell_input")]


def find_results(app: Sphinx, doctree: nodes.document, page: str) -> None:
    asked = ids_in(doctree, QUESTION_MARK)
    if app.builder.format != "html" or not asked + ids_in(doctree, REVEAL_MARK):
        return
    problems = [f"{one} is asked twice" for one in {one for one in asked if asked.count(one) > 1}]
    drop_code_of_questions(doctree)
    for section in list(doctree.findall(nodes.section)):
        problems += wrap_results(section)
    for problem in problems:
        logger.warning("prediction %s", problem, location=page, type="predictions")
    next(doctree.findall(nodes.section)).append(raw(TALLY))


def add_files(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    if doctree is not None and ids_in(doctree, QUESTION_MARK):
        app.add_js_file(SCRIPT)
        app.add_css_file(STYLE)


def write_files(app: Sphinx) -> None:
    # Before the pages, whose links to a file carry a hash of it.
    if app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(script_text(), encoding="utf-8")
    (folder / STYLE).write_text(style_text(), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", write_files)
    app.connect("doctree-resolved", find_results)
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
