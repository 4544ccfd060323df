"""Ten bugs that every VAE has had: one right loss, and ten copies with one line changed.

The copies are made from the text of the right one, so what a chapter shows as a difference
is what runs.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# Images in, the negative ELBO of each out: encoder and decoder are the networks alone.
SOURCE = """\
def loss(encoder, decoder, x, generator):
    mean, log_var = encoder(x).chunk(2, dim=-1)
    sigma = torch.exp(0.5 * log_var)
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype)
    z = mean + sigma * noise
    logits = decoder(z)
    log_likelihood = -binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)
    kl = 0.5 * (mean**2 + sigma**2 - 1 - log_var).sum(-1)
    return kl - log_likelihood
"""

Loss = Callable[[Callable, Callable, Tensor, torch.Generator | None], Tensor]


@dataclass(frozen=True)
class Bug:
    """One line written wrongly.

    Attributes:
        name: What the bug is called.
        right: A part of :data:`SOURCE`, found there once.
        wrong: What stands in its place.
    """

    name: str
    right: str
    wrong: str

    @property
    def source(self) -> str:
        """The text of the loss with the bug in it."""
        if SOURCE.count(self.right) != 1:
            raise ValueError(f"right must occur once in the loss, got {self.right!r}")
        return SOURCE.replace(self.right, self.wrong)

    @property
    def diff(self) -> str:
        """The changed lines, as ``diff`` shows them."""
        lines = difflib.ndiff(SOURCE.splitlines(), self.source.splitlines())
        return "\n".join(line for line in lines if line[0] in "+-")


BUGS = (
    Bug("mean over pixels for their sum", 'none").sum(-1)', 'none").mean(-1)'),
    Bug("log-variance taken for log-deviation", "torch.exp(0.5 * log_var)", "torch.exp(log_var)"),
    Bug("lost one half", "kl = 0.5 * (", "kl = ("),
    Bug("detached graph", "z = mean + sigma * noise", "z = (mean + sigma * noise).detach()"),
    Bug("sigmoid twice", "logits = decoder(z)", "logits = torch.sigmoid(decoder(z))"),
    Bug("KL summed over the batch", "- log_var).sum(-1)", "- log_var).sum()"),
    Bug("KL with the wrong sign", "return kl - log", "return -kl - log"),
    Bug("noise left out", "z = mean + sigma * noise", "z = mean"),
    Bug("one noise for all images", "torch.randn(mean.shape,", "torch.randn(mean.shape[-1],"),
    Bug("deviation for variance in the KL", "sigma**2 - 1", "sigma - 1"),
)


def compile_loss(source: str = SOURCE) -> Loss:
    """Make a function of the text of a loss.

    Args:
        source: A text that defines ``loss``: :data:`SOURCE`, or a bug's.

    Returns:
        ``loss(encoder, decoder, x, generator)``: nats, shape ``(batch,)``.

    Example:
        >>> import inspect
        >>> list(inspect.signature(compile_loss()).parameters)
        ['encoder', 'decoder', 'x', 'generator']
    """
    names = {
        "torch": torch,
        "binary_cross_entropy_with_logits": (torch.nn.functional.binary_cross_entropy_with_logits),
    }
    exec(source, names)
    return names["loss"]


@dataclass(frozen=True)
class Draws:
    """What a loss says of the same images time after time.

    Attributes:
        values: Minus the loss, ``(repeats, batch)``.
        gradients: Of the mean over the batch, in one parameter, ``(repeats, *parameter)``.
        alone: Minus the loss of the first image in a batch of its own, ``(1,)``.
    """

    values: Tensor
    gradients: Tensor
    alone: Tensor

    @property
    def noise(self) -> float:
        """Standard deviation of an image's value from draw to draw, mean over images."""
        return self.values.std(0).mean().item()

    @property
    def company(self) -> float:
        """Variance of the batch's mean, by what it is for independent images: 1 if they are."""
        independent = self.values.var(0).mean().item() / self.values.shape[1]
        return self.values.mean(1).var().item() / max(independent, 1e-12)

    def off(self, expected: Tensor) -> float:
        """How far the mean value is from the mean of what was expected of each image."""
        return (self.values.mean(0) - expected).mean().item()

    def errors_off(self, expected: Tensor) -> float:
        """The same in standard errors, which come from the repeats."""
        of_batch = self.values.mean(1)
        error = of_batch.std().clamp(min=1e-12) / math.sqrt(len(of_batch))
        return abs(self.off(expected)) / error.item()

    def above(self, log_p: Tensor) -> float:
        """The share of images whose mean value exceeds log p(x)."""
        return (self.values.mean(0) > log_p).double().mean().item()

    def gradient_errors(self, right: Draws) -> float:
        """The largest distance of an entry from that of the right loss, in standard errors."""
        error = sum(each.gradients.var(0) / len(each.gradients) for each in (self, right)).sqrt()
        distance = self.gradients.mean(0) - right.gradients.mean(0)
        return (distance.abs() / error).max().item()


def draw(
    loss: Loss,
    vae,
    x: Tensor,
    parameter: Tensor,
    repeats: int,
    generator: torch.Generator | None = None,
) -> Draws:
    """Call a loss again and again with fresh noise.

    Args:
        loss: See :func:`compile_loss`.
        vae: A model with ``encoder`` and ``decoder`` networks.
        x: Images, shape ``(batch, pixels)``.
        parameter: Whose gradient is wanted.
        repeats: Calls, 2 or more.
        generator: Source of the noise; ``None`` takes torch's global one.

    Returns:
        Values and gradients of all calls.

    Raises:
        ValueError: If ``repeats`` is under 2.
    """
    if repeats < 2:
        raise ValueError(f"repeats must be at least 2 for a spread, got {repeats}")
    values, gradients = [], []
    for _ in range(repeats):
        value = -loss(vae.encoder, vae.decoder, x, generator)
        gradients.append(torch.autograd.grad(value.mean(), parameter)[0])
        values.append(value.detach())
    alone = -loss(vae.encoder, vae.decoder, x[:1], generator).detach()
    return Draws(torch.stack(values), torch.stack(gradients), alone)
