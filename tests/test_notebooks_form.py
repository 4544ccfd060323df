"""The canonical form of stored notebooks."""

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.claim_cells import CHAPTERS
from tools.notebooks import check, execute, main, read, write


@pytest.mark.parametrize("path", sorted(CHAPTERS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_chapters_are_canonical(path) -> None:
    assert check(path) == ""


def notebook(*cells: NotebookNode) -> NotebookNode:
    kernel = {"name": "other", "display_name": "Other"}
    return new_notebook(cells=list(cells), metadata={"kernelspec": kernel, "own": 1})


def code(source: str, *outputs: NotebookNode, **metadata: object) -> NotebookNode:
    return new_code_cell(source, outputs=list(outputs), execution_count=7, metadata=metadata)


def picture() -> NotebookNode:
    data = {"text/plain": "<Figure>", "image/png": "iVBORw0KGgo="}
    return new_output("display_data", data, metadata={"needs_background": "light"})


def test_writing_twice_changes_nothing() -> None:
    once = write(notebook(new_markdown_cell("# One"), code("plot()", picture())))

    assert write(read(once)) == once


def test_pictures_and_views_go_and_their_text_stays() -> None:
    view = {"text/plain": "Slider()", "application/vnd.jupyter.widget-view+json": {"model_id": "4"}}
    written = read(
        write(notebook(code("a", picture()), code("b", new_output("display_data", view))))
    )

    assert [cell.outputs[0].data for cell in written.cells] == [
        {"text/plain": "<Figure>"},
        {"text/plain": "Slider()"},
    ]
    assert written.cells[0].outputs[0].metadata == {}


def test_counts_run_from_one_over_cells_with_code() -> None:
    result = new_output("execute_result", {"text/plain": "2"}, execution_count=9)
    cells = [code("a"), code(""), new_markdown_cell("b"), code("1 + 1", result)]

    written = read(write(notebook(*cells)))

    counts = [cell.execution_count for cell in written.cells if cell.cell_type == "code"]
    assert counts == [1, None, 2]
    assert written.cells[3].outputs[0].execution_count == 2


def test_metadata_keeps_what_steers_and_nothing_else() -> None:
    kept = {"tags": ["hide-input"], "mystnb": {"image": {"alt": "A curve."}}}
    written = read(write(notebook(code("a", **kept, execution={"started": "now"}, collapsed=True))))

    assert written.cells[0].metadata == kept
    assert set(written.metadata) == {"kernelspec", "language_info"}
    assert written.metadata.kernelspec.name == "python3"
    assert written.metadata.language_info == {"name": "python"}


def test_ids_depend_on_what_cells_say() -> None:
    def ids(*sources: str) -> list[str]:
        written = read(write(notebook(*(code(source) for source in sources))))
        return [cell.id for cell in written.cells]

    assert ids("a", "b") == ids("a", "b")
    assert ids("a", "b")[1] == ids("new", "a", "b")[2]
    assert len(set(ids("a", "a", "a"))) == 3


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (new_output("error", ename="ValueError", evalue="no"), "stored an error: ValueError: no"),
        (new_output("display_data", {"image/svg+xml": "<svg/>"}), "made an SVG"),
    ],
)
def test_some_outputs_have_no_canonical_form(output: NotebookNode, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write(notebook(code("a", output)))


def test_check_names_the_line_that_differs(tmp_path, capsys) -> None:
    path = tmp_path / "03_x.ipynb"
    path.write_text(write(notebook(code("a"))))
    assert main(["--check", str(path)]) == 0

    path.write_text(path.read_text().replace('"execution_count": 1', '"execution_count": 5'))

    assert main(["--check", str(path)]) == 1
    assert "03_x.ipynb: not in canonical form, first at line 5" in capsys.readouterr().err


def test_execution_is_that_of_the_tests(tmp_path, monkeypatch) -> None:
    # Under a kernel, strict, and with the cells that only the build leaves out.
    monkeypatch.setenv("VAELAB_HOST", "static")
    one = notebook(
        code("import os\nprint(os.environ.get('VAELAB_HOST'), os.environ['VAELAB_CLAIMS'])"),
        code("print(1)\nprint(2)", tags=["skip-execution"]),
    )

    execute(one, tmp_path)

    assert [cell.outputs[0].text for cell in one.cells] == ["None strict\n", "1\n2\n"]


def test_nothing_is_written_when_a_cell_fails(tmp_path, capsys) -> None:
    path = tmp_path / "03_x.ipynb"
    nbformat.write(notebook(code("1 / 0")), path)
    before = path.read_bytes()

    assert main([str(path)]) == 1

    assert path.read_bytes() == before
    assert "a cell failed, nothing was written" in capsys.readouterr().err
