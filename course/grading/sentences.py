"""From findings to a verdict: what may be said at a feedback level, in which order, and what to do next."""

from __future__ import annotations

import re

from course.comparison.words import HEADLINES
from course.exercises import paper_of
from course.exercises.exercise import Exercise, Paper
from course.grading.discretion import at_level
from course.lessons import SYLLABUS
from course.records import Fault, Feedback, Findings, Remark, Status, Verdict

AGAIN = "fix it and check again"

_ROOT = re.compile(r"^[^.[]+")
"""The tree that an array's path starts from: `grads` of `grads['hidden'].w`."""


def feedback_at(attempt: int) -> Feedback:
    """Where it is wrong at the first try, what kind of mistake at the second, its name from the third on."""
    return Feedback(min(attempt, Feedback.NAME))


def answer_of(exercise: Exercise) -> str:
    """What people call the answer to an exercise: `affine` for affine_fwd and affine_bwd."""
    names = exercise.task.names
    stems = {name.removesuffix("_fwd").removesuffix("_bwd") for name in names}
    return stems.pop() if len(names) == 2 and len(stems) == 1 else " and ".join(names) or exercise.name


def our_fault(reason: str) -> Findings:
    """What is said where the course itself failed."""
    remarks = (
        Remark(Feedback.PASS, f"The course itself failed here: {reason}"),
        Remark(Feedback.PASS, "Please report it, with your answer. Nothing is counted against you."),
    )
    return Findings(Status.BROKEN, "our fault, not yours", remarks, ours=True)


def fault_sentences(fault: Fault, status: Status) -> tuple[str, tuple[Remark, ...]]:
    """The headline and remarks for a fault that kept an answer from being judged."""
    message = fault.message if fault.line is None else f"{fault.message}\n{fault.line}"
    headline = HEADLINES.get(fault.kind, "can't be judged")
    if status is Status.NOT_STARTED:
        headline = "not started"
    elif status in (Status.BROKEN, Status.REFUSED, Status.STOPPED):
        ran = fault.kind in ("syntax", "exception") and fault.line  # then it is the file that fails, not the function
        headline = f"{fault.line.file if ran and fault.line else fault.where} {headline}"
    return headline, (Remark(Feedback.PASS, message),)


def stopped_verdict(exercise: Exercise, reason: str, where: str, feedback: Feedback) -> Verdict:
    """The verdict on an answer that took along the process that judged it."""
    headline, remarks = fault_sentences(Fault("stopped", answer_of(exercise), reason), Status.STOPPED)
    findings = Findings(Status.STOPPED, headline, remarks)
    return verdict_of(exercise, findings, attempt=1, feedback=feedback, where=where)


def to_write(exercise: Exercise, fault: Fault) -> str:
    """What to do about an answer that is not started, or is written by half."""
    names = exercise.task.names
    if not names:
        return "answer it, and check again"
    left = names[names.index(fault.where) :] if fault.where in names else names
    return f"write {' and '.join(f'`{name}`' for name in left)}, and check again"


def verdict_of(
    exercise: Exercise, findings: Findings, *, attempt: int, feedback: Feedback | None, where: str
) -> Verdict:
    """Puts findings as a person reads them.

    Args:
        exercise: What was asked.
        findings: What its task found out.
        attempt: Which wrong try it would be.
        feedback: How much may be said; by default it grows with the attempts.
        where: The submission, as its reader knows it.
    """
    level = feedback_at(attempt) if feedback is None else feedback
    paper = _paper_with(exercise)
    vague = level is Feedback.PASS and findings.status is Status.WRONG
    return Verdict(
        exercise=exercise.name,
        title=exercise.title,
        status=findings.status,
        headline=findings.blank if vague else findings.headline,
        lines=_lines(exercise, findings, level),
        next=findings.next or _next(exercise, findings),
        points=0 if vague else _points(exercise.points, findings.share),
        possible=exercise.points,
        feedback=level,
        attempt=attempt,
        cost_points=_points(exercise.cost_points, findings.cost_share or 0.0),
        cost_possible=exercise.cost_points,
        comparison=findings.comparison and at_level(findings.comparison, level),
        example=findings.example if level >= Feedback.WHERE else None,
        printed=findings.printed,
        where=where,
        ours=findings.ours,
        failed=findings.failed,
        shows_forward=paper.shows_forward,
        shows_cost=paper.shows_cost,
    )


def _points(possible: int, share: float) -> float:
    """Whole points only: a part that is nearly right does not round up."""
    return float(int(possible * share + 1e-9))


def _lines(exercise: Exercise, findings: Findings, level: Feedback) -> tuple[str, ...]:
    said = [remark for remark in findings.remarks if remark.level <= level]
    question = _question(exercise, findings)
    if question is None or level < Feedback.KIND:
        return tuple(remark.text for remark in said)
    kept = [remark.text for remark in said if not remark.text.startswith("Ask: ")]
    return (*kept, f"Ask: {question}")


def _question(exercise: Exercise, findings: Findings) -> str | None:
    """The question that leads to the mending of a known mistake, else of the first step at which something is wrong."""
    found = findings.comparison
    arrays, causes = (found.arrays, found.causes) if found else ((), ())
    named = [cause.ask for cause in causes if cause.tier == "mistake" and cause.ask]
    if named:
        return named[0]
    wrong = {name for array in arrays if not array.right for name in (array.path, *_ROOT.findall(array.path))}
    return next((question for name, question in exercise.asks.items() if name in wrong), None)


def _next(exercise: Exercise, findings: Findings) -> str:
    """What to do next."""
    if findings.ours:
        return "go on with the next exercise"
    match findings.status:
        case Status.RIGHT | Status.HANDED_IN:
            return _after(exercise)
        case Status.COSTLY:
            return "it counts as right; spend less if you like"
        case Status.NOT_STARTED:
            return "write it, and check again"
        case Status.WAITING:
            return "write that first"
        case _:
            return AGAIN if exercise.task.names else "think again, and answer again"


def _paper_with(exercise: Exercise) -> Paper:
    """The paper that an exercise is on; one of its own for an exercise of somebody else."""
    alone = Paper(exercise.lesson, (exercise,), shows_forward=True, shows_cost=True)
    return paper_of(exercise.lesson) if exercise.lesson in {row.name for row in SYLLABUS} else alone


def _after(exercise: Exercise) -> str:
    """What comes after an exercise on its paper, else the next lesson."""
    names = [row.name for row in SYLLABUS]
    exercises = {other.name: other for other in _paper_with(exercise).exercises}
    if exercise.lesson not in names or exercise.name not in exercises:
        return ""
    for name in list(exercises)[list(exercises).index(exercise.name) + 1 :]:
        return f"{exercises[name].title} ({name})"
    for lesson in SYLLABUS[names.index(exercise.lesson) + 1 :]:
        return f"the lesson {lesson.name}: {lesson.title}"
    return "nothing: this was the last exercise"
