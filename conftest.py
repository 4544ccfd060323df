"""What every test run shares: strict claims, and no silent skips where CI is watching."""

import os

import pytest

# Kernels that nbval starts inherit this, so a claim that has become false fails its cell.
os.environ["VAELAB_CLAIMS"] = "strict"


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure under CI.

    A test that needs a browser or another tool calls ``pytest.skip`` with a plain reason. On a
    reader's machine that is kind; in CI it would hide that the test has never run.
    """
    report = yield
    if report.skipped and in_ci() and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: in CI nothing may be skipped. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a whole module that skips itself while it is being imported."""
    report = yield
    if report.skipped and in_ci():
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: in CI nothing may be skipped. {report.longrepr}"
    return report
