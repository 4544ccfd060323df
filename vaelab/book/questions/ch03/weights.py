"""Weights that several questions of chapter 03 share: ordinary, tiny, huge, and unlike."""

from __future__ import annotations

import torch
from torch import Tensor


def weights_of(*images: list[float]) -> tuple[Tensor]:
    """Log weights, written one image at a time, as an argument of shape ``(K, batch)``."""
    return (torch.tensor(images, dtype=torch.float64).T.contiguous(),)


PLAIN = weights_of([-1.0, -2.0, -0.5, 0.3], [0.2, -4.0, -1.5, -1.0], [1.0, 0.6, -3.0, 0.1])
TINY = weights_of([-2000.0, -2001.0, -2003.0, -2000.5], [-1500.0, -1499.0, -1502.0, -1501.0])
HUGE = weights_of([900.0, 901.0, 899.0, 899.5], [1200.0, 1201.0, 1190.0, 1200.5])
# Far apart, yet each image's largest log weight is 0: only a shift of the image's own helps.
UNLIKE = weights_of([-2.0, 0.0, -1.0, -3.0], [-3000.0, -3001.0, -3002.0, -3000.5])


def prior_draws(latent_dim: int, num_samples: int = 10_000):
    """Log weights of prior draws for one held-out digit, and the model, whose truth is known."""
    from vaelab.data import load_digits
    from vaelab.exact.linear_gaussian import LinearGaussian

    digits = load_digits("grey", dtype=torch.float64)
    model, x = LinearGaussian.fit(digits.train, latent_dim), digits.test[:1]
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(num_samples, 1, latent_dim, generator=generator, dtype=torch.float64)
    return model.log_likelihood(x, z), model, x
