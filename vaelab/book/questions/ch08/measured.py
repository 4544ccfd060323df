"""08.5: the two parts of the gap as measured, and the error of a difference."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question


def measured_parts(log_p: Tensor, best: Tensor, encoder: Tensor) -> Tensor:
    """Approximation, amortisation and the latter's standard error."""
    return _from_means(log_p, best.mean(0), encoder.mean(0), _paired(best, encoder))


def _from_means(log_p: Tensor, best: Tensor, encoder: Tensor, error: Tensor) -> Tensor:
    return torch.stack([log_p - best, best - encoder, error])


def _paired(best: Tensor, encoder: Tensor) -> Tensor:
    return (best - encoder).std(0) / math.sqrt(len(best))


def _unpaired(best: Tensor, encoder: Tensor) -> Tensor:
    return torch.hypot(best.std(0), encoder.std(0)) / math.sqrt(len(best))


def _with_error(error) -> Answer:
    """Right, but for the third row."""

    def answer(log_p: Tensor, best: Tensor, encoder: Tensor) -> Tensor:
        return _from_means(log_p, best.mean(0), encoder.mean(0), error(best, encoder))

    return answer


def _draws(shift: float = 0.0, seed: int = 0) -> tuple[Argument, ...]:
    """Eight draws for three pictures; what the noise does to one q, it does to the other."""
    generator = torch.Generator().manual_seed(seed)
    like = {"generator": generator, "dtype": torch.float64}
    shared, own = torch.randn(2, 8, 3, **like)
    best = shift - 20 + shared
    encoder = best - 1 + 0.3 * own
    return shift - 19.5 + 0.1 * torch.rand(3, **like), best, encoder


@torch.no_grad()
def _digits(answer: Answer) -> str:
    """Held-out digits, the best q sought for each, and both ELBOs from the same noise."""
    from vaelab.data import load_digits
    from vaelab.exact.quadrature import quadrature_log_marginal
    from vaelab.gap import DiagonalGaussian, best_posterior
    from vaelab.objectives.draws import log_joint
    from vaelab.pretrained import load_vae

    vae = load_vae("beta_latent", beta=1.0, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:20]
    generator = torch.Generator().manual_seed(0)
    family, q = DiagonalGaussian(), vae.encode(x)
    found = best_posterior(x, vae.log_likelihood, *q, generator=generator).parameters
    noise = torch.randn(500, 1, 2, generator=generator, dtype=torch.float64).expand(-1, 20, -1)
    values = []
    for parameters in (found, family.initial(*q)):
        z, log_q = family.transform(parameters, noise)
        values.append(log_joint(vae, x, z) - log_q)
    log_p = quadrature_log_marginal(x, vae.log_likelihood, latent_dim=2).log_marginal
    parts, apart = answer(log_p, *values), _unpaired(*values)
    first, second, _ = parts.mean(1).tolist()
    lines = [f"On 20 held-out digits your parts are {first:.2f} and {second:.2f} nats on average."]
    for name, i in (("smallest", parts[1].argmin()), ("largest", parts[1].argmax())):
        lines.append(
            f"  {name + ' amortisation':22}{parts[1, i].item():.2f} nats: standard error "
            f"{parts[2, i].item():.3f} by pairs, {apart[i].item():.3f} without"
        )
    return "\n".join([*lines, "Pairs help where the two q are alike."])


QUESTION = Question(
    solution=measured_parts,
    result="approximation, amortisation and its standard error, for each picture",
    cases={"eight draws for three pictures": _draws(), "values near -500": _draws(-480.0, seed=1)},
    mistakes=[
        Mistake(
            _with_error(_unpaired),
            "Your standard error adds up two, as if the two averages were independent. They come "
            "from the same noise: which numbers are independent?",
        ),
        Mistake(
            _with_error(lambda best, encoder: encoder.std(0) / math.sqrt(len(best))),
            "The standard error is that of the encoder's ELBO alone.",
        ),
        Mistake(
            _with_error(lambda best, encoder: (best - encoder).std(0)),
            "The third row is the spread of single draws. How many are averaged?",
        ),
        Mistake(
            _with_error(lambda best, encoder: (best - encoder).var(0) / len(best)),
            "The third row is a variance.",
        ),
        Mistake(
            lambda log_p, *a: measured_parts(log_p, *a)[[1, 0, 2]],
            "The two parts have changed places. Which is left when the encoder is perfect?",
        ),
        Mistake(
            lambda log_p, best, encoder: measured_parts(log_p, encoder, best),
            "The best q and the encoder's have changed places: the encoder cannot be better than "
            "the best.",
        ),
        Mistake(
            lambda log_p, best, encoder: _from_means(
                log_p, best.mean(0), 2 * best.mean(0) - log_p, _paired(best, encoder)
            ),
            "Both rows are the family's part.",
        ),
        Mistake(
            lambda log_p, best, encoder: torch.stack(
                [log_p - best.mean(0), log_p - encoder.mean(0), _paired(best, encoder)]
            ),
            "Your second row is the whole gap. Which part of it is the family's?",
        ),
        Mistake(
            lambda log_p, best, encoder: _from_means(
                log_p,
                best.logsumexp(0) - math.log(len(best)),
                encoder.logsumexp(0) - math.log(len(best)),
                _paired(best, encoder),
            ),
            "You average the weights under the logarithm. That is a tighter bound than the ELBO, "
            "and its gap is not that of q.",
        ),
        Mistake(
            lambda log_p, best, encoder: -measured_parts(log_p, best, encoder),
            "The signs are turned: neither part can be negative but by noise.",
        ),
    ],
    afterword=_digits,
)
