"""A VAE's training step with its derivatives written out: near the limit of eager torch.

No graph is recorded, gradients land where the optimiser reads them, and all parameters are one
tensor, so that Adam is one call. It does for this one model what ``vaelab.training`` does for any.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaelab.models.vae import VAE

tanh_backward = torch.ops.aten.tanh_backward


class HandWritten:
    """Adam on the ELBO of a Bernoulli VAE with one hidden layer each way.

    Args:
        vae: Where the sizes and the first weights come from.
        learning_rate: Adam's step size.
        seed: Seed of the order of the images and of the noise.
    """

    def __init__(self, vae: VAE, learning_rate: float = 1e-3, seed: int = 0) -> None:
        layers = [m for m in (*vae.encoder, *vae.decoder) if isinstance(m, nn.Linear)]
        tensors = [t for layer in layers for t in (layer.weight, layer.bias)]
        self.flat = torch.cat([t.detach().flatten() for t in tensors])
        self.flat.grad = torch.empty_like(self.flat)
        sizes = [t.numel() for t in tensors]
        self.parameters, self.gradients = (
            [part.view_as(t) for part, t in zip(whole.split(sizes), tensors, strict=True)]
            for whole in (self.flat, self.flat.grad)
        )
        self.adam = torch.optim.Adam([self.flat], lr=learning_rate, fused=True)
        self.generator = torch.Generator().manual_seed(seed)

    def loss_and_gradients(self, x: Tensor, noise: Tensor) -> Tensor:
        """Minus the ELBO, averaged over the batch; the gradients are left in ``gradients``."""
        w1, b1, w2, b2, w3, b3, w4, b4 = self.parameters
        batch = len(x)
        # Forwards.
        h = torch.addmm(b1, x, w1.T).tanh_()
        mean, log_var = torch.addmm(b2, h, w2.T).chunk(2, dim=1)
        std = torch.exp(0.5 * log_var)
        z = torch.addcmul(mean, std, noise)
        g = torch.addmm(b3, z, w3.T).tanh_()
        logits = torch.addmm(b4, g, w4.T)
        variance = std.square()
        kl = 0.5 * (mean.square() + variance - 1 - log_var).sum()
        log_normaliser = nn.functional.softplus(logits).sum()
        loss = (log_normaliser - torch.dot(x.view(-1), logits.view(-1)) + kl) / batch
        # Backwards.
        d_w1, d_b1, d_w2, d_b2, d_w3, d_b3, d_w4, d_b4 = self.gradients
        d_logits = logits.sigmoid_().sub_(x).div_(batch)
        torch.mm(d_logits.T, g, out=d_w4)
        torch.sum(d_logits, 0, out=d_b4)
        d_g = tanh_backward(d_logits @ w4, g)
        torch.mm(d_g.T, z, out=d_w3)
        torch.sum(d_g, 0, out=d_b3)
        d_z = d_g @ w3
        d_mean = torch.add(d_z, mean, alpha=1 / batch)
        d_log_var = 0.5 * (d_z * std * noise + (variance - 1) / batch)
        d_heads = torch.cat([d_mean, d_log_var], dim=1)
        torch.mm(d_heads.T, h, out=d_w2)
        torch.sum(d_heads, 0, out=d_b2)
        d_h = tanh_backward(d_heads @ w2, h)
        torch.mm(d_h.T, x, out=d_w1)
        torch.sum(d_h, 0, out=d_b1)
        return loss

    @torch.no_grad()
    def one_pass(self, x: Tensor, batch_size: int) -> float:
        """One pass over the data; minus the ELBO in nats an image, averaged over it."""
        total = torch.zeros(())
        latent_dim = len(self.parameters[3]) // 2
        for rows in torch.randperm(len(x), generator=self.generator).split(batch_size):
            noise = torch.randn(len(rows), latent_dim, generator=self.generator)
            total += self.loss_and_gradients(x[rows], noise) * len(rows)
            self.adam.step()
        return total.item() / len(x)
