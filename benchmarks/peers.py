"""The same VAE, with the same weights, trained and evaluated by each peer."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import tempfile

import torch
from torch import Tensor, nn

from benchmarks.loops import LossAndGradients, batches
from benchmarks.models import BATCH_SIZE, LEARNING_RATE, ExampleVAE
from vaelab.models.vae import VAE


def installed(name: str) -> bool:
    """Whether a peer's package is there; one that is there and broken raises."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return False
    return True


def pythae_vae(example: ExampleVAE, pixels: int, latent_dim: int) -> nn.Module:
    """pythae's VAE around the layers of the example's."""
    from pythae.models import VAE as PythaeVAE  # noqa: N811
    from pythae.models import VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc21, self.fc22 = example.fc1, example.fc21, example.fc22

        def forward(self, x: Tensor) -> ModelOutput:
            hidden = torch.tanh(self.fc1(x))
            return ModelOutput(embedding=self.fc21(hidden), log_covariance=self.fc22(hidden))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.fc3, self.fc4 = example.fc3, example.fc4

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=torch.sigmoid(self.fc4(torch.tanh(self.fc3(z)))))

    config = VAEConfig(input_dim=(pixels,), latent_dim=latent_dim, reconstruction_loss="bce")
    return PythaeVAE(config, encoder=Encoder(), decoder=Decoder())


class Pythae:
    """pythae's trainer: its ``train_step``, without what it does between passes."""

    def __init__(self, vae: VAE, x: Tensor) -> None:
        from pythae.data.datasets import BaseDataset
        from pythae.trainers import BaseTrainer, BaseTrainerConfig

        for name in ("pythae", "pythae.trainers.base_trainer.base_trainer"):
            logging.getLogger(name).setLevel(logging.ERROR)
        config = BaseTrainerConfig(
            output_dir=tempfile.mkdtemp(),
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=LEARNING_RATE,
            no_cuda=True,
        )
        self.example = ExampleVAE(vae)
        self.model = pythae_vae(self.example, vae.pixels, vae.latent_dim)
        data = BaseDataset(x, torch.zeros(len(x)))
        self.trainer = BaseTrainer(self.model, data, None, config)
        self.trainer.prepare_training()

    def one_pass(self) -> float:
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
            return self.trainer.train_step(1)

    def gradients(self, x: Tensor, seed: int) -> LossAndGradients:
        self.model.zero_grad()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            loss = self.model({"data": x}).loss
        loss.backward()
        return loss.item(), self.example.gradients()


class Pyro:
    """Pyro's stochastic variational inference, with the KL in closed form."""

    def __init__(self, vae: VAE, x: Tensor) -> None:
        import pyro
        import pyro.distributions as dist
        from pyro.infer import SVI, TraceMeanField_ELBO

        pyro.enable_validation(False)  # the faster way
        pyro.clear_param_store()
        self.network = network = ExampleVAE(vae)

        def model(images: Tensor) -> None:
            pyro.module("vae", network)
            with pyro.plate("images", len(images)):
                zeros = images.new_zeros(len(images), vae.latent_dim)
                z = pyro.sample("z", dist.Normal(zeros, torch.ones_like(zeros)).to_event(1))
                pixels = dist.Bernoulli(logits=network.decode_logits(z)).to_event(1)
                pyro.sample("x", pixels, obs=images)

        def guide(images: Tensor) -> None:
            pyro.module("vae", network)
            with pyro.plate("images", len(images)):
                mean, log_var = network.encode(images)
                pyro.sample("z", dist.Normal(mean, torch.exp(0.5 * log_var)).to_event(1))

        self.model, self.guide, self.loss = model, guide, TraceMeanField_ELBO()
        self.inference = SVI(model, guide, pyro.optim.Adam({"lr": LEARNING_RATE}), self.loss)
        self.loader, self.images = batches(x), len(x)

    def one_pass(self) -> float:
        return sum(self.inference.step(images) for (images,) in self.loader) / self.images

    def gradients(self, x: Tensor, seed: int) -> LossAndGradients:
        self.network.zero_grad()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            loss = self.loss.loss_and_grads(self.model, self.guide, x)
        return loss / len(x), [g / len(x) for g in self.network.gradients()]
