"""Where the chapters call ``claim()``, how, and what their stored outputs say."""

import ast
import builtins
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaelab.book.claims import measured_words

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"


@dataclass(frozen=True)
class ClaimCall:
    """One call of ``claim`` in a notebook.

    Attributes:
        chapter: The notebook's name without its ending.
        claim_id: The first argument, or what stands there if that isn't a plain string.
        condition, measured: The expressions of the other two.
    """

    chapter: str
    claim_id: str
    condition: ast.expr
    measured: ast.expr

    def problems(self) -> list[str]:
        """What makes the call one that cannot fail, or cannot tell what was measured."""
        found = []
        for part in ("condition", "measured"):
            expression = getattr(self, part)
            if not has_name(expression):
                found.append(
                    f"{self.chapter}, {self.claim_id}: the {part} is a constant, "
                    f"{ast.unparse(expression)}, and stays so whatever the cell computes"
                )
        return found


def has_name(expression: ast.expr) -> bool:
    """Whether the value of an expression depends on anything that the notebook defines."""
    return any(
        isinstance(node, ast.Name) and not hasattr(builtins, node.id)
        for node in ast.walk(expression)
    )


def notebooks(folder: Path = CHAPTERS) -> list[Path]:
    return sorted(folder.glob("*.ipynb"))


def chapter_title(path: Path) -> str:
    """The first heading of a notebook."""
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    lines = "".join(first["source"]).splitlines()
    return next(line.removeprefix("# ") for line in lines if line.startswith("# "))


def code_cells(path: Path) -> Iterator[dict]:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield cell


def claim_calls(path: Path) -> list[ClaimCall]:
    """Every call of ``claim`` in a notebook, in order."""
    calls = []
    for cell in code_cells(path):
        lines = "".join(cell["source"]).splitlines()
        # IPython's own lines are no Python.
        source = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
        found = [node for node in ast.walk(ast.parse(source)) if _is_claim(node)]
        found.sort(key=lambda node: node.lineno)
        calls += [_read_call(path.stem, node) for node in found]
    return calls


def _is_claim(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "claim"


def _read_call(chapter: str, call: ast.Call) -> ClaimCall:
    arguments = dict(zip(("claim_id", "condition", "measured"), call.args, strict=False))
    arguments |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    missing = {"claim_id", "condition", "measured"} - arguments.keys()
    if missing:
        raise ValueError(f"{chapter}: {ast.unparse(call)} lacks {', '.join(sorted(missing))}")
    first = arguments["claim_id"]
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    claim_id = first.value if is_text else ast.unparse(first)
    return ClaimCall(chapter, claim_id, arguments["condition"], arguments["measured"])


def measured_in(path: Path) -> dict[str, str]:
    """What the stored outputs of a notebook say was measured, by claim."""
    words = {}
    for cell in code_cells(path):
        for output in cell["outputs"]:
            found = measured_words("".join(output.get("data", {}).get("text/plain", "")))
            if found:
                words[found[0]] = found[1]
    return words
