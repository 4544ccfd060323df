"""Answers that students give, and what they are worth: one module a chapter.

For each question that asks for code: a name, the body of the function, and the points of each
part. "unstable" is the formula as it stands in the book, computed without logarithms.
"""

import importlib
import pkgutil

WRONG: dict[str, dict[str, tuple[str, list[float]]]] = {}
for _module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
    WRONG |= importlib.import_module(f"{__name__}.{_module.name}").WRONG
