"""Only what an answer needs is run, in the order in which it was written."""

import pytest

from course.grading.closure import uses_of as read_uses
from tests.grading.students import cells, script


def value(submission, name="f"):
    found = submission.find([name])
    assert found.fault is None, found.fault
    return found.values[name]


def uses_of(text):
    return tuple(set(names) or () for names in read_uses(text))


def test_only_what_the_wanted_name_needs_is_run(tmp_path):
    submission = script(
        tmp_path,
        """
        import no_such_package
        scale = 3
        data = no_such_package.load()

        def unrelated():
            return data

        def f(x):
            return scale * x
        """,
    )
    assert value(submission)(2) == 6


def test_needs_are_followed_through_helpers_defaults_decorators_and_annotations(tmp_path):
    submission = script(
        tmp_path,
        """
        import functools as ft
        Number = float
        two = 2
        three = 3

        def twice(function):
            @ft.wraps(function)
            def wrapped(x):
                return two * function(x)
            return wrapped

        def helper(x):
            return x + 1

        @twice
        def f(x: Number, y=three) -> Number:
            return helper(x) + y
        """,
    )
    assert value(submission)(1) == 10


def test_one_name_of_an_import_is_taken_without_its_neighbours(tmp_path):
    submission = script(tmp_path, "import math, no_such_package\ndef f(x): return math.sqrt(x)\n")
    assert value(submission)(4) == 2


def test_two_imports_below_one_package_are_both_run(tmp_path):
    submission = script(
        tmp_path,
        "import xml.dom\nimport xml.sax\ndef f(): return xml.dom.__name__, xml.sax.__name__\n",
    )
    assert value(submission)() == ("xml.dom", "xml.sax")


def test_the_later_definition_wins_and_the_earlier_one_is_not_run(tmp_path):
    submission = cells(tmp_path, "@no_such_decorator\ndef f(): return 1", "def f(): return 2")
    assert value(submission)() == 2


def test_a_function_that_calls_itself_does_not_keep_an_earlier_one(tmp_path):
    submission = cells(tmp_path, "@no_such_decorator\ndef f(n): return 1", "def f(n): return n and f(n - 1)")
    assert value(submission)(3) == 0


def test_a_definition_that_wraps_itself_keeps_the_earlier_one(tmp_path):
    submission = cells(tmp_path, "def f(x): return x", "def double(g): return lambda x: 2 * g(x)", "f = double(f)")
    assert value(submission)(3) == 6


def test_a_name_that_is_rebuilt_from_itself_is_followed_back(tmp_path):
    submission = cells(tmp_path, "w = 1", "w = w + 1", "w += 1", "def f(): return w")
    assert value(submission)() == 3


def test_a_plain_assignment_hides_the_one_before_it(tmp_path):
    submission = cells(tmp_path, "w = no_such_name()", "w = 2", "def f(): return w")
    assert value(submission)() == 2


def test_a_value_is_computed_with_what_stood_above_it(tmp_path):
    submission = cells(
        tmp_path, "scale = 2", "def g(x): return scale * x", "t = g(3)", "scale = 5", "def f(): return t, g(1)"
    )
    assert value(submission)() == (6, 5)


def test_assignments_into_a_needed_value_are_run(tmp_path):
    submission = script(
        tmp_path,
        """
        class Bag: pass
        table, other = {}, {}
        table["a"] = 1
        table["b"], (first, *rest) = 2, (3, 4)
        other["a"] = no_such_name
        bag = Bag()
        bag.size = len(table)
        total: int = 1
        total += bag.size
        def f(): return table, total, first, rest
        """,
    )
    assert value(submission)() == ({"a": 1, "b": 2}, 3, 3, [4])


def test_nothing_is_set_inside_an_imported_module(tmp_path):
    submission = script(
        tmp_path, "import os\nos.environ['HANDGRAD_X'] = '1'\ndef f(): return os.environ.get('HANDGRAD_X')\n"
    )
    assert value(submission)() is None


def test_locals_comprehensions_and_attributes_are_no_needs(tmp_path):
    submission = script(
        tmp_path,
        """
        x = shape = item = no_such_name
        y = 3

        def f(a):
            x = a
            return [item for item in [x.__class__]] and (lambda shape: shape)(a) + y
        """,
    )
    assert value(submission)(1) == 4


def test_prints_loops_and_main_are_never_run(tmp_path):
    submission = script(
        tmp_path,
        """
        print("training")
        def f(): return 1
        while True:
            pass
        if __name__ == "__main__":
            raise SystemExit
        """,
    )
    found = submission.find(["f"])
    assert (found.fault, found.printed) == (None, "")


@pytest.mark.parametrize(
    "block, word",
    [
        ("if True:\n    scale = 2", "if"),
        ("for scale in range(3):\n    pass", "for"),
        ("while True:\n    scale = 1\n    break", "while"),
        ("with open('x') as scale:\n    pass", "with"),
        ("try:\n    import math as scale\nexcept ImportError:\n    scale = None", "try"),
        ("match 1:\n    case scale:\n        pass", "match"),
    ],
)
def test_a_name_that_is_set_only_in_a_block_is_said_to_be_skipped(tmp_path, block, word):
    fault = script(tmp_path, f"{block}\ndef f(): return scale\n").find(["f"]).fault
    assert (fault.kind, fault.where, fault.line.number) == ("skipped", "f", 1)
    assert f"`scale` is set only inside the `{word}` on line 1" in fault.message


def test_an_answer_that_stands_in_an_if_is_said_to_be_skipped(tmp_path):
    fault = script(tmp_path, "\nif True:\n    def f(): return 1\n").find(["f"]).fault
    assert (fault.kind, fault.line.code) == ("skipped", "if True:")


def test_a_block_that_shadows_a_builtin_name_does_no_harm(tmp_path):
    assert value(script(tmp_path, "for id in range(3): pass\ndef f(x): return id(x) == id(x)\n"))(1)


def test_lines_that_would_have_changed_a_needed_value_are_reported(tmp_path):
    submission = script(
        tmp_path,
        """\
        table = [1]
        table.append(2)
        for table in []: pass
        table.sort
        print(table)
        def f(): return table
        """,
    )
    found = submission.find(["f"])
    assert found.values["f"]() == [1]
    assert [line.number for line in found.skipped] == [2, 3]


def test_a_star_import_is_run_since_it_may_bind_anything(tmp_path):
    assert value(script(tmp_path, "from math import *\ndef f(x): return sqrt(x)\n"))(9) == 3


def test_future_annotations_are_not_needs(tmp_path):
    submission = script(
        tmp_path,
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from nowhere import Array
        def f(x: Array) -> Array: return x
        """,
    )
    assert value(submission)(1) == 1
    assert value(submission).__annotations__ == {"x": "Array", "return": "Array"}


def test_our_own_future_imports_do_not_reach_their_code(tmp_path):
    assert value(script(tmp_path, "def f(x: int): return x\n")).__annotations__ == {"x": int}


def test_a_class_brings_its_bases_and_what_its_methods_call(tmp_path):
    submission = script(
        tmp_path,
        """
        from typing import NamedTuple
        def area(box): return box.w * box.h
        class Box(NamedTuple):
            w: int
            h: int
            def size(self): return area(self)
        def f(): return Box(2, 3).size()
        """,
    )
    assert value(submission)() == 6


def test_walrus_starred_and_global_names_are_bound(tmp_path):
    submission = script(
        tmp_path,
        """
        pair = (n := 2, n + 1)
        *most, last = 1, 2, 3
        count = 0
        def tick():
            global count
            count += 1
            return count
        def f(): return n, most, tick()
        """,
    )
    assert value(submission)() == (2, [1, 2], 1)


def test_a_lambda_that_is_called_on_the_spot_reads_at_once(tmp_path):
    assert value(cells(tmp_path, "c = 1", "c = (lambda z: z + c)(5)", "def f(): return c"))() == 6
    assert value(cells(tmp_path, "c = no_such_name", "f = lambda: c", "c = 2"))() == 2


def test_a_function_that_is_handed_on_sees_what_is_set_later(tmp_path):
    wrap = "def wrap(g):\n    return lambda: g()"
    submission = cells(
        tmp_path, wrap, "def g(): return e", "h = wrap(g)", "e = 2", "t = h()", "e = 3", "def f(): return t, h()"
    )
    assert value(submission)() == (2, 3)


def test_a_stub_that_was_replaced_does_not_matter(tmp_path):
    stub = "def g(x):\n    raise NotImplementedError"
    submission = cells(tmp_path, stub, "def f(x): return g(x)", "f = (lambda h: h)(f)", "def g(x): return x")
    assert value(submission)(1) == 1


def test_uses_are_told_apart_by_when_they_are_read():
    assert uses_of("f = lambda x: x + a") == ((), {"a"}, ())
    assert uses_of("f = [b for b in c if d]") == ({"c", "d"}, (), ())
    assert uses_of("f = b, {b: a for b in c for a in b}") == ({"b", "c"}, (), ())
    assert uses_of("f = [[b for b in a] for a in a]") == ({"a"}, (), ())
    assert uses_of("e, f = [e for b in range(2)], 3") == ({"e", "range"}, (), ())
    assert uses_of("e = [lambda e: e for e in e if e]") == ({"e"}, (), ())
    assert uses_of("class A(B):\n    x = c\n    def m(self): return d, lambda: e") == ({"B", "c"}, (), {"d", "e"})
    assert uses_of("def f(x=lambda: a): return b") == ((), {"a"}, {"b"})
