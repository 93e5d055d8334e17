"""Makes a program anew from a stranger's description of it, primitive by primitive, under JAX's own rules of shape.

Nothing that the description says of sizes, types or costs is taken over: every value is what JAX makes of the primitive
and its operands here, loops are traced here, and what comes out is an ordinary jaxpr, to be run and counted alike.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax import lax
from jax._src import source_info_util
from jax.extend import core as jax_core
from jax.extend import random as jax_random
from jax.interpreters import ad

from course.comparison.flop_rules import APPLICATIONS, FLOP_RULES
from course.grading.strangers.messages import DEEPEST, Malformed, abstract, dtype_named

_RECORDS = frozenset(
    "ConvDimensionNumbers DotAlgorithm GatherDimensionNumbers RaggedDotDimensionNumbers ScatterDimensionNumbers".split()
)
_CHOICES = frozenset(
    "AccuracyMode DotAlgorithmPreset FftType GatherScatterMode Precision RandomAlgorithm RaggedDotMode "
    "RoundingMethod".split()
)
_SOLVERS = frozenset("EigImplementation EighImplementation SvdAlgorithm".split())
"""Classes of `jax.lax` and `jax.lax.linalg` of which a parameter may be."""

_SCATTERS = {
    "scatter-add": "add",
    "scatter-sub": "sub",
    "scatter-mul": "mul",
    "scatter-min": "min",
    "scatter-max": "max",
}

_MOST_LINES, _MOST_COLUMNS = 100_000, 10_000

Files = Collection[str]
"""Names of the texts that an equation may come from."""


class Unknown(Exception):
    """A program does what is not made anew: a name."""


def rebuild(told: Any, arrays: Sequence[Any], shapes: Sequence[Any], files: Files) -> jax_core.ClosedJaxpr:
    """The program that a description stands for, for arguments of some shapes.

    Args:
        told: What came for a description.
        arrays: Those that are written in the program.
        shapes: Of its arguments.
        files: The submission's own texts; places elsewhere are passed over.

    Raises:
        Malformed: It describes none, or none of these shapes.
        Unknown: It holds a primitive that is not made anew.
    """
    try:
        names = [name if name in files else "" for name in told["files"]]
        program = _Reader(arrays, names).program(told, 0)
        return jax.make_jaxpr(program)(*shapes)
    except (Unknown, Malformed):
        raise
    except Exception as error:
        raise Malformed("what it returns is no program") from error


class _Reader:
    """What all programs within one share."""

    def __init__(self, arrays: Sequence[Any], files: Sequence[str]) -> None:
        self.arrays, self.files = arrays, files

    def program(self, told: Mapping[str, Any], depth: int) -> Callable[..., list[Any]]:
        """A function that takes the steps of a program."""
        if depth > DEEPEST:
            raise Malformed("what it returns is no program")
        count = len(told["inputs"])

        def run(*inputs: Any) -> list[Any]:
            if len(inputs) != count:
                raise Malformed("what it returns is no program of the shapes that were asked for")
            values = list(inputs)
            for name, parameters, operands, outputs, place in told["equations"]:
                given = [_operand(values, operand) for operand in operands]
                with self._at(place):
                    found = self._made(name, parameters, given, depth)
                if len(found) != outputs:
                    raise Malformed("what it returns is no program")
                values += found
            return [_operand(values, operand) for operand in told["outputs"]]

        return run

    def _made(self, name: str, parameters: Any, operands: list[Any], depth: int) -> list[Any]:
        """The outputs of one equation."""
        if name == "constant":
            return [self.arrays[_index(parameters)]]
        if name == "scan":
            return self._scan(parameters, operands, depth + 1)
        if name == "while":
            return self._while(parameters, operands, depth + 1)
        primitive = primitives().get(name)
        if primitive is None:
            raise Unknown(str(name)[:60])
        params = {str(key): self._parameter(value, depth + 1) for key, value in parameters.items()}
        if name in _SCATTERS:
            params |= {"update_jaxpr": _update(_SCATTERS[name], operands[0].dtype), "update_consts": ()}
        if name == "cond":
            _refuse_unlike(params["branches"], operands)
        if "weak_type" in params:
            params["weak_type"] = False
        found = primitive.bind(*operands, **params)
        return list(found) if primitive.multiple_results else [found]

    def _scan(self, told: Mapping[str, Any], operands: list[Any], depth: int) -> list[Any]:
        body, constants, carries = self.program(told["body"], depth), _index(told["constants"]), _index(told["carries"])
        fixed, start = operands[:constants], tuple(operands[constants : constants + carries])

        def once(carried: tuple[Any, ...], rows: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
            found = body(*fixed, *carried, *rows)
            return tuple(found[:carries]), tuple(found[carries:])

        rows = tuple(operands[constants + carries :])
        carried, stacked = lax.scan(once, start, rows, _index(told["length"]), bool(told["reverse"]))
        return [*carried, *stacked]

    def _while(self, told: Mapping[str, Any], operands: list[Any], depth: int) -> list[Any]:
        condition, body = self.program(told["condition"], depth), self.program(told["body"], depth)
        first, second = _index(told["cond_nconsts"]), _index(told["body_nconsts"])
        asked, fixed, start = operands[:first], operands[first : first + second], tuple(operands[first + second :])
        found = lax.while_loop(
            lambda carried: condition(*asked, *carried)[0], lambda carried: tuple(body(*fixed, *carried)), start
        )
        return list(found)

    def _parameter(self, told: Any, depth: int) -> Any:
        match told:
            case None | bool() | int() | float() | str():
                return told
            case list():
                return tuple(self._parameter(part, depth) for part in told)
            case {"dtype": name}:
                return dtype_named(name)
            case {"prng": str(name)}:
                return _generator(name)
            case {"enum": [str(kind), str(member)]} if kind in _CHOICES | _SOLVERS:
                return _class(kind)[member]
            case {"record": [str(kind), list(parts)]} if kind in _RECORDS:
                return _class(kind)(*(self._parameter(part, depth) for part in parts))
            case {"primitive": str(name)} if name in primitives():
                return primitives()[name]
            case {"program": program, "closed": closed}:
                shapes = [abstract(tuple(one["shape"]), one["dtype"]) for one in program["inputs"]]
                made = jax.make_jaxpr(self.program(program, depth))(*shapes)
                return made if closed else made.jaxpr
        raise Malformed("what it returns is no program")

    def _at(self, place: Any) -> Any:
        """A context in which equations are said to come from a place in the submission's text, where that is told."""
        if place is None or not self.files[_index(place[0])]:
            return contextlib.nullcontext()
        first, column, last, last_column = map(_index, place[1:])
        if not 0 < first <= last < _MOST_LINES or max(column, last_column) > _MOST_COLUMNS:
            raise Malformed("what it returns is no program")
        return source_info_util.user_context(_frames(self.files[place[0]], first, column, last, last_column))


@lru_cache(maxsize=1)
def primitives() -> Mapping[str, Any]:
    """The primitives that may stand in a program, by name: those whose cost is known, and choices between branches."""
    wanted = {*FLOP_RULES, *APPLICATIONS, "cond"}
    found: dict[str, Any] = {}
    for module in (lax, lax.linalg, jax_random, ad, *_inside()):
        for value in vars(module).values():
            if isinstance(value, jax_core.Primitive) and value.name in wanted:
                found.setdefault(value.name, value)
    return found


def _inside() -> Iterator[Any]:
    """JAX's own modules of random numbers and of linear algebra, wherever this version has them."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith(("jax._src.lax", "jax._src.random", "jax._src.prng")):
            yield module


def _class(name: str) -> Any:
    return getattr(lax.linalg if name in _SOLVERS else lax, name)


def _generator(name: str) -> Any:
    known = (jax_random.threefry_prng_impl, jax_random.rbg_prng_impl, jax_random.unsafe_rbg_prng_impl)
    return next(one for one in known if one.name == name)


@lru_cache(maxsize=64)
def _update(name: str, dtype: Any) -> Any:
    """What a scatter does with the number that is there and the one that comes."""
    number = jax.ShapeDtypeStruct((), dtype)
    return jax.make_jaxpr(lambda there, comes: getattr(lax, name)(there, comes))(number, number).jaxpr


def _refuse_unlike(branches: Sequence[Any], operands: Sequence[Any]) -> None:
    """Refuses branches that do not take these operands, or return unlike things.

    Raises:
        Malformed: They do.
    """
    given = [_kind(jax.typeof(operand)) for operand in operands]
    taken = [[_kind(aval) for aval in branch.in_avals] for branch in branches]
    returned = [[_kind(aval) for aval in branch.out_avals] for branch in branches]
    is_index = given[0] == ((), np.dtype(np.int32))
    if not (is_index and all(one == given[1:] for one in taken) and all(one == returned[0] for one in returned)):
        raise Malformed("what it returns is no program")


def _kind(aval: Any) -> tuple[Any, Any]:
    return aval.shape, aval.dtype


def _operand(values: Sequence[Any], told: Any) -> Any:
    """A value by its number, or a number that is written there."""
    if isinstance(told, int):
        return values[_index(told)]
    name, number = told
    dtype = dtype_named(name)
    return np.asarray(complex(*number) if isinstance(number, list) else number, dtype)


def _index(told: Any) -> int:
    if isinstance(told, int) and told >= 0:
        return told
    raise Malformed("what it returns is no program")


@lru_cache(maxsize=4096)
def _frames(file: str, first: int, column: int, last: int, last_column: int) -> Any:
    """A traceback whose innermost frame is an expression of somebody's text; nothing of the text is executed."""
    node: Any = ast.Expression(ast.Call(ast.Name("here", ast.Load()), [], []))
    for part in (node.body, node.body.func):
        part.lineno, part.col_offset, part.end_lineno, part.end_col_offset = first, column, last, last_column
    with source_info_util.user_context(None):
        return eval(compile(node, file, "eval"), {"here": source_info_util.current}).traceback
