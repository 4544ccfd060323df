"""Weights on disk: rounded once, found again by their setting, errors that list what there is."""

import json
from pathlib import Path

import pytest
import torch

from vaelab import pretrained
from vaelab.models import likelihoods
from vaelab.models.likelihoods import LIKELIHOODS, Likelihood
from vaelab.models.vae import VAE


def new_vae(latent_dim: int, likelihood: str | Likelihood = "bernoulli") -> VAE:
    generator = torch.Generator().manual_seed(latent_dim)
    return VAE(latent_dim, 6, 10, likelihood, generator=generator)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    models = {
        pretrained.setting_key(beta=beta, latent_dim=latent_dim): new_vae(latent_dim)
        for beta in (0.25, 1.0)
        for latent_dim in (1, 2)
    }
    pretrained.save("small", models, {"seed": 3, "β": [0.25, 1.0]}, folder=tmp_path)
    return tmp_path


@pytest.mark.parametrize("beta", [0.25, 1, 1.0])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_round_trip_is_rounding_to_float16(folder: Path, beta: float, latent_dim: int) -> None:
    original = new_vae(latent_dim).state_dict()

    loaded = pretrained.load_vae("small", folder=folder, beta=beta, latent_dim=latent_dim)

    assert (loaded.latent_dim, loaded.hidden, loaded.pixels) == (latent_dim, 6, 10)
    assert loaded.state_dict().keys() == original.keys()
    for name, value in loaded.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, original[name].half().float())
        assert not torch.equal(value, original[name])  # the rounding is really there


def test_settings_may_come_in_any_order(folder: Path) -> None:
    one = pretrained.load_vae("small", folder=folder, beta=1.0, latent_dim=2)
    other = pretrained.load_vae("small", folder=folder, latent_dim=2, beta=1.0)

    assert torch.equal(one.encoder[0].weight, other.encoder[0].weight)


@pytest.mark.parametrize(
    "likelihood",
    [
        *LIKELIHOODS.values(),
        likelihoods.Gaussian(noise_var=0.25),
        likelihoods.Binomial(max_count=255),
        likelihoods.BetaBinomial(max_count=3),
        likelihoods.DiscretisedLogistic(max_count=7),
        likelihoods.Categorical(max_count=4),
    ],
    ids=str,
)
def test_every_likelihood_comes_back_with_its_settings(
    likelihood: Likelihood, tmp_path: Path
) -> None:
    vae = new_vae(2, likelihood)
    # Beside another kind, so that one likelihood for the whole set would not do.
    models = {pretrained.setting_key(latent_dim=2): vae, "other=1": new_vae(1)}
    pretrained.save("mixed", models, {}, folder=tmp_path)

    loaded = pretrained.load_vae("mixed", folder=tmp_path, latent_dim=2)

    assert loaded.pixel_likelihood == likelihood
    assert pretrained.load_vae("mixed", folder=tmp_path, other=1).likelihood == "bernoulli"
    x, z = torch.ones(3, 10), torch.zeros(3, 2)
    rounded = vae.half().float()
    assert torch.equal(loaded.log_likelihood(x, z), rounded.log_likelihood(x, z))


def test_gaussian_noise_comes_back(tmp_path: Path) -> None:
    vae = new_vae(2, "gaussian")
    torch.nn.init.constant_(vae.noise_log_var, -1.5)
    pretrained.save("real", {pretrained.setting_key(latent_dim=2): vae}, {}, folder=tmp_path)

    loaded = pretrained.load_vae("real", folder=tmp_path, latent_dim=2)

    assert loaded.noise_log_var.item() == -1.5
    assert loaded.noise_log_var.requires_grad


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_manifest_from_before_likelihoods_were_recorded_still_loads(
    likelihood: str, tmp_path: Path
) -> None:
    pretrained.save("old", {"a=1": new_vae(2, likelihood)}, {"seed": 3}, folder=tmp_path)
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"seed": 3}), encoding="utf-8")

    assert pretrained.load_vae("old", folder=tmp_path, a=1).likelihood == likelihood


def test_manifest_comes_back_and_is_readable_text(folder: Path) -> None:
    manifest = pretrained.manifest("small", folder)

    likelihoods = manifest.pop("likelihoods")
    assert manifest == {"seed": 3, "β": [0.25, 1.0]}
    assert likelihoods["beta=1,latent_dim=2"] == {"name": "bernoulli"}
    assert len(likelihoods) == 4
    assert "β" in (folder / "small.json").read_text(encoding="utf-8")


def test_loading_leaves_the_global_generator(folder: Path) -> None:
    before = torch.get_rng_state()

    pretrained.load_vae("small", folder=folder, beta=1.0, latent_dim=1)

    assert torch.equal(torch.get_rng_state(), before)


def test_unknown_set_lists_those_there_are(folder: Path) -> None:
    message = "no pretrained weights named 'large'; there are: small"
    with pytest.raises(FileNotFoundError, match=message):
        pretrained.load_vae("large", folder=folder, beta=1.0)
    with pytest.raises(FileNotFoundError, match=message):
        pretrained.manifest("large", folder)


def test_unknown_setting_lists_those_there_are(folder: Path) -> None:
    with pytest.raises(KeyError) as error:
        pretrained.load_vae("small", folder=folder, beta=3.0, latent_dim=2)

    assert "small has no setting 'beta=3,latent_dim=2'; it has: beta=0.25" in str(error.value)
    assert "beta=1,latent_dim=2" in str(error.value)


class Homemade(likelihoods.Bernoulli):
    """Has a known name, and is not what that name would bring back."""


def test_what_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    homemade = new_vae(2, Homemade())
    with pytest.raises(ValueError, match=r"bernoulli, gaussian, .* got Homemade\(\) for a=1"):
        pretrained.save("homemade", {"a=1": homemade}, {}, tmp_path)

    large = new_vae(2)
    with torch.no_grad():
        large.decoder[2].bias[0] = 70_000
    with pytest.raises(ValueError, match=r"a=1/decoder\.2\.bias must be finite as float16"):
        pretrained.save("large", {"a=1": large}, {}, tmp_path)

    with pytest.raises(ValueError, match="manifest must not hold likelihoods"):
        pretrained.save("twice", {"a=1": new_vae(2)}, {"likelihoods": {}}, tmp_path)
    assert list(tmp_path.iterdir()) == []
