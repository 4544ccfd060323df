"""A panel that trains a VAE with the reader's own β and latent dimension. It needs a kernel."""

from __future__ import annotations

import html
import io
import threading
import time
from collections.abc import Sequence

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from vaelab.book.plots import show_digits
from vaelab.data import load_digits
from vaelab.models.vae import VAE
from vaelab.objectives import elbo_terms, sample_posterior
from vaelab.training import EpochReport, Trainer

LATENT_DIMS = (1, 32)
PICTURES = 8  # in a row
REFRESH_SECONDS = 0.25  # between updates of the panel: each is a message to the browser


class TrainLive(ipywidgets.VBox):
    """Choose β and a latent dimension, train on the binarised digits, watch, stop.

    Training runs in a thread of its own, so the panel and the notebook go on answering;
    Stop takes effect at the end of the pass in progress, a few hundredths of a second.

    Args:
        beta: Where the slider for β starts, from 1/16 to 32.
        latent_dim: Where the slider for the latent dimension starts, 1 to 32.
        passes: Passes over the training images.
        seed: Of the weights, the order of the images, and the noise.

    Attributes:
        vae: The model last trained, or ``None``.
        history: What its passes reported so far.

    Raises:
        ValueError: If ``beta`` or ``latent_dim`` is outside its slider, or ``passes`` is
            under 1.

    Example:
        >>> TrainLive(beta=0.5, latent_dim=4)
        TrainLive(beta=0.5, latent_dim=4)
    """

    def __init__(
        self, beta: float = 1.0, latent_dim: int = 2, passes: int = 200, seed: int = 0
    ) -> None:
        if not 1 / 16 <= beta <= 32:
            raise ValueError(f"beta must be from 1/16 to 32, got {beta}")
        if not LATENT_DIMS[0] <= latent_dim <= LATENT_DIMS[1]:
            raise ValueError(f"latent_dim must be from 1 to 32, got {latent_dim}")
        if passes < 1:
            raise ValueError(f"passes must be at least 1, got {passes}")
        self.vae: VAE | None = None
        self.history: list[EpochReport] = []
        self._passes, self._seed = passes, seed
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        wide = {"style": {"description_width": "9em"}, "layout": {"width": "26em"}}
        self.beta = ipywidgets.FloatLogSlider(
            value=beta, base=2, min=-4, max=5, step=0.25, description="β", readout_format=".3g",
            **wide,
        )  # fmt: skip
        self.latent_dim = ipywidgets.IntSlider(
            value=latent_dim, min=LATENT_DIMS[0], max=LATENT_DIMS[1],
            description="Latent dimension", **wide,
        )  # fmt: skip
        self.train_button = ipywidgets.Button(description="Train", button_style="primary")
        self.stop_button = ipywidgets.Button(description="Stop", disabled=True)
        self.progress = ipywidgets.IntProgress(min=0, max=passes, description="Passes", **wide)
        self.status = ipywidgets.HTML("Choose β and a latent dimension, then press Train.")
        self.picture = ipywidgets.Image(format="png", layout={"display": "none"})
        self.train_button.on_click(lambda _: self.train())
        self.stop_button.on_click(lambda _: self.stop())
        super().__init__(
            [
                self.beta,
                self.latent_dim,
                ipywidgets.HBox([self.train_button, self.stop_button]),
                self.progress,
                self.status,
                self.picture,
            ]
        )

    def train(self) -> None:
        """Start training with what the sliders say, unless it is under way."""
        if self.running:
            return
        self._stop.clear()
        self.history = []
        self._set_running(True)
        self._thread = threading.Thread(
            target=self._run, args=(self.beta.value, self.latent_dim.value), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ask the training to stop; the model keeps what it has learnt."""
        self._stop.set()

    @property
    def running(self) -> bool:
        """Whether a model is being trained."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the training to end, at most ``timeout`` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, beta: float, latent_dim: int) -> None:
        # Whatever goes wrong in a thread would only reach the server's log, so it is shown.
        try:
            self._train(beta, latent_dim)
        except Exception as error:
            self.status.value = (
                f"<b>Training failed.</b> {type(error).__name__}: {html.escape(str(error))}"
            )
        finally:
            self._set_running(False)

    def _train(self, beta: float, latent_dim: int) -> None:
        digits = load_digits("binary")
        generator = torch.Generator().manual_seed(self._seed)
        self.vae = VAE(latent_dim, generator=generator)
        trainer = Trainer(self.vae, digits.train, beta=beta, seed=self._seed)
        shown = 0.0
        for report in trainer.epochs(self._passes):
            self.history.append(report)
            if time.monotonic() - shown > REFRESH_SECONDS:
                shown = time.monotonic()
                self._show(report)
            if self._stop.is_set():
                break
        self._show(report)
        with torch.no_grad():
            test = elbo_terms(self.vae, digits.test, num_samples=50, generator=generator)
        ended = "Stopped" if report.epoch < self._passes else "Done"
        self.status.value = (
            f"{ended} after {report.epoch} passes at β = {beta:.3g}, d = {latent_dim}. "
            f"On 360 held-out digits: rate {test.rate.mean():.2f}, distortion "
            f"{test.distortion.mean():.2f}, ELBO {test.elbo.mean():.2f} nats an image."
        )
        self.picture.value = draw_result(self.vae, self.history, digits.test[:PICTURES], generator)
        self.picture.layout.display = ""

    def _show(self, report: EpochReport) -> None:
        self.progress.value = report.epoch
        self.status.value = (
            f"Pass {report.epoch}: rate {report.rate:.2f}, distortion {report.distortion:.2f}, "
            f"ELBO {report.elbo:.2f} nats an image."
        )

    def _set_running(self, running: bool) -> None:
        self.train_button.disabled = self.beta.disabled = self.latent_dim.disabled = running
        self.stop_button.disabled = not running

    def __repr__(self) -> str:
        return f"TrainLive(beta={self.beta.value:g}, latent_dim={self.latent_dim.value})"


def draw_result(
    vae: VAE, history: Sequence[EpochReport], x: Tensor, generator: torch.Generator
) -> bytes:
    """Learning curve, prior draws and reconstructions as a PNG.

    A figure of its own, not pyplot's: pyplot's state is not for threads.
    """
    with torch.no_grad():
        prior = vae.decode_mean(torch.randn(2 * len(x), vae.latent_dim, generator=generator))
        z = sample_posterior(*vae.encode(x), generator=generator)[0]
        reconstructions = vae.decode_mean(z)
    figure = Figure(figsize=(8, 3.2), dpi=110, layout="constrained")
    panels = figure.subplot_mosaic([["curve", "prior"], ["curve", "held out"]])
    curve = panels["curve"]
    epochs = [report.epoch for report in history]
    curve.plot(epochs, [report.distortion for report in history], label="distortion")
    curve.plot(epochs, [report.rate for report in history], "--", label="rate")
    curve.set(xlabel="passes", ylabel="nats an image", ylim=(0, None))
    curve.legend(frameon=False)
    for name, images, title in (
        ("prior", prior, "decoded from draws of the prior"),
        ("held out", torch.cat([x, reconstructions]), "held out (above), decoded from q"),
    ):
        show_digits(panels[name], images, columns=len(x))
        panels[name].set_title(title, fontsize=10)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
