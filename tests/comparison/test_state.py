"""Claims about what a snapshot sees of the things that functions keep outside."""

from functools import partial

import jax
import numpy as np
import pytest

from course.comparison.state import changed, outside_of

TABLE = np.zeros(3)
BIG = np.zeros(100_000)
SETTINGS = {"inner": [1, 2]}
NUMBER = 1.0


class Owner:
    def __init__(self):
        self.count = 0

    def method(self, x):
        return x + self.count


OWNER = Owner()


def reads(x):
    return x + TABLE.sum() + BIG[0] + SETTINGS["inner"][0] + NUMBER + OWNER.count


def calls(x):
    return reads(x)


calls.hits = 0


def calls_itself(x):
    return calls_itself(x) + calls.hits


def change_table():
    TABLE[1] += 1


def change_settings():
    SETTINGS["inner"].append(3)


def change_number():
    globals()["NUMBER"] += 1


def change_owner():
    OWNER.count += 1


@pytest.mark.parametrize(
    "change, name",
    [(change_table, "TABLE"), (change_settings, "SETTINGS"), (change_number, "NUMBER"), (change_owner, "OWNER")],
)
@pytest.mark.parametrize("function", [reads, calls, jax.jit(calls), partial(calls, 1), jax.jit(partial(calls, 1))])
def test_a_change_is_seen_by_name(change, name, function):
    before = outside_of(function)
    assert changed(before, outside_of(function)) == []
    change()
    assert changed(before, outside_of(function)) == [name]


def test_attributes_of_functions_and_objects_are_seen():
    before = outside_of(calls_itself)
    calls.hits += 1
    assert changed(before, outside_of(calls_itself)) == ["calls"]


def test_a_helper_written_anew_is_seen():
    space = {}
    exec("def helper(x): return x\ndef f(x): return helper(x)", space)
    before = outside_of(space["f"])
    exec("def helper(x): return 2 * x", space)
    assert changed(before, outside_of(space["f"])) == ["helper"]


def test_modules_and_builtin_objects_do_not_change():
    def function(x):
        return np.sin(x) + len(x) + jax.numpy.cos(x)

    before = outside_of(function)
    np.random.default_rng(0)
    assert changed(before, outside_of(function)) == []


def test_a_snapshot_can_be_looked_up():
    assert hash(tuple(outside_of(reads).items())) == hash(tuple(outside_of(reads).items()))


def test_a_closure_and_a_default_are_seen():
    kept = []

    def function(x, counts={}):  # noqa: B006 - the mistake that is to be found
        return kept, counts

    before = outside_of(function)
    function.__defaults__[0]["x"] = 1
    kept.append(1)
    assert set(changed(before, outside_of(function))) == {"kept", "counts"}


@pytest.mark.parametrize("thing", [None, 3, "text", len, np.sin, object()], ids=lambda thing: type(thing).__name__)
def test_what_keeps_nothing_has_an_empty_snapshot(thing):
    assert outside_of(thing) == {}


class Settings:
    scale = 1.0


def test_attributes_of_a_class_are_seen():
    def function(x):
        return Settings.scale * x

    before = outside_of(function)
    Settings.scale = 2.0
    assert changed(before, outside_of(function)) == ["Settings"]


def test_the_owner_of_a_method_is_seen():
    owner = Owner()
    before = outside_of(owner.method)
    owner.count += 1
    assert changed(before, outside_of(owner.method)) == ["method"]
