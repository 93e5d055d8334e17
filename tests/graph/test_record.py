"""Claims about the recorder: every value and every cotangent is JAX's own, in the names of the code."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.graph.layout import lay_out
from course.graph.record import record
from course.lessons.chain_rule import forked


def loss(w, b, x, target):
    z = x @ w + b
    a = jax.nn.sigmoid(z)
    error = a - target
    return 0.5 * (error**2).mean()


def branched(x, w):
    def turn(h, row):
        h = jnp.tanh(h @ w + row)
        return h, h.sum()

    h, sums = jax.lax.scan(turn, jnp.zeros(2), x)
    h = jax.lax.cond(sums[0] > 0, lambda h: 2 * h, lambda h: h**3, h)
    return jax.nn.relu(h).sum() + sums.sum() + x[jnp.array([0, 0, 1])].mean()


rng = np.random.default_rng(0)
LOSS = (rng.standard_normal((3, 2)), np.zeros(2) + 0.1, rng.standard_normal((4, 3)), rng.standard_normal((4, 2)))
BRANCHED = (rng.standard_normal((3, 2)), rng.standard_normal((2, 2)))


def final_bars(graph):
    bars = {}
    for sweep in graph.sweeps:
        bars |= sweep.bars
    return {graph.nodes[place].name: arrays[0] for place, arrays in bars.items()}


@pytest.mark.parametrize("primal, primals", [(loss, LOSS), (forked, (2.0, 1.0)), (branched, BRANCHED)])
def test_what_comes_back_to_the_inputs_is_what_jax_says(primal, primals):
    graph = record(primal, *primals)
    arrays = [jnp.asarray(primal) for primal in primals]
    right = jax.grad(primal, argnums=tuple(range(len(primals))))(*arrays)
    bars = final_bars(graph)
    for name, expected in zip(inspect.signature(primal).parameters, right, strict=True):
        np.testing.assert_allclose(bars[name], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(graph.nodes[graph.outputs[0]].values[0], primal(*arrays), rtol=1e-6)


def test_values_bear_the_names_of_the_code_and_steps_say_their_rule():
    graph = record(forked, 2.0, 1.0)
    assert [node.name for node in graph.nodes] == ["x", "w", "u", "v", "u**2", "d", "y"]
    assert graph.nodes[2].says == "u = w * x"
    said = [sweep.says for sweep in graph.sweeps]
    assert said[0] == "y_bar is handed in."
    assert "x_bar += v_bar, u_bar += v_bar" in said
    assert "(u**2)_bar += d_bar" in said


def test_a_cotangent_that_is_used_twice_grows_step_by_step():
    graph = record(forked, 2.0, 1.0)
    x = next(place for place, node in enumerate(graph.nodes) if node.name == "x")
    seen = [float(sweep.bars[x][0]) for sweep in graph.sweeps if x in sweep.bars]
    assert len(seen) == 2
    assert seen[0] != seen[1]


def test_the_cotangent_that_is_handed_in_is_the_one_that_is_given():
    once, twice = (final_bars(record(forked, 2.0, 1.0, y_bar=bar)) for bar in (1.0, 2.0))
    assert twice["x"] == pytest.approx(2 * once["x"])


def test_loops_branches_and_custom_rules_can_be_opened():
    graph = record(branched, *BRANCHED)
    titles = {node.symbol: [title for title, _ in node.insides] for node in graph.nodes if node.insides}
    assert titles["loop"] == ["Round 1 of 3", "Round 3 of 3"]
    assert titles["if"] == ["The branch that was taken"]
    assert len(titles["relu"]) == 1


def test_the_rounds_of_a_loop_hand_back_what_they_do_in_the_whole():
    graph = record(branched, *BRANCHED)
    rounds = {title: inner for node in graph.nodes for title, inner in node.insides if title.startswith("Round")}
    x = jnp.asarray(BRANCHED[0])
    right = jax.grad(branched)(x, jnp.asarray(BRANCHED[1]))
    gathered = jax.grad(lambda x: x[jnp.array([0, 0, 1])].mean())(x)
    for turn, title in ((0, "Round 1 of 3"), (2, "Round 3 of 3")):
        np.testing.assert_allclose(final_bars(rounds[title])["row"], (right - gathered)[turn], rtol=1e-5, atol=1e-6)


def test_what_does_not_move_gets_no_cotangent():
    graph = record(lambda x, i: jnp.where(x > 0, x, 0.0)[i].sum(), np.array([1.0, -2.0, 3.0]), np.array([0, 2]))
    still = [place for place, node in enumerate(graph.nodes) if not node.moves]
    assert still
    assert not any(place in sweep.bars for sweep in graph.sweeps for place in still)


def test_a_function_without_a_floating_input_has_no_way_back():
    assert record(lambda i: i + 1, np.array([1, 2])).sweeps == ()


def test_a_loop_whose_end_the_numbers_decide_is_recorded_forward():
    graph = record(lambda i: jax.lax.while_loop(lambda i: i > 1, lambda i: i // 2, i), 40)
    assert graph.nodes[-1].symbol == "while"
    assert graph.nodes[-1].values[0] == 1


def test_no_node_stands_on_another_and_every_edge_goes_to_the_right():
    for primal, primals in ((loss, LOSS), (branched, BRANCHED)):
        graph = record(primal, *primals)
        layout = lay_out(graph)
        places = list(zip(layout.columns, layout.rows, strict=True))
        assert all(layout.columns[edge.source] < layout.columns[edge.target] for edge in graph.edges)
        for n, (column, row) in enumerate(places):
            assert all(abs(row - other) >= 0.99 for c, other in places[n + 1 :] if c == column)
        for edge, rows in zip(graph.edges, layout.passing, strict=True):
            assert len(rows) == layout.columns[edge.target] - layout.columns[edge.source] - 1
