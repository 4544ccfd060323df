"""The table of what guided experiments end in, against the record that it is made from."""

import pytest

from vaelab.book.results import load_results
from vaelab.widgets.vae_lab import recorded


def test_every_button_has_a_run_for_each_seed() -> None:
    guided = load_results("vae_lab")["guided"]

    for key, label in {(run["key"], run["label"]) for run in guided}:
        runs = [run for run in guided if (run["key"], run["label"]) == (key, label)]
        assert len(runs) == len({run["seed"] for run in runs}) > 1
        assert recorded.runs(key, label) == [run["figures"] for run in runs]
        assert recorded.ends(key, label) == [run["figures"][-1] for run in runs]


def test_the_gap_in_a_table_is_what_separates_its_bound_from_the_truth() -> None:
    lines = recorded.table("ring", "1 latent", "2 latents").splitlines()
    columns = lines[0].split("  ")
    rows = [[float(part) for part in line[10:].split()] for line in lines[1:]]

    assert [name.strip() for name in columns if name.strip()] == list(recorded.COLUMNS)
    assert [line[:10].strip() for line in lines[1:]] == ["1 latent", "2 latents"]
    for log_marginal, elbo, gap, *_ in rows:
        assert gap == pytest.approx(log_marginal - elbo, abs=0.016)  # three roundings to 0.01


def test_what_is_not_recorded_is_named() -> None:
    with pytest.raises(KeyError, match="a button 'eight' of 'ring'"):
        recorded.runs("ring", "eight")
