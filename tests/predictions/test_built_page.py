"""What a built page is given, and which part of it waits for a guess."""

import json
import math
import re
from html.parser import HTMLParser

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from tools.sphinx_predictions import drop_code_of_questions, wrap_results
from vaelab.book.predictions import choice, log_slider, page, predict, reveal


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
