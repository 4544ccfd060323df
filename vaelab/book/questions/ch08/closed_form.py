"""08.4: the two parts of the gap of a linear-Gaussian model."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.questions import Answer, Argument, Mistake, Question


def gap_parts(weight: Tensor, noise_var: float, shift: Tensor, log_var: Tensor) -> Tensor:
    """What the diagonal family costs, and what this member of it costs on top."""
    return _parts(_precision(weight, noise_var), shift, log_var)


def _precision(weight: Tensor, noise_var: float) -> Tensor:
    latent_dim = weight.shape[1]
    return weight.T @ weight / noise_var + torch.eye(latent_dim, dtype=weight.dtype)


def _parts(precision: Tensor, shift: Tensor, log_var: Tensor, log_det=None) -> Tensor:
    if log_det is None:
        log_det = torch.linalg.slogdet(precision).logabsdet
    diagonal = precision.diagonal()
    approximation = 0.5 * (diagonal.log().sum() - log_det)
    scaled = diagonal * log_var.exp()
    amortisation = _from_shift(precision, shift) + 0.5 * (scaled - 1 - scaled.log()).sum(1)
    return torch.stack([approximation.expand(len(shift)), amortisation])


def _from_shift(precision: Tensor, shift: Tensor) -> Tensor:
    return 0.5 * ((shift @ precision) * shift).sum(1)


def _of_precision(change) -> Answer:
    """The right answer for another precision."""
    return lambda weight, noise_var, *q: _parts(change(weight, noise_var), *q)


def _diagonal_shift(weight: Tensor, noise_var: float, shift: Tensor, log_var: Tensor) -> Tensor:
    precision = _precision(weight, noise_var)
    result = _parts(precision, shift, log_var)
    diagonal = _from_shift(precision.diagonal().diag(), shift)
    return result + torch.stack([0 * diagonal, diagonal - _from_shift(precision, shift)])


def _marginal_variances(weight: Tensor, noise_var: float, shift: Tensor, log_var: Tensor) -> Tensor:
    """As if the best q had the posterior's own variances."""
    precision = _precision(weight, noise_var)
    whole = _parts(precision, shift, log_var).sum(0)
    own = torch.linalg.inv(precision).diagonal().log()
    first = _parts(precision, 0 * shift[:1], own[None]).sum(0).expand(len(shift))
    return torch.stack([first, whole - first])


def _whole_gap(*arguments) -> Tensor:
    result = gap_parts(*arguments)
    return torch.stack([result[0], result.sum(0)])


def _overflowing(weight: Tensor, noise_var: float, shift: Tensor, log_var: Tensor) -> Tensor:
    precision = _precision(weight, noise_var)
    return _parts(precision, shift, log_var, torch.linalg.det(precision).log())


def _model(pixels: int, latent: int, scale: float = 1.0) -> tuple[Argument, ...]:
    """A decoder and a q for each of three pictures, somewhat off the best one."""
    generator = torch.Generator().manual_seed(latent)
    like = {"generator": generator, "dtype": torch.float64}
    weight = scale * torch.randn(pixels, latent, **like)
    best = -_precision(weight, 0.5).diagonal().log()
    off = 0.3 * torch.randn(3, latent, **like)
    return weight, 0.5, (0.5 * best).exp() * off, best + torch.randn(3, latent, **like)


def _rotated(answer: Answer) -> str:
    """One model of the digits with its latents turned: the same p(x), another gap."""
    from vaelab.data import load_digits
    from vaelab.exact.linear_gaussian import LinearGaussian

    model = LinearGaussian.fit(load_digits("grey", dtype=torch.float64).train, 8)
    generator = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64)).Q
    lines = ["A linear model of the digits, 8 latents; what a diagonal q at its best leaves:"]
    for name, weight in (("as fitted", model.weight), ("latents turned", model.weight @ turn)):
        best = -_precision(weight, model.noise_var).diagonal().log()[None]
        first, second = answer(weight, model.noise_var, 0 * best, best).flatten().tolist()
        lines.append(
            f"  {name:14}: approximation {abs(first):.3f} nats, amortisation {abs(second):.3f}"
        )
    return "\n".join([*lines, "Both have the same p(x) for every picture."])


QUESTION = Question(
    solution=gap_parts,
    result="approximation first, then amortisation, for each picture",
    cases={
        "three latents": _model(4, 3),
        "300 latents": _model(400, 300),
    },
    mistakes=[
        Mistake(
            _overflowing,
            "The formula is right, but the determinant of so many latents overflows. What could "
            "you ask torch.linalg for instead?",
        ),
        Mistake(
            lambda *a: gap_parts(*a).flip(0),
            "The two have changed places. Which one is left when q is the best of its family?",
        ),
        Mistake(
            _whole_gap,
            "Your second row is the whole gap. What part of it would be left with the best q?",
        ),
        Mistake(
            lambda *a: 2 * gap_parts(*a),
            "A factor of 1/2 is missing.",
        ),
        Mistake(
            _of_precision(lambda weight, s: weight.T @ weight / s),
            "The prior is missing from the posterior's precision.",
        ),
        Mistake(
            _of_precision(lambda weight, s: _precision(weight, 1.0)),
            "The posterior's precision does not know how noisy pixels are.",
        ),
        Mistake(
            _of_precision(lambda weight, s: _precision(weight, s**2)),
            "noise_var is a variance already.",
        ),
        Mistake(
            _of_precision(lambda weight, s: torch.linalg.inv(_precision(weight, s))),
            "You use the covariance where the precision belongs.",
        ),
        Mistake(
            _marginal_variances,
            "You give the best q the posterior's own variances. That is best for the other "
            "divergence: see question 08.3 for this one.",
        ),
        Mistake(
            _diagonal_shift,
            "A mean that is off costs by the whole precision: moving two correlated latents "
            "together is not the same as moving each alone.",
        ),
        Mistake(
            lambda weight, s, shift, log_var: gap_parts(weight, s, 0 * shift, log_var),
            "The shift of the mean is missing.",
        ),
        Mistake(
            lambda weight, s, shift, log_var: gap_parts(weight, s, shift, 2 * log_var),
            "exp(log_var) is a variance. You take it for a deviation, and square it once more.",
        ),
        Mistake(
            lambda weight, s, shift, log_var: gap_parts(weight, s, shift, 0.5 * log_var),
            "You take the deviation where the variance belongs.",
        ),
        Mistake(
            lambda *a: gap_parts(*a) * torch.tensor([[-1.0], [1.0]], dtype=torch.float64),
            "The approximation part is negative, and a divergence never is.",
        ),
    ],
    afterword=_rotated,
)
