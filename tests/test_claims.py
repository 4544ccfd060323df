"""Claims: the call, the file, and that every chapter shows what it owns."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tools.claim_cells import CHAPTERS, ClaimCall, claim_calls, measured_in, notebooks
from vaelab.book import claims
from vaelab.book.claims import Claim, ClaimError, Outcome, claim, load_claims, measured_words

CALLS = [call for path in notebooks() for call in claim_calls(path)]


# What the chapters do


def test_there_are_chapters_with_claims() -> None:
    assert CALLS


def test_every_claim_of_a_chapter_is_shown_there_and_once() -> None:
    owned = {(one.chapter, one.id) for one in load_claims().values()}
    shown = [(call.chapter, call.claim_id) for call in CALLS]

    assert sorted(shown) == sorted(owned)


def test_every_claim_belongs_to_a_chapter_that_exists() -> None:
    chapters = {path.stem for path in notebooks()}

    assert {one.chapter for one in load_claims().values()} <= chapters


@pytest.mark.parametrize("call", CALLS)
def test_no_condition_and_no_measurement_is_a_constant(call: ClaimCall) -> None:
    assert call.problems() == []


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_stored_outputs_say_what_was_measured(path: Path) -> None:
    assert measured_in(path).keys() == {call.claim_id for call in claim_calls(path)}


# Reading calls out of notebooks


def write_notebook(path: Path, source: str) -> Path:
    cell = {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": []}
    path.write_text(json.dumps({"cells": [cell]}))
    return path


@pytest.mark.parametrize("condition", ["True", "1 < 2", "not False", "len('abc') == 3", "all([1])"])
def test_constant_conditions_are_found(tmp_path: Path, condition: str) -> None:
    path = write_notebook(tmp_path / "03_x.ipynb", f"claim('P022', {condition}, f'{{gap}}')")

    (problem,) = claim_calls(path)[0].problems()

    assert "P022: the condition is a constant" in problem


def test_typed_numbers_are_found(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "03_x.ipynb", "claim('P022', gap < 1, '0.3 nats')")

    (problem,) = claim_calls(path)[0].problems()

    assert "P022: the measured is a constant" in problem


def test_calls_are_read_in_every_form(tmp_path: Path) -> None:
    source = """%matplotlib inline
for gap in gaps:
    claims.claim("P022", gap < 1, f"{gap}")
claim(claim_id="P023", condition=gap < 1, measured=f"{gap}")
claim(name, gap < 1, f"{gap}")
"""
    calls = claim_calls(write_notebook(tmp_path / "03_x.ipynb", source))

    assert [call.claim_id for call in calls] == ["P022", "P023", "name"]
    assert [call.problems() for call in calls] == [[], [], []]
    assert ast.unparse(calls[0].condition) == "gap < 1"


def test_a_call_that_lacks_an_argument_is_refused(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "03_x.ipynb", "claim('P022', gap < 1)")

    with pytest.raises(ValueError, match=r"03_x: .* lacks measured"):
        claim_calls(path)


# claim()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """What claim() displays."""
    outputs: list[Outcome] = []
    monkeypatch.setattr(claims, "display", outputs.append)
    return outputs


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small claims.yml in the place of the book's."""
    path = tmp_path / "claims.yml"
    path.write_text("""
- {id: P001, claim: Water is wet., verdict: sound, chapter: 03_x}
- {id: P002, claim: Ice is hot., verdict: wrong, correction: Ice is cold., chapter: 03_x}
""")
    monkeypatch.setattr(claims, "CLAIMS_FILE", path)
    monkeypatch.setattr(claims, "load_claims", lambda: load_claims(path))
    return path


@pytest.mark.parametrize(
    ("claim_id", "text"),
    [("P001", "Claim P001 confirmed: 0.5 < 1"), ("P002", "Claim P002 corrected: 0.5 < 1")],
)
@pytest.mark.parametrize("truth", [True, np.bool_(True), torch.tensor([True])])
def test_a_true_claim_says_what_was_measured(file, shown, claim_id, text, truth) -> None:
    claim(claim_id, truth, "0.5 < 1")

    assert repr(shown[0]) == text
    assert measured_words(text) == (claim_id, "0.5 < 1")
    assert f'id="claim-{claim_id}"' in shown[0]._repr_html_()
    assert "0.5 &lt; 1" in shown[0]._repr_html_()


def test_in_a_built_page_a_claim_links_to_its_entry(file, shown, monkeypatch) -> None:
    claim("P001", True, "x")
    assert "<a" not in shown[0]._repr_html_()

    monkeypatch.setenv("VAELAB_HOST", "static")
    assert '<a href="../claims.html#p001">P001</a>' in shown[0]._repr_html_()


@pytest.mark.parametrize("truth", [False, np.bool_(False), torch.tensor(False), 0])
def test_a_false_claim_raises_when_strict(file, shown, monkeypatch, truth) -> None:
    monkeypatch.setenv("VAELAB_CLAIMS", "strict")

    with pytest.raises(ClaimError, match=r"P002 does not hold here.*Ice is cold.*now: 3 degrees"):
        claim("P002", truth, "3 degrees")
    assert shown == []


def test_a_false_claim_explains_itself_to_a_reader(file, shown, monkeypatch) -> None:
    monkeypatch.delenv("VAELAB_CLAIMS")

    claim("P001", False, "it was dry")

    text = repr(shown[0])
    assert "Claim P001 does not hold here" in text
    assert "Water is wet." in text
    assert "it was dry" in text
    assert measured_words(text) is None


def test_an_unknown_id_is_an_error(file, shown) -> None:
    with pytest.raises(KeyError, match=r"claims.yml has no claim 'P999'"):
        claim("P999", True, "x")


@pytest.mark.parametrize("condition", [np.array([True, False]), torch.tensor([True, True])])
def test_a_condition_is_one_truth_value(file, shown, condition) -> None:
    with pytest.raises(TypeError, match=r"condition of P001 must be one truth value.*shape \(2,\)"):
        claim("P001", condition, "x")


def test_without_the_file_any_id_passes(file, shown) -> None:
    file.unlink()

    claim("P999", True, "x")

    assert measured_words(repr(shown[0])) == ("P999", "x")


# claims.yml


def test_the_books_file_is_where_the_package_looks() -> None:
    assert CHAPTERS.parent / "claims.yml" == claims.CLAIMS_FILE
    assert load_claims()


def entry(**changes: str) -> dict[str, str]:
    sound = {"id": "P001", "claim": "Water is wet.", "verdict": "sound", "chapter": "03_x"}
    return {**sound, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "22"}, "id must be a letter and three digits"),
        ({"verdict": "true"}, "verdict of P001 must be one of sound, loose, wrong, got 'true'"),
        ({"verdict": "loose"}, "a correction belongs to loose and wrong claims"),
        ({"correction": "no"}, "a correction belongs to loose and wrong claims"),
    ],
)
def test_an_entry_keeps_the_rules(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Claim(**entry(**changes))


def test_an_id_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "claims.yml"
    path.write_text(json.dumps([entry(), entry()]))

    with pytest.raises(ValueError, match="lists P001 twice"):
        load_claims(path)
