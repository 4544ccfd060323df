"""What the audit says to a loss that it cannot judge."""

import re

import pytest
import torch

from tests.objectives import losses
from vaelab.objectives import audit_loss


def not_a_number(x, output, mean, log_var):
    return losses.bce_sum(x, output, mean, log_var) * torch.nan


def infinite(x, output, mean, log_var):
    return losses.bce_sum(x, output, mean, log_var) - torch.log(0 * x).sum()


def unsummed(x, output, mean, log_var):
    return (x - output) ** 2


def column(x, output, mean, log_var):
    return ((x - output) ** 2).sum(-1, keepdim=True)


def averaged_over_batch_only(x, output, mean, log_var):
    return ((x - output) ** 2).mean(0)


def plain_number(x, output, mean, log_var):
    return losses.mse_sum(x, output, mean, log_var).item()


def detached(x, output, mean, log_var):
    return losses.mse_sum(x, output, mean, log_var).detach()


def output_detached(x, output, mean, log_var):
    return losses.mse_sum(x, output.detach(), mean, log_var)


def rounded(x, output, mean, log_var):
    return losses.mse_sum(x, output.round(), mean, log_var)


def needs_other_pixels(x, output, mean, log_var):
    return losses.mse_sum(x, output * torch.ones(784), mean, log_var)


def sampled(x, output, mean, log_var):
    z = torch.randn(3, generator=torch.Generator().manual_seed(next(SEEDS)))
    return losses.mse_sum(x, output, mean, log_var) + z.sum()


SEEDS = iter(range(10**6))


def infinite_slope(x, output, mean, log_var):
    return (x - x).sqrt().sum() * 0 + (output - output).abs().sqrt().sum()


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (not_a_number, "loss must be finite for x in [0, 1], outputs from 0.05 to 0.95"),
        (infinite, "(x and decoder_output (16, 64), mean and log_var (16, 8)), got inf"),
        (unsummed, "got (16, 64); sum over pixels and latents first"),
        (column, "a scalar or one number an image, shape (16,), got (16, 1)"),
        (averaged_over_batch_only, "a scalar or one number an image, shape (16,), got (64,)"),
        (plain_number, "loss must return a torch tensor, got float: a number taken out by .item()"),
        (detached, "its result has no gradient at all: is something detached"),
        (output_detached, "loss must change with decoder_output, but its gradient there is zero"),
        (rounded, "loss must change with decoder_output, but its gradient there is zero"),
        (needs_other_pixels, "loss raised RuntimeError for x and decoder_output (16, 64)"),
        (sampled, "loss must give one answer to one question, got"),
        (infinite_slope, "loss must have finite gradients"),
        (lambda x, output: output.sum(), "loss raised TypeError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_loss_that_cannot_be_judged_is_told_why(loss, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        audit_loss(loss)


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [("pixels", 0, 1), ("latent_dim", 0, 1), ("batch_size", 1, 2), ("max_count", 0, 1)],
)
def test_sizes_too_small_are_named(name: str, value: int, least: int) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least {least}, got {value}"):
        audit_loss(losses.bce_sum, **{name: value})


def test_a_loss_made_for_one_size_is_still_judged() -> None:
    weight = torch.ones(64, dtype=torch.float64)

    def loss(x, output, mean, log_var):
        return losses.mse_sum(x, output * weight, mean, log_var)

    audit = audit_loss(loss)

    assert audit.reduction.over_pixels == "unknown"
    assert audit.verdicts[0].beta == pytest.approx(1)
    assert "sum or mean over pixels not known, since it takes one size only" in str(audit)


def test_audit_leaves_no_trace() -> None:
    before = torch.get_rng_state()
    losses.LOG_SIGMA.grad = None

    first, again = audit_loss(losses.learnt_sigma), audit_loss(losses.learnt_sigma)

    assert str(first) == str(again)
    assert torch.equal(torch.get_rng_state(), before)
    assert losses.LOG_SIGMA.grad is None
