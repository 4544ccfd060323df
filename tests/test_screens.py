"""The reviewer's pictures: which pages, what is said where something is missing, and the files."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

import tasks
from tools import screens
from tools.chromium import system_chromium


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book of three pages; the longest is dark where the reader's system is."""
    folder = tmp_path / "html"
    style = "<style>@media (prefers-color-scheme: dark) { html { background: #000; } }</style>"
    for name, height in {"index": 1, "intro": 100, "chapters/03_x": 2000, "_static/a": 1}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = f'<title>A page</title>{style}<body style="margin: 0; height: {height}px">'
        (folder / f"{name}.html").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ([], ["chapters/03_x", "intro"]),
        (["intro"], ["intro"]),
        (["chapters/03_x.ipynb", "intro.html"], ["chapters/03_x", "intro"]),
    ],
)
def test_pages_are_all_or_those_named(book, wanted, names) -> None:
    assert screens.pages(book, wanted) == names


def test_a_page_that_is_not_there_is_named(book) -> None:
    with pytest.raises(ValueError, match="has no page chapters/99; it has chapters/03_x, intro"):
        screens.pages(book, ["chapters/99"])


def test_without_a_book_it_says_how_to_make_one(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(screens, "HTML", tmp_path)

    assert screens.main([]) == 1
    assert "run `python tasks.py book` first" in capsys.readouterr().err


def test_without_a_browser_it_says_how_to_get_one(book, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(screens, "HTML", book)
    monkeypatch.setattr(screens, "SCREENS", tmp_path / "screens")
    monkeypatch.setattr(screens, "system_chromium", lambda: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))

    assert screens.main([]) == 1
    message = capsys.readouterr().err
    assert "no chromium was found" in message
    assert "-m playwright install chromium" in message


def provide_browser() -> None:
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if not (system_chromium() or own.exists()):
        pytest.skip("no browser: install Debian's chromium, or run `playwright install chromium`")


def test_every_page_is_pictured_in_both_themes_and_widths(book, tmp_path, monkeypatch) -> None:
    provide_browser()
    monkeypatch.setattr(screens, "LONGEST", 1500)
    folder = tmp_path / "screens"

    screens.take(book, folder, ["chapters/03_x", "intro"])

    pictures = {path.stem: Image.open(path).convert("L") for path in folder.glob("*.png")}
    # 2,000 pixels of height make two pictures, at either width and in either theme.
    assert len(pictures) == 12
    assert pictures["chapters-03_x-light-360"].size == (360, 1500)
    assert pictures["chapters-03_x-light-360-2"].size == (360, 500)
    assert pictures["intro-dark-1280"].width == 1280
    for name, picture in pictures.items():
        assert picture.getextrema() == ((0, 0) if "dark" in name else (255, 255))
    sheet = (folder / "index.html").read_text()
    assert set(re.findall(r'src="(.+?)\.png"', sheet)) == pictures.keys()


def test_the_verb_hands_over_what_it_was_given(monkeypatch) -> None:
    called = []
    monkeypatch.setattr(tasks, "ensure", lambda *_: None)
    monkeypatch.setattr(tasks, "provide_browser", lambda: None)
    monkeypatch.setattr(tasks, "run", lambda *arguments, **_: called.append(arguments))

    tasks.main(["screens", "intro", "claims"])

    assert called == [("-m", "tools.screens", "intro", "claims")]
