"""What of a comparison may be handed out at a feedback level, so that no surface tells more than its sentences do."""

from __future__ import annotations

import dataclasses

from course.records import Agreement, Cause, Comparison, Feedback


def at_level(found: Comparison, level: Feedback) -> Comparison | None:
    """The part of a comparison that may be known; None where only pass or fail may be."""
    if found.agrees or level is Feedback.NAME:
        return found
    if level is Feedback.PASS:
        return None
    tells_kind = level >= Feedback.KIND
    return dataclasses.replace(
        found,
        remarks=tuple(remark for remark in found.remarks if remark.level <= level),
        arrays=tuple(_array(array, tells_kind) for array in found.arrays),
        causes=tuple(_cause(cause) for cause in found.causes if tells_kind),
    )


def _array(array: Agreement, tells_kind: bool) -> Agreement:
    if not tells_kind:
        return dataclasses.replace(array, slip=None, worst=None)
    return dataclasses.replace(array, slip=array.slip and dataclasses.replace(array.slip, ask=""))


def _cause(cause: Cause) -> Cause:
    return dataclasses.replace(cause, name="", says="", ask="")
