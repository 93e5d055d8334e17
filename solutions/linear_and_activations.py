"""Answers to `linear_and_activations`: affine with a broadcast bias; relu, sigmoid and tanh."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

import course
from course.lessons.linear_and_activations import affine, relu, sigmoid, tanh


def affine_fwd(
    x: Float[Array, "batch d_in"], w: Float[Array, "d_in d_out"], b: Float[Array, "d_out"]
) -> tuple[Float[Array, "batch d_out"], tuple[Float[Array, "batch d_in"], Float[Array, "d_in d_out"]]]:
    """Returns every row of x mapped by w plus the bias, and the residuals."""
    # 1. Backward will need two of the three arguments. Which one can it do without?
    return affine(x, w, b), (x, w)


def affine_bwd(
    residuals: tuple[Float[Array, "batch d_in"], Float[Array, "d_in d_out"]], y_bar: Float[Array, "batch d_out"]
) -> tuple[Float[Array, "batch d_in"], Float[Array, "d_in d_out"], Float[Array, "d_out"]]:
    """Returns (x_bar, w_bar, b_bar)."""
    x, w = residuals  # not b: none of the three cotangents asks what it was
    # 1. x[n, i] touched every y[n, j], by way of w[i, j]. Sum over which index?
    x_bar = y_bar @ w.T
    # 2. Which entries of y did w[i, j] touch, and by way of which entries of x? Sum over which index?
    w_bar = x.T @ y_bar
    # 3. Forward copied b to every row: what does backward do?
    b_bar = y_bar.sum(axis=0)
    return x_bar, w_bar, b_bar


def relu_fwd(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Bool[Array, "*shape"]]:
    """Returns relu of x, and the residuals."""
    # 1. What is the least that backward must know about each entry of x?
    return relu(x), x > 0


def relu_bwd(residuals: Bool[Array, "*shape"], y_bar: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"]]:
    """Returns (x_bar,)."""
    positive = residuals  # not x: how far from zero it was changes nothing
    # 1. What passes where x was positive, and what where it was not?
    return (jnp.where(positive, y_bar, 0),)


def sigmoid_fwd(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns the sigmoid of x, and the residuals."""
    # 1. Which of x and y makes the derivative shorter to write?
    y = sigmoid(x)
    return y, y


def sigmoid_bwd(residuals: Float[Array, "*shape"], y_bar: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"]]:
    """Returns (x_bar,)."""
    y = residuals  # not x: the slope would need its exp again
    # 1. How does dy/dx read in terms of y alone?
    return (y_bar * y * (1 - y),)


def tanh_fwd(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns tanh of x, and the residuals."""
    # 1. Sigmoid kept y. Would tanh do better with x or with y?
    y = tanh(x)
    return y, y


def tanh_bwd(residuals: Float[Array, "*shape"], y_bar: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"]]:
    """Returns (x_bar,)."""
    y = residuals  # not x: the slope would need its tanh again
    # 1. How does dy/dx read in terms of y alone, and what is its largest value?
    return (y_bar * (1 - y**2),)


course.answer("linear_and_activations.q1", "b")
course.answer("linear_and_activations.q2", (0.25, 1.0))
course.answer("linear_and_activations.q3", "c")
course.answer("linear_and_activations.q4", "b0")
course.answer(
    "linear_and_activations.text",
    """Forward copied b to every row, so all rows send something back to it, and that is added. The loss does take a
mean, but its 1 / batch came down inside y_bar already: here it would be counted twice. Training would hardly
show it, since b_bar points the right way and is only too short, so b learns slowly and the loss falls. For a
batch of one row it is even right. Held against jax.vjp or differences it is off by one factor, the number of
rows, at the first look.""",
)
