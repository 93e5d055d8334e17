"""Answers to `chain_rule`: five backward passes on single numbers. The forward halves are given by the lesson."""

import jax.numpy as jnp
from jaxtyping import Array, Float

import course


def square_bwd(residuals: Float[Array, ""], y_bar: Float[Array, ""]) -> tuple[Float[Array, ""]]:
    """Returns (x_bar,)."""
    x = residuals  # not y: it does not say which sign x had
    # 1. How fast does y move when x does? And how strongly does y count for the loss?
    x_bar = y_bar * 2 * x
    return (x_bar,)


def sine_of_square_bwd(
    residuals: tuple[Float[Array, ""], Float[Array, ""]], y_bar: Float[Array, ""]
) -> tuple[Float[Array, ""]]:
    """Returns (x_bar,)."""
    x, u = residuals  # what the two slopes are taken at
    # 1. y = sin(u) ran last. How fast does y move when u does?
    u_bar = y_bar * jnp.cos(u)
    # 2. u = x**2. You know how to go on from u_bar: which of your answers is this?
    x_bar = u_bar * 2 * x
    return (x_bar,)


def neuron_loss_bwd(
    residuals: tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""], None, None]:
    """Returns (w_bar, b_bar, None, None): x and target are data."""
    x, a, error = residuals  # not z: the slope of sigmoid can be had from a
    # 1. loss = 0.5 * error**2, and error = a - target. How does the loss move when a does?
    a_bar = loss_bar * error
    # 2. a = sigmoid(z). How steep is sigmoid there, in terms of a?
    z_bar = a_bar * a * (1 - a)
    # 3. z = w * x + b. What stands beside w, and what beside b?
    w_bar = z_bar * x
    b_bar = z_bar
    return w_bar, b_bar, None, None


def swish_bwd(residuals: tuple[Float[Array, ""], Float[Array, ""]], y_bar: Float[Array, ""]) -> tuple[Float[Array, ""]]:
    """Returns (x_bar,)."""
    x, a = residuals  # a too: it took an exponential, which costs more than all the rest
    # 1. y = x * a. What comes back to this x, if a is held still? And what to a, if x is?
    direct = y_bar * a
    a_bar = y_bar * x
    # 2. a = sigmoid(x). What comes back to that x, by way of a?
    by_way_of_a = a_bar * a * (1 - a)
    # 3. Both are the same x. Used twice: what follows?
    x_bar = direct + by_way_of_a
    return (x_bar,)


def forked_bwd(
    residuals: tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""], Float[Array, ""], Float[Array, ""]],
    y_bar: Float[Array, ""],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Returns (x_bar, w_bar). The residuals are x, w, u, v and d, in this order."""
    x, w, u, v, d = residuals  # all but y, which is one division away
    # 1. y = v / d ran last, and nothing else used v or d. What comes back to each?
    v_bar = y_bar / d
    d_bar = -y_bar * v / d**2
    # 2. v = x + u and d = 1 + u**2. Who sends something to u?
    u_bar = v_bar + d_bar * 2 * u
    # 3. u = w * x. Is everything that comes to u there already? Then pass it on, to w and to x.
    w_bar = u_bar * x
    # 4. How many times was x used?
    x_bar = v_bar + u_bar * w
    return x_bar, w_bar


course.answer("chain_rule.q1", -0.0078)
course.answer("chain_rule.q2", "b")
course.answer("chain_rule.q3", 0.5**10)
course.answer("chain_rule.q4", 2)
course.answer("chain_rule.q5", "a0")
course.answer("chain_rule.q6", [2_097_150, 40])
course.answer("chain_rule.q7", 0.0317)
course.answer(
    "chain_rule.text",
    """Along one path it is right: y_bar meets one slope after the other, from the end to the start, each taken at the
numbers that forward met there and kept. But u goes into v and into d. Something comes back by each of the two
ways, and u_bar is their sum. One could list all paths and add up their products, but paths double with every
fork. So a bar is completed first, by adding what comes from all uses, and then handed on once.""",
)
