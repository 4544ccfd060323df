"""The chain-rule table: normalised unaided, and each conditional where it belongs."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.exact.chain_rule import ChainRuleTable


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(bits=st.integers(1, 10), scale=st.floats(0, 1e3))
def test_probabilities_sum_to_one_whatever_the_numbers(bits: int, scale: float) -> None:
    table = ChainRuleTable.random(bits, scale, seeded(bits))

    log_prob = table.log_prob_of_all()

    assert table.bits == bits
    assert log_prob.shape == (2**bits,)
    assert float(log_prob.exp().sum()) == pytest.approx(1, abs=1e-12)


def test_conditionals_are_the_table_s() -> None:
    table = ChainRuleTable.random(4, generator=seeded(0))
    share = table.log_prob_of_all().exp().reshape(2, 2, 2, 2)
    logits = iter(table.logits)

    for i in range(4):
        for past in itertools.product((0, 1), repeat=i):
            given_past = share[past].reshape(2, -1).sum(1)
            log_odds = float((given_past[1] / given_past[0]).log())
            assert log_odds == pytest.approx(float(next(logits)), abs=1e-12)


def test_gradient_agrees_with_finite_differences() -> None:
    logits = ChainRuleTable.random(3, generator=seeded(0)).logits.requires_grad_()

    assert torch.autograd.gradcheck(lambda p: ChainRuleTable(p).log_prob_of_all(), logits)


def test_samples_have_the_exact_distribution() -> None:
    table, count = ChainRuleTable.random(5, generator=seeded(0)), 200_000
    share = table.log_prob_of_all().exp()

    x = table.sample(count, seeded(1))

    state = (x.long() * 2 ** torch.arange(4, -1, -1)).sum(1)
    observed = torch.bincount(state, minlength=32) / count
    assert ((observed - share).abs() <= 5 * (share * (1 - share) / count).sqrt()).all()


def test_images_of_any_type_and_shape() -> None:
    table = ChainRuleTable.random(3, generator=seeded(0))
    x = torch.tensor([[[1, 0, 1], [0, 0, 1]]])

    expected = table.log_prob_of_all()[[5, 1]][None]
    for dtype in (torch.long, torch.bool, torch.float16, torch.float64):
        assert torch.equal(table.log_prob(x.to(dtype)), expected)
    assert table.log_prob(x[0, :0]).shape == (0,)
    assert table.sample(0).shape == (0, 3)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2\^bits - 1,\) with bits at least 1, got \(6,\)"):
        ChainRuleTable(torch.zeros(6))
    with pytest.raises(ValueError, match=r"bits at least 1, got \(0,\)"):
        ChainRuleTable(torch.zeros(0))
    with pytest.raises(ValueError, match="bits must be at most 20 for enumeration, got 21"):
        ChainRuleTable.random(21)
    table = ChainRuleTable(torch.zeros(7))
    with pytest.raises(ValueError, match=r"= \(..., 3\), got \(2, 4\)"):
        table.log_prob(torch.zeros(2, 4))
    for value in (0.5, math.nan):
        with pytest.raises(ValueError, match=f"x must be 0 or 1, got {value}"):
            table.log_prob(torch.full((3,), value))
