"""Claims about the form of what an answer returns: what is accepted with which note, what is refused in which words."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compare import compare
from tests.comparison.pairs import B, W, X, affine, affine_bwd, affine_fwd, draw, judged, said, square, square_fwd

PARAMS = {"b": B, "w": W}


def dense(params, x):
    return affine(x, params["w"], params["b"])


def dense_fwd(params, x):
    return dense(params, x), (params, x)


def answered(form):
    """Judges an answer to `dense` that returns its right numbers in some form."""

    def bwd(residuals, y_bar):
        params, x = residuals
        x_bar, w_bar, b_bar = affine_bwd((x, params["w"]), y_bar)
        return form(w_bar, b_bar), x_bar

    return compare(dense, dense_fwd, bwd, PARAMS, X)


Parts = namedtuple("Parts", ["w", "b"])


@jax.tree_util.register_dataclass
@dataclass
class Registered:
    w: Any
    b: Any


@dataclass
class Plain:
    w: Any
    b: Any


ACCEPTED_CONTAINERS = {
    "dict in another order": (lambda w, b: {"w": w, "b": b}, ""),
    "OrderedDict": (lambda w, b: OrderedDict(w=w, b=b), "params_bar is an OrderedDict; params is a dict."),
    "NamedTuple": (Parts, "params_bar is a Parts; params is a dict."),
    "registered dataclass": (Registered, "params_bar is a Registered; params is a dict."),
    "tuple in the dict's order": (
        lambda w, b: (b, w),
        "params_bar is a tuple; params is a dict. Accepted by its order.",
    ),
    "list in the dict's order": (lambda w, b: [b, w], "params_bar is a list; params is a dict. Accepted by its order."),
}


@pytest.mark.parametrize("form, note", ACCEPTED_CONTAINERS.values(), ids=ACCEPTED_CONTAINERS)
def test_another_container_with_the_same_names_or_order_is_accepted(form, note):
    found = answered(form)
    assert found.agrees, said(found)
    assert [array.path for array in found.arrays] == ["params_bar['b']", "params_bar['w']", "x_bar"]
    assert note in said(found)
    assert bool(note) == bool(found.notes)


REFUSED_CONTAINERS = {
    "a missing part": (lambda w, b: {"w": w}, "params_bar must have the parts of params, b, w; yours has w."),
    "an extra part": (
        lambda w, b: {"w": w, "b": b, "c": b},
        "params_bar must have the parts of params, b, w; yours has",
    ),
    "another name": (lambda w, b: {"w": w, "bias": b}, "must have the parts of params, b, w; yours has"),
    "an unregistered dataclass": (Plain, "params_bar must have the parts of params, b, w; yours is a Plain."),
    "an array": (lambda w, b: w, "params_bar must have the parts of params, b, w; yours is an array of shape (3, 4)."),
    "None": (lambda w, b: None, "params_bar is None, but params holds floating-point numbers"),
    "None for a part": (lambda w, b: {"w": None, "b": b}, "params_bar['w'] is None, but params['w'] is an array"),
    "a list for a part": (
        lambda w, b: {"w": [w], "b": b},
        "params_bar['w'] must be an array of shape (3, 4); yours is a list",
    ),
}


@pytest.mark.parametrize("form, sentence", REFUSED_CONTAINERS.values(), ids=REFUSED_CONTAINERS)
def test_another_structure_is_refused_by_name(form, sentence):
    found = answered(form)
    assert not found.agrees
    assert found.faults[0].kind == "structure"
    assert found.headline.endswith("has the wrong structure")
    assert sentence in said(found)


def changed(change):
    """Judges an answer to affine whose w_bar is changed."""

    def bwd(residuals, y_bar):
        x_bar, w_bar, b_bar = affine_bwd(residuals, y_bar)
        return x_bar, change(w_bar), b_bar

    return judged(bwd)


def test_numpy_arrays_are_accepted_and_not_traceable():
    def bwd(residuals, y_bar):
        return tuple(np.asarray(array) for array in affine_bwd(residuals, y_bar))

    found = judged(bwd)
    assert found.faults[0].kind == "tracing"
    assert "use `jnp` in place of `np`" in said(found)


def test_integers_are_accepted_with_a_note():
    found = compare(
        lambda x: jnp.sum(x), lambda x: (jnp.sum(x), None), lambda _, g: (jnp.ones(4, int) * g.astype(int),), draw(4)
    )
    assert found.faults == ()
    found = compare(lambda x: 0 * x, lambda x: (0 * x, None), lambda _, g: (jnp.zeros(4, int),), draw(4))
    assert found.agrees, said(found)
    assert "x_bar came as int64. Accepted as numbers." in found.notes


def test_complex_numbers_without_an_imaginary_part_are_accepted_with_a_note():
    found = changed(lambda w_bar: w_bar + 0j)
    assert found.agrees, said(found)
    assert "w_bar is complex with no imaginary part. Accepted." in found.notes


def test_complex_numbers_are_refused():
    found = changed(lambda w_bar: w_bar + 1j)
    assert found.headline == "w_bar has the wrong type"
    assert "w_bar must be real; yours is complex" in said(found)


def test_float32_that_holds_the_number_is_accepted():
    found = compare(lambda x: 2 * x.sum(), lambda x: (2 * x.sum(), x), _float32_twos, draw(4))
    assert found.agrees, said(found)


def _float32_twos(x, y_bar):
    return ((2 * y_bar * jnp.ones_like(x)).astype(jnp.float32),)


REFUSED_ARRAYS = {
    "a scalar": (lambda w_bar: 0.0, "Yours has shape (); w has shape (3, 4)."),
    "an extra axis": (
        lambda w_bar: w_bar[None],
        "Yours has shape (1, 3, 4); w has shape (3, 4). The numbers are right.",
    ),
    "flat": (jnp.ravel, "Yours has shape (12,); w has shape (3, 4). The numbers are right."),
    "transposed": (jnp.transpose, "Yours has shape (4, 3); w has shape (3, 4). The numbers match transposed."),
    "nested lists": (lambda w_bar: [[0.0] * 4] * 3, "w_bar must be an array of shape (3, 4); yours is a list of 3"),
    "a function": (lambda w_bar: jnp.sin, "w_bar must be an array of shape (3, 4); yours is a function."),
    "objects": (lambda w_bar: np.full((3, 4), None), "w_bar must be an array of shape (3, 4); yours is an array of"),
    "a string": (lambda w_bar: "w_bar", "w_bar must be an array of shape (3, 4); yours is a str."),
    "None": (lambda w_bar: None, "w_bar is None, but w is an array of shape (3, 4): return one."),
}


@pytest.mark.parametrize("change, sentence", REFUSED_ARRAYS.values(), ids=REFUSED_ARRAYS)
def test_another_array_is_refused_with_a_sentence(change, sentence):
    found = changed(change)
    assert not found.agrees
    assert found.headline.startswith("w_bar ")
    assert sentence in said(found)


def test_a_number_is_not_called_an_array():
    found = compare(lambda x: x**2, lambda x: (x**2, x), lambda x, y_bar: (None,), 0.7)
    assert "x_bar is None, but x is a number: return one." in said(found)


def test_a_tuple_that_is_too_short_is_told_where_none_belongs():
    labels = np.arange(4)
    found = compare(
        lambda x, labels: x[labels].sum(), lambda x, labels: (x.sum(), x), lambda x, g: (g, g, g), draw(4), labels
    )
    assert "bwd must return (x_bar, None), one entry for each argument" in said(found)


def test_an_axis_that_is_not_summed_is_refused():
    def bwd(residuals, y_bar):
        x_bar, w_bar, _ = affine_bwd(residuals, y_bar)
        return x_bar, w_bar, y_bar

    found = judged(bwd)
    assert found.headline == "b_bar is wrong · x_bar and w_bar are right"
    assert "Yours has shape (5, 4); b has shape (4,). The numbers match once yours are summed over axis 0." in said(
        found
    )


WRONG_TUPLES = {
    "two of three": (lambda x, w, b: (x, w), "it returns a tuple of 2"),
    "four": (lambda x, w, b: (x, w, b, None), "it returns a tuple of 4"),
    "with the loss": (lambda x, w, b: ((x, w, b), 0.0), "it returns a tuple of 2"),
    "bare": (lambda x, w, b: x, "it returns an array of shape (5, 3)"),
    "None": (lambda x, w, b: None, "it returns None"),
    "dict": (lambda x, w, b: {"x": x, "w": w, "b": b}, "it returns a dict"),
}


@pytest.mark.parametrize("form, came", WRONG_TUPLES.values(), ids=WRONG_TUPLES)
def test_bwd_returns_one_entry_for_each_argument(form, came):
    found = judged(lambda residuals, y_bar: form(*affine_bwd(residuals, y_bar)))
    assert found.headline == "bwd returns the wrong structure"
    assert f"bwd must return (x_bar, w_bar, b_bar), one entry for each argument; {came}" in said(found)


def test_a_list_is_accepted_as_the_tuple_with_a_note():
    found = judged(lambda residuals, y_bar: list(affine_bwd(residuals, y_bar)))
    assert found.agrees
    assert found.notes == ("bwd returns a list; a tuple is the contract. Accepted.",)


@pytest.mark.parametrize("form", [lambda x_bar: x_bar, lambda x_bar: (x_bar,)], ids=["bare", "tuple"])
def test_a_bare_array_is_accepted_for_a_single_primal(form):
    found = compare(square, square_fwd, lambda x, y_bar: form(2 * x * y_bar), draw(4))
    assert found.agrees, said(found)
    assert bool(found.notes) == (not isinstance(form(0), tuple))
    assert all("bwd returns x_bar itself; a tuple of one, (x_bar,), is the contract" in note for note in found.notes)


@pytest.mark.parametrize("params", [(W, B), [W, B], (W,), {"w": W}, Parts(W, B)], ids=lambda p: type(p).__name__)
def test_a_bare_tree_is_accepted_for_a_single_primal(params):
    def primal(params):
        return sum((part**2).sum() for part in jax.tree.leaves(params))

    def bwd(params, y_bar):
        return jax.tree.map(lambda part: 2 * part * y_bar, params)

    found = compare(primal, lambda params: (primal(params), params), bwd, params)
    assert found.agrees, said(found)
    assert found.notes == ("bwd returns params_bar itself; a tuple of one, (params_bar,), is the contract. Accepted.",)


@pytest.mark.parametrize(
    "form, sentence",
    [
        (lambda y, r: y, "fwd must return the pair (y, residuals); yours returns an array of shape (5, 4)."),
        (lambda y, r: (y, *r), "fwd must return the pair (y, residuals); yours returns a tuple of 3."),
        (lambda y, r: [y, *r], "fwd must return the pair (y, residuals); yours returns a list of 3."),
        (lambda y, r: None, "fwd must return the pair (y, residuals); yours returns None."),
    ],
    ids=["value alone", "three", "list", "None"],
)
def test_fwd_returns_value_and_residuals(form, sentence):
    found = judged(fwd=lambda *primals: form(*affine_fwd(*primals)))
    assert found.headline == "fwd returns the wrong structure"
    assert sentence in said(found)


def test_a_list_of_the_two_is_taken_as_custom_vjp_takes_it():
    assert judged(fwd=lambda *primals: list(affine_fwd(*primals))).agrees


def test_a_value_of_another_structure_is_refused():
    found = judged(fwd=lambda *primals: ((affine(*primals),) * 2, None))
    assert found.headline == "y has the wrong structure"


def test_a_value_in_another_container_is_accepted_with_a_note():
    def primal(x):
        return x.sum(), x.prod()

    def bwd(x, y_bar):
        return (y_bar[0] + y_bar[1] * x.prod() / x,)

    found = compare(primal, lambda x: (list(primal(x)), x), bwd, draw(4))
    assert found.agrees, said(found)
    assert "y is a list" in said(found)
