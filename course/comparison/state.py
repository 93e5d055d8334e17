"""What functions keep outside their arguments: a snapshot of it, to be compared with a later one.

Looked at are the names that a function uses from its module, its closure and its defaults, and those of the functions
of the same author that it calls. Numbers, lists, dicts, arrays and the attributes of the author's own objects are seen
by value, everything else by identity.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from course.comparison.faults import is_theirs

Snapshot = Mapping[str, Hashable]

_DEEPEST = 4
"""Containers within containers, and wrappers around functions, that are looked into."""

_MOST = 256
"""Entries of one container that are looked at, and functions that are followed."""

_BYTES = 1 << 16
"""Bytes of an array beyond which a sample stands for the whole: data sets are large, and rarely written to."""


class _Same:
    """Equal to itself alone; holds its object, so that no other one can take its place in memory."""

    __slots__ = ("held",)

    def __init__(self, held: Any):
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)


def outside_of(*functions: Callable[..., Any]) -> Snapshot:
    """A snapshot of what the functions use from outside their arguments, by name."""
    owners = ((function, getattr(function, "__self__", function)) for function in functions)
    found = {_name(function): _seen(owner, _DEEPEST) for function, owner in owners if _is_their_object(owner)}
    return {**found, **{name: _seen(value, _DEEPEST) for name, value in _reached(functions)}}


def packages_of(*functions: Callable[..., Any]) -> Mapping[str, str]:
    """The names that the functions use from outside, each with the module that its value is, or comes from."""
    return {
        name: value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", None))
        for name, value in _reached(functions)
    }


def _reached(functions: Iterable[Callable[..., Any]]) -> Iterator[tuple[str, Any]]:
    """The names that the functions use from outside, and those that functions of the same author use there."""
    waiting: list[Any] = [_plain(function) for function in functions]
    met: set[FunctionType] = set()
    while waiting and len(met) < _MOST:
        function = waiting.pop()
        if function in met or not isinstance(function, FunctionType):
            continue
        met.add(function)
        for name, value in _used(function):
            yield name, value
            inner = _plain(value)
            if isinstance(inner, FunctionType) and is_theirs(inner.__code__.co_filename):
                waiting.append(inner)


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The names whose value is another one; those that came or went count too."""
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


def _plain(function: Any) -> Any:
    """The Python function under a method, a partial, a callable object, or a wrapper such as `jax.jit`'s."""
    for _ in range(_DEEPEST):
        if isinstance(function, FunctionType | type):
            break
        for name in ("__wrapped__", "__func__", "func"):
            if callable(getattr(function, name, None)):
                function = getattr(function, name)
                break
        else:
            function = getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is wanted
    return function if isinstance(function, FunctionType) else None


def _used(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The names that a function uses from outside, with their values."""
    code, space = function.__code__, function.__globals__
    names = tuple(dict.fromkeys(_names(code)))
    used = [(name, space[name]) for name in names if name in space]
    yield from used
    yield from _submodules(used, names)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    defaults = function.__defaults__ or ()
    parameters = code.co_varnames[: code.co_argcount]
    yield from zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


def _submodules(used: Iterable[tuple[str, Any]], names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The modules that code reaches from others by attributes, such as `jax.nn.initializers`, by their whole names."""
    waiting, met = [(name, value) for name, value in used if isinstance(value, ModuleType)], set[str]()
    while waiting:
        whole, module = waiting.pop()
        space = vars(module)
        inner = [(f"{whole}.{name}", space[name]) for name in names if name in space]
        new = [(name, value) for name, value in inner if isinstance(value, ModuleType) and value.__name__ not in met]
        met.update(value.__name__ for _, value in new)
        waiting += new
        yield from new


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _seen(value: Any, depth: int) -> Hashable:
    """What a snapshot holds of one value."""
    if type(value) in (int, float, complex, bool, str, bytes):
        return type(value), repr(value)
    if isinstance(value, np.ndarray):
        return _array_seen(value)
    if depth and type(value) in (list, tuple, set, dict, bytearray):
        entries = value.items() if isinstance(value, dict) else value
        return type(value), len(value), tuple(_seen(entry, depth - 1) for entry in islice(entries, _MOST))
    if depth and _is_their_object(value):
        kept = {name: item for name, item in vars(value).items() if not name.startswith("__")}
        return _Same(value), _seen(kept, depth - 1)
    return _Same(value)


def _array_seen(array: np.ndarray) -> Hashable:
    if array.dtype.hasobject:
        return _Same(array)
    sample = array.reshape(-1)[:: max(1, array.nbytes // _BYTES)]
    return _Same(array), array.shape, hashlib.blake2b(sample.tobytes(), digest_size=16).digest()


def _is_their_object(value: Any) -> bool:
    """Whether a value keeps attributes and is the author's own: a function or class of theirs, or an object of one."""
    if isinstance(value, FunctionType):
        return is_theirs(value.__code__.co_filename)
    home = value.__module__ if isinstance(value, type) else type(value).__module__
    if home.partition(".")[0] in sys.stdlib_module_names | {"builtins"}:
        return False
    theirs = is_theirs(getattr(sys.modules.get(home), "__file__", None) or "<stdin>")
    return theirs and isinstance(getattr(value, "__dict__", None), Mapping)
