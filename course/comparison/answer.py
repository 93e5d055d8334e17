"""Calls an answer's functions the way a judge must: on copies, watched, and with every failure turned into a fault."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from course.comparison.faults import fault_of
from course.comparison.trees import Mismatch, named_leaves
from course.records import Fault


class AnswerFault(Exception):
    """The answer can't be judged further. Carries the fault to be recorded."""

    def __init__(self, fault: Fault):
        super().__init__(fault.message)
        self.fault = fault


@dataclass
class Watch:
    """What was noticed while the answer ran: `notes` for the reader, and what its first calls printed.

    With `aloud`, prints and breakpoints go to the terminal instead.
    """

    aloud: bool = False
    notes: list[str] = field(default_factory=list)
    printed: str = ""

    @contextlib.contextmanager
    def listening(self, keep: bool) -> Iterator[None]:
        """Keeps what is printed out of the way; `keep` says whether to show it later."""
        if self.aloud:
            yield
            return
        heard = io.StringIO()
        try:
            with contextlib.redirect_stdout(heard):
                yield
        finally:
            if keep:
                self.printed += heard.getvalue()

    def call(self, function: Callable[..., Any], name: str, *arguments: Any, keep: bool = False) -> Any:
        """Calls a function of the answer.

        Raises:
            AnswerFault: It raised, or wrote into its arguments.
        """
        handed = jax.tree.map(lambda leaf: leaf, arguments)
        with self.listening(keep):
            try:
                returned = function(*handed)
            except (Exception, SystemExit) as error:
                raise AnswerFault(fault_of(error, name)) from error
        self._refuse_writing(handed, arguments, name)
        return returned

    def _refuse_writing(self, handed: Any, arguments: Any, name: str) -> None:
        before, after = named_leaves(arguments, "arguments"), named_leaves(handed, "arguments")
        if [path for path, _ in before] == [path for path, _ in after] and all(
            one is other for (_, one), (_, other) in zip(before, after, strict=True)
        ):
            return
        raise AnswerFault(
            Fault(
                "mutation",
                name,
                f"{name} must leave its arguments as they are, but it changes a list or dict that it was given: "
                "build a new one and return that.",
            )
        )


@contextlib.contextmanager
def mismatch_is_fault() -> Iterator[None]:
    """Turns a tree that doesn't fit into a fault of the answer.

    Raises:
        AnswerFault: It didn't fit.
    """
    try:
        yield
    except Mismatch as mismatch:
        raise AnswerFault(Fault(mismatch.kind, mismatch.path, mismatch.message)) from None


def two_parts(returned: Any, name: str, parts: str) -> tuple[Any, Any]:
    """Splits what a function returned in two.

    Raises:
        AnswerFault: It isn't a tuple of two.
    """
    if isinstance(returned, tuple) and len(returned) == 2:
        return returned
    came = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else f"a {type(returned).__name__}"
    raise AnswerFault(Fault("structure", name, f"{name} must return the pair {parts}; it returns {came}."))


def refuse_change(first: Any, second: Any, name: str) -> None:
    """Refuses an answer whose second call on the same arguments gives other bits.

    Raises:
        AnswerFault: The two results differ.
    """
    ones, others = jax.tree.leaves(first), jax.tree.leaves(second)
    if len(ones) == len(others) and all(_same(a, b) for a, b in zip(ones, others, strict=True)):
        return
    raise AnswerFault(
        Fault(
            "state",
            name,
            f"{name} must give the same numbers for the same arguments, but a second call gave others: take random keys as "
            "arguments, and keep nothing between calls.",
        )
    )


def _same(left: Any, right: Any) -> bool:
    if left is right or jax.dtypes.issubdtype(getattr(left, "dtype", None), jax.dtypes.prng_key):
        return True
    try:
        return np.asarray(left).tobytes() == np.asarray(right).tobytes()
    except (TypeError, ValueError):
        return bool(left == right)


_MUTABLE = (list, dict, set, bytearray, np.ndarray)
_PLAIN = (int, float, str, bool, type(None))


def globals_of(*functions: Callable[..., Any]) -> dict[str, str]:
    """A snapshot of the module-level lists, dicts, arrays and numbers that functions use, to compare afterwards."""
    seen: dict[str, str] = {}
    for function in functions:
        code, space = getattr(function, "__code__", None), getattr(function, "__globals__", {})
        for name in getattr(code, "co_names", ()):
            value = space.get(name)
            if name in space and isinstance(value, _MUTABLE + _PLAIN):
                seen[name] = repr(value)
    return seen


def refuse_state(before: dict[str, str], after: dict[str, str], name: str) -> None:
    """Refuses an answer that keeps something between calls.

    Raises:
        AnswerFault: A module-level value changed while the answer ran.
    """
    changed = [key for key in after if before.get(key, after[key]) != after[key]]
    if changed:
        raise AnswerFault(
            Fault(
                "state",
                name,
                f"{name} must depend on its arguments alone, but it changes `{changed[0]}`, which lives outside it: "
                "hand it over in the residuals.",
            )
        )
