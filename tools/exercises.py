"""The students' notebooks in the book, made from the sources of the assignments.

Usage: python -m tools.exercises [assignments/source/NN_topic/NN_topic.ipynb ...]

For each source it writes ``chapters/exercises/NN_topic.ipynb``: questions, empty answers and
``check`` cells, without the tests that give marks. The solution of an odd-numbered question
is folded below its check, or below the cell where words are asked for; even-numbered ones
stay with the instructor, for courses to set.
"""

from __future__ import annotations

import copy
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

ROOT = Path(__file__).resolve().parent.parent
DELIMITER = re.compile(r"[ \t]*### (?:BEGIN|END) SOLUTION\n?")
SOURCES = ROOT / "assignments" / "source"
BOOK = ROOT / "chapters" / "exercises"

ABOUT = """\
In this book, the solutions of questions with odd numbers are folded below them. \
Those with even numbers are left to you, and to courses that set them. \
[Back to chapter {chapter}](../{stem}.ipynb)"""

SOLUTION = """\
<details>
<summary>Solution of {question}</summary>

{solution}

</details>"""


def main(arguments: list[str]) -> None:
    for source in map(Path, arguments) if arguments else sorted(SOURCES.glob("*/*.ipynb")):
        make(source, BOOK / source.name)
        print(f"chapters/exercises/{source.name} written from {source}")


def make(source: Path, target: Path) -> None:
    """Write one student's notebook, with its outputs."""
    notebook = student_notebook(source)
    run(notebook)
    nbformat.write(notebook, target)


def run(notebook: NotebookNode) -> None:
    """Fill in the outputs, and nothing that differs between machines or runs."""
    metadata = copy.deepcopy(notebook.metadata)
    NotebookClient(
        notebook,
        resources={"metadata": {"path": str(BOOK)}},
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    ).execute()
    notebook.metadata = metadata


def student_notebook(source: Path) -> NotebookNode:
    """The notebook that a reader opens, not yet run."""
    full = nbformat.read(source, as_version=4)
    title, *rest = zip(full.cells, without_solutions(full).cells, strict=True)
    about = ABOUT.format(chapter=source.stem[:2], stem=source.stem)
    cells = [title[1], markdown("about", about)]
    solution = None
    for answered, cell in rest:
        kind = cell.metadata.pop("nbgrader", {})
        if kind.get("grade") and not kind.get("solution"):
            continue
        cells.append(cell)
        if kind.get("solution"):
            solution = folded_solution(answered)
        # Code is followed by the question's check, and only then by its solution.
        if solution is not None and (kind.get("grade") or not kind):
            cells.append(solution)
            solution = None
    full.cells = cells
    return full


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """nbgrader's own rule, so that an empty answer looks the same here and in a course."""
    from nbgrader.preprocessors import ClearSolutions

    return ClearSolutions().preprocess(copy.deepcopy(notebook), {})[0]


def folded_solution(answer: NotebookNode) -> NotebookNode | None:
    """What the answer cell holds, folded away; ``None`` where the question's number is even."""
    grade_id = answer.metadata.nbgrader.grade_id
    chapter, number, *part = grade_id.split("-")
    if int(number) % 2 == 0:
        return None
    before, solution, after = DELIMITER.split(answer.source)
    if answer.cell_type == "code":
        solution = f"```python\n{before}{solution}{after}```"
    text = SOLUTION.format(
        question=f"{chapter}.{number}{''.join(part)}", solution=solution.strip("\n")
    )
    return markdown(f"q{grade_id}-solution", text)


def markdown(cell_id: str, text: str) -> NotebookNode:
    return new_markdown_cell(text, id=cell_id)


if __name__ == "__main__":
    main(sys.argv[1:])
