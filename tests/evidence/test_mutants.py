"""What the mutator makes: the slips of a hand, each once, and nothing that is the answer itself."""

import ast
import inspect
import textwrap

import jax.numpy as jnp
import pytest

from evidence.mutants import mutants


def mutated(function):
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return list(mutants(definition))


def product(residuals, y_bar):
    """Says nothing that could be mutated."""
    x, w = residuals
    x_bar = y_bar @ w.T
    return x_bar, x.T @ y_bar


def summed(residuals: float, y_bar: float) -> float:
    total = 0
    total += (y_bar * -2).sum(axis=-1, keepdims=True)
    return (total * (residuals > 0),)


def called(residuals, y_bar):
    return jnp.sin(*residuals) * jnp.sum(y_bar)


TOTAL = "total += (y_bar * -2).sum(axis=-1, keepdims=True)"
CASES = [
    (product, "transpose", "x_bar = y_bar @ w.T", "x_bar = y_bar @ w"),
    (product, "transpose", "x_bar = y_bar @ w.T", "x_bar = y_bar.T @ w.T"),
    (product, "sides swapped", "x_bar = y_bar @ w.T", "x_bar = w.T @ y_bar"),
    (product, "arithmetic", "x_bar = y_bar @ w.T", "x_bar = y_bar * w.T"),
    (product, "name", "x_bar = y_bar @ w.T", "x_bar = y_bar @ x.T"),
    (product, "sign", "return (x_bar, x.T @ y_bar)", "return (x_bar, -(x.T @ y_bar))"),
    (product, "statement deleted", "x_bar = y_bar @ w.T", "pass"),
    (summed, "overwritten", TOTAL, "total = (y_bar * -2).sum(axis=-1, keepdims=True)"),
    (summed, "reduction", TOTAL, "total += (y_bar * -2).mean(axis=-1, keepdims=True)"),
    (summed, "keepdims", TOTAL, "total += (y_bar * -2).sum(axis=-1, keepdims=False)"),
    (summed, "constant", TOTAL, "total += (y_bar * -2).sum(axis=0, keepdims=True)"),
    (summed, "constant", TOTAL, "total += (y_bar * 2).sum(axis=-1, keepdims=True)"),
    (summed, "term dropped", "return (total * (residuals > 0),)", "return (total,)"),
    (summed, "comparison", "return (total * (residuals > 0),)", "return (total * (residuals >= 0),)"),
]


@pytest.mark.parametrize("function, operator, was, now", CASES)
def test_a_slip_of_the_hand_is_among_the_mutants(function, operator, was, now):
    assert (operator, was, now) in [mutant[:3] for mutant in mutated(function)]


@pytest.mark.parametrize("function", [product, summed, called])
def test_every_mutant_is_another_text_and_compiles(function):
    texts = [ast.unparse(mutant.definition) for mutant in mutated(function)]
    assert len(texts) == len(set(texts)) > 10
    own = ast.parse(textwrap.dedent(inspect.getsource(function)))
    assert ast.unparse(own) not in texts
    for mutant in mutated(function):
        compile(ast.Module([mutant.definition], []), "<mutant>", "exec")


def test_a_name_gives_way_only_to_one_that_is_bound_before_it():
    lines = [mutant.now for mutant in mutated(product) if mutant.operator == "name"]
    assert "x, w = y_bar" in lines
    assert "x, w = x_bar" not in lines
