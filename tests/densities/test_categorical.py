"""The categorical density against torch.distributions."""

import pytest
import torch
from torch.distributions import Categorical

from vaelab.densities import categorical_log_density


def normal(*shape: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("scale", [1.0, 800.0])
def test_sums_to_one(scale: float) -> None:
    x, logits = torch.arange(17).double()[:, None], normal(5, 17, scale=scale)

    log_density = categorical_log_density(x, logits)

    assert log_density.shape == (17, 5)
    torch.testing.assert_close(log_density.exp().sum(0), torch.ones(5).double())


@pytest.mark.parametrize("shape", [(6, 5, 4), (3, 6, 5, 4), (3, 1, 5, 4), (5, 4), (4,)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64])
def test_agrees_with_torch_distributions(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.randint(0, 4, (6, 5), generator=torch.Generator().manual_seed(0)).to(dtype)
    logits = normal(*shape)

    log_density = categorical_log_density(x, logits)

    expected = Categorical(logits=logits).log_prob(x)
    torch.testing.assert_close(log_density, expected, rtol=1e-13, atol=1e-13)


def test_refuses_a_level_that_has_no_logit() -> None:
    with pytest.raises(ValueError, match="whole numbers from 0 to 3, got 4"):
        categorical_log_density(torch.tensor([4.0]), torch.zeros(1, 4))


def test_gradient_and_half_precision() -> None:
    x, logits = torch.tensor([0.0, 3.0, 1.0]), normal(3, 4, scale=20.0).requires_grad_()

    assert torch.autograd.gradcheck(lambda logits: categorical_log_density(x, logits), logits)
    half = categorical_log_density(x.half(), logits.half())
    assert half.dtype == torch.float32
    torch.testing.assert_close(
        half, categorical_log_density(x, logits.half().double()).float(), rtol=1e-6, atol=1e-5
    )
