"""Executing the chapters: again whenever anything that their outputs depend on has changed.

jupyter-cache looks at a notebook's own code, not at what it imports. So each state of the
package and of the results it ships has a cache of its own, in a folder named by its hash.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.config import Config

# Under these, every file that git would keep; a notebook's output may depend on any of them.
SOURCES = ("vaelab", "experiments/results", "claims.yml", "constraints.txt", "requirements.txt")


def source_files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = root / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (f for f in files if f.is_file() and "__pycache__" not in f.parts)


def digest(root: Path) -> str:
    """A short hash of the sources' names and bytes."""
    hasher = hashlib.sha256()
    for path in source_files(root):
        content = path.read_bytes()
        # The length keeps "ab" + "c" apart from "a" + "bc".
        hasher.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        hasher.update(content)
    return hasher.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    # Kernels inherit the environment. tasks.py sets these too; here they also reach whoever
    # calls jupyter-book by hand.
    os.environ.setdefault("VAELAB_HOST", "static")
    os.environ.setdefault("VAELAB_CLAIMS", "strict")

    caches = Path(app.outdir).parent / ".jupyter_cache"
    current = caches / digest(Path(app.srcdir))
    if caches.is_dir():
        for stale in caches.iterdir():
            if stale != current:
                shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    config.nb_execution_cache_path = str(current)


def forget_if_warned(app: Sphinx, exception: Exception | None) -> None:
    """Keep no state of a build that warned.

    Sphinx would take the page of a cell that failed for up to date, and the next strict build,
    with nothing to read, would pass.
    """
    if app._warncount:
        Path(app.doctreedir, ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", choose_cache)
    app.connect("build-finished", forget_if_warned)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
