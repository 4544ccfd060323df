"""The lab's training in V8 and in PyTorch, from the same weights: what its tests share."""

import torch

from vaelab.widgets.vae_lab.in_pytorch import Lab

SETTINGS = [
    {"dataset": "moons"},
    {"dataset": "ring", "latent_dim": 1, "beta": 0.0, "seed": 3},
    {"dataset": "spiral", "noise": 1.0, "noise_mode": "learnt", "beta": 4.0, "seed": 9999},
    {"dataset": "clusters", "latent_dim": 1, "noise": 0.05, "learning_rate": 0.1},
]


def flat(vae) -> torch.Tensor:
    """The parameters in the page's order: encoder, decoder, noise."""
    state = vae.state_dict()
    names = [name for name in state if name != "noise_log_var"]
    return torch.cat([state[name].flatten() for name in (*names, "noise_log_var")])


def start(page, lab: Lab) -> dict:
    """The same training in V8, as ``t``; its options."""
    settings = lab.settings
    beginning = {
        "points": lab.x.flatten().tolist(),
        "latentDim": settings["latent_dim"],
        "seed": settings["seed"],
        "noise": settings["noise"],
    }
    page("(globalThis.t = startTraining(s), 0)", s=beginning)
    return {
        "beta": settings["beta"],
        "rate": settings["learning_rate"],
        "learnNoise": settings["noise_mode"] == "learnt",
        "noise": settings["noise"],
        "part": "both",
    }


def train(page, options: dict, steps: int) -> None:
    page("(() => { for (let i = 0; i < n; i++) trainStep(t, o); return 0; })()", o=options, n=steps)


def figures(page) -> dict:
    return page("measure(t.vae, t.x)")


def load(vae, weights: torch.Tensor, names: list[str]) -> None:
    state = vae.state_dict()
    at = 0
    for name in (*names, "noise_log_var"):
        count = state[name].numel()
        state[name].copy_(weights[at : at + count].view_as(state[name]))
        at += count
