"""Rehearses Binder: its steps, in order, in a clean environment and on a copy of the project.

Usage: python -m tools.rehearse_binder FOLDER

Binder's image has a Python and little else; a new virtual environment stands in for it. FOLDER
must not exist yet. At the end the command that opens JupyterLab there is printed.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def rehearse(folder: Path) -> None:
    """Do in ``folder`` what Binder would do with this project."""
    named = (ROOT / "binder" / "runtime.txt").read_text().strip()
    here = "python-{}.{}".format(*sys.version_info)
    if named != here:
        sys.exit(f"binder/runtime.txt names {named}; rehearse with that, not with {here}.")

    project, environment = folder / "project", folder / "environment"
    unwanted = shutil.ignore_patterns(".venv", ".git", "_build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, project, ignore=unwanted)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)

    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for step in (
        ["python", "-m", "pip", "install", "--quiet", "-r", "binder/requirements.txt"],
        ["bash", "binder/postBuild"],
        ["python", "-c", "import torch, vaelab; print('torch', torch.__version__)"],
    ):
        started = time.perf_counter()
        subprocess.run(step, cwd=project, env={**os.environ, "PATH": path}, check=True)
        print(f"{time.perf_counter() - started:.0f} s: {' '.join(step)}", flush=True)
    print(f"\ncd {project} && PATH={environment / 'bin'}:$PATH jupyter lab --no-browser")


if __name__ == "__main__":
    rehearse(Path(sys.argv[1]).absolute())
