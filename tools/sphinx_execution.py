"""Executing the chapters: again whenever anything that their outputs depend on has changed.

jupyter-cache looks at a notebook's own code, not at what it imports. So each state of the
package and of the results it ships has a cache of its own, in a folder named by its hash.
"""

import hashlib
import os
import shutil
from pathlib import Path

from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.config import Config

# What the output of a notebook may depend on, besides its own code.
SOURCES = ("vaelab", "claims.yml", "constraints.txt", "requirements.txt")


def digest(*paths: Path) -> str:
    """A short hash of the names and bytes of files, and of all files in folders."""
    hasher = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                name = file.relative_to(path.parent).as_posix()
                content = file.read_bytes()
                # The length keeps "ab" and "c" apart from "a" and "bc".
                hasher.update(f"{name}\0{len(content)}\0".encode() + content)
    return hasher.hexdigest()[:16]


def choose_cache(app: Sphinx, config: Config) -> None:
    # Kernels inherit the environment. tasks.py sets these too; here they also reach whoever
    # calls jupyter-book by hand.
    os.environ.setdefault("VAELAB_HOST", "static")
    os.environ.setdefault("VAELAB_CLAIMS", "strict")

    caches = Path(app.outdir).parent / ".jupyter_cache"
    current = caches / digest(*(Path(app.srcdir, name) for name in SOURCES))
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
