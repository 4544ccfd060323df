"""Predictions: what can be guessed, how far off a guess is, and what the chapters ask."""

import ast
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from docutils import nodes
from docutils.core import publish_doctree

from tools.claim_cells import code_cells, has_name, notebooks
from tools.sphinx_predictions import drop_code_of_questions, wrap_results
from vaelab.book import predictions
from vaelab.book.predictions import choice, linear_slider, log_slider, page, predict, reveal
from vaelab.book.predictions.answers import format_number
from vaelab.book.predictions.form import kernel_form

# Numbers and their units


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, 2, "0"),
        (2840.3, 2, "2,800"),
        (2840.3, 5, "2,840.3"),
        (0.0996, 2, "0.1"),
        (-0.038, 2, "−0.038"),
        (999_600, 3, "1,000,000"),
        (9_960_000, 2, "10⁷"),
        (2.07e8, 2, "2.1 × 10⁸"),
        (-1.04e-10, 2, "−10⁻¹⁰"),
        (2.075e-4, 2, "2.1 × 10⁻⁴"),
        (0.00104, 2, "0.001"),
    ],
)
def test_numbers_are_written_as_one_writes_them(value: float, digits: int, text: str) -> None:
    assert format_number(value, digits) == text


@pytest.mark.parametrize(
    ("slider", "value", "label"),
    [
        (log_slider(1, 100, "draws"), 1, "1 draw"),
        (log_slider(1, 100, "draws"), 1.2, "1.2 draws"),
        (linear_slider(0, 100, "%"), 1, "1%"),
        (linear_slider(0, 10), 1, "1"),
        (log_slider(1e-3, 1, "of the draws"), 1, "1 of the draws"),
        (linear_slider(-3, 3, "nats", step=0.5), -1.5, "−1.5 nats"),
    ],
)
def test_labels_carry_the_unit(slider, value: float, label: str) -> None:
    assert slider.label(value) == label
    assert value in slider.values


# Sliders


@pytest.mark.parametrize(("low", "high"), [(1, 10), (1e-6, 1), (1e-3, 1e5), (1e-9, 1e9)])
def test_a_log_slider_rises_by_like_factors(low: float, high: float) -> None:
    values = np.array(log_slider(low, high).values)
    factors = values[1:] / values[:-1]

    slider = log_slider(low, high)
    assert (values[0], values[-1]) == (low, high)
    assert (slider.place(low), slider.place(high)) == (0, 1)
    assert factors.min() > 1.14
    assert factors.max() < 2.6
    assert len(values) <= 101
    assert set(range(round(math.log10(low)), round(math.log10(high)))) <= set(np.log10(values))


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 100, 1), (-2, 2, 0.1), (0, 7, 1), (0, 1, 0.05)]
)
def test_a_linear_slider_rises_by_like_steps(low: float, high: float, step: float) -> None:
    values = linear_slider(low, high, step=step).values

    assert (values[0], values[-1]) == (low, high)
    assert np.diff(values) == pytest.approx(step)


@pytest.mark.parametrize("slider", [log_slider(1e-3, 1e5), log_slider(1, 10), linear_slider(0, 7)])
def test_marks_stand_where_their_numbers_are(slider) -> None:
    marks = slider.marks()
    places = [place for place, _ in marks]

    assert 2 <= len(marks) <= 6
    assert places[0] == 0
    assert places == sorted(places)
    labels = {format_number(value, 9): slider.place(value) for value in slider.values}
    for place, text in marks:
        if text in labels:  # 10⁵ stands for 100,000
            assert place == pytest.approx(labels[text])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: log_slider(0, 10), "low and high must be positive and rise, got 0 and 10"),
        (lambda: log_slider(10, 1), "must be positive and rise, got 10 and 1"),
        (lambda: log_slider(1, 50), "ends of a log slider must be powers of ten, got 50"),
        (lambda: linear_slider(1, 0), "must rise by steps, got 1, 0 and step 1"),
        (lambda: linear_slider(0, 1, step=0), "must rise by steps, got 0, 1 and step 0"),
        (lambda: linear_slider(0, 1, step=0.3), "a whole number of steps, at most 200, got 3.33"),
        (lambda: linear_slider(0, 1000), "a whole number of steps, at most 200, got 1000"),
        (lambda: choice("one"), r"two or more different texts, got \['one'\]"),
        (lambda: choice("one", "one"), "two or more different texts"),
    ],
)
def test_forms_that_make_no_sense_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# How far off


@pytest.mark.parametrize(
    ("answer", "guess", "truth", "words"),
    [
        (log_slider(1, 1e6, "draws"), 1000, 2800, "1,000 draws, is too low by a factor of 2.8."),
        (log_slider(1, 1e6, "draws"), 1, 1e6, "1 draw, is too low by a factor of 1,000,000."),
        (log_slider(1, 1e6), 100, 9.0, "100, is too high by a factor of 11."),
        (log_slider(1, 1e6), 3000, 2800, "3,000, is as near as the slider goes."),
        (linear_slider(0, 100, "%"), 50, 16, "50%, is too high by 34 percentage points."),
        (linear_slider(0, 100, "%"), 15, 16, "15%, is too low by 1 percentage point."),
        (linear_slider(-9, 0, "nats"), -4, -1.3, "−4 nats, is too low by 2.7 nats."),
        (linear_slider(-9, 0, "nats"), -1, -1.3, "−1 nat, is as near as the slider goes."),
    ],
)
def test_a_guess_is_told_how_far_off_it_is(answer, guess, truth, words) -> None:
    assert answer.verdict(guess, truth) == f"Your guess, {words}"


def test_a_choice_is_right_or_not() -> None:
    answer = choice("the prior", "the encoder")

    assert answer.verdict("the prior", "the prior") == "Your guess is right."
    assert answer.verdict("the encoder", "the prior") == "Your guess was: the encoder."
    assert answer.is_close("the prior", "the prior")
    assert not answer.is_close("the encoder", "the prior")


@pytest.mark.parametrize(
    ("slider", "truth", "close"),
    [
        (log_slider(1, 100), 10, [4, 5, 6, 8, 10, 12, 15, 20, 25, 30]),
        (linear_slider(0, 20), 5, [3, 4, 5, 6, 7]),
        (linear_slider(0, 1, step=0.05), 0.3, [0.2, 0.25, 0.3, 0.35, 0.4]),
    ],
)
def test_close_is_a_factor_of_3_or_a_tenth_of_the_scale(slider, truth, close) -> None:
    assert [value for value in slider.values if slider.is_close(value, truth)] == close


# predict() and reveal()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list:
    """What reveal() displays."""
    outputs: list = []
    monkeypatch.setattr(predictions, "display", outputs.append)
    return outputs


def test_a_question_and_its_answer_read_well_as_text(shown) -> None:
    asked = predict("p03-x", "How many count?", log_slider(1, 1e5, "draws"))
    reveal("p03-x", 48.62)

    assert repr(asked) == (
        "Predict before you run: How many count? (a number from 1 draw to 100,000 draws)"
    )
    assert asked.guess is None
    assert repr(shown[0]) == "Measured: 49 draws"
    assert shown[0]._repr_html_() == "<p>Measured: 49 draws</p>"


@pytest.mark.parametrize(
    "value", [48, 48.0, np.float32(48), np.array(48), torch.tensor(48.0), torch.tensor([48])[0]]
)
def test_any_single_number_is_measured(shown, value) -> None:
    predict("p03-x", "How many?", linear_slider(0, 100))
    reveal("p03-x", value)

    assert repr(shown[0]) == "Measured: 48"


def test_a_guess_under_a_kernel_is_judged(shown) -> None:
    asked = predict("p03-x", "How many?", log_slider(1, 1e5))
    asked.guess = 1000
    reveal("p03-x", 48.62)

    # 1000 / 49, as what is shown is what counts.
    assert repr(shown[0]) == "Measured: 49. Your guess, 1,000, is too high by a factor of 20."

    predict("p03-x", "How many?", log_slider(1, 1e5))
    reveal("p03-x", 48.62)
    assert repr(shown[1]) == "Measured: 49"  # asked anew, nothing is guessed


@pytest.mark.parametrize("guess", ["many", 0, math.nan, True, np.ones(2)])
def test_a_guess_that_cannot_be_is_refused(guess) -> None:
    asked = predict("p03-x", "How many?", log_slider(1, 1e5))

    with pytest.raises((ValueError, TypeError), match="guess must be"):
        asked.guess = guess


@pytest.mark.parametrize(
    ("answer", "measured", "error", "message"),
    [
        (log_slider(1, 10), 0.0, ValueError, "measured of p03-x must be positive on a log slider"),
        (log_slider(1, 10), math.inf, ValueError, "measured of p03-x must be finite, got inf"),
        (linear_slider(0, 9), torch.tensor(math.nan), ValueError, "must be finite, got nan"),
        (linear_slider(0, 9), torch.ones(2), TypeError, "must be one number, got tensor"),
        (linear_slider(0, 9), "7", TypeError, "must be one number, got '7'"),
        (linear_slider(0, 9), None, TypeError, "must be one number, got None"),
        (choice("a", "b"), "c", ValueError, r"must be one of \['a', 'b'\], got 'c'"),
        (choice("a", "b"), np.ones(2), ValueError, r"must be one of \['a', 'b'\]"),
    ],
)
def test_what_cannot_be_measured_is_refused(shown, answer, measured, error, message) -> None:
    predict("p03-x", "How many?", answer)

    with pytest.raises(error, match=message):
        reveal("p03-x", measured)
    assert shown == []


def test_a_truth_beyond_the_slider_is_the_authors_slip(shown, monkeypatch) -> None:
    predict("p03-x", "How many?", linear_slider(0, 10))
    reveal("p03-x", 10.4, digits=3)  # a guess of 10 is as near as can be

    with pytest.raises(ValueError, match=r"p03-x is 11, where .* the slider goes from 0 to 10"):
        reveal("p03-x", 11)
    monkeypatch.delenv("VAELAB_CLAIMS")
    reveal("p03-x", 11)  # a reader may have changed something above
    assert repr(shown[1]) == "Measured: 11"


@pytest.mark.parametrize("name", ["ess", "p3-ess", "p03", "p03-", "p03-Ess", 'p03-"'])
def test_ids_have_one_form(name: str) -> None:
    with pytest.raises(ValueError, match="must be p, two digits and a name, as in p03-ess"):
        predict(name, "How many?", linear_slider(0, 9))


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a log_slider, a linear_slider or a choice"):
        predict("p03-x", "How many?", (0, 9))


def test_nothing_is_revealed_that_was_not_asked(monkeypatch) -> None:
    monkeypatch.setattr(predictions, "_asked", {})
    with pytest.raises(ValueError, match=r"got 'p03-y'; asked so far: nothing"):
        reveal("p03-y", 1)
    predict("p03-x", "How many?", linear_slider(0, 9))
    with pytest.raises(ValueError, match=r"got 'p03-y'; asked so far: p03-x"):
        reveal("p03-y", 1)


# The form under a kernel


def test_the_form_commits_what_stands_on_its_slider() -> None:
    asked = predict("p03-x", "How many <draws>?", log_slider(1, 1e4, "draws"))
    words, control, row = kernel_form(asked).children
    commit, note = row.children
    assert "How many &lt;draws&gt;?" in words.value

    control.value = 250
    assert asked.guess is None
    commit.click()

    assert asked.guess == 250
    assert note.value == "Noted: 250 draws. Run the next cells to see."


def test_the_form_waits_for_a_choice() -> None:
    asked = predict("p03-x", "Which?", choice("a", "b"))
    _, control, row = kernel_form(asked).children
    commit, note = row.children

    commit.click()
    assert asked.guess is None
    assert note.value == "Choose an answer first."
    control.value = "b"
    commit.click()
    assert asked.guess == "b"


def test_under_a_kernel_text_is_the_same_every_time(monkeypatch) -> None:
    monkeypatch.delenv("VAELAB_HOST", raising=False)
    view = "application/vnd.jupyter.widget-view+json"  # which nbval leaves out

    first, again = (
        predict("p03-x", "How < many?", linear_slider(0, 9))._repr_mimebundle_() for _ in range(2)
    )

    assert first.pop(view) != again.pop(view)
    assert first == again
    assert set(first) == {"text/plain", "text/html"}
    assert "How &lt; many?" in first["text/html"]


# What a built page gets


class Attributes(HTMLParser):
    """The attributes of every element, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append(dict(attributes))

    def __getitem__(self, name: str) -> list[str | None]:
        return [one[name] for one in self.found if name in one]


def test_a_built_page_is_told_every_verdict_in_advance(shown, monkeypatch) -> None:
    monkeypatch.setenv("VAELAB_HOST", "static")
    slider = log_slider(1, 1e5, "draws")
    bundle = predict("p03-x", "How many?", slider)._repr_mimebundle_()
    reveal("p03-x", 48.62)

    labels = json.loads(Attributes(bundle["text/html"])["data-labels"][0])
    told = Attributes(shown[0]._repr_html_())
    verdicts = json.loads(told["data-verdicts"][0])

    assert set(bundle) == {"text/plain", "text/html"}
    assert labels == list(verdicts)
    assert labels[0] == "1 draw"
    assert verdicts["1,000 draws"] == [
        "Your guess, 1,000 draws, is too high by a factor of 20.",
        False,
    ]
    assert verdicts["50 draws"] == ["Your guess, 50 draws, is as near as the slider goes.", True]
    assert float(told["data-at"][0]) == pytest.approx(math.log10(49) / 5, abs=1e-4)


def test_awkward_texts_reach_the_page_whole(shown, monkeypatch) -> None:
    monkeypatch.setenv("VAELAB_HOST", "static")
    awkward = """<b> & "it's" </script>"""
    html = predict("p03-x", awkward, choice(awkward, "b"))._repr_mimebundle_()["text/html"]
    reveal("p03-x", awkward)

    assert "<b> &" not in html
    assert Attributes(html)["value"] == [awkward, "b"]
    verdicts = json.loads(Attributes(shown[0]._repr_html_())["data-verdicts"][0])
    assert verdicts == {awkward: ["Your guess is right.", True], "b": ["Your guess was: b.", False]}


def test_the_script_and_style_ask_nothing_of_other_hosts() -> None:
    for text in (page.script_text(), page.style_text()):
        assert not re.search(r"//[a-z0-9.-]+\.[a-z]{2,}", text)


# Which part of a page waits


def ask(name: str) -> str:
    return cell(f'<div {page.QUESTION_MARK}="{name}"></div>')


def tell(name: str) -> str:
    return cell(f'<p {page.REVEAL_MARK}="{name}"></p>')


def cell(html: str) -> str:
    return f".. container:: cell\n\n   .. raw:: html\n\n      {html}\n\n"


def section(*parts: str) -> nodes.section:
    document = publish_doctree("Title\n=====\n\n" + "\n\n".join(parts))
    return nodes.section("", *document.children[1:])


def waiting(made: nodes.section) -> list[str]:
    """The words of each result."""
    found, inside = [], False
    for child in made.children:
        if child.astext().startswith('<div class="vaelab-result"'):
            inside = True
            found.append([])
        elif child.astext() == "</div>":
            inside = False
        elif inside:
            assert page.QUESTION_MARK not in child.astext(), "the question itself has to stay"
            found[-1] += [child.astext()] if isinstance(child, nodes.paragraph) else []
    return [" ".join(words) for words in found]


def test_a_result_is_what_stands_between_and_the_words_that_read_it() -> None:
    made = section(
        "before", ask("p03-a"), "shown", tell("p03-a"), "read", "and read on", cell("<p>"), "after"
    )

    assert wrap_results(made) == []
    assert waiting(made) == ["shown read and read on"]


def test_words_that_lead_to_the_next_question_stay() -> None:
    made = section(ask("p03-a"), tell("p03-a"), "on", ask("p03-b"), "b", tell("p03-b"), "end")

    assert wrap_results(made) == []
    assert waiting(made) == ["", "b end"]


def test_two_questions_may_share_a_result() -> None:
    made = section(ask("p03-a"), "and", ask("p03-b"), "shown", tell("p03-b"), tell("p03-a"))

    assert wrap_results(made) == []
    assert waiting(made) == ["shown"]
    assert 'data-predictions="p03-a p03-b"' in made.astext()


def test_the_code_of_a_question_is_left_out_and_that_of_an_answer_is_not() -> None:
    made = section(ask("a"), tell("a"))
    for one in made.children:
        one.insert(0, nodes.container("", nodes.paragraph("", "code"), classes=["cell_input"]))

    drop_code_of_questions(made)

    asked, told = made.children
    assert "code" not in asked.astext()
    assert "code" in told.astext()


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([ask("p03-a"), "text"], "p03-a has no answer below"),
        ([tell("p03-a")], "p03-a is not asked in a cell above"),
        ([tell("p03-a"), ask("p03-a")], "p03-a is not asked in a cell above"),
        (
            [cell(f'<i {page.QUESTION_MARK}="a" {page.REVEAL_MARK}="a">')],
            "a is not asked in a cell",
        ),
        ([ask("a"), ask("b"), tell("a"), ask("c"), tell("b"), tell("c")], "c is asked between"),
    ],
)
def test_what_the_author_has_to_mend_is_named(parts: list[str], problem: str) -> None:
    assert wrap_results(section(*parts))[0].startswith(problem)


# What the chapters do


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
    assert len(set(asked)) == len(asked)
    assert all(name.startswith(f"p{path.stem[:2]}-") for name in asked)


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_no_answer_is_typed_by_hand(path: Path) -> None:
    for call in calls(path, "reveal"):
        assert has_name(call.args[1]), ast.unparse(call)
