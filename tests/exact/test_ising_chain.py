"""The Ising chain: transfer matrices against enumeration, textbook formulas, and messages."""

import itertools
import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.exact.ising import IsingGrid
from vaelab.exact.ising_chain import IsingChain


def random_chain(sites: int, periodic: bool) -> IsingChain:
    generator = torch.Generator().manual_seed(sites)
    coupling = torch.randn(sites - (not periodic), generator=generator, dtype=torch.float64)
    return IsingChain(coupling, torch.randn(sites, generator=generator, dtype=torch.float64))


def every_state(sites: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product((-1.0, 1.0), repeat=sites)), dtype=torch.float64)


CASES = [(1, False), (2, False), (3, False), (9, False), (3, True), (4, True), (9, True)]


@pytest.mark.parametrize(("sites", "periodic"), CASES)
def test_everything_agrees_with_enumeration(sites: int, periodic: bool) -> None:
    chain, states = random_chain(sites, periodic), every_state(sites)
    log_f = states @ chain.field
    for i, coupling in enumerate(chain.coupling):
        log_f = log_f + coupling * states[:, i] * states[:, (i + 1) % sites]
    share = log_f.softmax(0)

    log_z, moments = chain.log_normaliser(), chain.moments()

    torch.testing.assert_close(chain.log_unnormalised(states), log_f, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(log_z, log_f.logsumexp(0), rtol=1e-13, atol=1e-13)
    assert float(chain.log_prob(states).exp().sum()) == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(moments.field, share @ states, rtol=0, atol=1e-13)
    bonds = states[:, : len(chain.coupling)] * states.roll(-1, 1)[:, : len(chain.coupling)]
    torch.testing.assert_close(moments.coupling, share @ bonds, rtol=0, atol=1e-13)


def test_sixteen_sites_agree_with_the_grid_s_enumeration() -> None:
    chain = random_chain(16, periodic=False)
    grid = IsingGrid(chain.coupling[None], torch.zeros(0, 16).double(), chain.field[None])

    torch.testing.assert_close(
        chain.log_normaliser(), grid.enumerate_log_normaliser(), rtol=1e-13, atol=0
    )
    mean, product = grid.enumerate_moments()
    torch.testing.assert_close(chain.moments().field, mean, rtol=0, atol=1e-12)
    neighbours = product.diagonal(1)
    torch.testing.assert_close(chain.moments().coupling, neighbours, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sites", [3, 8, 10_000])
def test_textbook_formulas(sites: int) -> None:
    j, h = 0.5, 0.3
    line = IsingChain.uniform(sites, coupling=j)
    ring = IsingChain.uniform(
        sites, coupling=2 * j, field=2 * h, inverse_temperature=0.5, periodic=True
    )
    root = math.sqrt(math.exp(2 * j) * math.sinh(h) ** 2 + math.exp(-2 * j))
    larger, smaller = (math.exp(j) * math.cosh(h) + sign * root for sign in (1, -1))
    ring_log_z = sites * math.log(larger) + math.log1p((smaller / larger) ** sites)

    assert float(line.log_normaliser()) == pytest.approx(
        math.log(2) + (sites - 1) * math.log(2 * math.cosh(j)), rel=1e-12
    )
    assert float(ring.log_normaliser()) == pytest.approx(ring_log_z, rel=1e-12)
    if sites == 10_000:  # deep inside, the magnetisation of the infinite chain
        magnetisation = math.exp(j) * math.sinh(h) / root
        expected = torch.full((sites,), magnetisation, dtype=torch.float64)
        torch.testing.assert_close(ring.moments().field, expected, rtol=0, atol=1e-11)


def test_marginals_agree_with_messages_passed_from_both_ends() -> None:
    chain = random_chain(300, periodic=False)
    spin = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    onsite = torch.exp(chain.field[:, None] * spin)
    bond = torch.exp(chain.coupling[:, None, None] * torch.outer(spin, spin))
    forward, backward = [torch.ones(2).double()], [torch.ones(2).double()]
    for i in range(299):
        message = (forward[-1] * onsite[i]) @ bond[i]
        forward.append(message / message.sum())
        message = bond[298 - i] @ (backward[-1] * onsite[299 - i])
        backward.append(message / message.sum())
    belief = torch.stack(forward) * onsite * torch.stack(backward[::-1])
    mean = (belief / belief.sum(1, keepdim=True)) @ spin

    torch.testing.assert_close(chain.moments().field, mean, rtol=0, atol=1e-12)


def test_ten_thousand_sites_take_milliseconds() -> None:
    # About 10 ms when nothing else runs; enumeration would take 2^10000 terms.
    chain = random_chain(10_000, periodic=False)
    start = time.process_time()
    log_z = chain.log_normaliser()

    assert time.process_time() - start < 1
    assert log_z.isfinite()


def test_log_normaliser_is_differentiable() -> None:
    for periodic in (False, True):
        parameters = [p.requires_grad_() for p in vars(random_chain(4, periodic)).values()]
        assert torch.autograd.gradcheck(lambda *p: IsingChain(*p).log_normaliser(), parameters)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    sites=st.integers(3, 40),
    coupling=st.floats(-1e3, 1e3),
    field=st.floats(-1e3, 1e3),
    periodic=st.booleans(),
)
def test_hot_and_cold_are_finite(sites: int, coupling: float, field: float, periodic: bool) -> None:
    chain = IsingChain.uniform(sites, coupling, field, periodic=periodic)
    moments = chain.moments()

    # Z is at least its largest term, at most all of them alike.
    ordered = torch.ones(sites).double()
    alternating = ordered * (-1) ** torch.arange(sites)
    largest = chain.log_unnormalised(torch.stack([ordered, -ordered, alternating])).max()
    assert chain.log_normaliser() >= largest - 1e-9 * (1 + abs(largest))
    assert chain.log_normaliser() <= sites * (math.log(2) + abs(coupling) + abs(field)) + 1e-9
    assert (moments.field.abs() <= 1 + 1e-9).all()
    assert (moments.coupling.abs() <= 1 + 1e-9).all()


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="sites must be at least 1, got 0"):
        IsingChain.uniform(0)
    with pytest.raises(ValueError, match=r"must be finite, got .* and inf"):
        IsingChain.uniform(3, inverse_temperature=math.inf)
    with pytest.raises(ValueError, match=r"for a ring, got \(5,\) and \(2,\)"):
        IsingChain(torch.zeros(2), torch.zeros(5))
    with pytest.raises(ValueError, match="needs 3 spins, got 2"):
        IsingChain.uniform(2, periodic=True)
    chain = IsingChain.uniform(3)
    with pytest.raises(ValueError, match=r"= \(..., 3\), got \(2, 4\)"):
        chain.log_unnormalised(torch.ones(2, 4))
    for value in (1.5, math.nan):
        with pytest.raises(ValueError, match=f"spins must be -1 or 1 .* got {value}"):
            chain.log_prob(torch.full((3,), value))
