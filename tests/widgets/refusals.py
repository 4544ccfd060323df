"""What every widget does with a value that is not allowed."""

from typing import Any

import pytest
from traitlets import TraitError

from vaelab.widgets._host import Host


def assert_refused(widget: type[Host], name: str, value: Any, message: str) -> None:
    """Refused when made and when set, with a message that matches; and nothing has changed."""
    with pytest.raises(TraitError, match=message):
        widget(**{name: value})
    made = widget()
    with pytest.raises(TraitError, match=message):
        setattr(made, name, value)
    assert made.state() == widget().state()
    assert repr(made) == f"{widget.__name__}()"
