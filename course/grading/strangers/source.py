"""Reads everything that an answer would execute, and refuses what an answer has no need of.

Reading is the one layer that runs in the grader's own process, so that nothing of a stranger's can undo it. It is
strict: a list of modules that may be imported, and of names and attributes by which Python lets itself be looked into.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from course.comparison.answer import lies_in, ready_made_fault
from course.comparison.by_hand.reading import imported_names, routes_in
from course.comparison.by_hand.routes import Refusal, refusal_fault
from course.grading.closure import close, uses_of
from course.grading.extent import neighbour_of
from course.grading.places import place_of
from course.grading.reading import File
from course.grading.statements import ANSWERS, Role, Statement
from course.records import Fault, Line

ALLOWED = frozenset(
    "jax numpy optax jaxtyping einops chex equinox flax scipy course math cmath functools itertools operator typing "
    "typing_extensions collections dataclasses enum abc numbers fractions decimal statistics string textwrap re copy "
    "warnings time random __future__ beartype IPython matplotlib".split()
)
"""Packages that an answer may import; what it may not do with them, the other layers see to."""

REFUSED_MODULES = (
    "jax.export jax.core jax.extend jax.experimental.export jax.experimental.host_callback jax.experimental.jax2tf "
    "jax.experimental.pallas jax.ffi jax.profiler jax.monitoring jax.distributed jax.interpreters jax._src jax.lib "
    "jaxlib numpy.ctypeslib numpy.f2py numpy.testing scipy.LowLevelCallable scipy._lib solutions course.compare "
    "course.comparison course.exercises course.grading course.training course.graph course.authoring course.cli "
    "course.show course.records course.judge course.as_jax"
).split()
"""Modules, and names of modules, inside the packages that may be imported."""

REFUSED_NAMES = frozenset(
    "eval exec compile open input __import__ getattr setattr delattr vars globals locals breakpoint memoryview "
    "__builtins__ __loader__ __spec__".split()
)
"""What lets code write, find or replace code."""

REFUSED_ATTRIBUTES = frozenset(
    "_src bind eval_jaxpr make_jaxpr pure_callback io_callback make_python_callback f_back f_locals f_globals f_code "
    "f_builtins tb_frame tb_next gi_frame cr_frame ag_frame gi_code cr_code co_code func_globals modules ctypeslib "
    "ctypes loads deserialize load fromfile memmap save savez savez_compressed savetxt tofile dump dumps eval exec "
    "_getframe sys os builtins inspect importlib subprocess gc threading multiprocessing socket pickle shutil pathlib "
    "tempfile runpy ast dis atexit".split()
)
"""Attributes by which frames, code, files, raw programs, and modules inside of other modules are reached."""

PLAIN_DUNDERS = frozenset("__name__ __doc__ __version__ __file__ __init__ __call__ __post_init__ __class__".split())
"""Names with two underscores at both ends that give nothing away."""


def refusal_in(
    files: Sequence[File],
    names: Sequence[str],
    allows: frozenset[str],
    given: frozenset[str] = frozenset(),
    refuses: frozenset[str] = frozenset(),
) -> Fault | None:
    """The fault of the first statement that an answer may not have; None where there is none.

    Args:
        files: The submission's.
        names: What is asked for.
        allows: Routes to derivatives that may be taken.
        given: Modules of the course's own that may be imported, beside the lessons.
        refuses: Packages in which lies ready what is asked for.
    """
    beside = given | {file.path.stem for file in files} | {file.path.parent.name for file in files}
    statements = executed_for(files, names)
    own = {name for statement in statements if statement.role is not Role.IMPORT for name in statement.binds}
    known = {name: whole for statement in statements for name, whole in imported_names(statement.node).items()}
    for statement in statements:
        for name, whole, number in _modules_in(statement, known) if refuses else ():
            if lies_in(whole, refuses):
                return ready_made_fault(name, names[-1], statement.cell.line(number))
        if statement.role is Role.QUESTION:
            allowed = frozenset({"*"})
        else:
            allowed = allows
        for fault in _faults(statement, known, own, allowed, beside):
            return fault
    return None


def _modules_in(statement: Statement, known: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    """What a statement imports or reaches by attributes: as it is called there, its whole name, its line."""
    for name, whole in imported_names(statement.node).items():
        yield name, whole, statement.node.lineno
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node), _whole(node, known), node.lineno


def executed_for(files: Sequence[File], names: Sequence[str]) -> tuple[Statement, ...]:
    """Every statement that would be executed to find some names: theirs, their imports', earlier answers'."""
    plan = _Plan(tuple(files))
    plan.names(names)
    return tuple(plan.statements)


@dataclass
class _Plan:
    """The statements so far, and what was planned already."""

    files: tuple[File, ...]
    statements: dict[Statement, None] = field(default_factory=dict)
    seen: set[object] = field(default_factory=set)

    def names(self, names: Sequence[str]) -> None:
        for name in names:
            place = place_of(self.files, name)
            if not isinstance(place, File) or (place.path, name) in self.seen:
                continue
            self.seen.add((place.path, name))
            closure = close(place, [name])
            self._take(closure.statements, place)
            self.names(closure.earlier)

    def _take(self, statements: Sequence[Statement], file: File) -> None:
        for statement in statements:
            self.statements.setdefault(statement)
            neighbour = neighbour_of(statement.node, file, self.files)
            if neighbour is not None and neighbour.path not in self.seen:
                self.seen.add(neighbour.path)
                self._take(neighbour.statements, neighbour)


def _faults(
    statement: Statement, known: dict[str, str], own: set[str], allows: frozenset[str], beside: frozenset[str]
) -> Iterator[Fault]:
    """What is wrong with a statement.

    `known` are imported names, `own` those that the submission defines itself, `beside` the modules of its own.
    """
    where = min(statement.binds) if statement.role is Role.DEFINITION else statement.cell.name
    uses = uses_of(statement.text)
    outside = uses.at_once | uses.in_lambdas | uses.later
    for route, number in routes_in(statement.node, known, outside):
        if route not in allows and "*" not in allows:
            yield refusal_fault(Refusal(route, statement.cell.line(number)), where, allows)
    for what, number in _unneeded(statement, known, outside - own, beside):
        yield _fault(what, where, statement.cell.line(number))


def _fault(what: str, where: str, line: Line) -> Fault:
    message = f"`{what}` is not for answers that are graded: no exercise needs it. Do without."
    if what.partition(".")[0] == "solutions":
        message = f"`{what}` is the course's own answer: write yours."
    return Fault("unneeded", where, message, line)


def _unneeded(
    statement: Statement, known: dict[str, str], outside: frozenset[str], beside: frozenset[str]
) -> Iterator[tuple[str, int]]:
    for node in ast.walk(statement.node):
        number = getattr(node, "lineno", statement.node.lineno)
        for look in _LOOKS:
            for what in look(node, known, outside):
                if not (isinstance(node, ast.Import | ast.ImportFrom) and _is_beside(node, beside)):
                    yield what, number


def _imports(node: ast.AST, known: dict[str, str], outside: frozenset[str]) -> Iterator[str]:
    """Modules that may not be imported."""
    match node:
        case ast.Import(names=names):
            wholes = [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            wholes = [f"{module}.{alias.name}" for alias in names] if module != ANSWERS else []
        case _:
            return
    yield from (whole for whole in wholes if not _may_import(whole))


def _may_import(whole: str) -> bool:
    return whole.partition(".")[0] in ALLOWED and not _is_refused(whole) and "._" not in whole


def _is_refused(whole: str) -> bool:
    return any(whole == name or whole.startswith(f"{name}.") for name in REFUSED_MODULES)


def _names(node: ast.AST, known: dict[str, str], outside: frozenset[str]) -> Iterator[str]:
    """Built-in names that may not be used."""
    match node:
        case ast.Name(id=name) if name in REFUSED_NAMES and (name in outside or name.startswith("__")):
            yield name


def _attributes(node: ast.AST, known: dict[str, str], outside: frozenset[str]) -> Iterator[str]:
    """Attributes that may not be read, and modules reached by attributes."""
    match node:
        case ast.Attribute(attr=attr):
            whole = _whole(node, known)
            hidden = attr.startswith("__") and attr.endswith("__") and attr not in PLAIN_DUNDERS
            if hidden or attr in REFUSED_ATTRIBUTES or (whole and _is_refused(whole)):
                yield whole or attr


def _changes(node: ast.AST, known: dict[str, str], outside: frozenset[str]) -> Iterator[str]:
    """Attributes of what was imported, set anew."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) if whole := _whole(node, known):
            yield f"{whole} = ..."


def _whole(node: ast.expr, known: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return known.get(name, "")
        case ast.Attribute(value=value, attr=attr):
            start = _whole(value, known)
            return f"{start}.{attr}" if start else ""
    return ""


_Look = Callable[[ast.AST, dict[str, str], frozenset[str]], Iterator[str]]
_LOOKS: tuple[_Look, ...] = (_imports, _names, _attributes, _changes)


def _is_beside(node: ast.Import | ast.ImportFrom, beside: frozenset[str]) -> bool:
    """Whether an import reads a file of the submission's own, which is looked through as well, or a given one."""
    module = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
    first = module.partition(".")[0]
    return first in beside and first not in ALLOWED and first != "solutions"
