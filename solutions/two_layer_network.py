"""Answers to `two_layer_network`: every cotangent by name, the pair, and the batch."""

import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.two_layer_network import BatchNetwork, BatchResiduals, Cotangents, TwoLayer, TwoLayerResiduals


def two_layer_cotangents(residuals: TwoLayerResiduals, loss_bar: Float[Array, ""]) -> Cotangents:
    """Returns the cotangent of every intermediate and parameter, from the loss back to the first layer."""
    x, z1, a1, w2, error = residuals
    # 1. How does the loss move when z2 does, and the final result when the loss does?
    z2_bar = loss_bar * error
    # 2. z2 = w2 @ a1 + b2. Which entry of z2 does w2[i, j] touch, and with what beside it?
    w2_bar = jnp.outer(z2_bar, a1)
    b2_bar = z2_bar
    # 3. a1[j] touches every z2[i]. Used many times: what follows?
    a1_bar = w2.T @ z2_bar
    # 4. Through which entries of z1 did anything pass?
    z1_bar = a1_bar * (z1 > 0)
    # 5. z1 = w1 @ x + b1 is step 2 again, with other names.
    w1_bar = jnp.outer(z1_bar, x)
    b1_bar = z1_bar
    return Cotangents(z2_bar, w2_bar, b2_bar, a1_bar, z1_bar, w1_bar, b1_bar)


def two_layer_loss_bwd(residuals: TwoLayerResiduals, loss_bar: Float[Array, ""]) -> tuple[TwoLayer, None, None]:
    """Returns the gradient of the parameters; the example and its target are data and get None."""
    # 1. Which of the seven cotangents belong to parameters, and in which order does TwoLayer want them?
    bar = two_layer_cotangents(residuals, loss_bar)
    return TwoLayer(bar.w1, bar.b1, bar.w2, bar.b2), None, None


def batch_loss_bwd(residuals: BatchResiduals, loss_bar: Float[Array, ""]) -> tuple[BatchNetwork, None, None]:
    """Returns the gradient of the parameters for a batch whose examples are rows."""
    x, z1, a1, w2, error = residuals
    # 1. The loss is a mean over the batch: where does that meet the first cotangent?
    z2_bar = loss_bar * error / len(x)
    # 2. Every row used the same w2 and the same b2. Used many times: what follows?
    w2_bar = a1.T @ z2_bar
    b2_bar = z2_bar.sum(axis=0)
    # 3. Rows instead of columns: on which side does w2 stand now?
    z1_bar = (z2_bar @ w2.T) * (z1 > 0)
    # 4. The first layer is step 2 again, with other names.
    w1_bar = x.T @ z1_bar
    b1_bar = z1_bar.sum(axis=0)
    return BatchNetwork(w1_bar, b1_bar, w2_bar, b2_bar), None, None


course.answer("two_layer_network.q1", "c")
course.answer("two_layer_network.q2", "d")
course.answer("two_layer_network.q3", -3.0928)
course.answer("two_layer_network.q4", "b")
course.answer("two_layer_network.q5", "a")
course.answer("two_layer_network.q6", "c0")
course.answer(
    "two_layer_network.text",
    """Its z1_bar is zero, because relu is flat there, and so are its row of w1_bar and its entry of b1_bar, which are
made of z1_bar. Its column of w2_bar is zero too, but for another reason: what stands beside w2 is a1, which is
zero. Its a1_bar is not: that is w2 turned times z2_bar, and only on the next step does it meet the relu. All of
this holds for this example; another x may switch the unit on.""",
)
