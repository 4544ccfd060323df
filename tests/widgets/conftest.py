"""A widget's joined text in V8 without a browser, and pages with a widget for one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import serve
from tests.javascript import evaluator
from vaelab.widgets import REGISTRY, static_files
from vaelab.widgets._host import static_html


@pytest.fixture(scope="session")
def javascript() -> Callable[..., Any]:
    return evaluator("beta_latent")


PAGE = """<!doctype html>
<html lang="en" data-content_root="{root}"{attributes}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A page with a widget</title><link rel="icon" href="data:,"></head>
<body style="margin: 0 8px"><main><h1>A page with a widget</h1>
<div style="height: {above}px"></div>
{widget}
<h2 id="a-section">A section</h2><p style="height: 100vh"><a href="#a-section">To it</a></p>
</main></body></html>
"""


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> Path:
    """A folder with a small page for each widget, as a built book has it."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "_widgets").mkdir()
    (folder / "deeper").mkdir()
    for name, text in static_files().items():
        (folder / "_widgets" / name).write_text(text, encoding="utf-8")
    for name, widget in REGISTRY.items():
        state = {key: widget.class_traits()[key].default_value for key in widget.state_names}
        element = static_html(widget, state)
        for path, root, attributes, above in [
            (f"{name}.html", "", "", 0),
            (f"deeper/{name}.html", "../", "", 0),
            (f"{name}-far.html", "", "", 5000),
            (f"{name}-light.html", "", ' data-theme="light"', 0),
            (f"{name}-dark.html", "", ' data-theme="dark"', 0),
        ]:
            text = PAGE.format(root=root, attributes=attributes, above=above, widget=element)
            (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def disk(pages: Path) -> str:
    """The address of the pages on disk, which a browser trusts least."""
    return f"{pages.as_uri()}/"


@pytest.fixture(scope="module", params=["http", "file"])
def site(request, pages: Path) -> Iterator[str]:
    """The address of the pages, over http and then from disk."""
    if request.param == "file":
        yield f"{pages.as_uri()}/"
    else:
        with serve(pages) as address:
            yield address
