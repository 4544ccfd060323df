"""What fails a build. A small book is built with the real configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.sphinx_execution import digest

ROOT = Path(__file__).resolve().parent.parent
BUILD = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
WORDS = "A short one ($y$), and\n\n$$\nx = 1\n$$ (first)"


class SmallBook:
    """A front page and one notebook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "_config.yml", folder)
        (folder / "_static").mkdir()
        shutil.copy(ROOT / "_static" / "favicon.svg", folder / "_static")
        (folder / "references.bib").write_text("")
        (folder / "_toc.yml").write_text("format: jb-book\nroot: intro\nchapters:\n- file: page\n")
        self.write("intro.md", "# Front\n\nSee {eq}`first`.")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def notebook(
        self, code: str, words: str = "A short one ($y$), and\n\n$$\nx = 1\n$$ (first)"
    ) -> None:
        cells = [new_markdown_cell(f"# Page\n\n{words}"), new_code_cell(code)]
        nbformat.write(new_notebook(cells=cells), self.folder / "page.ipynb")

    def build(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", BUILD, "build", ".", "-n", "-W", "--keep-going"],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def page(self) -> str:
        return (self.folder / "_build" / "html" / "page.html").read_text()


@pytest.fixture
def small_book(tmp_path: Path) -> SmallBook:
    return SmallBook(tmp_path)


def test_a_good_book_builds_once_and_then_from_its_cache(small_book: SmallBook) -> None:
    small_book.notebook("import os\nprint(os.environ['VAELAB_HOST'], os.environ['VAELAB_CLAIMS'])")
    stale = small_book.folder / "_build" / ".jupyter_cache" / "0123456789abcdef"
    stale.mkdir(parents=True)

    first = small_book.build()
    assert first.returncode == 0, first.stderr
    assert "Executed notebook" in first.stdout
    page = small_book.page()
    assert "static strict" in page
    assert 'class="katex-display"' in page
    assert re.search(r'class="with-punctuation"><span class="math.*</span>\),</span> and', page)
    assert not stale.exists()
    renamed = small_book.folder / "_build" / "html" / "chapters" / "renamed.html"
    renamed.parent.mkdir()
    renamed.write_text("the page of a chapter that has another name now")

    small_book.write("intro.md", "# Front again\n\nSee {eq}`first`.")
    second = small_book.build()
    assert second.returncode == 0, second.stderr
    assert not renamed.exists()
    assert (small_book.folder / "_build" / "html" / "search.html").exists()
    assert "Executed notebook" not in second.stdout

    # Now something that outputs depend on.
    (small_book.folder / "vaelab").mkdir()
    small_book.write("vaelab/new.py", "")
    third = small_book.build()
    assert third.returncode == 0, third.stderr
    assert "Executed notebook" in third.stdout
    assert len(list(stale.parent.iterdir())) == 1


def test_a_failing_cell_fails_every_build_and_says_why(small_book: SmallBook) -> None:
    small_book.notebook(
        "from vaelab.book.claims import claim\ngap = 2\nclaim('P022', gap < 1, f'{gap}')"
    )

    # Sphinx alone would find the page up to date the second time, and pass.
    for result in (small_book.build(), small_book.build()):
        assert result.returncode != 0
        assert "ClaimError" in result.stderr


def test_a_bad_formula_and_a_bad_reference_fail_the_build(small_book: SmallBook) -> None:
    small_book.notebook("1", "$$\n\\unknown{x}\n$$ (second)")

    result = small_book.build()

    assert result.returncode != 0
    assert "KaTeX cannot read this formula: Undefined control sequence" in result.stderr
    assert "equation not found: first" in result.stderr


def test_the_digest_sees_names_bytes_and_nothing_compiled(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "__pycache__").mkdir(parents=True)
    (package / "a.py").write_text("1")
    before = digest(package)

    (package / "__pycache__" / "a.pyc").write_text("compiled")
    assert digest(package) == before
    (package / "a.py").rename(package / "b.py")
    renamed = digest(package)
    (package / "b.py").write_text("2")
    assert len({before, renamed, digest(package)}) == 3
