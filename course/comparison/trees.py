"""Pytrees by the names of their paths: what the answer returned, laid beside what the primals are.

An answer's container need not be the primal's own: a tuple may stand for a NamedTuple and a dict for a dataclass, as
long as every array can be found by its name or its place. Where it can't, a `Mismatch` says what must hold, what came
and what to do.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

Key = str | int


class Mismatch(Exception):
    """The answer's tree can't be laid over the primal's. `kind` is structure, shape or dtype."""

    def __init__(self, kind: str, path: str, message: str):
        super().__init__(message)
        self.kind, self.path, self.message = kind, path, message


class Matched(NamedTuple):
    """One array of the primal with what the answer gave for it, as it came; None where it gave nothing."""

    path: str
    like: Any
    given: Any


def argument_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """The names of the first `count` positional arguments, as the reader wrote them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    starred = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "argument")
    return (*names, *(f"{starred}{i}" for i in range(len(names), count)))


def has_tangent(leaf: Any) -> bool:
    """Whether derivatives with respect to this leaf exist: it is floating."""
    return not is_key(leaf) and jnp.issubdtype(jnp.result_type(leaf), jnp.floating)


def is_key(leaf: Any) -> bool:
    """Whether the leaf is an array of random keys."""
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def without_float0(tree: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """The leaves of a tree of cotangents or tangents that are numbers, and a function that puts such a list back."""
    leaves, treedef = jax.tree.flatten(tree)
    moves = [leaf.dtype != jax.dtypes.float0 for leaf in leaves]

    def join(moving: Sequence[Any]) -> Any:
        rest = iter(moving)
        return jax.tree.unflatten(treedef, [next(rest) if m else leaf for m, leaf in zip(moves, leaves, strict=True)])

    return [leaf for m, leaf in zip(moves, leaves, strict=True) if m], join


def children(node: Any) -> list[tuple[Key, Any]] | None:
    """The parts of a pytree node with their names or places; None for a leaf."""
    parts = jax.tree_util.tree_flatten_with_path(node, is_leaf=lambda part: part is not node)[0]
    if len(parts) == 1 and not parts[0][0]:
        return None
    return [(_key(path[0]), part) for path, part in parts]


def _key(entry: Any) -> Key:
    for attribute in ("name", "key", "idx"):
        if hasattr(entry, attribute):
            return getattr(entry, attribute)
    return str(entry)


def _step(path: str, node: Any, key: Key) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}[{key!r}]" if isinstance(node, Mapping) else f"{path}.{key}"


@runtime_checkable
class Named(Protocol):
    """A tree that says itself what its leaves are called: one that stands for another."""

    def named_leaves(self, path: str) -> list[tuple[str, Any]]:
        """Every leaf with its path."""


def named_leaves(tree: Any, path: str) -> list[tuple[str, Any]]:
    """Every leaf of a tree with its path in the reader's words, such as `params_bar.layers[0].w`."""
    if isinstance(tree, Named):
        return tree.named_leaves(path)
    parts = children(tree)
    if parts is None:
        return [(path, tree)]
    return [leaf for key, part in parts for leaf in named_leaves(part, _step(path, tree, key))]


def leaves_of_all(names: Iterable[str], trees: Iterable[Any]) -> list[tuple[str, Any]]:
    """Every leaf of several trees, such as arguments, with its path; each tree is called by its name."""
    return [leaf for name, tree in zip(names, trees, strict=True) for leaf in named_leaves(tree, name)]


def is_setting(tree: Any) -> bool:
    """Whether it is a record of settings that holds no arrays: JAX takes it for a part of a tree's structure."""
    return dataclasses.is_dataclass(tree) and not isinstance(tree, type) and not jax.tree.leaves(tree)


def settings_of(names: Iterable[str], trees: Iterable[Any]) -> list[tuple[str, Any]]:
    """What the arguments that are settings hold, part by part: `window.stride`."""
    return [
        (f"{name}.{part.name}", getattr(tree, part.name))
        for name, tree in zip(names, trees, strict=True)
        if is_setting(tree)
        for part in dataclasses.fields(tree)
    ]


def match(like: Any, given: Any, path: str, of: str, notes: list[str], *, value: bool = False) -> list[Matched]:
    """Lays what the answer gave over a tree of primals.

    Args:
        like: A primal, or one output of it.
        given: What the answer returned for it.
        path: What the answer's tree is called, `params_bar`.
        of: What the primal is called, `params`.
        notes: Grows by a sentence for each unusual but accepted form.
        value: Whether values are laid over values, so that integers count too, and not cotangents over primals.

    Raises:
        Mismatch: An array is missing, or there is one too many, or one is not an array.
    """
    parts = children(like)
    if value:
        given = _as_laid_out(like, given)
    if parts is None:
        return [_match_leaf(like, given, path, of, value)]
    if given is None and not value:
        return _match_nothing(like, path, of)
    found = _parts_given(parts, like, given, path, of, notes)
    return [
        row
        for key, part in parts
        for row in match(part, found[key], _step(path, like, key), _step(of, like, key), notes, value=value)
    ]


def _as_laid_out(like: Any, given: Any) -> Any:
    """A value in the form of the right one: a list of numbers and an array of one axis say the same."""
    if isinstance(like, list | tuple) and not _is_namedtuple(like) and getattr(given, "shape", None):
        return list(given)
    if len(getattr(like, "shape", ())) == 1 and isinstance(given, list | tuple) and all(map(_is_number, given)):
        return np.asarray(given)
    return given


def _is_number(given: Any) -> bool:
    return isinstance(given, bool | int | float) or getattr(given, "shape", None) == ()


def _match_nothing(like: Any, path: str, of: str) -> list[Matched]:
    leaves = named_leaves(like, path)
    needed = [name for name, leaf in leaves if has_tangent(leaf)]
    if needed:
        raise Mismatch(
            "structure",
            path,
            f"{path} is None, but {of} holds floating-point numbers: return a cotangent for {needed[0]}.",
        )
    return [Matched(name, leaf, None) for name, leaf in leaves]


def _parts_given(
    parts: list[tuple[Key, Any]], like: Any, given: Any, path: str, of: str, notes: list[str]
) -> Mapping[Key, Any]:
    keys = [key for key, _ in parts]
    came = _named_parts(given)
    if came is not None and set(came) == set(keys):
        if type(given) is not type(like):
            notes.append(f"{path} is {_a(type(given))}; {of} is {_a(type(like))}. Accepted by its names.")
        return came
    if isinstance(given, tuple | list) and len(given) == len(keys) and not _is_namedtuple(given):
        if not isinstance(like, tuple | list) or type(given) is not type(like):
            notes.append(f"{path} is {_a(type(given))}; {of} is {_a(type(like))}. Accepted by its order.")
        return dict(zip(keys, given, strict=True))
    raise Mismatch(
        "structure", path, f"{path} must have the parts of {of}, {_listed(keys)}; {_what_came(given, came)}."
    )


def _named_parts(given: Any) -> dict[Key, Any] | None:
    if isinstance(given, Mapping):
        return dict(given)
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        registered = children(given)
        return None if registered is None else dict(registered)
    parts = children(given)
    return None if parts is None else dict(parts)


def _is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _listed(keys: Sequence[Key]) -> str:
    return (
        ", ".join(str(key) for key in keys) if not all(isinstance(k, int) for k in keys) else f"{len(keys)} in number"
    )


def _what_came(given: Any, came: Mapping[Key, Any] | None) -> str:
    if came is None:
        return f"yours is {describe(given)}"
    return f"yours has {_listed(list(came)) or 'none'}"


def describe(value: Any) -> str:
    """A short phrase for a value of any kind: 'an array of shape (3, 4)', 'a function', 'None'."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the type {value.__name__}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return array_of(tuple(value.shape))
    if isinstance(value, tuple | list):
        return f"{_a(type(value))} of {len(value)}"
    if isinstance(value, bool | int | float | complex):
        return f"the number {value!r}"
    if callable(value):
        return "a function"
    return _a(type(value))


def array_of(shape: tuple[int, ...]) -> str:
    """What an array of a shape is called: 'an array of shape (3, 4)', 'a number'."""
    return f"an array of shape {shape}" if shape else "a number"


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOUaeiou' else 'a'} {kind.__name__}"


def _match_leaf(like: Any, given: Any, path: str, of: str, value: bool) -> Matched:
    if has_tangent(like) or (value and not is_key(like)):
        wanted = array_of(np.shape(like))
        if given is None:
            raise Mismatch("structure", path, f"{path} is None, but {of} is {wanted}: return one.")
        if isinstance(given, list | tuple):
            raise Mismatch(
                "structure",
                path,
                f"{path} must be {wanted}; yours is {describe(given)}: use jnp.array.",
            )
    return Matched(path, like, given)


def refuse_cotangent(row: Matched) -> None:
    """Refuses numbers given for a leaf that has no tangent; None, float0 and zeros pass.

    Raises:
        Mismatch: Something else came.
    """
    if row.given is None or getattr(row.given, "dtype", None) == jax.dtypes.float0:
        return
    try:
        silent = not np.any(np.asarray(row.given))
    except (TypeError, ValueError):
        silent = False
    if not silent:
        raise Mismatch(
            "structure",
            row.path,
            f"{row.path} must be None, since integers, booleans and keys have no tangent; yours is "
            f"{describe(row.given)}.",
        )


def as_numbers(row: Matched, notes: list[str]) -> np.ndarray:
    """The numbers that came for one array, as NumPy.

    Raises:
        Mismatch: It is not an array of real numbers.
    """
    given, path = row.given, row.path
    try:
        numbers = np.asarray(given)
    except Exception:
        numbers = np.asarray(None)
    if numbers.dtype.kind in "OSUMm" or (numbers.dtype.kind == "V" and not has_tangent(numbers)):
        raise Mismatch("structure", path, f"{path} must be {array_of(np.shape(row.like))}; yours is {describe(given)}.")
    if np.iscomplexobj(numbers):
        if np.any(numbers.imag):
            raise Mismatch(
                "dtype", path, f"{path} must be real; yours is complex. Return its real part if that is meant."
            )
        notes.append(f"{path} is complex with no imaginary part. Accepted.")
        numbers = numbers.real
    if numbers.dtype.kind in "biu" and has_tangent(row.like):
        notes.append(f"{path} came as {numbers.dtype}. Accepted as numbers.")
    return numbers
