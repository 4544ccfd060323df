"""An index on loopback and a project that installs from it."""

import functools
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.setup.standins import ROOT, Project, repack_setuptools, write_wheel
from tools.environment import pinned


class Index:
    """Two package indexes on loopback, "pypi" and "cpu", and what they were asked for."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        handler = functools.partial(Recorder, self.requests, directory=str(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Recorder(SimpleHTTPRequestHandler):
    def __init__(self, requests: list[str], *arguments, **options) -> None:
        self.requests = requests
        super().__init__(*arguments, **options)

    def log_message(self, *arguments: object) -> None:
        self.requests.append(self.path)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    folder = tmp_path / "indexes"
    version = pinned("torch").split("==")[1]
    write_wheel(folder / "cpu", "torch", f"{version}+cpu", ("filelock",))
    write_wheel(folder / "pypi", "torch", version, ("filelock", "cuda_stand_in"))
    for name in ("filelock", "cuda_stand_in", "reading", "testing"):
        write_wheel(folder / "pypi", name, "1.0")
    repack_setuptools(folder / "pypi")
    index = Index(folder)
    yield index
    index.close()


@pytest.fixture(scope="session")
def empty_venv(tmp_path_factory) -> Path:
    """A virtual environment with pip alone, made once because it takes seconds."""
    folder = tmp_path_factory.mktemp("venv") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


@pytest.fixture
def project(tmp_path: Path, index: Index) -> Project:
    """A project without .venv."""
    root = tmp_path / "a project"  # with a space, as many a reader's folder has
    project = Project(root, index.address)
    project.write("vaelab/__init__.py", '__version__ = "1.0"\n')
    pins = f"{pinned('torch')}\n{pinned('setuptools')}\nreading==1.0\n"
    project.write("requirements.txt", f"-c constraints.txt\n{pins}")
    project.write("requirements-dev.txt", "-r requirements.txt\ntesting==1.0\n")
    project.write("constraints.txt", "filelock==1.0\n")
    for name in (
        "tasks.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "NOTICE",
        "tools/__init__.py",
        "tools/environment.py",
    ):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return project


@pytest.fixture
def project_with_venv(project: Project, empty_venv: Path) -> Project:
    """A project whose .venv has nothing but pip."""
    shutil.copytree(empty_venv, project.root / ".venv", symlinks=True)
    return project
