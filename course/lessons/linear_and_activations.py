"""Affine layers and elementwise activations.

    affine(x, w, b) = x @ w + b      relu(x) = x where x > 0, else 0
    sigmoid(x) = 1 / (1 + exp(-x))   tanh(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))
    softplus(x) = log(1 + exp(x))    silu(x) = x * sigmoid(x)

    gelu(x) = x * normal_cdf(x)      normal_cdf(x) = (1 + erf(x / sqrt(2))) / 2
    gelu_tanh(x) = x * (1 + tanh(TANH_SCALE * (x + TANH_CUBE * x**3))) / 2

relu'(0) is 0 by convention.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, chapters 6.1 to 6.3. Softplus:
C. Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2000. Silu and both forms
of gelu: D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units (GELUs)", 2016, arXiv:1606.08415.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

TANH_SCALE = math.sqrt(2 / math.pi)
"""Makes the tanh form of gelu as steep at 0 as the exact one."""

TANH_CUBE = 0.044715
"""Of the cube in the tanh form of gelu, as its authors chose it."""


def affine(
    x: Float[Array, "batch d_in"], w: Float[Array, "d_in d_out"], b: Float[Array, "d_out"]
) -> Float[Array, "batch d_out"]:
    """Maps every row of x by w, and adds the same bias to each."""
    return x @ w + b


def relu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Keeps what is positive, and sets the rest to zero."""
    return jnp.where(x > 0, x, 0)


def sigmoid(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Squashes every number into (0, 1)."""
    return jax.nn.sigmoid(x)


def tanh(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Squashes every number into (-1, 1)."""
    return jnp.tanh(x)


def softplus(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """A relu without a corner; finite for every finite x."""
    return jnp.logaddexp(x, 0)


def silu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Multiplies every number by its own sigmoid; also called swish."""
    return x * sigmoid(x)


def normal_cdf(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The probability that a Gaussian number of mean 0 and variance 1 is below x."""
    return (1 + jax.scipy.special.erf(x / math.sqrt(2))) / 2


def gelu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Multiplies every number by the probability that a Gaussian number is below it."""
    return x * normal_cdf(x)


def gelu_tanh(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Gelu with a tanh in the place of erf: an approximation, which needs no erf."""
    return x * (1 + jnp.tanh(TANH_SCALE * (x + TANH_CUBE * x**3))) / 2
