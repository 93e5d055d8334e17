"""`course.check`, `course.answer` and `course.show_mistake`: for a running notebook or script.

Importing this starts no JAX, and neither does `course.answer` in a module that is imported: there it is read, not run.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import sys
import warnings
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course import answers
from course.records import Exhibit, Verdict

if TYPE_CHECKING:
    from course.exercises.exercise import Exercise

given: dict[str, Any] = {}
"""What was answered to each question in this process, by the question's name."""


class Misuse(Exception):
    """A call that can't be meant: what to write instead, in one sentence, shown by notebooks without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Verdicts(tuple[Verdict, ...]):
    """Several verdicts, which print as a table."""

    def __repr__(self) -> str:
        from course.show.terminal import overview_text

        return overview_text(self)

    __str__ = __repr__


def check(*asked: Any, debug: bool = False) -> Verdict | Verdicts | float:
    """Judges an exercise: `course.check(affine_fwd, affine_bwd)`, or by its name, as text.

    Args:
        *asked: The functions that the exercise asks for, or names of exercises, questions or lessons.
        debug: Whether prints and breakpoints of the answer come through.

    Returns:
        The verdict, which a notebook shows as a card; for several exercises, all verdicts. When nbgrader executes the
        notebook, the points.

    Raises:
        Misuse: No exercise asks for this.
    """
    there = sys._getframe(1).f_globals
    functions = [one for one in asked if not isinstance(one, str)]
    if not asked or (functions and len(functions) < len(asked)):
        raise Misuse("course.check takes the functions of one exercise, or the names of exercises as text.")
    if functions:
        exercise, own = _exercise_of(functions, there)
        return _shown([_judge(exercise, {**there, **own}, debug)], several=False)
    exercises = [exercise for name in asked for exercise in _named(name)]
    verdicts = [_judge(exercise, there, debug) for exercise in exercises]
    return _shown(verdicts, several=len(asked) > 1 or "." not in asked[0])


def answer(question: str, value: Any = ...) -> Verdict | Verdicts | float | None:
    """Answers a question: `course.answer("losses.q2", "b")`.

    Args:
        question: Its name.
        value: A letter, a label such as "b417", a number, or an array of numbers.

    Returns:
        The verdict; None in a module that is imported, where an answer is read when the module is judged.

    Raises:
        Misuse: There is no such question.
    """
    there = sys._getframe(1).f_globals
    if there.get("__name__") != "__main__":
        return None
    exercise = _named(question)[0]
    if exercise.name != question or exercise.task.names:
        names = exercise.task.names
        how = f"name one, such as {exercise.name}"
        if names:
            how = f"write {' and '.join(names)}, then course.check({', '.join(names)})"
        raise Misuse(f"{question} is no question: {how}.")
    given[question] = value
    return _shown([_judge(exercise, there, debug=False)], several=False)


def show_mistake(question: str, draw: int = 0) -> Exhibit | None:
    """Shows what a question "which mistake is this?" is about: `course.show_mistake("losses.q4", draw=417)`.

    Args:
        question: Its name.
        draw: Says which mistake, at which numbers, is shown.

    Returns:
        The numbers and the options, which a notebook shows as a card; None in a module that is imported.

    Raises:
        Misuse: There is no such question, or draw.
    """
    if sys._getframe(1).f_globals.get("__name__") != "__main__":
        return None
    from course.exercises.showing import NoExhibit, exhibit_of

    try:
        return exhibit_of(_named(question)[0], draw)
    except NoExhibit as why:
        raise Misuse(str(why)) from None


def _named(name: str) -> tuple[Exercise, ...]:
    from course.exercises import NoSuchExercise, select

    try:
        return select(name)
    except NoSuchExercise as error:
        raise Misuse(str(error)) from None


def _exercise_of(functions: Sequence[Any], there: Mapping[str, Any]) -> tuple[Exercise, dict[str, Any]]:
    """The one exercise that asks for these functions, and each of them under the name that it is asked for by.

    Raises:
        Misuse: There is none, or there are two.
    """
    from course.exercises import select

    asking = {name: exercise for exercise in select() for name in exercise.task.names}
    own = {_asked_name(function, there, asking): function for function in functions}
    one = next(iter(own))
    for other in own:
        if asking[other] is not asking[one]:
            homes = f"{one} belongs to {asking[one].name} and {other} to {asking[other].name}"
            raise Misuse(f"{homes}: check one exercise at a time.")
    return asking[one], own


def _asked_name(function: Any, there: Mapping[str, Any], asking: Mapping[str, Any]) -> str:
    from course.comparison.trees import describe
    from course.grading.live import plain_function

    if not callable(function):
        example = next(iter(asking))
        raise Misuse(
            f"course.check takes functions, and {describe(function)} came: "
            f"leave out the brackets, as in course.check({example})."
        )
    name = getattr(plain_function(function), "__name__", type(function).__name__)
    names = [name, *(other for other, value in there.items() if value is function)]
    found = next((known for known in names if known in asking), None)
    if found is None:
        near = difflib.get_close_matches(name, asking, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "keep the names that the notebook gives."
        raise Misuse(f"No exercise asks for {name}: {hint}")
    return found


def _judge(exercise: Exercise, namespace: Mapping[str, Any], debug: bool) -> Verdict:
    from course.grading.attempts import Attempts
    from course.grading.saved import change_notice
    from course.grading.sitting import sit
    from course.grading.soundness import Unsound
    from course.grading.submission import Submission

    attempts = Attempts(None if _is_graded() else answers.find_folder(Path.cwd()))
    submission = Submission.of_namespace({**namespace, **given, **_earlier(exercise, namespace)}, _where())
    try:
        with _quiet() if _is_graded() else contextlib.nullcontext(), _Early() as early:
            return sit(exercise, submission, attempts, aloud=debug, early=early.show)
    except Unsound as error:
        raise Misuse(str(error)) from None
    finally:
        for notice in (attempts.complaint, "" if _is_graded() else change_notice(namespace, exercise.task.names)):
            if notice:
                print(notice)


class _Early:
    """Shows a card in a notebook while the reason of a wrong answer is looked for, and takes it away again."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __enter__(self) -> _Early:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)

    def show(self, verdict: Verdict) -> None:
        """Shows the card, where there is a notebook to show it."""
        if "ipykernel" not in sys.modules or _is_graded():
            return
        from IPython.display import display

        self._handle = display(verdict, display_id=True)


def _earlier(exercise: Exercise, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The earlier answers that the exercise builds on and that are not here.

    They are those of the module that the answer was imported from, or else of the learner's folder.
    """
    from course.exercises import find_exercise
    from course.grading.live import globals_of

    beside = ChainMap(*(globals_of(namespace.get(name)) or {} for name in exercise.task.names))
    names = [name for other in exercise.uses for name in find_exercise(other).task.names]
    return {name: beside[name] if name in beside else getattr(answers, name) for name in names if name not in namespace}


def _where() -> str:
    from course.grading.submission import HERE

    file = getattr(sys.modules["__main__"], "__file__", None)
    return Path(file).name if file and "ipykernel" not in sys.modules else HERE


def _shown(verdicts: Sequence[Verdict], *, several: bool) -> Verdict | Verdicts | float:
    """What the last line of a cell returns; for nbgrader the points, with the card shown by itself."""
    shown = Verdicts(verdicts) if several else verdicts[0]
    if not _is_graded():
        return shown
    from IPython.display import display

    display(shown)
    return float(sum(verdict.points + verdict.cost_points for verdict in verdicts))


def _is_graded() -> bool:
    """Whether nbgrader is executing the notebook, to grade it or to validate it."""
    return bool(os.environ.get("NBGRADER_EXECUTION"))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps stderr empty: nbgrader takes a word on it for a failure."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
