"""02.2: the marginal of a model whose code has K values."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question


def mixture_log_marginal(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    """log p(x) of each picture in nats."""
    return (log_prior[:, None] + log_likelihood).logsumexp(0)


def _model(prior: list[float], *pictures: list[float]) -> tuple[Tensor, Tensor]:
    """Log prior ``(K,)`` and log likelihoods ``(K, batch)``, the latter picture by picture."""
    likelihood = torch.tensor(pictures, dtype=torch.float64).T.contiguous()
    return torch.tensor(prior, dtype=torch.float64).log(), likelihood


def _naive(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    return (log_prior.exp()[:, None] * log_likelihood.exp()).sum(0).log()


def _shifted_together(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    largest = log_likelihood.max()
    return _naive(log_prior, log_likelihood - largest) + largest


def _table_of_the_chapter(answer: Answer) -> str:
    prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    likelihood = torch.tensor(
        [[0.7, 0.1, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1], [0.0, 0.1, 0.1, 0.8]], dtype=torch.float64
    )
    marginal = answer(prior.log(), likelihood.log()).exp()
    listed = ", ".join(f"{p:.2f}" for p in marginal.tolist())
    return (
        f"The chapter's table of three codes and four pictures has the marginal {listed}. One of "
        f"its likelihoods is 0, whose log is minus infinity: in log space that does no harm."
    )


QUESTION = Question(
    solution=mixture_log_marginal,
    result="one number for each picture, with the code summed out",
    cases={
        "four codes and two pictures": _model(
            [0.4, 0.3, 0.2, 0.1], [-1.0, -2.5, -0.3, -4.0], [-3.0, -0.2, -1.0, -0.7]
        ),
        "log likelihoods near -2000": _model(
            [0.5, 0.25, 0.25], [-2000.0, -2001.0, -1999.0], [-2100.0, -2103.0, -2099.5]
        ),
        "two pictures that are e^3000 apart": _model(
            [0.5, 0.25, 0.25], [-2.0, -1.0, 0.5], [-3000.0, -3001.0, -3002.0]
        ),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but exp underflows to 0 below about -745. Which operation "
            "adds numbers whose logarithms you have?",
        ),
        Mistake(
            _shifted_together,
            "You shift all pictures by one number. A picture far below the largest still "
            "underflows.",
        ),
        Mistake(
            lambda prior, likelihood: likelihood.logsumexp(0),
            "The prior is missing: every code counts in full, as if its probability were 1.",
        ),
        Mistake(
            lambda prior, likelihood: likelihood.logsumexp(0) - math.log(len(prior)),
            "You average over the codes as if all were equally probable. What does the prior say?",
        ),
        Mistake(
            lambda prior, likelihood: (prior.exp()[:, None] * likelihood).sum(0),
            "This is the average of the logs, and so too low: the quantity asked for is the log "
            "of an average.",
        ),
        Mistake(
            lambda prior, likelihood: (prior[:, None] + likelihood).amax(0),
            "This is the best code alone. The others can make the picture as well.",
        ),
        Mistake(
            lambda prior, likelihood: mixture_log_marginal(prior, likelihood).exp(),
            "This is p(x) itself. The answer should be its log, in nats.",
        ),
        Mistake(
            lambda prior, likelihood: mixture_log_marginal(prior, likelihood) / math.log(10),
            "This is a logarithm to base 10. Nats are natural logarithms.",
        ),
        Mistake(
            lambda prior, likelihood: mixture_log_marginal(prior.exp(), likelihood),
            "You add the prior itself to a logarithm. The product of two numbers is the sum of "
            "two logs.",
        ),
    ],
    afterword=_table_of_the_chapter,
)
