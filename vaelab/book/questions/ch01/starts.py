"""01.6: chains from opposite starts, which tell when they are stuck."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.estimators.gibbs import gibbs_ising
from vaelab.exact.ising import IsingGrid


def _mean_pixels(coupling: float, sweeps: int, seed: int, black: int = 20) -> Tensor:
    """Mean pixel of each of 40 chains over the second half; the last ``black`` start black."""
    start = torch.ones(40, 8, 8, dtype=torch.float64)
    start[40 - black :] = -1
    generator = torch.Generator().manual_seed(seed)
    spins = gibbs_ising(IsingGrid.uniform(8, 8, coupling), start, sweeps, generator)
    return spins[sweeps // 2 :].mean((0, 2, 3))


def start_gap(coupling: float, sweeps: int, seed: int) -> Tensor:
    """Mean pixel of chains that began white, less that of chains that began black."""
    means = _mean_pixels(coupling, sweeps, seed)
    return means[:20].mean() - means[20:].mean()


def _same_start(coupling: float, sweeps: int, seed: int) -> Tensor:
    means = _mean_pixels(coupling, sweeps, seed, black=0)
    return means[:20].mean() - means[20:].mean()


def _table(answer: Answer) -> str:
    lines = ["Gap between the two groups, over sweeps 101 to 200 of an 8 x 8 grid:"]
    for coupling in (0.2, 0.4, 0.5, 0.6, 1.0):
        gaps = torch.stack([answer(coupling, 200, seed) for seed in range(2)])
        listed = ", ".join(f"{gap:+.2f}" for gap in gaps.tolist())
        lines.append(f"  J = {coupling}: {listed} (two seeds)")
    return "\n".join(lines)


QUESTION = Question(
    solution=start_gap,
    result="one number",
    cases={
        "a cold grid, J = 1": (1.0, 200, 0),
        "a hot grid, J = 0.2": (0.2, 200, 0),
    },
    mistakes=[
        Mistake(
            _same_start,
            "On a cold grid the two groups should not agree so soon. Do they start apart?",
        ),
        Mistake(
            lambda *run: -start_gap(*run),
            "This is the black group less the white one.",
        ),
        Mistake(
            lambda *run: start_gap(*run) / 2,
            "This is half the gap. Did you average over all 40 chains where each group has 20?",
        ),
        Mistake(
            lambda *run: 64 * start_gap(*run),
            "This is a sum over pixels. The question asks for the mean pixel.",
        ),
    ],
    afterword=_table,
    # Other draws, or the same ones in another order, move a hot grid's gap by about 0.02.
    rtol=0.0,
    atol=0.15,
)
