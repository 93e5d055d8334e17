"""An exception becomes a fault with its author's line and one sentence, whatever raised it."""

import json
import math
import re
import subprocess
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.faults import fault_of, is_theirs, line_at, register
from course.records import Fault

kept = []


def with_numpy(x):
    return np.sin(x)


def with_if(x):
    return x if x > 0 else -x


def with_range(x):
    return [x for _ in range(jnp.int32(x))]


def with_mask(x):
    return jnp.arange(3)[jnp.arange(3) > x]


def with_math(x):
    return math.exp(x)


def with_float(x):
    return float(x) + 1


def with_item(x):
    return x.item()


def with_leak(x):
    jax.jit(kept.append)(x)
    return kept.pop() + 1


def with_assignment(x):
    y = jnp.zeros(3) + x
    y[0] = 1
    return y


def with_write(x):
    y = np.asarray(jnp.zeros(3))
    y[0] = 1
    return x


def with_carry(x):
    return jax.lax.scan(lambda carry, _: (jnp.stack([carry, carry]), None), x, None, length=3)


def with_recursion(x):
    return with_recursion(x)


def with_exit(x):
    sys.exit(x)


def with_nothing(x):
    raise NotImplementedError


def with_shapes(x):
    return jnp.ones((2, 3)) @ jnp.ones((2, 3)) * x


def fault_from(function, *arguments, where=""):
    with pytest.raises(BaseException) as raised:
        function(*arguments)
    return fault_of(raised.value, where)


@pytest.mark.parametrize(
    "function, kind, words",
    [
        (with_numpy, "tracing", "use `jnp` in place of `np`"),
        (with_if, "tracing", "`jnp.where` or `jax.lax.cond`"),
        (with_range, "tracing", "as a Python integer"),
        (with_mask, "tracing", "indexed by a mask"),
        (with_math, "tracing", "as a plain number"),
        (with_float, "tracing", "as a plain number"),
        (with_item, "tracing", "as a plain number"),
        (with_assignment, "exception", "x.at[i].set(value)"),
        (with_carry, "exception", "A loop's carry"),
        (with_recursion, "exception", "calls itself without end"),
        (with_exit, "exception", "ends the program"),
        (with_nothing, "not_started", "still raises NotImplementedError"),
        (with_shapes, "exception", "TypeError: dot_general requires contracting dimensions"),
    ],
)
def test_what_goes_wrong_under_jit_is_told_with_its_line(function, kind, words):
    fault = fault_from(jax.jit(function), 1.0)
    assert (fault.kind, fault.where) == (kind, function.__name__)
    assert words in fault.message
    assert function.__code__.co_firstlineno < fault.line.number < function.__code__.co_firstlineno + 5


def test_a_value_that_is_kept_between_calls_is_state():
    fault = fault_from(with_leak, 1.0)
    assert (fault.kind, fault.line.code) == ("state", "return kept.pop() + 1")
    assert "kept outside the function" in fault.message


def test_writing_into_what_may_not_change_is_a_mutation():
    fault = fault_from(with_write, 1.0)
    assert (fault.kind, fault.line.code) == ("mutation", "y[0] = 1")


def test_the_given_name_goes_before_the_functions_own():
    assert fault_from(with_exit, 1, where="affine_bwd").where == "affine_bwd"


def test_a_missing_primitive_inside_jax_is_no_stub():
    def inside(x):
        return raise_inside(x)

    raise_inside = types.FunctionType(with_nothing.__code__.replace(co_filename=jax.__file__), globals())
    assert fault_from(inside, 1).kind == "exception"


def test_frames_of_python_packages_and_the_course_are_not_theirs():
    import course.records

    for module in (json, jax, np, pytest, course.records):
        assert not is_theirs(module.__file__)
    for name in ("<string>", "<frozen importlib._bootstrap>", "<__array_function__ internals>"):
        assert not is_theirs(name)
    for name in (__file__, "work.ipynb cell 3", "<ipython-input-3-abc>", "<stdin>"):
        assert is_theirs(name)


def test_the_line_is_the_deepest_of_theirs_even_below_a_library():
    fault = fault_from(lambda: json.loads("[1]", parse_int=with_nothing))
    assert fault.line.code == "raise NotImplementedError"


def test_an_error_in_another_file_of_theirs_is_told_with_the_line_that_called_into_it(tmp_path):
    earlier = tmp_path / "earlier.py"
    earlier.write_text("def divided(x):\n    return x / 0\n")
    names = {}
    exec(compile(earlier.read_text(), str(earlier), "exec"), names)

    def own(x):
        return names["divided"](x)

    fault = fault_from(own, 1)
    assert (fault.line.file, fault.line.number) == ("earlier.py", 2)
    assert re.search(r'It was called at .*test_faults\.py, line \d+: return names\["divided"\]\(x\)$', fault.message)
    assert "called at" not in fault_from(with_exit, 1).message


def test_an_error_without_a_frame_of_theirs_has_no_line():
    fault = fault_of(ValueError("what must hold\nand more"), "f")
    assert fault == Fault("exception", "f", "ValueError: what must hold.")


def test_long_and_hostile_messages_are_cut_to_a_sentence():
    class Hostile(Exception):
        def __str__(self):
            raise RuntimeError

    assert fault_of(Hostile()).message == "Hostile."
    assert fault_of(ValueError("")).message == "ValueError."
    assert len(fault_of(ValueError("words " * 1000)).message) < 250
    assert fault_of(ValueError("\n\n  why?\n")).message == "ValueError: why?"


def test_registered_code_is_known_by_its_authors_name():
    register("/somewhere/work.ipynb cell 2", "work.ipynb cell 2", "a = 1\nb = a / 0\n")
    assert str(line_at("/somewhere/work.ipynb cell 2", 2)) == "work.ipynb cell 2, line 2: b = a / 0"
    assert line_at("/somewhere/work.ipynb cell 2", 9).code == ""


def test_a_file_is_named_from_the_current_folder_and_by_its_name_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "week").mkdir()
    (tmp_path / "week" / "work.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    assert line_at(str(tmp_path / "week" / "work.py"), 1).file == "week/work.py"
    monkeypatch.chdir("/")
    monkeypatch.chdir(tmp_path / "week")
    assert line_at(str(tmp_path / "other.py"), 1).file == "other.py"


def test_a_cell_of_a_running_notebook_is_named_as_ipython_does():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as Shell\n"
        "from course.comparison.faults import fault_of\n"
        "shell = Shell.instance()\n"
        "shell.run_cell('def f():\\n    return 1 / 0', store_history=True)\n"
        "try: shell.user_ns['f']()\n"
        "except ZeroDivisionError as error: print(fault_of(error).line)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Cell In[1], line 2: return 1 / 0"
