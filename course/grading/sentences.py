"""From findings to a verdict: what may be said at a feedback level, in which order, and what to do next."""

from __future__ import annotations

from course.comparison.words import HEADLINES
from course.exercises import paper_of
from course.exercises.exercise import Exercise
from course.records import Fault, Feedback, Findings, Remark, Status, Verdict

NEXT = {
    Status.RIGHT: "course next",
    Status.COSTLY: "it counts as right; spend less if you like",
    Status.NOT_STARTED: "write it, and check again",
    Status.WAITING: "write the earlier answer first",
}
"""What to do next; anything else is mended and run again."""


def feedback_at(attempt: int) -> Feedback:
    """Where it is wrong at the first try, what kind of mistake at the second, its name from the third on."""
    return Feedback(min(attempt, Feedback.NAME))


def fault_sentences(fault: Fault, status: Status) -> tuple[str, tuple[Remark, ...]]:
    """The headline and remarks for a fault that kept an answer from being judged."""
    if status is Status.NOT_STARTED and fault.kind == "missing":
        return "not started", ()
    message = fault.message if fault.line is None else f"{fault.message}\n{fault.line}"
    headline = HEADLINES.get(fault.kind, "can't be judged")
    return headline, (Remark(Feedback.PASS, message),)


def verdict_of(
    exercise: Exercise, findings: Findings, *, attempt: int, feedback: Feedback | None, where: str
) -> Verdict:
    """Puts findings as a person reads them.

    Args:
        exercise: What was asked.
        findings: What its task found out.
        attempt: How many times it was tried, this time included.
        feedback: How much may be said; by default it grows with the attempts.
        where: The submission, as its reader knows it.
    """
    level = feedback_at(attempt) if feedback is None else feedback
    paper = paper_of(exercise.lesson)
    vague = level is Feedback.PASS and findings.status is Status.WRONG
    return Verdict(
        exercise=exercise.name,
        title=exercise.title,
        status=findings.status,
        headline=findings.blank if vague else findings.headline,
        lines=_lines(exercise, findings, level),
        next=NEXT.get(findings.status, "fix it and run again"),
        points=0 if vague else _points(exercise.points, findings.share),
        possible=exercise.points,
        feedback=level,
        attempt=attempt,
        cost_points=_points(exercise.cost_points, findings.cost_share or 0.0),
        cost_possible=exercise.cost_points,
        comparison=findings.comparison,
        example=findings.example if level >= Feedback.WHERE else None,
        printed=findings.printed,
        where=where,
        failed=findings.failed,
        ours=findings.ours,
        shows_forward=paper.shows_forward,
        shows_cost=paper.shows_cost,
    )


def _points(possible: int, share: float) -> float:
    """Whole points only: a part that is nearly right does not round up."""
    return float(int(possible * share + 1e-9))


def _lines(exercise: Exercise, findings: Findings, level: Feedback) -> tuple[str, ...]:
    said = [remark for remark in findings.remarks if remark.level <= level]
    wrong = _first_wrong(findings)
    question = exercise.asks.get(wrong) or exercise.asks.get(wrong.partition(".")[0]) if wrong else None
    if question is None or level < Feedback.KIND:
        return tuple(remark.text for remark in said)
    kept = [remark.text for remark in said if not remark.text.startswith("Ask: ")]
    return (*kept, f"Ask: {question}")


def _first_wrong(findings: Findings) -> str:
    arrays = findings.comparison.arrays if findings.comparison else ()
    return next((array.path for array in arrays if not array.right), "")
