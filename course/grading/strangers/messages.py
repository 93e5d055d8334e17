"""What crosses between the grader and a submission's process: JSON and bytes, both of limited size.

Trees of arrays are described in JSON; the arrays follow as raw bytes. Nothing is pickled, nothing that comes from the
other side is imported or called, but for the containers of `course.lessons`, which are known by name.
"""

from __future__ import annotations

import collections
import dataclasses
import importlib
import inspect
import json
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.trees import is_setting

MOST_JSON = 4 << 20
"""Bytes of one message's JSON."""
MOST_BYTES = 64 << 20
"""Bytes of one message's arrays or programs."""
MOST_NODES = 20_000
"""Containers and arrays of one tree."""
DEEPEST = 40
"""Containers within containers."""

LESSONS = "course.lessons."


class Malformed(Exception):
    """A message is not of the form agreed on, or too large: one clause."""


def send(connection: socket.socket, message: dict[str, Any], payload: bytes = b"") -> None:
    """Sends one message."""
    text = json.dumps(message).encode()
    if len(text) > MOST_JSON or len(payload) > MOST_BYTES:
        raise Malformed("it returns too much")
    connection.sendall(struct.pack("<II", len(text), len(payload)) + text + payload)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Waits for one message.

    Raises:
        EOFError: The other side is gone.
        Malformed: It is too large, or no message.
        TimeoutError: It does not come in time.
    """
    sizes = struct.unpack("<II", _exactly(connection, 8))
    if sizes[0] > MOST_JSON or sizes[1] > MOST_BYTES:
        raise Malformed("it returns too much")
    try:
        message = json.loads(_exactly(connection, sizes[0]))
    except (ValueError, RecursionError):
        raise Malformed("what it returns is no message") from None
    payload = _exactly(connection, sizes[1])
    if not isinstance(message, dict):
        raise Malformed("what it returns is no message")
    return message, payload


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def describe_tree(tree: Any, leaves: list[Any], kept: Callable[[Any, list[Any]], Any] | None = None) -> Any:
    """A tree in JSON; its arrays, numbers and texts are put on `leaves`, in order.

    Args:
        tree: The tree.
        leaves: Grows.
        kept: Describes a part in another way, or returns None.
    """
    part = None if kept is None else kept(tree, leaves)
    if part is not None:
        return part
    match tree:
        case None:
            return {"none": True}
        case str():
            return {"text": tree}
        case _ if getattr(tree, "__module__", "").startswith(LESSONS) and inspect.isfunction(tree):
            return {"function": f"{tree.__module__}:{tree.__qualname__}"}
        case tuple() if hasattr(tree, "_fields"):
            kind = type(tree)
            named = {"fields": list(tree._fields), "name": f"{kind.__module__}:{kind.__qualname__}"}
            return named | {"items": [describe_tree(item, leaves, kept) for item in tree]}
        case tuple() | list():
            name = "tuple" if isinstance(tree, tuple) else "list"
            return {name: [describe_tree(item, leaves, kept) for item in tree]}
        case dict() if all(isinstance(key, str) for key in tree):
            return {"dict": {key: describe_tree(item, leaves, kept) for key, item in tree.items()}}
        case _ if type(tree).__module__.startswith(LESSONS) and is_setting(tree):
            return {
                "setting": f"{type(tree).__module__}:{type(tree).__qualname__}",
                "values": dataclasses.astuple(tree),
            }
    if not jax.tree_util.all_leaves([tree]):
        children = jax.tree_util.tree_leaves(tree, is_leaf=lambda node: node is not tree)
        return {"tuple": [describe_tree(item, leaves, kept) for item in children]}
    leaves.append(tree)
    return {"leaf": len(leaves) - 1}


def build_tree(
    described: Any,
    leaves: Sequence[Any],
    kept: Callable[[Any], Any] | None = None,
    named: Callable[[str], Any] | None = None,
) -> Any:
    """The tree that a description stands for.

    Args:
        described: The description.
        leaves: Its arrays, numbers and texts.
        kept: Finds a part that stayed here, where there are such.
        named: Finds a function of a lesson by `module:name`, where functions may come.

    Raises:
        Malformed: It describes none.
    """
    budget = iter(range(MOST_NODES))

    def build(node: Any, depth: int) -> Any:
        if next(budget, None) is None or depth > DEEPEST or not isinstance(node, dict):
            raise Malformed("what it returns is no tree of arrays")
        match node:
            case {"none": True}:
                return None
            case {"text": str(text)}:
                return text
            case {"leaf": int(place)} if 0 <= place < len(leaves):
                return leaves[place]
            case {"tuple": list(items)}:
                return tuple(build(item, depth + 1) for item in items)
            case {"list": list(items)}:
                return [build(item, depth + 1) for item in items]
            case {"dict": dict(items)}:
                return {key: build(item, depth + 1) for key, item in items.items()}
            case {"fields": list(fields), "name": str(name), "items": list(items)} if len(fields) == len(items):
                return _container(name, fields)(*(build(item, depth + 1) for item in items))
            case {"setting": str(name), "values": list(values)}:
                return _setting(name, values)
            case {"function": str(name)} if named is not None and name.startswith(LESSONS):
                return named(name)
            case {"kept": _} if kept is not None:
                return kept(node)
        raise Malformed("what it returns is no tree of arrays")

    return build(described, 0)


def _container(name: str, fields: list[Any]) -> Callable[..., Any]:
    """The lesson's own container of that name, or one with the same fields."""
    found = _of_a_lesson(name)
    if isinstance(found, type) and issubclass(found, tuple) and list(getattr(found, "_fields", ())) == fields:
        return found
    if not all(isinstance(field, str) for field in fields):
        raise Malformed("what it returns is no tree of arrays")
    last = name.rpartition(":")[2].rpartition(".")[2]
    return collections.namedtuple(last if last.isidentifier() else "Container", fields, rename=True)


def _setting(name: str, values: list[Any]) -> Any:
    """A lesson's record of settings: whole numbers, and tuples of them."""
    kind = _of_a_lesson(name)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)) or len(values) != len(dataclasses.fields(kind)):
        raise Malformed("what it returns is no tree of arrays")
    return kind(*map(_whole_numbers, values))


def _whole_numbers(values: Any) -> Any:
    if isinstance(values, list):
        return tuple(map(_whole_numbers, values))
    if not isinstance(values, int):
        raise Malformed("what it returns is no tree of arrays")
    return values


def _of_a_lesson(name: str) -> Any:
    """What a lesson calls by that name, `module:name`; None where there is no such thing."""
    module, _, attribute = name.partition(":")
    if not (module.startswith(LESSONS) and attribute.isidentifier()):
        return None
    try:
        return getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return None


def pack_arrays(leaves: Sequence[Any]) -> tuple[list[Any], bytes]:
    """Numbers and arrays as a list for JSON, and the bytes of the arrays.

    Raises:
        Malformed: One of them is neither.
    """
    described: list[Any] = []
    parts: list[bytes] = []
    for leaf in leaves:
        if isinstance(leaf, bool | int | float) and not isinstance(leaf, np.generic):
            described.append({"number": repr(leaf)})
            continue
        is_key = hasattr(leaf, "dtype") and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        array = np.asarray(jax.random.key_data(leaf) if is_key else leaf)
        if array.dtype.hasobject or array.dtype.kind in "USmM":
            raise Malformed(f"{type(leaf).__name__} is no array of numbers")
        described.append({"shape": list(array.shape), "dtype": dtype_name(array.dtype), "key": is_key})
        parts.append(b"" if array.dtype == jax.dtypes.float0 else array.tobytes())
    return described, b"".join(parts)


def unpack_arrays(described: Any, payload: bytes) -> list[Any]:
    """The numbers and arrays.

    Raises:
        Malformed: The bytes are not those that are described.
    """
    try:
        return list(_unpacked(described, payload))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise Malformed("what it returns are no arrays") from None


def _unpacked(described: Any, payload: bytes) -> Iterator[Any]:
    start = 0
    for one in described:
        if "number" in one:
            text = str(one["number"])
            yield {"True": True, "False": False}[text] if text in ("True", "False") else _number(text)
            continue
        shape, dtype = tuple(int(length) for length in one["shape"]), dtype_named(one["dtype"])
        size = 0 if dtype == jax.dtypes.float0 else int(np.prod(shape, dtype=object)) * dtype.itemsize
        if any(length < 0 for length in shape) or size > len(payload) - start:
            raise ValueError
        if dtype == jax.dtypes.float0:
            yield np.zeros(shape, dtype)
            continue
        array = np.frombuffer(payload[start : start + size], dtype).reshape(shape)
        start += size
        yield jax.random.wrap_key_data(jnp.asarray(array)) if one["key"] else array
    if start != len(payload):
        raise ValueError


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def dtype_name(dtype: Any) -> str:
    """What a type is called."""
    return "float0" if dtype == jax.dtypes.float0 else np.dtype(dtype).name


def dtype_named(name: Any) -> np.dtype:
    """The type of that name, of those that hold numbers.

    Raises:
        ValueError: There is none.
    """
    if name == "float0":
        return np.dtype(jax.dtypes.float0)
    dtype = jnp.dtype(str(name))
    if dtype.hasobject or dtype.kind in "USmM" or dtype.itemsize > 16:
        raise ValueError
    return dtype


def pack_shapes(leaves: Sequence[Any]) -> list[Any]:
    """Shapes and types alone."""
    return [shape_of(leaf) for leaf in leaves]


def shape_of(leaf: Any) -> dict[str, Any]:
    """The shape and type of an array, an abstract one or a number."""
    dtype = leaf.dtype if hasattr(leaf, "dtype") else jnp.result_type(leaf)
    is_key = jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key)
    return {"shape": list(np.shape(leaf)), "dtype": "key" if is_key else dtype_name(dtype)}


def unpack_shapes(described: Sequence[Any]) -> list[Any]:
    """Abstract arrays; zeros of float0, which have no values, themselves."""
    return [abstract(tuple(one["shape"]), one["dtype"]) for one in described]


def abstract(shape: tuple[int, ...], name: str) -> Any:
    """An abstract array; of float0 the zeros themselves."""
    if name == "key":
        return jax.ShapeDtypeStruct(shape, jax.eval_shape(lambda: jax.random.key(0)).dtype)
    dtype = dtype_named(name)
    return np.zeros(shape, dtype) if dtype == jax.dtypes.float0 else jax.ShapeDtypeStruct(shape, dtype)
