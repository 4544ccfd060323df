"""The recorded runs: each can be repeated by the command that its record names."""

import importlib
from pathlib import Path

import pytest

from vaelab import pretrained
from vaelab.book.results import load_results

RUNS = sorted(
    path.stem for path in Path(__file__).resolve().parents[1].glob("experiments/[a-z]*.py")
)


@pytest.mark.parametrize("run", RUNS)
def test_the_record_names_the_command_that_repeats_it(run: str) -> None:
    module = importlib.import_module(f"experiments.{run}")
    try:
        record = load_results(run)
    except FileNotFoundError:  # a run that trains records beside its weights
        record = pretrained.manifest(run)

    assert callable(module.main)
    assert record["command"] == f"python -m {module.__name__}"
    assert record["seed"] == module.SEED
    assert record["versions"]["torch"]
