"""The data of the widgets, written beside the pages, where every page finds it."""

from pathlib import Path

from sphinx.application import Sphinx

from vaelab.widgets import static_files


def write_static_files(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, "_widgets")
    folder.mkdir(exist_ok=True)
    for name, text in static_files().items():
        (folder / name).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict:
    app.connect("build-finished", write_static_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
