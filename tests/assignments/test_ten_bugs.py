"""`check` knows the ten bugs of chapter 07b: by the value of a loss, or by its gradient."""

import pytest
import torch

from vaelab.book.bugs import BUGS, Bug
from vaelab.book.exercises import feedback
from vaelab.book.questions import all_questions
from vaelab.book.questions.ch07.batch import answer_with, batch
from vaelab.book.questions.ch07.loss import negative_elbo

QUESTIONS = all_questions()


def gradient_of(loss):
    def answer(x, mean, log_var, *decoder):
        at = [mean.requires_grad_(), log_var.requires_grad_()]
        return torch.stack(torch.autograd.grad(loss(x, *at, *decoder).sum(), at))

    return answer


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_loss_with_the_bug_is_told_its_number_and_name(bug) -> None:
    told = feedback("07.2", QUESTIONS["07.2"], answer_with(bug))

    assert f"Bug {BUGS.index(bug) + 1} of the Ten bugs, {bug.name}. " in told
    # The detached graph alone leaves every value as it is.
    assert ("07.2: right." in told) == (bug.name == "detached graph")


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_so_is_its_gradient(bug) -> None:
    told = feedback("07.4", QUESTIONS["07.4"], gradient_of(answer_with(bug)))

    assert "07.4: not yet." in told
    assert f"Bug {BUGS.index(bug) + 1} of the Ten bugs, {bug.name}. " in told


def without_gradients(*arguments):
    with torch.no_grad():
        return negative_elbo(*arguments)


def through_numpy(x, mean, log_var, noise, weight, bias):
    return negative_elbo(x, torch.from_numpy(mean.numpy()), log_var, noise, weight, bias)


@pytest.mark.parametrize("loss", [without_gradients, through_numpy])
def test_other_ways_to_cut_the_graph_are_found_too(loss) -> None:
    assert "Bug 4 of the Ten bugs" in feedback("07.2", QUESTIONS["07.2"], loss)


def test_a_right_loss_trains_a_decoder_to_above_the_exact_value() -> None:
    told = feedback("07.2", QUESTIONS["07.2"], negative_elbo)

    before, after, exact = (
        float(told.split(mark)[1].split()[0].rstrip(":")) for mark in ("from ", " to ", "then ")
    )
    assert before > after + 10
    assert exact < after < exact + 1


def test_a_bug_is_the_pages_own_text_with_the_noise_handed_in() -> None:
    drawn_elsewhere = Bug("other", "noise = torch.randn(", "noise = 1 * torch.randn_like(")

    assert torch.equal(answer_with(BUGS[3])(*batch()), answer_with(BUGS[3])(*batch()))
    with pytest.raises(ValueError, match="noise of 'other' must be drawn as in the right loss"):
        answer_with(drawn_elsewhere)
