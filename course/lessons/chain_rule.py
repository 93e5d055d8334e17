"""The chain rule on single numbers: five small functions, from one operation to a fraction whose paths fork.

    square(x)                    = x**2
    sine_of_square(x)            = sin(u)                      u = x**2
    neuron_loss(w, b, x, target) = 0.5 * (a - target)**2       z = w * x + b      a = sigmoid(z)
    swish(x)                     = x * a                       a = sigmoid(x)
    forked(x, w)                 = v / d                       u = w * x      v = x + u      d = 1 + u**2

In this lesson the forward half of each pair is given: it returns the value and the residuals, which are what forward
kept so that backward need not compute it again. Python's numbers will do for arguments as well.

Source: A. Griewank, A. Walther, "Evaluating Derivatives", second edition, SIAM, 2008, chapter 3,
doi:10.1137/1.9780898717761.
swish: P. Ramachandran, B. Zoph, Q. V. Le, "Searching for Activation Functions", 2017, arXiv:1710.05941.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def square(x: Float[Array, ""]) -> Float[Array, ""]:
    """Returns x squared."""
    return square_fwd(x)[0]


def square_fwd(x: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Returns x squared, and the residuals: x."""
    return x**2, x


def sine_of_square(x: Float[Array, ""]) -> Float[Array, ""]:
    """Returns the sine of x squared."""
    return sine_of_square_fwd(x)[0]


def sine_of_square_fwd(x: Float[Array, ""]) -> tuple[Float[Array, ""], tuple[Float[Array, ""], Float[Array, ""]]]:
    """Returns the sine of x squared, and the residuals: x and u."""
    u = x**2
    return jnp.sin(u), (x, u)


def neuron_loss(
    w: Float[Array, ""], b: Float[Array, ""], x: Float[Array, ""], target: Float[Array, ""]
) -> Float[Array, ""]:
    """Returns the halved squared error of a neuron with one input."""
    return neuron_loss_fwd(w, b, x, target)[0]


def neuron_loss_fwd(
    w: Float[Array, ""], b: Float[Array, ""], x: Float[Array, ""], target: Float[Array, ""]
) -> tuple[Float[Array, ""], tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]]:
    """Returns the halved squared error of a neuron with one input, and the residuals: x, a and the error."""
    z = w * x + b
    a = jax.nn.sigmoid(z)
    error = a - target
    return 0.5 * error**2, (x, a, error)


def swish(x: Float[Array, ""]) -> Float[Array, ""]:
    """Returns x times its own sigmoid: an input that decides how much of itself may pass."""
    return swish_fwd(x)[0]


def swish_fwd(x: Float[Array, ""]) -> tuple[Float[Array, ""], tuple[Float[Array, ""], Float[Array, ""]]]:
    """Returns x times its own sigmoid, and the residuals: x and a."""
    a = jax.nn.sigmoid(x)
    return x * a, (x, a)


def forked(x: Float[Array, ""], w: Float[Array, ""]) -> Float[Array, ""]:
    """Returns (x + w*x) / (1 + (w*x)**2), in which x and w*x are used twice each."""
    return forked_fwd(x, w)[0]


def forked_fwd(
    x: Float[Array, ""], w: Float[Array, ""]
) -> tuple[
    Float[Array, ""],
    tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""], Float[Array, ""], Float[Array, ""]],
]:
    """Returns the fraction of `forked`, and the residuals: x, w, u, v and d."""
    u = w * x
    v = x + u
    d = 1 + u**2
    return v / d, (x, w, u, v, d)
