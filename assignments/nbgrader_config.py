"""How nbgrader treats this course. This folder is its course directory, in the layout it expects.

``tasks.py assignments`` and nbgrader's own commands, run from this folder, both read it.
"""

from vaelab.book.exercises import hidden_generator

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "vae"

# A cell that trains something may take a while on a slow machine; a loop without end may not.
c.Execute.timeout = 120
c.Execute.extra_arguments = ["--log-level=ERROR"]


def secret_is_set(**_: object) -> None:
    """Stop before the first submission: without its secret, every hidden test would fail."""
    try:
        hidden_generator("any")
    except RuntimeError as error:
        # nbgrader logs ordinary exceptions of a hook and goes on.
        raise SystemExit(str(error)) from None


c.Autograde.pre_convert_hook = secret_is_set
