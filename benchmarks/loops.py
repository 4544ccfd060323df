"""Training loops that need no peer's package: ours, PyTorch's example's, and one by hand.

Each makes a pass over the data (``one_pass``) and, to be compared before it is timed, gives its
loss and gradient of one batch (``gradients``), both averaged over the batch.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.hand_written import HandWritten
from benchmarks.models import BATCH_SIZE, LEARNING_RATE, SEED, ExampleVAE
from vaelab.models.vae import VAE
from vaelab.objectives import elbo_terms
from vaelab.training import Trainer

LossAndGradients = tuple[float, list[Tensor]]


class Loop(Protocol):
    """A contestant."""

    def one_pass(self) -> float:
        """Train for one pass; minus the ELBO, averaged over it."""

    def gradients(self, x: Tensor, seed: int) -> LossAndGradients:
        """Of one batch, with noise of that seed."""


def batches(x: Tensor) -> DataLoader:
    return DataLoader(TensorDataset(x), batch_size=BATCH_SIZE, shuffle=True)


class Ours:
    """``vaelab.training.Trainer``."""

    def __init__(self, vae: VAE, x: Tensor, bfloat16: bool = False) -> None:
        self.vae, self.bfloat16 = vae, bfloat16
        self.trainer = Trainer(
            vae,
            x,
            learning_rate=LEARNING_RATE,
            batch_size=BATCH_SIZE,
            seed=SEED,
            bfloat16=bfloat16,
        )

    def one_pass(self) -> float:
        (report,) = self.trainer.epochs(1)
        return -report.elbo

    def gradients(self, x: Tensor, seed: int) -> LossAndGradients:
        self.vae.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            terms = elbo_terms(self.vae, x, generator=torch.Generator().manual_seed(seed))
            loss = -terms.elbo.mean()
        loss.backward()
        return loss.item(), [p.grad.clone() for p in self.vae.parameters()]


class ByHand:
    """The backward pass written out."""

    def __init__(self, vae: VAE, x: Tensor) -> None:
        self.loop, self.x, self.latent_dim = (
            HandWritten(vae, LEARNING_RATE, SEED),
            x,
            vae.latent_dim,
        )

    def one_pass(self) -> float:
        return self.loop.one_pass(self.x, BATCH_SIZE)

    def gradients(self, x: Tensor, seed: int) -> LossAndGradients:
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(x), self.latent_dim, generator=generator)
        loss = self.loop.loss_and_gradients(x, noise).item()
        return loss, [g.clone() for g in self.loop.gradients]


class Bare:
    """The least that autograd needs: what a trainer of this one model and no other could be."""

    def __init__(self, vae: VAE, x: Tensor) -> None:
        self.vae, self.x = vae, x
        self.adam = torch.optim.Adam(vae.parameters(), lr=LEARNING_RATE, fused=True)
        self.generator = torch.Generator().manual_seed(SEED)

    def loss(self, x: Tensor, generator: torch.Generator) -> Tensor:
        mean, log_var = self.vae.encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_var) * torch.randn(mean.shape, generator=generator)
        logits = self.vae.decoder(z)
        bce = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum()
        return (bce + kl) / len(x)

    def one_pass(self) -> float:
        total = torch.zeros(())
        for rows in torch.randperm(len(self.x), generator=self.generator).split(BATCH_SIZE):
            loss = self.loss(self.x[rows], self.generator)
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            total += loss.detach() * len(rows)
        return total.item() / len(self.x)

    def gradients(self, x: Tensor, seed: int) -> LossAndGradients:
        self.vae.zero_grad()
        loss = self.loss(x, torch.Generator().manual_seed(seed))
        loss.backward()
        return loss.item(), [p.grad.clone() for p in self.vae.parameters()]


class Example:
    """A DataLoader and the loop of PyTorch's example."""

    def __init__(self, vae: VAE, x: Tensor) -> None:
        self.model = ExampleVAE(vae)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE)
        self.loader, self.images = batches(x), len(x)

    def loss(self, data: Tensor) -> Tensor:
        recon, mean, log_var = self.model(data)
        bce = nn.functional.binary_cross_entropy(recon, data, reduction="sum")
        kld = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        return bce + kld

    def one_pass(self) -> float:
        self.model.train()
        train_loss = 0.0
        for (data,) in self.loader:
            self.optimizer.zero_grad()
            loss = self.loss(data)
            loss.backward()
            train_loss += loss.item()
            self.optimizer.step()
        return train_loss / self.images

    def gradients(self, x: Tensor, seed: int) -> LossAndGradients:
        self.model.zero_grad()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            loss = self.loss(x)
        loss.backward()
        return loss.item() / len(x), [g / len(x) for g in self.model.gradients()]
