"""Setting up from nothing, a second time, after an interruption, and when something is lacking."""

import sys

import pytest

LINUX = "platform.system = lambda: 'Linux'"


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.startswith("tasks.py: ")


def test_a_fresh_machine_and_a_second_run(project, index) -> None:
    first = project.tasks("setup", LINUX)

    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stdout
    assert project.python("import vaelab; print(vaelab.__version__)") == "1.0"
    assert project.python("import reading; print(reading.index)") == "pypi"
    # A reader's environment is without what only tests need.
    assert project.python("import importlib.util as u; print(u.find_spec('testing'))") == "None"

    index.requests.clear()
    second = project.tasks("setup", LINUX)

    assert second.stdout == "Everything is installed.\n"
    assert index.requests == []


def test_new_pins_are_installed_and_nothing_else_is_made_anew(project_with_venv) -> None:
    project_with_venv.tasks("setup", LINUX)
    project_with_venv.write(".venv/kept", "")
    requirements = (project_with_venv.root / "requirements.txt").read_text()
    project_with_venv.write("requirements.txt", f"{requirements}testing==1.0\n")

    result = project_with_venv.tasks("setup", LINUX)

    assert result.returncode == 0, result.stderr
    assert project_with_venv.python("import testing; print(testing.index)") == "pypi"
    assert (project_with_venv.root / ".venv" / "kept").exists()


def test_what_tests_need_comes_with_test_alone(project_with_venv) -> None:
    ensure_dev = "tasks.VERBS[0].__globals__['ensure']('dev')"

    result = project_with_venv.tasks("help", LINUX, ensure_dev)

    assert result.returncode == 0, result.stderr
    assert project_with_venv.python("import testing; print(testing.index)") == "pypi"
    # The larger set holds the smaller: a reader's verb then has nothing to do.
    assert project_with_venv.tasks("setup", LINUX).stdout == "Everything is installed.\n"


def test_an_installation_cut_short_is_made_anew(project_with_venv) -> None:
    # What a killed pip may leave: our mark, and a package that looks installed but isn't whole.
    project_with_venv.write(".venv/unfinished", "")
    packages = project_with_venv.python("import sysconfig; print(sysconfig.get_path('purelib'))")
    half = f"{packages}/reading-1.0.dist-info/METADATA"
    project_with_venv.write(half, "Metadata-Version: 2.1\nName: reading\nVersion: 1.0\n")

    result = project_with_venv.tasks("setup", LINUX)

    assert result.returncode == 0, result.stderr
    assert "cut short" in result.stdout
    assert project_with_venv.python("import reading; print(reading.index)") == "pypi"


def test_a_kill_while_installing_leaves_the_mark(project_with_venv) -> None:
    die = "environment.install_torch = lambda: __import__('os')._exit(9)"

    assert project_with_venv.tasks("setup", LINUX, die).returncode == 9
    assert (project_with_venv.root / ".venv" / "unfinished").exists()


def test_a_venv_whose_python_is_gone_is_made_anew(project_with_venv) -> None:
    folder = project_with_venv.root / ".venv" / ("Scripts" if sys.platform == "win32" else "bin")
    for python in folder.glob("python*"):
        python.unlink()

    result = project_with_venv.tasks("setup", LINUX)

    assert result.returncode == 0, result.stderr
    assert project_with_venv.python("import reading; print(reading.index)") == "pypi"


def test_without_a_network(project_with_venv) -> None:
    result = project_with_venv.tasks("setup", LINUX, PIP_INDEX_URL="http://127.0.0.1:9/")

    assert result.returncode != 0
    assert one_line(result.stderr)
    assert "Check the network" in result.stderr


def test_losing_the_network_spares_what_was_installed(project_with_venv) -> None:
    project_with_venv.tasks("setup", LINUX)
    ensure_dev = "tasks.VERBS[0].__globals__['ensure']('dev')"

    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/"}
    result = project_with_venv.tasks("help", LINUX, ensure_dev, **offline)

    assert result.returncode != 0
    assert one_line(result.stderr)
    assert project_with_venv.tasks("setup", LINUX).stdout == "Everything is installed.\n"


def test_without_space(project) -> None:
    full = "environment.CPU_GB = 10**9"

    result = project.tasks("setup", full)

    assert result.returncode != 0
    assert one_line(result.stderr)
    assert "Make room" in result.stderr
    assert not (project.root / ".venv").exists()


def test_a_disk_that_fills_up_on_the_way(project_with_venv) -> None:
    # In pip's own process, the first file that a wheel unpacks is one too many.
    project_with_venv.write(
        "full/sitecustomize.py",
        "import shutil\n"
        "def full(*arguments, **options):\n"
        "    raise OSError(28, 'No space left on device')\n"
        "shutil.copyfileobj = full\n",
    )
    folder = str(project_with_venv.root / "full")

    result = project_with_venv.tasks("setup", LINUX, PYTHONPATH=folder)

    assert result.returncode != 0
    assert one_line(result.stderr)
    assert "disk is full" in result.stderr


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_without_the_venv_module(project, module) -> None:
    missing = f"__import__('sys').modules[{module!r}] = None"

    result = project.tasks("setup", missing)

    assert result.returncode != 0
    assert one_line(result.stderr)
    assert "apt-get install python" in result.stderr


def test_what_pip_says_is_shown_where_the_cause_is_not_known(project_with_venv) -> None:
    project_with_venv.write("constraints.txt", "reading==2.0\n")

    result = project_with_venv.tasks("setup", LINUX)

    assert result.returncode != 0
    assert "reading" in result.stderr
    assert result.stderr.endswith("What it said is above.\n")
