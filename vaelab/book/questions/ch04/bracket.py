"""04.5: a bracket around log p(x), from chains that walk both ways."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question


def bracket(forward: Tensor, backward: Tensor) -> Tensor:
    """Lower and upper estimate of log p(x)."""
    return torch.stack([_log_mean(forward), -_log_mean(backward)])


def _log_mean(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def _naive(forward: Tensor, backward: Tensor) -> Tensor:
    return torch.stack([forward.exp().mean(0).log(), -backward.exp().mean(0).log()])


def _walks(shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """Six chains for two pictures, forward and (four of them) backward."""
    generator = torch.Generator().manual_seed(0)
    forward = torch.randn(6, 2, generator=generator, dtype=torch.float64) - 0.5
    backward = torch.randn(4, 2, generator=generator, dtype=torch.float64) - 0.5
    return forward + shift, backward - shift


def _linear_model(answer: Answer) -> str:
    from vaelab.data import load_digits
    from vaelab.estimators.annealed import annealed_log_marginal, reverse_annealed_log_marginal
    from vaelab.estimators.annealing import sigmoid_betas
    from vaelab.estimators.proposals import StandardNormal
    from vaelab.exact.linear_gaussian import LinearGaussian

    generator = torch.Generator().manual_seed(0)
    model = LinearGaussian.fit(load_digits("grey", dtype=torch.float64).train, 4)
    x, z = model.sample(50, generator)
    lines = ["Fifty simulated digits of a linear model, 4 latents; mean log p(x) in nats:"]
    for temperatures in (4, 16):
        path = (x, model.log_likelihood, StandardNormal(4), sigmoid_betas(temperatures))
        up = annealed_log_marginal(*path, num_chains=8, generator=generator)
        down = reverse_annealed_log_marginal(
            *path, z.expand(8, -1, -1).contiguous(), generator=generator
        )
        low, high = answer(up.log_weights, down.log_weights).mean(1).tolist()
        lines.append(f"  {temperatures:2d} temperatures: from {low:.2f} to {high:.2f}")
    lines.append(f"  exact: {model.log_marginal(x).mean().item():.2f}")
    return "\n".join(lines)


QUESTION = Question(
    solution=bracket,
    result="lower estimates first, then upper ones, for each picture",
    cases={
        "two pictures": _walks(),
        "log weights near -2000 and 2000": _walks(shift=-2000.0),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but exp underflows below about -745 and overflows above 709. "
            "Average in log space.",
        ),
        Mistake(
            lambda up, down: torch.stack([_log_mean(up), _log_mean(down)]),
            "Of which quantity is the average of the backward weights an unbiased estimate? Yours "
            "treats it as if it were p(x).",
        ),
        Mistake(
            lambda up, down: torch.stack([_log_mean(up), _log_mean(-down)]),
            "In the backward direction you invert each weight and average afterwards. Which of "
            "the two averages is unbiased?",
        ),
        Mistake(
            lambda up, down: bracket(up, down).flip(0),
            "Lower and upper have changed places.",
        ),
        Mistake(
            lambda up, down: torch.stack([up.logsumexp(0), -down.logsumexp(0)]),
            "These are logs of sums. Twice as many chains should not move a bound by log 2.",
        ),
        Mistake(
            lambda up, down: torch.stack([up.logsumexp(0), _log_mean(down).neg()]),
            "The forward weights are summed where they should be averaged.",
        ),
        Mistake(
            lambda up, down: torch.stack([up.mean(0), -down.mean(0)]),
            "You average the logs. These are bounds as well, on average, but needlessly loose: "
            "more chains do not bring them nearer to the truth.",
        ),
        Mistake(
            lambda up, down: torch.stack([up.amax(0), -down.amax(0)]),
            "You take the largest weight alone.",
        ),
        Mistake(
            lambda up, down: torch.stack([_log_mean(up), -down.logsumexp(0) + math.log(len(up))]),
            "You divide both sums by the number of forward chains. How many go backward?",
        ),
    ],
    afterword=_linear_model,
)
