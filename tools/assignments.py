"""Assignments for a course, by nbgrader: what goes out, what comes back, what it is worth.

Usage: python -m tools.assignments [release [ASSIGNMENT]]
       python -m tools.assignments autograde | marks | feedback ASSIGNMENT [--student ID]

Each verb is one nbgrader converter with this project's settings, on the course directory
``assignments/``. Whatever is not here (late penalties, marking by hand, export) nbgrader's
own commands do, run from that folder. See assignments/README.md.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "assignments"


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    if find_spec("nbgrader") is None:
        sys.exit("nbgrader is not installed. It comes with requirements-dev.txt.")
    # nbgrader runs `alembic` by name, also where the environment has not been activated.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    names = [options.assignment] if options.assignment else source_assignments(options.course)
    for name in names:
        if not (options.course / "source" / name).is_dir():
            known = ", ".join(source_assignments(options.course))
            sys.exit(f"There is no assignment {name!r} in {options.course / 'source'}: {known}.")
        VERBS[options.verb](options.course, name, options.student)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tasks.py assignments", description=__doc__.split("\n")[0]
    )
    parser.add_argument("verb", nargs="?", default="release", choices=VERBS)
    parser.add_argument("assignment", nargs="?", help="such as 03_naive_monte_carlo")
    parser.add_argument("--student", default="*", help="one student's id; all if left out")
    parser.add_argument("--course", type=Path, default=COURSE, help="the course directory")
    options = parser.parse_args(arguments)
    if options.verb != "release" and options.assignment is None:
        parser.error(f"which assignment? For example: {options.verb} 03_naive_monte_carlo")
    options.course = options.course.resolve()
    return options


def source_assignments(course: Path) -> list[str]:
    # Tools leave folders of their own beside the assignments, such as .ruff_cache.
    return sorted({path.parent.name for path in (course / "source").glob("[!.]*/*.ipynb")})


def release(course: Path, name: str, _: str) -> None:
    """The students' version: solutions and hidden tests taken out, tests locked."""
    from nbgrader.converters import GenerateAssignment

    run(GenerateAssignment, course, name, ".")
    print(f"Released {name}: hand out the notebook in {course / 'release' / name}.")


def autograde(course: Path, name: str, student: str) -> None:
    """Run every submission against the visible and the hidden tests, and record the points."""
    submissions = course / "submitted"
    if not list(submissions.glob(f"{student}/{name}/*.ipynb")):
        sys.exit(
            f"Nothing to grade. Put each student's notebook in "
            f"{submissions / '<student>' / name / name}.ipynb."
        )
    from nbgrader.converters import Autograde

    from vaelab.book.exercises import hidden_generator

    try:
        hidden_generator(name)
    except RuntimeError as error:
        sys.exit(str(error))
    if not ((course / "gradebook.db").exists() and (course / "release" / name).exists()):
        # The gradebook holds the hidden tests, and a release is what puts them there.
        release(course, name, student)
    run(Autograde, course, name, student)
    marks(course, name, student)


def marks(course: Path, name: str, student: str) -> None:
    """Print the points that the gradebook holds; "?" for words that nobody has marked yet."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        submissions = gradebook.assignment_submissions(name)
        rows = sorted((s.student.id, s) for s in submissions if student in ("*", s.student.id))
        width = max([len("student"), *(len(student_id) for student_id, _ in rows)])
        for number, (student_id, submission) in enumerate(rows):
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            if number == 0:
                print(name)
                print("student".ljust(width), *(grade.name for grade in grades), "total", sep="  ")
            by_hand = sum(grade.needs_manual_grade for grade in grades)
            points = (
                ("?" if grade.needs_manual_grade else f"{grade.score:g}").rjust(len(grade.name))
                for grade in grades
            )
            total = f"{submission.score:g} of {submission.max_score:g}"
            if by_hand:
                total += f", {by_hand} to mark by hand"
            print(student_id.ljust(width), *points, total, sep="  ")


def feedback(course: Path, name: str, student: str) -> None:
    """A page for each student: their code, the tests, the points and what failed."""
    from nbgrader.converters import GenerateFeedback

    run(GenerateFeedback, course, name, student)
    print(f"Feedback for {name}: {course / 'feedback' / '<student>' / name}.")


def run(converter: type, course: Path, name: str, student: str) -> None:
    """One nbgrader converter over one assignment, redone where it was done before."""
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.root = str(course)
    directory = CourseDirectory(config=config, assignment_id=name, student_id=student)
    app = converter(coursedir=directory, config=config, force=True)
    logging.basicConfig(format="nbgrader: %(message)s", level=logging.WARNING)
    try:
        app.start()
    except NbGraderException as error:
        sys.exit(f"nbgrader stopped: {error}")


VERBS = {"release": release, "autograde": autograde, "marks": marks, "feedback": feedback}

if __name__ == "__main__":
    main()
