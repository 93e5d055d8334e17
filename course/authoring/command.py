"""The command `python -m course.authoring`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from course.authoring.checkout import Checkout, this_checkout
from course.authoring.make import lessons_with_source, renumber, write_notebooks
from course.authoring.readme import write_readme
from course.authoring.source import AuthoringError
from course.compile_cache import use_compile_cache
from course.lessons import SYLLABUS
from course.quick_compile import compile_quickly

WHAT = "make the notebooks and the README's syllabus, execute the notebooks, or draw the README's pictures"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    checkout = this_checkout()
    if checkout is None:
        print("Notebooks are made in a checkout; an installed course has them made.")
        return 1
    if options.check:
        return _check(checkout, judging=not options.unjudged)
    for place in renumber(checkout):
        print(f"{place.relative_to(checkout.root).as_posix()}: renamed after its place in the syllabus")
    lessons = options.lessons or lessons_with_source(checkout)
    return {"make": _make, "try": _try, "pictures": _pictures}[options.what](checkout, lessons)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m course.authoring", description="Makes and checks the notebooks.")
    parser.add_argument("what", nargs="?", choices=["make", "try", "pictures"], default="make", help=WHAT)
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="all that have a source by default")
    parser.add_argument("--check", action="store_true", help="say what is stale or missing, and write nothing")
    parser.add_argument("--unjudged", action="store_true", help="with --check: without judging the answers again")
    return parser


def _make(checkout: Checkout, lessons: Sequence[str]) -> int:
    failed = 0
    print(f"README.md: {'made' if write_readme(checkout) else 'as it was'}")
    for lesson in lessons:
        try:
            changed = write_notebooks(checkout, [lesson])
        except AuthoringError as error:
            failed = 1
            print(error)
        else:
            place = checkout.made(lesson).relative_to(checkout.root).as_posix()
            print(f"{place}: {'made' if changed else 'as it was'}")
    return failed


def _try(checkout: Checkout, lessons: Sequence[str]) -> int:
    from course.authoring.execute import CellFailed, kernel, try_lesson

    failed = 0
    with kernel() as there:
        for lesson in lessons:
            for solved in (False, True):
                try:
                    try_lesson(checkout, lesson, there, solved=solved)
                    says = "runs"
                except (AuthoringError, CellFailed) as error:
                    failed, says = 1, str(error)
                print(f"{lesson}, {'solved' if solved else 'unfilled'}: {says}", flush=True)
    return failed


def _pictures(checkout: Checkout, lessons: Sequence[str]) -> int:
    from course.authoring.pictures import draw_verdicts

    print(draw_verdicts(checkout).relative_to(checkout.root).as_posix())
    return 0


def _check(checkout: Checkout, *, judging: bool) -> int:
    from course.authoring.whole import incomplete

    use_compile_cache()
    compile_quickly()
    sentences = list(incomplete(checkout, judging=judging))
    for sentence in sentences:
        print(sentence)
    if not sentences:
        print(f"{len(SYLLABUS)} lessons are whole, and their notebooks are what their sources make.")
    return int(bool(sentences))
