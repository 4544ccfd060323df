"""Everything one does with this book, each in one word: ``python tasks.py help`` lists them.

This file keeps to the standard library, so that nothing must be installed before it, and to
the syntax of Python 3.7, so that a Python too old for the book can still say so.
"""

import argparse
import functools
import http.server
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HTML = ROOT / "_build" / "html"


def check_python(version=sys.version_info):
    if tuple(version[:2]) >= (3, 11):
        return
    newer = next(filter(works, ["python3.13", "python3.12", "python3.11"]), None)
    advice = "install a newer one from https://www.python.org/downloads/ and use that"
    if newer:
        advice = "run it with {} instead".format(newer)
    text = "tasks.py: the book needs Python 3.11 or newer, and this is {}.{}; {}."
    sys.exit(text.format(version[0], version[1], advice))


def works(python):
    """Whether a command starts; some tools leave commands that only print an error."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return shutil.which(python) and subprocess.call([python, "-c", ""], **silent) == 0


check_python()
from tools.environment import PYTHON, VENV, ensure, say, stop  # noqa: E402  (newer syntax)


def run(*arguments, **environment):
    """Run .venv's Python from the root; if that fails, end with its exit status."""
    everything = dict(os.environ, PYTHONUTF8="1", **environment)
    status = subprocess.call([str(PYTHON), *arguments], cwd=str(ROOT), env=everything)
    if status:
        sys.exit(status)


# A verb's docstring is its line in the help.


def setup(options):
    """install everything into .venv (other verbs do it too)"""
    ensure()
    say("Everything is installed.")


def book(options):
    """build the book; a warning or a failing cell fails it"""
    ensure()
    # jupyter-book has no `python -m`, and a script in .venv breaks when the folder is moved.
    start = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    arguments = ["build", ".", "-n", "-W", "--keep-going"]
    run("-c", start, *arguments, VAELAB_HOST="static", VAELAB_CLAIMS="strict")
    say("\nThe book is built. Open it by a double click, or paste this into a browser:")
    say("  {}\nTo serve it: python tasks.py serve".format((HTML / "index.html").as_uri()))


def serve(options):
    """serve the built book, to this machine only"""
    if not (HTML / "index.html").exists():
        stop("there is no built book to serve: run `python tasks.py book` first.")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(HTML))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    except OSError as error:
        stop("port {} is not to be had ({}): try --port 8001.".format(options.port, error.strerror))
    with server:
        say("The book is at http://127.0.0.1:{}/ (Ctrl+C ends).".format(server.server_port))
        server.serve_forever()


def lab(options):
    """open the chapters in JupyterLab"""
    ensure()
    run("-m", "jupyterlab")


def test(options):
    """lint, build the book, run all tests and notebooks"""
    ensure("dev")
    provide_browser()
    run("-m", "ruff", "check")
    run("-m", "ruff", "format", "--check")
    book(options)
    # Modules side by side; notebooks one by one, since kernels that start at once may be given
    # the same port, and since then each has the cores that a reader's has.
    run(
        "-m", "pytest", "tests", "vaelab", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"
    )
    run("-m", "pytest", "--nbval", "chapters")
    say("\nThe notebooks once more, with one thread and as a plainer processor computes:")
    plainer = {"ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "1"}
    run("-m", "pytest", "--nbval", "chapters", **plainer)


def provide_browser():
    """Some tests click in Chromium: install Debian's where we may, else say what is missing.

    Its shell without windows is the quickest. Older Debians have only the whole browser.
    """
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for package in "chromium-headless-shell", "chromium":
        if shutil.which(package):
            return
        if is_root and os.path.exists("/etc/debian_version"):
            say("Looking for Debian's {}, in which some tests click.".format(package))
            for step in ["update"], ["install", "--yes", "--no-install-recommends", package]:
                subprocess.call(["apt-get", "-qq", *step], env=quiet, stdout=subprocess.DEVNULL)
            if shutil.which(package):
                return
    if shutil.which("chromium-browser"):
        return
    say(
        "No chromium was found. Tests in a browser will skip (under CI, fail), unless Playwright "
        "has its own.\nOn Debian: sudo apt-get install chromium. Elsewhere: "
        "{} -m playwright install chromium".format(PYTHON)
    )


def screens(options):
    """picture the built book's pages, for who reviews them"""
    ensure("dev")
    provide_browser()
    run("-m", "tools.screens", *options.pages)


def notebooks(options):
    """execute the chapters and store what they print"""
    ensure()
    run("-m", "tools.notebooks", *options.paths)


def exercises(options):
    """make the students' notebooks from assignments/source"""
    ensure("dev")
    run("-m", "tools.exercises")


def assignments(options):
    """release, autograde, marks, feedback (nbgrader)"""
    ensure("dev")
    run("-m", "tools.assignments", *options.arguments)


def results(options):
    """repeat the long runs whose results the book ships"""
    ensure()
    for path in sorted((ROOT / "experiments").glob("[a-z]*.py")):
        say("Running experiments/{}".format(path.name))
        run("-m", "experiments.{}".format(path.stem))


def configure(options):
    """prepare for publishing: launch buttons, Colab"""
    ensure()
    run("-m", "tools.configure", "--repository", options.repository)


def clean(options):
    """remove what was built; with --all, .venv too"""
    for folder in [ROOT / "_build"] + ([VENV] if options.all else []):
        shutil.rmtree(str(folder), ignore_errors=True)


VERBS = [setup, book, serve, lab, test, screens, notebooks]
VERBS += [exercises, assignments, results, configure, clean]


def make_parser():
    table = "\n".join("  {:12} {}".format(verb.__name__, verb.__doc__) for verb in VERBS)
    parser = argparse.ArgumentParser(
        prog="python tasks.py",
        usage="%(prog)s VERB",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="verbs:\n  help         show this\n" + table,
        epilog="environment, read when torch is installed:\n"
        "  GPU=1            the one with CUDA (Linux)\n"
        "  TORCH_INDEX=URL  the one at this index",
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    subparsers = parser.add_subparsers(metavar="VERB", help=argparse.SUPPRESS)
    subparsers.add_parser("help")
    of = {}
    for verb in VERBS:
        of[verb] = subparsers.add_parser(
            verb.__name__, prog="python tasks.py " + verb.__name__, description=verb.__doc__
        )
        of[verb].set_defaults(verb=verb)
    of[serve].add_argument("--port", type=int, default=8000)
    of[screens].add_argument("pages", nargs="*", metavar="PAGE", help="without one, all")
    of[notebooks].add_argument("paths", nargs="*", metavar="PATH", help="without one, all")
    # Passed on as they stand, options too: tools/assignments.py explains them.
    of[assignments].add_argument("arguments", nargs=argparse.REMAINDER, metavar="...")
    of[configure].add_argument("--repository", required=True, metavar="OWNER/NAME")
    of[clean].add_argument("--all", action="store_true")
    return parser


def main(arguments=None):
    parser = make_parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "verb"):
        parser.print_help()
        return
    try:
        options.verb(options)
    except KeyboardInterrupt:
        stop("stopped.")


if __name__ == "__main__":
    main()
