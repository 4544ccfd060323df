"""What reveal() displays, caught."""

import pytest

from vaelab.book import predictions


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list:
    """What reveal() displays."""
    outputs: list = []
    monkeypatch.setattr(predictions, "display", outputs.append)
    return outputs
