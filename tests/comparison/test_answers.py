"""Claims about answers that can't be judged to the end: each is refused in one sentence, with its author's line."""

import math
import random
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compare import compare, compare_jvp
from course.comparison.judging import Setting, stream
from course.comparison.pair import judge_pair
from course.comparison.point import make_point
from tests.comparison.pairs import affine, affine_bwd, draw, judged, said, square, square_fwd


def of_square(bwd, fwd=square_fwd):
    return compare(square, fwd, bwd, draw(4))


def loosely(bwd, fwd=square_fwd):
    """Judges an answer that need not be traceable."""
    return judge_pair(make_point(square, (draw(4),)), fwd, bwd, Setting(traceable=False))


RNG = np.random.default_rng()


def drawn_by_numpy(x, y_bar):
    return (2 * x * y_bar * RNG.uniform(0.5, 1),)


def drawn_by_python(x, y_bar):
    return (2 * x * y_bar * random.random(),)


@pytest.mark.parametrize("bwd", [drawn_by_numpy, drawn_by_python])
def test_randomness_is_refused(bwd):
    found = of_square(bwd)
    assert found.headline == f"{bwd.__name__} keeps state between calls"
    assert "a second call gave others" in said(found)


def test_randomness_in_fwd_is_refused():
    def fwd(x):
        return square(x) * RNG.uniform(0.5, 1), x

    assert of_square(lambda x, y_bar: (2 * x * y_bar,), fwd).headline == "fwd keeps state between calls"


CALLS = 0
SEEN = []
CACHE = {}


def counting(x, y_bar):
    global CALLS
    CALLS += 1
    return (2 * x * y_bar,)


def remembering(x, y_bar):
    SEEN.append(y_bar.shape)
    return (2 * x * y_bar,)


def caching(x, y_bar):
    CACHE.setdefault("x_bar", 2 * x * y_bar)
    return (CACHE["x_bar"],)


def by_way_of(x, y_bar):
    return counting(x, y_bar)


def with_default(x, y_bar, calls=[]):  # noqa: B006 - the mistake that is to be found
    calls.append(1)
    return (2 * x * y_bar,)


@pytest.mark.parametrize(
    "bwd, name",
    [(counting, "CALLS"), (remembering, "SEEN"), (caching, "CACHE"), (by_way_of, "CALLS"), (with_default, "calls")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_hidden_state_is_refused_by_name(bwd, name):
    found = of_square(bwd)
    assert found.headline == f"{bwd.__name__} keeps state between calls"
    assert f"it changes `{name}`, which lives outside it" in said(found)


def test_state_in_a_closure_is_refused_by_name():
    calls = 0

    def bwd(x, y_bar):
        nonlocal calls
        calls += 1
        return (2 * x * y_bar,)

    assert "it changes `calls`" in said(of_square(bwd))


def test_a_tracer_that_leaks_is_refused():
    kept = []

    def bwd(x, y_bar):
        if isinstance(x, jax.core.Tracer):
            kept.append(x)
        return (2 * x * y_bar,)

    assert "it changes `kept`" in said(of_square(bwd))


class Stateful:
    def __init__(self):
        self.last = None

    def __call__(self, x, y_bar):
        self.last, came = y_bar, self.last
        return (2 * x * (y_bar if came is None else came),)


def test_a_stale_answer_is_refused():
    found = compare(square, square_fwd, Stateful(), draw(4))
    assert not found.agrees
    assert found.faults[0].kind == "state"


def test_an_answer_that_does_not_follow_its_cotangent_is_refused():
    def bwd(x, y_bar):
        once = jax.random.normal(jax.random.key(0), (4,), x.dtype)
        return (2 * x * once,)

    x = draw(4)
    found = compare(square, square_fwd, bwd, x)
    assert found.headline == "x_bar is wrong"
    assert "Twice the y_bar must give twice the cotangents: x_bar stayed the same." in said(found)


def test_an_answer_right_for_one_cotangent_alone_is_refused():
    seen = compare(square, square_fwd, lambda x, y_bar: (2 * x * y_bar,), draw(4))
    assert seen.agrees

    def bwd(x, y_bar):
        return (2 * x * y_bar * jnp.where(jnp.abs(y_bar).max() > TWICE, 3.0, 1.0),)

    found = compare(square, square_fwd, bwd, draw(4))
    assert found.faults[0].kind == "state"
    assert "x_bar did not follow" in said(found)


TWICE = 1.5 * float(np.abs(stream(0).standard_normal(4)).max())
"""Above the cotangent that is drawn for four numbers from seed 0, below twice that."""


def test_writing_into_an_argument_is_refused():
    def fwd(params, x):
        params["w"] = params["w"] * 2
        return x * params["w"] / 2, (params, x)

    def pop(params, x):
        return x * params.pop("w"), (params, x)

    for wrong in (fwd, pop):
        found = compare(lambda p, x: x * p["w"], wrong, lambda r, g: ({"w": 0.0}, g), {"w": 1.5}, 2.5)
        assert found.headline == f"{wrong.__name__} changes its arguments"


def test_writing_into_residuals_is_refused():
    def popping(residuals, y_bar):
        x = residuals.pop()
        return (2 * x * y_bar,)

    assert of_square(popping, lambda x: (x**2, [x])).headline == "popping changes its arguments"

    def in_place(x, y_bar):
        x *= 2
        return (x * y_bar,)

    found = loosely(in_place, lambda x: (x**2, np.array(x)))
    assert found.headline == "bwd changes its arguments"


def test_a_donated_argument_is_refused():
    found = of_square(lambda x, y_bar: (2 * x * y_bar,), jax.jit(square_fwd, donate_argnums=0))
    assert found.agrees or found.faults[0].kind == "mutation"


NOT_TRACEABLE = {
    "NumPy": (lambda x, y_bar: (2 * np.sin(np.asarray(x)) * y_bar,), "use `jnp` in place of `np`"),
    "if": (lambda x, y_bar: (2 * x * y_bar if y_bar.sum() < 1e9 else x,), "use `jnp.where` or `jax.lax.cond`"),
    "float": (lambda x, y_bar: (2 * x * y_bar * float(x[0]) / x[0],), "needed as a plain number"),
    "math": (lambda x, y_bar: (2 * x * y_bar * math.exp(x[0]) / jnp.exp(x[0]),), "needed as a plain number"),
    "item": (lambda x, y_bar: (2 * x * y_bar * x[0].item() / x[0],), "needed as a plain number"),
    "mask": (lambda x, y_bar: ((2 * x * y_bar)[x < 1e9],), "indexed by a mask"),
    "range": (
        lambda x, y_bar: (sum(2 * x * y_bar for _ in range(jnp.abs(x).argmax())) + x * y_bar,),
        "as a Python integer",
    ),
}


@pytest.mark.parametrize("bwd, sentence", NOT_TRACEABLE.values(), ids=NOT_TRACEABLE)
def test_what_cannot_be_traced_is_refused_with_its_line(bwd, sentence):
    found = of_square(bwd)
    assert found.headline == "bwd can't be traced by jit"
    assert sentence in said(found)
    assert found.faults[0].line.file.endswith("test_answers.py")


def test_what_cannot_be_traced_is_a_note_where_that_is_not_asked():
    def bwd(x, y_bar):
        return (np.asarray(x) * 2 * np.asarray(y_bar),)

    found = loosely(bwd)
    assert found.agrees, said(found)
    assert "Right for numbers, not yet for jit: NumPy was given a value" in said(found)
    assert any(note.startswith("Given float32, it returns") for note in found.notes) is False
    assert found.costs == ()


def test_float64_from_numpy_in_float32_is_a_note():
    def bwd(x, y_bar):
        return (np.asarray(x, np.float64) * 2 * np.asarray(y_bar),)

    found = loosely(bwd)
    assert found.agrees, said(found)
    assert "Given float32, it returns float64; JAX makes float32 of it. Accepted." in found.notes


def test_a_shape_among_the_residuals_is_refused_as_jit_would():
    found = of_square(lambda r, y_bar: (2 * jnp.reshape(r[0], r[1]) * y_bar,), lambda x: (x**2, (x, x.shape)))
    assert found.headline == "bwd can't be traced by jit"
    assert "a number among the residuals is traced" in said(found)
    found = of_square(lambda r, y_bar: (2 * r[0] * y_bar * r[1],), lambda x: (x**2, (x, 1.0)))
    assert found.agrees, said(found)


@pytest.mark.parametrize("thing", ["relu", jnp.sin, object()], ids=["string", "function", "object"])
def test_residuals_are_arrays_and_numbers(thing):
    found = of_square(lambda r, y_bar: (2 * r[0] * y_bar,), lambda x: (x**2, (x, thing)))
    assert found.headline == "fwd returns the wrong structure"
    assert "The residuals must be arrays and numbers; residuals[1] is a" in said(found)


def test_residuals_that_are_no_pytree_are_refused():
    found = of_square(lambda r, y_bar: (2 * r["x"] * y_bar,), lambda x: (x**2, {"x": x, 1: x}))
    assert "The residuals must be a pytree of arrays and numbers" in said(found)


ENDLESS_LIST, ENDLESS_DICT = [], {}
ENDLESS_LIST.append((ENDLESS_LIST, ENDLESS_LIST))
ENDLESS_DICT["x"] = ENDLESS_DICT


@pytest.mark.parametrize("endless", [ENDLESS_LIST, ENDLESS_DICT], ids=["list", "dict"])
def test_what_holds_itself_is_refused_before_anything_walks_it(endless):
    found = of_square(lambda r, y_bar: (2 * r * y_bar,), lambda x: (x**2, (x, endless)))
    assert "yours has a list or dict within itself" in said(found)


def test_an_argument_made_to_hold_itself_counts_as_changed():
    def bwd(residuals, y_bar):
        residuals.append(residuals)
        return (2 * residuals[0] * y_bar,)

    assert "must leave its arguments as they are" in said(of_square(bwd, lambda x: (x**2, [x])))


def failing_bwd(x, y_bar):
    raise RuntimeError("out of ideas")


def test_an_exception_is_recorded_with_its_line():
    found = of_square(failing_bwd)
    assert found.headline == "failing_bwd stops with an error"
    assert found.remarks[0].text.startswith("RuntimeError: out of ideas.\n")
    assert found.remarks[0].text.endswith('raise RuntimeError("out of ideas")')
    assert found.faults[0].line.number == failing_bwd.__code__.co_firstlineno + 1


def test_an_exception_that_comes_late_is_recorded():
    def bwd(x, y_bar):
        return (jax.pure_callback(lambda x: 1 / 0, x, x),)

    assert of_square(bwd).headline == "bwd stops with an error"


def test_an_exception_in_fwd_or_rule_is_recorded():
    def fwd(x):
        return x @ x.nothing, None

    def rule(primals, tangents):
        return primals[0] / "2", tangents

    assert of_square(failing_bwd, fwd).headline == "fwd stops with an error"
    assert compare_jvp(square, rule, draw(4)).headline == "rule stops with an error"


@pytest.mark.parametrize("stop", [SystemExit, GeneratorExit, RecursionError], ids=lambda stop: stop.__name__)
def test_an_answer_that_ends_the_program_is_recorded(stop):
    def bwd(x, y_bar):
        raise stop

    assert of_square(bwd).headline == "bwd stops with an error"


def test_ctrl_c_is_not_the_answers_fault():
    def bwd(x, y_bar):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of_square(bwd)


def test_a_stub_is_not_started():
    def bwd(x, y_bar):
        raise NotImplementedError

    assert of_square(bwd).headline == "bwd not started"


@pytest.mark.parametrize(
    "fwd, takes",
    [(lambda x, w: None, "(x, w)"), (lambda: None, "()"), (lambda x, w, b, c: None, "(x, w, b, c)")],
    ids=["few", "none", "many"],
)
def test_a_wrong_number_of_arguments_is_said(fwd, takes):
    found = judged(fwd=fwd)
    assert found.headline == "fwd takes the wrong arguments"
    assert f"fwd must take 3 arguments, by position; yours takes {takes}." in said(found)


def test_what_is_no_function_is_said():
    found = compare(square, square_fwd, None, draw(4))
    assert "bwd must be a function; yours is None." in said(found)


def test_the_forward_value_is_judged_before_backward():
    found = judged(failing_bwd, lambda x, w, b: (x @ w - b, None))
    assert found.headline == "the forward value is wrong"
    assert "y must be the primal's value; yours is off by" in said(found)


@pytest.mark.parametrize(
    "value, sentence",
    [
        (lambda y: y.T, "y must have the shape of the primal's value, (5, 4); yours has shape (4, 5)."),
        (lambda y: y[0], "yours has shape (4,)"),
        (lambda y: y / 0, "y must be the primal's value; yours is not finite."),
        (lambda y: None, "y is None"),
    ],
    ids=["transposed", "row", "infinite", "None"],
)
def test_a_wrong_value_is_refused(value, sentence):
    found = judged(fwd=lambda *primals: (value(affine(*primals)), primals[:2]))
    assert not found.agrees
    assert sentence in said(found)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_never_passes(bad):
    def bwd(residuals, y_bar):
        x_bar, w_bar, b_bar = affine_bwd(residuals, y_bar)
        return x_bar, w_bar, b_bar * bad

    found = judged(bwd)
    assert not found.agrees
    assert found.arrays[2].slip.kind == "not finite"
    found = judged(lambda r, g: tuple(array * bad for array in affine_bwd(r, g)))
    assert not any(array.right for array in found.arrays)


def test_prints_of_the_first_call_are_kept_and_later_ones_are_silent(capsys):
    def bwd(x, y_bar):
        print("shape", x.shape)
        print("careful", file=sys.stderr)
        return (2 * x * y_bar,)

    found = of_square(bwd)
    assert found.printed == "shape (4,)\ncareful\n"
    assert capsys.readouterr() == ("", "")


def test_prints_go_to_the_terminal_when_asked(capsys):
    def bwd(x, y_bar):
        print("aloud")
        return (2 * x * y_bar,)

    judge_pair(make_point(square, (draw(4),)), square_fwd, bwd, Setting(aloud=True))
    assert "aloud" in capsys.readouterr().out


def test_a_warning_is_a_note():
    def bwd(x, y_bar):
        warnings.warn("a division to look at", RuntimeWarning, stacklevel=1)
        return (2 * x * y_bar,)

    found = of_square(bwd)
    assert found.agrees
    assert found.notes == ("It warns: RuntimeWarning: a division to look at.",)
