"""The lab's guided experiments over five seeds, and each data set with one latent and two.

    python -m experiments.vae_lab

In PyTorch, which follows the page's arithmetic to rounding. About five minutes on two cores.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from experiments import record
from vaelab.widgets.vae_lab.experiments import EXPERIMENTS
from vaelab.widgets.vae_lab.in_pytorch import Figures, Lab
from vaelab.widgets.vae_lab.presets import PRESETS

NAME = "vae_lab"
SEED = 0
SEEDS = range(SEED, SEED + 5)
STEPS = 1000


def numbers(figures: Figures) -> dict[str, float]:
    return {**asdict(figures), "elbo": figures.elbo, "gap": figures.gap}


def main() -> None:
    runs: list[dict[str, Any]] = []
    for dataset in PRESETS:
        for latent_dim in (1, 2):
            settings = {"dataset": dataset, "latent_dim": latent_dim, "seed": SEED}
            *_, last = Lab(settings).run([("both", STEPS)])
            runs.append({**settings, **numbers(last)})
            print(runs[-1], flush=True)
    guided = []
    for experiment in EXPERIMENTS:
        for variant in experiment.variants:
            for seed in SEEDS:
                measured = Lab({**variant.settings, "seed": seed}).run(variant.phases)
                found = [numbers(figures) for figures in measured]
                guided.append(
                    {"key": experiment.key, "label": variant.label, "seed": seed, "figures": found}
                )
                print(guided[-1], flush=True)
    record(NAME, SEED, {"steps": STEPS, "seeds": list(SEEDS), "runs": runs, "guided": guided})


if __name__ == "__main__":
    main()
