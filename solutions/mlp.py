"""Answers to `mlp`: the whole network's pass, made of the pairs of earlier lessons."""

from typing import Any

import jax
from jaxtyping import Array, Float, Int

import course
from course.lessons.mlp import Layer, Mlp, Stack
from solutions.linear_and_activations import affine_bwd, affine_fwd, relu_bwd, relu_fwd
from solutions.losses import softmax_cross_entropy_bwd, softmax_cross_entropy_fwd


def mlp_fwd(params: Mlp, x: Float[Array, "batch d_in"]) -> tuple[Float[Array, "batch classes"], list[Any]]:
    """Returns the logits, and one entry of residuals an operation, in the order in which forward ran them."""
    *hidden, last = params.layers
    residuals: list[object] = []
    # 1. What must be kept from each layer, and who decides that?
    for layer in hidden:
        x, kept_affine = affine_fwd(x, layer.w, layer.b)
        x, kept_relu = relu_fwd(x)
        residuals.append((kept_affine, kept_relu))
    # 2. What is different about the last layer?
    logits, kept_affine = affine_fwd(x, last.w, last.b)
    return logits, [*residuals, kept_affine]


def mlp_bwd(residuals: list[Any], logits_bar: Float[Array, "batch classes"]) -> tuple[Mlp, Float[Array, "batch d_in"]]:
    """Returns (params_bar, x_bar)."""
    *hidden, kept_affine = residuals  # whatever each pair kept: nobody else looks into it
    # 1. Which operation ran last?
    x_bar, w_bar, b_bar = affine_bwd(kept_affine, logits_bar)
    layers_bar = [Layer(w_bar, b_bar)]
    # 2. In which order do the others follow, and what is the y_bar of each?
    for kept_affine, kept_relu in reversed(hidden):
        (y_bar,) = relu_bwd(kept_relu, x_bar)
        x_bar, w_bar, b_bar = affine_bwd(kept_affine, y_bar)
        layers_bar.append(Layer(w_bar, b_bar))
    # 3. Forward listed its layers first to last. What did this loop do?
    return Mlp(layers_bar[::-1]), x_bar


def mlp_loss_fwd(
    params: Mlp, x: Float[Array, "batch d_in"], labels: Int[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Any, Any]]:
    """Returns the loss, and the residuals of both halves."""
    # 1. Two pairs in a row: what does each of them hand to the next?
    logits, kept_network = mlp_fwd(params, x)
    loss, kept_loss = softmax_cross_entropy_fwd(logits, labels)
    # 2. What must be kept of two pairs?
    return loss, (kept_network, kept_loss)


def mlp_loss_bwd(residuals: tuple[Any, Any], loss_bar: Float[Array, ""]) -> tuple[Mlp, None, None]:
    """Returns the gradient of the parameters; the images and their labels are data and get None."""
    kept_network, kept_loss = residuals
    # 1. Which of the two pairs ran last, and what does it hand to the other?
    logits_bar, _ = softmax_cross_entropy_bwd(kept_loss, loss_bar)
    params_bar, _ = mlp_bwd(kept_network, logits_bar)
    # 2. Forward had three arguments, and two of them are data. What is returned?
    return params_bar, None, None


def hidden_layers_fwd(params: Stack, x: Float[Array, "batch d"]) -> tuple[Float[Array, "batch d"], Any]:
    """Returns what the last layer gives, and the residuals."""

    # 1. The body of a loop for one layer: what does it hand to the next, and what must it put on record?
    def layer(x: Float[Array, "batch d"], own: Stack) -> tuple[Array, Any]:
        z, kept_affine = affine_fwd(x, own.w, own.b)
        y, kept_relu = relu_fwd(z)
        return y, (kept_affine, kept_relu)

    # 2. What does the whole scan return?
    return jax.lax.scan(layer, x, params)


def hidden_layers_bwd(residuals: Any, y_bar: Float[Array, "batch d"]) -> tuple[Stack, Float[Array, "batch d"]]:
    """Returns (params_bar, x_bar)."""

    # 1. One layer back: which of the two pairs comes first, what is handed on, and what goes on record?
    def layer(y_bar: Float[Array, "batch d"], kept: Any) -> tuple[Array, Stack]:
        kept_affine, kept_relu = kept  # whatever each pair kept, of this layer alone
        (z_bar,) = relu_bwd(kept_relu, y_bar)
        x_bar, w_bar, b_bar = affine_bwd(kept_affine, z_bar)
        return x_bar, Stack(w_bar, b_bar)

    # 2. With which layer does backward begin, and what does the scan hand over at its end?
    x_bar, params_bar = jax.lax.scan(layer, y_bar, residuals, reverse=True)
    return params_bar, x_bar


course.answer("mlp.q1", "b")
course.answer("mlp.q2", 1.52)
course.answer("mlp.q3", "c")
course.answer("mlp.q4", "a0")
course.answer(
    "mlp.text",
    """Forward calls the pair of each layer in order and puts its residuals aside. Backward begins with the cotangent
of the last value and calls the layers' backward passes in the opposite order. Each takes its own residuals and
the y_bar that the layer above handed down as its x_bar. On the way each gives its parameters' cotangents; they
come last layer first and are turned round into a tree like the parameters. The first layer's residuals wait
longest: all of them are in memory at once, which is depth times batch. Somebody who only wants values forgets
each input when the next is made.""",
)
