"""01.5: the gradient that an energy model learns by."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.exact.enumeration import binary_states
from vaelab.exact.ising_chain import IsingChain


def pair_means(spins: Tensor) -> Tensor:
    """Mean product of neighbours, ``(n, pixels)`` to ``(pixels - 1,)``."""
    return (spins[:, :-1] * spins[:, 1:]).mean(0)


def coupling_gradient(data: Tensor, draws: Tensor) -> Tensor:
    """Of the mean log-likelihood, with regard to each coupling."""
    return pair_means(data) - pair_means(draws)


def _covariance(spins: Tensor) -> Tensor:
    return pair_means(spins - spins.mean(0))


def _pictures(*rows: str) -> Tensor:
    """Spins from strings such as "+-+"."""
    return torch.tensor([[1.0 if c == "+" else -1.0 for c in row] for row in rows]).double()


def exact_draws(chain: IsingChain, num_samples: int, generator: torch.Generator) -> Tensor:
    """Independent draws from a short chain, by picking among all its states."""
    states = 2 * binary_states(len(chain.field)) - 1
    p = chain.log_prob(states).exp()
    return states[p.multinomial(num_samples, replacement=True, generator=generator)]


def _learn(answer: Answer) -> str:
    generator = torch.Generator().manual_seed(0)
    truth = torch.tensor([1.0, -0.5, 0.0, 0.8, 0.3], dtype=torch.float64)
    field = torch.zeros(6, dtype=torch.float64)
    data = exact_draws(IsingChain(truth, field), 5_000, generator)
    coupling = torch.zeros(5, dtype=torch.float64)
    for _ in range(200):
        draws = exact_draws(IsingChain(coupling, field), 500, generator)
        coupling = coupling + 0.2 * answer(data, draws)
    listed = ", ".join(f"{j:.2f}" for j in coupling.tolist())
    return (
        f"200 steps uphill with it, from 5,000 pictures of six pixels, find the couplings "
        f"{listed}. The pictures were drawn with 1, -0.5, 0, 0.8, 0.3."
    )


DATA = _pictures("++-+", "+++-", "--++", "+---")

QUESTION = Question(
    solution=coupling_gradient,
    result="one number for each pair of neighbours",
    cases={
        "four pictures and six draws": (
            DATA,
            _pictures("+++-", "-+-+", "--++", "+--+", "---+", "++++"),
        ),
        "four pictures and four draws": (DATA, _pictures("+-+-", "++++", "+--+", "-+++")),
    },
    mistakes=[
        Mistake(
            lambda data, draws: coupling_gradient(draws, data),
            "This points downhill. Which pictures should become more probable, the data or "
            "the model's own?",
        ),
        Mistake(
            lambda data, draws: pair_means(data),
            "This is the gradient of the mean log f alone. Climbing it, the couplings grow "
            "without end: what does log Z say against that?",
        ),
        Mistake(
            lambda data, draws: -pair_means(draws),
            "This is the gradient of minus log Z alone. The data have no say in it.",
        ),
        Mistake(
            lambda data, draws: len(data) * pair_means(data) - len(draws) * pair_means(draws),
            "These are sums over pictures. Then twice as many draws would pull twice as hard.",
        ),
        Mistake(
            lambda data, draws: len(data) * coupling_gradient(data, draws),
            "This is the gradient of the sum of log p over the data. The question asks for that "
            "of the mean.",
        ),
        Mistake(
            lambda data, draws: _covariance(data) - _covariance(draws),
            "These are covariances: you take out the means of the pixels first. What does a "
            "coupling multiply in log f?",
        ),
        Mistake(
            lambda data, draws: pair_means(data) / pair_means(draws),
            "You divide by the model's average. The logarithm turns the quotient f / Z into "
            "something else.",
        ),
    ],
    afterword=_learn,
)
