"""How many floating-point operations one equation of a jaxpr takes: a table, one entry a primitive.

    dot_general            2 * outputs * contracted
    conv_general_dilated   2 * output features * input features of a group * batch * taps that fall on real data
    reductions, windows    the numbers that enter them, times their own program if they hold one
    transcendental         TRANSCENDENTAL_FLOPS * outputs
    integer_pow            products of square-and-multiply, and one for a reciprocal
    scatter-add and kin    their updates
    sort, top_k            numbers * ceil(log2(axis length or k))
    movement               0: reshapes, slices, gathers, casts, broadcasts, transposes, concatenations
    everything else        one an output

Only floating outputs count: index arithmetic, comparisons, masks and random bits are 0. A complex number counts as one
number. Matrix products count whatever their dtype. Linear algebra is given by its leading order, and is approximate.

Source: for convolutions the tap count of XLA's HloCostAnalysis (openxla/xla, xla/service/hlo_cost_analysis.cc); for
linear algebra G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th edition, 2013; for the Fourier transform
5 n log2 n, M. Frigo, S. G. Johnson, "The Design and Implementation of FFTW3", Proc. IEEE 93(2), 2005.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd, prod
from typing import Any

import jax.numpy as jnp
import numpy as np

TRANSCENDENTAL_FLOPS = 8
"""FLOPs charged for one value of exp, tanh, sqrt and their kin. A choice: about what a short polynomial takes."""

Equation = Any
"""A `JaxprEqn`. Its type says of an operand only that it is abstract, and every rule asks for a shape."""

Rule = Callable[[Equation], int]


def floats_in(atoms: Sequence[Any]) -> int:
    """How many floating numbers the arrays hold together; integers, booleans and keys count 0."""
    return sum(atom.aval.size for atom in atoms if _is_floating(atom))


def _is_floating(atom: Any) -> bool:
    return hasattr(atom.aval, "dtype") and jnp.issubdtype(atom.aval.dtype, np.inexact)


def _nothing(eqn: Equation) -> int:
    return 0


def one_an_output(eqn: Equation) -> int:
    """The rule for arithmetic, and the guess for a primitive that has no rule."""
    return floats_in(eqn.outvars)


def _transcendental(eqn: Equation) -> int:
    return TRANSCENDENTAL_FLOPS * floats_in(eqn.outvars)


def _one_minus_square(eqn: Equation) -> int:
    return 2 * floats_in(eqn.outvars)


def _polynomial(eqn: Equation) -> int:
    degree = len(eqn.invars) - 2
    return 2 * degree * floats_in(eqn.outvars)


def _integer_pow(eqn: Equation) -> int:
    exponent = eqn.params["y"]
    squarings = max(abs(exponent).bit_length() - 1, 0)
    products = max(abs(exponent).bit_count() - 1, 0)
    return (squarings + products + (exponent < 0)) * floats_in(eqn.outvars)


def _reduction(eqn: Equation) -> int:
    return floats_in(eqn.invars[:1])


def _windows(eqn: Equation) -> int:
    return prod(eqn.params["window_dimensions"]) * floats_in(eqn.outvars)


def _select_and_scatter(eqn: Equation) -> int:
    return prod(eqn.params["window_dimensions"]) * floats_in(eqn.invars[:1])


def _updates(eqn: Equation) -> int:
    return floats_in(eqn.invars[2:])


def _added_to_ref(eqn: Equation) -> int:
    return floats_in(eqn.invars[1:2])


def _sort(eqn: Equation) -> int:
    length = eqn.invars[0].aval.shape[eqn.params["dimension"]]
    return floats_in(eqn.invars[:1]) * _log2(length)


def _top_k(eqn: Equation) -> int:
    return floats_in(eqn.invars[:1]) * max(_log2(eqn.params["k"]), 1)


def _dot_general(eqn: Equation) -> int:
    (contracted, _), _ = eqn.params["dimension_numbers"]
    lhs = eqn.invars[0].aval.shape
    return 2 * eqn.outvars[0].aval.size * prod(lhs[axis] for axis in contracted)


def _ragged_dot_general(eqn: Equation) -> int:
    (contracted, _), _ = eqn.params["ragged_dot_dimension_numbers"].dot_dimension_numbers
    lhs = eqn.invars[0].aval.shape
    return 2 * eqn.outvars[0].aval.size * prod(lhs[axis] for axis in contracted)


def _convolution(eqn: Equation) -> int:
    lhs, rhs = (var.aval.shape for var in eqn.invars)
    out = eqn.outvars[0].aval.shape
    numbers = eqn.params["dimension_numbers"]
    taps = 1
    for axis in range(len(lhs) - 2):
        taps *= _real_taps(
            size=lhs[numbers.lhs_spec[axis + 2]],
            kernel=rhs[numbers.rhs_spec[axis + 2]],
            outputs=out[numbers.out_spec[axis + 2]],
            stride=eqn.params["window_strides"][axis],
            before=eqn.params["padding"][axis][0],
            base_dilation=eqn.params["lhs_dilation"][axis],
            kernel_dilation=eqn.params["rhs_dilation"][axis],
        )
    batch, features = out[numbers.out_spec[0]], out[numbers.out_spec[1]]
    return 2 * batch * features * rhs[numbers.rhs_spec[1]] * taps


def _real_taps(
    size: int, kernel: int, outputs: int, stride: int, before: int, base_dilation: int, kernel_dilation: int
) -> int:
    """Counts the pairs (output o, kernel place k) along one axis whose tap falls on data, not on padding or a hole.

    The tap lands at stride * o + kernel_dilation * k - before, and is real when that is a multiple of base_dilation
    from 0 to base_dilation * (size - 1).
    """
    last = base_dilation * (size - 1)
    period = base_dilation // gcd(stride, base_dilation)
    taps = 0
    for k in range(kernel):
        offset = kernel_dilation * k - before
        first = max(0, -(offset // stride))
        end = min(outputs, (last - offset) // stride + 1)
        starts = range(first, min(first + period, end))
        hit = next((o for o in starts if (stride * o + offset) % base_dilation == 0), end)
        taps += len(range(hit, end, period))
    return taps


def _lu(eqn: Equation) -> int:
    return _householder(eqn) // 2


def _householder(eqn: Equation) -> int:
    batch, m, n = _matrix(eqn)
    k = min(m, n)
    return batch * (4 * m * n * k - 2 * (m + n) * k**2 + 4 * k**3 // 3)


def _qr(eqn: Equation) -> int:
    return 2 * _householder(eqn)


def _apply_householder(eqn: Equation) -> int:
    n = eqn.invars[1].aval.shape[-1]
    return 4 * n * eqn.outvars[0].aval.size


def _cubed(factor: int, divisor: int = 1) -> Rule:
    """The rule factor / divisor * n**3 for a square matrix."""

    def rule(eqn: Equation) -> int:
        batch, _, n = _matrix(eqn)
        return factor * batch * n**3 // divisor

    return rule


def _svd(eqn: Equation) -> int:
    batch, m, n = _matrix(eqn)
    long, short = max(m, n), min(m, n)
    if eqn.params["compute_uv"]:
        return batch * (6 * long * short**2 + 20 * short**3)
    return batch * (2 * long * short**2 + 2 * short**3)


def _triangular_solve(eqn: Equation) -> int:
    _, _, n = _matrix(eqn)
    return n * eqn.invars[1].aval.size


def _tridiagonal_solve(eqn: Equation) -> int:
    return 8 * floats_in(eqn.outvars)


def _cholesky_update(eqn: Equation) -> int:
    batch, _, n = _matrix(eqn)
    return 4 * batch * n**2


def _fft(eqn: Equation) -> int:
    length = prod(eqn.params["fft_lengths"])
    numbers = max(eqn.invars[0].aval.size, eqn.outvars[0].aval.size)
    return 5 * numbers * _log2(length)


def _matrix(eqn: Equation) -> tuple[int, int, int]:
    *batch, m, n = eqn.invars[0].aval.shape
    return prod(batch), m, n


def _log2(n: int) -> int:
    return max(n - 1, 0).bit_length()


_PRODUCTS: dict[str, Rule] = {
    "dot_general": _dot_general,
    "conv_general_dilated": _convolution,
    "ragged_dot_general": _ragged_dot_general,
}

_APPROXIMATE: dict[str, Rule] = {
    "cholesky": _cubed(1, 3),
    "cholesky_update": _cholesky_update,
    "eig": _cubed(25),
    "eigh": _cubed(9),
    "fft": _fft,
    "geqp3": _householder,
    "geqrf": _householder,
    "hessenberg": _cubed(10, 3),
    "householder_product": _householder,
    "lu": _lu,
    "ormqr": _apply_householder,
    "qr": _qr,
    "random_gamma": _transcendental,
    "schur": _cubed(25),
    "svd": _svd,
    "triangular_solve": _triangular_solve,
    "tridiagonal": _cubed(4, 3),
    "tridiagonal_solve": _tridiagonal_solve,
}

_MOVEMENT = (
    "after_all all_gather all_gather_invariant all_gather_reduced all_to_all axis_index bitcast_convert_type "
    "broadcast_in_dim complex concatenate conj convert_element_type create_token dce_sink debug_callback "
    "debug_print dynamic_slice dynamic_update_slice empty empty2 empty_ref free_ref freeze from_edtype gather "
    "get imag inspect_sharding iota iota_2x32_shape lu_pivots_to_permutation new_ref pad platform_index "
    "ppermute ragged_all_to_all random_bits random_clone random_fold_in random_seed random_split random_unwrap "
    "random_wrap real reduce_precision reshape rev rng_bit_generator scatter slice split squeeze stack swap tie "
    "tile to_edtype transpose unstack zeros_like"
).split()

_ARITHMETIC = (
    "abs add add_any and ceil clamp clz cummax cummin cumprod cumsum div eq eq_to floor ge gt is_finite le le_to lt "
    "lt_to max min mul mulhi ne neg nextafter not or philox2x32 philox4x32 pmax pmin population_count psum "
    "psum_invariant reduce_scatter rem rng_uniform round select_n shift_left shift_right_arithmetic "
    "shift_right_logical sign square sub threefry2x32 threefry4x32 unreduced_psum unreduced_reduce_scatter xor"
).split()

_TRANSCENDENTAL = (
    "acos acosh asin asinh atan atan2 atanh bessel_i0e bessel_i1e cbrt cos cosh cumlogsumexp digamma erf erf_inv "
    "erfc exp exp2 expm1 igamma igamma_grad_a igammac lgamma log log1p log2 logistic polygamma pow "
    "regularized_incomplete_beta rsqrt sin sinh sqrt tan tanh zeta"
).split()

_REDUCTIONS = "argmax argmin reduce_and reduce_max reduce_min reduce_or reduce_prod reduce_sum reduce_xor".split()
_WINDOWS = "reduce_window_max reduce_window_min reduce_window_sum select_and_gather_add".split()
_SCATTERS = "scatter-add scatter-max scatter-min scatter-mul scatter-sub".split()

PRODUCTS = frozenset(_PRODUCTS)
"""Matrix products and convolutions: what `Count.dot_flops` adds up."""

APPROXIMATE = frozenset(_APPROXIMATE)
"""Primitives whose FLOPs are given by their leading order, or depend on the numbers."""

LINEAR_ALGEBRA = APPROXIMATE - {"fft", "random_gamma"}
"""Factorisations and solves."""

FLOP_RULES: dict[str, Rule] = {
    **dict.fromkeys(_MOVEMENT, _nothing),
    **dict.fromkeys(_ARITHMETIC, one_an_output),
    **dict.fromkeys(_TRANSCENDENTAL, _transcendental),
    **dict.fromkeys(_REDUCTIONS, _reduction),
    **dict.fromkeys(_WINDOWS, _windows),
    **dict.fromkeys(_SCATTERS, _updates),
    **_PRODUCTS,
    **_APPROXIMATE,
    "addupdate": _added_to_ref,
    "approx_top_k": _top_k,
    "integer_pow": _integer_pow,
    "one_minus_square": _one_minus_square,
    "polynomial": _polynomial,
    "select_and_scatter": _select_and_scatter,
    "select_and_scatter_add": _select_and_scatter,
    "sort": _sort,
    "top_k": _top_k,
}
"""The FLOPs of every primitive known here, by its name."""

APPLICATIONS: dict[str, Rule] = {
    "reduce": _reduction,
    "reduce_window": _windows,
    "scatter": _updates,
}
"""How often a primitive applies the small program that it holds, if it holds one."""
