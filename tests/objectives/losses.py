"""Losses as they are found in the wild, and broken ones, written here from their descriptions."""

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, mse_loss


def kl(mean: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * (1 + log_var - mean**2 - log_var.exp())  # (batch, latent)


def bce_sum(x, output, mean, log_var):
    """The commonest: cross-entropy and KL, everything summed."""
    return binary_cross_entropy(output, x, reduction="sum") + kl(mean, log_var).sum()


def bce_mean_kl_mean(x, output, mean, log_var):
    """Both averaged over all there is: batch, pixels, latents."""
    return binary_cross_entropy(output, x) + kl(mean, log_var).mean()


def bce_mean_kl_sum(x, output, mean, log_var):
    """Cross-entropy averaged over pixels, KL summed over latents."""
    return binary_cross_entropy(output, x) + kl(mean, log_var).sum(-1).mean()


def mse_mean_light_kl(x, output, mean, log_var):
    """Mean squared error, and the KL weighted by a number of the kind of batch / data set."""
    return mse_loss(output, x) + 0.00025 * kl(mean, log_var).sum(-1).mean()


def mse_sum(x, output, mean, log_var):
    """Squared error without its half, summed."""
    return mse_loss(output, x, reduction="sum") + kl(mean, log_var).sum()


LOG_SIGMA = torch.nn.Parameter(torch.tensor(-2.0))


def learnt_sigma(x, output, mean, log_var):
    """A Gaussian's whole log-likelihood, its deviation a parameter; one number an image."""
    error = (x - output) ** 2 * torch.exp(-2 * LOG_SIGMA)
    nll = 0.5 * (math.log(2 * math.pi) + 2 * LOG_SIGMA + error)
    return nll.sum(-1) + kl(mean, log_var).sum(-1)


def bernoulli(x, output, mean, log_var):
    """As it should be, of logits, averaged over the batch alone."""
    bce = binary_cross_entropy_with_logits(output, x, reduction="none")
    return (bce.sum(-1) + kl(mean, log_var).sum(-1)).mean()


def bernoulli_of_binarised(x, output, mean, log_var):
    """Makes its data binary itself: on grey counts it is no binomial."""
    return bce_sum((x > 0.5).to(x), output, mean, log_var)


def binomial(x, output, mean, log_var):
    """Counts out of 16, all of it."""
    p = torch.distributions.Binomial(16, logits=output, validate_args=False)
    return -p.log_prob((16 * x).round()).sum() + kl(mean, log_var).sum()


def continuous_bernoulli(x, output, mean, log_var):
    p = torch.distributions.ContinuousBernoulli(logits=output)
    return -p.log_prob(x).sum() + kl(mean, log_var).sum()


def absolute_error(x, output, mean, log_var):
    return (x - output).abs().sum() + kl(mean, log_var).sum()


def squared_error_of_sigmoid(x, output, mean, log_var):
    return 3 * mse_loss(output.sigmoid(), x, reduction="sum") + kl(mean, log_var).sum()


def sign_flipped(x, output, mean, log_var):
    return binary_cross_entropy(output, x, reduction="sum") - kl(mean, log_var).sum()


def half_lost(x, output, mean, log_var):
    return binary_cross_entropy(output, x, reduction="sum") + 2 * kl(mean, log_var).sum()


def fourth_is_sigma(x, output, mean, sigma):
    """The KL of a deviation, given a log-variance: fails below zero."""
    kl = 0.5 * (mean**2 + sigma**2 - 1 - 2 * torch.log(sigma))
    return binary_cross_entropy(output, x, reduction="sum") + kl.sum()


def fourth_is_log_sigma(x, output, mean, log_sigma):
    kl = 0.5 * (mean**2 + torch.exp(2 * log_sigma) - 1 - 2 * log_sigma)
    return binary_cross_entropy(output, x, reduction="sum") + kl.sum()


def fourth_is_variance(x, output, mean, variance):
    kl = 0.5 * (mean**2 + variance - 1 - torch.log(variance))
    return binary_cross_entropy(output, x, reduction="sum") + kl.sum()


def deviation_for_variance(x, output, mean, log_var):
    """exp(log_var / 2) where exp(log_var) belongs: no KL of anything."""
    kl = 0.5 * (mean**2 + torch.exp(0.5 * log_var) - 1 - log_var)
    return binary_cross_entropy(output, x, reduction="sum") + kl.sum()


def batch_mean_dropped(x, output, mean, log_var):
    """Cross-entropy averaged over the batch, the KL summed over it."""
    bce = binary_cross_entropy(output, x, reduction="none").sum(-1).mean()
    return bce + kl(mean, log_var).sum()


def kl_only_averaged_over_batch(x, output, mean, log_var):
    bce = binary_cross_entropy(output, x, reduction="sum")
    return bce + kl(mean, log_var).sum(-1).mean()


def kl_over_pixels(x, output, mean, log_var):
    """Both divided by the number of pixels: unharmed."""
    total = kl(mean, log_var).sum() / x.numel()
    return binary_cross_entropy(output, x) + total


def no_kl(x, output, mean, log_var):
    return mse_loss(output, x, reduction="sum")


def kl_detached(x, output, mean, log_var):
    return mse_loss(output, x, reduction="sum") + kl(mean, log_var).sum().detach()


def reconstruction_upside_down(x, output, mean, log_var):
    return -mse_loss(output, x, reduction="sum") + kl(mean, log_var).sum()


def huber(x, output, mean, log_var):
    error = torch.nn.functional.huber_loss(output, x, reduction="sum", delta=0.2)
    return error + kl(mean, log_var).sum()


def kl_times_error(x, output, mean, log_var):
    """Not a sum of two parts."""
    return mse_loss(output, x, reduction="sum") * (1 + kl(mean, log_var).sum())
