"""What two questions of chapter 07 share: a batch with a linear decoder, and the ten bugs."""

from __future__ import annotations

import torch
from torch import Tensor

from vaelab.book.bugs import BUGS, Bug, compile_loss
from vaelab.book.questions import Answer, Argument

DRAWN = "torch.randn(mean.shape, generator=generator, dtype=mean.dtype)"
DRAWN_ONCE = DRAWN.replace("mean.shape", "mean.shape[-1]")

WHY = {
    "mean over pixels for their sum": "What do the log-probabilities of independent pixels do?",
    "log-variance taken for log-deviation": "Whose exponential is a variance, and whose a "
    "deviation?",
    "lost one half": "Compare your KL of one latent with that of torch.distributions.",
    "detached graph": "What the encoder hears is the KL alone. Which step cuts the way back "
    "through z?",
    "sigmoid twice": "Does the decoder here give logits or probabilities, and what does your "
    "likelihood take?",
    "KL summed over the batch": "Does a picture's value depend on its company?",
    "KL with the wrong sign": "Should a code that is further from the prior lower the loss?",
    "noise left out": "Does your answer change with the noise?",
    "one noise for all images": "How many numbers does the noise hold, and how many do you use?",
    "deviation for variance in the KL": "Can your KL be negative? Try a deviation of 2.",
}


def hint(bug: Bug) -> str:
    """The bug by its number and name on the page of the ten, and a question."""
    return f"Bug {BUGS.index(bug) + 1} of the Ten bugs, {bug.name}. {WHY[bug.name]}"


def answer_with(bug: Bug) -> Answer:
    """The bug's own text as an answer: it takes the noise where it would draw it."""
    source = bug.source.replace(DRAWN, "generator").replace(DRAWN_ONCE, "generator[0]")
    if "randn" in source:
        raise ValueError(f"the noise of {bug.name!r} must be drawn as in the right loss")
    loss = compile_loss(source)

    def answer(
        x: Tensor, mean: Tensor, log_var: Tensor, noise: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        parameters = torch.cat([mean, log_var], -1)
        return loss(lambda _: parameters, lambda z: z @ weight + bias, x, noise)

    return answer


def batch(scale: float = 1.0, seed: int = 0) -> tuple[Argument, ...]:
    """Three pictures of eight pixels, two latents: the arguments of both questions."""
    generator = torch.Generator().manual_seed(seed)
    like = {"generator": generator, "dtype": torch.float64}
    x = (torch.rand(3, 8, **like) < 0.5).double()
    mean, noise = torch.randn(2, 3, 2, **like)
    log_var = -1 + 0.5 * torch.randn(3, 2, **like)
    return x, mean, log_var, noise, scale * torch.randn(2, 8, **like), torch.randn(8, **like)
