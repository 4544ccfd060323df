"""The files that say what is installed agree with one another and with this environment."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> dict[str, str]:
    """The versions that a requirements file pins, by package."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    parsed = [Requirement(line) for line in lines if re.match(r"[A-Za-z]", line)]
    assert all(str(each.specifier).startswith("==") for each in parsed), f"unpinned in {name}"
    return {canonicalize_name(each.name): str(each.specifier)[2:] for each in parsed}


READER, DEV, CONSTRAINTS = map(
    pins, ("requirements.txt", "requirements-dev.txt", "constraints.txt")
)


def test_everything_installed_is_pinned() -> None:
    # pip comes with Python; CUDA's packages are torch's own to pin.
    ours = {"pip", "vaelab"}
    unpinned = {
        canonicalize_name(each.name)
        for each in distributions()
        if not each.name.startswith(("nvidia", "cuda")) and each.name != "triton"
    } - {*READER, *DEV, *CONSTRAINTS, *ours}

    assert unpinned == set()


def test_everything_pinned_is_installed_in_that_version() -> None:
    elsewhere = {"colorama", "pywinpty", "appnope"}  # on Windows, and the last on macOS
    installed = {
        canonicalize_name(each.name): each.version.split("+")[0] for each in distributions()
    }

    wrong = {
        name: installed.get(name)
        for name, version in {**CONSTRAINTS, **READER, **DEV}.items()
        if name not in elsewhere and installed.get(name) != version
    }
    # Python 3.12 has in itself what this one backports.
    assert {name for name in wrong if wrong[name] or name != "overrides"} == set()


def test_no_package_is_pinned_twice() -> None:
    assert not CONSTRAINTS.keys() & {*READER, *DEV}
    assert not READER.keys() & DEV.keys()


def test_cuda_is_left_to_torch() -> None:
    assert not [name for name in CONSTRAINTS if name.startswith(("nvidia", "cuda", "triton"))]


def test_binder_takes_the_same_versions_and_nothing_for_tests() -> None:
    binder = pins("binder/requirements.txt")

    assert binder.items() <= READER.items()
    assert not {"torch", "pytest", "nbval", "jupyter-book"} & binder.keys()


def test_the_pins_lie_within_vaelabs_own_bounds() -> None:
    with open(ROOT / "pyproject.toml", "rb") as file:
        bounds = tomllib.load(file)["project"]["dependencies"]

    for bound in map(Requirement, bounds):
        version = READER[canonicalize_name(bound.name)]
        assert bound.specifier.contains(version)
        # Loose, so that Colab's own versions can stay.
        assert {each.operator for each in bound.specifier} == {">="}


def test_the_readme_says_why_each_package_is_needed() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()

    assert [name for name in [*READER, *DEV] if f"`{name}`" not in readme] == []
