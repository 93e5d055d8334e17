"""Claims about what is left of an answer in a hand-out."""

import ast
import textwrap

import pytest

from course.authoring.shapes import parts_named_in, shapes_comment
from course.authoring.stubs import NothingAsked, asked_statements, stub
from course.grading.reading import read_file
from course.grading.stubs import unfinished
from tests.authoring.samples import SOLUTION, asks, solution


def function(text):
    """The one function of a text, and the text."""
    text = textwrap.dedent(text).strip("\n")
    return text, ast.parse(text).body[0]


def lines_stub(text):
    return stub(*function(text), asks("f", scaffold="lines"))


def test_a_stub_is_signature_docstring_shapes_and_questions(tmp_path):
    answer = solution(tmp_path)
    assert stub(answer.text, answer.functions["bend_fwd"], asks("bend_fwd")) == (
        "def bend_fwd(x, scale=1.0):\n"
        '    """Returns x bent, and the residuals."""\n'
        "    # x (batch, d_in)  scale: a number\n"
        "    # 1. What must be kept?\n"
        "    raise NotImplementedError"
    )


def test_what_their_own_forward_keeps_is_not_told(tmp_path):
    answer = solution(tmp_path)
    assert stub(answer.text, answer.functions["bend_bwd"], asks("bend_bwd")) == (
        "def bend_bwd(residuals, y_bar):\n"
        '    """Returns (x_bar,)."""\n'
        "    # y_bar (batch, d_in)\n"
        "    # 1. How steep is it there,\n"
        "    #    and why?\n"
        "    # 2. What comes back?\n"
        "    raise NotImplementedError"
    )


def test_where_forward_is_given_its_residuals_are_told(tmp_path):
    answer = solution(tmp_path)
    handed = stub(answer.text, answer.functions["bend_bwd"], asks("bend_bwd", given=len))
    assert "    # residuals (batch, d_in)  y_bar (batch, d_in)\n" in handed


def test_lines_are_left_and_what_is_asked_becomes_a_blank(tmp_path):
    answer = solution(tmp_path)
    assert stub(answer.text, answer.functions["bend_bwd"], asks("bend_bwd", scaffold="lines")) == (
        "def bend_bwd(residuals, y_bar):\n"
        '    """Returns (x_bar,)."""\n'
        "    # y_bar (batch, d_in)\n"
        "    x = residuals\n"
        "    # A remark that is no question.\n"
        "    # 1. How steep is it there,\n"
        "    #    and why?\n"
        "    steep = ...\n"
        "    # 2. What comes back?\n"
        "    x_bar = ...\n"
        "    return (x_bar,)"
    )


def test_every_assignment_of_a_step_is_asked_and_a_later_return_is_given():
    handed = lines_stub("""
        def f(a):
            # 1. Two?
            b = a + 1
            c: int = a + 2
            return b, c
    """)
    assert handed.endswith("    b = ...\n    c: int = ...\n    return b, c")


def test_a_return_that_comes_first_in_its_step_is_asked():
    assert lines_stub("def f(a):\n    # 1. What?\n    return a + 1").endswith("    # 1. What?\n    return ...")


@pytest.mark.parametrize("end", ["\n", "    # Given.\n"])
def test_a_blank_line_or_another_comment_ends_a_step(end):
    handed = lines_stub(f"def f(a):\n    # 1. What?\n    b = a + 1\n{end}    c = b + 1\n    return c")
    assert handed.endswith("    b = ...\n" + end + "    c = b + 1\n    return c")


def test_a_value_over_several_lines_becomes_one_blank():
    handed = lines_stub("""
        def f(a):
            # 1. What?
            b = (
                a
                + 1
            )
            c = g(
                b,
            )
            # 2. And?
            return (
                b + c
            )
    """)
    assert handed.endswith("    # 1. What?\n    b = ...\n    c = ...\n    # 2. And?\n    return ...")


def test_a_blank_in_a_loop_keeps_its_place():
    handed = lines_stub("def f(a):\n    # 1. What?\n    for b in a:\n        (c,) = g(b)\n    return c")
    assert handed.endswith("    for b in a:\n        (c,) = ...\n    return c")


def test_names_outside_ascii_do_not_shift_a_blank():
    assert lines_stub("def f(a):\n    # 1. What?\n    ŷ = a * 2\n    return ŷ").endswith("    ŷ = ...\n    return ŷ")


@pytest.mark.parametrize("scaffold", ["lines", "signature"])
def test_an_answer_without_a_question_has_no_stub(scaffold):
    with pytest.raises(NothingAsked, match="needs a numbered question"):
        stub(*function("def f(a):\n    return a"), asks("f", scaffold=scaffold))


def test_lines_of_which_none_is_asked_are_no_exercise():
    with pytest.raises(NothingAsked, match="has no assignment"):
        lines_stub("def f(a):\n    # 1. What?\n\n    return a")


@pytest.mark.parametrize("scaffold", ["lines", "signature"])
@pytest.mark.parametrize("name", ["bend_fwd", "bend_bwd"])
def test_every_stub_counts_as_not_started(tmp_path, scaffold, name):
    answer = solution(tmp_path)
    place = tmp_path / "stub.py"
    place.write_text(stub(answer.text, answer.functions[name], asks(name, scaffold=scaffold)))
    fault = unfinished(read_file(place, "stub.py").statements, [name])
    assert fault is not None
    assert fault.kind == "not_started"


def test_all_statements_are_asked_of_a_signature_and_the_blanks_of_lines(tmp_path):
    answer = solution(tmp_path)
    node = answer.functions["bend_bwd"]
    lines = asked_statements(SOLUTION, node, asks("bend_bwd", scaffold="lines"))
    whole = asked_statements(SOLUTION, node, asks("bend_bwd"))
    assert [ast.unparse(s) for s in lines] == [
        "steep = SLOPE * jnp.cos(x)",
        "x_bar = relu_bwd(steep, y_bar)[0] * steep",
    ]
    assert [ast.unparse(s) for s in whole] == ["x = residuals", *(ast.unparse(s) for s in lines), "return (x_bar,)"]


@pytest.mark.parametrize(
    "annotation, shape",
    [
        ('Float[Array, "batch d_in"]', "(batch, d_in)"),
        ('Float[Array, "d_in"]', "(d_in,)"),
        ('Int[Array, "batch"]', "(batch,) int"),
        ('tuple[Float[Array, "batch"], Float[Array, ""]]', "((batch,), a number)"),
        ('tuple[Float[Array, "batch d_in"]]', "((batch, d_in),)"),
    ],
)
def test_a_shape_is_said_as_the_annotation_says_it(annotation, shape):
    _, node = function(f"def f(a: {annotation}): pass")
    assert shapes_comment(node, kept=True) == f"# a {shape}"


@pytest.mark.parametrize(
    "annotation, words",
    [
        ('Float[Array, ""]', "a number"),
        ('Key[Array, ""]', "a key"),
        ("float", "a number"),
        ("Place", "a place"),
        ("Sequence[int]", "several numbers"),
        ("PyTree", "a tree"),
        ('Float[Array, ""] | float', "a number"),
        ('tuple[Float[Array, ""], float]', "2 numbers"),
        ('Float[Array, "*shape"]', "an array of any shape"),
        ('Bool[Array, "..."]', "an array of any shape, bool"),
        ("Layer", "w, b"),
        ("mlp.Layer", "w, b"),
        ("list[Layer]", "a list of (w, b)"),
    ],
)
def test_what_is_no_shape_is_said_in_words_and_a_named_tuple_by_its_parts(annotation, words):
    _, node = function(f"def f(a: {annotation}): pass")
    assert shapes_comment(node, kept=True, parts={"Layer": ("w", "b")}) == f"# a: {words}"


def test_the_stub_of_a_tangent_rule_tells_the_shapes_of_all_that_moves():
    text, _ = function(
        '''
        def f_jvp(
            primals: tuple[Layer, Float[Array, "batch d_in"]], tangents: tuple[Layer, Float[Array, "batch d_in"]]
        ) -> tuple[Float[Array, "batch"], Float[Array, "batch"]]:
            """Returns (y, y_dot)."""
            (layer, x), (layer_dot, x_dot) = primals, tangents
            # 1. What moves?
            return x @ layer.w, x_dot @ layer.w
        '''
    )
    text = f"from course.lessons.mlp import Layer\n{text}"
    node = ast.parse(text).body[1]
    assert stub(text, node, asks("f_jvp")) == (
        "def f_jvp(primals, tangents):\n"
        '    """Returns (y, y_dot)."""\n'
        "    # primals ((w, b), (batch, d_in))  tangents ((w, b), (batch, d_in))\n"
        "    # 1. What moves?\n"
        "    raise NotImplementedError"
    )


def test_the_parts_of_a_named_tuple_are_those_of_the_lesson():
    text = "import jax\nfrom course.lessons.mlp import Layer as One, Mlp, mlp\nfrom typing import Any"
    assert parts_named_in(text) == {"One": ("w", "b"), "Mlp": ("layers",)}


def test_a_union_of_what_does_not_read_alike_is_left_out():
    _, node = function('def f(a: Float[Array, "d"] | float): pass')
    assert shapes_comment(node, kept=True) == ""


def test_what_has_no_shape_is_left_out():
    _, node = function('def f(a: Any, b, c: Float[Array, "d"], e: Layer, *, d: list[Any], g: list[Layer]): pass')
    assert shapes_comment(node, kept=True) == "# c (d,)"
