"""The loss audit on losses whose truth is known: by theory, by torch.distributions, by log p(x)."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Binomial, ContinuousBernoulli, Laplace, Normal

from tests.objectives import losses
from tests.objectives.linear_vae import exact_posterior, images, linear_gaussian, seeded
from vaelab.objectives import audit_loss
from vaelab.objectives.audit import Verdict

PIXELS, LATENTS, BATCH = 64, 8, 16


def summary(loss) -> list[tuple[str, str, str, float, bool]]:
    return [
        (v.likelihood, v.output, v.scale, None if v.beta is None else round(v.beta, 6), v.is_bound)
        for v in audit_loss(loss).verdicts
    ]


def cross_entropy(beta: float, output: str = "probabilities") -> list[tuple]:
    """What cross-entropy is: Bernoulli at β, Binomial(16) at 16 β."""
    return [
        ("Bernoulli", output, "", beta, beta >= 1),
        ("Binomial(16)", output, "", 16 * beta, 16 * beta >= 1),
    ]


FOUND = {
    losses.bce_sum: cross_entropy(1.0),
    losses.bce_mean_kl_mean: cross_entropy(PIXELS / LATENTS),
    losses.bce_mean_kl_sum: cross_entropy(64.0),  # Binomial(16) at β = 1,024
    losses.mse_mean_light_kl: [
        ("Gaussian", "means", "s² = 0.008", 1.0, True),
        ("Gaussian", "means", "s² = 0.5", 0.016, False),
    ],
    losses.mse_sum: [("Gaussian", "means", "s² = 0.5", 1.0, False)],
    losses.learnt_sigma: [("Gaussian", "means", f"s² = {math.exp(-4):.4g}", 1.0, True)],
    losses.bernoulli: cross_entropy(1.0, "logits"),
    losses.bernoulli_of_binarised: cross_entropy(1.0)[:1],
    losses.binomial: [
        ("Bernoulli", "logits", "", 1 / 16, False),
        ("Binomial(16)", "logits", "", 1.0, True),
    ],
    losses.continuous_bernoulli: [("continuous Bernoulli", "logits", "", 1.0, True)],
    losses.absolute_error: [("Laplace", "means", "b = 1", 1.0, False)],
    losses.squared_error_of_sigmoid: [("Gaussian", "logits", "s² = 0.1667", 1.0, False)],
    losses.half_lost: cross_entropy(2.0),
    losses.kl_over_pixels: cross_entropy(1.0),
    losses.batch_mean_dropped: cross_entropy(float(BATCH)),
    losses.kl_only_averaged_over_batch: cross_entropy(1 / BATCH),
    losses.no_kl: [("Gaussian", "means", "s² = 0.5", 0.0, False)],
    losses.kl_detached: [("Gaussian", "means", "s² = 0.5", 0.0, False)],
    losses.huber: [],
}


@pytest.mark.parametrize("loss", FOUND, ids=lambda loss: loss.__name__)
def test_every_loss_is_recognised(loss) -> None:
    assert summary(loss) == FOUND[loss]


NO_BOUND = {
    losses.sign_flipped: ([-1.0, -16.0], "the KL has the wrong sign"),
    losses.fourth_is_sigma: ([1.0, 16.0], "unless the encoder outputs σ."),
    losses.fourth_is_log_sigma: ([1.0, 16.0], "unless the encoder outputs log σ."),
    losses.fourth_is_variance: ([1.0, 16.0], "unless the encoder outputs σ²."),
    losses.deviation_for_variance: ([None, None], "what it asks of q is not a KL"),
    losses.reconstruction_upside_down: ([None], "it rewards a poor reconstruction"),
}


@pytest.mark.parametrize("loss", NO_BOUND, ids=lambda loss: loss.__name__)
def test_every_broken_loss_is_called_broken(loss) -> None:
    betas, words = NO_BOUND[loss]

    audit = audit_loss(loss)

    assert [v.beta and round(v.beta, 6) for v in audit.verdicts] == betas
    assert all(words in v.verdict for v in audit.verdicts)
    assert not any(v.is_bound for v in audit.verdicts)


def negative_log(verdict: Verdict, x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """By torch.distributions, per image."""
    scale = float(verdict.scale.split()[-1]) if verdict.scale else 0.0
    parameter = {"probabilities": "probs", "logits": "logits"}.get(verdict.output)
    mean = output.sigmoid() if verdict.output == "logits" else output
    if verdict.likelihood == "Gaussian":
        return -Normal(mean, math.sqrt(scale)).log_prob(x).sum(-1)
    if verdict.likelihood == "Laplace":
        return -Laplace(mean, scale).log_prob(x).sum(-1)
    if verdict.likelihood == "Binomial(16)":
        return -Binomial(16, **{parameter: output}).log_prob((16 * x).round()).sum(-1)
    kind = {"Bernoulli": Bernoulli, "continuous Bernoulli": ContinuousBernoulli}
    return -kind[verdict.likelihood](**{parameter: output}).log_prob(x).sum(-1)


@pytest.mark.parametrize("loss", FOUND, ids=lambda loss: loss.__name__)
def test_loss_in_nats_and_constant_is_minus_log_likelihood_and_beta_kl(loss) -> None:
    for verdict in audit_loss(loss).verdicts:
        picked = torch.randint(len(verdict.levels), (BATCH, PIXELS), generator=seeded(0))
        x = verdict.levels[picked]
        like = {"generator": seeded(1), "dtype": torch.float64}
        output = 0.01 + 0.98 * torch.rand(BATCH, PIXELS, **like)
        mean, log_var = torch.randn(2, BATCH, LATENTS, **like)

        value = loss(x, output, mean, log_var).detach()
        if value.ndim == 0 and audit_loss(loss).reduction.over_batch == "sum":
            value = value / BATCH
        in_nats = verdict.nats * value.mean() + verdict.forgotten[picked].sum(-1).mean()

        expected = negative_log(verdict, x, output) + verdict.beta * losses.kl(mean, log_var).sum(
            -1
        )
        if loss is losses.kl_detached:  # its value has a KL, its gradient none
            expected = expected + losses.kl(mean, log_var).sum(-1)
        # The printed scale has four digits.
        rel = 1e-3 if verdict.scale else 1e-9
        assert in_nats.item() == pytest.approx(expected.mean().item(), rel=rel)


def test_constant_of_cross_entropy_on_counts_is_the_binomial_coefficient() -> None:
    (verdict,) = audit_loss(losses.bce_sum).under("Binomial(16)")

    expected = [-math.log(math.comb(16, count)) for count in range(17)]

    assert verdict.levels.tolist() == [count / 16 for count in range(17)]
    assert verdict.forgotten.tolist() == pytest.approx(expected, abs=1e-9)
    assert audit_loss(losses.bce_sum, max_count=4).under("Binomial(4)")[0].beta == pytest.approx(4)


def test_verdict_tells_the_constant_of_a_whole_image() -> None:
    (gaussian,) = audit_loss(losses.mse_sum).verdicts
    (counts,) = audit_loss(losses.bce_sum).under("Binomial(16)")

    too_high = PIXELS * 0.5 * math.log(math.pi)  # log 2 pi s^2 at s^2 = 1/2
    too_low = PIXELS * math.log(math.comb(16, 8))
    assert f"Not as it stands: {too_high:.4g} nats an image too high" in gaussian.verdict
    assert f"up to {too_low:.4g} nats an image by what was left out and 15 KL" in counts.verdict


def test_verdict_is_true_of_a_model_whose_log_marginal_is_known() -> None:
    # q is the posterior, so E_q[log p(x, z) - log q] is log p(x), and a β below 1 shows at once.
    model = linear_gaussian(latent_dim=1)
    x = images(model, 20)
    mean, log_var = exact_posterior(model, x)

    def loss_of(beta: float, constant: float):
        def loss(x, output, mean, log_var):
            error = (x - output).square().sum(-1) / (2 * model.noise_var)
            return error + constant + beta * losses.kl(mean, log_var).sum(-1)

        return loss

    normaliser = 2 * math.log(2 * math.pi * model.noise_var)  # of 4 pixels
    for beta, constant in ((0.5, normaliser), (1.0, normaliser), (1.0, 0.0), (3.0, normaliser)):
        loss = loss_of(beta, constant)
        audit = audit_loss(loss, pixels=4, latent_dim=1)
        verdict = min(audit.verdicts, key=lambda v: abs(v.beta - beta))
        # E_q of the squared error in closed form: at the mean, and a spread of |w|^2 σ^2.
        output = mean @ model.weight.T + model.bias
        spread = log_var.exp().squeeze(-1) * model.weight.square().sum() / (2 * model.noise_var)
        minus_loss = -(loss(x, output, mean, log_var) + spread)

        excess = (minus_loss - model.log_marginal(x)).max().item()

        assert verdict.beta == pytest.approx(beta)
        assert verdict.is_bound == (excess < 1e-9)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.bce_sum, ("sum", "sum", "sum", "sum", "sum")),
        (losses.bce_mean_kl_mean, ("mean", "mean", "mean", "mean", "sum")),
        (losses.bce_mean_kl_sum, ("mean", "mean", "mean", "sum", "sum")),
        (losses.batch_mean_dropped, ("mean", "sum", "sum", "sum", "sum")),
        (losses.kl_only_averaged_over_batch, ("sum", "sum", "mean", "sum", "sum")),
        (losses.kl_over_pixels, ("mean", "mean", "mean", "sum", "mean")),
        (losses.learnt_sigma, ("each", "sum", "each", "sum", "sum")),
        (losses.no_kl, ("sum", "sum", "unknown", "unknown", "unknown")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_sums_are_told_from_means(loss, expected: tuple[str, ...]) -> None:
    reduction = audit_loss(loss).reduction

    assert (
        reduction.over_batch,
        reduction.over_pixels,
        reduction.kl_over_batch,
        reduction.kl_over_latents,
        reduction.kl_over_pixels,
    ) == expected


NOTES = {
    losses.sign_flipped: "The KL has the wrong sign",
    losses.half_lost: "A β of exactly 2 is what a KL without its factor 1/2 gives",
    losses.fourth_is_sigma: "takes its fourth argument for σ. If your encoder outputs log σ²",
    losses.fourth_is_log_sigma: "takes its fourth argument for log σ. If your encoder",
    losses.deviation_for_variance: "the slopes in the mean are 1 times a KL's",
    losses.batch_mean_dropped: "β rises in proportion to the batch size; the figures here are",
    losses.kl_only_averaged_over_batch: "β falls in proportion to the batch size",
    losses.bce_mean_kl_sum: "Averaging the reconstruction over 64 pixels has multiplied β by 64",
    losses.bce_mean_kl_mean: "Averaging the KL over 8 latents has divided β by 8",
    losses.no_kl: "Without a KL this is an autoencoder's loss",
    losses.kl_detached: "The gradient in mean is not the slope of the loss",
    losses.bernoulli: "a decoder that ends with one too would apply it twice",
    losses.bce_sum: "0.693 nats a pixel where the decoder says 0.5",
    losses.mse_mean_light_kl: "all with β × s² = 0.008 have the same",
}


@pytest.mark.parametrize("loss", NOTES, ids=lambda loss: loss.__name__)
def test_notes_name_the_slip(loss) -> None:
    notes = {loss: " ".join(audit_loss(loss).notes) for loss in (loss, losses.binomial)}

    assert NOTES[loss] in notes[loss]
    if loss is not losses.bernoulli and loss is not losses.bce_sum:
        assert NOTES[loss] not in notes[losses.binomial]


def test_product_of_two_parts_is_no_sum_of_them() -> None:
    audit = audit_loss(losses.kl_times_error)

    assert not audit.kl.is_kl
    assert audit.verdicts == ()
    assert set(audit.misfits) >= {"Gaussian of means", "Bernoulli of logits"}


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    rec=st.floats(1e-3, 1e3),
    weight=st.floats(1e-3, 1e3),
    pixels=st.integers(2, 9),
    latents=st.integers(1, 4),
    batch=st.integers(2, 5),
    single=st.booleans(),
)
def test_any_weights_and_sizes_are_found(rec, weight, pixels, latents, batch, single) -> None:
    def loss(x, output, mean, log_var):
        if single:
            x, output, mean, log_var = (part.float() for part in (x, output, mean, log_var))
        error = torch.nn.functional.mse_loss(output, x, reduction="sum")
        return rec * error + weight * losses.kl(mean, log_var).sum()

    audit = audit_loss(loss, pixels, latents, batch)

    first = audit.verdicts[0]
    assert first.beta * float(first.scale.split()[-1]) == pytest.approx(
        weight / (2 * rec), rel=1e-3
    )
    assert audit.kl.weight == pytest.approx(weight, rel=1e-4)
    assert {v.likelihood for v in audit.verdicts} == {"Gaussian"}
    assert audit.sizes == (batch, pixels, latents)


def test_page_can_be_read() -> None:
    page = str(audit_loss(losses.bce_mean_kl_sum))

    assert "Reconstruction: averaged over pixels, averaged over the batch." in page
    assert "KL: summed over latents, averaged over the batch, 1 times an image's KL." in page
    row = next(line for line in page.splitlines() if line.startswith("Binomial(16)"))
    assert " ".join(row.split()) == (
        "Binomial(16) counts / 16 probabilities - 1,024 -9.463 to 0.000"
    )
    assert "nats = loss × 1,024. A bound? Yes, looser than the ELBO" in page
    assert "Does not fit: continuous Bernoulli, Gaussian, Laplace." in page
    assert max(map(len, page.splitlines())) <= 88


def test_page_says_so_when_nothing_fits() -> None:
    page = str(audit_loss(losses.huber))

    assert "No likelihood known here has this reconstruction part." in page
    assert "The closest, " in page
    broken = str(audit_loss(losses.deviation_for_variance))
    assert "no multiple of KL(q || N(0, I)); the best multiple leaves 58% of" in broken.replace(
        "\n", " "
    )
    assert next(line for line in broken.splitlines() if line.startswith("Binom")).endswith("?")


def test_a_grey_level_that_equals_the_output_probed_is_no_fault() -> None:
    # With max_count = 10 one level is 0.4, where a squared error has no slope.
    assert audit_loss(losses.mse_sum, max_count=10).verdicts[0].beta == pytest.approx(1)
