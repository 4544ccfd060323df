"""Which Chromium drives pages."""

from __future__ import annotations

import shutil

# The shell has no windows to draw and takes two thirds of the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")


def system_chromium() -> str | None:
    """Where the system's Chromium is, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)
