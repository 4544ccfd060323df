"""06.6: a mixture fitted by a loss that weighs its KL by beta."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question
from vaelab.data import load_digits
from vaelab.densities import binomial_log_likelihood

CODES, STEPS, LEVELS = 20, 50, 16
# How q is chosen, from the log shares (codes, 1), the log likelihoods (codes, digits) and beta.
Choose = Callable[[Tensor, Tensor, float], Tensor]


def best_q(log_share: Tensor, log_likelihood: Tensor, beta: float) -> Tensor:
    """The q that maximises reconstruction less beta KL."""
    return (log_share + log_likelihood / beta).softmax(0)


def mixture_by_beta(beta: float, seed: int) -> Tensor:
    """Mean log p(x) and mean KL of held-out digits in nats."""
    return _averages(*_held_out(beta, seed))


@cache  # every suspect is asked the same, and fifty steps take a moment
def _held_out(
    beta: float, seed: int, choose: Choose = best_q, learn_share: bool = True
) -> tuple[Tensor, Tensor, Tensor]:
    """Log shares, log likelihoods and q of held-out digits, after fifty steps."""
    digits = load_digits("grey", dtype=torch.float64)
    x, generator = digits.train, torch.Generator().manual_seed(seed)
    ink = 0.25 + 0.5 * x[torch.randperm(len(x), generator=generator)[:CODES]]
    share = torch.full((CODES, 1), 1 / CODES, dtype=torch.float64)
    for _ in range(STEPS):
        q = choose(share.log(), _log_likelihood(ink, x), beta)
        share = q.mean(1, keepdim=True) if learn_share else share
        ink = (q @ x + 0.5) / (q.sum(1, keepdim=True) + 1)
    log_likelihood = _log_likelihood(ink, digits.test)
    return share.log(), log_likelihood, choose(share.log(), log_likelihood, beta)


def _log_likelihood(ink: Tensor, x: Tensor) -> Tensor:
    return binomial_log_likelihood(LEVELS * x, ink.logit()[:, None], LEVELS)


def _averages(log_share: Tensor, log_likelihood: Tensor, q: Tensor) -> Tensor:
    kl = (torch.xlogy(q, q) - q * log_share).sum(0)
    return torch.stack([(log_share + log_likelihood).logsumexp(0).mean(), kl.mean()])


def _fitted(choose: Choose = best_q, learn_share: bool = True) -> Answer:
    """An answer that fits otherwise."""
    return lambda beta, seed: _averages(*_held_out(beta, seed, choose, learn_share))


def _read(first=None, second=None) -> Answer:
    """An answer that fits rightly and makes one of its numbers otherwise."""

    def answer(beta: float, seed: int) -> Tensor:
        found = _held_out(beta, seed)
        log_p, kl = _averages(*found)
        log_p = log_p if first is None else first(*found, beta)
        return torch.stack([log_p, kl if second is None else second(*found)])

    return answer


def _elbo(log_share: Tensor, log_likelihood: Tensor, q: Tensor, beta: float) -> Tensor:
    return (q * log_likelihood).sum(0).mean() - _averages(log_share, log_likelihood, q)[1]


def _without_coefficient(log_share: Tensor, log_likelihood: Tensor, *_) -> Tensor:
    x = load_digits("grey", dtype=torch.float64).test
    coefficient = _log_likelihood(torch.full((1, x.shape[1]), 0.5).double(), x)[0]
    coefficient = coefficient + LEVELS * x.shape[1] * torch.tensor(2.0).double().log()
    return (log_share + log_likelihood - coefficient).logsumexp(0).mean()


def _table(answer: Answer) -> str:
    lines = ["Twenty codes; mean over 360 held-out digits and three seeds (deviation over seeds):"]
    for beta in (1, 4, 16, 32, 64, 1_024):
        runs = torch.stack([answer(float(beta), seed) for seed in range(3)])
        log_p, kl = runs.mean(0).tolist()
        lines.append(
            f"  beta {beta:5,}: log p(x) {log_p:7.1f} ({runs[:, 0].std().item():.1f}) nats, "
            f"KL {kl:.2f} nats"
        )
    return "\n".join(lines)


QUESTION = Question(
    solution=mixture_by_beta,
    result="the mean log p(x), then the mean KL",
    cases={"a beta of 32": (32.0, 0), "a beta of 1": (1.0, 1)},
    mistakes=[
        Mistake(
            _fitted(lambda share, ll, beta: (share + beta * ll).softmax(0)),
            "Here a large beta makes the picture count for more. It should make the KL dearer.",
        ),
        Mistake(
            _fitted(lambda share, ll, beta: ((share + ll) / beta).softmax(0)),
            "You divide the log shares by beta as well. The q that maximises the objective does "
            "not.",
        ),
        Mistake(
            _fitted(lambda share, ll, beta: (share + ll).softmax(0)),
            "The fit does not depend on beta: this q is the exact posterior.",
        ),
        Mistake(
            _fitted(lambda share, ll, beta: (ll / beta).softmax(0)),
            "The shares do not enter q. They are the prior that it is held against.",
        ),
        Mistake(
            _fitted(learn_share=False),
            "The shares stay as they were. In each step they become the average q.",
        ),
        Mistake(
            _read(first=lambda share, ll, q, beta: (share + ll / beta).logsumexp(0).mean()),
            "The first number has beta in it. Whatever the model was trained by, its log p(x) "
            "does not know of it.",
        ),
        Mistake(
            _read(first=_elbo),
            "The first number is the bound. With twenty codes log p(x) itself is a sum.",
        ),
        Mistake(
            _read(first=_without_coefficient),
            "The first number lacks the binomial coefficients: it is minus sixteen "
            "cross-entropies, and no log-probability.",
        ),
        Mistake(
            _read(first=lambda share, ll, *_: (share + ll).logsumexp(0).exp().mean().log()),
            "The first number is the logarithm of the average probability, and so that of the "
            "luckiest digits. The average of the logarithms was asked for.",
        ),
        Mistake(
            _read(second=lambda share, ll, q: -torch.xlogy(q, q).sum(0).mean()),
            "The second number is the entropy of q. The KL also holds the shares.",
        ),
    ],
    afterword=_table,
    # The start is given: only the rounding of fifty steps may differ.
    rtol=1e-3,
    atol=1e-3,
)
