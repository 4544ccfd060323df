"""Makes .venv and installs into it, for tasks.py. Standard library only.

Two sets of packages: "reader" is enough to build and read the book, "dev" also tests it.
A stamp in .venv says what a set was installed from, so a second run has nothing to do.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
UNFINISHED = VENV / "unfinished"  # there while something is being installed

REQUIREMENTS = {
    "reader": ["constraints.txt", "requirements.txt"],
    "dev": ["constraints.txt", "requirements.txt", "requirements-dev.txt"],
}
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CPU_GB, CUDA_GB = 3, 12  # .venv, pip's cache, and what is being unpacked


def stop(message: str) -> None:
    """End with one line for the user, and no traceback."""
    sys.exit(f"tasks.py: {message}")


def say(message: str) -> None:
    print(message, flush=True)  # at once, or it would come after what pip prints


def ensure(kind: str = "reader") -> None:
    """Make .venv hold a set of packages; do nothing if it does."""
    version = venv_version()
    if version and UNFINISHED.exists():
        say("The last installation was cut short.")
        version = None
    if version and is_current(kind, version):
        return
    if version is None:
        make_venv()
        version = venv_version()

    UNFINISHED.touch()
    # setuptools is to build vaelab; and as it is small, it finds a missing network out first.
    pip("--quiet", "-c", "constraints.txt", pinned("setuptools"))
    install_torch()
    say("Installing the other packages (about 250 MB; a minute or two).")
    pip("--quiet", "-r", REQUIREMENTS[kind][-1])
    pip("--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
    for each in {"reader", kind}:
        stamp(each).write_text(f"{fingerprint(each, version)}\n{chosen_torch()}")
    UNFINISHED.unlink()


def venv_version() -> str | None:
    """The version of .venv's Python; None if it is missing, broken or has lost its pip."""
    code = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        found = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def make_venv() -> None:
    version = "{}.{}".format(*sys.version_info)
    if Path(sys.prefix) == VENV:
        stop(".venv must be made anew, which it can't do itself: type `deactivate` and try again.")
    try:
        import ensurepip  # noqa: F401  (Debian packs it separately, and venv needs it)
        import venv  # noqa: F401
    except ImportError:
        stop(
            f"this Python has no venv module. On Debian or Ubuntu: sudo apt-get install "
            f"python{version}-venv; elsewhere, install Python from https://www.python.org."
        )
    check_space(CPU_GB)
    say(f"Making .venv with Python {version}.")
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if made.returncode:
        stop(f".venv could not be made: {(made.stdout + made.stderr).strip()}")


def check_space(gigabytes: float) -> None:
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < gigabytes:
        stop(
            f"{ROOT} has {free:.1f} GB free, and installing takes {gigabytes} GB. "
            "Make room, then run the same command again."
        )


def stamp(kind: str) -> Path:
    return VENV / f"installed-{kind}"


def fingerprint(kind: str, version: str) -> str:
    """What an installation depends on: Python, where the project lies, and the pins."""
    digest = hashlib.sha256(f"{version} {ROOT}".encode())
    for name in REQUIREMENTS[kind]:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_current(kind: str, version: str) -> bool:
    if not stamp(kind).exists():
        return False
    installed, _, torch = stamp(kind).read_text().partition("\n")
    return installed == fingerprint(kind, version) and chosen_torch() in ("", torch)


def pinned(package: str) -> str:
    """A package's line in requirements.txt, such as ``torch==2.13.0``."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{package}=="))


def chosen_torch() -> str:
    """The torch that the user asks for; empty for the usual one."""
    return os.environ.get("TORCH_INDEX") or ("gpu" if os.environ.get("GPU") == "1" else "")


def install_torch() -> None:
    """Install torch by itself: on Linux the plain package brings gigabytes of CUDA libraries.

    Only torch comes from PyTorch's index. Its dependencies come with the other packages, from
    where they were pinned.
    """
    torch = pinned("torch")
    choice = chosen_torch()
    if not choice and has(torch):
        return
    wanted = ["--no-deps", torch, *(["--force-reinstall"] if choice else [])]

    if index := os.environ.get("TORCH_INDEX"):
        say(f"Installing {torch} from {index}.")
        pip(*wanted, "--index-url", index)
        return
    if platform.system() != "Linux":
        say(f"Installing {torch} (about 120 MB).")
        pip(*wanted)
        return
    if not choice:
        say(f"Installing {torch} for the CPU (about 190 MB).")
        once = ["--retries", "0", "--timeout", "10"]
        if pip(*wanted, "--index-url", CPU_INDEX, *once, may_fail=True):
            return
        say("PyTorch's CPU index did not provide it, so the plain package is taken instead.")
    say(f"Installing {torch} with CUDA: 2.7 GB to download, about 7 GB on the disk.")
    check_space(CUDA_GB)
    pip(*wanted)


def has(requirement: str) -> bool:
    """Whether .venv holds this version of a package, whatever follows a plus sign."""
    name, version = requirement.split("==")
    code = f"from importlib.metadata import version; print(version({name!r}))"
    found = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True)
    return found.stdout.strip().split("+")[0] == version


def pip(*arguments: str, may_fail: bool = False) -> bool:
    """Run ``pip install`` in .venv, and put a failure into one line where its cause is plain."""
    command = [PYTHON, "-m", "pip", "--no-input", "--disable-pip-version-check", "install"]
    result = subprocess.run([*command, *arguments], cwd=ROOT, stderr=subprocess.PIPE)
    if result.returncode == 0:
        return True
    errors = result.stderr.decode(errors="replace")
    if "No space left on device" in errors:
        stop(
            f"the disk is full, or else the folder for temporary files, {tempfile.gettempdir()} "
            "(TMPDIR sets another). Make room, then run the same command again."
        )
    if may_fail:
        return False
    if re.search("connection broken|Max retries exceeded|timed out|Failed to connect", errors):
        UNFINISHED.unlink()  # pip changes nothing before it has everything: .venv is still good
        stop(
            "the packages could not be downloaded. Check the network (behind a proxy, set "
            "HTTPS_PROXY), then run the same command again."
        )
    sys.stderr.write(errors)
    stop("pip could not install what the book needs. What it said is above.")
