"""The pytest autograder: `pytest --submission PATH` judges a submission instead of collecting tests.

One collector an exercise, one test a question asked of it: `affine::reverse_mode`. The first that fails ends
an exercise; what comes after it is skipped as not asked. What is not started is skipped too, and the run then exits
with a status other than 0 unless `--allow-unstarted` is given.

Until the option is used, this module imports the standard library and pytest alone. Where another plugin or conftest
has an option called `--submission`, theirs stands, and ours answers to `--handgrad-submission`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from course.exercises.exercise import Exercise
    from course.grading.submission import Submission
    from course.records import Verdict

SHORT, LONG = "--submission", "--handgrad-submission"
DESTINATION = "handgrad_submission"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds our options under names that nobody else has; the short one is read before pytest looks at it."""
    group = parser.getgroup("handgrad", "handgrad: judge hand-written backward passes")
    group.addoption(
        LONG,
        dest=DESTINATION,
        metavar="PATH",
        help=f"judge this notebook, file, folder or module instead of collecting tests; also spelled {SHORT}",
    )
    group.addoption(
        "--allow-unstarted", action="store_true", help="exit with status 0 although exercises are not started"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Iterator[None]:
    """Reads the short option as the long one, unless a plugin or a conftest has one of that name.

    Raises:
        UsageError: pytest takes its settings from the submission.
    """
    paths = [] if _is_taken(parser) else _paths_after(SHORT, args)
    known = early_config.known_args_namespace
    known.file_or_dir = [path for path in known.file_or_dir if path not in paths]  # or its conftest would be run
    result = yield
    if paths and not _is_taken(parser):
        args[:] = [LONG + arg[len(SHORT) :] if arg.partition("=")[0] == SHORT else arg for arg in args]
    for path in [*paths, *_paths_after(LONG, args)]:
        _refuse_its_settings(early_config, Path(path))
    return result


def _is_taken(parser: pytest.Parser) -> bool:
    return SHORT not in parser.parse_known_and_unknown_args([SHORT, "PATH"])[1]


def _paths_after(option: str, args: list[str]) -> list[str]:
    apart = [path for name, path in pairwise(args) if name == option]
    return apart + [arg.partition("=")[2] for arg in args if arg.startswith(f"{option}=")]


def _refuse_its_settings(config: pytest.Config, submission: Path) -> None:
    settings = config.inipath
    if settings is not None and submission.is_dir() and submission.resolve() in settings.resolve().parents:
        raise pytest.UsageError(
            f"pytest would take its settings from {settings}, which is part of the submission: remove it, or add "
            "`-c none.ini` with an empty file of your own."
        )


def pytest_collection(session: pytest.Session) -> bool | None:
    """Collects the submission, and nothing else, when there is one.

    Raises:
        UsageError: There is no such submission, or this JAX computes wrongly.
    """
    path = session.config.getoption(DESTINATION)
    if path is None:
        return None
    from course.grading.ready import keep_programs
    from course.quick_compile import compile_quickly

    keep_programs()
    compile_quickly()
    from course.grading import Submission, SubmissionError
    from course.grading.soundness import Unsound, require_sound_jax

    try:
        submission = Submission.read(path)
        require_sound_jax()
    except (SubmissionError, Unsound) as error:
        raise pytest.UsageError(str(error)) from None
    collector = SubmissionCollector.from_parent(session, name=path, nodeid=path, submission=submission)
    session.items = list(session.genitems(collector))
    session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=session.items)
    session.config.hook.pytest_collection_finish(session=session)
    session.testscollected = len(session.items)
    return True


class SubmissionCollector(pytest.Collector):
    """A submission: one collector an exercise."""

    def __init__(self, *, submission: Submission, **kwargs: Any):
        super().__init__(**kwargs)
        self.submission = submission

    def collect(self) -> Iterator[ExerciseCollector]:
        """Turns every exercise of the paper into a collector."""
        from course.exercises import select

        for exercise in select():
            name = _short_name(exercise, select())
            yield ExerciseCollector.from_parent(
                self, name=name, nodeid=name, exercise=exercise, submission=self.submission
            )


def _short_name(exercise: Exercise, everything: tuple[Exercise, ...]) -> str:
    """The name without its lesson, where no other lesson has an exercise of that name."""
    short = exercise.name.partition(".")[2]
    owners = [other for other in everything if other.name.partition(".")[2] == short]
    return short if len(owners) == 1 else exercise.name


class ExerciseCollector(pytest.Collector):
    """An exercise: one test a question. It is judged once, when the first question is asked."""

    def __init__(self, *, exercise: Exercise, submission: Submission, **kwargs: Any):
        super().__init__(**kwargs)
        self.exercise, self.submission = exercise, submission
        self._verdict: Verdict | None = None

    def collect(self) -> Iterator[QuestionItem]:
        """One item for each question of the exercise's task."""
        for question in self.exercise.task.questions:
            yield QuestionItem.from_parent(self, name=question)

    @property
    def verdict(self) -> Verdict:
        """The verdict on this exercise, the same as on every other surface."""
        from course.grading import judge

        if self._verdict is None:
            self._verdict = judge(self.exercise, self.submission, at_once=True)
        return self._verdict


class NotRight(Exception):
    """A question that was answered wrongly; its text is the verdict."""


class QuestionItem(pytest.Item):
    """One question: passes, fails with the verdict, or is skipped because it was not asked."""

    parent: ExerciseCollector

    def runtest(self) -> None:
        """Looks up in the verdict how this question went.

        Raises:
            NotRight: The answer failed here.
        """
        from course.records import Status

        verdict, questions = self.parent.verdict, self.parent.exercise.task.questions
        if verdict.status is Status.HANDED_IN or (verdict.status is Status.NOT_STARTED and not verdict.counts):
            raise pytest.skip.Exception(f"{verdict.headline}: a person judges this", _use_item_location=True)
        if verdict.status in (Status.NOT_STARTED, Status.WAITING):
            self.session.config.stash.setdefault(UNSTARTED, set()).add(verdict.exercise)
            raise pytest.skip.Exception(verdict.headline, _use_item_location=True)
        if verdict.status is Status.COSTLY and self.name == verdict.failed:
            pytest.xfail(f"{verdict.headline}: {' '.join(verdict.lines)}")
        ended = questions.index(verdict.failed or questions[0]) if not verdict.right else len(questions)
        if questions.index(self.name) > ended:
            raise pytest.skip.Exception("not asked: an earlier question failed", _use_item_location=True)
        if questions.index(self.name) == ended:
            raise NotRight(str(verdict))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict alone, where that is what failed."""
        if excinfo.errisinstance(NotRight):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where it is, in the reader's words."""
        return self.path, 0, f"{self.parent.name}::{self.name}"


UNSTARTED = pytest.StashKey[set[str]]()
"""Names of the exercises that were not started."""


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Makes a run with unstarted exercises fail, unless that is allowed."""
    unstarted = session.config.stash.get(UNSTARTED, None)
    allowed = session.config.getoption("allow_unstarted")
    if unstarted and not allowed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says how many points were reached, and what is not started."""
    if config.getoption(DESTINATION) is None:
        return
    collectors = {item.parent for item in terminalreporter._session.items if isinstance(item, QuestionItem)}
    verdicts = [collector.verdict for collector in collectors]
    points = sum(verdict.points + verdict.cost_points for verdict in verdicts)
    possible = sum(verdict.possible + verdict.cost_possible for verdict in verdicts)
    terminalreporter.write_line(f"handgrad: {points:g} of {possible:g} points")
    unstarted = sorted(config.stash.get(UNSTARTED, None) or ())
    if unstarted and not config.getoption("allow_unstarted"):
        terminalreporter.write_line(f"not started: {', '.join(unstarted)} (--allow-unstarted makes that no failure)")
