"""The one function that judges an exercise: every surface calls it, and draws the verdict that it returns."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from course.comparison.faults import one_sentence
from course.exercises import find_exercise
from course.exercises.exercise import Exercise
from course.exercises.tasks.findings import FAULT_STATUS, with_note
from course.exercises.tasks.question import ANSWER
from course.exercises.tasks.task import Sitting
from course.grading.by_hand import route_named
from course.grading.closure import uses_of
from course.grading.finding import Found
from course.grading.sentences import answer_of, fault_sentences, feedback_at, our_fault, to_write, verdict_of
from course.grading.soundness import require_sound_jax
from course.grading.submission import Answers
from course.records import Fault, Feedback, Findings, Remark, Status, Verdict


def judge(
    exercise: Exercise,
    submission: Answers,
    *,
    seed: int = 0,
    attempt: int = 1,
    feedback: Feedback | None = None,
    aloud: bool = False,
    example: bool = True,
    early: Callable[[Verdict], None] | None = None,
    at_once: bool = False,
) -> Verdict:
    """Judges one exercise of a submission.

    Args:
        exercise: What was asked.
        submission: Where the answer comes from.
        seed: Of every drawn number.
        attempt: Which wrong try it would be; it decides how much is said.
        feedback: How much the verdict may say; by default it grows with the attempts.
        aloud: Whether prints and breakpoints of the answer go to the terminal.
        example: Whether to look for the smallest counterexample of a wrong answer, the dearer part.
        early: Is called with the verdict on a wrong answer before its reason is looked for, which takes a second or so.
        at_once: Whether this process judges an answer once, so that compiling it whole is the quicker way.

    Raises:
        Unsound: This JAX computes wrongly on this machine.
        KeyboardInterrupt: It was interrupted.
    """
    require_sound_jax()

    def verdict(findings: Findings) -> Verdict:
        return verdict_of(exercise, findings, attempt=attempt, feedback=feedback, where=submission.where)

    found = find_answer(exercise, submission)
    level = feedback_at(attempt) if feedback is None else feedback
    sitting = Sitting(
        seed,
        aloud,
        example=example and level > Feedback.PASS,
        reasons=level >= Feedback.KIND,
        early=None if early is None else lambda findings: early(verdict(findings)),
        at_once=at_once,
    )
    findings = _find_out(exercise, found, sitting)
    if _may_lie_with_others(exercise, found, findings):
        findings = _blame_earlier(exercise, found, submission, findings, seed)
    if found.supplied:
        findings = with_note(findings, f"Earlier answers supplied by the grader: {', '.join(found.supplied)}.")
    return verdict(findings)


def find_answer(exercise: Exercise, submission: Answers) -> Found:
    """What a submission gives for an exercise, under the names that its task asks for."""
    if exercise.task.names:
        return submission.find(exercise.task.names)
    found = submission.find_answer(exercise.name)
    if exercise.name not in found.values:
        return dataclasses.replace(found, values={})
    value = found.values[exercise.name]
    return dataclasses.replace(found, values={ANSWER: value}, own=frozenset({repr(value)}))


def _find_out(exercise: Exercise, found: Found, sitting: Sitting) -> Findings:
    fault = found.fault or _route_named(exercise, found)
    if fault is not None:
        status = FAULT_STATUS.get(fault.kind, Status.BROKEN)
        headline, remarks = fault_sentences(fault, status)
        then = to_write(exercise, fault) if status is Status.NOT_STARTED else ""
        return Findings(status, headline, remarks, printed=found.printed, next=then)
    by_hand = None if found.apart else exercise.allows
    with found.at_home():
        findings = _judge_task(exercise, found.values, dataclasses.replace(sitting, by_hand=by_hand))
    return dataclasses.replace(findings, printed=found.printed + findings.printed)


def _route_named(exercise: Exercise, found: Found) -> Fault | None:
    """The fault of naming a route to a derivative; a question may be answered by any."""
    return route_named(found, exercise.allows) if exercise.task.names and not found.apart else None


def _judge_task(exercise: Exercise, values: Mapping[str, Any], sitting: Sitting) -> Findings:
    """Asks the task; what fails there is our fault, since a task records every fault of an answer.

    The task keeps what the answer's first calls print; what later ones print is not shown.
    """
    try:
        with contextlib.nullcontext() if sitting.aloud else _undisturbed():
            return exercise.task.judge(values, sitting)
    except Exception as error:
        return our_fault(one_sentence(error))


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Prints nothing, has nothing to read, and passes over breakpoints: nobody sees what they would ask."""
    stdin, hook = sys.stdin, sys.breakpointhook
    sys.stdin, sys.breakpointhook = io.StringIO(), lambda *_, **__: None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        sys.stdin, sys.breakpointhook = stdin, hook


def _may_lie_with_others(exercise: Exercise, found: Found, findings: Findings) -> bool:
    """Whether an answer is not right for a reason that may lie in an earlier one."""
    if not exercise.uses or findings.ours or findings.status in (Status.RIGHT, Status.COSTLY):
        return False
    return found.fault is None or found.fault.where not in exercise.task.names or found.fault.kind == "waiting"


def _blame_earlier(exercise: Exercise, found: Found, submission: Answers, findings: Findings, seed: int) -> Findings:
    """Names the first earlier answer that is not right, where this one is made of it."""
    at_fault = _first_at_fault(exercise, found, submission, seed)
    if at_fault is None:
        return findings
    earlier, verdict = at_fault
    name = answer_of(earlier)
    if verdict.status in (Status.NOT_STARTED, Status.WAITING):
        headline = f"uses your {name}, not written yet"
        return _put(findings, Status.WAITING, headline, f"write {name} first ({earlier.name})")
    headline, remark = f"uses your {name}, which is not right yet", f"There, {verdict.headline}."
    return _put(findings, findings.status, headline, f"mend {name} first ({earlier.name})", remark)


def _first_at_fault(
    exercise: Exercise, found: Found, submission: Answers, seed: int
) -> tuple[Exercise, Verdict] | None:
    """The first answer at fault of those that an answer is made of, the deepest ones first, and its verdict."""
    for earlier in map(find_exercise, exercise.uses):
        if not _is_used(found, earlier.task.names):
            continue
        there = find_answer(earlier, submission)
        deeper = _first_at_fault(earlier, there, submission, seed)
        if deeper is not None:
            return deeper
        findings = _find_out(earlier, there, Sitting(seed, example=False))
        if findings.status not in (Status.RIGHT, Status.COSTLY):
            return earlier, verdict_of(earlier, findings, attempt=1, feedback=Feedback.WHERE, where=submission.where)
    return None


def _is_used(found: Found, names: Sequence[str]) -> bool:
    """Whether the text of an answer reads one of some names, or imports it as an earlier answer."""
    texts = (uses_of(text) for text in found.extent.texts)
    read = {name for uses in texts for name in uses.at_once | uses.later}
    return bool(set(names) & (read | set(found.uses)))


def _put(findings: Findings, status: Status, headline: str, then: str, *remarks: str) -> Findings:
    """The same findings in other words, of which none is about this answer's own arrays."""
    return dataclasses.replace(
        findings,
        status=status,
        headline=headline,
        blank=headline,
        remarks=tuple(Remark(Feedback.PASS, text) for text in remarks),
        next=then,
        share=0.0 if status is Status.WAITING else findings.share,
        comparison=None,
        example=None,
    )
