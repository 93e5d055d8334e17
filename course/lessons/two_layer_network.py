"""A network of two layers under a squared error: first one example as a column, then a batch as rows.

    z1 = w1 @ x + b1      a1 = relu(z1)      z2 = w2 @ a1 + b2      loss = 0.5 * sum((z2 - target)**2)

In this lesson the forward half of each pair is given: it returns the loss and the residuals, which are what forward
kept so that backward need not compute it again. relu'(0) is 0 by convention.

Source: D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating errors",
Nature 323, 1986, doi:10.1038/323533a0.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float


class TwoLayer(NamedTuple):
    """Parameters for one example at a time: a weight matrix maps a column to a column."""

    w1: Float[Array, "hidden d_in"]
    b1: Float[Array, "hidden"]
    w2: Float[Array, "d_out hidden"]
    b2: Float[Array, "d_out"]


class TwoLayerResiduals(NamedTuple):
    """What the forward pass of one example keeps."""

    x: Float[Array, "d_in"]
    z1: Float[Array, "hidden"]
    a1: Float[Array, "hidden"]
    w2: Float[Array, "d_out hidden"]
    error: Float[Array, "d_out"]


class Cotangents(NamedTuple):
    """The cotangent of every intermediate and parameter, in the order in which backward meets them."""

    z2: Float[Array, "d_out"]
    w2: Float[Array, "d_out hidden"]
    b2: Float[Array, "d_out"]
    a1: Float[Array, "hidden"]
    z1: Float[Array, "hidden"]
    w1: Float[Array, "hidden d_in"]
    b1: Float[Array, "hidden"]


def no_nudges(params: TwoLayer) -> Cotangents:
    """Returns the nudges of `nudged_loss` that move nothing."""
    hidden, d_out = 0 * params.b1, 0 * params.b2
    return Cotangents(z2=d_out, w2=0 * params.w2, b2=d_out, a1=hidden, z1=hidden, w1=0 * params.w1, b1=hidden)


class BatchNetwork(NamedTuple):
    """Parameters for a batch of rows: every weight matrix is the transpose of its namesake in `TwoLayer`."""

    w1: Float[Array, "d_in hidden"]
    b1: Float[Array, "hidden"]
    w2: Float[Array, "hidden d_out"]
    b2: Float[Array, "d_out"]


class BatchResiduals(NamedTuple):
    """What the forward pass of a batch keeps."""

    x: Float[Array, "batch d_in"]
    z1: Float[Array, "batch hidden"]
    a1: Float[Array, "batch hidden"]
    w2: Float[Array, "hidden d_out"]
    error: Float[Array, "batch d_out"]


def two_layer_loss(params: TwoLayer, x: Float[Array, "d_in"], target: Float[Array, "d_out"]) -> Float[Array, ""]:
    """Returns the squared error of the network on one example, halved."""
    return two_layer_loss_fwd(params, x, target)[0]


def two_layer_loss_fwd(
    params: TwoLayer, x: Float[Array, "d_in"], target: Float[Array, "d_out"]
) -> tuple[Float[Array, ""], TwoLayerResiduals]:
    """Returns the loss of one example, and what backward will need."""
    z1 = params.w1 @ x + params.b1
    a1 = jnp.where(z1 > 0, z1, 0)
    z2 = params.w2 @ a1 + params.b2
    error = z2 - target
    return 0.5 * jnp.sum(error**2), TwoLayerResiduals(x, z1, a1, params.w2, error)


def nudged_loss(
    z2: Float[Array, "d_out"],
    w2: Float[Array, "d_out hidden"],
    b2: Float[Array, "d_out"],
    a1: Float[Array, "hidden"],
    z1: Float[Array, "hidden"],
    w1: Float[Array, "hidden d_in"],
    b1: Float[Array, "hidden"],
    params: TwoLayer,
    x: Float[Array, "d_in"],
    target: Float[Array, "d_out"],
) -> Float[Array, ""]:
    """Returns the loss after each array named in `Cotangents` was moved by the argument of the same name.

    Its derivatives at nudges of zero are what "the cotangent of an intermediate" means.
    """
    moved_z1 = (params.w1 + w1) @ x + params.b1 + b1 + z1
    moved_a1 = jnp.where(moved_z1 > 0, moved_z1, 0) + a1
    moved_z2 = (params.w2 + w2) @ moved_a1 + params.b2 + b2 + z2
    return 0.5 * jnp.sum((moved_z2 - target) ** 2)


def batch_loss(
    params: BatchNetwork, x: Float[Array, "batch d_in"], target: Float[Array, "batch d_out"]
) -> Float[Array, ""]:
    """Returns the mean over the batch of each example's halved squared error."""
    return batch_loss_fwd(params, x, target)[0]


def batch_loss_fwd(
    params: BatchNetwork, x: Float[Array, "batch d_in"], target: Float[Array, "batch d_out"]
) -> tuple[Float[Array, ""], BatchResiduals]:
    """Returns the loss of a batch whose examples are rows, and what backward will need."""
    z1 = x @ params.w1 + params.b1
    a1 = jnp.where(z1 > 0, z1, 0)
    z2 = a1 @ params.w2 + params.b2
    error = z2 - target
    return 0.5 * jnp.sum(error**2) / len(x), BatchResiduals(x, z1, a1, params.w2, error)
