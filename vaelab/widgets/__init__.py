"""The book's widgets. ``BetaLatent()`` as a cell's last line shows one.

Under a kernel a widget's state is a set of traits::

    widget = BetaLatent(beta=4, latent_dim=8)
    widget.beta = 1
    widget.observe(print, "beta")

In the book's build (``VAELAB_HOST=static``) the same line leaves HTML that needs no kernel.
"""

from vaelab.widgets._host import Widget, data_script
from vaelab.widgets.beta_latent import BetaLatent
from vaelab.widgets.decoder_marginal import DecoderMarginal
from vaelab.widgets.elbo_stepper import ElboStepper
from vaelab.widgets.fit_q import FitQ
from vaelab.widgets.importance_sampling import ImportanceSampling
from vaelab.widgets.live_training import TrainLive
from vaelab.widgets.naive_monte_carlo import NaiveMonteCarlo
from vaelab.widgets.partition_function import PartitionFunction
from vaelab.widgets.reparameterisation import Reparameterisation
from vaelab.widgets.vae_lab import VAELab

__all__ = [
    "REGISTRY",
    "BetaLatent",
    "DecoderMarginal",
    "ElboStepper",
    "FitQ",
    "ImportanceSampling",
    "NaiveMonteCarlo",
    "PartitionFunction",
    "Reparameterisation",
    "TrainLive",
    "VAELab",
    "static_files",
]

#: Every widget that has a place in built pages, by name. Tests of keyboard, accessibility, address
#: and bad values run over all of them.
REGISTRY: dict[str, type[Widget]] = {
    widget.widget_name: widget
    for widget in (
        PartitionFunction,
        DecoderMarginal,
        NaiveMonteCarlo,
        ImportanceSampling,
        ElboStepper,
        Reparameterisation,
        FitQ,
        BetaLatent,
        VAELab,
    )
}


def static_files() -> dict[str, str]:
    """The files that built pages load, by name: put them in ``_widgets/`` beside the pages."""
    return {f"{name}.js": data_script(widget) for name, widget in REGISTRY.items() if widget.data()}
