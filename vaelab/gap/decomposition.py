"""The gap of each image, split into what the family costs and what the encoder costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaelab.gap.families import DiagonalGaussian, Family
from vaelab.gap.fit import best_posterior
from vaelab.gap.joint import at_once, check_rows, log_joint

# torch makes normal numbers in groups of 16: images whose noise fills whole groups get the
# same noise however they are divided into pieces.
BLOCK = 16


@dataclass(frozen=True)
class VariationalGap:
    r"""The gap of each image and its two parts, in nats.

    .. math::
        \underbrace{\log p(x) - \mathcal L(q)}_{\text{gap} \,=\, \mathrm{KL}(q \| p(z \mid x))}
        = \underbrace{\log p(x) - \mathcal L(q^*)}_{\text{approximation}}
        + \underbrace{\mathcal L(q^*) - \mathcal L(q)}_{\text{amortisation}}

    with :math:`q^*` the best member of the family for that image. The true parts are never
    negative if the family has q in it; estimates may be, by their standard errors or
    by those of log p(x). An optimisation that missed :math:`q^*` shows as approximation.

    Attributes:
        log_marginal: log p(x), as handed in, ``(batch,)``.
        log_marginal_standard_error: Its standard error, as handed in, ``(batch,)``.
        elbo: :math:`\mathcal L(q)`, the encoder's, ``(batch,)``.
        elbo_standard_error: Its standard error, ``(batch,)``.
        best_elbo: :math:`\mathcal L(q^*)`, from the same noise, ``(batch,)``.
        best_elbo_standard_error: Its standard error, ``(batch,)``.
        amortisation: The encoder's part, ``(batch,)``.
        amortisation_standard_error: Its standard error, from differences draw by draw,
            ``(batch,)``.
        parameters: :math:`q^*` in the family's own terms, ``(batch, params)``.

    Source:
        Cremer et al. (2018), table 1.
    """

    log_marginal: Tensor
    log_marginal_standard_error: Tensor
    elbo: Tensor
    elbo_standard_error: Tensor
    best_elbo: Tensor
    best_elbo_standard_error: Tensor
    amortisation: Tensor
    amortisation_standard_error: Tensor
    parameters: Tensor

    @property
    def approximation(self) -> Tensor:
        """The family's part: KL of its best member from p(z | x). ``(batch,)``."""
        return self.log_marginal - self.best_elbo

    @property
    def approximation_standard_error(self) -> Tensor:
        """Its standard error, ``(batch,)``."""
        return torch.hypot(self.log_marginal_standard_error, self.best_elbo_standard_error)

    @property
    def gap(self) -> Tensor:
        """The sum of both parts: KL of the encoder's q from p(z | x). ``(batch,)``."""
        return self.approximation + self.amortisation

    @property
    def gap_standard_error(self) -> Tensor:
        """Its standard error, ``(batch,)``."""
        return torch.hypot(self.log_marginal_standard_error, self.elbo_standard_error)


def variational_gap(
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    mean: Tensor,
    log_var: Tensor,
    log_marginal: Tensor,
    log_marginal_standard_error: Tensor | None = None,
    family: Family | None = None,
    num_samples: int = 1000,
    starts: int = 4,
    num_nodes: int | None = None,
    generator: torch.Generator | None = None,
) -> VariationalGap:
    r"""Split log p(x) minus the encoder's ELBO into approximation and amortisation gap.

    .. math::
        \mathcal L(q) = E_{q(z)}\big[\log p(x, z) - \log q(z)\big]

    The best q is sought by :func:`vaelab.gap.best_posterior`; then its ELBO and the
    encoder's are estimated from fresh draws, so that having been selected flatters neither.
    The nearer q is to the posterior, the less log p(x, z) - log q(z) varies, and the
    smaller the error.

    Args:
        x: Images, shape ``(batch, pixels)``.
        log_likelihood: ``log_likelihood(x, z)`` for z of shape ``(K, batch, latent)``,
            nats of shape ``(K, batch)``. The prior is N(0, I).
        mean: :math:`\mu` of the encoder's q, shape ``(batch, latent)``.
        log_var: Its :math:`\log \sigma^2`, same shape.
        log_marginal: log p(x) in nats, exact or estimated, shape ``(batch,)``.
        log_marginal_standard_error: Its standard error, same shape; 0 if left out.
        family: Where the best q is sought; diagonal Gaussians if left out.
        num_samples: Fresh draws for each image, 2 or more.
        starts: See :func:`vaelab.gap.best_posterior`.
        num_nodes: See :func:`vaelab.gap.best_posterior`.
        generator: Source of all draws; ``None`` takes torch's global one.

    Returns:
        Gap, approximation and amortisation with their standard errors, in nats.

    Raises:
        ValueError: If shapes or types disagree, something handed in is not finite, the
            encoder's ELBO is not, or a number is too small.

    Source:
        Cremer et al. (2018), table 1.

    Example:
        >>> from vaelab.exact.linear_gaussian import LinearGaussian
        >>> one = torch.ones(1, 1, dtype=torch.float64)
        >>> model = LinearGaussian(one, bias=torch.zeros_like(one[0]), noise_var=1.0)
        >>> result = variational_gap(  # the prior, as q
        ...     2 * one, model.log_likelihood, 0 * one, 0 * one, model.log_marginal(2 * one),
        ...     generator=torch.Generator().manual_seed(0),
        ... )
        >>> bool(result.approximation.abs() < 1e-6)  # the posterior N(1, 1/2) is a Gaussian
        True
        >>> truth = 1.5 - 0.5 * math.log(2)  # KL(N(0, 1) || N(1, 1/2))
        >>> bool((result.gap - truth).abs() < 5 * result.gap_standard_error)
        True
    """
    check_rows(x=x, mean=mean, log_var=log_var)
    if log_marginal_standard_error is None:
        log_marginal_standard_error = torch.zeros_like(log_marginal)
    for name, value in (
        ("log_marginal", log_marginal),
        ("log_marginal_standard_error", log_marginal_standard_error),
    ):
        if value.shape != (len(x),) or not bool(value.isfinite().all()):
            raise ValueError(
                f"{name} must be finite and of shape (batch,) = ({len(x)},), "
                f"got shape {tuple(value.shape)} and {int((~value.isfinite()).sum())} not finite"
            )
    if num_samples < 2:
        raise ValueError(f"num_samples must be at least 2 for a standard error, got {num_samples}")
    family = DiagonalGaussian() if family is None else family
    with torch.no_grad():
        best = best_posterior(
            x, log_likelihood, mean, log_var, family, starts, num_nodes, generator
        )
        encoder = DiagonalGaussian()
        members = [(encoder, encoder.initial(mean, log_var)), (family, best.parameters)]
        (elbo, best_elbo, amortisation), errors = _fresh_elbos(
            x, log_likelihood, members, mean.shape[1], num_samples, generator
        )
    if not bool(elbo.isfinite().all()):
        image = int((~elbo.isfinite()).nonzero()[0])
        raise ValueError(
            f"mean and log_var must give a finite ELBO, got {float(elbo[image])} for image "
            f"{image}, whose log_var is up to {float(log_var[image].max())}"
        )
    return VariationalGap(
        log_marginal,
        log_marginal_standard_error,
        elbo,
        errors[0],
        best_elbo,
        errors[1],
        amortisation,
        errors[2],
        best.parameters,
    )


def _fresh_elbos(
    x: Tensor,
    log_likelihood,
    members: Sequence[tuple[Family, Tensor]],
    latent_dim: int,
    num_samples: int,
    generator: torch.Generator | None,
) -> tuple[Tensor, Tensor]:
    """ELBOs of the encoder's q, the best q, and their difference: each, and errors, (3, batch)."""
    if len(x) == 0:
        return x.new_zeros(3, 0), x.new_zeros(3, 0)
    images = at_once(num_samples * latent_dim)
    rows = at_once(min(images, len(x)) * x.shape[1])
    # Noise is drawn image by image, in whole blocks.
    drawn = math.ceil(num_samples / BLOCK) * BLOCK
    means, errors = [], []
    for piece in torch.arange(len(x), device=x.device).split(images):
        noise = torch.randn(
            (len(piece), drawn, latent_dim), generator=generator, dtype=x.dtype, device=x.device
        )
        noise = noise[:, :num_samples].transpose(0, 1)  # (K, batch, latent)
        ratios = []
        for family, parameters in members:
            parts = []
            for part in noise.split(rows):
                z, log_q = family.transform(parameters[piece], part)
                parts.append(log_joint(x[piece], log_likelihood, z) - log_q)
            ratios.append(torch.cat(parts))
        encoder, best = ratios
        all_three = torch.stack([encoder, best, best - encoder])  # (3, K, batch)
        means.append(all_three.mean(1))
        errors.append(all_three.std(1) / math.sqrt(num_samples))
    return torch.cat(means, -1), torch.cat(errors, -1)
