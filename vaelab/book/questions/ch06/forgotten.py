"""06.2: the logarithm of the partition function that cross-entropy lacks on grey pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vaelab.book.questions import Answer, Mistake, Question


def log_forgotten(logits: Tensor) -> Tensor:
    """Log of what exp(-BCE) integrates to over grey pictures."""
    return _log_area(logits).sum(-1)


def _log_area(logits: Tensor) -> Tensor:
    size = logits.abs().clamp(min=1e-9)  # at 0 the limit, to rounding
    return ((size / 2).tanh() / size).log()


def _naive(logits: Tensor) -> Tensor:
    grown = logits.exp()
    return ((grown - 1) / (logits * (grown + 1))).log().sum(-1)


def _by_tanh(logits: Tensor) -> Tensor:
    return ((logits / 2).tanh() / logits).log().sum(-1)


def _by_series(logits: Tensor) -> Tensor:
    """Right near 0 and where exp is in range."""
    area = torch.where(logits.abs() < 1e-4, 0.5, logits.expm1() / (logits * (logits.exp() + 1)))
    return area.log().sum(-1)


def _logits(*rows: list[float]) -> tuple[Tensor]:
    return (torch.tensor(rows, dtype=torch.float64),)


@torch.no_grad()
def _on_digits(answer: Answer) -> str:
    from vaelab import pretrained
    from vaelab.data import load_digits

    lines = ["What is left out of the loss, -log Z, for 360 held-out digits at their mean codes:"]
    x = load_digits("binary", dtype=torch.float64).test
    for latent_dim in (1, 2):
        vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=latent_dim).double()
        left_out = -answer(vae.decode(vae.encode(x)[0]))
        lines.append(
            f"  decoder with {latent_dim} latent{'s' * (latent_dim > 1)}: from "
            f"{left_out.min().item():.1f} to {left_out.max().item():.1f} nats, "
            f"mean {left_out.mean().item():.1f}"
        )
    lines.append(f"  a decoder that knows nothing: 64 log 2, or {64 * math.log(2):.1f} nats")
    return "\n".join(lines)


QUESTION = Question(
    solution=log_forgotten,
    result="one number for each picture, made of all its pixels",
    cases={
        "two pictures of three pixels": _logits([0.7, -2.0, 1.5], [-0.4, 3.0, 5.0]),
        "logits near 0": _logits([1e-10, -3e-12], [2e-14, 1e-7]),
        "a decoder that says exactly 1/2": _logits([0.0, 0.0], [0.0, 1.0]),
        "a very sure decoder": _logits([900.0, -2000.0], [-1500.0, 0.3]),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right for most logits. At 0 it is 0 / 0, near 0 it loses its digits, "
            "and for large ones it is infinity over infinity. How can the fraction be written "
            "otherwise?",
        ),
        Mistake(
            _by_tanh,
            "The formula is right, and 0 / 0 at a logit of exactly 0. What is its limit?",
        ),
        Mistake(
            _by_series,
            "The formula is right, but for a sure decoder exp overflows, and infinity over "
            "infinity is nothing. Which fraction of two exponentials stays in range?",
        ),
        Mistake(
            lambda logits: -log_forgotten(logits),
            "The sign is that of the term to be added to the log density. The logarithm of the "
            "integral itself was asked for.",
        ),
        Mistake(
            lambda logits: torch.full_like(logits, -math.log(2)).sum(-1),
            "You take log 2 for each pixel. That is right for a decoder that says 1/2, and the "
            "least that is lacking otherwise.",
        ),
        Mistake(
            lambda logits: (_log_area(logits) + softplus(logits)).sum(-1),
            "This is the integral of exp(x l) alone. The cross-entropy has a second part, without "
            "x in it.",
        ),
        Mistake(
            lambda logits: _log_area(logits.sigmoid()).sum(-1),
            "You take the probability where the logit belongs.",
        ),
        Mistake(
            lambda logits: _log_area(logits).exp().sum(-1).log(),
            "You add the integrals of the pixels. Over whole pictures they multiply.",
        ),
        Mistake(
            lambda logits: _log_area(logits).mean(-1),
            "You average over pixels. The picture's integral is a product, and its logarithm a "
            "sum.",
        ),
        Mistake(
            lambda logits: log_forgotten(logits).exp(),
            "This is the integral. Its logarithm was asked for.",
        ),
        Mistake(
            lambda logits: log_forgotten(logits) / math.log(2),
            "This is in bits. The answer should be in nats.",
        ),
        Mistake(
            lambda logits: 0 * logits.sum(-1),
            "You sum over black and white, where nothing is missing. Here x is any number between "
            "0 and 1.",
        ),
    ],
    afterword=_on_digits,
)
