"""Answers to `custom_rules`: rules that stay finite, keep little, or are no derivative at all, and installing them."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

import course
from course.lessons.custom_rules import LEVELS, fake_quantize, log1pexp


def log1pexp_jvp(
    primals: tuple[Float[Array, "n"]], tangents: tuple[Float[Array, "n"]]
) -> tuple[Float[Array, "n"], Float[Array, "n"]]:
    """Returns (y, y_dot): log(1 + exp(x)), and how fast it moves."""
    (x,), (x_dot,) = primals, tangents
    # 1. The slope of the log, times that of what is in it: how is it written so that no exponential overflows?
    slope = jax.nn.sigmoid(x)
    # 2. How fast does y move when x moves at x_dot?
    return log1pexp(x), slope * x_dot


def lengths(x: Float[Array, "batch d"]) -> Float[Array, "batch"]:
    """Returns the length of each row: the root of its sum of squares."""
    squares = jnp.sum(x**2, axis=-1)
    # 1. Which rows have no slope, and what may stand under their root instead, so that every slope is a number?
    is_zero = squares == 0
    root = jnp.sqrt(jnp.where(is_zero, 1, squares))
    # 2. What is the length of these rows, after all?
    return jnp.where(is_zero, 0, root)


def install(fwd: Callable[..., Any], bwd: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function with the value of `fwd`, for whose derivative JAX takes `bwd`."""

    # 1. Where nobody differentiates: which part of what `fwd` returns is the value?
    @jax.custom_vjp
    def installed(*primals: Any) -> Any:
        return fwd(*primals)[0]

    # 2. Where somebody does: who is called on the way forward, and who on the way back?
    installed.defvjp(fwd, bwd)
    return installed


def fused_cross_entropy_fwd(
    logits: Float[Array, "batch classes"], labels: Int[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch classes"], Int[Array, "batch"], Array, Array]]:
    """Returns the loss, and the residuals."""
    # 1. The largest logit of each row and the total of its exponentials, after the largest was taken away.
    largest = jnp.max(logits, axis=-1, keepdims=True)
    total = jnp.sum(jnp.exp(logits - largest), axis=-1, keepdims=True)
    # 2. How is each row's loss made of these two and the label's logit?
    chosen = jnp.take_along_axis(logits, labels[:, None], axis=-1)
    loss = jnp.mean(largest + jnp.log(total) - chosen)
    # 3. What do you keep, so that backward has no sum to take again, and no large array is kept?
    return loss, (logits, labels, largest, total)


def fused_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch classes"], Int[Array, "batch"], Array, Array], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch classes"], None]:
    """Returns (logits_bar, None): labels are whole numbers and can't be nudged."""
    logits, labels, largest, total = residuals  # two numbers a row, and what was there anyway
    # 1. The slope of logsumexp, in the very words of forward: what does a compiler do with a term that it has met?
    probabilities = jnp.exp(logits - largest) / total
    # 2. Which single entry of each row did the loss pick, and with which sign?
    is_chosen = jnp.arange(logits.shape[-1]) == labels[:, None]
    # 3. A mean over the rows: what does it do to each of them?
    logits_bar = loss_bar / len(labels) * (probabilities - is_chosen)
    return logits_bar, None


def fake_quantize_fwd(
    x: Float[Array, "batch d"], step: Float[Array, ""]
) -> tuple[Float[Array, "batch d"], tuple[Float[Array, "batch d"], Float[Array, ""]]]:
    """Returns x on the grid, and the residuals."""
    # 1. Everything that backward asks can be asked of the arguments: which need be kept?
    return fake_quantize(x, step), (x, step)


def fake_quantize_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, ""]], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], Float[Array, ""]]:
    """Returns (x_bar, step_bar)."""
    x, step = residuals  # neither the grid's numbers nor who fits: a division and a comparison make them again
    # 1. Where x fits on the grid, what does y = step * round(x / step) pass on, if round were not there? And elsewhere?
    fits = jnp.abs(x) <= LEVELS * step
    x_bar = jnp.where(fits, y_bar, 0)
    # 2. step is used twice where x fits, and once where it does not: how does y move with it in either case?
    by_step = jnp.where(fits, jnp.round(x / step) - x / step, LEVELS * jnp.sign(x))
    # 3. Every number of y was made with the one step: what follows?
    step_bar = jnp.sum(y_bar * by_step)
    return x_bar, step_bar


def clip_gradient_bwd(
    limit: Float[Array, ""], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], Float[Array, ""]]:
    """Returns (x_bar, limit_bar) of the identity: the rows of y_bar, those longer than the limit shortened to it."""
    # 1. How long is each row?
    length = jnp.linalg.norm(y_bar, axis=-1, keepdims=True)
    # 2. By what is a row multiplied that is too long, by what all others, and which of the two is smaller?
    factor = jnp.minimum(1, limit / length)
    return factor * y_bar, jnp.zeros_like(limit)


ROWS = 32
"""Rows of logits that are there at once; a power of two."""


def projected_cross_entropy_fwd(
    h: Float[Array, "batch d_model"], w: Float[Array, "d_model vocab"], labels: Int[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch d_model"], Float[Array, "d_model vocab"]]]:
    """Returns the loss, and the residuals: what comes back for a loss_bar of 1."""
    batch, d_model = h.shape
    rows = math.gcd(batch, ROWS)

    # 1. A few rows: their logits, their part of the loss, and at once what comes back to their h and to w.
    def part(w_bar: Array, few: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        few_h, few_labels = few
        logits = few_h @ w
        loss, residuals = fused_cross_entropy_fwd(logits, few_labels)
        logits_bar, _ = fused_cross_entropy_bwd(residuals, jnp.asarray(rows / batch, h.dtype))
        return w_bar + few_h.T @ logits_bar, (loss, logits_bar @ w.T)

    # 2. All of them in turn: what is carried along, and what is laid side by side?
    parts = (h.reshape(-1, rows, d_model), labels.reshape(-1, rows))
    w_bar, (losses, h_bar) = jax.lax.scan(part, jnp.zeros_like(w), parts)
    # 3. Neither logits nor h nor w: what is left to be kept?
    return jnp.mean(losses), (h_bar.reshape(h.shape), w_bar)


def projected_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch d_model"], Float[Array, "d_model vocab"]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch d_model"], Float[Array, "d_model vocab"], None]:
    """Returns (h_bar, w_bar, None): labels are whole numbers and can't be nudged."""
    h_bar, w_bar = residuals  # the cotangents themselves, but for a factor: a loss has one number to hand in
    # 1. What is missing?
    return loss_bar * h_bar, loss_bar * w_bar, None


course.answer("custom_rules.q1", "c")
course.answer("custom_rules.q2", "b")
course.answer("custom_rules.q3", "b0")
course.answer(
    "custom_rules.text",
    """Not for all forty. I would first look where the step spends its time and its memory: count FLOPs and the bytes
that are kept, and time the compiled step. Products and the simple functions between them I would leave: backward
needs two products whoever writes it, and the compiler melts the rest into one loop. I would write a rule where we
know something that the program does not say: the loss over the vocabulary, which needs two numbers a row and no
table of logarithms; the solver, whose answer follows from its last equation alone; a norm, whose row keeps two
numbers; and where JAX's own derivative is no number, or where none is wanted that is true, as through a round.
Each of them has a price. Somebody must test it, against jax.vjp or against differences, and test it again whenever
the function changes, since nothing else will notice. And a custom_vjp has no forward mode, so that a colleague who
wants a Jacobian by columns is refused.""",
)
