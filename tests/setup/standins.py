"""Stand-ins for what setting up needs: tiny wheels, a package index on loopback, a project."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def write_wheel(folder: Path, name: str, version: str, requires: tuple[str, ...] = ()) -> Path:
    """A wheel whose module says which index it came from (the folder's name)."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {each}" for each in requires]
    contents = {
        f"{name}.py": f"index = {folder.name!r}\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    return pack(folder, f"{name}-{version}-py3-none-any.whl", contents)


def repack_setuptools(folder: Path) -> Path:
    """The wheel that this environment's setuptools came from: pip needs a real one to build."""
    installed = distribution("setuptools")
    made_by_pip = {"INSTALLER", "REQUESTED", "direct_url.json"}
    contents = {
        str(path): path.locate().read_bytes()
        for path in installed.files
        if path.suffix != ".pyc" and path.name not in made_by_pip and ".." not in path.parts
    }
    return pack(folder, f"setuptools-{installed.version}-py3-none-any.whl", contents)


def pack(folder: Path, name: str, contents: dict[str, str | bytes]) -> Path:
    package = folder / name.split("-")[0].replace("_", "-")
    package.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package / name, "w") as wheel:
        for path, content in contents.items():
            wheel.writestr(path, content)
    return package / name


class Project:
    """The project's own tasks.py, with stand-in requirements and a package index on loopback.

    Nothing of the machine's pip settings reaches it: a wheel found on a local disk would make
    every test of where torch comes from pass for the wrong reason.
    """

    def __init__(self, root: Path, address: str) -> None:
        self.root = root
        self.changes = [f"environment.CPU_INDEX = '{address}cpu/'"]
        self.changes.append("environment.CPU_GB = environment.CUDA_GB = 0")
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
        self.environment = {
            **{key: value for key, value in kept.items() if key not in {"GPU", "TORCH_INDEX"}},
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"{address}pypi/",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def tasks(self, verb: str, *changes: str, **variables: str) -> subprocess.CompletedProcess:
        """Run a verb, as ``python tasks.py`` does, after changing some of its constants."""
        code = ["import platform, tasks", "from tools import environment"]
        code += [*self.changes, *changes, f"tasks.main([{verb!r}])"]
        return subprocess.run(
            [sys.executable, "-c", "\n".join(code)],
            cwd=self.root,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
        )

    def python(self, code: str) -> str:
        """What a line of code prints in the project's .venv."""
        folder = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        command = [self.root / ".venv" / folder, "-c", code]
        # From another folder, or Python would find vaelab here whether it is installed or not.
        elsewhere = self.root.parent
        result = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=True)
        return result.stdout.strip()

    def torch(self) -> str:
        """Version of the torch in .venv, and the index it came from."""
        return self.python(
            "import torch, importlib.metadata as m; print(m.version('torch'), torch.index)"
        )
