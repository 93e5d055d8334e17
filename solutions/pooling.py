"""Answers to `pooling`: a mean spread again, the largest of a window, and a whole network's pass."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

import course
from course.lessons.mlp import Layer
from course.lessons.pooling import (
    BLOCKS,
    SIDE,
    Cnn,
    Convolution,
    Pool,
    average_pool,
    keeping_size,
    max_pool,
    overlapping_max_pool,
    places,
)
from solutions.convolution import conv_2d_bwd, conv_2d_fwd
from solutions.linear_and_activations import affine_bwd, affine_fwd, relu_bwd, relu_fwd
from solutions.losses import softmax_cross_entropy_bwd, softmax_cross_entropy_fwd


def average_pool_fwd(
    x: Float[Array, "batch height width channels"],
) -> tuple[Float[Array, "batch rows columns channels"], tuple[()]]:
    """Returns the mean of each block, and the residuals."""
    # 1. Does what comes back depend on any number of x?
    return average_pool(x), ()


def average_pool_bwd(
    residuals: tuple[()], y_bar: Float[Array, "batch rows columns channels"]
) -> tuple[Float[Array, "batch height width channels"]]:
    """Returns (x_bar,); nothing was kept, since a mean is linear and y_bar's shape tells the shape of x."""
    # 1. How large a part of y is each pixel of a block?
    share = y_bar / SIDE**2
    # 2. A sum over a block's rows and columns: what is its backward, along each of the two axes?
    return (jnp.repeat(jnp.repeat(share, SIDE, axis=1), SIDE, axis=2),)


def max_pool_fwd(
    x: Float[Array, "batch height width channels"],
) -> tuple[
    Float[Array, "batch rows columns channels"],
    tuple[Float[Array, "batch height width channels"], Float[Array, "batch rows columns channels"]],
]:
    """Returns the largest number of each block, and the residuals."""
    # 1. From which two arrays can be told, later on, which pixel was picked?
    y = max_pool(x)
    return y, (x, y)


def max_pool_bwd(
    residuals: tuple[Float[Array, "batch height width channels"], Float[Array, "batch rows columns channels"]],
    y_bar: Float[Array, "batch rows columns channels"],
) -> tuple[Float[Array, "batch height width channels"]]:
    """Returns (x_bar,)."""
    x, y = residuals  # no mask as large as x: comparing again costs less than keeping it
    # 1. Go through the places of a block in reading order. If the first of several counts, when was a pixel picked?
    open_still, sent = jnp.ones(y.shape, bool), []
    for place in places(BLOCKS, y.shape):
        picked = open_still & (x[place] == y)
        open_still = open_still & ~picked
        sent.append(jnp.where(picked, y_bar, 0))
    # 2. There is an array for each place of a block. How do they lie in the picture?
    apart = jnp.stack(sent).reshape(SIDE, SIDE, *y.shape)
    return (apart.transpose(2, 3, 0, 4, 1, 5).reshape(x.shape),)


def overlapping_max_pool_fwd(
    x: Float[Array, "batch height width channels"], pool: Pool
) -> tuple[
    Float[Array, "batch rows columns channels"],
    tuple[Float[Array, "batch height width channels"], Float[Array, "batch rows columns channels"], Pool],
]:
    """Returns the largest number of each window, and the residuals."""
    # 1. Is more needed than for blocks?
    y = overlapping_max_pool(x, pool)
    return y, (x, y, pool)


def overlapping_max_pool_bwd(
    residuals: tuple[Float[Array, "batch height width channels"], Float[Array, "batch rows columns channels"], Pool],
    y_bar: Float[Array, "batch rows columns channels"],
) -> tuple[Float[Array, "batch height width channels"], None]:
    """Returns (x_bar, None)."""
    x, y, pool = residuals  # as for blocks; the windows themselves lie in x
    # 1. For each place within a window: which windows picked the pixel there?
    x_bar, open_still = jnp.zeros_like(x), jnp.ones(y.shape, bool)
    for place in places(pool, y.shape):
        picked = open_still & (x[place] == y)
        open_still = open_still & ~picked
        # 2. The pixel may have been picked by other windows, from another place. What follows?
        x_bar = x_bar.at[place].add(jnp.where(picked, y_bar, 0))
    return x_bar, None


def cnn_loss_fwd(
    params: Cnn, x: Float[Array, "batch height width channels"], labels: Int[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Any, ...]]:
    """Returns the loss, and the residuals of every part."""
    residuals: list[object] = []
    # 1. Which three pairs does a layer call, in which order, and what must be put aside?
    for layer in params.convolutions:
        x, kept_convolution = conv_2d_fwd(x, layer.w, layer.b, keeping_size(layer.w))
        x, kept_pool = max_pool_fwd(x)
        x, kept_relu = relu_fwd(x)
        residuals.append((kept_convolution, kept_pool, kept_relu))
    # 2. The readout wants rows. What will backward have to know about the pictures that they were made of?
    logits, kept_readout = affine_fwd(x.reshape(len(x), -1), params.readout.w, params.readout.b)
    loss, kept_loss = softmax_cross_entropy_fwd(logits, labels)
    return loss, (residuals, x, kept_readout, kept_loss)


def cnn_loss_bwd(residuals: tuple[Any, ...], loss_bar: Float[Array, ""]) -> tuple[Cnn, None, None]:
    """Returns the gradient of the parameters; the pictures and their labels are data and get None."""
    layers, pictures, kept_readout, kept_loss = residuals  # of the last pictures, the shape alone
    # 1. The two parts that ran last: in which order do they come now?
    logits_bar, _ = softmax_cross_entropy_bwd(kept_loss, loss_bar)
    rows_bar, w_bar, b_bar = affine_bwd(kept_readout, logits_bar)
    readout_bar = Layer(w_bar, b_bar)
    # 2. Forward made rows of pictures. What undoes that?
    y_bar = rows_bar.reshape(pictures.shape)
    # 3. In which order do the layers come, and in which the three parts of each?
    convolutions_bar = []
    for kept_convolution, kept_pool, kept_relu in reversed(layers):
        (y_bar,) = relu_bwd(kept_relu, y_bar)
        (y_bar,) = max_pool_bwd(kept_pool, y_bar)
        y_bar, w_bar, b_bar, _ = conv_2d_bwd(kept_convolution, y_bar)
        convolutions_bar.append(Convolution(w_bar, b_bar))
    return Cnn(convolutions_bar[::-1], readout_bar), None, None


course.answer("pooling.q1", (0, 6, 0, 0))
course.answer("pooling.q2", "c")
course.answer("pooling.q3", "d0")
course.answer(
    "pooling.text",
    """jnp.max over a reshaped view and reduce_window have the same values, and the same derivative wherever one number
of a window is the largest alone. They differ where several are: jnp.max gives each of them an equal share of y_bar,
reduce_window gives all of it to the first. Neither is a derivative in the strict sense, since there is none at a tie:
moving one of the tied numbers up moves y, moving it down doesn't. In a picture with areas of one colour there are ties
everywhere, and networks trained by the two go apart slowly. I would compare at inputs without ties to see that nothing
else differs, then at a window of equal numbers to see who gets what, and write down the convention.""",
)
