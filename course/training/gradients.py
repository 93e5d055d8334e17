"""Two ways to the loss and its gradient: the pair somebody wrote, and what JAX derives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.point import Point
from course.comparison.returned import as_custom_vjp
from course.comparison.trees import argument_names
from course.training.demo import Params, TwoFunctions

ValueAndGrad = Callable[..., tuple[jax.Array, Params]]
"""`value_and_grad(params, *batch) -> (loss, gradient)`, pure."""


def by_hand(fwd: Callable[..., Any], bwd: Callable[..., Any]) -> ValueAndGrad:
    """The gradient from a hand-written pair. Nothing here differentiates."""

    def value_and_grad(params: Params, *batch: jax.Array) -> tuple[jax.Array, Params]:
        loss, residuals = fwd(params, *batch)
        returned = bwd(residuals, jnp.ones_like(loss))
        params_bar, *_ = _in_order(fwd, (params, *batch), returned)
        return loss, params_bar

    return value_and_grad


def in_the_contracts_form(fwd: Callable[..., Any], bwd: Callable[..., Any]) -> TwoFunctions:
    """A pair in any form that the judge accepts, as one whose backward function returns what the contract asks.

    It keeps the primals, of which the cotangents take the containers and types.
    """

    def keeping_fwd(*primals: Any) -> tuple[Any, Any]:
        y, residuals = fwd(*primals)
        return y, (primals, residuals)

    def strict_bwd(kept: Any, y_bar: Any) -> tuple[Any, ...]:
        primals, residuals = kept
        return _in_order(fwd, primals, bwd(residuals, y_bar))

    return keeping_fwd, strict_bwd


def by_jax(loss: Callable[..., jax.Array]) -> ValueAndGrad:
    """The gradient that JAX derives from the primal."""
    return jax.value_and_grad(loss)


def _in_order(fwd: Callable[..., Any], primals: tuple[Any, ...], returned: Any) -> tuple[Any, ...]:
    """What `bwd` returned, in any form that the judge accepts, with the containers and types of the primals."""
    return as_custom_vjp(Point(fwd, primals, argument_names(fwd, len(primals))), returned, "bwd")
