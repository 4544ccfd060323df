"""The panel that trains: it learns, stops at once, says what went wrong."""

import time

import pytest

from vaelab.widgets import TrainLive, live_training


def test_it_trains_and_shows_the_result() -> None:
    panel = TrainLive(beta=0.5, latent_dim=3, passes=3)

    panel.train_button.click()
    panel.wait(60)

    assert [report.epoch for report in panel.history] == [1, 2, 3]
    assert panel.history[-1].elbo > panel.history[0].elbo
    assert panel.vae.latent_dim == 3
    assert panel.progress.value == 3
    assert panel.status.value.startswith("Done after 3 passes at β = 0.5, d = 3.")
    assert bytes(panel.picture.value).startswith(b"\x89PNG")
    assert not panel.train_button.disabled
    assert panel.stop_button.disabled


def test_stop_takes_less_than_a_second_of_training() -> None:
    panel = TrainLive(passes=100_000)
    panel.train()
    while len(panel.history) < 2:
        time.sleep(0.01)
    assert panel.train_button.disabled
    assert not panel.stop_button.disabled

    stopped = time.monotonic()
    panel.stop_button.click()
    passes = len(panel.history)
    while "Stopped" not in panel.status.value and time.monotonic() - stopped < 30:
        if panel.status.value.startswith("Pass") and panel.history[-1].epoch <= passes + 1:
            time.sleep(0.005)
    trained = len(panel.history) - passes
    panel.wait(60)

    assert trained <= 1  # at most the pass under way
    assert panel.status.value.startswith("Stopped after")
    assert not panel.running


def test_training_again_starts_anew_with_the_sliders_values() -> None:
    panel = TrainLive(passes=1)
    panel.train()
    panel.wait(60)
    panel.beta.value, panel.latent_dim.value = 4, 5

    panel.train()
    panel.wait(60)

    assert len(panel.history) == 1
    assert panel.vae.latent_dim == 5
    assert "β = 4, d = 5" in panel.status.value


def test_train_while_training_changes_nothing() -> None:
    panel = TrainLive(passes=100_000)
    panel.train()
    thread = panel._thread

    panel.train()

    assert panel._thread is thread
    panel.stop()
    panel.wait(60)


def test_an_error_is_shown_in_the_panel(monkeypatch) -> None:
    def fail(kind: str) -> None:
        raise OSError("no <disk>")

    monkeypatch.setattr(live_training, "load_digits", fail)
    panel = TrainLive(passes=1)

    panel.train()
    panel.wait(60)

    assert panel.status.value == "<b>Training failed.</b> OSError: no &lt;disk&gt;"
    assert not panel.train_button.disabled


@pytest.mark.parametrize(
    ("argument", "value"), [("beta", 0), ("beta", float("nan")), ("latent_dim", 0), ("passes", 0)]
)
def test_bad_arguments_are_named(argument: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{argument} must be .*, got {value}"):
        TrainLive(**{argument: value})


def test_repr_is_the_same_in_every_run() -> None:
    assert repr(TrainLive()) == "TrainLive(beta=1, latent_dim=2)"
