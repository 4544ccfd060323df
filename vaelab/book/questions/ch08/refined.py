"""08.6: a q of its own for each digit, by gradient steps from the encoder's."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question

DIGITS, DRAWS, RATE, FRESH = 100, 8, 0.03, 200


def refine(beta: float, steps: int, seed: int) -> Tensor:
    """Mean ELBO of the encoder's q, and of what it becomes."""
    return _run(beta, steps, seed)


@cache  # a right answer is held against every slip
def _run(
    beta: float,
    steps: int,
    seed: int,
    part: str = "test",
    weight: float = 1.0,
    sign: float = 1.0,
    detached: bool = False,
    tight: bool = False,
) -> Tensor:
    """The experiment, with its slips as switches."""
    vae, x = _model_and_digits(beta, part)
    generator = torch.Generator().manual_seed(seed)

    def elbo(mean: Tensor, log_var: Tensor, draws: int) -> Tensor:
        like = {"generator": generator, "dtype": torch.float64}
        z = mean + (0.5 * log_var).exp() * torch.randn(draws, *mean.shape, **like)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
        return vae.log_likelihood(x, z.detach() if detached else z).mean(0) - weight * kl

    with torch.no_grad():
        start = vae.encode(x)
    q = [t.clone().requires_grad_() for t in start]
    optimiser = torch.optim.Adam(q, lr=RATE)
    for _ in range(steps):
        optimiser.zero_grad()
        (-sign * elbo(*q, DRAWS).sum()).backward()
        optimiser.step()
    with torch.no_grad():
        if tight:
            return torch.stack([_tight(vae, x, *at, generator) for at in (start, q)])
        return torch.stack([elbo(*at, FRESH).mean() for at in (start, q)])


def _tight(vae, x: Tensor, mean: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
    from vaelab.estimators.importance import importance_log_marginal
    from vaelab.estimators.proposals import DiagonalNormal

    proposal = DiagonalNormal(mean, log_var)
    return importance_log_marginal(
        x, vae.log_likelihood, proposal, FRESH, generator
    ).log_marginal.mean()


@cache
def _model_and_digits(beta: float, part: str = "test"):
    from vaelab.data import load_digits
    from vaelab.pretrained import load_vae

    vae = load_vae("beta_latent", beta=beta, latent_dim=2).double()
    return vae, getattr(load_digits("binary", dtype=torch.float64), part)[:DIGITS]


def _table(answer: Answer) -> str:
    from vaelab.exact.quadrature import quadrature_log_marginal

    lines = [" beta   encoder   10 steps   100 steps   exact log p(x)"]
    for beta in (0.25, 1.0, 4.0):
        vae, x = _model_and_digits(beta)
        exact = quadrature_log_marginal(x, vae.log_likelihood, latent_dim=2).log_marginal.mean()
        few, many = answer(beta, 10, 0).tolist(), answer(beta, 100, 0).tolist()
        row = f" {beta:4g}    {few[0]:6.2f}     {few[1]:6.2f}      {many[1]:6.2f}"
        lines.append(f"{row}   {exact.item():8.2f}")
    return "\n".join(lines)


QUESTION = Question(
    solution=refine,
    result="mean ELBO before, and after",
    cases={
        "10 steps, beta 0.25": (0.25, 10, 0),
        "50 steps, beta 1": (1.0, 50, 0),
        "no step, beta 1": (1.0, 0, 0),
    },
    mistakes=[
        Mistake(
            lambda beta, steps, seed: _run(beta, steps, seed, sign=-1.0),
            "Your steps go down the ELBO. Which way does an optimiser of torch go?",
        ),
        Mistake(
            lambda beta, steps, seed: _run(beta, steps, seed, detached=True),
            "Only the KL seems to pull: q moves towards the prior. Bug 4 of the Ten bugs, detached "
            "graph.",
        ),
        Mistake(
            lambda beta, steps, seed: _run(beta, steps, seed, weight=beta),
            "You weight the KL by beta. That is what the model was trained with; what is the ELBO?",
        ),
        Mistake(
            lambda beta, steps, seed: _run(beta, steps, seed, weight=0.0),
            "The KL is missing.",
        ),
        Mistake(
            lambda beta, steps, seed: _run(beta, steps, seed, tight=True),
            "These are estimates of log p(x), with many weights under the logarithm. The question "
            "asks for the ELBO.",
        ),
        Mistake(
            lambda beta, steps, seed: refine(beta, steps, seed).flip(0),
            "Before and after have changed places.",
        ),
        Mistake(
            lambda beta, steps, seed: refine(beta, 0, seed),
            "The second number has not moved from the first: do your steps change the tensors "
            "that you evaluate?",
        ),
        Mistake(
            lambda beta, steps, seed: refine(beta, steps, seed)[[1, 1]],
            "Both numbers are those after the steps: did the starting values move along?",
        ),
        Mistake(
            lambda beta, steps, seed: refine(beta, steps, seed) * DIGITS,
            "You add up over the digits. The question asks for their mean.",
        ),
        Mistake(
            lambda beta, steps, seed: _run(beta, steps, seed, part="train"),
            "These look like training digits, which the encoder has seen.",
        ),
        Mistake(
            lambda beta, steps, seed: refine(1.0, steps, seed),
            "Whatever beta you are given, this is the model of beta 1.",
        ),
    ],
    afterword=_table,
    # Other draws move the numbers by 0.02 (standard error), other good ways to step by 0.1.
    rtol=0.0,
    atol=0.15,
)
