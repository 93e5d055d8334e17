"""Claims about the walk: loops, branches, calls, dead code, memory, and what can't be known is said.

float32 throughout, four bytes a number; the programs are written out, so that the numbers hold for every version
of JAX.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend.core import Primitive

from course.comparison.counting import Count, count, count_jaxpr
from course.comparison.flop_rules import TRANSCENDENTAL_FLOPS

PRODUCT = 2 * 5 * 5 * 5  # FLOPs of a 5 x 5 product
SQUARE = 4 * 5 * 5  # its bytes


def f32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def recurrent_step(h, x, w, u):
    return jnp.tanh(h @ w + x @ u)


class TestLoops:
    def test_a_recurrent_network_costs_its_length_times_one_step(self):
        # batch 3, 4 inputs, 5 hidden, 6 steps: two products, a sum, a tanh a step.
        def network(xs, h, w, u):
            return lax.scan(lambda h, x: (recurrent_step(h, x, w, u),) * 2, h, xs)

        step = 2 * 3 * 5 * 5 + 2 * 3 * 5 * 4 + 15 + TRANSCENDENTAL_FLOPS * 15
        assert count(network, f32(6, 3, 4), f32(3, 5), f32(5, 5), f32(4, 5)).flops == 6 * step

    def test_a_scan_costs_what_the_same_loop_in_python_costs(self):
        def looped(xs, h, w, u):
            for x in xs:
                h = recurrent_step(h, x, w, u)
            return h

        def scanned(xs, h, w, u):
            return lax.scan(lambda h, x: (recurrent_step(h, x, w, u), None), h, xs)[0]

        args = (f32(6, 3, 4), f32(3, 5), f32(5, 5), f32(4, 5))
        scan, loop = count(scanned, *args), count(looped, *args)
        assert (scan.flops, scan.dot_flops, scan.bytes) == (loop.flops, loop.dot_flops, loop.bytes)

    def test_backpropagation_through_a_scan_costs_what_the_python_loop_costs(self):
        def scanned(h, w):
            return jnp.sum(lax.scan(lambda h, _: (h @ w, None), h, None, length=6)[0])

        def looped(h, w):
            for _ in range(6):
                h = h @ w
            return jnp.sum(h)

        args = f32(3, 5), f32(5, 5)
        scan = count(jax.value_and_grad(scanned, argnums=(0, 1)), *args)
        assert scan.dot_flops == count(jax.value_and_grad(looped, argnums=(0, 1)), *args).dot_flops
        assert scan.dot_flops == 3 * 6 * 2 * 3 * 5 * 5

    def test_loops_within_loops_multiply(self):
        def nested(x):
            return lax.fori_loop(0, 3, lambda _, x: lax.fori_loop(0, 4, lambda _, x: x @ x, x), x)

        assert count(nested, f32(5, 5)).flops == 3 * 4 * PRODUCT

    def test_a_map_costs_its_rows(self):
        assert count(lambda xs: lax.map(lambda x: x @ x, xs), f32(7, 5, 5)).flops == 7 * PRODUCT

    def test_a_loop_of_no_passes_costs_no_flops(self):
        assert count(lambda x: lax.fori_loop(0, 0, lambda _, x: x @ x, x), f32(5, 5)).flops == 0

    def test_a_while_loop_is_counted_once_and_said_with_its_line(self):
        def loop(x):
            return lax.while_loop(lambda x: jnp.sum(x) < 9, lambda x: x @ x, x)

        cost = count(loop, f32(5, 5))
        assert cost.flops == PRODUCT + 25  # the body, and the sum in the condition
        assert len(cost.notes) == 1
        assert "while at test_counting.py:" in cost.notes[0]
        assert "not known" in cost.notes[0]

    def test_a_loop_with_a_length_that_depends_on_the_numbers_is_said(self):
        cost = count(lambda n, x: lax.fori_loop(0, n, lambda _, x: x @ x, x), 3, f32(5, 5))
        assert cost.flops == PRODUCT
        assert "while" in cost.notes[0]

    def test_a_while_inside_a_scan_is_repeated_and_said_once(self):
        def loop(x):
            return lax.while_loop(lambda x: jnp.sum(x) < 9, lambda x: x @ x, x)

        cost = count(lambda x: lax.fori_loop(0, 4, lambda _, x: loop(x), x), f32(5, 5))
        assert cost.flops == 4 * (PRODUCT + 25)
        assert len(cost.notes) == 1


class TestCallsAndBranches:
    def test_a_branch_costs_its_dearest_side(self):
        def choose(flag, x):
            return lax.cond(flag, lambda x: x + x, lambda x: x @ x @ x, x)

        assert count(choose, True, f32(5, 5)).flops == 2 * PRODUCT

    def test_only_the_used_results_of_a_branch_count(self):
        def choose(flag, x):
            return lax.cond(flag, lambda x: (x @ x, x + x), lambda x: (x @ x @ x, x), x)[1]

        assert count(choose, True, f32(5, 5)).flops == 25

    def test_nested_calls_cost_what_they_call(self):
        @jax.custom_vjp
        def cubed(x):
            return x @ x @ x

        cubed.defvjp(lambda x: (cubed(x), x), lambda x, y_bar: (y_bar @ x,))

        @jax.custom_jvp
        def doubled(x):
            return x + x

        doubled.defjvp(lambda primals, tangents: (doubled(*primals), doubled(*tangents)))

        def program(x):
            return jax.jit(lambda x: jax.checkpoint(lambda x: cubed(doubled(x)))(x))(x)

        plain = count(lambda x: (x + x) @ (x + x) @ (x + x), f32(5, 5))
        assert plain.flops == 3 * 25 + 2 * PRODUCT  # the sums written three times are three sums
        assert count(program, f32(5, 5)).flops == 25 + 2 * PRODUCT

    def test_a_custom_rule_is_what_reverse_mode_pays_for(self):
        @jax.custom_vjp
        def cubed(x):
            return x @ x @ x

        cubed.defvjp(lambda x: (x @ x @ x, x), lambda x, y_bar: (y_bar @ x,))
        assert count(lambda x, y_bar: jax.vjp(cubed, x)[1](y_bar), f32(5, 5), f32(5, 5)).flops == PRODUCT

    def test_checkpointing_pays_for_its_second_forward_pass(self):
        def loss(x):
            return jnp.sum(jnp.sin(x @ x) @ x)

        plain = count(jax.value_and_grad(loss), f32(5, 5)).dot_flops
        remat = count(jax.value_and_grad(jax.checkpoint(loss)), f32(5, 5)).dot_flops
        assert (plain, remat) == (6 * PRODUCT, 7 * PRODUCT)

    def test_a_linear_solver_pays_for_the_solve_alone(self):
        # The products that it holds for its own derivative aren't run.
        cost = count(lambda a, b: jnp.linalg.solve(a, b), f32(5, 5), f32(5))
        assert cost.dot_flops == 0
        assert {note.split()[0] for note in cost.notes} == {"lu", "triangular_solve"}

    def test_sharded_work_counts_on_every_device(self):
        mesh = jax.sharding.AbstractMesh((4,), ("i",), axis_types=(jax.sharding.AxisType.Auto,))
        spec = jax.sharding.PartitionSpec("i")

        def sharded(x, w):
            return jax.shard_map(lambda x, w: x @ w, mesh=mesh, in_specs=(spec, None), out_specs=spec)(x, w)

        assert count(sharded, f32(8, 5), f32(5, 3)).flops == count(jnp.matmul, f32(8, 5), f32(5, 3)).flops


class TestDeadCode:
    def test_what_nobody_reads_is_free(self):
        def program(x):
            unused = x @ x @ x
            unused = jnp.exp(unused)
            return x + x

        assert count(program, f32(5, 5)).flops == 25

    def test_an_unused_result_of_a_nested_call_is_free(self):
        inner = jax.jit(lambda x: (x + x, jax.jit(lambda x: x @ x)(x)))
        assert count(lambda x: inner(x)[0], f32(5, 5)).flops == 25

    def test_a_pair_of_calls_of_one_function_is_paid_for_call_by_call(self):
        inner = jax.jit(lambda x: (x + x, x @ x))
        assert count(lambda x: (inner(x)[0], inner(x)[1]), f32(5, 5)).flops == 25 + PRODUCT

    def test_a_carry_that_nobody_reads_is_free(self):
        def program(x):
            def step(carry, _):
                wanted, unwanted = carry
                return (wanted + 1, unwanted @ unwanted), unwanted @ x

            return lax.scan(step, (x, x), None, length=6)[0][0]

        assert count(program, f32(5, 5)).flops == 6 * 25

    def test_a_carry_that_feeds_another_late_is_paid_for(self):
        # c reaches b and b reaches a, one pass later each: only a fixed point sees it.
        def program(x):
            def step(carry, _):
                a, b, c, d = carry
                return (a + b, c, c @ c, d @ d), None

            return lax.scan(step, (x, x, x, x), None, length=6)[0][0]

        assert count(program, f32(5, 5)).flops == 6 * (25 + PRODUCT)

    def test_a_stacked_result_that_nobody_reads_is_free(self):
        def program(x):
            return lax.scan(lambda c, _: (c + x, (c @ c, c * x)), x, None, length=6)[1][1]

        assert count(program, f32(5, 5)).flops == 6 * (25 + 25)

    def test_a_while_keeps_what_its_condition_reads(self):
        def program(x):
            def body(carry):
                a, watched, unwanted = carry
                return a + 1, watched @ x, unwanted @ unwanted

            return lax.while_loop(lambda carry: carry[1][0, 0] < 1, body, (x, x, x))[0]

        assert count(program, f32(5, 5)).flops == 25 + PRODUCT

    def test_one_array_returned_twice_is_computed_once(self):
        def program(x):
            y = x @ x
            return y, {"again": y, "and again": [y, y]}

        cost = count(program, f32(5, 5))
        assert (cost.flops, cost.peak_bytes) == (PRODUCT, SQUARE)

    def test_an_effect_keeps_what_it_reads(self):
        def program(x):
            jax.debug.callback(lambda x: None, x @ x)
            return x

        assert count(program, f32(5, 5)).flops == PRODUCT

    def test_an_effect_in_a_loop_keeps_the_loop(self):
        def program(x):
            def step(c, _):
                jax.debug.callback(lambda c: None, c)
                return c @ c, c + c

            lax.scan(step, x, None, length=6)
            return x

        assert count(program, f32(5, 5)).flops == 6 * PRODUCT

    def test_work_done_three_times_is_counted_three_times(self):
        # A compiler merges these; a reader of the program does not.
        assert count(lambda x: x @ x + x @ x + x @ x, f32(5, 5)).dot_flops == 3 * PRODUCT


class TestBytes:
    def test_a_step_reads_its_operands_and_writes_its_results(self):
        assert count(jnp.matmul, f32(3, 4), f32(4, 5)).bytes == 4 * (12 + 20 + 15)

    def test_one_operand_used_twice_is_read_once(self):
        assert count(lambda x: x * x, f32(5, 5)).bytes == 2 * SQUARE

    def test_views_move_nothing(self):
        cost = count(lambda x: x.reshape(3, 1, 4).T[:, 0, :2], f32(12))
        assert (cost.bytes, cost.flops, cost.peak_bytes) == (0, 0, 0)

    def test_a_broadcast_operand_is_read_in_its_own_size(self):
        assert count(lambda x, b: x + b, f32(5, 7), f32(7)).bytes == 4 * (35 + 7 + 35)

    def test_a_broadcast_that_is_returned_is_written(self):
        cost = count(lambda y_bar: jnp.broadcast_to(y_bar, (5, 5)), f32())
        assert (cost.bytes, cost.peak_bytes) == (SQUARE, SQUARE)


class TestPeak:
    def test_an_array_is_freed_after_its_last_use(self):
        def chain(x):
            for _ in range(10):
                x = jnp.sin(x)
            return x

        # The operand and the result of one step; the argument is the caller's.
        assert count(chain, f32(5, 5)).peak_bytes == 2 * SQUARE

    def test_backpropagation_keeps_what_it_needs(self):
        def chain(x, y_bar):
            kept = []
            for _ in range(10):
                x = jnp.sin(x)
                kept.append(x)
            for y in reversed(kept):
                y_bar = y_bar * y
            return y_bar

        # Ten kept; at the turn the first product joins them, then each frees one.
        assert count(chain, f32(5, 5), f32(5, 5)).peak_bytes == 11 * SQUARE

    def test_a_call_does_not_keep_its_temporaries_alive(self):
        def twice(x):
            return jnp.sin(jnp.sin(jnp.sin(x)))

        assert count(lambda x: jax.jit(twice)(jax.jit(twice)(x)), f32(5, 5)).peak_bytes == 2 * SQUARE

    def test_a_view_keeps_its_array_alive(self):
        def program(x):
            y = jnp.sin(x)
            corner = y[:1, :1]
            z = jnp.cos(x)
            z = jnp.cos(z)
            return z + corner

        assert count(program, f32(5, 5)).peak_bytes == 3 * SQUARE

    def test_a_loop_holds_its_carry_and_one_pass(self):
        def program(x):
            return lax.fori_loop(0, 1000, lambda _, x: jnp.sin(x), x)

        # The counter that JAX adds is dead; the carry, and the pass that makes the next one.
        assert count(program, f32(5, 5)).peak_bytes == 2 * SQUARE

    def test_a_loop_that_stacks_holds_the_stack(self):
        def program(x):
            return lax.scan(lambda c, _: (c, jnp.sin(c)), x, None, length=10)[1]

        assert count(program, f32(5, 5)).peak_bytes == 10 * SQUARE + SQUARE

    def test_a_branch_holds_its_largest_side(self):
        def choose(flag, x):
            return lax.cond(flag, lambda x: jnp.sum(jnp.outer(x, x)), lambda x: jnp.sum(x @ x), x)

        outer, total = 4 * 25 * 25, 4
        assert count(choose, jnp.bool_(True), f32(25)).peak_bytes == 4 + outer + total  # and the index

    def test_a_full_jacobian_shows(self):
        def softmax_jacobian(p):
            return jnp.diag(p) - jnp.outer(p, p)

        assert count(softmax_jacobian, f32(100)).peak_bytes >= 2 * 4 * 100 * 100


class TestWhatCannotBeSeenIsSaid:
    def test_a_callback(self):
        cost = count(lambda x: jax.pure_callback(np.linalg.inv, f32(5, 5), x), f32(5, 5))
        assert cost.flops == 0
        assert "pure_callback at test_counting.py:" in cost.notes[0]
        assert "not seen" in cost.notes[0]

    def test_a_primitive_without_a_rule(self):
        strange = Primitive("strange")
        strange.def_abstract_eval(lambda x: x)
        cost = count(strange.bind, f32(5, 5))
        assert cost.flops == 25
        assert "strange" in cost.notes[0]
        assert "no rule" in cost.notes[0]

    def test_an_ordinary_program_has_no_notes(self):
        assert count(recurrent_step, f32(3, 5), f32(3, 4), f32(5, 5), f32(4, 5)).notes == ()


class TestTheCall:
    def test_arrays_and_shapes_of_arrays_count_alike(self):
        x = jnp.ones((5, 5), jnp.float32)
        assert count(jnp.matmul, x, x) == count(jnp.matmul, f32(5, 5), f32(5, 5))

    def test_pytrees_keys_integers_and_static_arguments_are_taken(self):
        def program(depth, params, key, ids):
            x = jax.random.normal(key, (2, 3))
            for _ in range(depth):
                x = x @ params["w"]
            return x[ids], key

        cost = count(
            program,
            4,
            {"w": f32(3, 3)},
            jax.random.key(0),
            jax.ShapeDtypeStruct((2,), jnp.int32),
            static_argnums=0,
        )
        assert cost.dot_flops == 4 * 2 * 2 * 3 * 3

    def test_a_traced_program_counts_as_the_function_does(self):
        traced = jax.make_jaxpr(jnp.matmul)(f32(3, 4), f32(4, 5))
        assert count_jaxpr(traced) == count(jnp.matmul, f32(3, 4), f32(4, 5))

    def test_an_exception_of_the_function_is_passed_on(self):
        class Own(Exception):
            pass

        raised = Own("as it is")

        def broken(x):
            raise raised

        with pytest.raises(Own) as caught:
            count(broken, f32(3))
        assert caught.value is raised

    def test_empty_arrays_and_no_results_cost_nothing(self):
        assert count(lambda x: x * 2, f32(0, 5)) == Count(0, 0, 0, 0, 1)
        assert count(lambda x: None, f32(5)) == count(lambda x: x, f32(5)) == Count(0, 0, 0, 0, 0)

    def test_a_count_is_frozen_plain_numbers(self):
        cost = count(jnp.matmul, f32(3, 4), f32(4, 5))
        figures = dataclasses.astuple(cost)[:-1]
        assert figures == (120, 120, 4 * (12 + 20 + 15), 4 * 15, 1, 0)
        assert all(type(figure) is int for figure in figures)
        with pytest.raises(dataclasses.FrozenInstanceError):
            cost.flops = 0

    def test_counting_twice_gives_the_same_count(self):
        def network(xs, h, w, u):
            return jnp.sum(lax.scan(lambda h, x: (recurrent_step(h, x, w, u), h), h, xs)[1])

        args = f32(6, 3, 4), f32(3, 5), f32(5, 5), f32(4, 5)
        first, second = (count(jax.value_and_grad(lambda *a: network(*a)), *args) for _ in range(2))
        assert first == second
