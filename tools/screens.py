"""A picture of every page of the built book, in both themes and at two widths, for a reviewer.

Usage: python -m tools.screens [chapters/03_naive_monte_carlo ...]

The pictures, and ``index.html`` with all of them side by side, go to ``_build/screens``. Results
that wait for a reader's guess are shown open (``?reveal``).
"""

from __future__ import annotations

import argparse
import html
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tools.chromium import system_chromium

ROOT = Path(__file__).resolve().parent.parent
HTML, SCREENS = ROOT / "_build" / "html", ROOT / "_build" / "screens"
THEMES, WIDTHS, HEIGHT = ("light", "dark"), (1280, 360), 900
LONGEST = 15_000  # pixels of a page that one picture holds: Chromium's limit is 16,384

SHEET = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Screens</title><style>
body {{ font: 1rem system-ui; margin: 1.5rem; background: #777; color: #fff; }}
div {{ display: flex; align-items: start; gap: 1rem; overflow-x: auto; }}
img {{ display: block; max-height: 40rem; max-width: 30rem; object-fit: cover;
       object-position: top; }}
figure {{ margin: 0; }} figcaption {{ font-size: 0.875rem; }}
</style></head><body><h1>{count} pages</h1>
{rows}
</body></html>
"""


def pages(folder: Path, wanted: list[str]) -> list[str]:
    """The pages of a built book, without what only leads elsewhere; those named, if any are.

    Raises:
        ValueError: If there is no built book, or no page of that name.
    """
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*.html")))
    names = [path.with_suffix("").as_posix() for path in found if "_static" not in path.parts]
    names = [name for name in names if name not in {"index", "genindex"}]
    if not names:
        raise ValueError("there is no built book: run `python tasks.py book` first")
    wanted = [Path(name).with_suffix("").as_posix() for name in wanted]
    for name in wanted:
        if name not in names:
            raise ValueError(f"the book has no page {name}; it has {', '.join(names)}")
    return wanted or names


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium, or Playwright's own.

    Raises:
        ValueError: If there is neither.
    """
    system = system_chromium()
    if system is None and not Path(playwright.chromium.executable_path).exists():
        raise ValueError(
            "no chromium was found: install it (Debian: `sudo apt-get install chromium`), or run "
            f"{sys.executable} -m playwright install chromium"
        )
    return playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])


def picture(page: Page, name: str, folder: Path) -> Iterator[Path]:
    """Take pictures of a page from top to bottom; most pages need one."""
    page.evaluate(  # what loads when it comes into view
        """async () => {
            for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
                scrollTo(0, y);
                await new Promise((resolve) => setTimeout(resolve, 60));
            }
            scrollTo(0, 0);
        }"""
    )
    page.wait_for_load_state("networkidle")
    size = page.evaluate("[document.documentElement.clientWidth, document.body.scrollHeight]")
    for part, top in enumerate(range(0, size[1], LONGEST)):
        path = folder / (f"{name}.png" if part == 0 else f"{name}-{part + 1}.png")
        clip = {"x": 0, "y": top, "width": size[0], "height": min(LONGEST, size[1] - top)}
        page.screenshot(path=path, full_page=True, clip=clip, animations="disabled")
        yield path


def take(html_folder: Path, folder: Path, names: list[str]) -> None:
    """Pictures of the pages, and the sheet that shows them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    taken: dict[str, list[Path]] = {name: [] for name in names}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for theme in THEMES:
            for width in WIDTHS:
                size = {"width": width, "height": HEIGHT}
                context = browser.new_context(viewport=size, color_scheme=theme)
                page = context.new_page()
                for name in names:
                    page.goto(f"{(html_folder / name).as_uri()}.html?reveal")
                    file = f"{name.replace('/', '-')}-{theme}-{width}"
                    taken[name] += picture(page, file, folder)
                context.close()
        browser.close()
    (folder / "index.html").write_text(sheet(taken), encoding="utf-8")


def sheet(taken: dict[str, list[Path]]) -> str:
    """The page that shows all pictures, a row for each page of the book."""
    rows = []
    for name, paths in taken.items():
        figures = "".join(
            f'<figure><a href="{path.name}"><img src="{path.name}" loading="lazy" alt=""></a>'
            f"<figcaption>{path.stem}</figcaption></figure>"
            for path in paths
        )
        rows.append(f"<h2>{html.escape(name)}</h2>\n<div>{figures}</div>")
    return SHEET.format(count=len(taken), rows="\n".join(rows))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.screens", description=__doc__)
    parser.add_argument("pages", nargs="*", help="without one, all")
    wanted = parser.parse_args(arguments).pages
    try:
        names = pages(HTML, wanted)
        take(HTML, SCREENS, names)
    except ValueError as error:
        print(f"screens: {error}", file=sys.stderr)
        return 1
    print(f"{len(names)} pages: {(SCREENS / 'index.html').as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
