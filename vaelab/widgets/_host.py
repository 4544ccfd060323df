"""One widget, two hosts: anywidget under a kernel, a self-contained element in a built page.

A widget's JavaScript is plain script text: the shared files of ``_js`` and its own folder,
joined. It defines ``create({model, el})``. Under a kernel a line that exports it makes the
text an ES module for anywidget; in a page a call mounts it on the element before the script.
The tests load the same text into V8. It is joined because a module made from text, as
anywidget's is, has no address that a relative import could start from.

In a page the script is a classic one and runs as soon as the parser meets it. A module would
wait for the end of the page, and everything below would jump when the widget appears.
"""

from __future__ import annotations

import json
import numbers
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

FOLDER = Path(__file__).parent
SHARED_JS = ("numerics.js", "random.js", "hash_state.js", "controls.js", "parts.js", "present.js")
STATIC_JS = ("static_host.js",)
SHARED_CSS = ("base.css", "controls.css", "digits.css", "layout.css", "pictures.css")


def in_built_page() -> bool:
    """Whether outputs are for a page without a kernel: the book's build says so."""
    return os.environ.get("VAELAB_HOST") == "static"


@cache
def script_text(name: str, files: tuple[str, ...]) -> str:
    """The JavaScript of one widget, as the hosts and the tests run it."""
    paths = [FOLDER / "_js" / file for file in SHARED_JS + STATIC_JS]
    paths += [FOLDER / name / file for file in files]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@cache
def style_text(name: str) -> str:
    """The style that widgets share, then the widget's own, of which style.css has the last word."""
    last = FOLDER / name / "style.css"
    paths = [FOLDER / "_js" / file for file in SHARED_CSS]
    paths += [*sorted(set(last.parent.glob("*.css")) - {last}), last]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def module_text(name: str, files: tuple[str, ...]) -> str:
    """The ES module that anywidget loads."""
    export = "export default { render: (context) => create(context).destroy };"
    return f"{script_text(name, files)}\n{export}\n"


def json_in_script(value: Any) -> str:
    """JSON that may stand inside a script element, whatever its strings hold."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def is_number(value: Any) -> bool:
    """Whether a value is a real number; True and False are not meant as 1 and 0."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


class OneOf(traitlets.TraitType):
    """A number out of a few, given as any real type that equals one of them."""

    def __init__(self, values: Sequence[float], default_value: float) -> None:
        super().__init__(default_value)
        self.values = tuple(values)

    def rule(self) -> dict[str, Any]:
        return {"values": list(self.values)}

    def validate(self, obj: Any, value: Any) -> float:
        if is_number(value):
            for allowed in self.values:
                if value == allowed:
                    return allowed
        allowed = ", ".join(f"{allowed:g}" for allowed in self.values)
        raise traitlets.TraitError(f"{self.name} must be one of {allowed}, got {value!r}")


class IntegerBetween(traitlets.TraitType):
    """A whole number from ``least`` to ``most``."""

    def __init__(self, least: int, most: int, default_value: int) -> None:
        super().__init__(default_value)
        self.least, self.most = least, most

    def rule(self) -> dict[str, Any]:
        return {"least": self.least, "most": self.most}

    def validate(self, obj: Any, value: Any) -> int:
        if is_number(value) and value in range(self.least, self.most + 1):
            return int(value)
        raise traitlets.TraitError(
            f"{self.name} must be a whole number from {self.least} to {self.most}, got {value!r}"
        )


class NumberBetween(traitlets.TraitType):
    """A real number from ``least`` to ``most``."""

    def __init__(self, least: float, most: float, default_value: float) -> None:
        super().__init__(default_value)
        self.least, self.most = least, most

    def rule(self) -> dict[str, Any]:
        return {"least": self.least, "most": self.most, "real": True}

    def validate(self, obj: Any, value: Any) -> float:
        if is_number(value) and self.least <= value <= self.most:  # no NaN is
            return float(value)
        raise traitlets.TraitError(
            f"{self.name} must be a number from {self.least:g} to {self.most:g}, got {value!r}"
        )


class NameOf(traitlets.TraitType):
    """One of a few names."""

    def __init__(self, names: Sequence[str], default_value: str) -> None:
        super().__init__(default_value)
        self.names = tuple(names)

    def rule(self) -> dict[str, Any]:
        return {"names": list(self.names)}

    def validate(self, obj: Any, value: Any) -> str:
        if isinstance(value, str) and value in self.names:
            return value
        raise traitlets.TraitError(
            f"{self.name} must be one of {', '.join(self.names)}, got {value!r}"
        )


class Flag(traitlets.TraitType):
    """True or False, which the page knows as 1 and 0."""

    def rule(self) -> dict[str, Any]:
        return {"values": [0, 1]}

    def validate(self, obj: Any, value: Any) -> int:
        if isinstance(value, numbers.Real) and value in (0, 1):
            return int(value)
        raise traitlets.TraitError(f"{self.name} must be True or False, got {value!r}")


class Bits(traitlets.TraitType):
    """A text of ``length`` zeros and ones; an empty one stands for none."""

    def __init__(self, length: int) -> None:
        super().__init__("")
        self.length = length

    def rule(self) -> dict[str, Any]:
        return {"bits": self.length}

    def validate(self, obj: Any, value: Any) -> str:
        if isinstance(value, str) and len(value) in (0, self.length) and set(value) <= {"0", "1"}:
            return value
        raise traitlets.TraitError(
            f"{self.name} must be {self.length} zeros and ones, or empty, got {value!r}"
        )


class Widget(traitlets.HasTraits):
    """What both hosts share. A widget names its parts and says what it needs.

    Attributes:
        widget_name: Its folder, its part of the address, its data file.
        script_files: Its own JavaScript, in order.
        state_names: The traits that make up its state.
    """

    widget_name: ClassVar[str]
    script_files: ClassVar[tuple[str, ...]]
    state_names: ClassVar[tuple[str, ...]]

    @classmethod
    def recorded(cls) -> dict[str, Any]:
        """Small figures, shown at once."""
        raise NotImplementedError

    @classmethod
    def data(cls) -> dict[str, Any]:
        """Weights and images, which a page loads when the widget comes into view; if any."""
        return {}

    @classmethod
    def fallback_html(cls) -> str:
        """What a reader sees without JavaScript."""
        raise NotImplementedError

    @classmethod
    def allowed(cls) -> dict[str, dict]:
        """What each part of the state may be, in the form that JavaScript checks."""
        return {name: cls.class_traits()[name].rule() for name in cls.state_names}

    def state(self) -> dict[str, float | str]:
        """The values of the state's traits."""
        return {name: getattr(self, name) for name in self.state_names}

    def __repr__(self) -> str:
        # Not the object's address, which would differ in every run of a notebook.
        changed = ", ".join(
            f"{name}={value!r}" if isinstance(value, str) else f"{name}={value:.15g}"
            for name, value in self.state().items()
            if value != self.class_traits()[name].default_value
        )
        return f"{type(self).__name__}({changed})"


class StaticHost(Widget):
    """A widget as HTML: no kernel, no network, no widget manager."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": static_html(type(self), self.state())}


class KernelHost(Widget, anywidget.AnyWidget):
    """A widget as an anywidget, whose traits Python reads and sets."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    _defaults = traitlets.Dict().tag(sync=True)
    _recorded = traitlets.Dict().tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)
    _problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **state: float | str) -> None:
        super().__init__(**state)
        self._defaults = self.state()

    @traitlets.default("_esm")
    def _load_module(self) -> str:
        return module_text(self.widget_name, self.script_files)

    @traitlets.default("_css")
    def _load_style(self) -> str:
        return style_text(self.widget_name)

    @traitlets.default("_recorded")
    def _load_recorded(self) -> dict[str, Any]:
        return self.recorded()

    @traitlets.default("_data")
    def _load_data(self) -> dict[str, Any]:
        return self.data()


# Chosen once: the book's build sets the variable before any kernel starts. Under anywidget
# alone a widget opens a comm, which would leave widget state in the page.
Host: type[Widget] = StaticHost if in_built_page() else KernelHost


def static_html(widget: type[Widget], state: Mapping[str, float | str]) -> str:
    """A self-contained element for one widget in a built page."""
    options = {
        "name": widget.widget_name,
        "defaults": dict(state),
        "settings": widget.allowed(),
        "recorded": widget.recorded(),
        "hasData": bool(widget.data()),
    }
    # Within a function, so that two widgets on a page may use the same names.
    script = (
        "(() => {\n"
        "const host = document.currentScript.previousElementSibling;\n"
        f"{script_text(widget.widget_name, widget.script_files)}\n"
        f"mountStatic(host, {{ ...{json_in_script(options)}, create }});\n"
        "})();"
    )
    return (
        f"<style>{style_text(widget.widget_name)}</style>\n"
        f'<div class="vaelab-host" data-vaelab-widget="{widget.widget_name}">'
        f"<noscript>{widget.fallback_html()}</noscript></div>\n"
        f"<script>{script}</script>\n"
    )


def data_script(widget: type[Widget]) -> str:
    """The classic script that registers a widget's data on ``window.vaelabData``."""
    data = json_in_script(widget.data())
    return f'(window.vaelabData ??= {{}})["{widget.widget_name}"] = {data};\n'
