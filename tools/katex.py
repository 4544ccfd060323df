r"""KaTeX without node and without a network: formulas become HTML while the book is built.

JupyterLab's MyST extension, which the book installs anyway, carries KaTeX's JavaScript, stylesheet
and fonts, all of one version, as modules of a webpack bundle. V8 comes in the mini-racer wheel. A
loader of a dozen lines gets one into the other, and a page then needs no script to show a formula.
"""

import re
import sys
from functools import cache
from pathlib import Path

from py_mini_racer import JSEvalException, MiniRacer

BUNDLE = Path(sys.prefix, "share", "jupyter", "labextensions", "jupyterlab-myst", "static")

# What webpack's runtime does for the modules of a chunk, as far as KaTeX's modules use it.
LOADER = """
var self = globalThis, document = {}, modules = {}, loaded = {};
class URL { constructor(path) { this.path = path; } toString() { return this.path; } }
self.webpackChunkjupyterlab_myst = { push: (chunk) => Object.assign(modules, chunk[1]) };
function load(id) {
  if (!(id in loaded)) {
    loaded[id] = { id, exports: {} };
    modules[id](loaded[id], loaded[id].exports, load);
  }
  return loaded[id].exports;
}
load.p = load.b = "";
load.r = () => {};
load.o = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
load.d = (object, getters) => {
  for (const key in getters)
    Object.defineProperty(object, key, { enumerable: true, get: getters[key] });
};
load.n = (module) => {
  const get = module && module.__esModule ? () => module.default : () => module;
  load.d(get, { a: get });
  return get;
};
function loadWith(mark) {
  return load(Object.keys(modules).find((id) => String(modules[id]).includes(mark)));
}
"""
KATEX_MARK, STYLE_MARK = "KaTeX parse error", "katex-version"


class FormulaError(ValueError):
    """A formula that KaTeX cannot read."""


class Katex:
    """One JavaScript engine with KaTeX in it; ``get_katex`` shares it."""

    def __init__(self, bundle: Path = BUNDLE) -> None:
        self.bundle = bundle
        self.engine = MiniRacer()
        self.engine.eval(f"{LOADER};0")
        for mark in (KATEX_MARK, STYLE_MARK):
            self.engine.eval(f"{self._chunk(mark)};0")
        self.engine.eval(f"var katex = loadWith('{KATEX_MARK}').default;0")
        self.version: str = self.engine.eval("katex.version")

    def _chunk(self, mark: str) -> str:
        for path in sorted(self.bundle.glob("*.js")):
            text = path.read_text(encoding="utf-8")
            if mark in text:
                return text
        raise FileNotFoundError(
            f"no script in {self.bundle} holds {mark!r}: is jupyterlab-myst installed, "
            f"in the version that requirements.txt names?"
        )

    def render(self, formula: str, *, display: bool) -> str:
        """The HTML of a formula, with MathML beside it for screen readers."""
        options = {"displayMode": display, "strict": "error", "throwOnError": True}
        try:
            return self.engine.call("katex.renderToString", formula, options)
        except JSEvalException as error:
            # The engine adds the line it was running, which is all of KaTeX.
            found = re.search(r"ParseError: (?:KaTeX parse error: )?(.*)", str(error))
            raise FormulaError(found.group(1) if found else str(error)[:200]) from None

    def stylesheet(self) -> str:
        """KaTeX's stylesheet; its ``url(...)`` are names of files in the bundle."""
        return self.engine.eval(f"loadWith('{STYLE_MARK}').A.toString()")

    def write_assets(self, folder: Path) -> None:
        """Write ``katex.css`` and the fonts it names into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        # Every browser that runs the book reads woff2; the two older forms would be dead weight.
        css = re.sub(r",\s*url\([^)]*\) format\(\"(?:woff|truetype)\"\)", "", self.stylesheet())
        (folder / "katex.css").write_text(css, encoding="utf-8")
        for name in sorted(set(re.findall(r"url\(([^)]+)\)", css))):
            (folder / name).write_bytes((self.bundle / name).read_bytes())


@cache
def get_katex() -> Katex:
    return Katex()
