"""Reads a lesson's answers: the functions with their numbered questions, and the answers to its questions.

Nothing is executed. What a function needs of its module is found as it is for a learner's answer.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from course.grading.closure import close, uses_of
from course.grading.reading import File, read_file
from course.grading.statements import Role


@dataclass(frozen=True)
class Solution:
    """The answers of one lesson."""

    file: File

    @cached_property
    def text(self) -> str:
        """The whole module."""
        return self.file.statements[0].cell.text

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """Its functions by name, in their order."""
        nodes = (statement.node for statement in self.file.statements)
        return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}

    @cached_property
    def answers(self) -> dict[str, str]:
        """The source of the value that answers each question."""
        given = (s for s in self.file.statements if s.role is Role.QUESTION)
        return {next(iter(s.binds)): ast.unparse(s.node.value) for s in given if isinstance(s.node, ast.Assign)}

    def imports(self, name: str) -> frozenset[str]:
        """The imported names that a function reads, annotations aside."""
        node = self.functions[name]
        bare = ast.parse("\n".join([signature_of(node), *(textwrap.indent(ast.unparse(p), " ") for p in node.body)]))
        for part in ast.walk(bare):
            if isinstance(part, ast.AnnAssign):
                part.annotation = ast.Constant(None)
            if isinstance(part, ast.FunctionDef):
                part.args, part.returns = _bare(part.args), None
        imported = {bound for s in self.file.statements if s.role is Role.IMPORT for bound in s.binds}
        return uses_of(ast.unparse(bare)).later & imported

    def solved(self, names: Collection[str], there: Collection[str] = (), but: Collection[str] = ()) -> str:
        """The source of some functions with all that they need of the module, except what is there already.

        Args:
            names: The functions.
            there: Names of functions that need not be defined again.
            but: Imports, each of one name, that need not be made again.
        """
        pieces: list[str] = []
        for statement in close(self.file, names).statements:
            if statement.role is Role.DEFINITION and statement.binds <= set(there) - set(names):
                continue
            if statement.role is Role.IMPORT and statement.text in but:
                continue
            gap = "" if statement.role is Role.IMPORT or not pieces else "\n\n"
            pieces.append(gap + statement.text)
        return "\n".join(pieces)


def read_solution(path: Path) -> Solution:
    """Reads the answers of a lesson from their file."""
    return Solution(read_file(path, f"{path.parent.name}/{path.name}"))


def _bare(arguments: ast.arguments) -> ast.arguments:
    """The parameters without their annotations."""
    copy: ast.arguments = ast.parse(f"def f({ast.unparse(arguments)}): pass").body[0].args  # type: ignore[attr-defined]
    for node in ast.walk(copy):
        if isinstance(node, ast.arg):
            node.annotation = None
    return copy


def signature_of(node: ast.FunctionDef) -> str:
    """The first line of a function without annotations: `def affine_fwd(x, w, b):`."""
    return f"def {node.name}({ast.unparse(_bare(node.args))}):"
