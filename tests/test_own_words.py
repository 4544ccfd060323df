"""The book covers a post's claims in its own words: no eight in a row are the post's.

The post itself is not here. ``post_eight_words.txt`` holds a digest of each of its runs of eight
words, made by ``python tests/test_own_words.py POST.md``.
"""

from __future__ import annotations

import hashlib
import re
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DIGESTS = Path(__file__).with_name("post_eight_words.txt")
RUN = 8


def words(text: str) -> list[str]:
    """The words of a text, without formulas, markup, case or punctuation."""
    text = re.sub(r"```{math}.*?```|\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.DOTALL)
    return re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", ""))


def runs(text: str) -> list[str]:
    """Every run of eight words."""
    found = words(text)
    return [" ".join(found[i : i + RUN]) for i in range(len(found) - RUN + 1)]


def digest(run: str) -> str:
    return hashlib.sha256(run.encode()).hexdigest()[:8]


@cache
def texts() -> dict[str, str]:
    """What readers are given to read, by where it stands."""
    found = {p.name: p.read_text(encoding="utf-8") for p in ROOT.glob("*.md")}
    for path in (*ROOT.glob("chapters/**/*.ipynb"), *ROOT.glob("assignments/source/**/*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        found[str(path.relative_to(ROOT))] = "\n".join(
            cell.source for cell in cells if cell.cell_type == "markdown"
        )
    for entry in yaml.safe_load((ROOT / "claims.yml").read_text(encoding="utf-8")):
        found[entry["id"]] = f"{entry['claim']}\n{entry.get('correction', '')}"
    return found


@pytest.mark.parametrize("place", texts())
def test_no_eight_words_in_a_row_are_the_posts(place: str) -> None:
    taken = set(DIGESTS.read_text(encoding="ascii").split())

    assert [run for run in runs(texts()[place]) if digest(run) in taken] == []


def test_case_and_marks_do_not_hide_a_copy() -> None:
    taken = DIGESTS.read_text(encoding="ascii").split()

    assert len(set(taken)) > 3000
    assert runs("One, two *three* four; five\nsix seven EIGHT nine") == [
        "one two three four five six seven eight",
        "two three four five six seven eight nine",
    ]


if __name__ == "__main__":
    post = Path(sys.argv[1]).read_text(encoding="utf-8")
    DIGESTS.write_text("\n".join(sorted({digest(run) for run in runs(post)})) + "\n")
