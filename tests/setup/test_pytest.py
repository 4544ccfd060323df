"""How the tests are run: no silent skips in CI, strict notebooks, strict claims."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is tested as the project is."""
    for name in ("conftest.py", "pyproject.toml", "tests/nbval.cfg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("chapters", "vaelab"):
        (tmp_path / name).mkdir()
    return tmp_path


def run_pytest(folder: Path, *arguments: str, ci: str = "") -> subprocess.CompletedProcess:
    environment = {**os.environ, "CI": ci, "VAELAB_CLAIMS": "kind"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def notebook_that_prints(folder: Path, code: str, stored: str) -> None:
    cell = new_code_cell(code, outputs=[new_output("stream", name="stdout", text=stored)])
    nbformat.write(new_notebook(cells=[cell]), folder / "chapters" / "01.ipynb")


SKIPS = {
    "a test": "import pytest\ndef test_it():\n    pytest.skip('no browser here')\n",
    "a fixture": (
        "import pytest\n@pytest.fixture\ndef browser():\n    pytest.skip('no browser here')\n"
        "def test_it(browser):\n    pass\n"
    ),
    "a mark": (
        "import pytest\n@pytest.mark.skipif(True, reason='no browser here')\ndef test_it(): pass\n"
    ),
    "a module": "import pytest\npytest.skip('no browser here', allow_module_level=True)\n",
}


@pytest.mark.parametrize("code", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_is_a_failure_in_ci_and_there_alone(folder, code) -> None:
    (folder / "tests" / "test_skipped.py").write_text(code)
    # One that passes, since pytest has a status of its own for a run without any test.
    (folder / "tests" / "test_passed.py").write_text("def test_it(): pass\n")

    here, in_ci = run_pytest(folder), run_pytest(folder, ci="true")

    assert here.returncode == 0, here.stdout
    assert in_ci.returncode != 0
    assert "in CI nothing may be skipped" in in_ci.stdout
    assert "no browser here" in in_ci.stdout


def test_a_warning_is_an_error(folder) -> None:
    code = "import warnings\ndef test_it():\n    warnings.warn('old')\n"
    (folder / "tests" / "test_warned.py").write_text(code)

    assert run_pytest(folder).returncode != 0


def test_a_notebook_must_print_what_it_stores(folder) -> None:
    (folder / "tests" / "test_passed.py").write_text("def test_it(): pass\n")
    notebook_that_prints(folder, "print(1 + 1)", "3\n")

    assert run_pytest(folder).returncode == 0  # without --nbval, notebooks are left alone
    assert run_pytest(folder, "--nbval").returncode != 0

    notebook_that_prints(folder, "print(1 + 1)", "2\n")
    assert run_pytest(folder, "--nbval").returncode == 0


def test_notebooks_run_in_this_environment_with_strict_claims(folder) -> None:
    code = "import os, sys; print(sys.executable, os.environ['VAELAB_CLAIMS'])"
    notebook_that_prints(folder, code, f"{sys.executable} strict\n")

    result = run_pytest(folder, "--nbval")

    assert result.returncode == 0, result.stdout


def test_addresses_in_memory_may_differ(folder) -> None:
    notebook_that_prints(folder, "print(object())", "<object object at 0x7f0000000000>\n")

    result = run_pytest(folder, "--nbval")

    assert result.returncode == 0, result.stdout
