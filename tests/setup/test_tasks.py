"""tasks.py itself: old Pythons, the help, serving, and that every text names verbs that exist."""

import ast
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

import tasks

ROOT = Path(__file__).resolve().parents[2]
VERBS = {verb.__name__ for verb in tasks.VERBS} | {"help"}


def test_python_3_7_can_parse_it() -> None:
    ast.parse((ROOT / "tasks.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_nothing_newer_is_imported_before_the_version_is_checked() -> None:
    body = ast.parse((ROOT / "tasks.py").read_text(encoding="utf-8")).body
    checked = next(
        index
        for index, node in enumerate(body)
        if isinstance(node, ast.Expr) and ast.unparse(node) == "check_python()"
    )
    imported = {
        alias.name
        for node in body[:checked]
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {node.module for node in body[:checked] if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize("version", [(3, 7, 16), (3, 10, 1)])
def test_an_old_python_is_told_so_in_one_line(version, monkeypatch) -> None:
    monkeypatch.setattr(tasks, "works", lambda python: python == "python3.12")
    with pytest.raises(SystemExit) as stopped:
        tasks.check_python(version)

    message = stopped.value.code
    assert f"this is {version[0]}.{version[1]}" in message
    assert "run it with python3.12" in message
    assert "\n" not in message


def test_an_old_python_alone_is_told_where_newer_ones_are(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "works", lambda python: False)
    with pytest.raises(SystemExit, match=r"https://www\.python\.org/downloads/"):
        tasks.check_python((3, 8, 0))


def test_this_python_will_do() -> None:
    tasks.check_python((3, 11, 0))


def test_without_a_verb_the_help_is_shown(capsys) -> None:
    tasks.main([])

    text = capsys.readouterr().out
    for verb in VERBS:
        assert re.search(rf"^  {verb} +\S", text, flags=re.MULTILINE), verb


def test_make_has_the_verbs_that_need_no_argument() -> None:
    listed = re.search(r"^VERBS := (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)

    assert set(listed[1].split()) == VERBS - {"configure"}


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        ".ci/run",
        ".github/workflows/book.yml",
        "intro.md",
        "assignments/README.md",
    ],
)
def test_texts_name_verbs_that_exist(name) -> None:
    named = re.findall(r"python3? tasks\.py (\w+)", (ROOT / name).read_text(encoding="utf-8"))

    assert set(named) <= VERBS


@pytest.fixture
def commands(monkeypatch) -> list[tuple[str, ...]]:
    """What tasks.py would run, without installing or running anything."""
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks, "ensure", lambda *_: None)
    monkeypatch.setattr(tasks, "run", lambda *arguments, **_: called.append(arguments))
    return called


def test_results_repeats_the_runs_and_nothing_else(commands) -> None:
    tasks.main(["results"])

    runs = {path.stem for path in (ROOT / "experiments").glob("*.py")} - {"__init__"}
    assert set(commands) == {("-m", f"experiments.{run}") for run in runs}


def test_instructors_verbs_reach_their_tool(commands) -> None:
    tasks.main(["assignments", "autograde", "03_naive_monte_carlo", "--student", "ada"])

    expected = ("-m", "tools.assignments", "autograde", "03_naive_monte_carlo", "--student", "ada")
    assert commands == [expected]


def test_ci_runs_the_readmes_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^exec (.*?) </dev/null$", (ROOT / ".ci/run").read_text(), re.MULTILINE)

    assert command[1] == "python3 tasks.py test"
    assert command[1] in readme


def test_the_workflow_fits_githubs_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    workflow = ROOT / ".github/workflows/book.yml"

    subprocess.run([*check, "vendor.github-workflows", workflow], check=True)


def test_the_workflow_tests_before_it_publishes() -> None:
    text = (ROOT / ".github/workflows/book.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    commands = [step.get("run") for step in jobs["test"]["steps"]]

    assert "python tasks.py test" in commands
    assert "test" in jobs["publish"]["needs"]


def test_serving_needs_a_built_book(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tasks, "HTML", tmp_path)
    with pytest.raises(SystemExit, match=r"run `python tasks\.py book` first"):
        tasks.main(["serve"])


def test_a_taken_port_is_told_in_one_line(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tasks, "HTML", tmp_path)
    (tmp_path / "index.html").write_text("the book")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit, match="try --port") as stopped:
            tasks.main(["serve", "--port", str(taken.getsockname()[1])])
    assert "\n" not in stopped.value.code


def test_the_built_book_is_served_on_loopback(tmp_path) -> None:
    (tmp_path / "index.html").write_text("the book")
    code = (
        f"import pathlib, tasks; tasks.HTML = pathlib.Path({str(tmp_path)!r}); "
        "tasks.main(['serve', '--port', '0'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=-1, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
            with urllib.request.urlopen(address) as page:
                assert page.read() == b"the book"
        finally:
            server.kill()
