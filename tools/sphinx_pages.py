"""Mends of what the theme and its companions put into pages. Each says what it is for."""

from sphinx.application import Sphinx


def drop_second_thebe_url(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """sphinx-thebe declares its constants for every builder event: twice is an error.

    Thebe itself is off: it would load from another host.
    """
    context["script_files"] = [
        script for script in context["script_files"] if "thebe" not in str(script).lower()
        and "THEBE_JS_URL" not in str(getattr(script, "attributes", {}).get("body", ""))
    ]


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", drop_second_thebe_url)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
