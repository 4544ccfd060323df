"""The benchmarks compare like with like, and say what they measured. No peers, no times."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement

from benchmarks import log_marginal, peers, report, timing, training_loop
from benchmarks.__main__ import AIMS
from benchmarks.hand_written import HandWritten
from benchmarks.log_marginal import Task
from benchmarks.loops import ByHand, Ours
from benchmarks.models import ExampleVAE, generated_images, new_vae
from vaelab.models.vae import VAE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def x() -> torch.Tensor:
    return generated_images(200, 6)


@pytest.fixture
def vae(x: torch.Tensor) -> VAE:
    return new_vae(x, 5, 2)


# Like with like


def test_the_examples_vae_computes_what_ours_does(vae: VAE, x: torch.Tensor) -> None:
    example = ExampleVAE(vae)
    mean, log_var = vae.encode(x)

    torch.testing.assert_close(example.encode(x), (mean, log_var))
    torch.testing.assert_close(example.decode_logits(mean), vae.decode(mean))


def test_the_gradients_written_by_hand_are_autograds(vae: VAE, x: torch.Tensor) -> None:
    vae, x = vae.double(), x.double()
    hand_written = HandWritten(vae)
    noise = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(3), dtype=x.dtype)
    loss = hand_written.loss_and_gradients(x, noise)

    mean, log_var = vae.encode(x)
    z = mean + torch.exp(0.5 * log_var) * noise
    q = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
    p = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    pixels = torch.distributions.Bernoulli(logits=vae.decode(z))
    kl = torch.distributions.kl_divergence(q, p).sum()
    expected = (kl - pixels.log_prob(x).sum()) / len(x)
    expected.backward()

    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(hand_written.gradients, [p.grad for p in vae.parameters()])


def test_loops_that_compute_the_same_pass_the_check(x: torch.Tensor) -> None:
    loops = training_loop.contestants(x, 5, 2)

    training_loop.check_gradients(loops, x)


class Doubled(Ours):
    """A contestant that would be compared wrongly: its loss is another."""

    def gradients(self, x: torch.Tensor, seed: int):
        loss, gradients = super().gradients(x, seed)
        return loss, [2 * gradient for gradient in gradients]


def test_a_loop_that_computes_something_else_is_not_timed(vae: VAE, x: torch.Tensor) -> None:
    loops = {"other": Doubled(vae, x), training_loop.BY_HAND: ByHand(vae, x)}

    with pytest.raises(AssertionError, match=r"other: gradient differs by 1\.0e\+00"):
        training_loop.check_gradients(loops, x)


def test_the_loops_estimate_what_we_do_or_are_not_timed(vae: VAE, x: torch.Tensor) -> None:
    task = Task(vae.requires_grad_(False), x[:4], num_samples=20_000)
    torch.manual_seed(0)
    error = log_marginal.standard_error(task)
    runs = {
        report.OURS: lambda: log_marginal.ours(task).log_marginal.mean().item(),
        log_marginal.LOOP: lambda: log_marginal.plain_loop(task),
    }

    log_marginal.check_estimates(runs, error)
    assert error < 0.01
    with pytest.raises(AssertionError, match="other"):
        log_marginal.check_estimates(runs | {"other": lambda: runs[report.OURS]() + 0.1}, error)


@pytest.mark.parametrize("asked", [1, 150])
def test_our_draws_are_counted(asked: int) -> None:
    assert log_marginal.our_draws(asked) == asked


def test_what_is_not_installed_is_told_apart_from_what_is_broken(monkeypatch) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError("no numpyy", name="numpyy")

    assert not peers.installed("a_peer_that_is_not_there")
    assert peers.installed("torch")
    monkeypatch.setattr("importlib.import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="numpyy"):
        peers.installed("pythae")


# Timing and tables


def test_contestants_take_turns() -> None:
    order: list[str] = []
    runs = {name: lambda name=name: order.append(name) for name in "abc"}

    seconds = timing.take_turns(runs, rounds=2, calls=2)

    assert "".join(order) == "aabbcc" + "bbccaa" + "ccaabb"
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 2, "b": 2, "c": 2}


def rows(table: str) -> dict[str, list[str]]:
    """The cells of a table's rows, by their first."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {line[0]: line[1:] for line in lines}


def test_ratios_compare_within_a_round() -> None:
    # Twice as long in every round, whatever the machine does between rounds.
    seconds = {"vaelab": [1.0, 10.0, 3.0], "other": [2.0, 20.0, 6.0]}

    table = report.table(seconds, {"loss": {"vaelab": "5", "other": "7"}})

    assert rows(table)["vaelab"] == ["3", "1", "1", "1", "5"]
    assert rows(table)["other"] == ["6", "2", "2.00 [2.00, 2.00]", "2.00", "7"]


def test_aims_are_told_met_or_not() -> None:
    sections = {"S": {"seconds": {"vaelab": [1.0, 1.0], "peer": [2.0, 2.0]}}}
    aims = [
        report.Aim("S", "peer", "vaelab", least=1.5),
        report.Aim("S", "peer", "vaelab", least=2.5),
        report.Aim("S", "vaelab", "peer", most=0.5),
        report.Aim("S", "vaelab", "peer", most=0.4),
        report.Aim("S", "absent", "vaelab", least=1.5),
    ]

    lines = report.aims_table(sections, aims).splitlines()[2:]

    verdicts = [line.split(" | ")[-1].strip("| ") for line in lines]
    assert verdicts == ["met", "**not met**", "met", "**not met**", ""]
    assert "not installed" in lines[-1]


def test_a_section_is_measured_and_told(x: torch.Tensor, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = Task(new_vae(x, 5, 2).requires_grad_(False), x[:3], num_samples=50)
    sections = {
        "training": training_loop.section(x, 5, 2, rounds=2, calls=1),
        "evaluation": log_marginal.section(task, rounds=1),
    }
    record = {"machine": timing.machine(), "sections": sections}
    results, raw = tmp_path / "RESULTS.md", tmp_path / "results.json"
    results.write_text(f"old\n{report.BY_HAND}\n\n## Why\n\nWords.\n", encoding="utf-8")

    text = report.write(record, [], results, raw)

    # What is in the file can be had from the record alone; what was written by hand stays.
    assert json.loads(raw.read_text()) == record
    assert report.markdown(json.loads(raw.read_text()), []) == text
    assert results.read_text() == f"{text}\n{report.BY_HAND}\n\n## Why\n\nWords.\n"
    assert "## training" in text
    assert "2 rounds." in text
    assert re.search(r"Where vaelab's time goes: `aten::\w+` \d+%", text)
    assert "vaelab draws exactly K samples an image" in text
    found = rows(text)
    assert float(found["vaelab"][0]) > 0
    assert float(found[training_loop.BY_HAND][0]) > 0
    assert len(found[training_loop.EXAMPLE]) == 5


def test_the_machine_is_described_without_its_name() -> None:
    found = timing.machine()

    assert found["versions"]["torch"] == torch.__version__
    assert found["threads"] == torch.get_num_threads()
    assert platform.node() not in report.machine_text(found)


def test_the_tables_are_those_of_the_record() -> None:
    record = json.loads(report.RECORD.read_text(encoding="utf-8"))
    text = report.RESULTS.read_text(encoding="utf-8")

    assert text.partition(report.BY_HAND)[0] == report.markdown(record, AIMS) + "\n"
    # All contestants were there, and every aim that is not met has its reason below.
    assert "not installed" not in text
    assert {"pythae", "pyro-ppl"} <= record["machine"]["versions"].keys()
    assert ("not met" in text) <= ("## Why" in text)


def test_peers_are_measured_with_the_books_versions() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        parsed = [Requirement(line) for line in lines if re.match("[A-Za-z]", line)]
        return {each.name: str(each.specifier) for each in parsed}

    book, ours = pins(ROOT / "requirements.txt"), pins(ROOT / "benchmarks" / "requirements.txt")

    assert {name: book.get(name) for name in ours} == {
        **{name: None for name in ("pythae", "pyro-ppl")},
        **{name: book[name] for name in ("torch", "numpy", "scipy", "scikit-learn")},
    }
    assert all(specifier.startswith("==") for specifier in ours.values())
