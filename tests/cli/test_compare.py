"""`course compare`: anybody's functions, inputs drawn or made, and an exit status that tells."""

import json

import pytest

from course.cli import main

RULES = """
import jax
import jax.numpy as jnp
import numpy as np

def layer(x, w): return jnp.tanh(x @ w)
def layer_fwd(x, w): return layer(x, w), (x, w, layer(x, w))
def layer_bwd(residuals, y_bar):
    x, w, y = residuals
    z_bar = y_bar * (1 - y**2)
    return z_bar @ w.T, x.T @ z_bar
def wrong_bwd(residuals, y_bar):
    x_bar, w_bar = layer_bwd(residuals, y_bar)
    return x_bar, -w_bar

fast = jax.custom_vjp(layer)
fast.defvjp(layer_fwd, layer_bwd)

def embed(table, ids): return table[ids]
def embed_fwd(table, ids): return embed(table, ids), (table, ids)
def embed_bwd(residuals, y_bar):
    table, ids = residuals
    return jnp.zeros_like(table).at[ids].set(y_bar), None

def inputs(): return np.ones((3, 2)), np.ones((2, 4))
def one(): return np.ones((3, 2))
number = 3
"""
LAYER = ["rules_here:layer", "rules_here:layer_fwd", "rules_here:layer_bwd"]
SHAPES = ["--shape", "x=3,2", "--shape", "w=2,4"]


@pytest.fixture(autouse=True)
def rules(tmp_path, monkeypatch):
    (tmp_path / "rules_here.py").write_text(RULES)
    (tmp_path / "broken_here.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)


def test_a_pair_that_agrees_exits_with_0(capsys):
    assert main(["compare", *LAYER, *SHAPES]) == 0
    assert "right" in capsys.readouterr().out


def test_a_pair_that_does_not_exits_with_1_and_names_the_array(capsys):
    assert main(["compare", *LAYER[:2], "rules_here.py:wrong_bwd", *SHAPES]) == 1
    assert "w_bar is wrong" in capsys.readouterr().out


def test_the_inputs_may_be_made_by_a_function_and_the_record_is_json(capsys):
    assert main(["compare", *LAYER, "--args", "rules_here:inputs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [array["shape"] for array in found["arrays"]] == [[3, 2], [2, 4]]


def test_a_function_that_carries_a_rule_is_judged_as_it_is():
    assert main(["compare", "rules_here:fast", *SHAPES]) == 0


def test_drawn_indices_repeat_and_show_what_only_then_is_wrong(capsys):
    functions = ["rules_here:embed", "rules_here:embed_fwd", "rules_here:embed_bwd"]
    assert main(["compare", *functions, "--index", "ids=9:4", "--shape", "table=4,2"]) == 1
    assert "table_bar is wrong" in capsys.readouterr().out


REFUSED = {
    "two functions": (LAYER[:2] + SHAPES, "Give a primal, its fwd and its bwd, or one function with a rule, not 2."),
    "no inputs": (LAYER, "Give the inputs either by --args or by --shape and --index."),
    "both kinds": ([*LAYER, *SHAPES, "--args", "rules_here:inputs"], "Give the inputs either by --args"),
    "no colon": ([*LAYER[:2], "layer_bwd", *SHAPES], "named MODULE:NAME or FILE.py:NAME; 'layer_bwd' came"),
    "no module": (["nowhere:f", *SHAPES], "There is no module 'nowhere'."),
    "no file": (["nowhere.py:f", *SHAPES], "There is no file nowhere.py."),
    "no name": (["rules_here:nothing", *SHAPES], "There is no 'nothing' in rules_here."),
    "no function": (["rules_here:number", *SHAPES], "rules_here:number must be a function; it is int."),
    "a module that fails": (["broken_here:f", *SHAPES], "broken_here fails when it is imported: ZeroDivisionError"),
    "other names": ([*LAYER, "--shape", "x=3,2", "--shape", "v=2,4"], "The arguments are x, w; there came x, v."),
    "too few names": ([*LAYER, "--shape", "x=3,2"], "The primal must"),
    "another form": ([*LAYER, "--shape", "x=3x2"], "'x=3x2' must have the form NAME=5,3."),
    "half an index": ([*LAYER, "--index", "x=3"], "'x=3' must have the form NAME=7:40."),
    "no tuple": ([*LAYER, "--args", "rules_here:one"], "must return the primals as a tuple; it returns ndarray."),
    "no rule": (["rules_here:layer", *SHAPES], "takes a function that carries a rule"),
    "sizes that do not fit": ([*LAYER, "--shape", "x=3,2", "--shape", "w=3,4"], "The primal must"),
}


@pytest.mark.parametrize("arguments, says", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_one_sentence_and_exits_with_2(arguments, says, capsys):
    assert main(["compare", *arguments]) == 2
    assert says in capsys.readouterr().err
