"""What happens while an answer is read in, and how it is told."""

import gc
import inspect
import subprocess
import sys
import traceback

import pytest

from course.comparison.faults import fault_of
from course.grading.running import MODULE, PRINTED
from course.grading.submission import Submission
from tests.grading.students import cells, plain, script


def test_an_exception_is_a_fault_with_their_line(tmp_path):
    fault = cells(tmp_path, "# Text", "a = 1\n\nscale = a / 0", "def f(x): return scale").find(["f"]).fault
    assert (fault.kind, fault.where, fault.message) == ("exception", "f", "ZeroDivisionError: division by zero.")
    assert str(fault.line) == "work.ipynb cell 2, line 3: scale = a / 0"


def test_the_deepest_of_their_lines_is_named(tmp_path):
    fault = (
        script(tmp_path, "import json\ndef g(): return json.loads('{')\nx = g()\ndef f(): return x\n").find(["f"]).fault
    )
    assert str(fault.line) == "work.py, line 2: def g(): return json.loads('{')"


def test_an_unknown_name_is_a_fault_when_it_is_read(tmp_path):
    fault = script(tmp_path, "x = nowhere\ndef f(): return x\n").find(["f"]).fault
    assert (fault.message, fault.line.number) == ("NameError: name 'nowhere' is not defined.", 1)


@pytest.mark.parametrize("leave", ["sys.exit()", "exit(0)", "quit()", "raise_exit()"])
def test_leaving_the_program_is_a_fault(tmp_path, leave):
    text = f"import sys\ndef raise_exit():\n    raise SystemExit\nx = {leave}\ndef f(): return x\n"
    fault = script(tmp_path, text).find(["f"]).fault
    assert fault.kind == "exception"
    assert fault.message.startswith("It ends the program")


def test_an_exception_of_their_own_kind_is_a_fault(tmp_path):
    odd = "class Odd(BaseException):\n    def __str__(self): raise ValueError\n"
    text = "def g(): raise Odd\nx = g()\ndef f(): return x\n"
    assert script(tmp_path, odd + text).find(["f"]).fault.message == "Odd."


def test_endless_recursion_is_a_fault(tmp_path):
    fault = script(tmp_path, "def g(x): return g(x)\nx = g(1)\ndef f(): return x\n").find(["f"]).fault
    assert (fault.kind, fault.message) == ("exception", "The function calls itself without end.")


def test_an_interruption_passes_through_and_leaves_no_trace(tmp_path):
    submission = script(tmp_path, "def g(): raise KeyboardInterrupt\nx = g()\ndef f(): return x\n")
    path, stdout, modules = sys.path[:], sys.stdout, set(sys.modules)
    with pytest.raises(KeyboardInterrupt):
        submission.find(["f"])
    assert (sys.path, sys.stdout, set(sys.modules) - modules) == (path, stdout, set())
    with pytest.raises(KeyboardInterrupt):
        submission.find(["f"])


def test_what_is_printed_is_kept_up_to_a_page(tmp_path):
    submission = script(tmp_path, "def g():\n    print('hello')\n    return 1\nx = g()\ndef f(): return x\n")
    assert submission.find(["f"]).printed == "hello\n"
    submission = script(tmp_path, "def g():\n    for _ in range(10**5): print('hello')\nx = g()\ndef f(): return x\n")
    printed = submission.find(["f"]).printed
    assert len(printed) < PRINTED + 100
    assert printed.endswith("(the rest is not shown)\n")


def test_there_is_nothing_to_read_from_the_keyboard(tmp_path):
    fault = script(tmp_path, "x = input()\ndef f(): return x\n").find(["f"]).fault
    assert fault.message.startswith("EOFError")


def test_warnings_do_not_become_errors(tmp_path):
    submission = script(tmp_path, "import warnings\ndef g(): warnings.warn('x')\ny = g()\ndef f(): return y\n")
    assert submission.find(["f"]).fault is None


def test_source_and_tracebacks_show_their_lines(tmp_path):
    submission = cells(tmp_path, "# Text", "import math\n\ndef f(x):\n    return math.sqrt(x)")
    f = submission.find(["f"]).values["f"]
    assert inspect.getsource(f) == "def f(x):\n    return math.sqrt(x)\n"
    with pytest.raises(ValueError) as error:
        f(-1)
    assert "return math.sqrt(x)" in "".join(traceback.format_exception(error.value))
    assert str(fault_of(error.value).line) == "work.ipynb cell 2, line 4: return math.sqrt(x)"


def test_two_people_with_the_same_file_name_keep_their_own_lines(tmp_path):
    people = [cells(tmp_path / name, f"def f(x): return x / 0  # {name}") for name in ("alice", "bob")]
    functions = [submission.find(["f"]).values["f"] for submission in people]
    for function, name in zip(functions, ("alice", "bob"), strict=True):
        with pytest.raises(ZeroDivisionError) as error:
            function(1)
        assert str(fault_of(error.value, "f").line) == f"work.ipynb cell 1, line 1: def f(x): return x / 0  # {name}"


def test_a_dataclass_and_a_named_tuple_are_made_as_in_a_module(tmp_path):
    submission = script(
        tmp_path,
        """
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import ClassVar, NamedTuple, get_type_hints
        class Layer(NamedTuple):
            w: int
        @dataclass
        class Box:
            n: ClassVar[int] = 3
            layer: Layer = Layer(1)
        def f(): return get_type_hints(Layer), Box()
        """,
    )
    hints, box = submission.find(["f"]).values["f"]()
    assert (hints, box.layer.w) == ({"w": int}, 1)


def test_modules_of_a_submission_go_after_it(tmp_path):
    submission = script(tmp_path, "class A: pass\n")
    name = submission.find(["A"]).values["A"].__module__
    assert name.startswith(MODULE)
    assert name in sys.modules
    del submission
    gc.collect()
    script(tmp_path, "class B: pass\n").find(["B"])
    assert name not in sys.modules


def test_jitted_partials_and_lambdas_are_found(tmp_path):
    submission = script(
        tmp_path,
        """
        import functools
        import jax
        @functools.partial(jax.jit, static_argnames="n")
        def f(x, n=2): return x * n
        g = lambda x: f(x, n=3)
        """,
    )
    found = submission.find(["f", "g"])
    assert (float(found.values["f"](2.0)), float(found.values["g"](2.0))) == (4, 6)


def test_reading_and_finding_start_no_jax(tmp_path):
    path = plain(tmp_path / "work.py", "def f(x): return x / 0\nx = f(1)\ndef g(): return x\n")
    code = (
        "import sys\nfrom course.grading.submission import Submission\n"
        f"print(Submission.read({str(path)!r}).find(['g']).fault.kind, 'jax' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["exception", "False", "False"]


def test_a_module_knows_its_package(tmp_path):
    plain(tmp_path / "answers" / "__init__.py", "")
    plain(tmp_path / "answers" / "helpers.py", "def g(x): return 2 * x\n")
    path = plain(
        tmp_path / "answers" / "work.py",
        "from .helpers import g\nimport answers.helpers as h\ndef f(x): return g(x) + h.g(x)\n",
    )
    for place in (path, path.parent, tmp_path):
        assert Submission.read(place).find(["f"]).values["f"](1) == 4
