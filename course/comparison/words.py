"""The sentences of a comparison: one headline, and remarks from the most general to the most telling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from course.records import Agreement, Check, Fault, Feedback, Remark

AGREES = "right · three independent checks agree"

LONGEST_LIST = 30
"""Characters of names that a headline lists; the others it counts."""

HEADLINES = {
    "missing": "not found",
    "not_started": "not started",
    "waiting": "waiting for an earlier answer",
    "exception": "stops with an error",
    "structure": "returns the wrong structure",
    "shape": "returns the wrong shape",
    "dtype": "returns the wrong type",
    "value": "the forward value is wrong",
    "mutation": "changes its arguments",
    "state": "keeps state between calls",
    "tracing": "can't be traced by jit",
    "not_finite": "is not finite",
    "syntax": "can't be read",
    "duplicate": "is defined twice",
    "skipped": "needs a statement that isn't run",
}


def headline_of(arrays: Sequence[Agreement], checks: Sequence[Check], faults: Sequence[Fault]) -> str:
    """One line: what is wrong and what is right, by name."""
    if faults:
        fault = faults[0]
        said = HEADLINES.get(fault.kind, "is at fault")
        return said if fault.kind == "value" else f"{fault.where} {said}".strip()
    wrong = [array.path for array in arrays if not array.right]
    if wrong:
        right = [array.path for array in arrays if array.right]
        return " · ".join([_are(wrong, "wrong"), *([_are(right, "right")] if right else [])])
    failed = [check for check in checks if not check.passed]
    return failed[0].text if failed else AGREES


def _are(names: Sequence[str], what: str) -> str:
    """What these arrays are: by name while the names are few and short, else the first ones and how many more."""
    if len(names) == 1:
        return f"{names[0]} is {what}"
    shown = [name for name, length in zip(names, accumulate(map(len, names)), strict=True) if length <= LONGEST_LIST]
    if len(shown) < len(names):
        shown = shown[: len(names) - 2] or [names[0]]
        return f"{', '.join(shown)} and {len(names) - len(shown)} more are {what}"
    return f"{', '.join(names[:-1])} and {names[-1]} are {what}"


def remarks_of(arrays: Sequence[Agreement], checks: Sequence[Check], faults: Sequence[Fault]) -> tuple[Remark, ...]:
    """What may be said beyond the headline, each sentence at its feedback level."""
    remarks = [_fault_remark(fault) for fault in faults]
    remarks += _array_remarks([array for array in arrays if not array.right])
    remarks += [Remark(Feedback.WHERE, check.text) for check in checks if not check.passed and faults]
    return tuple(remarks)


def _fault_remark(fault: Fault) -> Remark:
    text = fault.message if fault.line is None else f"{fault.message}\n{fault.line}"
    return Remark(Feedback.PASS, text)


def _array_remarks(wrong: Sequence[Agreement]) -> list[Remark]:
    slips = [array.slip for array in wrong]
    if wrong and slips[0] and all(slip and slip.text == slips[0].text for slip in slips):
        slip = slips[0]
        text = slip.text if len(wrong) == 1 else f"All of them alike: {slip.text[0].lower()}{slip.text[1:]}"
        return [Remark(Feedback.KIND, text), Remark(Feedback.NAME, f"Ask: {slip.ask}")]
    remarks = []
    for array in wrong:
        if array.slip:
            remarks.append(Remark(Feedback.KIND, f"{array.path}: {array.slip.text}"))
    if not remarks and wrong:
        return [_worst_remark(wrong[0])]
    return remarks


def _worst_remark(array: Agreement) -> Remark:
    text = "The numbers match no simple slip."
    if array.worst is not None:
        place = "".join(f"[{i}]" for i in array.worst.index)
        text += f" Worst at {array.path}{place}: yours {array.worst.yours:.6g}, right {array.worst.right:.6g}."
    return Remark(Feedback.KIND, text)
