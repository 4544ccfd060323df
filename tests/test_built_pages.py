"""The built book as files: nothing from other hosts, no dead links, nothing left unrendered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from vaelab.book.claims import load_claims

BOOK = Path(__file__).resolve().parent.parent / "_build" / "html"
# What a browser fetches by itself; an <a> is followed by the reader.
FETCHED = {
    "audio": ["src"],
    "embed": ["src"],
    "iframe": ["src"],
    "image": ["href", "xlink:href"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "link": ["href"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "use": ["href", "xlink:href"],
    "video": ["src", "poster"],
}
# Names of XML vocabularies look like addresses and are none.
ADDRESS = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)


@dataclass
class Contents(HTMLParser):
    """What a test asks of a page."""

    fetched: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    images_without_alt: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.fetched += [given[name] for name in FETCHED.get(tag, []) if given.get(name)]
        self.inline.append(given.get("style", ""))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if given.get("id"):
            self.ids.append(given["id"])
        if tag == "img" and not given.get("alt", "").strip():
            self.images_without_alt.append(given.get("src", ""))
        if tag in {"script", "style", "pre", "code", "annotation"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside and self.inside[-1] in {"script", "style"}:
            self.inline.append(data)
        elif not self.inside:
            self.text.append(data)


@cache
def contents(path: Path) -> Contents:
    page = Contents()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def pages() -> list[Path]:
    return sorted(path for path in BOOK.rglob("*.html") if "_static" not in path.parts)


def for_each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "path", paths, ids=lambda path: path.relative_to(BOOK).as_posix()
    )


every_page = for_each(pages())


def test_the_book_is_built() -> None:
    if not pages():
        pytest.skip("there is no built book: `python tasks.py book` makes it")


def from_elsewhere(page: Contents) -> list[str]:
    """What a page would fetch from other hosts: by its elements, its scripts or its styles."""
    found = [url for url in page.fetched if urlsplit(url).netloc]
    return found + [url for text in page.inline for url in ADDRESS.findall(text)]


@every_page
def test_nothing_is_fetched_from_another_host(path: Path) -> None:
    assert from_elsewhere(contents(path)) == []


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://host.example/a.js"></script>',
        '<script async>import("https://host.example/a.js")</script>',
        '<link rel="stylesheet" href="//host.example/a.css">',
        "<style>@import '//host.example/a.css';</style>",
        '<p style="background: url(https://host.example/a.png)">',
        '<svg><image href="https://host.example/a.png"/></svg>',
    ],
)
def test_a_request_to_another_host_would_be_seen(html: str) -> None:
    page = Contents()
    page.feed(html)

    assert len(from_elsewhere(page)) == 1


def test_a_link_for_the_reader_is_no_request() -> None:
    page = Contents()
    page.feed('<a href="https://host.example/">A host</a><svg xmlns="http://www.w3.org/2000/svg"/>')

    assert from_elsewhere(page) == []


@for_each(sorted(BOOK.rglob("*.css")))
def test_no_stylesheet_fetches_from_another_host(path: Path) -> None:
    css = path.read_text(encoding="utf-8")
    urls = re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", css)

    assert [url for pair in urls for url in pair if urlsplit(url).netloc] == []


@every_page
def test_every_link_and_file_within_the_book_is_there(path: Path) -> None:
    page = contents(path)
    missing = []
    for url in page.fetched + page.links:
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file() or (
            parts.fragment and unquote(parts.fragment) not in contents(target).ids
        ):
            missing.append(url)
    assert missing == []


@every_page
def test_ids_are_not_given_twice(path: Path) -> None:
    ids = contents(path).ids
    # The theme's search page has a second search field over the page.
    known = {"search-input"} if path.name == "search.html" else set()

    assert {name for name in ids if ids.count(name) > 1} == known


@every_page
def test_no_mathematics_is_left_as_source(path: Path) -> None:
    text = "".join(contents(path).text)

    assert re.findall(r"\\\(|\\\[|\$\$|\\begin\{|\\(?:frac|log|mathrm|theta)\b", text) == []


@every_page
def test_there_is_no_second_way_to_run_code_or_mathematics(path: Path) -> None:
    html = path.read_text(encoding="utf-8").lower()

    # The last would be half a megabyte to draw what the icons' font draws.
    traces = ("mathjax", "thebe_js_url", "widget-state+json", "require.min.js", "js/all.min.js")
    for trace in traces:
        assert trace not in html, trace


@every_page
def test_every_picture_says_what_it_shows(path: Path) -> None:
    assert contents(path).images_without_alt == []


@for_each([path for path in pages() if "chapters" in path.parts])
def test_a_chapter_can_be_downloaded_as_its_notebook(path: Path) -> None:
    sources = [url for url in contents(path).links if url.endswith(".ipynb")]

    assert sources
    assert all((path.parent / url).resolve().is_file() for url in sources)


def test_every_claim_stands_on_its_page_and_leads_to_its_cell() -> None:
    if not pages():
        pytest.skip("there is no built book: `python tasks.py book` makes it")
    page = contents(BOOK / "claims.html")

    # That the cell is there is the test of links above.
    for one in load_claims().values():
        assert one.id.lower() in page.ids
        assert f"chapters/{one.chapter}.html#claim-{one.id}" in page.links
