"""`course compare`: judges a backward pass of one's own, outside any course, from the shell."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from course.cli.progress import Progress
from course.cli.readying import ready_jax
from course.records import Comparison, plain


@click.command()
@click.argument("functions", metavar="PRIMAL FWD BWD | RULE", nargs=-1, required=True)
@click.option("--args", "made_by", metavar="FUNCTION", help="A function that returns the primals, as a tuple.")
@click.option("--shape", "shapes", multiple=True, metavar="NAME=5,3", help="Draw an array of Gaussian numbers.")
@click.option("--index", "indices", multiple=True, metavar="NAME=7:40", help="Draw 7 integers below 40.")
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Of every drawn number.")
@click.option("--by-hand", is_flag=True, help="Refuse an answer that has JAX differentiate.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison for programs, and nothing else.")
def compare(
    functions: tuple[str, ...],
    made_by: str | None,
    shapes: tuple[str, ...],
    indices: tuple[str, ...],
    seed: int,
    by_hand: bool,
    as_json: bool,
) -> int:
    """Judge a backward pass of your own against JAX's.

    A function is MODULE:NAME or FILE.py:NAME. Give a primal, its fwd and its bwd, or one function that carries a rule
    (jax.custom_vjp or jax.custom_jvp). The inputs come from --args, or are drawn in the order of the arguments, for the
    names given by --shape and --index.

    The exit status is 0 when it agrees, 1 when it does not, 2 when it could not be asked.
    """
    count = len(functions)
    if count not in (1, 3):
        raise click.UsageError(f"Give a primal, its fwd and its bwd, or one function with a rule, not {count}.")
    if bool(made_by) == bool(shapes or indices):
        raise click.UsageError("Give the inputs either by --args or by --shape and --index.")
    with Progress() as progress:
        progress.say("starting JAX")
        ready_jax()
        found = [function_named(name) for name in functions]
        primals = _made(made_by) if made_by else _drawn(found[0], shapes, indices, seed)
        progress.say("judging")
        comparison = _compared(found, primals, seed, by_hand)
    click.echo(json.dumps(plain(comparison), indent=2) if as_json else str(comparison))
    return 0 if comparison.agrees else 1


def _compared(functions: Sequence[Callable[..., Any]], primals: Sequence[Any], seed: int, by_hand: bool) -> Comparison:
    """The comparison.

    Raises:
        UsageError: It can't be made of these functions and inputs.
    """
    from course.comparison.compare import compare, compare_rule

    try:
        if len(functions) == 1:
            return compare_rule(functions[0], *primals, seed=seed)
        primal, fwd, bwd = functions
        return compare(primal, fwd, bwd, *primals, seed=seed, by_hand=by_hand)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None


def function_named(name: str) -> Any:
    """What MODULE:NAME or FILE.py:NAME stands for, dots after the colon included.

    Raises:
        UsageError: There is no such module or name, or it fails when it is imported.
    """
    where, _, rest = name.rpartition(":")
    if not where or not rest:
        raise click.UsageError(f"A function is named MODULE:NAME or FILE.py:NAME; {name!r} came.")
    found = _module(where)
    for part in rest.split("."):
        if not hasattr(found, part):
            raise click.UsageError(f"There is no {part!r} in {where}.")
        found = getattr(found, part)
    if not callable(found):
        raise click.UsageError(f"{name} must be a function; it is {type(found).__name__}.")
    return found


def _module(where: str) -> Any:
    """A module by its name, seen from here, or by its file.

    Raises:
        UsageError: There is none, or it fails.
    """
    file = Path(where).expanduser()
    is_file = file.suffix == ".py"
    if is_file and not file.is_file():
        raise click.UsageError(f"There is no file {where}.")
    here = str(file.parent.absolute()) if is_file else os.getcwd()
    sys.path.insert(0, here)
    try:
        return importlib.import_module(file.stem if is_file else where)
    except ModuleNotFoundError as error:
        raise click.UsageError(f"There is no module {error.name!r}.") from None
    except Exception as error:
        raise click.UsageError(f"{where} fails when it is imported: {type(error).__name__}: {error}") from None
    finally:
        sys.path.remove(here)


def _made(name: str) -> tuple[Any, ...]:
    """The primals that a function returns.

    Raises:
        UsageError: It fails, or returns no tuple.
    """
    try:
        made = function_named(name)()
    except click.UsageError:
        raise
    except Exception as error:
        raise click.UsageError(f"{name} fails: {type(error).__name__}: {error}") from None
    if not isinstance(made, tuple | list):
        raise click.UsageError(f"{name} must return the primals as a tuple; it returns {type(made).__name__}.")
    return tuple(made)


def _drawn(primal: Callable[..., Any], shapes: Sequence[str], indices: Sequence[str], seed: int) -> tuple[Any, ...]:
    """The primals, drawn in the order of the primal's arguments.

    Raises:
        UsageError: An option can't be read, or the names are not those of the arguments.
    """
    import numpy as np

    from course.comparison.trees import argument_names

    rng = np.random.default_rng(seed)
    draws: dict[str, Callable[[], Any]] = {}
    for name, sizes in (_read(option, ",") for option in shapes):
        draws[name] = partial(rng.standard_normal, sizes)
    for name, (count, below) in (_read(option, ":") for option in indices):
        draws[name] = partial(rng.integers, 0, below, count)
    names = argument_names(primal, len(draws))
    if set(names) != set(draws):
        raise click.UsageError(f"The arguments are {', '.join(names)}; there came {', '.join(draws)}.")
    return tuple(draws[name]() for name in names)


def _read(option: str, between: str) -> tuple[str, tuple[int, ...]]:
    """The name and the numbers of an option; the empty list of numbers is the shape of a single one.

    Raises:
        UsageError: It has another form.
    """
    name, equals, text = option.partition("=")
    parts = [part for part in text.split(between) if part]
    if not (name and equals and all(part.isdigit() for part in parts)) or (between == ":" and len(parts) != 2):
        form = "NAME=5,3" if between == "," else "NAME=7:40"
        raise click.UsageError(f"{option!r} must have the form {form}.")
    return name, tuple(int(part) for part in parts)
