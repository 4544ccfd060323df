"""What the API pages show: the package's rooms and their public names.

Nothing is listed by hand. A room is a module or a folder of ``vaelab``; its public names are the
functions and classes that its files define, without those that begin with an underscore, and
the constants that it lists in ``__all__``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from sphinx.pycode import ModuleAnalyzer

import vaelab

# What only the chapters need, and nobody imports elsewhere.
INTERNAL = {"book"}


@dataclass(frozen=True)
class Name:
    """A public function, class or constant.

    Attributes:
        path: Where to import it from, such as ``vaelab.densities.kl_to_standard_normal``.
        value: The function, class or constant itself.
    """

    path: str
    value: object

    @property
    def directive(self) -> str:
        """The directive that shows it: autodoc's, for what has a docstring."""
        if is_function(self.value):
            return "autofunction"
        if not inspect.isclass(self.value):
            return "py:data"
        return "autoexception" if issubclass(self.value, BaseException) else "autoclass"

    @property
    def summary(self) -> str:
        """The first paragraph of its docstring, or of the comment ``#:`` above a constant."""
        if self.directive != "py:data":
            return first_paragraph(self.value)
        _, room, *_, name = self.path.split(".")
        return next((comments(m)[name] for m in modules(room) if name in comments(m)), "")


def is_function(value: object) -> bool:
    """Whether it is a function, or one that a decorator such as ``cache`` has wrapped."""
    return inspect.isfunction(inspect.unwrap(value)) if callable(value) else False


def first_paragraph(value: object) -> str:
    """What a docstring says before its first blank line."""
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


@cache
def comments(module: ModuleType) -> dict[str, str]:
    """What a file says of its constants."""
    found = ModuleAnalyzer.for_module(module.__name__).find_attr_docs()
    return {name: " ".join(lines).strip() for (owner, name), lines in found.items() if not owner}


def rooms() -> list[str]:
    """The rooms that are there, by name."""
    found = (module.name for module in pkgutil.iter_modules(vaelab.__path__))
    return sorted(name for name in found if name not in INTERNAL and not name.startswith("_"))


def modules(room: str) -> list[ModuleType]:
    """A room's own module, then those of its files in alphabetical order.

    Raises:
        ModuleNotFoundError: If the package has no such room.
    """
    top = importlib.import_module(f"vaelab.{room}")
    below = pkgutil.walk_packages(getattr(top, "__path__", []), f"{top.__name__}.")
    names = sorted(module.name for module in below if "._" not in module.name)
    return [top, *map(importlib.import_module, names)]


def public_names(module: ModuleType) -> list[Name]:
    """What a file defines, in its own order, by the shortest path that leads there.

    Where a folder lists in ``__all__`` what it offers, that is what its files have to show. It
    answers itself for constants, which do not say where they come from.
    """
    parts = module.__name__.split(".")
    folders = [importlib.import_module(".".join(parts[:n])) for n in range(2, len(parts))]
    listing = [each for each in (*folders, module) if hasattr(each, "__all__")]
    found = []
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.ismodule(value):
            continue
        if not (is_function(value) or inspect.isclass(value)):
            if name in getattr(module, "__all__", []):
                found.append(Name(f"{module.__name__}.{name}", value))
            continue
        if value.__module__ == module.__name__:
            offering = [each for each in listing if name in each.__all__]
            if offering or not listing:
                found.append(Name(f"{(offering or [module])[0].__name__}.{name}", value))
    return found
