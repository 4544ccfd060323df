"""Importance sampling with a proposal that the reader drags over a posterior that is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch.distributions import Normal, kl_divergence

from vaelab.exact.linear_gaussian import LinearGaussian
from vaelab.widgets._host import Host, IntegerBetween, NumberBetween, OneOf

NAME = "importance_sampling"
MOST_SEED = 9999
MOST_MEAN = 4
LEAST_WIDTH, MOST_WIDTH = 0.05, 3
DRAWS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
# One latent and one pixel, two and two; the deviation of the noise; the image x.
MODELS = (
    {"weight": (2.0,), "noise": 0.75, "x": (3.6,)},
    {"weight": (1.6, 1.2, 0.3, -0.6), "noise": 0.75, "x": (4.2, -0.1)},
)


def model(latent_dim: int) -> tuple[LinearGaussian, torch.Tensor]:
    """The decoder with one hump, and the image, (1, pixels)."""
    parts = MODELS[latent_dim - 1]
    weight = torch.tensor(parts["weight"], dtype=torch.float64).reshape(latent_dim, latent_dim)
    x = torch.tensor([parts["x"]], dtype=torch.float64)
    return LinearGaussian(weight, torch.zeros_like(x[0]), parts["noise"] ** 2), x


def useful_share(posterior: Normal, proposal: Normal) -> float:
    r"""The share of draws that count, with one latent.

    .. math::
        \frac{E[w]^2}{E[w^2]} = \Big(\int \frac{p(z \mid x)^2}{r(z)}\, dz\Big)^{-1}

    0 where the integral is infinite: from half the posterior's variance downwards.
    """
    precision = 2 / posterior.scale**2 - 1 / proposal.scale**2
    if precision <= 0:
        return 0.0
    apart = (posterior.loc - proposal.loc) ** 2
    # 2 Lambda - R, and what completing the square leaves over.
    exponent = apart * (2 / posterior.scale**2) * (1 / proposal.scale**2) / precision / 2
    scales = posterior.scale**2 * precision.sqrt() / proposal.scale
    return float(scales * (-exponent).exp())


class ImportanceSampling(Host):
    """A Gaussian proposal over a posterior in closed form: weights, estimate, k-hat, KL.

    The decoder is linear with Gaussian noise; with two humps it forgets its sign, x being
    W z or -W z plus noise, which leaves p(x) as it is.

    Args:
        latent_dim: Latents, 1 or 2.
        humps: Of the posterior, 1 or 2.
        mean1: The proposal's mean along the first latent, -4 to 4.
        mean2: Along the second; of no use with one latent.
        width1: The proposal's standard deviation along the first latent, 0.05 to 3.
        width2: Along the second.
        draws: How many, one of ``DRAWS``.
        seed: Of the draws, 0 to 9999.

    Raises:
        traitlets.TraitError: If a value is not one of those allowed, now or when a trait
            is set; the message says which are.

    Example:
        >>> ImportanceSampling(mean1=1.2, width1=0.2)
        ImportanceSampling(mean1=1.2, width1=0.2)
    """

    widget_name = NAME
    script_files = (
        "../_js/weights.js",
        "../_js/pareto.js",
        "../_js/chart.js",
        "../_js/running_estimate.js",
        "../_js/draw_up_to.js",
        "target.js",
        "proposal.js",
        "sampler.js",
        "../_js/handles.js",
        "picture.js",
        "line.js",
        "plane.js",
        "panels.js",
        "widget.js",
    )
    state_names = ("latent_dim", "humps", "mean1", "mean2", "width1", "width2", "draws", "seed")

    latent_dim = OneOf((1, 2), default_value=1).tag(sync=True)
    humps = OneOf((1, 2), default_value=1).tag(sync=True)
    mean1 = NumberBetween(-MOST_MEAN, MOST_MEAN, default_value=0.0).tag(sync=True)
    mean2 = NumberBetween(-MOST_MEAN, MOST_MEAN, default_value=0.0).tag(sync=True)
    width1 = NumberBetween(LEAST_WIDTH, MOST_WIDTH, default_value=1.0).tag(sync=True)
    width2 = NumberBetween(LEAST_WIDTH, MOST_WIDTH, default_value=1.0).tag(sync=True)
    draws = OneOf(DRAWS, default_value=1000).tag(sync=True)
    seed = IntegerBetween(0, MOST_SEED, default_value=0).tag(sync=True)

    def __init__(
        self,
        latent_dim: int = 1,
        humps: int = 1,
        mean1: float = 0.0,
        mean2: float = 0.0,
        width1: float = 1.0,
        width2: float = 1.0,
        draws: int = 1000,
        seed: int = 0,
    ) -> None:
        super().__init__(
            latent_dim=latent_dim,
            humps=humps,
            mean1=mean1,
            mean2=mean2,
            width1=width1,
            width2=width2,
            draws=draws,
            seed=seed,
        )

    @classmethod
    @cache
    def recorded(cls) -> dict[str, Any]:
        return {
            "models": [dict(parts) for parts in MODELS],
            "draws": list(DRAWS),
            "most_seed": MOST_SEED,
        }

    @classmethod
    def fallback_html(cls) -> str:
        exact, x = model(1)
        mean, covariance = exact.posterior(x)
        posterior = Normal(mean.squeeze(), covariance.squeeze().sqrt())
        center, width = posterior.loc.item(), posterior.scale.item()
        proposals = {
            "prior": (0.0, 1.0),
            "posterior": (center, width),
            "too narrow": (center, width / 3),
            "shifted": (center - 2 * width, width),
        }
        rows = []
        for name, (loc, scale) in proposals.items():
            proposal = Normal(posterior.loc.new_tensor(loc), posterior.scale.new_tensor(scale))
            share = useful_share(posterior, proposal)
            pays = kl_divergence(posterior, proposal).item()
            gap = kl_divergence(proposal, posterior).item()
            words = f"{share:.2g}" if share else "0: infinite variance"
            rows.append(
                f'<tr><th scope="row">{name}</th><td>{loc:.2f}</td><td>{scale:.2f}</td>'
                f"<td>{pays:.2f}</td><td>{gap:.2f}</td><td>{words}</td></tr>"
            )
        heads = "".join(
            f'<th scope="col">{head}</th>'
            for head in (
                "mean",
                "deviation",
                "KL(posterior ‖ r)",
                "KL(r ‖ posterior)",
                "share of draws that count",
            )
        )
        log_p = f"{exact.log_marginal(x).item():.4f}".replace("-", "\N{MINUS SIGN}")
        return (
            '<div class="vaelab vaelab-fallback"><p>With JavaScript on, this is a widget: drag '
            "the mean and the width of a proposal r over a posterior that is known, and see the "
            "weights, the estimate of log p(x) beside the exact value, the effective draws, "
            "Pareto k-hat and both divergences.</p>"
            '<div class="vaelab-scroll"><table><caption>Four proposals for a posterior of mean '
            f"{center:.2f} and deviation {width:.2f}, where log p(x) is {log_p} nats; all by "
            f"closed forms</caption><thead><tr><td></td>{heads}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table></div></div>"
        )
