"""`course check`: judges answers and shows the verdicts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import click

from course.answers import find_folder
from course.cli.completing import complete_lesson
from course.cli.progress import Progress
from course.cli.readying import exercises_named, open_course_at, ready_jax, refuse_unknown_lesson
from course.grading.attempts import Attempts
from course.grading.submission import Submission, SubmissionError
from course.records import Feedback, Verdict, plain
from course.show.words import command

LEVELS = [level.name.lower() for level in Feedback]


@click.command()
@click.argument("name", metavar="[LESSON[.EXERCISE]]", required=False, shell_complete=complete_lesson)
@click.option(
    "--submission", "path", metavar="PATH", help="A notebook, file, folder or module; by default your folder."
)
@click.option("--course", "course_path", metavar="PATH", help="A folder of somebody's own exercises, for ours.")
@click.option("--why", is_flag=True, help="Show every array and every check with its error.")
@click.option("--cost", is_flag=True, help="Show what each way to the derivative costs.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of verdicts for programs, and nothing else.")
@click.option(
    "--feedback",
    type=click.Choice(LEVELS),
    metavar="LEVEL",
    help=f"How much may be said: {', '.join(LEVELS[:-1])} or {LEVELS[-1]}. By default it grows with your tries.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Judge at other drawn numbers.")
@click.option("--debug", is_flag=True, help="Let prints and breakpoints of your code through.")
def check(
    name: str | None,
    path: str | None,
    course_path: str | None,
    why: bool,
    cost: bool,
    as_json: bool,
    feedback: str | None,
    seed: int,
    debug: bool,
) -> int:
    """Judge your answers: all of them, those of a LESSON, or one EXERCISE.

    The exit status is 0 when all that was asked for is right, 1 when it is not, 2 when it could not be asked. A text
    that a person judges is asked for by its own name alone.
    """
    if course_path is None:
        refuse_unknown_lesson(name)
    submission, folder = _read(path)
    attempts = Attempts(folder)
    level = None if feedback is None else Feedback[feedback.upper()]
    with Progress(shown=not debug) as progress:
        progress.say("starting JAX")
        ready_jax()
        if course_path is not None:
            open_course_at(course_path)
        verdicts = _judge(name, submission, attempts, progress, seed=seed, feedback=level, aloud=debug)
    several = len(verdicts) > 1
    if attempts.complaint:
        click.echo(attempts.complaint, err=True)
    if as_json:
        click.echo(json.dumps([plain(verdict) for verdict in verdicts], indent=2))
    else:
        _show(verdicts, overview=not (name or why or cost), why=why, cost=cost)
    return 0 if all(verdict.done or (several and not verdict.counts) for verdict in verdicts) else 1


def _read(path: str | None) -> tuple[Submission, Path | None]:
    """What is to be judged, and the learner's folder that it lies in, if it lies in one.

    Raises:
        UsageError: There is nothing to judge.
    """
    place = Path.cwd() if path is None else Path(path).expanduser().absolute()
    folder = find_folder(place)
    if path is None and folder is None:
        raise click.UsageError(
            f"There is nothing of yours here: make a folder with `{command('start')}` and go there, "
            f"or name a file with `{command('check --submission PATH')}`."
        )
    try:
        if path is None and folder is not None:
            return dataclasses.replace(Submission.read(folder), where=folder.name), folder
        return Submission.read(path or place), folder
    except SubmissionError as error:
        raise click.UsageError(str(error)) from None


def _judge(
    name: str | None,
    submission: Submission,
    attempts: Attempts,
    progress: Progress,
    *,
    seed: int,
    feedback: Feedback | None,
    aloud: bool,
) -> list[Verdict]:
    from course.grading.sitting import sit

    def early(verdict: Verdict) -> None:
        progress.tell(f"{verdict.title}: {verdict.headline}; looking for the reason")

    verdicts = []
    exercises = exercises_named(name)
    for number, exercise in enumerate(exercises, 1):
        progress.say(f"judging {exercise.name} ({number} of {len(exercises)})")
        verdict = sit(
            exercise, submission, attempts, seed=seed, feedback=feedback, aloud=aloud, early=early, at_once=True
        )
        verdicts.append(verdict)
    return verdicts


def _show(verdicts: Sequence[Verdict], *, overview: bool, why: bool, cost: bool) -> None:
    from rich.console import Console

    from course.show.terminal import print_overview, print_verdict

    console = Console(highlight=False)
    if overview:
        print_overview(console, verdicts)
        first = next((verdict for verdict in verdicts if not verdict.done), None)
        if first is not None:
            console.print(f"  Next: {first.title} · {command(f'check {first.exercise}')}", markup=False)
        return
    for number, verdict in enumerate(_with_one_way_on(verdicts)):
        if number:
            console.print()
        print_verdict(console, verdict, why=why, cost=cost)


def _with_one_way_on(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts of a list, in which what comes next is said by those that are not right, else by the last."""
    *early, last = (dataclasses.replace(verdict, next="") if verdict.done else verdict for verdict in verdicts)
    return [*early, verdicts[-1] if all(verdict.done for verdict in verdicts) else last]
