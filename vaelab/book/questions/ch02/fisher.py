"""02.5: the gradient of log p(x), as an average over the posterior."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Mistake, Question


def fisher_gradient(log_joint: Tensor, gradients: Tensor) -> Tensor:
    """Posterior average of the joint's gradients."""
    return _weighted(log_joint.softmax(0), gradients)


def _weighted(weights: Tensor, gradients: Tensor) -> Tensor:
    return (weights[..., None] * gradients).sum(0)


def _naive(log_joint: Tensor, gradients: Tensor) -> Tensor:
    joint = log_joint.exp()
    return _weighted(joint / joint.sum(0), gradients)


def _best_code(log_joint: Tensor, gradients: Tensor) -> Tensor:
    return gradients[log_joint.argmax(0), torch.arange(log_joint.shape[1])]


def _codes(seed: int, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """Five codes, three pictures, two parameters."""
    generator = torch.Generator().manual_seed(seed)
    log_joint = torch.randn(5, 3, generator=generator, dtype=torch.float64) - 2 + shift
    return log_joint, torch.randn(5, 3, 2, generator=generator, dtype=torch.float64)


def _digit(answer: Answer) -> str:
    from vaelab import pretrained
    from vaelab.data import load_digits
    from vaelab.exact.quadrature import latent_grid, quadrature_log_joint

    vae = pretrained.load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:1]
    z = latent_grid(2, half_width=6.0, step=0.2)
    log_joint = quadrature_log_joint(x, vae.log_likelihood, z)
    bias = vae.decoder[2].bias
    (direct,) = torch.autograd.grad(log_joint.logsumexp(0).sum(), bias)
    with torch.no_grad():  # for pixels that are 0 or 1 the gradient is what the decoder got wrong
        gradients = x - vae.decode_mean(z[:, None])
        mine = answer(log_joint.detach(), gradients)[0]
    most = direct.abs().argmax()
    return (
        f"With the chapter's decoder and a held-out digit, the largest gradient in the biases of "
        f"the last layer is {mine[most].item():.6f} by your average over {len(z):,} codes. "
        f"Differentiating log p(x) itself gives {direct[most].item():.6f}."
    )


QUESTION = Question(
    solution=fisher_gradient,
    result="one gradient for each picture, with the code averaged out",
    cases={
        "five codes": _codes(0),
        "five more": _codes(1),
        "joints near e^-2000": _codes(0, shift=-2000.0),
    },
    mistakes=[
        Mistake(
            _naive,
            "The formula is right, but exp underflows to 0 below about -745, and the weights "
            "become 0/0. What leaves the weights unchanged and keeps exp in range?",
        ),
        Mistake(
            lambda joint, gradients: gradients.mean(0),
            "This average weighs all codes alike. Which codes could have made the picture?",
        ),
        Mistake(
            lambda joint, gradients: gradients.sum(0),
            "This is a sum over codes without weights.",
        ),
        Mistake(
            lambda joint, gradients: _weighted(joint.exp(), gradients),
            "These weights do not sum to one. What you have is the gradient of p(x) (up to the "
            "cell's size), not of its log.",
        ),
        Mistake(
            lambda joint, gradients: _weighted(joint, gradients),
            "You weigh by the logs of the joint. Weights should not be negative.",
        ),
        Mistake(
            lambda joint, gradients: _weighted(joint.softmax(1), gradients),
            "Your weights sum to one over the pictures. Each picture has a posterior of its own, "
            "over codes.",
        ),
        Mistake(
            _best_code,
            "This is the gradient at the most probable code alone.",
        ),
        Mistake(
            lambda joint, gradients: fisher_gradient(joint, gradients) / len(joint),
            "Weights that sum to one make an average already; you divide by the number of codes "
            "as well.",
        ),
    ],
    afterword=_digit,
)
