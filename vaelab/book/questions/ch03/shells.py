"""03.6: where the draws of a standard normal lie, and where the points between them do."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question

DRAWS = 5_000


def shell(latent_dim: int, seed: int) -> Tensor:
    """Mean length of a draw, its standard deviation, mean length of a midpoint."""
    lengths, midpoints = _lengths(latent_dim, seed)
    return torch.stack([lengths.mean(), lengths.std(), midpoints.mean()])


def _lengths(latent_dim: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(2, DRAWS, latent_dim, generator=generator, dtype=torch.float64)
    return z[0].norm(dim=1), z.mean(0).norm(dim=1)


def _squared(latent_dim: int, seed: int) -> Tensor:
    lengths, midpoints = (a.square() for a in _lengths(latent_dim, seed))
    return torch.stack([lengths.mean(), lengths.std(), midpoints.mean()])


def _with(index: int, change) -> Answer:
    """An answer that is wrong in one of its three numbers."""

    def answer(latent_dim: int, seed: int) -> Tensor:
        result = shell(latent_dim, seed)
        result[index] = change(result)
        return result

    return answer


def _table(answer: Answer) -> str:
    lines = ["            length (deviation)    midpoint    deviations between"]
    for latent_dim in (1, 2, 10, 100, 400):
        length, spread, midpoint = answer(latent_dim, 0).tolist()
        lines.append(
            f"  d = {latent_dim:3d}:  {length:6.2f} ({spread:.2f})         {midpoint:6.2f}"
            f"        {(length - midpoint) / spread:5.1f}"
        )
    return "\n".join(lines)


QUESTION = Question(
    solution=shell,
    result="mean length, its standard deviation, and mean length of midpoints",
    cases={"100 dimensions": (100, 0), "2 dimensions": (2, 0)},
    mistakes=[
        Mistake(
            _squared,
            "These are squared lengths.",
        ),
        Mistake(
            _with(1, lambda r: r[1].square()),
            "The second number is a variance. A standard deviation was asked for.",
        ),
        Mistake(
            _with(1, lambda r: r[1] / DRAWS**0.5),
            "The second number is the standard error of the mean. The question asks how far "
            "the lengths themselves spread.",
        ),
        Mistake(
            _with(2, lambda r: 2 * r[2]),
            "The third number is the length of a sum of two draws. A midpoint is half of that.",
        ),
        Mistake(
            _with(2, lambda r: r[0]),
            "The third number is the average of two lengths. A midpoint is a point: first "
            "average the two draws, then take its length.",
        ),
        Mistake(
            lambda latent_dim, seed: shell(latent_dim, seed) / latent_dim**0.5,
            "You divide by the square root of the dimension: that is the size of a typical "
            "coordinate, not the length of the vector.",
        ),
    ],
    afterword=_table,
    # Other draws move each number by 0.01 or less (standard error), on either side.
    rtol=0.0,
    atol=0.07,
)
