"""Every work that a docstring quotes as its source is in the book's list of references."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from pybtex.database import Entry, Person, parse_file
from pybtex.richtext import Text

import vaelab

PACKAGE = Path(vaelab.__file__).parent
LIBRARY = parse_file(str(PACKAGE.parent / "references.bib")).entries
NAME = r"(?:van )?[^\W\d_a-z][\w'’-]+"
QUOTED = re.compile(rf"({NAME})(?: (?:&|and) ({NAME}))?( et al\.)?\s+\((\d{{4}})\)")
SOURCE = re.compile(r"^Source:\n((?: +\S.*\n?)+)", re.MULTILINE)


class Work(NamedTuple):
    """As a docstring names it: one or two authors, or the first of several."""

    first: str
    second: str
    more: bool
    year: str


def quoted(docstring: str) -> set[Work]:
    text = " ".join(" ".join(section.split()) for section in SOURCE.findall(docstring))
    return {
        Work(first, second, bool(more), year) for first, second, more, year in QUOTED.findall(text)
    }


def surname(person: Person) -> str:
    parts = person.prelast_names + person.last_names
    return str(Text(" ").join(Text.from_latex(part) for part in parts))


def is_meant(entry: Entry, work: Work) -> bool:
    authors = [surname(person) for person in entry.persons["author"]]
    named = [name for name in (work.first, work.second) if name]
    enough = len(authors) > 2 if work.more else authors == named
    return enough and authors[: len(named)] == named and entry.fields["year"] == work.year


def docstrings() -> dict[str, str]:
    """Those of all modules, classes, functions and methods that quote a source."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                docstring = ast.get_docstring(node) or ""
                if "Source:" in docstring:
                    name = getattr(node, "name", "module")
                    found[f"{path.relative_to(PACKAGE)}: {name}"] = docstring
    return found


DOCSTRINGS = docstrings()


@pytest.mark.parametrize("name", DOCSTRINGS)
def test_sources_are_in_the_list_of_references(name: str) -> None:
    missing = {
        work
        for work in quoted(DOCSTRINGS[name])
        if not any(is_meant(entry, work) for entry in LIBRARY.values())
    }
    assert missing == set()


def test_no_source_is_overlooked() -> None:
    works = {work for docstring in DOCSTRINGS.values() for work in quoted(docstring)}
    assert len(DOCSTRINGS) > 100
    assert len(works) > 50
    years = re.compile(r"\((?:1[89]|20)\d\d\)")
    for name, docstring in DOCSTRINGS.items():
        section = " ".join(SOURCE.findall(docstring))
        assert len(years.findall(section)) == len(QUOTED.findall(" ".join(section.split()))), name


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("Sønderby et al. (2016), section 2.", "sonderby2016ladder"),
        ("Kloek & van Dijk (1978); or another.", "kloek1978bayesian"),
        ("MacKay (2003).", "mackay2003information"),
        ("Loaiza-Ganem &\n    Cunningham (2019).", "loaiza2019continuous"),
    ],
)
def test_a_quotation_finds_its_entry(source: str, key: str) -> None:
    (work,) = quoted(f"A line.\n\nSource:\n    {source}\n\nExample:\n    Nobody (2000)\n")
    assert [name for name, entry in LIBRARY.items() if is_meant(entry, work)] == [key]


@pytest.mark.parametrize(
    "source",
    [
        "Sønderby et al. (2017)",  # another year
        "Sønderby (2016)",  # five authors
        "Tipping et al. (1999)",  # two authors
        "Bishop & Tipping (1999)",  # the other way round
        "Nobody (2006)",
    ],
)
def test_a_quotation_that_is_wrong_is_found_out(source: str) -> None:
    (work,) = quoted(f"Source:\n    {source}")
    assert not any(is_meant(entry, work) for entry in LIBRARY.values())


@pytest.mark.parametrize("key", LIBRARY)
def test_entries_say_who_what_where_and_when(key: str) -> None:
    entry = LIBRARY[key]
    where = {"journal", "booktitle", "publisher", "institution", "note", "eprint"}
    assert entry.persons["author"]
    assert {"title", "year"} <= entry.fields.keys()
    assert where & entry.fields.keys()
    assert entry.fields["year"] in key
