"""A multilayer perceptron: affine layers with a relu between each two, under softmax cross-entropy.

    x -> affine -> relu -> affine -> relu -> ... -> affine -> logits

Parameters are a list with one `Layer` an affine map; their cotangents have the same type. Hidden layers of equal width
may be a `Stack` as well, whose arrays have the layers for their first axis: `hidden_layers` runs them as one scan.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, chapter 6. The initial scale is
K. He et al., "Delving Deep into Rectifiers", 2015, arXiv:1502.01852.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from course.lessons.linear_and_activations import affine, relu
from course.lessons.losses import softmax_cross_entropy


class Layer(NamedTuple):
    """The parameters of one affine map."""

    w: Float[Array, "d_in d_out"]
    b: Float[Array, "d_out"]


class Mlp(NamedTuple):
    """The parameters of the network, first layer first."""

    layers: list[Layer]


class Stack(NamedTuple):
    """The parameters of affine maps of one size, along a first axis."""

    w: Float[Array, "layers d d"]
    b: Float[Array, "layers d"]


def init_mlp(key: Key[Array, ""], sizes: Sequence[int]) -> Mlp:
    """Draws weights of variance 2 / d_in and sets every bias to zero; `sizes` runs from the input to the logits."""
    keys = jax.random.split(key, len(sizes) - 1)
    return Mlp(
        [
            Layer(jax.random.normal(layer_key, (d_in, d_out)) * jnp.sqrt(2 / d_in), jnp.zeros(d_out))
            for layer_key, d_in, d_out in zip(keys, sizes[:-1], sizes[1:], strict=True)
        ]
    )


def mlp(params: Mlp, x: Float[Array, "batch d_in"]) -> Float[Array, "batch classes"]:
    """Returns the logits of every row."""
    *hidden, last = params.layers
    for layer in hidden:
        x = relu(affine(x, layer.w, layer.b))
    return affine(x, last.w, last.b)


def mlp_loss(params: Mlp, x: Float[Array, "batch d_in"], labels: Int[Array, "batch"]) -> Float[Array, ""]:
    """Returns the mean softmax cross-entropy, in nats, of the network's logits."""
    return softmax_cross_entropy(mlp(params, x), labels)


def hidden_layers(params: Stack, x: Float[Array, "batch d"]) -> Float[Array, "batch d"]:
    """Sends every row of x through all layers of a stack, first to last: an affine map and a relu each."""

    def layer(x: Float[Array, "batch d"], own: Stack) -> tuple[Float[Array, "batch d"], None]:
        return relu(affine(x, own.w, own.b)), None

    return jax.lax.scan(layer, x, params)[0]
