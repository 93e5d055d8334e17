"""What a shell may complete where a lesson or an exercise is meant. Imports no JAX."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from course.answers import find_folder
from course.grading.attempts import Attempts
from course.lessons import SYLLABUS


def complete_lesson(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """The lessons, and the exercises that were met before, that begin like what was typed."""
    names = {row.name: row.title for row in SYLLABUS}
    names |= dict.fromkeys(Attempts(find_folder(Path.cwd())).known, "")
    return [CompletionItem(name, help=says) for name, says in names.items() if name.startswith(typed)]
