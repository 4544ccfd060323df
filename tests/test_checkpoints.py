"""Saving and resuming: what was interrupted goes on, and what does not fit is left alone."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.small_vae import new_vae, weights
from vaelab.data import load_digits
from vaelab.objectives import iwae, linear_warmup
from vaelab.training import Trainer

WARM_UP = partial(linear_warmup, steps=40)
IWAE = partial(iwae, num_samples=3)


@pytest.fixture(scope="module")
def x() -> Tensor:
    return load_digits().train


@pytest.mark.parametrize(
    ("options", "functions"),
    [
        ({"beta": 2.0}, {}),
        # numpy's float is what a sweep over np.linspace passes.
        ({"beta": np.float64(2.0)}, {}),
        ({"bfloat16": True}, {}),
        ({}, {"beta": WARM_UP}),
        ({}, {"objective": IWAE}),
    ],
    ids=["beta", "numpy's beta", "bfloat16", "schedule", "objective"],
)
def test_resumed_run_is_the_uninterrupted_one(
    options: dict, functions: dict, x: Tensor, tmp_path
) -> None:
    whole, stopped, resumed = new_vae(), new_vae(), new_vae(seed=9)
    settings = {"learning_rate": 1e-2, "batch_size": 100, "seed": 5, **options, **functions}
    expected = list(Trainer(whole, x, **settings).epochs(4))[2:]

    trainer = Trainer(stopped, x, **settings)
    list(trainer.epochs(2))
    trainer.save(tmp_path / "run.pt")
    reports = list(Trainer.resume(tmp_path / "run.pt", resumed, x, **functions).epochs(2))

    assert reports == expected
    assert torch.equal(weights(resumed), weights(whole))
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_a_killed_run_loses_no_more_than_the_pass_it_was_in(x: Tensor, tmp_path) -> None:
    whole, killed, resumed = new_vae(), new_vae(), new_vae(seed=9)
    expected = list(Trainer(whole, x, beta=WARM_UP).epochs(4))

    def killed_in_the_third_pass(step: int) -> float:
        if step == 30:
            raise KeyboardInterrupt
        return WARM_UP(step)

    def run() -> None:
        trainer = Trainer(killed, x, beta=killed_in_the_third_pass)
        for _ in trainer.epochs(4):
            trainer.save(tmp_path / "run.pt")

    with pytest.raises(KeyboardInterrupt):
        run()
    trainer = Trainer.resume(tmp_path / "run.pt", resumed, x, beta=WARM_UP)

    assert trainer.epoch == 2
    assert list(trainer.epochs(2)) == expected[2:]
    assert torch.equal(weights(resumed), weights(whole))


def test_interrupted_save_keeps_the_file_before_it(
    x: Tensor, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.pt"
    trainer = Trainer(new_vae(), x)
    list(trainer.epochs(1))
    trainer.save(path)
    before = path.stat().st_ino
    trainer.save(path)
    assert path.stat().st_ino != before  # another file in its place, never one written over
    list(trainer.epochs(1))

    def full_disk(state: object, file) -> None:
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space left"):
        trainer.save(path)

    assert Trainer.resume(path, new_vae(), x).epoch == 1
    assert list(tmp_path.iterdir()) == [path]  # nothing half written is left behind


def misfits(x: Tensor) -> dict[str, tuple]:
    """What is handed to ``resume``, and what it should say: model, images, functions, message."""
    spoilt = x.clone()
    spoilt[0, 0] = torch.nan
    return {
        "fewer images": (new_vae(), x[:100], {}, r"shape \(1437, 64\) of .*run\.pt, got \(100, 64"),
        "fewer pixels": (new_vae(), x[:, :60], {}, r"shape \(1437, 64\) of .*, got \(1437, 60\)"),
        "spoilt images": (new_vae(), spoilt, {}, "x must be finite"),
        # Its first layer fits: loading weight by weight would have changed that one.
        "more latents": (
            new_vae(latent_dim=3),
            x,
            {},
            r"vae must have .*: decoder\.0\.weight \(8, 2\) torch\.float32, got \(8, 3\) torch",
        ),
        "another type": (new_vae().double(), x, {}, r"torch\.float32, got \(8,\) torch\.float64"),
        "a weight more": (with_bias(new_vae()), x, {}, r"extra none, got \(1,\) torch\.float32"),
        "a schedule": (new_vae(), x, {"beta": WARM_UP}, "beta must be left out, as before"),
        "an objective": (new_vae(), x, {"objective": IWAE}, "objective must be left out, as"),
    }


def with_bias(vae: torch.nn.Module) -> torch.nn.Module:
    vae.extra = torch.nn.Parameter(torch.zeros(1))
    return vae


@pytest.mark.parametrize("name", misfits(torch.zeros(1437, 64)))
def test_resume_refuses_what_does_not_fit_and_touches_nothing(
    name: str, x: Tensor, tmp_path
) -> None:
    path = tmp_path / "run.pt"
    trainer = Trainer(new_vae(seed=9), x)
    trainer.save(path)
    vae, images, functions, message = misfits(x)[name]
    before = weights(vae).clone()

    with pytest.raises(ValueError, match=message):
        Trainer.resume(path, vae, images, **functions)

    assert torch.equal(weights(vae), before)


@pytest.mark.parametrize(
    "function", [{"beta": WARM_UP}, {"objective": IWAE}], ids=["beta", "objective"]
)
def test_functions_have_to_be_handed_in_again(function: dict, x: Tensor, tmp_path) -> None:
    Trainer(new_vae(), x, **function).save(tmp_path / "run.pt")

    message = f"{next(iter(function))} must be the function that the run had to resume .*, got None"
    with pytest.raises(ValueError, match=message):
        Trainer.resume(tmp_path / "run.pt", new_vae(), x)


def test_no_file_is_said_to_be_missing(x: Tensor, tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        Trainer.resume(tmp_path / "none.pt", new_vae(), x)
