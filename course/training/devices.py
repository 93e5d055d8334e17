"""Training on several devices: each of them holds all parameters, and sees its share of every batch.

    share      = what the own rows count for / what all rows count for
    loss       = sum over devices of share * loss of the own rows
    params_bar = sum over devices of params_bar of the own rows

The parameters were copied to every device: broadcast forward, sum backward. A mean of means is no mean where one device
has more to count than another, as with names of unequal lengths.

Source: J. Dean et al., "Large Scale Distributed Deep Networks", 2012; the sums are `jax.lax.psum`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from course.training import TrainingError
from course.training.demo import Params, TwoFunctions
from course.training.gradients import ValueAndGrad, by_hand, in_the_contracts_form

_AXIS = "devices"
_WHOLE, _SHARES = PartitionSpec(), PartitionSpec(_AXIS)


def simulate_devices(count: int) -> None:
    """Divides the CPU into several devices, for JAX to choose where it finds no others.

    Where JAX has run something already nothing is divided, and `make_mesh` says how many devices there are.
    """
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", count)


def make_mesh(count: int) -> Mesh:
    """The first `count` devices, in a row; 0 stands for all.

    Raises:
        TrainingError: There are fewer.
    """
    devices = jax.devices()
    count = count or len(devices)
    if len(devices) < count:
        raise TrainingError(f"--devices must be at most {len(devices)}, as many as JAX finds here; {count} came.")
    return jax.make_mesh((count,), (_AXIS,), axis_types=(AxisType.Auto,), devices=devices[:count])


def by_hand_on(
    mesh: Mesh, counted: Callable[..., jax.Array | int], fwd: Callable[..., Any], bwd: Callable[..., Any]
) -> ValueAndGrad:
    """The gradient from a hand-written pair, each device's own rows first and then the sum over devices."""
    local = by_hand(*summed_over_devices(counted, fwd, bwd))

    def value_and_grad(params: Params, *batch: jax.Array) -> tuple[jax.Array, Params]:
        given = (_WHOLE, *[_SHARES] * len(batch))
        # Unchecked: a loop of somebody's own, begun with zeros, need not say that these will differ between devices.
        on_each = jax.shard_map(local, mesh=mesh, in_specs=given, out_specs=_WHOLE, check_vma=False)
        return on_each(params, *batch)

    return value_and_grad


def summed_over_devices(
    counted: Callable[..., jax.Array | int], fwd: Callable[..., Any], bwd: Callable[..., Any]
) -> TwoFunctions:
    """The pair of the loss of all rows, of that of the loss of a device's own; both are means of what is counted."""
    own_fwd, own_bwd = in_the_contracts_form(fwd, bwd)

    def mean_fwd(params: Params, *rows: jax.Array) -> tuple[jax.Array, Any]:
        loss, residuals = own_fwd(params, *rows)
        own = counted(*rows)
        share = own / jax.lax.psum(own, _AXIS)
        return jax.lax.psum(share * loss, _AXIS), (share, residuals)

    def mean_bwd(kept: Any, loss_bar: jax.Array) -> tuple[Any, ...]:
        share, residuals = kept
        params_bar, *data_bars = own_bwd(residuals, share * loss_bar)
        return jax.lax.psum(params_bar, _AXIS), *data_bars

    return mean_fwd, mean_bwd


def by_jax_on(mesh: Mesh, loss: Callable[..., jax.Array]) -> ValueAndGrad:
    """The gradient that JAX derives, where its compiler divides the rows and puts in the sums."""

    def value_and_grad(params: Params, *batch: jax.Array) -> tuple[jax.Array, Params]:
        shares = jax.lax.with_sharding_constraint(batch, NamedSharding(mesh, _SHARES))
        value: tuple[jax.Array, Params] = jax.value_and_grad(loss)(params, *shares)
        return value

    return value_and_grad


def on_all(mesh: Mesh) -> NamedSharding:
    """Where an array lies of which every device holds the whole."""
    return NamedSharding(mesh, _WHOLE)
