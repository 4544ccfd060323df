"""01.4: log Z of a chain, by carrying two numbers from pixel to pixel."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.exact.enumeration import binary_states
from vaelab.exact.ising_chain import IsingChain


def chain_log_z(coupling: Tensor, field: Tensor) -> Tensor:
    """The exact log Z in nats."""
    return IsingChain(coupling, field).log_normaliser()


def enumerated_log_z(coupling: Tensor, field: Tensor) -> Tensor:
    """The same by brute force, for up to 20 pixels: what the tests hold an answer against."""
    states = 2 * binary_states(len(field)) - 1
    return IsingChain(coupling, field).log_unnormalised(states).logsumexp(0)


def _chain(coupling: list[float], field: list[float]) -> tuple[Tensor, Tensor]:
    return torch.tensor(coupling, dtype=torch.float64), torch.tensor(field, dtype=torch.float64)


def _over_zero_and_one(coupling: Tensor, field: Tensor) -> Tensor:
    """The same sum over pixels that are 0 or 1, by rewriting them as spins."""
    h = field / 2
    h[:-1] += coupling / 4
    h[1:] += coupling / 4
    return chain_log_z(coupling / 4, h) + coupling.sum() / 4 + field.sum() / 2


def _last_pixel_white(coupling: Tensor, field: Tensor) -> Tensor:
    """The last pixel held at 1: it becomes a field on its neighbour."""
    shorter = field[:-1].clone()
    shorter[-1] += coupling[-1]
    return chain_log_z(coupling[:-1], shorter) + field[-1]


def _linear_space(coupling: Tensor, field: Tensor) -> Tensor:
    spins = torch.tensor([-1.0, 1.0], dtype=field.dtype)
    carried = (field[0] * spins).exp()
    for j, h in zip(coupling, field[1:], strict=True):
        carried = carried @ (j * torch.outer(spins, spins) + h * spins).exp()
    return carried.sum().log()


def _best_state(coupling: Tensor, field: Tensor) -> Tensor:
    spins = torch.tensor([-1.0, 1.0], dtype=field.dtype)
    carried = field[0] * spins
    for j, h in zip(coupling, field[1:], strict=True):
        carried = (carried[:, None] + j * torch.outer(spins, spins) + h * spins).amax(0)
    return carried.amax()


def _without_field(index: int | slice):
    def answer(coupling: Tensor, field: Tensor) -> Tensor:
        field = field.clone()
        field[index] = 0
        return chain_log_z(coupling, field)

    return answer


def _ten_thousand(answer: Answer) -> str:
    coupling, field = IsingChain.uniform(10_000, coupling=0.3).__dict__.values()
    exact = math.log(2) + 9_999 * math.log(2 * math.cosh(0.3))
    return (
        f"For 10,000 pixels with J = 0.3, a sum of 10^3,010 terms, you find "
        f"{answer(coupling, field).item():.6f} nats. In closed form it is {exact:.6f}."
    )


LONG = 2_000

QUESTION = Question(
    solution=chain_log_z,
    result="one number for the whole chain",
    cases={
        "a chain of four pixels": _chain([0.5, -0.3, 0.8], [0.2, -0.4, 0.1, 0.7]),
        "a chain of ten": _chain([0.3, -1.0, 0.4] * 3, [0.1, 0.5, -0.2, 0.3, -0.6] * 2),
        f"a chain of {LONG:,}": _chain([0.7] * (LONG - 1), [0.1] * LONG),
    },
    mistakes=[
        Mistake(
            _linear_space,
            "The recursion is right, but what it carries grows with every pixel and leaves the "
            "range of float64. Carry logarithms instead.",
        ),
        Mistake(
            lambda j, h: chain_log_z(j, h).exp(),
            "This is Z itself. The answer should be its logarithm.",
        ),
        Mistake(
            lambda j, h: -chain_log_z(j, h),
            "This is minus log Z (physicists call it a free energy).",
        ),
        Mistake(
            lambda j, h: chain_log_z(j, h) - len(h) * math.log(2),
            "This is the log of the average of f over all states. Z is their sum: how many "
            "states are there?",
        ),
        Mistake(
            _over_zero_and_one,
            "You sum over pixels that are 0 or 1. Here they are -1 or 1.",
        ),
        Mistake(
            _last_pixel_white,
            "You keep the last pixel at 1. It has two values like the others.",
        ),
        Mistake(_best_state, "This is the largest log f of all states, not the log of the sum."),
        Mistake(
            lambda j, h: (2 * h.cosh()).log().sum(),
            "The couplings are missing: you treat the pixels as independent.",
        ),
        Mistake(_without_field(slice(None)), "The fields h are missing."),
        Mistake(_without_field(0), "The first pixel's field is missing."),
        Mistake(_without_field(-1), "The last pixel's field is missing."),
    ],
    afterword=_ten_thousand,
)
