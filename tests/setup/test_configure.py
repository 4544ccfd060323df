"""Publishing: launch buttons, and Colab's cell, run in a clean environment."""

import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import vaelab
from tests.setup.standins import ROOT, repack_setuptools, write_wheel
from tools.configure import TITLE, configure
from tools.notebooks import check

REPOSITORY = "owner/name"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book of one chapter and one exercise, each already executed, not yet published."""
    shutil.copy(ROOT / "_config.yml", tmp_path)
    for name in (
        "chapters/01.ipynb",
        "chapters/exercises/01.ipynb",
        "assignments/source/1/1.ipynb",
    ):
        result = new_output("execute_result", {"text/plain": "2"}, execution_count=1)
        cells = [new_markdown_cell("# Title"), new_code_cell("1 + 1", outputs=[result])]
        cells[1].execution_count = 1
        (tmp_path / name).parent.mkdir(parents=True)
        nbformat.write(new_notebook(cells=cells), tmp_path / name)
    return tmp_path


def state(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_before_publishing_no_button_leads_nowhere() -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    if config.get("repository", {}).get("url"):
        return  # this copy of the book has been published

    assert not any(value for value in config.get("launch_buttons", {}).values())


def test_launch_buttons_lead_to_the_repository(book) -> None:
    before = (book / "_config.yml").read_text(encoding="utf-8")
    configure(REPOSITORY, book)
    after = (book / "_config.yml").read_text(encoding="utf-8")

    config, was = yaml.safe_load(after), yaml.safe_load(before)
    assert config["repository"]["url"] == "https://github.com/owner/name"
    assert config["launch_buttons"]["binderhub_url"] == "https://mybinder.org"
    assert config["launch_buttons"]["colab_url"] == "https://colab.research.google.com"
    # All else stays, comments included.
    changed = {"repository", "launch_buttons"}
    assert {key: config[key] for key in config.keys() - changed} == {
        key: was[key] for key in was.keys() - changed
    }
    comments = [line for line in before.splitlines() if line.startswith("#")]
    assert [line for line in after.splitlines() if line.startswith("#")] == comments


def test_colabs_cell_is_the_first_code_and_counts_go_on(book) -> None:
    configure(REPOSITORY, book)

    for path in book.rglob("*.ipynb"):
        title, colab, code = nbformat.read(path, as_version=4).cells
        assert title.source == "# Title"
        assert colab.source.startswith(TITLE)
        assert colab.metadata.tags == ["remove-cell"]
        assert f"github.com/owner/name@v{vaelab.__version__}" in colab.source
        assert (colab.execution_count, code.execution_count) == (1, 2)
        assert code.outputs[0].execution_count == 2


def test_chapters_keep_the_form_that_is_tested(book) -> None:
    configure(REPOSITORY, book)

    assert check(book / "chapters" / "01.ipynb") == ""


def test_a_second_time_changes_nothing(book) -> None:
    configure(REPOSITORY, book)
    once = state(book)
    configure(REPOSITORY, book)

    assert state(book) == once


def test_another_repository_takes_the_place_of_the_first(book) -> None:
    configure("first/one", book)
    configure("another/one", book)

    assert not any(b"first/one" in content for content in state(book).values())


@pytest.mark.parametrize("repository", ["name", "https://github.com/owner/name", "a/b/c", ""])
def test_an_address_of_another_form_is_refused(repository, book) -> None:
    before = state(book)
    with pytest.raises(ValueError, match="must look like owner/name, got"):
        configure(repository, book)

    assert state(book) == before


@pytest.fixture
def colab_cell(book) -> str:
    configure(REPOSITORY, book)
    return nbformat.read(book / "chapters" / "01.ipynb", as_version=4).cells[1].source


@pytest.fixture
def published(tmp_path: Path) -> dict[str, str]:
    """Settings by which git finds the repository here, with this vaelab under its release's tag."""
    repository = tmp_path / "published"
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "vaelab", repository / "vaelab", ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, repository)
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        [*author, "commit", "--quiet", "-m", "release"],
        ["tag", f"v{vaelab.__version__}"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{REPOSITORY}",
    }


@pytest.fixture
def colab(tmp_path: Path, empty_venv: Path) -> Path:
    """A clean Python with packages older than the book's, as Colab's may be."""
    venv = tmp_path / "colab"
    shutil.copytree(empty_venv, venv, symlinks=True)
    wheels = tmp_path / "colab-wheels"
    for name, version in {
        "torch": "2.5.1",
        "numpy": "1.26.4",
        "scipy": "1.13.0",
        "matplotlib": "3.8.0",
        "scikit_learn": "1.5.0",
        "safetensors": "0.4.5",
        "ipywidgets": "8.0.0",
        "PyYAML": "6.0.1",
    }.items():
        write_wheel(wheels, name, version)
    run(venv, "-m", "pip", "install", "--quiet", "--no-index", *map(str, wheels.rglob("*.whl")))
    return venv


def run(venv: Path, *arguments: str, **variables: str) -> str:
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    environment = {**kept, "PIP_CONFIG_FILE": os.devnull, **variables}
    command = [str(python), *arguments]
    result = subprocess.run(
        command, cwd=venv, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_on_colab_it_installs_vaelab_and_keeps_colabs_torch(
    colab_cell, colab, published, tmp_path
) -> None:
    (colab / "google" / "colab").mkdir(parents=True)
    (colab / "google" / "colab" / "__init__.py").touch()
    index = tmp_path / "missing"  # what Colab lacks comes from a package index
    write_wheel(index, "anywidget", "0.11.0")
    repack_setuptools(index)
    links = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": " ".join(map(str, index.iterdir()))}

    run(colab, "-c", colab_cell, **published, **links)

    found = run(
        colab,
        "-c",
        "import importlib.metadata as m, pathlib, vaelab\n"
        "print(m.version('vaelab'), m.version('torch'), m.version('anywidget'))\n"
        "print(sorted(path.name for path in pathlib.Path(vaelab.__file__).parent.rglob('*')))",
    )
    versions, files = found.splitlines()
    assert versions == f"{vaelab.__version__} 2.5.1 0.11.0"
    for path in (ROOT / "vaelab").rglob("*"):
        if path.suffix in {".py", ".js", ".css", ".safetensors", ".json"}:
            assert repr(path.name) in files, f"{path.name} is not in the installed package"


def test_anywhere_else_it_does_nothing(colab_cell, colab) -> None:
    run(colab, "-c", colab_cell)

    assert "vaelab" not in run(colab, "-m", "pip", "list")
