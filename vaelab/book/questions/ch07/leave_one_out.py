"""07.5: the score-function gradient with a baseline that has not seen the draw."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question


def leave_one_out(value: Tensor, score: Tensor) -> Tensor:
    """Mean over draws of (value less that of the others) times score."""
    return _mean(value - _others(value), score)


def _others(value: Tensor) -> Tensor:
    return (value.sum(0) - value) / (len(value) - 1)


def _mean(weight: Tensor, score: Tensor) -> Tensor:
    return (weight[..., None] * score).mean(0)


def _other_images(value: Tensor, score: Tensor) -> Tensor:
    others = (value.sum(1, keepdim=True) - value) / (value.shape[1] - 1)
    return _mean(value - others, score)


def _draws(shift: float = 0.0, seed: int = 0) -> tuple[Argument, ...]:
    """Five draws for each of three pictures, two latents."""
    generator = torch.Generator().manual_seed(seed)
    like = {"generator": generator, "dtype": torch.float64}
    return torch.randn(5, 3, **like) + shift, torch.randn(5, 3, 2, **like)


def _against_the_formula(answer: Answer) -> str:
    """For a linear f, question 07.3 says what the variance is."""
    lines = ["f linear with slope 3, q of deviation 0.2; 20,000 repeats of your estimate:"]
    for k in (2, 5, 20):
        noise = torch.randn(
            k, 20_000, 1, generator=torch.Generator().manual_seed(k), dtype=torch.float64
        )
        found = answer(-25 + 3 * 0.2 * noise[..., 0], noise / 0.2)
        lines.append(
            f"  {k:2d} draws: mean {found.mean().item():.2f}, variance "
            f"{found.var().item():5.2f}; 2 s^2 / (K - 1) is {18 / (k - 1):5.2f}"
        )
    return "\n".join(lines)


QUESTION = Question(
    solution=leave_one_out,
    result="one gradient for each picture, averaged over its draws",
    cases={"five draws for three pictures": _draws(), "values near -25": _draws(-25.0, seed=1)},
    mistakes=[
        Mistake(
            _mean,
            "No baseline is subtracted. Right on average, and noisy where f is far from zero.",
        ),
        Mistake(
            lambda value, score: _mean(value - value.mean(0), score),
            "Your baseline has the draw itself in it. What does that do to the expectation?",
        ),
        Mistake(
            lambda value, score: _mean(value - value.mean(), score),
            "Your baseline averages over all pictures, the draw itself included.",
        ),
        Mistake(
            _other_images,
            "You leave out the picture and average over the others. Which draws belong to the "
            "same picture?",
        ),
        Mistake(
            lambda value, score: _mean(value - (value.sum(0) - value) / len(value), score),
            "How many draws are left when one is left out?",
        ),
        Mistake(
            lambda value, score: _mean(_others(value) - value, score),
            "The sign is turned: a draw that does better than the others should be made likelier.",
        ),
        Mistake(
            lambda value, score: _mean(_others(value), score),
            "This is the baseline's own part, whose expectation is zero. Where has f of the draw "
            "gone?",
        ),
        Mistake(
            lambda value, score: leave_one_out(value, score) * len(value),
            "You add up over draws where the question asks for their average.",
        ),
        Mistake(
            lambda value, score: leave_one_out(value, score) * len(value) / (len(value) - 1),
            "Each draw gives one gradient. How many of them do you average?",
        ),
        Mistake(
            lambda value, score: _mean(value, score) - value.mean(0)[:, None],
            "The baseline is subtracted from the gradient. It should be subtracted from f.",
        ),
        Mistake(
            lambda value, score: leave_one_out(value, score) / value.std(0)[:, None],
            "You divide by the spread of f. Of what would that be the gradient?",
        ),
    ],
    afterword=_against_the_formula,
)
