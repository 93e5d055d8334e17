"""Answers to `linear_and_activations`: affine with a broadcast bias; relu, sigmoid and tanh; four smooth relus."""

import math

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

import course
from course.lessons.linear_and_activations import (
    TANH_CUBE,
    TANH_SCALE,
    affine,
    gelu,
    gelu_tanh,
    normal_cdf,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)


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


def softplus_fwd(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns softplus of x, and the residuals."""
    # 1. x and y say the same here, for softplus always climbs. Of which of them is the slope a known function?
    return softplus(x), x


def softplus_bwd(residuals: Float[Array, "*shape"], y_bar: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"]]:
    """Returns (x_bar,)."""
    x = residuals  # not y: it would do, by way of an exp
    # 1. Which function is the slope of softplus?
    return (y_bar * sigmoid(x),)


def silu_fwd(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns silu of x, and the residuals."""
    # 1. Two different x can have one y. Can backward do with y alone?
    return silu(x), x


def silu_bwd(residuals: Float[Array, "*shape"], y_bar: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"]]:
    """Returns (x_bar,)."""
    x = residuals  # not the sigmoid too: it costs an exp, and to keep it as many bytes again
    gate = sigmoid(x)
    # 1. x is used twice: by itself, and inside the gate. What comes back along each way, and what is done with both?
    return (y_bar * (gate + x * gate * (1 - gate)),)


def gelu_fwd(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns gelu of x, and the residuals."""
    # 1. What was silu's answer to the question of x or y, and is anything different here?
    return gelu(x), x


def gelu_bwd(residuals: Float[Array, "*shape"], y_bar: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"]]:
    """Returns (x_bar,)."""
    x = residuals  # not y: it falls and then rises, so it does not tell x
    # 1. What is the slope of the gate: how dense does a Gaussian lie at x?
    density = jnp.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    # 2. x is used twice: by itself, and inside the gate. What comes back along each way, and what is done with both?
    return (y_bar * (normal_cdf(x) + x * density),)


def gelu_tanh_fwd(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns the tanh form of gelu of x, and the residuals."""
    # 1. Backward will want the tanh again. Is it worth keeping, beside x?
    return gelu_tanh(x), x


def gelu_tanh_bwd(residuals: Float[Array, "*shape"], y_bar: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"]]:
    """Returns (x_bar,)."""
    x = residuals  # not the tanh too: twice the bytes
    # 1. Of what is the tanh taken, and how fast does that grow with x? (Spelled unlike forward's: of two alike a
    #    compiler makes one, and keeps it.)
    t = tanh(TANH_SCALE * x * (1 + TANH_CUBE * x**2))
    inside_slope = TANH_SCALE * (1 + 3 * TANH_CUBE * x**2)
    # 2. The gate is half of 1 + t. What is its slope, by way of the tanh and of what is inside?
    gate_slope = (1 - t**2) * inside_slope / 2
    # 3. x is used twice: by itself, and inside the gate. What is done with both?
    return (y_bar * ((1 + t) / 2 + x * gate_slope),)


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
