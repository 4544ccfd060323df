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
    output = new_output("stream", name="stdout", text=stored)
    cell = new_code_cell(code, execution_count=1, outputs=[output])
    nbformat.write(new_notebook(cells=[cell]), folder / "chapters" / "01.ipynb")


SKIPS = {
    "test_skips": "def test_it():\n    pytest.skip('no browser here')\n",
    "test_fixture_skips": (
        "@pytest.fixture\ndef browser():\n    pytest.skip('no browser here')\n"
        "def test_it(browser): pass\n"
    ),
    "test_mark_skips": (
        "@pytest.mark.skipif(True, reason='no browser here')\ndef test_it(): pass\n"
    ),
    "test_module_skips": "pytest.skip('no browser here', allow_module_level=True)\n",
}


def test_a_skip_is_a_failure_in_ci_and_there_alone(folder) -> None:
    for name, code in SKIPS.items():
        (folder / "tests" / f"{name}.py").write_text(f"import pytest\n{code}")

    here = run_pytest(folder)
    in_ci = run_pytest(folder, "--continue-on-collection-errors", ci="true")

    assert "4 skipped in" in here.stdout
    # A skip before the test itself, as a fixture does it, becomes an error.
    assert "1 failed, 3 errors in" in in_ci.stdout
    assert in_ci.stdout.count("in CI nothing may be skipped. ") >= 4
    assert in_ci.stdout.count("no browser here") >= 4


def test_a_warning_is_an_error(folder) -> None:
    code = "import warnings\ndef test_it():\n    warnings.warn('old')\n"
    (folder / "tests" / "test_warned.py").write_text(code)

    assert run_pytest(folder).returncode != 0


def test_a_notebook_must_print_what_it_stores(folder) -> None:
    # A test that passes, since pytest has a status of its own for a run without any.
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
