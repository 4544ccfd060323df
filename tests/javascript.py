"""V8 with a widget's joined text in it, without a browser."""

import json
from collections.abc import Callable
from typing import Any

from py_mini_racer import MiniRacer

from vaelab.widgets import REGISTRY
from vaelab.widgets._host import script_text


def evaluator(name: str) -> Callable[..., Any]:
    """An evaluator of JavaScript expressions in which the widget's functions exist."""
    widget = REGISTRY[name]
    context = MiniRacer()
    context.eval(script_text(name, widget.script_files))
    # NaN and infinity are no JSON: as text they come back for Python to look at.
    context.eval(
        "const plain = (key, value) => ArrayBuffer.isView(value) ? Array.from(value)"
        " : typeof value === 'number' && !Number.isFinite(value) ? `${value}` : value"
    )

    def evaluate(expression: str, **values: Any) -> Any:
        for key, value in values.items():
            context.eval(f"globalThis.{key} = {json.dumps(value)}")
        return json.loads(context.eval(f"JSON.stringify({expression}, plain)"))

    return evaluate
