"""The sentences of a comparison: one headline, and remarks from the most general to the most telling."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate

from course.records import Agreement, Cause, Check, Fault, Feedback, Remark

LONGEST_LIST = 30
"""Characters of names that a headline lists; the others it counts."""

HEADLINES = {
    "missing": "not found",
    "not_started": "not started",
    "waiting": "waiting for an earlier answer",
    "exception": "stops with an error",
    "signature": "takes the wrong arguments",
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
    "refused": "is not by hand",
    "stopped": "was stopped",
    "unneeded": "uses what a graded answer may not",
}
"""What is said of a function, by the kind of its fault."""

_OF_AN_ARRAY = {
    "structure": "has the wrong structure",
    "shape": "has the wrong shape",
    "dtype": "has the wrong type",
}
"""What is said where the fault is an array's."""

_COUNTED = ("no", "one", "two", "three")

_INDEPENDENT = ("reverse", "forward", "differences")
"""Checks by oracles that know nothing of each other. In a pair's judging `jax.vjp` is the arrays' own."""


def headline_of(
    arrays: Sequence[Agreement], checks: Sequence[Check], faults: Sequence[Fault], functions: Collection[str]
) -> str:
    """One line: what is wrong and what is right, by name.

    Args:
        arrays: What is known of each array.
        checks: What was asked of the whole.
        faults: What ended the judging.
        functions: The names of the answer's functions; a fault elsewhere is one of an array.
    """
    if faults:
        fault = faults[0]
        kinds = HEADLINES if fault.where in functions else {**HEADLINES, **_OF_AN_ARRAY}
        said = kinds.get(fault.kind, "is at fault")
        return said if fault.kind == "value" else f"{fault.where} {said}".strip()
    wrong = [array.path for array in arrays if not array.right]
    if wrong:
        right = [array.path for array in arrays if array.right]
        return " · ".join([_are(wrong, "wrong"), *([_are(right, "right")] if right else [])])
    failed = [check for check in checks if not check.passed]
    return failed[0].text if failed else _agrees(checks)


def _agrees(checks: Sequence[Check]) -> str:
    independent = 1 + sum(check.name in _INDEPENDENT for check in checks)
    return f"right · {_COUNTED[independent]} independent checks agree" if independent > 1 else "right"


def _are(names: Sequence[str], what: str) -> str:
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} {what}"


def listed(names: Sequence[str]) -> str:
    """These names while they are few and short, else the first ones and how many more."""
    if len(names) == 1:
        return names[0]
    shown = [name for name, length in zip(names, accumulate(map(len, names)), strict=True) if length <= LONGEST_LIST]
    if len(shown) < len(names):
        shown = shown[: len(names) - 2] or [names[0]]
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def remarks_of(
    arrays: Sequence[Agreement], faults: Sequence[Fault], causes: Sequence[Cause] = ()
) -> tuple[Remark, ...]:
    """What may be said beyond the headline, most telling first, each sentence at its feedback level."""
    remarks = [_fault_remark(fault) for fault in faults]
    remarks += [remark for cause in causes for remark in _cause_remarks(cause)]
    explained = {path for cause in causes if cause.tier != "proportion" for path in cause.arrays}
    wrong = [array for array in arrays if not array.right]
    remarks += _array_remarks(wrong, silent=not explained)
    return tuple(remarks)


def _fault_remark(fault: Fault) -> Remark:
    text = fault.message if fault.line is None else f"{fault.message}\n{fault.line}"
    return Remark(Feedback.PASS, text)


def _cause_remarks(cause: Cause) -> list[Remark]:
    remarks = [Remark(Feedback.KIND, cause.kind), Remark(Feedback.NAME, cause.says)]
    remarks += [Remark(Feedback.NAME, f"Ask: {cause.ask}")] if cause.ask else []
    return [remark for remark in remarks if remark.text]


def _array_remarks(wrong: Sequence[Agreement], silent: bool) -> list[Remark]:
    """What is known of each array alone; with `silent`, nothing else explains them, and that is said."""
    slips = [array.slip for array in wrong]
    if wrong and slips[0] and all(slip and slip.text == slips[0].text for slip in slips):
        slip = slips[0]
        text = slip.text if len(wrong) == 1 else f"All of them alike: {slip.text[0].lower()}{slip.text[1:]}"
        return [Remark(Feedback.KIND, text), *([Remark(Feedback.NAME, f"Ask: {slip.ask}")] if slip.ask else [])]
    remarks = [Remark(Feedback.KIND, f"{array.path}: {array.slip.text}") for array in wrong if array.slip]
    return remarks or [_worst_remark(array) for array in wrong[:1] if silent]


def _worst_remark(array: Agreement) -> Remark:
    text = "The numbers match no simple slip." if array.shape else "It matches no simple slip."
    if array.worst is not None:
        place = "".join(f"[{i}]" for i in array.worst.index)
        where = f"Worst at {array.path}{place}: yours" if place else "Yours is"
        text += f" {where} {array.worst.yours:.6g}, right {array.worst.right:.6g}."
    return Remark(Feedback.KIND, text)
