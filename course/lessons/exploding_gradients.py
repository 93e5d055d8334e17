"""A recurrent map, whose cotangent meets the same weights at every step, and clipping to a norm.

    h is given      then, for every step t:      h = h @ w + x[t]

    norm = sqrt(sum(g**2))      clip_to_norm(g, max_norm) = g                      where norm <= max_norm
                                                          = g * max_norm / norm    where norm > max_norm

Source: Y. Bengio, P. Simard, P. Frasconi, "Learning long-term dependencies with gradient descent is difficult", 1994;
R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2013, arXiv:1211.5063.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def recurrent(
    h: Float[Array, "batch d"], w: Float[Array, "d d"], x: Float[Array, "steps batch d"]
) -> Float[Array, "batch d"]:
    """Sends every row of h through all steps, with the same weights and an input of its own at each."""

    def step(h: Float[Array, "batch d"], x: Float[Array, "batch d"]) -> tuple[Float[Array, "batch d"], None]:
        return h @ w + x, None

    return jax.lax.scan(step, h, x)[0]


def clip_to_norm(g: Float[Array, "n"], max_norm: Float[Array, ""]) -> Float[Array, "n"]:
    """Returns g, shortened to max_norm where it is longer than that; at max_norm itself it is left alone."""
    square = jnp.sum(g**2)
    above = square > max_norm**2
    norm = jnp.sqrt(jnp.where(above, square, 1.0))  # a root has no slope at 0
    return jnp.where(above, g * (max_norm / norm), g)
