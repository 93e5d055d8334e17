"""Calls an answer's functions the way a judge must: on copies, watched, and with every failure turned into a fault."""

from __future__ import annotations

import contextlib
import inspect
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison.by_hand.machinery import Guard
from course.comparison.by_hand.marks import find_mark
from course.comparison.by_hand.routes import refusal_fault
from course.comparison.faults import fault_of, one_sentence
from course.comparison.state import Snapshot, changed, packages_of
from course.comparison.trees import Mismatch, describe, is_key
from course.records import Fault, Line


class AnswerFault(Exception):
    """The answer can't be judged further. Carries the fault to be recorded."""

    def __init__(self, fault: Fault):
        super().__init__(fault.message)
        self.fault = fault


@dataclass
class Watch:
    """What was noticed while the answer ran: `notes` for the reader, and what its first calls printed.

    With `aloud`, prints and breakpoints go to the terminal instead. With a `guard`, it must be written by hand.
    """

    aloud: bool = False
    guard: Guard | None = None
    notes: list[str] = field(default_factory=list)
    printed: str = ""

    @contextlib.contextmanager
    def listening(self, keep: bool) -> Iterator[None]:
        """Keeps what is printed, and what is warned of, out of the way; `keep` says whether to show it later."""
        if self.aloud:
            yield
            return
        heard = io.StringIO()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
                    yield
            finally:
                if keep:
                    self.printed += heard.getvalue()
                    self.notes += _warnings_said([entry.message for entry in warned])

    def call(self, function: Callable[..., Any], name: str, *arguments: Any, keep: bool = False) -> Any:
        """Calls a function of the answer.

        Raises:
            AnswerFault: It raised, differentiated where it must not, or wrote into its arguments.
        """
        _refuse_signature(function, name, len(arguments))
        handed = _copies(arguments, name)
        with self.listening(keep):
            try:
                with self.by_hand():
                    returned = _settled(_finite(function(*handed), name))
            except (KeyboardInterrupt, AnswerFault):
                raise
            except BaseException as error:
                self.refuse_routes(name)
                raise AnswerFault(fault_of(error, name)) from error
        self.refuse_routes(name)
        _refuse_writing(handed, arguments, name)
        return returned

    def by_hand(self) -> contextlib.AbstractContextManager[None]:
        """Within it, JAX refuses to differentiate, if the answer must be written by hand."""
        return self.guard.on() if self.guard else contextlib.nullcontext()

    def refuse_routes(self, name: str, program: ClosedJaxpr | None = None) -> None:
        """Refuses an answer that has had JAX differentiate, even where it caught the refusal.

        Args:
            name: The function that ran.
            program: What it was traced to, which is looked through for marks.

        Raises:
            AnswerFault: It has.
        """
        if self.guard is None:
            return
        mark = find_mark(program) if program is not None and not self.guard.allows else None
        fault = self.guard.fault(name) or (refusal_fault(mark, name) if mark else None)
        if fault is not None:
            raise AnswerFault(fault)


def _finite(returned: Any, name: str) -> Any:
    """What was returned, unless it never ends.

    Raises:
        AnswerFault: A list or dict in it holds itself; JAX, asked to walk it, would use up the interpreter's stack.
    """
    if _holds_itself(returned):
        raise AnswerFault(
            Fault("structure", name, f"{name} must return a pytree of arrays; yours has a list or dict within itself.")
        )
    return returned


def _holds_itself(tree: Any) -> bool:
    around: set[int] = set()
    done: set[int] = set()

    def walk(node: Any) -> bool:
        if not isinstance(node, list | tuple | dict) or id(node) in done:
            return False
        if id(node) in around:
            return True
        around.add(id(node))
        if any(map(walk, node.values() if isinstance(node, dict) else node)):
            return True
        around.remove(id(node))
        done.add(id(node))
        return False

    return walk(tree)


def _settled(returned: Any) -> Any:
    """Waits for what was returned: JAX computes ahead, and what fails late must fail here."""
    try:
        leaves = jax.tree.leaves(returned)
    except (MemoryError, RecursionError, TypeError, ValueError):  # no pytree: that is another question
        return returned
    jax.block_until_ready(leaves)
    return returned


def _warnings_said(came: Sequence[Warning | str]) -> list[str]:
    """A note for the first warning that concerns the numbers."""
    telling = [warning for warning in came if isinstance(warning, RuntimeWarning | UserWarning)]
    return [f"It warns: {one_sentence(warning)}" for warning in telling[:1]]


def _copies(arguments: Any, name: str) -> Any:
    """The arguments in containers of their own; JAX's arrays can't change, NumPy's are copied.

    Raises:
        AnswerFault: One of them is no pytree, which only residuals can be.
    """
    try:
        return jax.tree.map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, arguments)
    except (TypeError, ValueError) as error:
        raise AnswerFault(
            Fault("structure", name, f"The residuals must be a pytree of arrays and numbers: {one_sentence(error)}")
        ) from error


def _refuse_signature(function: Callable[..., Any], name: str, count: int) -> None:
    """Refuses a function that can't take this many arguments.

    Raises:
        AnswerFault: It can't.
    """
    if not callable(function):
        raise AnswerFault(Fault("signature", name, f"{name} must be a function; yours is {describe(function)}."))
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*range(count))
    except TypeError:
        takes = f"({', '.join(signature.parameters)})"
        noun = "argument" if count == 1 else "arguments"
        raise AnswerFault(
            Fault("signature", name, f"{name} must take {count} {noun}, by position; yours takes {takes}.")
        ) from None


def _refuse_writing(handed: Any, arguments: Any, name: str) -> None:
    """Refuses a function that changed what it was given.

    Raises:
        AnswerFault: A container, or the numbers of an array, are others than before.
    """
    if _holds_itself(handed) or not _as_before(arguments, handed):
        raise AnswerFault(
            Fault(
                "mutation",
                name,
                f"{name} must leave its arguments as they are, but it changes a list, dict or array that it was given: "
                "build a new one and return that.",
            )
        )


def _as_before(arguments: Any, handed: Any) -> bool:
    before: Any = jax.tree.structure(arguments)
    same = before == jax.tree.structure(handed)
    return same and all(map(_untouched, jax.tree.leaves(arguments), jax.tree.leaves(handed)))


def _untouched(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        return isinstance(after, np.ndarray) and _same(before, after)
    return before is after and not (isinstance(after, jax.Array) and after.is_deleted())  # a donated one is


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
    """Splits what a function returned in two: a tuple or a list, as `custom_vjp` and `custom_jvp` take both.

    Raises:
        AnswerFault: It isn't two.
    """
    if isinstance(returned, tuple | list) and len(returned) == 2:
        first, second = returned
        return first, second
    raise AnswerFault(
        Fault("structure", name, f"{name} must return the pair {parts}; yours returns {describe(returned)}.")
    )


def refuse_change(first: Any, second: Any, name: str) -> None:
    """Refuses an answer whose second call on the same arguments gives other bits.

    Raises:
        AnswerFault: The two results differ.
    """
    ones, others = jax.tree.leaves(first), jax.tree.leaves(second)
    if len(ones) == len(others) and all(map(_same, ones, others)):
        return
    raise AnswerFault(
        Fault(
            "state",
            name,
            f"{name} must give the same numbers for the same arguments, but a second call gave others: take random "
            "keys as arguments, and keep nothing between calls.",
        )
    )


def _same(left: Any, right: Any) -> bool:
    if left is right:
        return True
    if is_key(left) and is_key(right):
        left, right = jax.random.key_data(left), jax.random.key_data(right)
    try:
        return np.asarray(left).tobytes() == np.asarray(right).tobytes()
    except (TypeError, ValueError):
        return bool(left == right)


def refuse_state(before: Snapshot, after: Snapshot, name: str) -> None:
    """Refuses an answer that keeps something between calls.

    Raises:
        AnswerFault: A value outside its arguments changed while it ran.
    """
    names = changed(before, after)
    if names:
        raise AnswerFault(
            Fault(
                "state",
                name,
                f"{name} must depend on its arguments alone, but it changes `{names[0]}`, which lives outside it: "
                "return it, or hand it over in the residuals.",
            )
        )


def refuse_packages(packages: frozenset[str], *functions: Callable[..., Any]) -> None:
    """Refuses functions that use what they are asked to be.

    Args:
        packages: Where it lies ready.
        functions: Those of an answer; what they import when they run is not seen.

    Raises:
        AnswerFault: They do.
    """
    for name, module in packages_of(*functions).items():
        if lies_in(module, packages):
            raise AnswerFault(ready_made_fault(name, functions[-1].__name__))


def lies_in(module: str, packages: frozenset[str]) -> bool:
    """Whether a module, or what is named after one, is of some packages."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def ready_made_fault(name: str, where: str, line: Line | None = None) -> Fault:
    """The fault of using what is asked for."""
    return Fault("refused", where, f"`{name}` has ready what this exercise asks you to write: do without it.", line)
