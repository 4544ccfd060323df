"""The effective sample size held against its definition and its limits."""

import pytest
import torch

from vaelab.estimators.reliability import effective_sample_size


def log_weights(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(50,), (50, 3), (50, 3, 2), (1, 3)])
def test_agrees_with_its_definition(shape: tuple[int, ...]) -> None:
    weights = log_weights(*shape).exp()

    ess = effective_sample_size(log_weights(*shape))

    assert ess.shape == shape[1:]
    torch.testing.assert_close(ess, weights.sum(0) ** 2 / weights.square().sum(0))


@pytest.mark.parametrize("offset", [-1e5, 0.0, 1e5])
def test_a_constant_changes_nothing(offset: float) -> None:
    ess = effective_sample_size(log_weights(50, 3) + offset)

    torch.testing.assert_close(ess, effective_sample_size(log_weights(50, 3)), rtol=1e-9, atol=0)


def test_limits_are_one_and_all() -> None:
    equal = torch.full((40,), -3.0, dtype=torch.float64)
    dominated = torch.tensor([0.0, -800.0, -torch.inf], dtype=torch.float64)

    assert float(effective_sample_size(equal)) == pytest.approx(40)
    assert float(effective_sample_size(dominated)) == 1.0


@pytest.mark.parametrize(("shape", "text"), [((), r"\(\)"), ((0, 3), r"\(0, 3\)")])
def test_a_sample_is_needed(shape: tuple[int, ...], text: str) -> None:
    message = rf"log_weights must have shape \(K, \*batch\) with K at least 1, got {text}"
    with pytest.raises(ValueError, match=message):
        effective_sample_size(torch.zeros(shape))
