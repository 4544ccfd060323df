"""Enumerated states and moments held against itertools and explicit sums."""

import itertools
import math

import pytest
import torch

import vaelab.exact.enumeration as module
from vaelab.exact.enumeration import (
    binary_states,
    check_enumerable,
    spin_log_normaliser,
    spin_moments,
)


def random_pairs(spins: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(spins)
    coupling = torch.randn(spins, spins, generator=generator, dtype=torch.float64).triu(1)
    field = torch.randn(spins, generator=generator, dtype=torch.float64)
    return coupling + coupling.T, field


def explicit(coupling: torch.Tensor, field: torch.Tensor):
    """All spins by itertools, log f term by term."""
    n = len(field)
    states = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=n)), dtype=torch.float64)
    log_f = states @ field
    for i, j in itertools.combinations(range(n), 2):
        log_f = log_f + coupling[i, j] * states[:, i] * states[:, j]
    return states, log_f


@pytest.mark.parametrize("bits", [0, 1, 2, 7])
def test_states_are_counted(bits: int) -> None:
    expected = list(itertools.product((0.0, 1.0), repeat=bits))

    states = binary_states(bits)

    assert states.shape == (2**bits, bits)
    assert [tuple(row) for row in states.tolist()] == expected
    assert binary_states(bits, 1, 1).shape == (0, bits)
    assert torch.equal(binary_states(bits, 2**bits - 1), states[-1:])


@pytest.mark.parametrize("spins", [1, 2, 3, 8, 11])
def test_sums_and_moments_are_explicit_sums(spins: int, monkeypatch: pytest.MonkeyPatch) -> None:
    coupling, field = random_pairs(spins)
    states, log_f = explicit(coupling, field)
    share = log_f.softmax(0)
    for chunk in (module.CHUNK_NUMBERS, 40):
        monkeypatch.setattr(module, "CHUNK_NUMBERS", chunk)

        log_z = spin_log_normaliser(coupling, field)
        mean, product = spin_moments(coupling, field)

        torch.testing.assert_close(log_z, log_f.logsumexp(0), rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(mean, share @ states, rtol=0, atol=1e-13)
        torch.testing.assert_close(product, (share * states.T) @ states, rtol=0, atol=1e-13)


def test_extreme_couplings_stay_finite() -> None:
    coupling, field = random_pairs(6)
    states, log_f = explicit(1e4 * coupling, 1e4 * field)

    log_z = spin_log_normaliser(1e4 * coupling, 1e4 * field)
    mean, _ = spin_moments(1e4 * coupling, 1e4 * field)

    torch.testing.assert_close(log_z, log_f.max(), rtol=1e-14, atol=0)
    torch.testing.assert_close(mean, states[log_f.argmax()], rtol=0, atol=1e-12)


def test_memory_is_bounded_at_the_largest_size_that_is_allowed() -> None:
    blocks = module._halves(torch.zeros(26, 26), torch.zeros(26))

    assert all(next(blocks)[2].numel() <= module.CHUNK_NUMBERS for _ in range(3))


def test_what_is_refused() -> None:
    coupling, field = random_pairs(4)
    with pytest.raises(ValueError, match=r"at most 26 for .* got 27: each doubles .*1\.3e"):
        binary_states(27)
    with pytest.raises(ValueError, match="got 27"):
        spin_log_normaliser(torch.zeros(27, 27), torch.zeros(27))
    with pytest.raises(ValueError, match="at most 26 for enumeration, got 100000"):
        check_enumerable(100_000)
    with pytest.raises(ValueError, match="bits must not be negative, got -1"):
        binary_states(-1)
    with pytest.raises(ValueError, match="start and stop must be from 0 to 4, got 3 and 5"):
        binary_states(2, 3, 5)
    with pytest.raises(ValueError, match=r"got \(4, 4\) and \(3,\)"):
        spin_log_normaliser(coupling, field[:3])
    with pytest.raises(ValueError, match="symmetric with a zero diagonal"):
        spin_moments(coupling.triu(), field)
    with pytest.raises(ValueError, match="symmetric with a zero diagonal"):
        spin_moments(coupling + torch.eye(4), field)
    with pytest.raises(ValueError, match="symmetric with a zero diagonal"):
        spin_moments(coupling * math.nan, field)
