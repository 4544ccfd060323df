"""What else a reader should be told about a loss: slips, traps and equivalences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from vaelab.objectives.audit.candidates import forgotten_normaliser
from vaelab.objectives.audit.kl_part import TOLERANCE, KLPart
from vaelab.objectives.audit.report import Reduction, Verdict


def write_notes(
    kl: KLPart,
    reduction: Reduction,
    verdicts: Sequence[Verdict],
    sizes: tuple[int, int, int],
    detached: Sequence[str] = (),
) -> tuple[str, ...]:
    r"""Put into words what the numbers alone do not say.

    .. math::
        \beta\, s^2 = \text{const}

    and other things of which a reader may not think.

    Args:
        kl: The KL part.
        reduction: Sums and means.
        verdicts: The likelihoods that fit.
        sizes: Batch, pixels and latents.
        detached: Arguments in which the gradient is not the slope of the value.

    Returns:
        Sentences: slips first.

    Source:
        This project; on β and noise, Rybkin et al. (2021).

    Example:
        >>> kl = KLPart(-1.0, 0.0, "log σ²", -1.0, -1.0)
        >>> sums = Reduction("sum", "sum", "sum", "sum", "sum")
        >>> write_notes(kl, sums, [], (16, 64, 8))[0]
        'The KL has the wrong sign: the loss falls without end as q leaves the prior.'
    """
    detachment = (
        f"The gradient in {name} is not the slope of the loss: something in it is detached. "
        f"Training follows the gradient, and so does this audit."
        for name in detached
    )
    return (
        *detachment,
        *_on_the_kl(kl, verdicts),
        *(_on_sums_and_means(reduction, sizes) if kl.is_kl and verdicts else ()),
        *_on_the_output(verdicts, sizes[1]),
    )


def _on_the_kl(kl: KLPart, verdicts: Sequence[Verdict]) -> Iterator[str]:
    if kl.absent:
        yield "Without a KL this is an autoencoder's loss: β is 0 and q may shrink to points."
        return
    if not kl.is_kl:
        yield (
            f"Fitted apart, with the fourth argument read as {kl.reading}, the slopes in the mean "
            f"are {kl.mean_weight:.4g} times a KL's, those in the fourth argument "
            f"{kl.spread_weight:.4g} times."
        )
        return
    if kl.weight < 0:
        yield "The KL has the wrong sign: the loss falls without end as q leaves the prior."
    if kl.reading != "log σ²":
        yield (
            f"The KL takes its fourth argument for {kl.reading}. If your encoder outputs log σ², "
            f"this is not the KL of the q that you sample from."
        )
    if any(v.beta is not None and math.isclose(v.beta, 2, rel_tol=TOLERANCE) for v in verdicts):
        yield "A β of exactly 2 is what a KL without its factor 1/2 gives."


def _on_sums_and_means(reduction: Reduction, sizes: tuple[int, int, int]) -> Iterator[str]:
    batch, pixels, latents = sizes
    pair = {reduction.over_batch, reduction.kl_over_batch}
    if pair == {"sum", "mean"}:
        grows = "rises" if reduction.over_batch == "mean" else "falls"
        yield (
            f"One part is summed over the batch and the other averaged, so β {grows} in "
            f"proportion to the batch size; the figures here are for {batch}."
        )
    if reduction.over_pixels == "mean" and reduction.kl_over_pixels == "sum":
        yield f"Averaging the reconstruction over {pixels} pixels has multiplied β by {pixels}."
    if reduction.kl_over_latents == "mean":
        yield f"Averaging the KL over {latents} latents has divided β by {latents}."


def _on_the_output(verdicts: Sequence[Verdict], pixels: int) -> Iterator[str]:
    if any(v.output == "logits" for v in verdicts):
        yield (
            "The loss applies the sigmoid itself: a decoder that ends with one too would "
            "apply it twice."
        )
    if any(v.likelihood == "Bernoulli" for v in verdicts):
        least, confident = forgotten_normaliser(torch.tensor([0.0, math.log(99)]).double()).tolist()
        yield (
            f"On grey values as real numbers this is no likelihood. The normaliser it lacks is "
            f"no constant: {least:.3f} nats a pixel where the decoder says 0.5, "
            f"{confident:.3f} where it says 0.99, so at least {least * pixels:.4g} an image."
        )
    for name in ("s²", "b"):
        # The first reading of a noise that can be chosen is the one that makes β equal 1.
        noises = [v for v in verdicts if v.scale.startswith(name) and v.beta]
        if noises and noises[0].beta > 0:
            product = noises[0].scale.split()[-1]
            yield (
                f"β and the noise cannot be told apart by the optimum: all with "
                f"β × {name} = {product} have the same."
            )
