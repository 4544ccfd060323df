"""Signal-to-noise of gradients as K grows: the published rates, on a model small enough."""

import math
import re

import pytest
import torch

from tests.objectives.linear_vae import LinearVAE, images, linear_gaussian, seeded
from vaelab.objectives import doubly_reparameterised, iwae, signal_to_noise

REPEATS = 10_000


def signal(estimator, num_samples: int) -> tuple[float, float]:
    """For the mean of q(z | x) and for one bias of the decoder; one image, one latent.

    The image moves against the decoder's bias, so a gradient in x is one in the bias.
    """
    model = linear_gaussian(latent_dim=1)
    x = images(model, 1).repeat(REPEATS, 1).requires_grad_()
    mean, covariance = model.posterior(x.detach())
    mean = (mean + covariance.sqrt()).requires_grad_()  # a deviation off, and wider
    log_var = covariance.log().expand_as(mean) + 0.6
    objective = estimator(LinearVAE(model, mean, log_var), x, num_samples, seeded(0))
    surrogate = getattr(objective, "surrogate", objective)
    encoder, decoder = torch.autograd.grad(surrogate.sum(), (mean, x))
    return signal_to_noise(encoder).item(), signal_to_noise(decoder)[0].item()


def slopes_in_k(estimator) -> list[float]:
    """Exponents with which the two ratios change, from K = 8 to 64."""
    few, many = signal(estimator, 8), signal(estimator, 64)
    return [math.log(b / a) / math.log(8) for a, b in zip(few, many, strict=True)]


def test_encoder_signal_fades_for_iwae_and_grows_when_doubly_reparameterised() -> None:
    # The smallest ratio, 0.07, is known to 0.01, its slope to 0.07; the rest to 0.01. The
    # rates hold in the limit, which K = 8 has reached to about 0.05.
    encoder, decoder = slopes_in_k(iwae)
    assert encoder == pytest.approx(-0.5, abs=0.2)
    assert decoder == pytest.approx(0.5, abs=0.1)
    encoder, decoder = slopes_in_k(doubly_reparameterised)
    assert encoder == pytest.approx(0.5, abs=0.1)
    assert decoder == pytest.approx(0.5, abs=0.1)


def test_ratio_by_hand_and_per_parameter() -> None:
    gradients = torch.tensor([[1.0, -2.0], [2.0, -2.5], [3.0, -3.0]], dtype=torch.float64)

    torch.testing.assert_close(
        signal_to_noise(gradients), torch.tensor([2.0, 5.0], dtype=torch.float64)
    )
    assert signal_to_noise(torch.ones(3, 1)).item() == math.inf
    assert signal_to_noise(torch.zeros(3, 1)).isnan().all()


@pytest.mark.parametrize("shape", [(), (0,), (1, 4)])
def test_one_estimate_has_no_spread(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"2 repeats or more, got {shape}")):
        signal_to_noise(torch.zeros(shape))
