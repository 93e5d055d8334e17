"""What comes before judging: JAX set up for it and known to compute right, and the exercises that are meant."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import click

from course.grading.ready import keep_programs
from course.lessons import SYLLABUS
from course.quick_compile import compile_quickly

if TYPE_CHECKING:
    from course.exercises.exercise import Exercise


def ready_jax(*, timed: bool = False) -> None:
    """Imports JAX for judging, which is on the CPU, and finds out whether it computes right.

    Args:
        timed: Whether a time may be measured, so that programs are to be optimised.

    Raises:
        ClickException: This JAX computes wrongly on this machine.
    """
    os.environ.setdefault("JAX_PLATFORMS", "cpu")  # nothing else is used, and looking for it takes seconds
    keep_programs()
    if not timed:
        compile_quickly()
    gc.disable()  # all that an import makes stays: looking for garbage in it takes a tenth of the time
    from course.grading.soundness import Unsound, require_sound_jax

    gc.freeze()
    gc.enable()
    try:
        require_sound_jax()
    except Unsound as error:
        raise click.ClickException(str(error)) from None


def open_course_at(path: str) -> None:
    """Puts somebody's own course in the place of ours.

    Raises:
        UsageError: No course can be read from there.
    """
    from course.exercises import NotACourse, open_course

    try:
        open_course(path)
    except NotACourse as error:
        raise click.UsageError(str(error)) from None


def refuse_unknown_lesson(name: str | None) -> None:
    """Refuses a lesson that is not in the syllabus before anything is started.

    Raises:
        UsageError: There is no such lesson; the nearest name is in its message.
    """
    if name is not None and name.partition(".")[0] not in {row.name for row in SYLLABUS}:
        exercises_named(name)


def exercises_named(name: str | None) -> tuple[Exercise, ...]:
    """The exercises that a person means.

    Raises:
        UsageError: There are none; the nearest name is in its message.
    """
    from course.exercises import NoSuchExercise, select

    try:
        return select(name)
    except NoSuchExercise as error:
        raise click.UsageError(str(error)) from None
