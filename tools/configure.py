"""Prepares the book for a published repository: launch buttons, and Colab's first code cell.

Usage: python -m tools.configure --repository owner/name

Before this has run no page has a launch button, for a button must lead somewhere. Running it
again, for the same repository or another, changes what the first run wrote and adds nothing.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import vaelab
from tools.notebooks import write as canonical

ROOT = Path(__file__).resolve().parents[1]

# Plain Python rather than %pip, so that a test can run it as it stands. vaelab's bounds are
# loose: Colab's own torch stays.
TITLE = "# On Colab this installs the book's package."
CELL = """\
# On Colab this installs the book's package. Anywhere else it does nothing.
try:
    import google.colab  # noqa: F401
except ImportError:
    pass
else:
    import subprocess
    import sys

    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    package = "vaelab @ git+https://github.com/{repository}@v{version}"
    subprocess.run([*pip, package], check=True)"""

BLOCKS = {
    "launch_buttons": """\
launch_buttons:
  thebe: false
  notebook_interface: jupyterlab
  binderhub_url: https://mybinder.org
  colab_url: https://colab.research.google.com
""",
    "repository": """\
repository:
  url: https://github.com/{repository}
  branch: main
  path_to_book: ""
""",
}


def configure(repository: str, root: Path = ROOT) -> None:
    """Write launch buttons into ``_config.yml`` and Colab's cell into every notebook.

    Args:
        repository: ``owner/name`` on GitHub.
        root: The project's folder.

    Raises:
        ValueError: If ``repository`` has another form.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", repository):
        raise ValueError(f"repository must look like owner/name, got {repository!r}")

    config = root / "_config.yml"
    text = with_blocks(config.read_text(encoding="utf-8"), repository)
    config.write_text(text, encoding="utf-8", newline="\n")

    # The sources as well as what is made from them, so that the two still agree.
    for folder in ("chapters", "assignments/source"):
        for path in sorted((root / folder).rglob("*.ipynb")):
            notebook = nbformat.read(path, as_version=4)
            add_colab_cell(notebook, repository)
            if path.parent == root / "chapters":
                # A test holds the chapters to the form in which tools.notebooks writes them.
                path.write_text(canonical(notebook), encoding="utf-8", newline="\n")
            else:
                nbformat.write(notebook, path)


def with_blocks(config: str, repository: str) -> str:
    """The configuration's text with our two blocks; comments elsewhere are kept."""
    for key, block in BLOCKS.items():
        block = block.format(repository=repository)
        config, found = re.subn(rf"^{key}:.*\n(?:[ \t]+.*\n)*", block, config, flags=re.MULTILINE)
        if not found:
            config = f"{config.rstrip()}\n\n{block}"
    # Written as text, it is read back as YAML: a slip would otherwise drop the buttons silently.
    assert yaml.safe_load(config)["repository"]["url"].endswith(repository)
    return config


def add_colab_cell(notebook: NotebookNode, repository: str) -> None:
    """Make Colab's cell the first code cell, in place of an older one."""
    cells = [cell for cell in notebook.cells if not cell.source.startswith(TITLE)]
    first_code = next(
        (index for index, cell in enumerate(cells) if cell.cell_type == "code"), len(cells)
    )
    cell = new_code_cell(
        CELL.format(repository=repository, version=vaelab.__version__),
        id="colab-setup",
        metadata={"tags": ["remove-cell"]},
    )
    if any(other.get("execution_count") for other in cells):
        cell.execution_count = 0  # to be counted below, as if it had run with the others
    cells.insert(first_code, cell)
    notebook.cells = cells
    renumber(notebook)


def renumber(notebook: NotebookNode) -> None:
    """Count the executed cells from 1, as a fresh run would."""
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.execution_count is not None:
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", required=True, metavar="OWNER/NAME")
    try:
        configure(parser.parse_args(arguments).repository)
    except ValueError as error:
        sys.exit(f"configure: {error}")
    print(
        f"Launch buttons and Colab's cell are in place. Commit the changes and tag the release "
        f"v{vaelab.__version__}: that tag is what Colab installs."
    )


if __name__ == "__main__":
    main()
