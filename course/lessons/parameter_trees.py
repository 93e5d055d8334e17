"""Parameters as trees: a line of two numbers, and a network with a list of layers.

    line_loss     = 0.5 * mean((slope * x + bias - target)**2)
    network(x)    = tanh(tanh(x @ w + b) @ w + b) @ w + b        a layer for each w and b; no tanh after the last
    network_loss  = 0.5 * mean((network(x) - target)**2)

Sources: the line by least squares: A.-M. Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes",
1805. The line through the planets: J. Kepler, "Harmonices Mundi", 1619, book V; distances and periods: D. R. Williams,
"Planetary Fact Sheet", NASA Goddard Space Flight Center. The initial scale: K. He et al., "Delving Deep into
Rectifiers", 2015, arXiv:1502.01852.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")

DISTANCES = (57.9, 108.2, 149.6, 228.0, 778.5, 1432.0, 2867.0, 4515.0)
"""Of each planet from the sun, on average, in millions of kilometres."""

PERIODS = (88.0, 224.7, 365.2, 687.0, 4331.0, 10747.0, 30589.0, 59800.0)
"""That each planet takes to go round the sun, in days."""


class Line(NamedTuple):
    """The two numbers of a line."""

    slope: Float[Array, ""]
    bias: Float[Array, ""]


class LineResiduals(NamedTuple):
    """What the forward pass of a line's loss keeps."""

    x: Float[Array, "batch"]
    error: Float[Array, "batch"]


class Layer(NamedTuple):
    """The parameters of one layer of a network."""

    w: Float[Array, "d_in d_out"]
    b: Float[Array, "d_out"]


def line_loss(params: Line, x: Float[Array, "batch"], target: Float[Array, "batch"]) -> Float[Array, ""]:
    """Returns half the mean of the squares of what a line is off."""
    return line_loss_fwd(params, x, target)[0]


def line_loss_fwd(
    params: Line, x: Float[Array, "batch"], target: Float[Array, "batch"]
) -> tuple[Float[Array, ""], LineResiduals]:
    """Returns the loss of a line, and what backward will need."""
    error = params.slope * x + params.bias - target
    return 0.5 * jnp.mean(error**2), LineResiduals(x, error)


def network(params: list[Layer], x: Float[Array, "batch d_in"]) -> Float[Array, "batch d_out"]:
    """Returns what the last layer makes of every row."""
    *hidden, last = params
    for layer in hidden:
        x = jnp.tanh(x @ layer.w + layer.b)
    return x @ last.w + last.b


def network_loss(
    params: list[Layer], x: Float[Array, "batch d_in"], target: Float[Array, "batch d_out"]
) -> Float[Array, ""]:
    """Returns half the mean of the squares of what a network is off."""
    return 0.5 * jnp.mean((network(params, x) - target) ** 2)


def planets() -> tuple[Float[Array, "8"], Float[Array, "8"]]:
    """Returns the logarithms of the planets' distances and periods, where the Earth's are 1: x and target of a line."""
    distances, periods = jnp.array(DISTANCES), jnp.array(PERIODS)
    earth = PLANETS.index("Earth")
    return jnp.log(distances / distances[earth]), jnp.log(periods / periods[earth])
