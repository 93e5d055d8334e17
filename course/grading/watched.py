"""A learner's folder that is judged again and again: what was saved since, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from course.exercises import select
from course.exercises.exercise import Exercise
from course.grading.attempts import Attempts
from course.grading.hints import take_hint
from course.grading.reading import File, files_under, read_or_fault
from course.grading.sentences import stopped_verdict
from course.grading.sitting import sit
from course.grading.submission import Submission
from course.records import Feedback, Verdict

Stamp = tuple[int, int]
"""When a file was written, and how long it is."""


class Watched:
    """One folder, of which each file is read again when it was saved. Looking for what changed executes nothing."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        """Reads the folder; what is in it counts as known."""
        self._folder, self._seed = folder.absolute(), seed
        self._read: dict[Path, tuple[Stamp, File]] = {}
        self._looked_at: tuple[File, ...] = ()
        self._known: dict[str, str] = {}
        self.changed()

    def judge(self, name: str, early: Callable[[Verdict], None]) -> Verdict:
        """Judges one exercise as it is now.

        Args:
            name: The exercise's; a lesson's stands for its first one that is not right.
            early: Is called with the verdict on a wrong answer before its reason is looked for.
        """
        attempts = Attempts(self._folder)
        submission = Submission(self._folder.name, self._files(), root=self._folder)
        return sit(_meant(name, attempts), submission, attempts, seed=self._seed, early=early)

    def hints(self, name: str) -> tuple[tuple[str, ...], int]:
        """The hints of an exercise, one more than before, and how many it has in all."""
        attempts = Attempts(self._folder)
        exercise = _meant(name, attempts)
        return take_hint(exercise, attempts), len(exercise.hints)

    def stopped(self, name: str, reason: str) -> Verdict:
        """The verdict on an answer that took along the process that judged it."""
        return stopped_verdict(_meant(name, Attempts(self._folder)), reason, self._folder.name, Feedback.WHERE)

    def changed(self) -> list[str]:
        """The exercises whose answer is another text than when this was last asked."""
        files, before = self._files(), {id(file) for file in self._looked_at}
        saved = [file for file in files if id(file) not in before]
        self._looked_at, found = files, []
        for exercise in select() if saved else ():
            if not any(_text_in(file, exercise) for file in saved):
                continue
            text = "\n".join(part for file in files for part in _text_in(file, exercise))
            if self._known.get(exercise.name) != text:
                self._known[exercise.name] = text
                found.append(exercise.name)
        return found

    def _files(self) -> tuple[File, ...]:
        """The files as they are now; one that was not saved since is the same object."""
        now: dict[Path, tuple[Stamp, File]] = {}
        for path in files_under(self._folder):
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size  # a file that is read half-written may keep its time
            known = self._read.get(path)
            file = known[1] if known and known[0] == stamp else read_or_fault(path, str(path.relative_to(self._folder)))
            now[path] = (stamp, file)
        self._read = now
        return tuple(file for _, file in now.values())


def _meant(name: str, attempts: Attempts) -> Exercise:
    """The exercise of a name; of a lesson the first that is not right."""
    exercises = select(name)
    return next((exercise for exercise in exercises if not attempts.of(exercise.name).done), exercises[0])


def _text_in(file: File, exercise: Exercise) -> list[str]:
    """The statements of a file by which an exercise is answered."""
    names = exercise.task.names or (exercise.name,)
    return [file.statements[place].text for name in names for place in file.binders.get(name, [])]
