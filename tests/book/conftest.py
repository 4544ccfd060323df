"""The built book, over http and from disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import serve

BOOK = Path(__file__).resolve().parents[2] / "_build" / "html"
WIDGET_MARK = "data-vaelab-widget="


def pages() -> list[str]:
    """Every page of the book, relative to its root; none where it is not built.

    Without ``index.html``, which only leads to the introduction and has a test of its own.
    """
    found = (path.relative_to(BOOK) for path in BOOK.rglob("*.html"))
    paths = sorted(path.as_posix() for path in found if "_static" not in path.parts)
    return [path for path in paths if path != "index.html"]


def pages_with(widget: str) -> list[str]:
    mark = f'{WIDGET_MARK}"{widget}"'
    return [page for page in pages() if mark in (BOOK / page).read_text(encoding="utf-8")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for ``page_path`` once for every page."""
    if "page_path" in metafunc.fixturenames:
        metafunc.parametrize("page_path", pages() or [None])


@pytest.fixture(scope="session")
def book() -> Path:
    if not (BOOK / "index.html").exists():
        pytest.skip("the book is not built: run `python tasks.py book` first")
    return BOOK


@pytest.fixture(scope="module")
def http(book: Path) -> Iterator[str]:
    with serve(book) as address:
        yield address


@pytest.fixture(scope="module", params=["http", "file"])
def address(request, book: Path) -> str:
    """The address of the book's root, in both ways in which it is read."""
    return request.getfixturevalue("http") if request.param == "http" else f"{book.as_uri()}/"


@pytest.fixture
def beta_latent_page(book: Path) -> str:
    found = pages_with("beta_latent")
    assert found, "no page of the book shows the main widget"
    return found[0]
