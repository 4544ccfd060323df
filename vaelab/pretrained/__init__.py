"""Small trained weights that ship with the package, each with how it came to be.

``NAME.safetensors`` holds the weights, rounded to float16 once: the page's widgets and
PyTorch read the same rounded numbers, so both compute the same. ``NAME.json`` is the
manifest: seed, command, versions, measured figures, and each model's likelihood.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from vaelab.models.likelihoods import LIKELIHOODS, Likelihood
from vaelab.models.vae import VAE

FOLDER = Path(__file__).parent


def setting_key(**setting: float) -> str:
    """One setting's name in the files, whatever the order it is given in.

    Example:
        >>> setting_key(latent_dim=2, beta=0.25)
        'beta=0.25,latent_dim=2'
    """
    return ",".join(f"{name}={value:g}" for name, value in sorted(setting.items()))


def save(name: str, models: Mapping[str, VAE], manifest: dict, folder: Path = FOLDER) -> None:
    """Round models to float16 and write them with their manifest.

    Args:
        name: File name without its ending.
        models: Each setting's key (see :func:`setting_key`) and its model.
        manifest: Whatever JSON can hold: seed, command, versions, figures. Added to it, under
            ``likelihoods``: each model's likelihood, its name and settings.
        folder: Where to write; the package's own folder unless told otherwise.

    Raises:
        ValueError: If a model's likelihood is not one of ``vaelab.models.likelihoods``, a
            weight is too large for float16, or the manifest has ``likelihoods`` already.
    """
    if "likelihoods" in manifest:
        raise ValueError("manifest must not hold likelihoods: they are taken from the models")
    likelihoods = {key: _described(key, model.pixel_likelihood) for key, model in models.items()}
    tensors = {
        f"{key}/{parameter}": value.detach().to(torch.float16).contiguous()
        for key, model in models.items()
        for parameter, value in model.state_dict().items()
    }
    for tensor_name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            raise ValueError(f"{tensor_name} must be finite as float16, whose largest is 65,504")
    save_file(tensors, folder / f"{name}.safetensors")
    whole = manifest | {"likelihoods": likelihoods}
    text = json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _described(key: str, likelihood: Likelihood) -> dict:
    """What JSON can hold of a likelihood: its name and its settings."""
    if type(likelihood) is not type(LIKELIHOODS.get(likelihood.name)):
        raise ValueError(
            f"models must have one of the likelihoods {', '.join(LIKELIHOODS)}, which can be "
            f"restored by name, got {likelihood} for {key}"
        )
    return {"name": likelihood.name} | dataclasses.asdict(likelihood)


def _restored(description: dict) -> Likelihood:
    settings = description.copy()
    return type(LIKELIHOODS[settings.pop("name")])(**settings)


def manifest(name: str, folder: Path = FOLDER) -> dict:
    """The manifest of a set of weights.

    Raises:
        FileNotFoundError: If there is no such set; the message lists those there are.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.json"))) or "none"
        raise FileNotFoundError(f"no pretrained weights named {name!r}; there are: {known}")
    return json.loads(path.read_text(encoding="utf-8"))


def load_vae(name: str, folder: Path = FOLDER, **setting: float) -> VAE:
    """One model of a set, its weights in float32.

    Args:
        name: The set, such as ``"beta_latent"``.
        folder: Where the set lies.
        **setting: Which model, such as ``beta=1.0, latent_dim=2``.

    Returns:
        A VAE of the stored sizes and likelihood.

    Raises:
        FileNotFoundError: If there is no such set.
        KeyError: If the set has no such setting; the message lists those it has.

    Example:
        >>> load_vae("beta_latent", beta=1.0, latent_dim=2).latent_dim
        2
    """
    likelihoods = manifest(name, folder).get("likelihoods")
    tensors = load_file(folder / f"{name}.safetensors")
    key = setting_key(**setting)
    weights = {k.split("/", 1)[1]: v.float() for k, v in tensors.items() if k.split("/")[0] == key}
    if not weights:
        known = "; ".join(sorted({k.split("/")[0] for k in tensors}))
        raise KeyError(f"{name} has no setting {key!r}; it has: {known}")
    hidden, latent_dim = weights["decoder.0.weight"].shape
    pixels = weights["encoder.0.weight"].shape[1]
    if likelihoods is None:
        # Written before manifests said so: then a weight of the Gaussian's own told it apart.
        likelihood = "gaussian" if "noise_log_var" in weights else "bernoulli"
    else:
        likelihood = _restored(likelihoods[key])
    vae = VAE(latent_dim, hidden, pixels, likelihood, generator=torch.Generator())
    vae.load_state_dict(weights)
    return vae
