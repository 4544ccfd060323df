"""07.6: five trained models, ranked by three estimates."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question

DIGITS, DRAWS = 100, 1_000
BETAS = (0.25, 0.5, 1.0, 2.0, 4.0)


@cache  # most slips are made of the right numbers
def three_estimates(beta: float, seed: int) -> Tensor:
    """Mean ELBO, and mean log p(x) by two proposals."""
    vae, x = _model_and_digits(beta)
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([_elbo(vae, x, generator), *_weighted(vae, x, generator)])


@torch.no_grad()
def _elbo(vae, x: Tensor, generator: torch.Generator, beta: float = 1.0) -> Tensor:
    from vaelab.objectives import elbo_terms

    return elbo_terms(vae, x, 100, generator).beta_objective(beta).mean()


@torch.no_grad()
def _weighted(vae, x: Tensor, generator: torch.Generator, widen: float = 2.0) -> list[Tensor]:
    from vaelab.estimators.importance import importance_log_marginal
    from vaelab.estimators.proposals import DiagonalNormal, defensive_mixture

    mean, log_var = vae.encode(x)
    return [
        importance_log_marginal(
            x, vae.log_likelihood, proposal, DRAWS, generator
        ).log_marginal.mean()
        for proposal in (DiagonalNormal(mean, log_var), defensive_mixture(mean, log_var, widen))
    ]


@cache
def _model_and_digits(beta: float, part: str = "test"):
    from vaelab.data import load_digits
    from vaelab.pretrained import load_vae

    vae = load_vae("beta_latent", beta=beta, latent_dim=2).double()
    return vae, getattr(load_digits("binary", dtype=torch.float64), part)[:DIGITS]


def _on_training_digits(beta: float, seed: int) -> Tensor:
    vae, x = _model_and_digits(beta, "train")
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([_elbo(vae, x, generator), *_weighted(vae, x, generator)])


def _with_elbo(elbo) -> Answer:
    """Right, but for the first number."""

    def answer(beta: float, seed: int) -> Tensor:
        vae, x = _model_and_digits(beta)
        generator = torch.Generator().manual_seed(seed)
        return torch.stack([elbo(vae, x, generator, beta), *_weighted(vae, x, generator)])

    return answer


@torch.no_grad()
def _without_noise(vae, x: Tensor, generator: torch.Generator, beta: float) -> Tensor:
    from vaelab.densities import kl_to_standard_normal

    mean, log_var = vae.encode(x)
    rate = kl_to_standard_normal(mean, log_var).sum(-1)
    return (vae.log_likelihood(x, mean) - rate).mean()


def _table(answer: Answer) -> str:
    from vaelab.exact.quadrature import quadrature_log_marginal

    lines = ["   beta    ELBO   q alone   mixture     exact"]
    for beta in BETAS:
        vae, x = _model_and_digits(beta)
        exact = quadrature_log_marginal(x, vae.log_likelihood, latent_dim=2).log_marginal.mean()
        elbo, narrow, wide = answer(beta, 0).tolist()
        lines.append(f"  {beta:5g}  {elbo:6.1f}  {narrow:8.1f}  {wide:8.1f}  {exact.item():8.2f}")
    return "\n".join(lines)


QUESTION = Question(
    solution=three_estimates,
    result="mean ELBO, mean log p(x) with q as proposal, and with the mixture",
    cases={"the model of beta 0.25": (0.25, 0), "the model of beta 1": (1.0, 0)},
    mistakes=[
        Mistake(
            lambda beta, seed: three_estimates(beta, seed)[[0, 2, 1]],
            "The two proposals have changed places.",
        ),
        Mistake(
            _with_elbo(lambda vae, x, generator, beta: _elbo(vae, x, generator, beta)),
            "The first number is the objective of training, with the rate weighted by beta. Which "
            "weight makes it a bound on log p(x)?",
        ),
        Mistake(
            _with_elbo(_without_noise),
            "The first number has no noise in its codes: bug 8 of the Ten bugs.",
        ),
        Mistake(
            lambda beta, seed: three_estimates(beta, seed)[[0, 1, 0]],
            "The third number is the ELBO once more.",
        ),
        Mistake(
            lambda beta, seed: three_estimates(beta, seed)[[0, 1, 1]],
            "The third number has q alone as its proposal, like the second.",
        ),
        Mistake(
            lambda beta, seed: three_estimates(beta, seed) * DIGITS,
            "You add up over the digits. The question asks for their mean.",
        ),
        Mistake(
            lambda beta, seed: -three_estimates(beta, seed),
            "These are negative log-likelihoods: the signs are turned.",
        ),
        Mistake(
            lambda beta, seed: three_estimates(beta, seed) / math.log(2),
            "These are in bits. The answer should be in nats.",
        ),
        Mistake(
            _on_training_digits,
            "These look like training digits. Which ones has the model not seen?",
        ),
        Mistake(
            lambda beta, seed: three_estimates(1.0, seed),
            "Whatever beta you are given, this is the model of beta 1.",
        ),
    ],
    afterword=_table,
    # Other draws move the numbers by 0.04 or less (standard errors), on either side.
    rtol=0.0,
    atol=0.2,
)
