"""The audit itself: probe, fit, judge."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vaelab.objectives.audit.candidates import Candidate, likelihoods
from vaelab.objectives.audit.gradient_check import detached_arguments
from vaelab.objectives.audit.kl_part import TOLERANCE, fit, fit_kl
from vaelab.objectives.audit.notes import write_notes
from vaelab.objectives.audit.probe import Inputs, Loss, Response, draw_inputs, respond
from vaelab.objectives.audit.reductions import find_reductions, per_image_factor
from vaelab.objectives.audit.report import LossAudit
from vaelab.objectives.audit.verdicts import Subject, judge

BINARY = torch.tensor([0.0, 1.0], dtype=torch.float64)


def audit_loss(
    loss: Loss,
    pixels: int = 64,
    latent_dim: int = 8,
    batch_size: int = 16,
    max_count: int = 16,
) -> LossAudit:
    r"""Find out what a VAE's loss is: its likelihood, its effective β, and what it bounds.

    .. math::
        c \, \ell(x, o, \mu, \log \sigma^2) + \text{const}(x)
        = -\log p(x \mid o) + \beta\, \mathrm{KL}\big(\mathcal N(\mu, \sigma^2) \,\|\,
        \mathcal N(0, I)\big)

    The loss is called on made-up input and compared, by its gradients, with Bernoulli,
    binomial, continuous Bernoulli, Gaussian and Laplace likelihoods: in the decoder's output
    that gives the factor c, in mean and log-variance β. What is then left over depends on x
    only: the constant that was forgotten. One loss can fit several likelihoods, each on data
    of its own kind, with another β under each.

    Minus the loss, in nats, is on average over z at most log p(x) when β is 1 or more and
    the forgotten constant is not in its favour. That takes for granted what a loss cannot
    show: that the output is the decoder's at a z drawn from the q handed in.

    Args:
        loss: ``loss(x, decoder_output, mean, log_var)``, to be minimised: a torch scalar,
            summed or averaged over the batch, or one number an image. Called with float64
            tensors, x from 0 to 1, outputs from 0.05 to 0.95.
        pixels: Pixels an image; as many as the loss expects, if it expects some number.
        latent_dim: Latents.
        batch_size: Images, 2 or more. Where one part is averaged over the batch and the
            other summed, β depends on it.
        max_count: n, grey pixels being counts divided by n.

    Returns:
        The audit: numbers by name, and a page of text when printed.

    Raises:
        ValueError: If a size is too small, or the loss raises, returns something other than
            a finite scalar or one number an image, gives two answers to the same question,
            or has no gradient in the decoder's output.

    Source:
        Equivalences of weights and noise: Higgins et al. (2017), Rybkin et al. (2021).

    Example:
        >>> from torch.nn.functional import binary_cross_entropy
        >>> def loss(x, output, mean, log_var):
        ...     kl = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum()
        ...     return binary_cross_entropy(output, x, reduction="sum") + kl
        >>> audit = audit_loss(loss)
        >>> [(v.likelihood, v.data, round(v.beta, 6)) for v in audit.verdicts]
        [('Bernoulli', '0 or 1', 1.0), ('Binomial(16)', 'counts / 16', 16.0)]
    """
    for name, value, least in (
        ("pixels", pixels, 1),
        ("latent_dim", latent_dim, 1),
        ("batch_size", batch_size, 2),
        ("max_count", max_count, 1),
    ):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    sizes = (batch_size, pixels, latent_dim)
    grey = torch.arange(max_count + 1, dtype=torch.float64) / max_count
    inputs, responses = _probe(loss, grey, sizes)
    kl = fit_kl(inputs, responses)
    reduction = find_reductions(loss, inputs[0])
    subject = Subject(loss, sizes, kl, reduction)
    verdicts, misfits = [], {}
    for candidate in likelihoods(max_count):
        half = slice(0, 2) if candidate.grey else slice(2, 4)
        weight, residual = _fit_output(candidate, inputs[half], responses[half])
        if residual > TOLERANCE:
            misfits[f"{candidate.likelihood} of {candidate.output}"] = residual
            continue
        levels = grey if candidate.grey else BINARY
        verdicts += [
            judge(subject, candidate, weight, residual, scale, levels)
            for scale in _scales(subject, candidate, weight)
        ]
    # A likelihood that fits in one reading of the output is not named among the misfits.
    found = {verdict.likelihood for verdict in verdicts}
    misfits = {name: r for name, r in misfits.items() if name.split(" of ")[0] not in found}
    detached = detached_arguments(loss, inputs[0], responses[0])
    notes = write_notes(kl, reduction, verdicts, sizes, detached)
    return LossAudit(sizes, kl, reduction, tuple(verdicts), misfits, notes)


def _probe(
    loss: Loss, grey: Tensor, sizes: tuple[int, int, int]
) -> tuple[list[Inputs], list[Response]]:
    """Two calls on grey data, two on binary; each with its own x, output and q."""
    kinds = (grey, grey, BINARY, BINARY)

    def attempt(positive_spread: bool) -> tuple[list[Inputs], list[Response]]:
        inputs = [
            draw_inputs(levels, sizes, seed, positive_spread) for seed, levels in enumerate(kinds)
        ]
        return inputs, [respond(loss, each) for each in inputs]

    try:
        inputs, responses = attempt(positive_spread=False)
    except ValueError as error:
        # A loss that takes the fourth argument for a deviation may fail below zero only.
        try:
            inputs, responses = attempt(positive_spread=True)
        except ValueError:
            raise error from None
    again = respond(loss, inputs[0])
    if not math.isclose(again.value, responses[0].value, rel_tol=1e-9, abs_tol=1e-12):
        raise ValueError(
            f"loss must give one answer to one question, got {responses[0].value} and then "
            f"{again.value}: sampling and dropout belong outside it"
        )
    return inputs, responses


def _fit_output(
    candidate: Candidate, inputs: list[Inputs], responses: list[Response]
) -> tuple[float, float]:
    expected = torch.cat([candidate.gradient(each.x, each.output) for each in inputs])
    return fit(torch.cat([response.by_output for response in responses]), expected)


def _scales(subject: Subject, candidate: Candidate, weight: float) -> list[float]:
    """The noise under which a loss with a choice of it is to be read.

    Twice the noise and half the β is the same loss, so there are two readings of interest:
    the noise that makes β equal 1, and that of the loss taken at its word, in nats.
    """
    if not candidate.scale_name or weight <= 0:
        return [1.0]
    # A mean over pixels is taken for a slip: at its word it would claim D times the noise.
    word = 1 / subject.sizes[1] if subject.reduction.over_pixels == "mean" else 1.0
    at_its_word = word / (weight * per_image_factor(subject.reduction, subject.sizes))
    if not (subject.kl.is_kl and subject.kl.weight > 0):
        return [at_its_word]
    at_beta_one = subject.kl.weight / weight
    if math.isclose(at_beta_one, at_its_word, rel_tol=TOLERANCE):
        return [at_its_word]
    return [at_beta_one, at_its_word]
