"""The one function that judges an exercise: every surface calls it, and draws the verdict that it returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from course.comparison.faults import one_sentence
from course.exercises import find_exercise
from course.exercises.exercise import Exercise
from course.exercises.tasks.findings import FAULT_STATUS, with_note
from course.exercises.tasks.question import ANSWER
from course.exercises.tasks.task import Sitting
from course.grading.finding import Found
from course.grading.sentences import fault_sentences, verdict_of
from course.grading.submission import Submission
from course.records import Feedback, Findings, Remark, Status, Verdict


def judge(
    exercise: Exercise,
    submission: Submission,
    *,
    seed: int = 0,
    attempt: int = 1,
    feedback: Feedback | None = None,
    aloud: bool = False,
) -> Verdict:
    """Judges one exercise of a submission.

    Args:
        exercise: What was asked.
        submission: Where the answer comes from.
        seed: Of every drawn number.
        attempt: How many times the learner has tried with this text or another, this time included.
        feedback: How much the verdict may say; by default it grows with the attempts.
        aloud: Whether prints and breakpoints of the answer go to the terminal.
    """
    found = find_answer(exercise, submission)
    findings = _find_out(exercise, found, Sitting(seed, aloud))
    if exercise.uses and findings.status not in (Status.RIGHT, Status.COSTLY, Status.NOT_STARTED):
        findings = _blame_earlier(exercise, submission, findings, seed)
    if found.supplied:
        findings = with_note(findings, f"Earlier answers supplied by the grader: {', '.join(found.supplied)}.")
    return verdict_of(exercise, findings, attempt=attempt, feedback=feedback, where=submission.where)


def find_answer(exercise: Exercise, submission: Submission) -> Found:
    """What a submission gives for an exercise, under the names that its task asks for."""
    if exercise.task.names:
        return submission.find(exercise.task.names)
    found = submission.find_answer(exercise.name)
    values = {ANSWER: found.values[exercise.name]} if exercise.name in found.values else {}
    return dataclasses.replace(found, values=values)


def _find_out(exercise: Exercise, found: Found, sitting: Sitting) -> Findings:
    if found.fault is not None:
        status = FAULT_STATUS.get(found.fault.kind, Status.BROKEN)
        headline, remarks = fault_sentences(found.fault, status)
        return Findings(status, headline, remarks, printed=found.printed)
    with found.at_home():
        findings = _judge_task(exercise, found.values, sitting)
    return dataclasses.replace(findings, printed=found.printed + findings.printed)


def _judge_task(exercise: Exercise, values: Mapping[str, Any], sitting: Sitting) -> Findings:
    """Asks the task; what fails there is our fault, since a task records every fault of an answer."""
    try:
        return exercise.task.judge(values, sitting)
    except Exception as error:
        return Findings(
            Status.BROKEN,
            "our fault, not yours",
            (
                Remark(Feedback.PASS, f"The course itself failed: {one_sentence(error)}"),
                Remark(Feedback.PASS, "Please report it, with your answer; nothing is counted against you."),
            ),
            ours=True,
        )


def _blame_earlier(exercise: Exercise, submission: Submission, findings: Findings, seed: int) -> Findings:
    """Names the first earlier pair that is wrong, since an answer made of it can't be right."""
    for name in exercise.uses:
        earlier = find_exercise(name)
        verdict = judge(earlier, submission, seed=seed, feedback=Feedback.WHERE)
        if verdict.status is Status.NOT_STARTED:
            return dataclasses.replace(
                findings,
                status=Status.WAITING,
                headline=f"uses your {earlier.title}, not written yet",
                blank=f"uses your {earlier.title}, not written yet",
                remarks=(),
            )
        if not verdict.right:
            headline = f"uses your {earlier.title}, which is not right yet: {verdict.headline}"
            return dataclasses.replace(findings, headline=headline, blank=headline, remarks=(), example=None)
    return findings
