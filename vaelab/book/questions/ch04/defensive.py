"""04.4: the density of a mixture that is safe, in log space."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question
from vaelab.densities import normal_log_density, standard_normal_log_density


def mixture_log_density(log_prior: Tensor, log_q: Tensor, share: float) -> Tensor:
    """Log of share times the prior plus the rest times q."""
    return torch.logaddexp(log_prior + math.log(share), log_q + math.log1p(-share))


def _naive(log_prior: Tensor, log_q: Tensor, share: float) -> Tensor:
    return (share * log_prior.exp() + (1 - share) * log_q.exp()).log()


def _densities(shift: float = 0.0, share: float = 0.3) -> tuple[Argument, ...]:
    log_prior = torch.tensor([[-1.0, -2.0, -6.0], [-0.9, -3.0, -1.5]], dtype=torch.float64)
    log_q = torch.tensor([[1.0, -8.0, -1.0], [-0.9, 0.5, -40.0]], dtype=torch.float64)
    return log_prior + shift, log_q + shift, share


@dataclass(frozen=True)
class _PriorAndEncoder:
    """Draws from prior and encoder in given shares, with the answer's density."""

    answer: Answer
    share: float
    mean: Tensor
    log_var: Tensor
    noise_dim: int = 3

    def transform(self, noise: Tensor) -> Tensor:
        from_prior = torch.special.ndtr(noise[..., 2:]) < self.share
        from_q = self.mean + (0.5 * self.log_var).exp() * noise[..., :2]
        return noise[..., :2].where(from_prior, from_q)

    def log_density(self, z: Tensor) -> Tensor:
        log_prior = standard_normal_log_density(z).sum(-1)
        log_q = normal_log_density(z, self.mean, self.log_var).sum(-1)
        return self.answer(log_prior, log_q, self.share)


@torch.no_grad()
def _error_by_share(answer: Answer) -> str:
    from vaelab import pretrained
    from vaelab.data import load_digits
    from vaelab.estimators.importance import importance_log_marginal
    from vaelab.exact.quadrature import quadrature_log_marginal

    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:100]
    truth = quadrature_log_marginal(x, vae.log_likelihood, 2, step=0.1).log_marginal
    generator = torch.Generator().manual_seed(0)
    lines = ["Mean error over 100 held-out digits, 1,000 draws each, by the prior's share:"]
    for share in (1e-6, 0.1, 0.3, 0.5, 0.9):
        proposal = _PriorAndEncoder(answer, share, *vae.encode(x))
        found = importance_log_marginal(x, vae.log_likelihood, proposal, 1_000, generator)
        error = (found.log_marginal - truth).abs()
        lines.append(
            f"  share {share:g}: {error.mean().item():.3f} nats "
            f"(standard error {error.std().item() / 10:.3f})"
        )
    return "\n".join(lines)


QUESTION = Question(
    solution=mixture_log_density,
    result="one log density for each draw and picture",
    cases={
        "a share of 0.3": _densities(),
        "a share of 0.5": _densities(share=0.5),
        "densities near e^-2000": _densities(shift=-2000.0),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but exp underflows to 0 below about -745. Which function adds "
            "two numbers whose logs are given?",
        ),
        Mistake(
            lambda prior, q, share: share * prior + (1 - share) * q,
            "This mixes the logs: a geometric mean of the densities, which does not integrate to "
            "one, and is small where either is small. That is the opposite of safe.",
        ),
        Mistake(
            lambda prior, q, share: torch.logaddexp(prior, q),
            "The shares are missing: this density integrates to two.",
        ),
        Mistake(
            lambda prior, q, share: torch.logaddexp(prior, q) - math.log(2),
            "You give both halves of the draws, whatever the share.",
        ),
        Mistake(
            lambda prior, q, share: mixture_log_density(q, prior, share),
            "The shares have changed places: share belongs to the prior.",
        ),
        Mistake(
            lambda prior, q, share: torch.maximum(prior, q),
            "This is the larger of the two densities, not their mixture.",
        ),
        Mistake(
            lambda prior, q, share: torch.maximum(prior + math.log(share), q + math.log1p(-share)),
            "This is the larger of the two parts. A mixture adds them.",
        ),
        Mistake(
            lambda *a: mixture_log_density(*a).exp(),
            "This is the density itself. The answer should be its log.",
        ),
    ],
    afterword=_error_by_share,
)
