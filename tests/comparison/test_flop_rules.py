"""Claims about the FLOPs of single programs: derived by hand, and equal to XLA's where XLA counts the same things.

float32 throughout; every hand-derived number holds for every version of JAX, since the programs are written out.
"""

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jax.extend.core import primitives

from course.comparison.counting import count
from course.comparison.flop_rules import APPLICATIONS, FLOP_RULES, TRANSCENDENTAL_FLOPS
from course.quick_compile import QUICK

HWIO = ("NHWC", "HWIO", "NHWC")


def f32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def i32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.int32)


def mlp(params, x, target):
    w1, b1, w2, b2 = params
    h = jnp.tanh(x @ w1 + b1)
    error = h @ w2 + b2 - target
    return 0.5 * jnp.sum(error * error)


def mlp_backward(params, x, h, error, loss_bar):
    _, _, w2, _ = params
    y_bar = loss_bar * error
    z_bar = (y_bar @ w2.T) * (1 - h * h)
    return x.T @ z_bar, jnp.sum(z_bar, axis=0), h.T @ y_bar, jnp.sum(y_bar, axis=0)


PARAMS = (f32(7, 11), f32(11), f32(11, 3), f32(3))
X, TARGET = f32(5, 7), f32(5, 3)


def test_a_matrix_product_takes_a_product_and_a_sum_for_every_pair_that_meets():
    # (3, 4) @ (4, 5): 3 * 5 outputs, 4 pairs each, 2 FLOPs a pair.
    cost = count(jnp.matmul, f32(3, 4), f32(4, 5))
    assert (cost.flops, cost.dot_flops) == (2 * 3 * 5 * 4, 2 * 3 * 5 * 4)


def test_batch_axes_of_a_product_multiply_and_are_not_contracted():
    # Attention scores: batch 2, heads 3, 5 queries, 7 keys, 4 features contracted.
    cost = count(lambda q, k: jnp.einsum("bhid,bhjd->bhij", q, k), f32(2, 3, 5, 4), f32(2, 3, 7, 4))
    assert cost.flops == cost.dot_flops == 2 * (2 * 3 * 5 * 7) * 4


def test_the_forward_pass_of_a_network_by_hand():
    products = 2 * 5 * 11 * 7 + 2 * 5 * 3 * 11
    biases = 5 * 11 + 5 * 3
    tanh = TRANSCENDENTAL_FLOPS * 5 * 11
    loss = 15 + 15 + 15 + 1  # - target, error * error, sum, 0.5 *
    cost = count(mlp, PARAMS, X, TARGET)
    assert (cost.flops, cost.dot_flops) == (products + biases + tanh + loss, products)


def test_the_backward_pass_of_a_network_by_hand():
    products = 2 * 7 * 11 * 5 + 2 * 5 * 11 * 3 + 2 * 11 * 3 * 5  # w1_bar, h_bar, w2_bar
    elementwise = 15 + 3 * 55  # y_bar; h * h, 1 - , and the product with h_bar
    bias_sums = 55 + 15
    cost = count(mlp_backward, PARAMS, X, f32(5, 11), f32(5, 3), f32())
    assert (cost.flops, cost.dot_flops) == (products + elementwise + bias_sums, products)


def test_softmax_by_hand():
    def softmax(x):
        e = jnp.exp(x - jnp.max(x, axis=-1, keepdims=True))
        return e / jnp.sum(e, axis=-1, keepdims=True)

    numbers = 5 * 7
    # max, subtraction, exp, sum, division; the broadcasts are free.
    assert count(softmax, f32(5, 7)).flops == (1 + 1 + TRANSCENDENTAL_FLOPS + 1 + 1) * numbers


def test_layer_norm_by_hand():
    def layer_norm(x, scale, bias):
        centred = x - jnp.sum(x, axis=-1, keepdims=True) / 7
        variance = jnp.sum(centred * centred, axis=-1, keepdims=True) / 7
        return scale * (centred * lax.rsqrt(variance + 1e-5)) + bias

    rows, numbers = 5, 5 * 7
    a_number = 1 + 1 + 1 + 1 + 1 + 1 + 1  # sum, centre, square, sum, times rsqrt, scale, bias
    a_row = 1 + 1 + 1 + TRANSCENDENTAL_FLOPS  # two divisions, eps, rsqrt
    assert count(layer_norm, f32(5, 7), f32(7), f32(7)).flops == a_number * numbers + a_row * rows


def conv_1d(x, w):
    return lax.conv_general_dilated(x, w, [2], [(2, 2)], rhs_dilation=[2], dimension_numbers=("NHC", "HIO", "NHC"))


def test_a_strided_dilated_padded_convolution_counts_only_taps_on_data():
    # Length 7, kernel 3 spread over 5 places, 2 zeros at each end, stride 2: output o meets 2o - 2, 2o and 2o + 2.
    # On data: o=0 meets 0, 2; o=1 meets 0, 2, 4; o=2 meets 2, 4, 6; o=3 meets 4, 6.
    taps = 2 + 3 + 3 + 2
    batch, channels_in, channels_out = 2, 3, 5
    assert count(conv_1d, f32(2, 7, 3), f32(3, 3, 5)).dot_flops == 2 * batch * channels_in * channels_out * taps


@pytest.mark.parametrize("primal", [0, 1], ids=["input", "kernel"])
def test_a_convolutions_gradient_has_the_taps_of_the_convolution(primal):
    # Every real tap is one product forward, and gives each gradient one product.
    def gradient(x, w, y_bar):
        return jax.vjp(conv_1d, x, w)[1](y_bar)[primal]

    taps = 2 + 3 + 3 + 2
    assert count(gradient, f32(2, 7, 3), f32(3, 3, 5), f32(2, 4, 5)).dot_flops == 2 * 2 * 3 * 5 * taps


def test_a_grouped_convolution_meets_only_its_own_group():
    # Depthwise: 4 channels, each its own group; 5 x 4 outputs, 3 x 2 taps, all on data.
    def depthwise(x, w):
        return lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=HWIO, feature_group_count=4)

    assert count(depthwise, f32(1, 7, 5, 4), f32(3, 2, 1, 4)).flops == 2 * 4 * (5 * 4) * (3 * 2)


@pytest.mark.parametrize(
    "exponent, products", [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (7, 4), (8, 3), (-2, 2), (-3, 3)]
)
def test_an_integer_power_takes_the_products_of_square_and_multiply(exponent, products):
    # 7 = 111 in binary: 2 squarings, 2 products; a negative power divides once.
    cost = count(lambda x: lax.integer_pow(x, exponent), f32(5, 7))
    assert cost.flops == products * 35


def test_adding_rows_into_a_table_costs_the_rows_and_not_the_table():
    cost = count(lambda table, ids, rows: table.at[ids].add(rows), f32(1000, 4), i32(6), f32(6, 4))
    assert cost.flops == 6 * 4


def test_looking_rows_up_moves_the_rows_and_computes_nothing():
    cost = count(lambda table, ids: table.at[ids].get(mode="promise_in_bounds"), f32(1000, 4), i32(6))
    assert cost.flops == 0
    rows, ids = 6 * 4 * 4, 6 * 4
    # Read and written; then what indexing takes on the ids: a comparison, an addition, a choice.
    assert 2 * rows + ids <= cost.bytes <= 2 * rows + 10 * ids


def test_pooling_costs_its_windows():
    def pool(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (3, 2), (1, 2), "VALID")

    assert count(pool, f32(8, 6)).flops == (6 * 3) * (3 * 2)


def test_a_program_held_by_a_scatter_or_a_reduction_is_applied_to_every_number():
    # tanh and a product for each number; a scatter that only sets computes nothing.
    def smooth(a, b):
        return jnp.tanh(a) * b

    a_number = TRANSCENDENTAL_FLOPS + 1
    assert count(lambda x: lax.reduce(x, 1.0, smooth, (0,)), f32(5, 7)).flops == 35 * a_number
    window = count(lambda x: lax.reduce_window(x, 1.0, smooth, (2, 3), (1, 1), "VALID"), f32(5, 7))
    assert window.flops == (4 * 5) * (2 * 3) * a_number
    ids = jnp.array([0, 2])
    assert count(lambda x: x.at[ids].apply(jnp.tanh), f32(5, 7)).flops == 2 * 7 * TRANSCENDENTAL_FLOPS
    assert count(lambda x: x.at[ids].set(1.0), f32(5, 7)).flops == 0


def test_movement_and_index_arithmetic_are_free_of_flops():
    def move(x, ids):
        ids = jnp.clip(ids * 2 + 1, 0, 3)
        picked = jnp.concatenate([x[ids].T.reshape(-1), jnp.pad(x, 1).ravel()])
        return jnp.flip(picked).astype(jnp.float16), x > 0, jnp.broadcast_to(x, (2, *x.shape))

    assert count(move, f32(4, 3), i32(2)).flops == 0


def test_random_bits_are_free_and_making_them_normal_is_not():
    assert count(lambda key: jax.random.bits(key, (6,)), jax.random.key(0)).flops == 0
    assert count(lambda key: jax.random.normal(key, (6,)), jax.random.key(0)).flops >= 6 * TRANSCENDENTAL_FLOPS


def test_sorting_takes_comparisons():
    assert count(lambda x: lax.sort(x, dimension=1), f32(3, 13)).flops == 3 * 13 * 4


@pytest.mark.parametrize(
    "function, flops",
    [
        (lambda a: lax.linalg.cholesky(a, symmetrize_input=False), 6**3 // 3),
        (lambda a: lax.linalg.lu(a)[0], 2 * 6**3 // 3),
        (lambda a: lax.linalg.eigh(a, symmetrize_input=False)[0], 9 * 6**3),
        (lambda a: lax.linalg.triangular_solve(a, a[:, :2], left_side=True, lower=True), 6**2 * 2),
        (lambda a: lax.linalg.svd(a, compute_uv=False), 4 * 6**3),
    ],
    ids=["cholesky", "lu", "eigh", "triangular_solve", "svd"],
)
def test_linear_algebra_is_counted_by_its_leading_order_and_says_so(function, flops):
    cost = count(function, f32(6, 6))
    assert cost.flops == pytest.approx(flops, abs=6**2)  # cholesky clears a triangle
    assert any("approximate" in note for note in cost.notes)


AS_USUAL = {name: True for name in QUICK if name == "xla_cpu_use_fusion_emitters"}  # else a scatter is a loop


def xla_flops(fun, *args):
    return jax.jit(fun).lower(*args).compile(AS_USUAL).cost_analysis()["flops"]


def conv_2d(strides, padding, holes, spread, groups):
    return lambda x, w: lax.conv_general_dilated(
        x,
        w,
        strides,
        padding,
        lhs_dilation=holes,
        rhs_dilation=spread,
        feature_group_count=groups,
        dimension_numbers=HWIO,
    )


CONVOLUTIONS = {
    "plain": ((1, 1), "VALID", (1, 1), (1, 1), 1),
    "padded": ((1, 1), [(2, 3), (0, 4)], (1, 1), (1, 1), 1),
    "strided": ((2, 3), [(1, 2), (3, 0)], (1, 1), (1, 1), 1),
    "transposed": ((1, 2), [(3, 2), (1, 1)], (2, 3), (1, 1), 1),
    "spread": ((1, 2), [(2, 2), (1, 3)], (1, 1), (3, 2), 1),
    "grouped": ((2, 1), "SAME", (1, 1), (1, 1), 2),
    "all at once": ((3, 2), [(4, 1), (2, 5)], (2, 3), (2, 1), 2),
    "cropped": ((1, 1), [(-1, 2), (1, -2)], (1, 1), (1, 1), 1),
}


@pytest.mark.parametrize("part", ["output", "input", "kernel"])
@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolutions_and_their_gradients_equal_xlas_count(options, part):
    convolve = conv_2d(*options)
    x, w = f32(2, 9, 8, 4), f32(3, 2, 4 // options[-1], 6)
    y_bar = jax.eval_shape(convolve, x, w)
    program = {
        "output": lambda x, w, y_bar: convolve(x, w),
        "input": lambda x, w, y_bar: jax.vjp(lambda x: convolve(x, w), x)[1](y_bar),
        "kernel": lambda x, w, y_bar: jax.vjp(lambda w: convolve(x, w), w)[1](y_bar),
    }[part]
    assert count(program, x, w, y_bar).dot_flops == xla_flops(program, x, w, y_bar)


EQUAL_TO_XLA = {
    "matrix product": (lambda a, b: a @ b, f32(3, 4), f32(4, 5)),
    "matrix times vector": (lambda a, b: a @ b, f32(3, 4), f32(4)),
    "batched product": (lambda a, b: jnp.einsum("bij,bjk->bik", a, b), f32(2, 3, 4), f32(2, 4, 5)),
    "elementwise": (lambda x, y: (x * y + x) / y - 2, f32(5, 7), f32(5, 7)),
    "affine": (lambda x, w, b: x @ w + b, f32(5, 7), f32(7, 3), f32(3)),
    "relu": (lambda x: jnp.maximum(x, 0), f32(5, 7)),
    "power": (lambda x: lax.integer_pow(x, 7), f32(5, 7)),
    "scatter-add": (lambda x, rows: x.at[jnp.array([0, 2, 2])].add(rows), f32(5, 7), f32(3, 7)),
}


@pytest.mark.parametrize("program", EQUAL_TO_XLA.values(), ids=EQUAL_TO_XLA)
def test_products_and_arithmetic_equal_xlas_count(program):
    assert count(program[0], *program[1:]).flops == xla_flops(*program)


def test_a_relu_network_and_its_gradient_are_within_a_tenth_of_xlas_count():
    # XLA counts comparisons and casts, and one less for each sum.
    def loss(params, x, target):
        w1, b1, w2, b2 = params
        error = jnp.maximum(x @ w1 + b1, 0) @ w2 + b2 - target
        return 0.5 * jnp.sum(error * error)

    for program in (loss, jax.value_and_grad(loss)):
        ours, xlas = count(program, PARAMS, X, TARGET).flops, xla_flops(program, PARAMS, X, TARGET)
        assert 0.9 * xlas <= ours <= 1.1 * xlas


def test_every_public_primitive_is_known_or_holds_a_program():
    holds_a_program = set(
        "call closed_call cond custom_jvp_call custom_lin custom_linear_solve custom_vjp_call eval_jaxpr jit "
        "remat2 scan while".split()
    )
    identities = {"copy", "device_put", "name", "sharding_constraint", "stop_gradient"}
    public = {getattr(primitives, name).name for name in dir(primitives) if name.endswith("_p")}
    assert public - {*FLOP_RULES, *APPLICATIONS} - holds_a_program - identities == set()
