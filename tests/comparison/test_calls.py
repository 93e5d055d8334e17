"""Claims about the call and its record: faults of the call are raised in words, everything else is frozen data."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compare import compare, compare_jvp, compare_rule
from tests.comparison.pairs import W, X, affine_bwd, draw, judged, square, square_bwd, square_fwd


def raised(error, primal, *primals, **settings):
    with pytest.raises(error) as caught:
        compare(primal, square_fwd, square_bwd, *primals, **settings)
    return str(caught.value)


def test_a_complex_argument_is_a_fault_of_the_call():
    words = raised(TypeError, square, draw(4) + 1j)
    assert words == "x must be real; complex64 came. Judge its real and imaginary parts as two arguments."


@pytest.mark.parametrize(
    "thing, came",
    [("relu", "a str"), ("float32", "a str"), (np.float32, "the type float32"), (jnp.sin, "a function")],
    ids=["string", "name of a type", "type", "function"],
)
def test_an_argument_that_is_no_array_is_a_fault_of_the_call(thing, came):
    words = raised(TypeError, lambda x, how: x, draw(4), {"how": [thing]})
    assert words.startswith(f"how['how'][0] must be an array or a number; {came}")
    assert words.endswith("name its place in static_argnums.")


def test_a_traced_argument_is_a_fault_of_the_call():
    with pytest.raises(TypeError, match=r"x must hold numbers; JAX is tracing it. Compare outside jit"):
        jax.jit(lambda x: compare(square, square_fwd, square_bwd, x).agrees)(draw(4))


def test_arguments_without_a_floating_point_number_are_a_fault_of_the_call():
    words = raised(ValueError, square, 3)
    assert words.startswith("At least one argument must hold floating-point numbers; x came, and none does: ")


def failing(x):
    return x @ jnp.ones((9, 9))


def test_a_primal_that_fails_is_a_fault_of_the_call_with_its_line():
    words = raised(ValueError, failing, draw(4))
    assert words.startswith("The primal must run, and be traceable, at the arguments given: TypeError: dot_general")
    assert words.endswith(f"test_calls.py, line {failing.__code__.co_firstlineno + 1}: return x @ jnp.ones((9, 9)))")


def test_a_primal_that_cannot_be_traced_is_a_fault_of_the_call():
    words = raised(ValueError, lambda x: np.sin(np.asarray(x)), draw(4))
    assert "The primal must run, and be traceable" in words
    assert "use `jnp` in place of `np`" in words


@pytest.mark.parametrize(
    "primal, sentence",
    [
        (lambda x: x + 1j, "The primal must return real numbers; it returns complex ones."),
        (lambda x: x > 0, "The primal must return floating-point numbers; it returns none"),
        (lambda x: None, "The primal must return floating-point numbers; it returns none"),
        (lambda x: jnp.log(x * 0), "The primal must be finite at the arguments given"),
        (lambda x: jnp.sqrt(x * 0), "x_bar by JAX is not: give other arguments, away from the edge of its domain."),
        (lambda x: jax.pure_callback(np.sin, x, x), "The primal must be differentiable by jax.vjp: "),
    ],
    ids=["complex", "boolean", "None", "infinite", "edge", "callback"],
)
def test_a_primal_that_has_no_derivative_is_a_fault_of_the_call(primal, sentence):
    assert sentence in raised(ValueError, primal, draw(4))


def test_a_place_that_is_no_argument_is_a_fault_of_the_call():
    words = raised(ValueError, square, draw(4), static_argnums=1)
    assert words == "static_argnums must be places of the 1 arguments; 1 came."


def test_a_function_without_a_rule_is_a_fault_of_the_call():
    with pytest.raises(TypeError, match=r"compare_rule takes a function that carries a rule; square is neither"):
        compare_rule(square, draw(4))
    with pytest.raises(TypeError, match=r"neither a jax.custom_vjp nor a jax.custom_jvp"):
        compare_rule(jax.vmap(jax.custom_jvp(square)), draw(4))


def test_a_primal_without_forward_mode_has_no_tangent_rule_to_judge():
    @jax.custom_vjp
    def reverse_only(x):
        return x

    reverse_only.defvjp(lambda x: (x, None), lambda _, y_bar: (y_bar,))
    with pytest.raises(ValueError, match=r"The primal must be differentiable by jax.jvp: "):
        compare_jvp(lambda x: reverse_only(x), lambda p, t: (p[0], t[0]), draw(4))


WRONG = {
    "sign": lambda r, y_bar: tuple(-array for array in affine_bwd(r, y_bar)),
    "error": lambda r, y_bar: 1 / 0,
    "structure": lambda r, y_bar: None,
}


@pytest.mark.parametrize("bwd", WRONG.values(), ids=WRONG)
def test_assert_agree_raises_in_the_words_of_the_verdict(bwd):
    found = judged(bwd)
    with pytest.raises(AssertionError) as caught:
        found.assert_agree()
    words = str(caught.value)
    assert words.split("\n")[0] == found.headline
    assert words == "\n".join([found.headline, *(remark.text for remark in found.remarks)])
    for sentence in words.split("\n"):
        assert " ".join(sentence.split()) in " ".join(str(found).split())


def test_assert_agree_is_silent_about_a_right_answer():
    judged().assert_agree()


def test_a_comparison_prints_and_renders():
    found = judged(WRONG["sign"])
    assert "w_bar" in str(found)
    assert "The numbers match with the opposite sign" in found._repr_html_().replace("the numbers", "The numbers")
    assert "w_bar" in found._repr_html_()


def test_a_comparison_goes_to_json():
    for found in (judged(), judged(WRONG["sign"]), judged(WRONG["error"])):
        data = json.loads(found.to_json())
        assert data["schema"] == 1
        assert data["headline"] == found.headline
        assert data["seed"] == 0
        assert data["precision"] == "float64"
        assert data["jax_version"] == jax.__version__
        assert [array["path"] for array in data["arrays"]] == [array.path for array in found.arrays]


def test_a_comparison_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        judged().headline = "right"


def test_names_are_those_of_the_functions():
    assert compare(square, square_fwd, square_bwd, draw(4)).answer == "square_fwd and square_bwd"
    assert judged(lambda r, y_bar: affine_bwd(r, y_bar)).answer == "affine_fwd and bwd"


def test_compare_changes_no_setting_and_no_argument():
    x, w = X.copy(), W.copy()
    before = jnp.ones(1).dtype
    compare(lambda x, w: x @ w, lambda x, w: (x @ w, (x, w)), lambda r, g: (g @ r[1].T, r[0].T @ g), x, w)
    assert jnp.ones(1).dtype == before
    assert (x == X).all()
    assert (w == W).all()


def test_arguments_on_another_device_are_judged_on_the_cpu(pytester):
    script = pytester.makepyfile(
        devices="""
        import jax, jax.numpy as jnp
        from course import compare

        there = jax.devices()[1]
        x, key = jax.device_put((jnp.arange(3.0), jax.random.key(0)), there)

        def fwd(x, key):
            if not isinstance(x, jax.core.Tracer):
                assert x.devices() == key.devices() == {jax.devices()[0]}
            return x**2, x

        with jax.default_device(there):
            found = compare(lambda x, key: x**2, fwd, lambda x, y_bar: (2 * x * y_bar, None), x, key)
        assert found.agrees, str(found)
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
        assert pytester.runpython(script).ret == 0
