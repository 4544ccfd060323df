"""What importing vaelab pulls in and changes, and the shape of the teaching core's docstrings."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import vaelab
from vaelab.data import load_digits
from vaelab.exact.quadrature import quadrature_log_marginal
from vaelab.models.vae import VAE
from vaelab.training import Trainer

PACKAGE = Path(vaelab.__file__).parent
CORE = ("densities", "objectives", "gap", "exact", "estimators", "diagnostics")
CORE_FILES = [
    p for room in CORE for p in (*PACKAGE.glob(f"{room}.py"), *PACKAGE.glob(f"{room}/**/*.py"))
]
CORE_MODULES = [
    f"vaelab.{p.relative_to(PACKAGE).with_suffix('').as_posix().replace('/', '.')}"
    for p in CORE_FILES
    if p.stem != "__init__"
]


def imported(tree: ast.AST) -> set[str]:
    """Every module that a file's import statements name, those inside functions too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the package imports by full names"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def allowed(name: str) -> bool:
    top, _, rest = name.partition(".")
    if top == "vaelab":
        return rest.split(".")[0] in CORE
    return top in {"torch", "numpy", "scipy"} or top in sys.stdlib_module_names


def outsiders(source: str) -> set[str]:
    return {name for name in imported(ast.parse(source)) if not allowed(name)}


@pytest.mark.parametrize("path", CORE_FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_teaching_core_imports_only_itself_and_three_libraries(path: Path) -> None:
    assert outsiders(path.read_text(encoding="utf-8")) == set()


def test_the_import_rule_finds_what_breaks_it() -> None:
    assert len(CORE_FILES) >= 10
    assert outsiders("import math, torch\nfrom vaelab.exact.quadrature import latent_grid") == set()
    assert outsiders("def f():\n    from vaelab import data") == {"vaelab.data"}
    assert outsiders("from vaelab.models.vae import VAE") == {"vaelab.models.vae.VAE"}
    assert outsiders("import matplotlib.pyplot as plt") == {"matplotlib.pyplot"}


SNAPSHOT = """
import random, sys, warnings
import matplotlib, numpy, torch
import ipywidgets, anywidget  # ours may import them; their own effects are not ours

def snapshot():
    return {
        "python's random": random.getstate(),
        "numpy's random": str(numpy.random.get_state()),
        "torch's random": torch.get_rng_state().tolist(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "validation": torch.distributions.Distribution._validate_args,
        "matplotlib": dict(matplotlib.rcParams),
        "numpy's printing": numpy.get_printoptions(),
        "torch's printing": vars(torch._tensor_str.PRINT_OPTS).copy(),
        "numpy's errors": numpy.geterr(),
        "warnings": list(warnings.filters),
    }
"""


def test_importing_changes_nothing_global() -> None:
    names = ["vaelab", *(m.name for m in pkgutil.walk_packages([str(PACKAGE)], "vaelab."))]
    # Other people's packages come first; then ours in turn, so that a failure names the module.
    # The last lines make sure that the snapshot would have seen a change.
    code = f"""{SNAPSHOT}
import scipy, sklearn.datasets, safetensors.torch
for name in {names!r}:
    before = snapshot()
    __import__(name)
    after = snapshot()
    for key in before:
        assert before[key] == after[key], f"importing {{name}} changed {{key}}"
for line in ("torch.manual_seed(1)", "matplotlib.rcParams['font.size'] = 3", "random.random()",
             "torch.distributions.Distribution.set_default_validate_args(False)"):
    before = snapshot()
    exec(line)
    assert before != snapshot(), f"unseen: {{line}}"
print("unchanged")
"""

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert result.stdout == "unchanged\n", result.stderr


def public_objects() -> dict[str, object]:
    found = {}
    for name in CORE_MODULES:
        for attribute, value in vars(importlib.import_module(name)).items():
            own = getattr(value, "__module__", None) == name
            if own and not attribute.startswith("_") and callable(value):
                found[f"{name}.{attribute}"] = value
    return found


@pytest.mark.parametrize("name", public_objects())
def test_docstrings_of_the_core_have_one_shape(name: str) -> None:
    value = public_objects()[name]
    doc = inspect.getdoc(value) or ""
    headings = re.findall(r"^(\w+):$", doc, re.MULTILINE)
    parameters = (
        [] if getattr(value, "_is_protocol", False) else inspect.signature(value).parameters
    )

    if inspect.isclass(value):
        assert {"Args", "Attributes"} & set(headings)
        methods = [m for n, m in vars(value).items() if callable(m) and not n.startswith("_")]
        assert all(inspect.getdoc(method) for method in methods)
    else:
        assert [h for h in headings if h != "Raises"] == ["Args", "Returns", "Source", "Example"]
        assert ("raise " in inspect.getsource(value)) <= ("Raises" in headings)
    for parameter in parameters:
        assert re.search(rf"^    {parameter}: \S", doc, re.MULTILINE), f"{parameter} is not told"


def test_threads_change_results_by_rounding_only() -> None:
    # Tensors large enough for torch to share them out among threads.
    digits, before, results = load_digits(), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            vae = VAE(2, generator=torch.Generator().manual_seed(0))
            reports = list(Trainer(vae, digits.train, batch_size=1437).epochs(5))
            model = VAE(2, generator=torch.Generator().manual_seed(0)).double()
            exact = quadrature_log_marginal(digits.test[:3].double(), model.log_likelihood, 2)
            results.append((reports[-1].elbo, exact.log_marginal))
    finally:
        torch.set_num_threads(before)

    # Sums in another order: float32 in training, float64 in quadrature.
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-12, atol=0)
