"""A model whose log p(x) is known, and images of it."""

import pytest
import torch

from vaelab.exact.linear_gaussian import LinearGaussian


@pytest.fixture
def model() -> LinearGaussian:
    generator = torch.Generator().manual_seed(0)
    weight = 0.5 * torch.randn(4, 2, generator=generator, dtype=torch.float64)
    return LinearGaussian(weight, torch.zeros(4, dtype=torch.float64), 0.5)


@pytest.fixture
def x(model: LinearGaussian) -> torch.Tensor:
    return model.sample(3, torch.Generator().manual_seed(1))[0]
