"""Where torch comes from: each branch, against an index on loopback."""

from tools.environment import pinned

VERSION = pinned("torch").split("==")[1]
ABSENT = "environment.CPU_INDEX = 'http://127.0.0.1:9/'"  # port 9 discards; nobody listens


def test_on_linux_it_comes_from_pytorchs_cpu_index(project_with_venv, index) -> None:
    result = project_with_venv.tasks("setup", "platform.system = lambda: 'Linux'")

    assert result.returncode == 0, result.stderr
    assert project_with_venv.torch() == f"{VERSION}+cpu cpu"
    assert "with CUDA" not in result.stdout
    # Only torch is asked of that index, and its dependencies still arrive.
    assert {path for path in index.requests if path.startswith("/cpu/")} == {
        "/cpu/torch/",
        f"/cpu/torch/torch-{VERSION}%2Bcpu-py3-none-any.whl",
    }
    assert project_with_venv.python("import filelock; print(filelock.index)") == "pypi"


def test_without_that_index_the_plain_one_is_announced_and_taken(project_with_venv) -> None:
    result = project_with_venv.tasks("setup", "platform.system = lambda: 'Linux'", ABSENT)

    assert result.returncode == 0, result.stderr
    assert project_with_venv.torch() == f"{VERSION} pypi"
    assert "2.7 GB to download" in result.stdout
    assert project_with_venv.python("import cuda_stand_in; print('here')") == "here"


def test_other_systems_take_the_plain_one_at_once(project_with_venv, index) -> None:
    result = project_with_venv.tasks("setup", "platform.system = lambda: 'Darwin'")

    assert result.returncode == 0, result.stderr
    assert project_with_venv.torch() == f"{VERSION} pypi"
    assert not any(path.startswith("/cpu/") for path in index.requests)


def test_gpu_exchanges_the_cpus_torch_and_stays(project_with_venv) -> None:
    linux = "platform.system = lambda: 'Linux'"
    project_with_venv.tasks("setup", linux)
    assert project_with_venv.torch() == f"{VERSION}+cpu cpu"

    result = project_with_venv.tasks("setup", linux, GPU="1")
    assert result.returncode == 0, result.stderr
    assert project_with_venv.torch() == f"{VERSION} pypi"
    assert project_with_venv.python("import cuda_stand_in; print('here')") == "here"

    again = project_with_venv.tasks("setup", linux)
    assert again.stdout == "Everything is installed.\n"
    assert project_with_venv.torch() == f"{VERSION} pypi"


def test_an_index_of_ones_own_wins_everywhere(project_with_venv, index) -> None:
    own = {"TORCH_INDEX": f"{index.address}cpu/"}

    result = project_with_venv.tasks("setup", "platform.system = lambda: 'Windows'", ABSENT, **own)

    assert result.returncode == 0, result.stderr
    assert project_with_venv.torch() == f"{VERSION}+cpu cpu"


def test_an_index_of_ones_own_that_fails_is_not_replaced(project_with_venv) -> None:
    own = {"TORCH_INDEX": "http://127.0.0.1:9/"}

    result = project_with_venv.tasks("setup", "platform.system = lambda: 'Linux'", **own)

    assert result.returncode != 0
    assert "could not be downloaded" in result.stderr
