"""The command `python -m course.authoring`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from course.authoring.checkout import this_checkout
from course.authoring.make import lessons_with_source, write_notebooks
from course.authoring.source import AuthoringError
from course.exercises import NoSuchExercise, paper_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser("python -m course.authoring", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["make"], default="make")
    parser.add_argument("lessons", nargs="*", help="lessons; all by default")
    options = parser.parse_args(arguments)
    checkout = this_checkout()
    if checkout is None:
        print("Notebooks are made in a checkout; an installed course has them made.")
        return 1
    failed = False
    for lesson in options.lessons or lessons_with_source(checkout):
        try:
            paper_of(lesson)
            for place in write_notebooks(checkout, [lesson]):
                print(f"made {place.relative_to(checkout.root)}")
        except (AuthoringError, NoSuchExercise) as error:
            failed = True
            print(error)
    return int(failed)
