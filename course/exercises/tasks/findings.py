"""From the facts of a comparison to findings: a status, the share of the points, and sentences by feedback level."""

from __future__ import annotations

import dataclasses

from course.records import Comparison, Example, Feedback, Findings, Remark, Status

FAULT_STATUS = {
    "waiting": Status.WAITING,
    "not_started": Status.NOT_STARTED,
    "missing": Status.NOT_STARTED,
    "exception": Status.BROKEN,
    "syntax": Status.BROKEN,
    "duplicate": Status.BROKEN,
    "skipped": Status.BROKEN,
    "refused": Status.REFUSED,
    "stopped": Status.STOPPED,
    "unneeded": Status.REFUSED,
}
"""What each kind of fault makes of an answer; every other kind makes it wrong."""

AS_ASKED, VALUE, REVERSE, FORWARD = "as_asked", "forward_value", "reverse_mode", "forward_mode"
DIFFERENCES, FLOAT32, AWKWARD, COST = "central_differences", "float32", "awkward_cases", "cost"

QUESTION_OF_CHECK = {"reverse": REVERSE, "forward": FORWARD, "differences": DIFFERENCES, "float32": FLOAT32}
"""Which question each check of a comparison answers; every other check is of the value."""

ALL_BUT_ROBUST = 0.5
"""The share of the points for an answer that is right at ordinary inputs and wrong at awkward ones."""


def find_out(
    found: Comparison, *, case: str = "", example: Example | None = None, excess: str | None = None
) -> Findings:
    """Puts a comparison as findings.

    Args:
        found: The comparison that decided.
        case: The awkward case at which it was made, if it was one.
        example: The smallest counterexample, if one was looked for and found.
        excess: What is exceeded; empty when the limits are kept, None when there are none.
    """
    status = _status(found, excess)
    headline, remarks = found.headline, found.remarks
    if case:
        headline = f"right at ordinary inputs, wrong for {case}"
        remarks = (Remark(Feedback.WHERE, f"There, {found.headline}."), *remarks)
    if status is Status.COSTLY:
        headline = "right, but costly"
        remarks = (Remark(Feedback.PASS, excess or ""),)
    return Findings(
        status=status,
        headline=headline,
        remarks=remarks,
        share=_share(found, bool(case)),
        cost_share=None if excess is None else float(not excess),
        comparison=found,
        example=example,
        printed=found.printed,
        failed=COST if status is Status.COSTLY else AWKWARD if case else _failed(found),
    )


def _failed(found: Comparison) -> str:
    """The question at which a comparison ended."""
    if found.agrees:
        return ""
    if found.faults:
        return VALUE if found.faults[0].kind == "value" else AS_ASKED
    failed = [check.name for check in found.checks if not check.passed]
    if failed:
        return QUESTION_OF_CHECK.get(failed[0], VALUE)
    if any(array.value is not None for array in found.arrays):
        return VALUE
    return FORWARD if any(array.reverse is None for array in found.arrays) else REVERSE


def _status(found: Comparison, excess: str | None) -> Status:
    if found.agrees:
        return Status.COSTLY if excess else Status.RIGHT
    return FAULT_STATUS.get(found.faults[0].kind, Status.WRONG) if found.faults else Status.WRONG


def _share(found: Comparison, awkward: bool) -> float:
    if found.agrees:
        return 1.0
    least = ALL_BUT_ROBUST if awkward else 0.0
    if found.faults or not found.arrays:
        return least
    right = sum(array.right for array in found.arrays) / len(found.arrays)
    return ALL_BUT_ROBUST if right == 1.0 else max(least, right)


def with_note(findings: Findings, text: str) -> Findings:
    """The same findings with one more sentence, said at every level."""
    return dataclasses.replace(findings, remarks=(*findings.remarks, Remark(Feedback.PASS, text)))
