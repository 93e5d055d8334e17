"""Optimisers as two functions, and what they are tried on.

    init(params) -> state        update(grads, state, params, *settings) -> (updates, state)
    params = params + updates

The state goes from step to step and belongs to the optimiser; the updates have the form of the parameters. In the
lesson, `grads` at step t are g_t, and every formula acts on each number by itself:

    gradient descent   -rate * g_t
    momentum           -rate * u_t                      u_t = g_t + decay * g_(t-1) + decay**2 * g_(t-2) + ...
    Nesterov           -rate * (g_t + decay * u_t)
    RMSProp            -rate * g_t / (sqrt(s_t) + epsilon)          s_t the running mean of squares
    Adam               -rate * m_t / (sqrt(s_t) + epsilon)          both means divided by the sum of their weights
    AdamW              Adam's, less rate * weight_decay * params

Source: D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", 2015, arXiv:1412.6980; I. Loshchilov,
F. Hutter, "Decoupled Weight Decay Regularization", 2019, arXiv:1711.05101; T. Tieleman, G. Hinton, lecture 6.5 of
"Neural Networks for Machine Learning", 2012; I. Sutskever et al., "On the importance of initialization and momentum in
deep learning", 2013. The form of the pair is Optax's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

CURVATURES = (1.0, 25.0)
"""How strongly the bowl is bent along each of its two axes."""


class AdamState(NamedTuple):
    """What Adam carries from step to step: two trees of the form of the parameters, and how many steps were taken."""

    count: Int[Array, ""]  # type: ignore[assignment] # hides tuple's own `count`, as Optax's state does
    mean: Any
    square: Any


def bowl(x: Float[Array, "2"]) -> Float[Array, ""]:
    """Returns the height of a long narrow bowl whose bottom, of height 0, is at 0."""
    return 0.5 * jnp.sum(jnp.array(CURVATURES, x.dtype) * x**2)


def run_optimizer(
    init: Callable[..., Any],
    update: Callable[..., tuple[Any, Any]],
    settings: tuple[Any, ...],
    gradient: Callable[..., Any],
    params: Any,
    steps: int,
) -> Any:
    """Takes steps of an optimiser.

    Args:
        init: Makes the state.
        update: Makes the updates and the next state.
        settings: What `update` takes after `grads, state, params`, such as the rate.
        gradient: The gradient at `params` and at a step's number, which counts from 0.
        params: Where it starts.
        steps: How many are taken.

    Returns:
        The parameters at the start and after each step, stacked along a new first axis.
    """

    def step(carry: tuple[Any, Any], number: Int[Array, ""]) -> tuple[tuple[Any, Any], Any]:
        params, state = carry
        updates, state = update(gradient(params, number), state, params, *settings)
        params = jax.tree.map(jnp.add, params, updates)
        return (params, state), params

    state = jax.tree.map(jnp.asarray, init(params))
    _, path = jax.lax.scan(step, (params, state), jnp.arange(steps))
    return jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), params, path)
