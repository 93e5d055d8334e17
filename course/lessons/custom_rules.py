"""Rules of one's own: where JAX's derivative is not finite, not the one that is wanted, or dearer than it need be.

    log1pexp(x)            = log(1 + exp(x)), computed as logaddexp(x, 0)
    sign(x)                = -1, 0 or 1, differentiated as if it were x where |x| <= 1
    reversed(x, strength)  = x, to which -strength * y_bar comes back
    fake_quantize(x, step) = step * round(x / step), at most LEVELS steps from 0, with round differentiated as if it
                             were not there
    projected_cross_entropy(h, w, labels) = softmax_cross_entropy(h @ w, labels)                    (nats)

Source: Y. Bengio, N. Leonard, A. Courville, "Estimating or Propagating Gradients Through Stochastic Neurons for
Conditional Computation", 2013, arXiv:1308.3432, for derivatives that pass straight through; Y. Ganin, V. Lempitsky,
"Unsupervised Domain Adaptation by Backpropagation", 2015, arXiv:1409.7495, for those that are reversed; S. K. Esser and
others, "Learned Step Size Quantization", 2020, arXiv:1902.08153, for `fake_quantize`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from course.lessons.losses import softmax_cross_entropy

LEVELS = 3
"""Steps on either side of 0: seven numbers in all, which three bits tell apart."""


def log1pexp(x: Float[Array, "n"]) -> Float[Array, "n"]:
    """Returns log(1 + exp(x)), which no x is too large for."""
    return jnp.logaddexp(x, 0)


def sign_fwd(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Returns the sign of each number, and the residuals."""
    return jnp.sign(x), x


def sign_bwd(x: Float[Array, "..."], y_bar: Float[Array, "..."]) -> tuple[Float[Array, "..."]]:
    """Returns (x_bar,), which is no derivative of the sign."""
    return (jnp.where(jnp.abs(x) <= 1, y_bar, 0),)


def reversed_fwd(x: Float[Array, "..."], strength: Float[Array, ""]) -> tuple[Float[Array, "..."], Float[Array, ""]]:
    """Returns x, and the residuals."""
    return x, strength


def reversed_bwd(
    strength: Float[Array, ""], y_bar: Float[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, ""]]:
    """Returns (x_bar, strength_bar), which is no derivative of x."""
    return -strength * y_bar, jnp.zeros_like(strength)


class Used(NamedTuple):
    """What comes of a function with a rule.

    Its value by itself, the same where it is differentiated, all cotangents, and the first of these by rows under jit.
    """

    value: Any
    y: Any
    bars: tuple[Any, ...]
    first_bar_by_rows: Any


def put_to_use(
    install: Callable[..., Callable[..., Any]],
    fwd: Callable[..., Any],
    bwd: Callable[..., Any],
    primals: tuple[Any, ...],
    y_bar: Float[Array, "rows ..."],
) -> Used:
    """Has a pair installed, and uses the function as others do: by `jax.vjp`, and by `jax.grad`, `vmap` and `jit`."""
    f = install(fwd, bwd)
    y, pullback = jax.vjp(f, *primals)
    x, *others = primals

    def row_bar(row: Float[Array, "..."], row_y_bar: Float[Array, "..."]) -> Float[Array, "..."]:
        return jax.grad(lambda row: jnp.sum(row_y_bar * f(row, *others)))(row)

    return Used(f(*primals), y, pullback(y_bar), jax.jit(jax.vmap(row_bar))(x, y_bar))


class Pulled(NamedTuple):
    """A value, and what comes back to the one argument."""

    y: Float[Array, "batch"]
    x_bar: Float[Array, "batch d"]


def pulled_back(f: Callable[..., Any], x: Float[Array, "batch d"], y_bar: Float[Array, "batch"]) -> Pulled:
    """Has JAX differentiate a function.

    Raises:
        ValueError: Its value has another shape than y_bar.
    """
    y, pullback = jax.vjp(f, x)
    if y.shape != y_bar.shape:
        raise ValueError(f"The value must have the shape {y_bar.shape}, a number for each row; {y.shape} came.")
    return Pulled(y, *pullback(y_bar))


def clip_gradient_fwd(
    x: Float[Array, "batch d"], limit: Float[Array, ""]
) -> tuple[Float[Array, "batch d"], Float[Array, ""]]:
    """Returns x, and the residuals: how long a row of the cotangent may be."""
    return x, limit


class Clipped(NamedTuple):
    """What comes back to x and to the limit."""

    x_bar: Float[Array, "batch d"]
    limit_bar: Float[Array, ""]


def clipped_by(bwd: Callable[..., Any], limit: Float[Array, ""], y_bar: Float[Array, "batch d"]) -> Clipped:
    """Calls a backward pass as JAX does, for which None is as good as zero.

    Raises:
        ValueError: It returns something else than two cotangents.
    """
    bars = bwd(limit, y_bar)
    if not isinstance(bars, tuple | list) or len(bars) != 2:
        raise ValueError("Two cotangents must come back, (x_bar, limit_bar): one for x, and one for the limit.")
    x_bar, limit_bar = bars
    return Clipped(x_bar, jnp.zeros_like(limit) if limit_bar is None else limit_bar)


def straight_through_round(x: Float[Array, "batch d"]) -> Float[Array, "batch d"]:
    """Returns the nearest whole numbers; what is added to x is held still, so that the derivative is that of x."""
    return x + jax.lax.stop_gradient(jnp.round(x) - x)


def fake_quantize(x: Float[Array, "batch d"], step: Float[Array, ""]) -> Float[Array, "batch d"]:
    """Returns x on a grid of `2 * LEVELS + 1` numbers that are `step`, above 0, apart."""
    fits = jnp.abs(x) <= LEVELS * step
    on_grid = jnp.where(fits, x / step, LEVELS * jnp.sign(x))
    return step * straight_through_round(on_grid)


def projected_cross_entropy(
    h: Float[Array, "batch d_model"], w: Float[Array, "d_model vocab"], labels: Int[Array, "batch"]
) -> Float[Array, ""]:
    """Returns the mean cross-entropy, in nats, of the logits h @ w: the end of every language model."""
    return softmax_cross_entropy(h @ w, labels)
