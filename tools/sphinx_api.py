"""The API pages: ``.. room:: NAME`` shows a room of the package, ``.. rooms::`` sums up all.

Both read the package while the book is built (``tools.api_names``), so a new function or file
appears by itself; autodoc and napoleon write the entries.
"""

from __future__ import annotations

import inspect
import pydoc
import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.roles import XRefRole
from sphinx.util import inspect as sphinx_inspect
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode, nested_parse_with_titles

from tools.api_names import Name, first_paragraph, modules, public_names, rooms

# Napoleon would take what stands before a colon under Returns for a type; ours are sentences.
PROSE = re.compile(r"^(Returns|Source):\n +(?=\S)", re.MULTILINE)
SOURCE = re.compile(r"^:Source: (?:.+\n?)+", re.MULTILINE)
# Under Source: the authors and the year of a publication.
PUBLICATION = re.compile(r"\b[^\W\d_][\w.&’ -]*? \(\d{4}\)")


class Generated(SphinxDirective):
    """A directive that writes reST and has it parsed."""

    def parsed(self, lines: list[str]) -> list[nodes.Node]:
        container = nodes.Element()
        nested_parse_with_titles(
            self.state, StringList(lines, self.get_source_info()[0]), container
        )
        return container.children

    def depend_on(self, room: str) -> None:
        """Have the page made again when a file of the room changes, comes or goes."""
        for module in modules(room):
            path = Path(module.__file__)
            self.env.note_dependency(str(path))
            self.env.note_dependency(str(path.parent))


class RoomDirective(Generated):
    """One room: what it says of itself, and its public names, a section for each file."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        (room,) = self.arguments
        if room not in rooms():
            raise self.error(f"vaelab has no room {room!r}; there are: {', '.join(rooms())}")
        self.depend_on(room)
        lines: list[str] = []
        for module in modules(room):
            names = public_names(module)
            is_file = module.__name__ != f"vaelab.{room}"
            if is_file and names:
                lines += titled(f"``{module.__name__.split('.', 2)[2]}``")
            if names or not is_file:
                lines.append(f".. automodule:: {module.__name__}")
                # A function offered under the name of its file takes the place in the index.
                taken = any(name.path == module.__name__ for name in names)
                lines += ["   :no-index:", ""] if taken else [""]
            for name in names:
                lines += entry(name)
        return self.parsed(lines)


class RoomsDirective(Generated):
    """All rooms in the order of their pages, each with its names and what those are."""

    def run(self) -> list[nodes.Node]:
        pages = self.env.external_site_map[self.env.docname].child_files()
        order = [Path(page).name for page in pages]
        lines: list[str] = []
        for room in [*order, *(name for name in rooms() if name not in order)]:
            self.depend_on(room)
            lines += titled(f":doc:`vaelab.{room} <{room}>`")
            lines += [first_paragraph(modules(room)[0]), ""]
            for module in modules(room):
                for name in public_names(module):
                    lines += [f":py:obj:`~{name.path}`", f"    {name.summary}", ""]
        return self.parsed(lines)


def entry(name: Name) -> list[str]:
    """A public name with what its docstring says; a constant with its value if it is a number."""
    if name.directive == "py:data":
        module, _, last = name.path.rpartition(".")
        value = [f"   :value: {name.value:.6g}"] if isinstance(name.value, float) else []
        lines = [f".. py:data:: {last}", f"   :module: {module}", *value]
        return [*lines, "", f"   {name.summary}", ""]
    members = ["   :members:"] if name.directive != "autofunction" else []
    return [f".. {name.directive}:: {name.path}", *members, ""]


def titled(title: str) -> list[str]:
    return ["", title, "-" * len(title), ""]


def sentences_as_fields(app: Sphinx, what: str, name: str, value, options, lines: list[str]):
    """Before napoleon: Returns and Source as fields of words, publications as links."""
    known = published(app.env)

    def linked(found: re.Match) -> str:
        key = known.get(found[0])
        return f":published:`{found[0]} <{key}>`" if key else found[0]

    text = PROSE.sub(r":\1: ", "\n".join(lines))
    text = SOURCE.sub(lambda source: PUBLICATION.sub(linked, source[0]), text)
    lines[:] = text.split("\n")


def published(env: BuildEnvironment) -> dict[str, str]:
    """Entries of the bibliography by the words that docstrings use: ``Owen (2013)``."""
    keys: dict[str, str] = {}
    for key, entry in env.get_domain("cite").bibdata.data.entries.items():
        authors = [
            " ".join([*author.prelast_names, *author.last_names])
            for author in entry.persons.get("author", [])
        ]
        named = " & ".join(authors) if len(authors) <= 2 else f"{authors[0]} et al."
        keys[f"{named} ({entry.fields['year']})"] = key
    return keys


def mend_arguments(app: Sphinx, what: str, name: str, value, options, arguments, returns):
    """The arguments of a class, where Sphinx would show those of something else."""
    if getattr(value, "_is_protocol", False):
        return "", None  # nobody calls one
    if inspect.isclass(value) and "__init__" in vars(value) and "__new__" not in vars(value):
        own = sphinx_inspect.signature(value.__init__, bound_method=True)  # not an ancestor's
        text = sphinx_inspect.stringify_signature(
            own, show_return_annotation=False, unqualified_typehints=True
        )
        return text, None
    return None


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.Element | None:
    """Where references lead for which Sphinx found no place; ``None`` makes it complain.

    A short name leads to the one object of the package that ends in it. What belongs to other
    packages stays text: a link would need their lists of names, and the build no network.
    """
    if node["reftype"] == "published":
        found = [c for c in env.get_domain("cite").citations if c.key == node["reftarget"]]
        if not found:
            return None
        page = found[0].bibliography_key.docname
        return make_refnode(app.builder, node["refdoc"], page, found[0].citation_id, text)
    if node.get("refdomain") != "py":
        return None
    if "refwarn" not in node:  # written by no role: a type in a signature
        return text
    target = node["reftarget"]
    domain = env.get_domain("py")
    kinds = domain.objtypes_for_role(node["reftype"]) or []
    places = [
        place
        for name, place in domain.objects.items()
        if name.endswith(f".{target}") and place.objtype in kinds and not place.aliased
    ]
    if len(places) == 1:
        (place,) = places
        return make_refnode(app.builder, node["refdoc"], place.docname, place.node_id, text)
    elsewhere = not target.startswith("vaelab") and pydoc.locate(target) is not None
    return text if elsewhere else None


PARAMETER = r'<dd>(<em class="sig-param">.*?)</dd>'
MENDED = [
    # A signature in several lines is no list of definitions, though Sphinx marks it as one.
    (rf"<dl>\n((?:{PARAMETER}\n)+)</dl>", r'<div class="sig-params">\1</div>'),
    (PARAMETER, r"<div>\1</div>"),
    # The module stands above the name, so it must also come before the word "class".
    (r'(<em class="property">.*?</em>)(<span class="sig-prename .*?</span></span>)', r"\2\1"),
]


def mend_signatures(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if "sig-object" in context.get("body", ""):
        for pattern, mended in MENDED:
            context["body"] = re.sub(pattern, mended, context["body"])


def setup(app: Sphinx) -> dict:
    app.setup_extension("sphinx.ext.napoleon")  # which sets up autodoc
    app.add_directive("room", RoomDirective)
    app.add_directive("rooms", RoomsDirective)
    app.add_role("published", XRefRole(innernodeclass=nodes.inline))
    app.connect("autodoc-process-docstring", sentences_as_fields, priority=400)
    app.connect("autodoc-process-signature", mend_arguments)
    app.connect("missing-reference", resolve)
    app.connect("html-page-context", mend_signatures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
