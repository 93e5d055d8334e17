"""The closure of a name gives what running the whole file gives, on programs drawn at random."""

import random

import pytest

from tests.grading.students import script

VALUES, FUNCTIONS = "abcdq", "fgh"


class Author:
    """Writes a program of assignments and definitions, which may use what stands above them."""

    def __init__(self, seed: int):
        self.draw = random.Random(seed)
        self.values: list[str] = []
        self.functions: list[str] = []

    def expression(self, callables: list[str], depth: int = 0) -> str:
        a, b = (self.expression(callables, depth + 1) for _ in "ab") if depth < 3 else "12"
        value = self.draw.choice([*self.values, "4"])
        forms = [value, a, f"({a} + {b})", f"sum([{value} for q in range(2)])", f"(lambda z: z + {a})({b})"]
        return self.draw.choice([*forms, *(f"{name}({a})" for name in callables)])

    def statement(self) -> str:
        name, function = self.draw.choice(VALUES), self.draw.choice(FUNCTIONS)
        below = [other for other in self.functions if other < function]  # no recursion
        right = self.expression(self.functions)
        forms = [f"{name} = {right}", f"def {function}(x, y={right}): return (x + y + {self.expression(below)}) % 97"]
        if self.values:
            forms += [f"{self.values[-1]} += {right}", f"{name}, {self.values[0]} = {right}, 5"]
        if self.functions:
            forms.append(f"{function} = (lambda k: lambda x: k(x) + 1)({self.draw.choice(self.functions)})")
        chosen = self.draw.choice(forms)
        known = self.functions if chosen.startswith((f"def {function}", f"{function} =")) else self.values
        known.append(function if known is self.functions else name)
        return chosen


def outcome(value):
    if not callable(value):
        return value
    try:
        return value(3)
    except (NameError, RecursionError) as error:
        return type(error)


@pytest.mark.parametrize("seed", range(150))
def test_a_closure_gives_what_the_whole_program_gives(tmp_path, seed):
    author = Author(seed)
    program = "\n".join(author.statement() for _ in range(12))
    whole: dict = {}
    try:
        exec(program, whole)
    except (NameError, RecursionError):
        return  # `q` may be used as if it were set, as people do
    submission = script(tmp_path, program)
    for name in sorted({*author.values, *author.functions} & whole.keys()):
        found = submission.find([name])
        assert found.fault is None, f"{found.fault}\n{program}"
        assert outcome(found.values[name]) == outcome(whole[name]), f"{name}\n{program}"
