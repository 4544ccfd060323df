"""The RBM, whichever layer is the smaller, held against sums over all states of both layers."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vaelab.exact.rbm as module
from vaelab.exact.rbm import RBM


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bits(count: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=count)), dtype=torch.float64)


def joint_log_f(rbm: RBM) -> torch.Tensor:
    """log f of every pair of states, term by term, ``(2^visible, 2^hidden)``."""
    v, h = (bits(n) for n in rbm.weight.shape)
    pairs = torch.einsum("ai,ij,bj->ab", v, rbm.weight, h)
    return pairs + (v @ rbm.visible_bias)[:, None] + h @ rbm.hidden_bias


SIZES = [(1, 1), (1, 4), (4, 1), (3, 5), (5, 3), (4, 4)]


@pytest.mark.parametrize("sizes", SIZES)
def test_log_f_and_log_z_are_sums_over_all_states(sizes: tuple[int, int]) -> None:
    rbm = RBM.random(*sizes, generator=seeded(0))
    log_f = joint_log_f(rbm)
    v = bits(sizes[0])

    torch.testing.assert_close(rbm.log_unnormalised(v), log_f.logsumexp(1), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(
        rbm.log_normaliser(), log_f.flatten().logsumexp(0), rtol=1e-13, atol=1e-13
    )
    assert float(rbm.log_prob(v).exp().sum()) == pytest.approx(1, abs=1e-12)
    h = bits(sizes[1])
    every_pair = rbm.log_unnormalised_joint(v[:, None].expand(-1, len(h), -1), h)
    torch.testing.assert_close(every_pair, log_f, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
def test_moments_are_the_gradient_of_log_z_by_autograd(sizes: tuple[int, int]) -> None:
    rbm = RBM.random(*sizes, generator=seeded(0))
    parameters = [p.requires_grad_() for p in vars(rbm).values()]
    gradients = torch.autograd.grad(joint_log_f(rbm).flatten().logsumexp(0), parameters)
    own = torch.autograd.grad(rbm.log_normaliser(), parameters)
    with torch.no_grad():
        moments = rbm.moments()

    for moment, gradient, by_itself in zip(vars(moments).values(), gradients, own, strict=True):
        torch.testing.assert_close(moment, gradient, rtol=0, atol=1e-13)
        torch.testing.assert_close(by_itself, gradient, rtol=0, atol=1e-13)


def test_moments_are_marginals() -> None:
    rbm = RBM.random(4, 3, generator=seeded(0))
    share = joint_log_f(rbm).flatten().softmax(0).reshape(16, 8)
    moments = rbm.moments()

    v, h = bits(4), bits(3)
    torch.testing.assert_close(moments.visible_bias, share.sum(1) @ v, rtol=0, atol=1e-13)
    torch.testing.assert_close(moments.hidden_bias, share.sum(0) @ h, rtol=0, atol=1e-13)
    torch.testing.assert_close(moments.weight, v.T @ share @ h, rtol=0, atol=1e-13)


def test_statistics_are_the_gradient_of_log_f() -> None:
    rbm = RBM.random(4, 3, generator=seeded(0))
    parameters = [p.requires_grad_() for p in vars(rbm).values()]
    v = bits(4)[[3, 10]]

    statistics = rbm.statistics(v)

    for i in range(2):
        gradients = torch.autograd.grad(rbm.log_unnormalised(v[i]), parameters)
        for ours, gradient in zip(vars(statistics).values(), gradients, strict=True):
            torch.testing.assert_close(ours[i].detach(), gradient, rtol=1e-12, atol=1e-13)


def test_the_mean_statistic_over_all_states_is_the_moment() -> None:
    rbm = RBM.random(5, 3, generator=seeded(0))
    v = bits(5)
    share = rbm.log_prob(v).exp()

    for each, mean in zip(
        vars(rbm.statistics(v)).values(), vars(rbm.moments()).values(), strict=True
    ):
        torch.testing.assert_close(torch.tensordot(share, each, dims=1), mean, rtol=0, atol=1e-13)


@pytest.mark.parametrize("sizes", [(5, 3), (3, 5)])
def test_samples_have_the_exact_distribution(sizes: tuple[int, int]) -> None:
    rbm, count = RBM.random(*sizes, generator=seeded(0)), 200_000
    share = joint_log_f(rbm).flatten().softmax(0)

    visible, hidden = rbm.sample(count, seeded(1))

    assert visible.shape == (count, sizes[0])
    assert hidden.shape == (count, sizes[1])
    powers = 2 ** torch.arange(7, -1, -1)
    state = (torch.cat([visible, hidden], 1).long() * powers).sum(1)
    observed = torch.bincount(state, minlength=256) / count
    assert ((observed - share).abs() <= 5 * (share * (1 - share) / count).sqrt() + 5 / count).all()


def test_memory_is_divided_without_changing_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rbm = RBM.random(7, 9, generator=seeded(0))
    whole = (rbm.log_normaliser(), *vars(rbm.moments()).values())
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 100)
    rows = [len(states) for states in rbm._narrow()._hidden_states()]
    pieces = (rbm.log_normaliser(), *vars(rbm.moments()).values())

    assert sum(rows) == 2**7
    assert max(rows) * 9 <= 100
    for one, other in zip(whole, pieces, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-13, atol=1e-14)


def test_scaling_f_changes_no_probability() -> None:
    # Twice f is f with log 2 on one more unit that is always on; here: a constant in log f.
    rbm = RBM.random(4, 3, generator=seeded(0))
    log_f = rbm.log_unnormalised(bits(4))

    torch.testing.assert_close(
        (log_f + math.log(2)).softmax(0), rbm.log_prob(bits(4)).exp(), rtol=1e-12, atol=0
    )


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    scale=st.floats(0, 1e3),
    visible=st.integers(1, 5),
    hidden=st.integers(1, 5),
    empty=st.booleans(),
)
def test_any_scale_is_finite(scale: float, visible: int, hidden: int, empty: bool) -> None:
    rbm = RBM.random(visible, hidden, scale, seeded(0))
    v = bits(visible)[: 0 if empty else None]

    log_prob, moments = rbm.log_prob(v), rbm.moments()

    assert log_prob.isfinite().all()
    assert (log_prob <= 1e-9).all()
    for mean in vars(moments).values():
        assert ((mean >= 0) & (mean <= 1 + 1e-9)).all()


def test_units_of_any_type_and_layout() -> None:
    rbm = RBM.random(4, 3, generator=seeded(0))
    v = bits(4)
    expected = rbm.log_unnormalised(v)

    assert torch.equal(rbm.log_unnormalised(v.half()), expected)
    assert torch.equal(rbm.log_unnormalised(v.bool()), expected)
    torch.testing.assert_close(
        rbm.log_unnormalised(v.T.contiguous().T), expected, rtol=1e-14, atol=1e-14
    )
    assert rbm.log_unnormalised(v[3]).shape == ()
    assert rbm.sample(0)[0].shape == (0, 4)


def test_threads_change_rounding_only() -> None:
    before, results = torch.get_num_threads(), []
    rbm = RBM.random(30, 10, generator=seeded(0))
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append((rbm.log_normaliser(), rbm.moments().weight))
    finally:
        torch.set_num_threads(before)

    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-14)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 2\), \(2,\) and \(2,\)"):
        RBM(torch.zeros(3, 2), torch.zeros(2), torch.zeros(2))
    with pytest.raises(ValueError, match=r"got \(3, 0\), \(3,\) and \(0,\)"):
        RBM(torch.zeros(3, 0), torch.zeros(3), torch.zeros(0))
    with pytest.raises(ValueError, match="bits must be at most 22 for enumeration, got 23"):
        RBM.random(23, 30).log_normaliser()
    rbm = RBM.random(3, 2)
    with pytest.raises(ValueError, match=r"visible must have shape .* \(..., 3\), got \(5, 2\)"):
        rbm.log_prob(torch.zeros(5, 2))
    for value in (0.5, -1.0, math.nan):
        with pytest.raises(ValueError, match=f"visible must be 0 or 1, got {value}"):
            rbm.log_prob(torch.full((3,), value))
    with pytest.raises(ValueError, match=r"hidden must be 0 or 1 \(or means, between\), got 2.0"):
        rbm.log_unnormalised_joint(torch.zeros(3), torch.full((2,), 2.0))
    with pytest.raises(ValueError, match="num_samples must not be negative, got -1"):
        rbm.sample(-1)
