"""05.5: the ELBO of a q that is a mixture."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question


def mixture_elbo(log_joint: Tensor, log_q: Tensor, log_share: Tensor) -> Tensor:
    """Estimate of the mixture's ELBO in nats, from S draws of each component."""
    return _average(log_joint - _log_mixture(log_q, log_share), log_share)


def _log_mixture(log_q: Tensor, log_share: Tensor) -> Tensor:
    return (log_q + log_share).logsumexp(-1)


def _average(values: Tensor, log_share: Tensor) -> Tensor:
    return values.mean(0) @ log_share.exp()


def _own(log_q: Tensor) -> Tensor:
    return log_q.diagonal(dim1=-2, dim2=-1)


def _draws(shift_joint: float = 0.0, shift_q: float = 0.0) -> tuple[Argument, ...]:
    """Five draws from each of three components, all seen by all."""
    generator = torch.Generator().manual_seed(0)
    log_joint = torch.randn(5, 3, generator=generator, dtype=torch.float64) - 2
    log_q = torch.randn(5, 3, 3, generator=generator, dtype=torch.float64)
    log_share = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()
    return log_joint + shift_joint, log_q + shift_q, log_share


@torch.no_grad()
def _two_hills(answer: Answer) -> str:
    from vaelab import pretrained
    from vaelab.data import load_digits
    from vaelab.densities import normal_log_density, standard_normal_log_density
    from vaelab.exact.quadrature import quadrature_log_marginal

    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=1).double()
    x = load_digits("binary", dtype=torch.float64).test[2:3]
    mean = torch.tensor([0.4, 1.5], dtype=torch.float64)
    log_var = torch.tensor([0.13, 0.2], dtype=torch.float64).log() * 2
    noise = torch.randn(10_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = mean + (0.5 * log_var).exp() * noise  # (S, K)
    log_joint = vae.log_likelihood(x, z.reshape(-1, 1, 1)).reshape(z.shape)
    log_joint = log_joint + standard_normal_log_density(z)
    log_q = normal_log_density(z[..., None], mean, log_var)
    lines = ["The chapter's digit, one latent. ELBO by q, from 10,000 draws a hill, in nats:"]
    for k, name in enumerate(("hill near 0.4 alone", "hill near 1.5 alone")):
        one = log_joint[:, [k]], log_q[:, [k]][..., [k]], torch.zeros(1, dtype=torch.float64)
        lines.append(f"  {name}:  {answer(*one).item():.2f}")
    for share in (0.3, 0.5, 0.7, 0.9):
        log_share = torch.tensor([share, 1 - share], dtype=torch.float64).log()
        found = answer(log_joint, log_q, log_share).item()
        lines.append(f"  both, {share:.0%} on the first: {found:.2f}")
    exact = quadrature_log_marginal(x, vae.log_likelihood, 1, step=0.002).log_marginal.item()
    lines.append(f"  exact log p(x):          {exact:.2f}")
    return "\n".join(lines)


QUESTION = Question(
    solution=mixture_elbo,
    result="one number for the picture, averaged over all draws",
    cases={
        "five draws from each of three components": _draws(),
        "log densities near -2000": _draws(shift_joint=-2000.0, shift_q=-2000.0),
    },
    mistakes=[
        Mistake(
            lambda joint, q, share: _average(joint - (q.exp() * share.exp()).sum(-1).log(), share),
            "The formula is right, but exp underflows to 0 below about -745. Add the densities in "
            "log space.",
        ),
        Mistake(
            lambda joint, q, share: _average(joint - _own(q), share),
            "Each draw is held against the component that it came from. That is the average of "
            "the components' own ELBOs, which is lower: the mixture is denser at each draw than "
            "one component alone makes it.",
        ),
        Mistake(
            lambda joint, q, share: _average(joint - _own(q) - share, share),
            "Each draw is held against its own component's part. The others may reach there too.",
        ),
        Mistake(
            lambda joint, q, share: _average(joint - q.logsumexp(-1), share),
            "The shares are missing from the density, which integrates to the number of "
            "components.",
        ),
        Mistake(
            lambda joint, q, share: (joint - _log_mixture(q, share)).mean(),
            "All draws count alike. How often would the mixture draw from each component?",
        ),
        Mistake(
            lambda joint, q, share: (joint - _log_mixture(q, torch.zeros_like(share))).mean(),
            "The shares are missing, from the density and from the average.",
        ),
        Mistake(
            lambda joint, q, share: _average(joint - q @ share.exp(), share),
            "You mix the logarithms of the densities. A mixture adds densities.",
        ),
        Mistake(
            lambda joint, q, share: (
                (joint - _log_mixture(q, share) + share).logsumexp((0, 1))
                - torch.tensor(len(joint), dtype=joint.dtype).log()
            ),
            "The logarithm is outside the average. That estimates log p(x) itself, by importance "
            "sampling, and not the bound.",
        ),
        Mistake(
            lambda joint, q, share: _average(joint, share),
            "This is the energy alone. What does q gain by being spread out?",
        ),
        Mistake(
            lambda joint, q, share: _average(joint - _log_mixture(q.mT, share), share),
            "The last two axes of log_q have changed places: the sum is over components, at one "
            "draw.",
        ),
        Mistake(
            lambda *a: len(a[0]) * mixture_elbo(*a),
            "You sum over the draws. Twice as many should not change a bound.",
        ),
        Mistake(
            lambda joint, q, share: _average(_log_mixture(q, share) - joint, share),
            "The sign is that of a loss. The bound itself was asked for.",
        ),
    ],
    afterword=_two_hills,
)
