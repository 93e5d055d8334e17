"""Answers to `exploding_gradients`: a recurrent map backward, where a run went bad, and clipping in three ways."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

import course


def recurrent_fwd(
    h: Float[Array, "batch d"], w: Float[Array, "d d"], x: Float[Array, "steps batch d"]
) -> tuple[Float[Array, "batch d"], tuple[Float[Array, "d d"], Float[Array, "steps batch d"]]]:
    """Returns what the last step gives, and the residuals."""

    # 1. What goes from step to step, and what must be put on record at each for the way back?
    def step(h: Float[Array, "batch d"], x: Float[Array, "batch d"]) -> tuple[Array, Array]:
        return h @ w + x, h

    # 2. What does the whole loop return?
    y, before = jax.lax.scan(step, h, x)
    return y, (w, before)


def recurrent_bwd(
    residuals: tuple[Float[Array, "d d"], Float[Array, "steps batch d"]], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], Float[Array, "d d"], Float[Array, "steps batch d"]]:
    """Returns (h_bar, w_bar, x_bar)."""
    w, before = residuals  # what entered each step meets w; x is only added, so none of it is needed

    # 1. One step back: which cotangents go to what entered it, to its use of w, and to its x?
    def step(h_bar: Float[Array, "batch d"], h: Float[Array, "batch d"]) -> tuple[Array, tuple[Array, Array]]:
        return h_bar @ w.T, (h.T @ h_bar, h_bar)

    # 2. Which step comes first on the way back?
    h_bar, (w_bars, x_bar) = jax.lax.scan(step, y_bar, before, reverse=True)
    # 3. The same w was used at every step: what follows?
    w_bar = w_bars.sum(axis=0)
    return h_bar, w_bar, x_bar


def first_bad_step(history: PyTree) -> Int[Array, ""]:
    """Returns the first step with an infinity or a NaN; how many steps there are, if none has one."""

    # 1. In one array, whose first axis counts the steps: at which of them are all numbers finite?
    def is_fine(array: Float[Array, "steps *rest"]) -> Bool[Array, "steps"]:
        return jnp.isfinite(array).reshape(len(array), -1).all(axis=1)

    # 2. At which steps are all arrays fine?
    fine = jnp.stack([is_fine(array) for array in jax.tree.leaves(history)]).all(axis=0)
    # 3. Which is the first that is not, and what if there is none?
    return jnp.where(fine.all(), len(fine), jnp.argmin(fine))


def clip_by_value(grads: PyTree, limit: float) -> PyTree:
    """Returns the gradients with every number brought into the range from -limit to limit."""
    # 1. What becomes of one number that is above the limit, below minus the limit, or between them?
    return jax.tree.map(lambda leaf: jnp.clip(leaf, -limit, limit), grads)


def clip_by_global_norm(grads: PyTree, max_norm: float) -> PyTree:
    """Returns the gradients, all scaled alike where the norm of all of them is above max_norm."""
    # 1. All numbers of all arrays in one long row: what is its norm?
    norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(grads)))
    # 2. By what is every number multiplied if the row is too long, and by what if it is not?
    scale = jnp.where(norm > max_norm, max_norm / norm, 1.0)
    return jax.tree.map(lambda leaf: scale * leaf, grads)


def clip_by_leaf_norm(grads: PyTree, max_norm: float) -> PyTree:
    """Returns the gradients, each array scaled by itself where its own norm is above max_norm."""
    # 1. What is an array to clip_by_global_norm, if it is handed over alone?
    return jax.tree.map(lambda leaf: clip_by_global_norm(leaf, max_norm), grads)


def clip_to_norm_fwd(
    g: Float[Array, "n"], max_norm: Float[Array, ""]
) -> tuple[Float[Array, "n"], tuple[Float[Array, "n"], Float[Array, ""], Float[Array, ""]]]:
    """Returns g, shortened where it is too long, and the residuals."""
    # 1. How long is g, and by what is it multiplied?
    norm = jnp.sqrt(jnp.sum(g**2))
    scale = jnp.where(norm > max_norm, max_norm / norm, 1.0)
    return scale * g, (g, max_norm, norm)


def clip_to_norm_bwd(
    residuals: tuple[Float[Array, "n"], Float[Array, ""], Float[Array, ""]], y_bar: Float[Array, "n"]
) -> tuple[Float[Array, "n"], Float[Array, ""]]:
    """Returns (g_bar, max_norm_bar)."""
    g, max_norm, norm = residuals  # the norm is one number more, and spares a sum over g
    # 1. Which way does g point, and how much of y_bar lies along it? (Where g is 0 it points nowhere.)
    unit = g / jnp.where(norm > 0, norm, 1.0)
    along = jnp.sum(unit * y_bar)
    # 2. Where g was shortened: what comes back to it of y_bar, and how much of that?
    g_bar = max_norm / norm * (y_bar - along * unit)
    # 3. And where it was not? What comes back to max_norm in either case?
    above = norm > max_norm
    return jnp.where(above, g_bar, y_bar), jnp.where(above, along, 0.0)


course.answer("exploding_gradients.q1", (128, 64))
course.answer("exploding_gradients.q2", (100, 19.87))
course.answer("exploding_gradients.q3", "b")
course.answer("exploding_gradients.q4", "c0")
course.answer(
    "exploding_gradients.text",
    """If every gradient is clipped, every step is exactly as long as the rate times 0.01. So doubling the rate makes
all steps twice as long, as doubling max_norm would; under plain descent the two are one knob. The gradient
gives nothing but a direction then: its length no longer says that a minimum is near, steps stay as long as they
are until it is shorter than 0.01, and a batch that is badly wrong counts no more than one that is nearly right.
I would plot the norms before clipping, to see how long they are in good times, and the largest eigenvalue of
the recurrent weights. Then max_norm goes a little above the usual norm, and the cause is looked for: the rate,
a warm-up, decay, gates or normalisation.""",
)
