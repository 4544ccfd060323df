"""The pages that show the package: nothing public is missing, and what is written is laid out."""

from __future__ import annotations

import ast
import gzip
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from tools.api_names import Name, modules, public_names, rooms

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "_build" / "html" / "api"
NAMES = [(room, name) for room in rooms() for file in modules(room) for name in public_names(file)]


# What is shown


def test_every_room_has_its_page_in_the_table_of_contents() -> None:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    (front,) = [chapter for chapter in chapters if chapter["file"] == "api/index"]
    pages = [section["file"] for section in front["sections"]]

    assert sorted(pages) == [f"api/{room}" for room in rooms()]
    for page in pages:
        room = page.removeprefix("api/")
        text = (ROOT / f"{page}.rst").read_text(encoding="utf-8")
        assert text == f"vaelab.{room}\n{'=' * len(f'vaelab.{room}')}\n\n.. room:: {room}\n"


def test_public_names_are_found_where_one_imports_them() -> None:
    paths = [name.path for _, name in NAMES]

    assert len(paths) == len(set(paths))
    for path in (
        "vaelab.densities.kl_to_standard_normal",  # offered by the room, written in a file of it
        "vaelab.estimators.importance.importance_log_marginal",  # not offered by the room
        "vaelab.training.Trainer",  # a room of one file
        "vaelab.pretrained.load_vae",  # written in the room's own module
        "vaelab.objectives.audit.Verdict",  # offered by a folder of the room
        "vaelab.densities.LOG_2PI",  # a constant that the room offers
    ):
        assert path in paths
    for room, name in NAMES:
        assert name.path.startswith(f"vaelab.{room}.")
        module, _, last = name.path.rpartition(".")
        assert vars(sys.modules[module])[last] is name.value
    # Neither what a file imports, nor what it keeps to itself, nor what only chapters need.
    words = " ".join(paths)
    assert "log_binomial_coefficient" not in words  # which its room does not offer
    assert not re.search(r"\.Tensor\b|\.dataclass\b|\._|vaelab\.book", words)


def test_each_kind_of_name_is_shown_as_what_it_is() -> None:
    values = (rooms, cache(rooms), Name, ValueError, 1.5)
    shown = [Name("x", value).directive for value in values]

    assert shown == ["autofunction", "autofunction", "autoclass", "autoexception", "py:data"]


def test_a_constant_is_told_by_the_comment_above_it() -> None:
    (name,) = [name for _, name in NAMES if name.path == "vaelab.densities.LOG_2PI"]

    assert name.summary == "The logarithm of 2π."


# The built pages


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    if not BOOK.is_dir():
        pytest.skip("there is no built book: `python tasks.py book` makes it")
    return {path.stem: path.read_text(encoding="utf-8") for path in BOOK.glob("*.html")}


def listed(tree: ast.Module) -> list[str]:
    """``__all__``, without importing the file."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def written() -> dict[str, set[str]]:
    """What the source itself offers, by room: names, and ``Class.method`` of what has words.

    Read from the files, not from the package, so that what the pages are made with can't forget
    a name in both places.
    """
    trees = {
        path.relative_to(ROOT / "vaelab"): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "vaelab").rglob("*.py"))
    }
    found: dict[str, set[str]] = {}
    for path, tree in trees.items():
        room = path.parts[0].removesuffix(".py")
        if room in {"__init__", "book"}:
            continue
        names = found.setdefault(room, set())
        names.update(listed(tree))
        over = [trees.get(folder / "__init__.py") for folder in path.parents if folder.name]
        offers = {name for each in over if each for name in listed(each)}
        private = any(re.match("_[^_]", part) for part in path.parts)
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if node.name not in offers and (offers or private):
                continue
            names.add(node.name)
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                is_public = isinstance(inner, ast.FunctionDef) and inner.name[0] != "_"
                if is_public and ast.get_docstring(inner):
                    names.add(f"{node.name}.{inner.name}")
    return found


def test_the_source_offers_what_it_is_known_to_offer() -> None:
    found = written()

    assert {"LOG_2PI", "kl_normal"} <= found["densities"]
    assert {"VAE", "VAE.encode"} <= found["models"]
    assert "log_binomial_coefficient" not in found["densities"]
    assert sum(len(names) for names in found.values()) > 200


@pytest.mark.parametrize("room", rooms())
def test_no_public_name_is_forgotten(pages: dict[str, str], room: str) -> None:
    ids = re.findall(rf'id="vaelab\.{room}\.([\w.]+)"', pages[room])

    for name in written()[room]:
        assert any(each == name or each.endswith(f".{name}") for each in ids), name


def test_every_public_name_is_in_the_overview(pages: dict[str, str]) -> None:
    for room, name in NAMES:
        assert f'id="{name.path}"' in pages[room]
        assert f'href="{room}.html#{name.path}"' in pages["index"]
        assert name.summary, f"{name.path} says nothing: a constant needs a comment with `#:`"


def entry(page: str, path: str) -> str:
    """The HTML of one name, from its signature to the next name's that is no part of it."""
    _, _, rest = page.partition(f'<dt class="sig sig-object py" id="{path}">')
    return re.split(rf'<dt class="sig sig-object py" id="(?!{re.escape(path)}\.)', rest)[0]


@pytest.mark.parametrize("room", ["densities", "objectives", "exact", "estimators", "gap"])
def test_a_name_of_the_core_is_told_in_full(pages: dict[str, str], room: str) -> None:
    for name in (name for each, name in NAMES if each == room):
        html = entry(pages[room], name.path)
        fields = re.findall(r'<dt class="field-\w+">(\w+)<', html)
        if name.directive == "autofunction":
            assert 'class="katex-display"' in html, name.path
            assert {"Parameters", "Returns", "Source"} <= set(fields), name.path
            assert '<p class="rubric">Example</p>' in html, name.path
        elif name.directive == "autoclass":
            assert {"Parameters", "Attributes"} & set(fields), name.path


def test_a_page_is_light(pages: dict[str, str]) -> None:
    for page, html in pages.items():
        assert len(gzip.compress(html.encode())) < 100_000, page


def test_nothing_is_left_unread(pages: dict[str, str]) -> None:
    for page, html in pages.items():
        assert not re.findall(r"system-message|problematic|:(?:func|class|math|py:\w+):`", html), (
            page
        )
        # Headings of a docstring become fields; as text they would be a paragraph of their own.
        assert not re.findall(r"<p>(?:Args|Attributes|Returns|Raises|Source|Example):", html), page


def test_sections_formulas_and_sources_are_laid_out(pages: dict[str, str]) -> None:
    html = entry(pages["densities"], "vaelab.densities.kl_to_standard_normal")

    fields = re.findall(r'<dt class="field-\w+">(\w+)<', html)
    assert fields == ["Parameters", "Returns", "Raises", "Source"]
    # A sentence with a colon in it stays a sentence.
    assert "<p>KL in nats, shape <code" in html
    assert '<p class="rubric">Example</p>' in html
    assert 'class="katex-display"' in html
    assert re.search(
        r'<a [^>]*href="\.\./references\.html#\w+"[^>]*><span [^>]*>Kingma &amp;', html
    )


def test_a_class_shows_its_own_arguments(pages: dict[str, str]) -> None:
    # Sphinx would show those of the library's class that it comes from.
    html = entry(pages["widgets"], "vaelab.widgets.BetaLatent").partition("</dt>")[0]

    assert re.findall(r'sig-param"><span class="n"><span class="pre">(\w+)', html) == [
        "beta",
        "latent_dim",
        "image",
        "seed",
        "drawing",
        "unit",
        "draws",
        "view",
        "compare",
        "other_beta",
        "other_latent_dim",
    ]
    # Nobody calls a protocol.
    protocol = entry(pages["gap"], "vaelab.gap.Family").partition("</dt>")[0]
    assert "sig-param" not in protocol


def test_a_signature_is_no_list_of_definitions(pages: dict[str, str]) -> None:
    html = pages["densities"]

    # As such axe would refuse it.
    assert '<div class="sig-params">' in html
    assert not re.search(r'<dl>\s*<dd><em class="sig-param">', html)


# References


CONF = """
extensions = ["sphinxcontrib.bibtex", "tools.sphinx_api"]
bibtex_bibfiles = []
nitpicky = True
"""
INDEX = """
Front
=====

:func:`load_digits` of :class:`torch.Tensor`, or :func:`vaelab.data.load_digits`.

:func:`load_digitz` of :class:`torch.Tensr`.

.. room:: data
.. room:: cellar
"""


def test_references_lead_somewhere_or_are_reported(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(CONF)
    (tmp_path / "index.rst").write_text(INDEX)
    result = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", ".", "out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")

    # A short name leads to its entry; what belongs to other packages stays text.
    assert html.count('<a class="reference internal" href="#vaelab.data.load_digits"') == 2
    assert re.search(r'<code class="[^"]*py-class[^"]*"><span class="pre">torch.Tensor', html)
    complaints = result.stderr.splitlines()
    assert len([line for line in complaints if "WARNING" in line or "ERROR" in line]) == 3
    assert "py:func reference target not found: load_digitz" in result.stderr
    assert "py:class reference target not found: torch.Tensr" in result.stderr
    assert "vaelab has no room 'cellar'; there are: data, densities" in result.stderr
