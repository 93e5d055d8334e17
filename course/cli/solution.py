"""`course solution`: the course's own answer, once yours is right or you say that you want it."""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

import click

from course.answers import find_folder
from course.cli.completing import complete_lesson
from course.cli.folder import attempts_in
from course.cli.readying import exercises_named, refuse_unknown_lesson
from course.cli.show import own_draw
from course.grading.attempts import Attempt
from course.show.words import command


@click.command()
@click.argument("name", metavar="EXERCISE", shell_complete=complete_lesson)
@click.option("--yes", is_flag=True, help="Show it although yours is not right yet.")
def solution(name: str, yes: bool) -> None:
    """Show the course's own answer to an EXERCISE."""
    refuse_unknown_lesson(name)
    from course.exercises.tasks.which_mistake import WhichMistake

    exercise = exercises_named(name)[0]
    place = _answers() / f"{exercise.lesson}.py"
    if not place.is_file():
        raise click.ClickException("The answers are not installed here: they are in the course's repository alone.")
    folder = find_folder(Path.cwd())
    known = attempts_in(folder).known if folder else {}
    if not (yes or known.get(exercise.name, Attempt()).right):
        hint = f"`{command(f'hint {exercise.name}')}` gives one hint more."
        click.confirm(f"{exercise.name} is not right yet, and {hint} Show the answer all the same?", abort=True)
    if isinstance(exercise.task, WhichMistake):
        label = exercise.task.pick(own_draw(exercise.lesson)).label
        _print(f'course.answer("{exercise.name}", "{label}")')
        return
    _print(_text_of(place.read_text(encoding="utf-8"), exercise.task.names, exercise.name))


def _answers() -> Path:
    from course.authoring.checkout import PACKAGE

    return PACKAGE.parent / "solutions"


def _text_of(module: str, names: Collection[str], question: str) -> str:
    """The statements of a module that are the answer to an exercise."""
    lines = module.splitlines()
    found = [
        "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(module).body
        if (isinstance(node, ast.FunctionDef) and node.name in names) or _answers_question(node, question)
    ]
    return "\n\n\n".join(found)


def _answers_question(node: ast.stmt, question: str) -> bool:
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args):
        return False
    first = node.value.args[0]
    return isinstance(first, ast.Constant) and first.value == question


def _print(text: str) -> None:
    from rich.console import Console
    from rich.syntax import Syntax

    console = Console(highlight=False)
    if console.is_terminal:
        console.print(Syntax(text, "python", background_color="default", word_wrap=True))
    else:
        click.echo(text)
