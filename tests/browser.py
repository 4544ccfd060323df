"""A real browser for tests: found on the machine, watched for errors and for requests."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

from tools.chromium import system_chromium

# What a browser does of its own accord would be taken for a request of the page's.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


def launch(playwright: Playwright) -> Browser:
    """Chromium: the system's, else Playwright's own; skips where there is neither."""
    system = system_chromium()
    if system is None and not Path(playwright.chromium.executable_path).exists():
        pytest.skip("no browser: install Debian's chromium, or run `playwright install chromium`")
    return playwright.chromium.launch(executable_path=system, args=ARGUMENTS)


@dataclass
class Watch:
    """What a page said and asked for."""

    page: Page
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, message) -> None:
        url = message.location.get("url", "")
        # A browser asks for favicon.ico of its own accord where a page names no icon.
        if message.type in {"error", "warning"} and not url.endswith("/favicon.ico"):
            self.problems.append(f"{message.type}: {message.text} ({url})")

    @property
    def outside(self) -> list[str]:
        """Requests that left the machine."""
        return [url for url in self.requests if not is_local(url)]

    def check(self) -> None:
        assert self.problems == []
        assert self.outside == []


def is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"file", "data", "blob", "about"} or parts.hostname == "127.0.0.1"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives the address."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def accessibility_problems(page: Page, within: str | None = None) -> list[str]:
    """What axe-core finds, one line for each rule and element."""
    # preload: axe would fetch style sheets anew, and look for those they import in the wrong place.
    options = {"resultTypes": ["violations"], "preload": False}
    # Of a formula, assistive technology reads the MathML; what is drawn is hundreds of elements.
    context = {"exclude": [[".katex-html"]]} | ({"include": [[within]]} if within else {})
    results = Axe().run(page, context=context, options=options)
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
