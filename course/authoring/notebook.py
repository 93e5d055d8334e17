"""Makes a notebook from its source: a learner's, with stubs, or the solved one that tests execute.

The same source gives the same bytes. Metadata for nbgrader is written along: what a learner writes is a solution cell,
a check is a grade cell with the points of the exam paper. An answer to a question can't be both editable and graded by
machine, so one more check, after the last question, grades them all.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from course.authoring.draws import HANDED_OUT
from course.authoring.setup_cell import setup_cell
from course.authoring.solution import Solution
from course.authoring.source import AuthoringError, Cell, Source
from course.authoring.stubs import NothingAsked, stub
from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.free_text import FreeText
from course.exercises.tasks.question import Choice
from course.exercises.tasks.which_mistake import WhichMistake
from course.grading.statements import Cell as Piece
from course.grading.statements import Role, Statement, statements_of

SETUP, SCORE = "set-up", "questions"
"""Names of the two cells that no source holds: the set-up, and the check of all questions."""

_QUESTION = re.compile(r"^\{question ([\w.]+)\}$", re.MULTILINE)
_EARLIER = re.compile(r"from solutions\.\w+ import")
_KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


@dataclass
class Maker:
    """One making of one notebook; remembers what it has met, to say what is missing or there twice."""

    source: Source
    solution: Solution
    paper: Paper
    solved: bool = False
    bound: set[str] = field(default_factory=set)
    met: dict[str, list[str]] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)

    def make(self) -> dict[str, Any]:
        """The notebook, as its JSON says it."""
        cells = [made for cell in self.source.cells for made in self._cells(cell)]
        self._all_met()
        return {"cells": cells, "metadata": _KERNEL, "nbformat": 4, "nbformat_minor": 5}

    def _cells(self, cell: Cell) -> Iterator[dict[str, Any]]:
        first, last = self.source.cells[0], self._last_question()
        if cell.name in (SETUP, SCORE):
            raise self.source.error(cell, f'the name "{cell.name}" is kept for a cell that is made.', 0)
        yield self._cell(cell)
        if cell is first:
            self.bound.add("course")
            yield self._json(Cell(SETUP, setup_cell(), 0), {})
        if cell is last:
            yield self._score()

    def _cell(self, cell: Cell) -> dict[str, Any]:
        if cell.markdown:
            return self._json(cell, {}, _QUESTION.sub(lambda match: self._prompt(match, cell), cell.text))
        tree = self._parsed(cell)
        if "exercise" in cell.tags:
            return self._exercise(cell, tree)
        if "question" in cell.tags:
            return self._answer(cell, tree)
        if "check" in cell.tags:
            return self._check(cell, tree)
        if "shown" in cell.tags:
            return self._shown(cell, tree)
        text = self._with_own_answers(cell, tree)
        self.bound |= _binds(tree)
        self.imports |= _imports(tree)
        return self._json(cell, {}, text)

    def _parsed(self, cell: Cell) -> ast.Module:
        try:
            return ast.parse(cell.text)
        except SyntaxError as error:
            raise self.source.error(cell, f"SyntaxError: {error.msg}.", error.lineno or 1) from None

    def _exercise(self, cell: Cell, tree: ast.Module) -> dict[str, Any]:
        home = f"solutions.{self.paper.lesson}"
        names = [
            alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module == home
            for alias in node.names
            if alias.asname is None
        ]
        if len(tree.body) != 1 or not names:
            raise self.source.error(cell, f"an exercise is one line: `from {home} import ...`.")
        names.sort(key=self._place)
        text = "\n\n\n".join([self._stub(name, cell) for name in names])
        if self.solved:
            text = self._solved(names)
        return self._json(cell, _graded(cell.name, solution=True), text)

    def _solved(self, names: list[str]) -> str:
        """The answers, without the imports that stand in the notebook already."""
        text = self.solution.solved(names, there=self.met, but=self.imports)
        self.imports |= _imports(ast.parse(text))
        return _EARLIER.sub("from course.answers import", text)

    def _place(self, name: str) -> int:
        return list(self.solution.functions).index(name) if name in self.solution.functions else -1

    def _stub(self, name: str, cell: Cell) -> str:
        exercise = next((e for e in self.paper.exercises if name in e.task.names), None)
        if name not in self.solution.functions:
            raise self.source.error(cell, f"{self.solution.file.name} has no function `{name}`.")
        if exercise is None:
            raise self.source.error(cell, f"no exercise of {self.paper.lesson} asks for `{name}`.")
        self._meet(name, cell)
        unknown = self.solution.imports(name) - self.bound
        if unknown:
            raise self.source.error(cell, f"`{name}` needs `{min(unknown)}`: import it in a cell above.")
        try:
            return stub(self.solution.text, self.solution.functions[name], exercise)
        except NothingAsked as why:
            raise self.source.error(cell, str(why)) from None

    def _prompt(self, match: re.Match[str], cell: Cell) -> str:
        name = match[1]
        exercise = self._question_named(name, cell, cell.text.count("\n", 0, match.start()) + 1)
        self._meet(f"{{question {name}}}", cell)
        return question_text(exercise)

    def _answer(self, cell: Cell, tree: ast.Module) -> dict[str, Any]:
        match [node.value for node in tree.body if isinstance(node, ast.Expr)]:
            case [ast.Call(func=ast.Attribute(ast.Name("course"), "answer"), args=[ast.Constant(str(name)), given])]:
                pass
            case _:
                raise self.source.error(cell, 'a question is one line: `course.answer("lesson.q1", ...)`.')
        if not isinstance(given, ast.Constant) or given.value is not ...:
            raise self.source.error(cell, "the source says `...`; the answer itself stands in the solutions.")
        self._question_named(name, cell)
        self._meet(name, cell)
        prompt = next((what for what in reversed(self.met) if what.startswith("{")), "")
        if prompt != f"{{question {name}}}":
            raise self.source.error(cell, f"the line {{question {name}}} must come before it, in a cell of text.")
        if self.solved and name not in self.solution.answers:
            raise self.source.error(cell, f"{self.solution.file.name} does not answer {name}.")
        value = self.solution.answers[name] if self.solved else "..."
        task = self._question_named(name, cell).task
        graded = _marked(cell.name, task.points) if isinstance(task, FreeText) else _graded(cell.name, solution=True)
        return self._json(cell, graded, f'course.answer("{name}", {value})')

    def _question_named(self, name: str, cell: Cell, line: int = 1) -> Exercise:
        for exercise in self.paper.exercises:
            if exercise.name == name and not exercise.task.names:
                return exercise
        raise self.source.error(cell, f"{self.paper.lesson} has no question {name}.", line)

    def _check(self, cell: Cell, tree: ast.Module) -> dict[str, Any]:
        match [node.value for node in tree.body if isinstance(node, ast.Expr)]:
            case [ast.Call(func=ast.Attribute(ast.Name("course"), "check"), args=args, keywords=[])]:
                names = [arg.id for arg in args if isinstance(arg, ast.Name)]
            case _:
                raise self.source.error(cell, "a check is one line: `course.check(affine_fwd, affine_bwd)`.")
        exercise = next((e for e in self.paper.exercises if names and set(e.task.names) == set(names)), None)
        if exercise is None:
            raise self.source.error(cell, f"no exercise of {self.paper.lesson} asks for {' and '.join(names)}.")
        self._meet(exercise.name, cell)
        return self._json(cell, _graded(cell.name, points=exercise.points + exercise.cost_points))

    def _shown(self, cell: Cell, tree: ast.Module) -> dict[str, Any]:
        match [node.value for node in tree.body if isinstance(node, ast.Expr)]:
            case [
                ast.Call(
                    func=ast.Attribute(ast.Name("course"), "show_mistake"),
                    args=[ast.Constant(str(name))],
                    keywords=[ast.keyword("draw", ast.Constant(int(draw)))],
                )
            ] if draw == HANDED_OUT:
                pass
            case _:
                call = f'course.show_mistake("lesson.q4", draw={HANDED_OUT})'
                raise self.source.error(cell, f"what is shown is one line: `{call}`.")
        self._question_named(name, cell)
        self._meet(f"what {name} shows", cell)
        return self._json(cell, {})

    def _last_question(self) -> Cell | None:
        return next((cell for cell in reversed(self.source.cells) if "question" in cell.tags), None)

    def _score(self) -> dict[str, Any]:
        questions = [e for e in self.paper.exercises if not e.task.names and not isinstance(e.task, FreeText)]
        names = "".join(f'    "{e.name}",\n' for e in questions)
        cell = Cell(SCORE, f"# Your answers to the questions, together.\ncourse.check(\n{names})", 0, ("check",))
        return self._json(cell, _graded(SCORE, points=sum(e.points + e.cost_points for e in questions)))

    def _with_own_answers(self, cell: Cell, tree: ast.Module) -> str:
        """The text, with imports of an earlier lesson's answers turned into imports of the learner's own."""
        lines = cell.text.split("\n")
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("solutions."):
                if node.module == f"solutions.{self.paper.lesson}":
                    raise self.source.error(cell, 'only a cell tagged "exercise" imports this lesson.', node.lineno)
                place = node.lineno - 1
                lines[place] = _EARLIER.sub("from course.answers import", lines[place])
        for number, line in enumerate(lines, 1):
            if re.search(r"\bsolutions\b", line):
                raise self.source.error(cell, "a notebook does not mention the solutions.", number)
        return "\n".join(lines)

    def _meet(self, what: str, cell: Cell) -> None:
        self.met.setdefault(what, []).append(cell.name)
        if len(self.met[what]) > 1:
            raise self.source.error(cell, f'{what} stands in the cell "{self.met[what][0]}" already.')

    def _all_met(self) -> None:
        wanted = [name for e in self.paper.exercises for name in (*e.task.names, e.name)]
        wanted += [f"{{question {e.name}}}" for e in self.paper.exercises if not e.task.names]
        wanted += [f"what {e.name} shows" for e in self.paper.exercises if isinstance(e.task, WhichMistake)]
        missing = [name for name in wanted if name not in self.met]
        if missing:
            last = self.source.cells[-1]
            raise AuthoringError(self.source.file, last.line, f"the notebook ends without {', '.join(missing)}.")

    def _json(self, cell: Cell, nbgrader: Mapping[str, Any], text: str | None = None) -> dict[str, Any]:
        text = cell.text if text is None else text
        metadata: dict[str, Any] = {"name": cell.name}
        if cell.tags:
            metadata["tags"] = list(cell.tags)
        if nbgrader:
            metadata["nbgrader"] = dict(nbgrader)
        made = {
            "cell_type": "markdown" if cell.markdown else "code",
            "id": hashlib.sha1(f"{self.paper.lesson}:{cell.name}".encode()).hexdigest()[:8],
            "metadata": metadata,
            "source": text.splitlines(keepends=True),
        }
        return made if cell.markdown else {**made, "execution_count": None, "outputs": []}


def question_text(exercise: Exercise) -> str:
    """A question of the exam paper in Markdown."""
    task: Any = exercise.task
    text = isinstance(task, FreeText)
    possible = task.points if text else exercise.points
    points = f"{possible} point{'s' if possible > 1 else ''}{', by a person' if text else ''}"
    lines = [f"**Question: {_escaped(exercise.title)}** ({points})", "", _escaped(task.prompt)]
    if isinstance(task, Choice):
        lines += ["", *(f"- ({option.letter}) {_escaped(option.text)}" for option in task.options)]
    elif text:
        lines += ["", 'Hand in a text between quotation marks, `"""..."""`. You then see what to read it against.']
    elif getattr(task, "unit", ""):
        lines += ["", f"Answer in {_escaped(task.unit)}."]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Plain text in Markdown: outside of `code`, stars, underscores at a word's edge and `<` stand for themselves."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"\*|(?<!\w)_|_(?!\w)", r"\\\g<0>", part).replace("<", "&lt;") for part in parts[::2]]
    return "".join(parts)


def _graded(name: str, *, solution: bool = False, points: int = 0) -> dict[str, Any]:
    """What nbgrader wants to know of a cell: it is written by the learner, or it is a test that gives points."""
    graded = {"grade": not solution, "grade_id": name, "locked": not solution, "schema_version": 3}
    return {**graded, "solution": solution, "task": False, **({} if solution else {"points": points})}


def _marked(name: str, points: int) -> dict[str, Any]:
    """The same for what is written by the learner and marked by a person."""
    return {**_graded(name, solution=True), "grade": True, "points": points}


def _binds(tree: ast.Module) -> set[str]:
    """The names that a cell binds by an import: what an answer needs stands in the plain hand-out too."""
    return {name for s in _import_statements(tree) for name in s.binds}


def _imports(tree: ast.Module) -> set[str]:
    """The imports of a cell, each of one name."""
    return {s.text for s in _import_statements(tree)}


def _import_statements(tree: ast.Module) -> list[Statement]:
    return [s for s in statements_of(tree, Piece("", "", "", "")) if s.role is Role.IMPORT]


def notebook_text(notebook: Mapping[str, Any]) -> str:
    """The text of the file, as Jupyter itself would write it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
