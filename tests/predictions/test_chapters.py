"""What the chapters ask, and that no answer is typed by hand."""

import ast
import re
from pathlib import Path

import pytest

from tools.claim_cells import code_cells, has_name, notebooks


def calls(path: Path, name: str) -> list[ast.Call]:
    found = []
    for one in code_cells(path):
        source = re.sub(
            r"^\s*[%!].*", "", "".join(one["source"]), flags=re.MULTILINE
        )  # IPython's own
        found += [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in found if getattr(call.func, "id", "") == name]


def test_there_are_chapters_that_ask() -> None:
    assert any(calls(path, "predict") for path in notebooks())


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_every_question_of_a_chapter_is_its_own_and_is_answered(path: Path) -> None:
    asked = [call.args[0].value for call in calls(path, "predict")]
    told = [call.args[0].value for call in calls(path, "reveal")]

    assert sorted(asked) == sorted(told)
    # A page without a number borrows that of a chapter, or one that no chapter has.
    number = path.stem[:2] if path.stem[:2].isdigit() else r"\d\d"
    assert all(re.match(rf"p{number}-", name) for name in asked)


def test_no_two_questions_share_a_name() -> None:
    asked = [call.args[0].value for path in notebooks() for call in calls(path, "predict")]

    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_no_answer_is_typed_by_hand(path: Path) -> None:
    for call in calls(path, "reveal"):
        assert has_name(call.args[1]), ast.unparse(call)
