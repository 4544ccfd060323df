"""06.4: a small loss audit, by three calls of the loss."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from vaelab.book.questions import Answer, Argument, Mistake, Question
from vaelab.book.questions.ch06 import losses
from vaelab.densities import kl_to_standard_normal

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def effective_beta(
    loss: Loss, x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor, max_count: int
) -> Tensor:
    """The beta that a loss of cross-entropy and KL stands for."""
    bce, kl = _weights(loss, x, logits, mean, log_var)
    return max_count * kl / bce


def _weights(
    loss: Loss, x: Tensor, logits: Tensor, mean: Tensor, log_var: Tensor, naive: bool = False
) -> tuple[Tensor, Tensor]:
    """By what the loss multiplies a batch's summed cross-entropy and KL."""
    without_kl = loss(x, logits, 0 * mean, 0 * log_var)
    kl_weight = (loss(x, logits, mean, log_var) - without_kl) / _kl(mean, log_var).sum()
    bce = _bce_by_formula if naive else _bce
    change = bce(x, logits) - bce(x, 0 * logits)
    return (without_kl - loss(x, 0 * logits, 0 * mean, 0 * log_var)) / change, kl_weight


def _kl(mean: Tensor, log_var: Tensor) -> Tensor:
    return kl_to_standard_normal(mean, log_var)


def _bce(x: Tensor, logits: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(logits, x, reduction="sum")


def _bce_by_formula(x: Tensor, logits: Tensor) -> Tensor:
    p = logits.sigmoid()
    return -(x * p.log() + (1 - x) * (1 - p).log()).sum()


def _naive(loss: Loss, *arguments) -> Tensor:
    bce, kl = _weights(loss, *arguments[:4], naive=True)
    return arguments[4] * kl / bce


def _with_constant(loss: Loss, x: Tensor, logits: Tensor, *rest) -> Tensor:
    mean, log_var, max_count = rest
    weight = loss(x, logits, 0 * mean, 0 * log_var) / _bce(x, logits)
    return max_count * _weights(loss, x, logits, mean, log_var)[1] / weight


def _scaled(amount: Callable[..., float]) -> Answer:
    """An answer that is off by a factor made of its arguments."""

    def answer(loss: Loss, x: Tensor, logits: Tensor, mean: Tensor, *rest) -> Tensor:
        factor = amount(x, mean, rest[-1])
        return factor * effective_beta(loss, x, logits, mean, *rest)

    return answer


def _batch(loss: Loss, max_count: int, scale: float = 1.0, seed: int = 0) -> tuple[Argument, ...]:
    """Three pictures of five pixels, counts / max_count, and two latents."""
    generator = torch.Generator().manual_seed(seed)
    like = {"generator": generator, "dtype": torch.float64}
    x = torch.randint(max_count + 1, (3, 5), generator=generator).double() / max_count
    logits = scale * torch.randn(3, 5, **like)
    return loss, x, logits, torch.randn(3, 2, **like), torch.randn(3, 2, **like), max_count


def _beside_the_audit(answer: Answer) -> str:
    from vaelab.data import load_digits
    from vaelab.objectives.audit import audit_loss

    grey = load_digits("grey", dtype=torch.float64).test[:16]
    generator = torch.Generator().manual_seed(0)
    like = {"generator": generator, "dtype": torch.float64}
    outputs = torch.randn(16, 64, **like), torch.randn(16, 8, **like), torch.randn(16, 8, **like)
    lines = ["64 pixels, 8 latents. Your beta, and in brackets what audit_loss says:"]
    for name in ("summed", "averaged", "both_averaged"):
        loss, row = getattr(losses, name), f"  {name + ':':14}"
        audit = audit_loss(loss)
        for kind, x, n in (("Bernoulli", (grey > 0.5).double(), 1), ("Binomial(16)", grey, 16)):
            (verdict,) = audit.under(kind)
            beta = answer(loss, x, *outputs, n).item()
            row += f"  {kind} {beta:,.6g} ({verdict.beta:,.6g})"
        lines.append(row)
    return "\n".join(lines)


QUESTION = Question(
    solution=effective_beta,
    result="one number for the loss",
    cases={
        "sums of everything": _batch(losses.summed, 1),
        "an average over pixels": _batch(losses.averaged, 1, seed=1),
        "an average over the batch": _batch(losses.of_a_picture, 1, seed=2),
        "counts to 16 with four times the KL and a constant": _batch(losses.shifted, 16, seed=3),
        "a very sure decoder": _batch(losses.summed, 1, scale=900.0, seed=4),
    },
    mistakes=[
        Mistake(
            _naive,
            "The idea is right, but where a probability rounds to 0 or 1 you take the logarithm of "
            "0, or divide by it. Logits as large as these are harmless in themselves.",
        ),
        Mistake(
            lambda *a: 1 / effective_beta(*a),
            "This is upside down: it falls when the KL weighs more.",
        ),
        Mistake(
            lambda *a: _weights(*a[:5])[1],
            "This is the weight of the KL alone. It may be that the reconstruction was weighted "
            "too, and only the ratio matters.",
        ),
        Mistake(
            lambda *a: a[5] * _weights(*a[:5])[0],
            "This is the weight of the cross-entropy alone. What is the KL multiplied by?",
        ),
        Mistake(
            lambda *a: effective_beta(*a[:5], 1),
            "On counts, one cross-entropy is not a whole log likelihood. How many throws are "
            "there in a pixel?",
        ),
        Mistake(
            _scaled(lambda x, mean, n: 1 / n**2),
            "You divide by the number of throws. The likelihood has n cross-entropies: relative "
            "to it, does the KL of this loss weigh more or less than once?",
        ),
        Mistake(
            _with_constant,
            "You divide the loss itself by the cross-entropy. A constant in it, which trains "
            "nothing, should not change beta.",
        ),
        Mistake(
            _scaled(lambda x, mean, n: 1 / x.shape[1]),
            "You hold the loss against a cross-entropy averaged over pixels. The log likelihood "
            "of a picture is a sum.",
        ),
        Mistake(
            _scaled(lambda x, mean, n: 1 / x.numel()),
            "You hold the loss against a cross-entropy averaged over pixels and pictures. The log "
            "likelihood is a sum over pixels, and the batch should be treated as for the KL.",
        ),
        Mistake(
            _scaled(lambda x, mean, n: mean.numel()),
            "You hold the loss against a KL averaged over latents and pictures. The ELBO has the "
            "sum over latents, and the batch should be treated as for the cross-entropy.",
        ),
        Mistake(
            _scaled(lambda x, mean, n: mean.shape[1]),
            "You hold the loss against a KL averaged over latents. The ELBO has their sum.",
        ),
        Mistake(
            _scaled(lambda x, mean, n: len(x)),
            "Cross-entropy and KL are not reduced over the batch alike: one is a sum and the "
            "other a mean.",
        ),
        Mistake(
            _scaled(lambda x, mean, n: 0.5),
            "The KL that you hold against the loss lacks its factor of 1/2.",
        ),
    ],
    afterword=_beside_the_audit,
)
