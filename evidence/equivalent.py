"""Mutants that survive, read one by one: why each of them is the right answer written differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Equivalent(NamedTuple):
    """A line of the answer to an exercise, and what may stand there as well."""

    exercise: str
    was: str
    now: str
    reason: str


SAME = "two names of one array"
EQUAL = "the two cotangents are equal: what stands between them is an addition"
ROWS = "both have one row an example"
ON = "relu(z) is positive just where z is"
LAST = "the last axis of an array of two"
SHAPED = "two arrays of one shape"
VECTOR = "a vector is its own transpose"
NOTHING = "what a sum begins with, whatever its sign"
AXES = "JAX takes axes from anything that can be gone through"
TYPED = "subtracted from floating-point numbers, it becomes what they are"
MULTIPLIED = "floating-point numbers are multiplied by it, or divided, and stay what they are"
MASK = "relu_bwd asks its residuals only whether they are zero, and relu's value is so where its mask is"
ZERO = "minus zero is zero"
ONE_SHAPE = "what windows give, and whether they are open, has one shape"
SQUARED = "a square has no sign"
LARGER = "a table larger than needed"
ONLY = "there is one alone, and JAX takes the last for what is past it"
NOT_READ = "centring keeps nothing, and backward does not look at it"
SIGN = "a norm does not see a sign"
HEAD = "queries, keys and values have one width"
TILED = "queries, keys and values are cut into the same tiles, and so is the value"
HALVES = "the two halves of a row are alike in shape and type"
SIDES = "drawn alike on both sides of 0"

_COTANGENTS = "return Cotangents(z2_bar, w2_bar, b2_bar, a1_bar, z1_bar, w1_bar, b1_bar)"
_ONE_HOT = "chosen = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)"
_MASKED_ROW_BARS = "row_bars = jax.nn.softmax(logits) - jax.nn.one_hot(labels, logits.shape[1], dtype=logits.dtype)"
_LOGITS_BAR = "logits_bar = loss_bar * (probabilities - chosen) / len(labels)"
_LOGIT_BAR = "logits_bar = loss_bar * (probability - target) / len(logits)"
_ERROR_BAR = "error_bar = loss_bar * error / len(error)"
_LAYER = "return Layer(jax.random.normal(layer_key, (d_in, d_out)) * jnp.sqrt(2 / d_in), jnp.zeros(d_out))"
_LINE_BWD = "now_bar, _, _ = line_loss_bwd(residuals, jnp.ones_like(loss))"
_PREDICTION_BAR = "prediction_bar = loss_bar * error / len(error)"
_LEAF_ERROR = "return jax.tree.map(lambda given, r: norm(given - r) / jnp.maximum(norm(r), least), params_bar, right)"
_TOTAL_BAR = "total_bar = -(y_bar * spent / total ** 2).sum(axis=1, keepdims=True)"
_DRAWN = "jnp.sqrt(variance) * jax.random.normal(key, (d_in, d_out))"
_DRAWN_LAYER = "jnp.sqrt(2 / d_in) * jax.random.normal(layer_key, (d_in, d_out))"
_SILU_BAR = "return (y_bar * (gate + x * gate * (1 - gate)),)"
_DENSITY = "density = jnp.exp(-x ** 2 / 2) / math.sqrt(2 * math.pi)"
_GELU_BAR = "return (y_bar * (normal_cdf(x) + x * density),)"
_T = "t = tanh(TANH_SCALE * x * (1 + TANH_CUBE * x ** 2))"
_INSIDE_SLOPE = "inside_slope = TANH_SCALE * (1 + 3 * TANH_CUBE * x ** 2)"
_GELU_TANH_BAR = "return (y_bar * ((1 + t) / 2 + x * gate_slope),)"
_SOFTMAX_MEAN = "mean = (weights * weights_bar).sum(axis=-1, keepdims=True)"
_TURNED_BACK = (
    "x_bar = jnp.concatenate([first_bar * cos + second_bar * sin, second_bar * cos - first_bar * sin], axis=1)"
)
_TABLE_BAR = "table_bar = jnp.zeros_like(table).at[ids].add(y_bar)"
_SHARE = "logits_bar, _ = fused_cross_entropy_bwd(residuals, jnp.asarray(rows / batch, h.dtype))"
_Z2_BAR = "z2_bar = loss_bar * error / len(x)"

_AXES_OF_A_WINDOW = (
    "paddings = [bar_paddings(length, width, outputs, step, ends[0], apart) for length, width, outputs, step, ends, "
    "apart in zip(x.shape[1:3], w.shape[:2], y_bar.shape[1:3], stride, window.padding, dilation, strict=True)]"
)


def _each(exercise: str, was: str, changes: Sequence[tuple[str, str, str]]) -> Iterator[Equivalent]:
    """One for each text that may stand in another's place in a line, with the reason."""
    return (Equivalent(exercise, was, was.replace(old, new, 1), reason) for old, new, reason in changes)


EQUIVALENT: tuple[Equivalent, ...] = (
    *_each("chain_rule.square", "x_bar = y_bar * 2 * x", [("* x", "* residuals", SAME)]),
    *_each("chain_rule.neuron_loss", "return (w_bar, b_bar, None, None)", [("b_bar", "z_bar", SAME)]),
    *_each(
        "numerical_gradients.directional",
        "found = central_difference(loss_at, 0.0, step)",
        [("0.0", "-0.0", ZERO)],
    ),
    *_each(
        "numerical_gradients.relative_errors",
        _LEAF_ERROR,
        [("given - r", other, "a norm has no sign") for other in ("r - given", "-(given - r)")],
    ),
    *_each("vector_chain_rule.matvec", "x_bar = w.T @ y_bar", [("y_bar", "y_bar.T", VECTOR)]),
    *_each("vector_chain_rule.add_row", "return (x_bar, row_bar)", [("x_bar", "y_bar", SAME)]),
    *_each("vector_chain_rule.add_row", "row_bar = y_bar.sum(axis=0)", [("y_bar", "x_bar", SAME)]),
    *_each(
        "vector_chain_rule.row_sums", "x_bar = jnp.broadcast_to(y_bar, x.shape)", [("x.shape", "residuals.shape", SAME)]
    ),
    *_each("vector_chain_rule.repeat_each", "x_bar = by_entry.sum(axis=1)", [("axis=1", "axis=-1", LAST)]),
    *_each("vector_chain_rule.gather", "nothing = jnp.zeros_like(table)", [("jnp", "-jnp", ZERO)]),
    *_each("vector_chain_rule.shares", _TOTAL_BAR, [("axis=1", "axis=-1", LAST)]),
    *_each(
        "two_layer_network.cotangents",
        "a1_bar = w2.T @ z2_bar",
        [("z2_bar", "b2_bar", SAME), ("z2_bar", "z2_bar.T", VECTOR)],
    ),
    *_each("two_layer_network.cotangents", "z1_bar = a1_bar * (z1 > 0)", [("z1 >", "a1 >", ON)]),
    *_each(
        "two_layer_network.cotangents",
        _COTANGENTS,
        [
            ("(z2_bar", "(b2_bar", EQUAL),
            (" b2_bar", " z2_bar", EQUAL),
            (" z1_bar", " b1_bar", EQUAL),
            (" b1_bar)", " z1_bar)", EQUAL),
        ],
    ),
    *_each("two_layer_network.batch", "z1_bar = z2_bar @ w2.T * (z1 > 0)", [("(z1", "(a1", ON)]),
    *_each("two_layer_network.batch", _Z2_BAR, [("len(x)", f"len({other})", ROWS) for other in ("a1", "error", "z1")]),
    *_each("linear_and_activations.relu", "return (jnp.where(positive, y_bar, 0),)", [("positive", "residuals", SAME)]),
    *_each(
        "linear_and_activations.sigmoid",
        "return (y_bar * y * (1 - y),)",
        [("* y *", "* residuals *", SAME), ("- y)", "- residuals)", SAME)],
    ),
    *_each("linear_and_activations.tanh", "return (y_bar * (1 - y ** 2),)", [("- y", "- residuals", SAME)]),
    *_each("linear_and_activations.softplus", "return (y_bar * sigmoid(x),)", [("(x)", "(residuals)", SAME)]),
    *_each("linear_and_activations.silu", "gate = sigmoid(x)", [("(x)", "(residuals)", SAME)]),
    *_each("linear_and_activations.silu", _SILU_BAR, [("+ x", "+ residuals", SAME)]),
    *_each("linear_and_activations.gelu", _DENSITY, [("-x", "-residuals", SAME)]),
    *_each("linear_and_activations.gelu", _GELU_BAR, [("cdf(x", "cdf(residuals", SAME), ("+ x", "+ residuals", SAME)]),
    *_each(
        "linear_and_activations.gelu_tanh", _T, [("* x *", "* residuals *", SAME), ("* x **", "* residuals **", SAME)]
    ),
    *_each("linear_and_activations.gelu_tanh", _INSIDE_SLOPE, [("* x", "* residuals", SAME)]),
    *_each("linear_and_activations.gelu_tanh", _GELU_TANH_BAR, [("+ x", "+ residuals", SAME)]),
    *_each(
        "losses.half_squared_error", _PREDICTION_BAR, [("* error", "* residuals", SAME), ("(error", "(residuals", SAME)]
    ),
    *_each("parameter_trees.line", _ERROR_BAR, [("len(error)", "len(x)", ROWS)]),
    *_each("parameter_trees.init", _LAYER, [("jnp.zeros", "-jnp.zeros", ZERO)]),
    *_each(
        "parameter_trees.fit",
        _LINE_BWD,
        [("(loss)", f"({other})", "a one for each row multiplies that row by one") for other in ("x", "target")],
    ),
    *_each(
        "parameter_trees.fit",
        _LINE_BWD,
        [("(loss)", f"({other})", "a one in the place of any number is a one") for other in ("learning_rate", "steps")],
    ),
    *_each(
        "losses.binary_cross_entropy", _LOGIT_BAR, [("(logits)", "(probability)", ROWS), ("(logits)", "(target)", ROWS)]
    ),
    *_each("losses.softmax_cross_entropy", "probabilities = jax.nn.softmax(logits, axis=-1)", [("=-1", "=1", LAST)]),
    *_each(
        "losses.softmax_cross_entropy",
        _ONE_HOT,
        [
            ("[-1]", "[1]", LAST),
            ("logits.shape", "probabilities.shape", "the same shape"),
            *(("=logits.dtype", f"={other}.dtype", TYPED) for other in ("labels", "loss_bar", "probabilities")),
        ],
    ),
    *_each(
        "losses.softmax_cross_entropy",
        _LOGITS_BAR,
        [("len(labels)", f"len({other})", ROWS) for other in ("chosen", "logits", "probabilities")],
    ),
    *_each(
        "losses.smoothed_cross_entropy",
        "label = jax.nn.one_hot(labels, classes, dtype=logits.dtype)",
        [("=logits.dtype", f"={other}.dtype", MULTIPLIED) for other in ("labels", "loss_bar", "smoothing")],
    ),
    *_each(
        "losses.masked_cross_entropy",
        "rows = jnp.maximum(jnp.sum(counted, dtype=logits.dtype), 1)",
        [("=logits.dtype", f"={other}.dtype", MULTIPLIED) for other in ("labels", "loss_bar")],
    ),
    *_each(
        "losses.masked_cross_entropy",
        _MASKED_ROW_BARS,
        [
            ("[1]", "[-1]", LAST),
            *(("=logits.dtype", f"={other}.dtype", TYPED) for other in ("labels", "loss_bar", "counted", "rows")),
        ],
    ),
    *_each("mlp.mlp", "residuals.append((kept_affine, kept_relu))", [("kept_relu", "x", MASK)]),
    *_each("mlp.hidden_layers", "return (y, (kept_affine, kept_relu))", [("kept_relu", "y", MASK)]),
    *_each("reverse_mode.sweep", "bars = [0.0] * len(tape.values)", [("[0.0]", "[-0.0]", NOTHING)]),
    *_each(
        "reverse_mode.unbroadcast",
        "bar = bar.sum(axis=tuple(range(bar.ndim - x.ndim)))",
        [("tuple(range(bar.ndim - x.ndim))", "range(bar.ndim - x.ndim)", AXES)],
    ),
    *_each(
        "reverse_mode.unbroadcast",
        "copied = tuple((axis for axis, length in enumerate(x.shape) if length == 1))",
        [
            (
                "tuple((axis for axis, length in enumerate(x.shape) if length == 1))",
                "(axis for axis, length in enumerate(x.shape) if length == 1)",
                AXES,
            )
        ],
    ),
    *_each(
        "reverse_mode.grad_of",
        "bars = [jnp.zeros_like(value) for value in tape.values]",
        [("[jnp", "[-jnp", NOTHING)],
    ),
    *_each(
        "reverse_mode.grad_of",
        "return tuple(bars[:tape.arguments])",
        [("tuple(bars[:tape.arguments])", "bars[:tape.arguments]", "a list is taken for a tuple, by its order")],
    ),
    *_each(
        "forward_mode.network",
        "loss_dot = jnp.sum(error * error_dot) / len(x)",
        [
            ("len(x)", f"len({other})", ROWS)
            for other in (
                *("z1", "z1_dot", "a1", "a1_dot", "z2", "z2_dot", "prediction", "prediction_dot"),
                *("error", "error_dot", "target", "x_dot", "target_dot"),
            )
        ],
    ),
    *_each(
        "forward_mode.jacobian",
        "columns = [push(x, x_dot)[1] for x_dot in directions]",
        [("[1]", "[-1]", "the last of two")],
    ),
    *_each("forward_mode.jacobian", "return jnp.stack(columns, axis=1)", [("axis=1", "axis=-1", LAST)]),
    *_each(
        "forward_mode.logsumexp", "return (y, jnp.sum(shares * logits_dot, axis=-1))", [("axis=-1", "axis=1", LAST)]
    ),
    *_each(
        "cost_of_backprop.affine_flops",
        "return AffineFlops(forward, x_bar, w_bar, b_bar)",
        [
            (now, other, "two names of one number")
            for now, others in (("x_bar", ("one_product", "w_bar")), ("w_bar", ("one_product", "x_bar")))
            for other in others
        ],
    ),
    *_each(
        "optimizers.nesterov",
        "_, state = momentum_update(grads, state, params, rate, decay)",
        [
            *(
                ("params", other, "momentum does not look at the parameters")
                for other in ("grads", "state", "rate", "decay")
            ),
            ("rate", "decay", "the rate is in momentum's updates alone, which are not used"),
        ],
    ),
    *_each("optimizers.adam", "return AdamState(jnp.zeros((), int), zeros, zeros)", [("jnp", "-jnp", "an integer 0")]),
    *_each(
        "optimizers.adamw",
        "updates, state = adam_update(grads, state, params, rate, decay1, decay2, epsilon)",
        [
            ("params", other, "Adam does not look at the parameters")
            for other in ("grads", "state", "rate", "decay1", "decay2", "epsilon", "weight_decay")
        ],
    ),
    *_each(
        "optimizers.warmup_cosine",
        "rising = peak * step / jnp.maximum(warmup, 1)",
        [
            ("1)", "2)", "with a warm-up of 1, it is taken at step 0 alone, where it is 0"),
            ("1)", "-1)", "with no warm-up, it is taken nowhere"),
        ],
    ),
    *_each(
        "optimizers.warmup_cosine",
        "part = jnp.clip((step - warmup) / (steps - warmup), 0, 1)",
        [("jnp", "-jnp", "a cosine is the same on both sides of 0")],
    ),
    *_each(
        "optimizers.warmup_cosine",
        "falling = peak * (1 + jnp.cos(jnp.pi * part)) / 2",
        [("jnp.pi * part", "-(jnp.pi * part)", "a cosine is the same on both sides of 0")],
    ),
    *_each(
        "vanishing_gradients.gradient_norms",
        "h_bar = h_bar * slope(z) @ weights.T",
        [
            ("h_bar * slope(z) @ weights.T", "-(h_bar * slope(z) @ weights.T)", SIGN),
            ("h_bar * slope(z) @", "-(h_bar * slope(z)) @", SIGN),
            ("slope(z)", "-slope(z)", SIGN),
        ],
    ),
    *_each(
        "vanishing_gradients.gradient_norms",
        "return jax.lax.scan(layer, y_bar, (z, w), reverse=True)[1]",
        [("[1]", "[-1]", "the last part of two")],
    ),
    *_each(
        "vanishing_gradients.xavier",
        f"return {_DRAWN}",
        [
            (_DRAWN, f"-({_DRAWN})", SIDES),
            ("jnp.sqrt", "-jnp.sqrt", SIDES),
            ("jax", "-jax", SIDES),
        ],
    ),
    *_each(
        "vanishing_gradients.he_layers",
        f"return [{_DRAWN_LAYER} for layer_key, d_in, d_out in zip(keys, sizes[:-1], sizes[1:], strict=True)]",
        [
            (_DRAWN_LAYER, f"-({_DRAWN_LAYER})", SIDES),
            ("jnp.sqrt", "-jnp.sqrt", SIDES),
            ("jax", "-jax", SIDES),
        ],
    ),
    *_each("normalization.centre", "return (y_bar - y_bar.mean(axis=-1, keepdims=True),)", [("=-1", "=1", LAST)]),
    *_each(
        "normalization.reciprocal_std",
        "centred_bar = variance_bar * 2 * centred / centred.shape[-1]",
        [("[-1]", "[1]", LAST)],
    ),
    *_each(
        "normalization.layer_norm_in_steps",
        "return (y, (kept_centre, kept_rstd, centred, rstd, x_hat, scale))",
        [
            ("kept_centre", other, NOT_READ)
            for other in ("x", "scale", "bias", "x_hat", "y", "centred", "rstd", "kept_rstd")
        ],
    ),
    *_each(
        "normalization.layer_norm_in_steps",
        "x_bar, = centre_bwd(kept_centre, centred_bar)",
        [
            ("kept_centre", other, NOT_READ)
            for other in (
                *("residuals", "y_bar", "scale_bar", "bias_bar", "x_hat_bar", "rstd_bar", "centred_bar"),
                *("kept_rstd", "centred", "rstd", "x_hat", "scale"),
            )
        ],
    ),
    *_each(
        "normalization.layer_norm_in_steps",
        "rstd_bar = (x_hat_bar * centred).sum(axis=-1, keepdims=True)",
        [("=-1", "=1", LAST)],
    ),
    *_each("normalization.layer_norm", "mean = x.mean(axis=-1, keepdims=True)", [("=-1", "=1", LAST)]),
    *_each(
        "normalization.layer_norm",
        "rstd = reciprocal_std(x - mean)",
        [("x - mean", other, SQUARED) for other in ("mean - x", "-(x - mean)")],
    ),
    *(
        equivalent
        for exercise in ("normalization.layer_norm", "normalization.group_norm")
        for line in (
            "along_ones = x_hat_bar.mean(axis=-1, keepdims=True)",
            "along_x_hat = x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True)",
        )
        for equivalent in _each(exercise, line, [("=-1", "=1", LAST)])
    ),
    *_each(
        "normalization.rms_norm",
        "x_bar = rstd * (x_hat_bar - x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True))",
        [("=-1", "=1", LAST)],
    ),
    *_each(
        "normalization.batch_norm",
        "variance = ((x - mean) ** 2).mean(axis=0)",
        [("(x - mean)", other, SQUARED) for other in ("(mean - x)", "(-(x - mean))")],
    ),
    *_each(
        "exploding_gradients.first_bad_step",
        "return jnp.isfinite(array).reshape(len(array), -1).all(axis=1)",
        [("axis=1", "axis=-1", LAST)],
    ),
    *(
        equivalent
        for exercise in ("exploding_gradients.clip_by_global_norm", "exploding_gradients.clip_to_norm")
        for equivalent in _each(
            exercise,
            "scale = jnp.where(norm > max_norm, max_norm / norm, 1.0)",
            [("norm > max_norm", "norm >= max_norm", "at the norm itself the quotient is 1")],
        )
    ),
    *_each(
        "exploding_gradients.clip_to_norm",
        "unit = g / jnp.where(norm > 0, norm, 1.0)",
        [
            ("norm > 0, norm, 1.0", other, "below the norm the direction is not read")
            for other in (
                "norm >= 0, norm, 1.0",
                "norm > 0, norm, 2.0",
                "norm > 0, norm, -1.0",
                "max_norm > 0, norm, 1.0",
            )
        ],
    ),
    *_each(
        "exploding_gradients.clip_to_norm",
        "return (jnp.where(above, g_bar, y_bar), jnp.where(above, along, 0.0))",
        [("0.0", "-0.0", ZERO)],
    ),
    *_each(
        "differentiable_programs.simulate",
        "states = jax.lax.scan(step, start, dts)[1]",
        [("[1]", "[-1]", "the last of two")],
    ),
    *_each(
        "differentiable_programs.simulate",
        "nothing = jnp.zeros_like(start)",
        [("jnp.zeros", "-jnp.zeros", ZERO)],
    ),
    *_each(
        "differentiable_programs.least_squares",
        "b_bar = a @ right_bar",
        [("right_bar", "right_bar.T", VECTOR)],
    ),
    *_each(
        "differentiable_programs.least_squares",
        "a_bar = by_right + a @ (matrix_bar + matrix_bar.T)",
        [("(matrix_bar + matrix_bar.T)", "(matrix_bar + matrix_bar.T).T", "a sum with its transpose is symmetric")],
    ),
    *_each("convolution.slide", "x_bar = jnp.zeros_like(x)", [("jnp.zeros", "-jnp.zeros", NOTHING)]),
    *_each(
        "convolution.slide",
        "w_bar = jnp.stack([x[k:k + len(y_bar)] @ y_bar for k in range(len(w))])",
        [
            ("x[k:k + len(y_bar)] @ y_bar", "y_bar @ x[k:k + len(y_bar)]", "the dot product of two vectors"),
            ("x[k:k + len(y_bar)] @", "x[k:k + len(y_bar)].T @", VECTOR),
            ("@ y_bar", "@ y_bar.T", VECTOR),
        ],
    ),
    *_each("convolution.conv_2d", _AXES_OF_A_WINDOW, [("w.shape[:2]", "w.shape[:-2]", "a kernel has four axes")]),
    *_each("convolution.conv_2d", "b_bar = y_bar.sum(axis=(0, 1, 2))", [("1, 2", "1, -2", "of four axes the third")]),
    *_each(
        "convolution.grouped_conv_1d",
        "swapped = parts.transpose(0, 3, 2, 1).reshape(width, -1, x.shape[-1])",
        [("3, 2, 1", "3, -2, 1", "of four axes the third")],
    ),
    *_each(
        "pooling.average_pool",
        "return (jnp.repeat(jnp.repeat(share, SIDE, axis=1), SIDE, axis=2),)",
        [("axis=2", "axis=-2", "of four axes the third")],
    ),
    *_each(
        "pooling.max_pool",
        "open_still, sent = (jnp.ones(y.shape, bool), [])",
        [("y.shape", "y_bar.shape", ONE_SHAPE)],
    ),
    *_each(
        "pooling.max_pool",
        "for place in places(BLOCKS, y.shape):",
        [
            *(("y.shape", f"{other}.shape", ONE_SHAPE) for other in ("y_bar", "open_still")),
            ("y.shape", "x.shape", "a slice ends at the end of the picture"),
        ],
    ),
    *_each(
        "pooling.max_pool",
        "apart = jnp.stack(sent).reshape(SIDE, SIDE, *y.shape)",
        [("y.shape", f"{other}.shape", ONE_SHAPE) for other in ("y_bar", "open_still", "picked")],
    ),
    *_each(
        "pooling.max_pool",
        "return (apart.transpose(2, 3, 0, 4, 1, 5).reshape(x.shape),)",
        [("2, 3", "2, -3", "of six axes the fourth")],
    ),
    *_each(
        "pooling.overlapping_max_pool",
        "x_bar, open_still = (jnp.zeros_like(x), jnp.ones(y.shape, bool))",
        [("jnp.zeros", "-jnp.zeros", NOTHING), ("y.shape", "y_bar.shape", ONE_SHAPE)],
    ),
    *_each(
        "pooling.overlapping_max_pool",
        "for place in places(pool, y.shape):",
        [("y.shape", f"{other}.shape", ONE_SHAPE) for other in ("y_bar", "open_still")],
    ),
    *_each(
        "pooling.cnn_loss",
        "residuals.append((kept_convolution, kept_pool, kept_relu))",
        [("kept_relu", "x", "relu's value is not zero just where its argument is positive")],
    ),
    *_each(
        "pooling.cnn_loss",
        "logits, kept_readout = affine_fwd(x.reshape(len(x), -1), params.readout.w, params.readout.b)",
        [
            ("len(x)", "len(labels)", "every picture has a label"),
            ("len(x)", "len(kept_relu)", "relu keeps an array of the pictures' shape"),
        ],
    ),
    *_each(
        "pooling.cnn_loss",
        "return (loss, (residuals, x, kept_readout, kept_loss))",
        [("x", "kept_relu", "kept for its shape")],
    ),
    *_each(
        "recurrent.last_state",
        "return (all_states[jnp.arange(len(h)), lengths], (kept, lengths, x))",
        [
            *(("len(h)", f"len({other})", "all have a row for each sequence") for other in ("x", "lengths", "states")),
            ("len(h)", "len(all_states)", "all have a row for each sequence"),
            ("lengths, x)", "lengths, states)", "kept for how many steps there are"),
        ],
    ),
    *_each(
        "recurrent.last_state",
        "nothing = jnp.zeros((batch, 1 + seq, d_hidden), y_bar.dtype)",
        [("jnp.zeros", "-jnp.zeros", ZERO), ("y_bar.dtype", "x.dtype", "both are floating")],
    ),
    *_each(
        "recurrent.char_rnn_loss",
        "batch, seq = ids.shape",
        [("ids", "labels", "they are of one shape")],
    ),
    *_each(
        "recurrent.char_rnn_loss",
        "start = jnp.zeros((batch, len(params.cell.b)), params.table.dtype)",
        [("jnp.zeros", "-jnp.zeros", ZERO)],
    ),
    *_each(
        "recurrent.char_rnn_loss",
        "return (loss, (kept_table, kept_rnn, kept_readout, kept_loss, ids))",
        [("ids", "labels", "they are of one shape")],
    ),
    *_each(
        "recurrent.reach",
        "moved = moved @ params.w_h * (1 - after ** 2)",
        [
            ("moved @ params.w_h * (1 - after ** 2)", "-(moved @ params.w_h * (1 - after ** 2))", SIGN),
            ("moved @ params.w_h *", "-(moved @ params.w_h) *", SIGN),
            ("(1 - after ** 2)", "(after ** 2 - 1)", SIGN),
            ("(1 - after ** 2)", "-(1 - after ** 2)", SIGN),
        ],
    ),
    *_each(
        "recurrent.reach",
        "after = jnp.tanh(x @ params.w_x + h @ params.w_h + params.b)",
        [("x @", "x.T @", VECTOR), ("h @", "h.T @", VECTOR)],
    ),
    *_each(
        "recurrent.reach",
        "return jax.lax.scan(step, (h, jnp.eye(len(h), dtype=h.dtype)), x)[1]",
        [
            ("[1]", "[-1]", "the last of two"),
            ("jnp.eye", "-jnp.eye", SIGN),
            ("h.dtype", "x.dtype", "both are floating"),
        ],
    ),
    *_each(
        "recurrent.truncated_gradient",
        "for first in range(0, x.shape[1], stretch):",
        [("x.shape", "states_bar.shape", "both have one row a step")],
    ),
    *_each(
        "recurrent.rnn",
        "states = jax.lax.scan(step, h, of_x)[1]",
        [("[1]", "[-1]", "the last of two")],
    ),
    *_each(
        "recurrent.rnn",
        "nothing = jnp.zeros_like(h)",
        [("jnp.zeros", "-jnp.zeros", ZERO)],
    ),
    *_each(
        "recurrent.rnn",
        "x_bar = (z_bar @ params.w_x.T).reshape(seq, batch, -1).swapaxes(0, 1)",
        [("z_bar @", "z_bars @", "the same rows, laid out or not")],
    ),
    *_each(
        "checkpointing.halved_layers",
        "(ws, x), y_bar = jax.lax.optimization_barrier((residuals, y_bar))",
        [("jax.lax.optimization_barrier((residuals, y_bar))", "(residuals, y_bar)", "a barrier changes no number")],
    ),
    *_each(
        "checkpointing.halved_layers",
        "y = tanh(x @ ws[0])",
        [
            ("tanh(x @ ws[0])", "-tanh(x @ ws[0])", SQUARED),
            ("x @ ws[0]", "-(x @ ws[0])", SQUARED),
            ("ws[0]", "ws[1]", ONLY),
        ],
    ),
    *_each(
        "checkpointing.halved_layers",
        "return ((x.T @ z_bar)[None], z_bar @ ws[0].T)",
        [("ws[0]", "ws[1]", ONLY)],
    ),
    *_each(
        "checkpointing.halved_layers",
        "half = len(ws) // 2",
        [
            (
                ("len(ws) // 2"),
                other,
                "counted from the end: the same half, or the other one where they differ by a layer",
            )
            for other in ("-(len(ws) // 2)", "-len(ws) // 2", "len(ws) // -2")
        ],
    ),
    *_each(
        "checkpointing.fewest_steps",
        "least = {(n, 1): n * (n - 1) // 2 for n in range(1, layers + 1)}",
        [("range(1", "range(-1", LARGER), ("layers + 1", "layers + 2", LARGER)],
    ),
    *_each("checkpointing.fewest_steps", "for held in range(2, slots + 1):", [("slots + 1", "slots + 2", LARGER)]),
    *_each(
        "checkpointing.fewest_steps",
        "for n in range(1, layers + 1):",
        [("range(1", "range(-1", LARGER), ("layers + 1", "layers + 2", LARGER)],
    ),
    *_each(
        "lstm.lstm_step",
        "z_bar = jnp.concatenate([i_bar * i * (1 - i), f_bar * f * (1 - f), g_bar * (1 - g ** 2), "
        "o_bar * o * (1 - o)], axis=-1)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "lstm.lstm",
        "z_bar = jnp.concatenate([c_bar * g * i * (1 - i), c_bar * before * f * (1 - f), c_bar * i * (1 - g ** 2), "
        "h_bar * tanh_c * o * (1 - o)], axis=-1)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "lstm.lstm",
        "nothing = State(jnp.zeros_like(state.h), jnp.zeros_like(state.c))",
        [("jnp.zeros_like(state.h)", "-jnp.zeros_like(state.h)", ZERO), ("state.h), jnp", "state.h), -jnp", ZERO)],
    ),
    *_each("lstm.lstm", "seq, batch, _ = h.shape", [("h.shape", "c.shape", SHAPED)]),
    *_each(
        "lstm.lstm",
        "x_bar = (z_bar @ params.w_x.T).reshape(seq, batch, -1).swapaxes(0, 1)",
        [("z_bar", "z_bars", "the same rows, before they were laid out, and the product is laid out again")],
    ),
    *_each(
        "lstm.gru_step",
        "r_x, u_x, n_x = jnp.split(x @ params.w_x + params.b, 3, axis=-1)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "lstm.gru_step",
        "r_h, u_h, n_h = jnp.split(h @ params.w_h, 3, axis=-1)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "lstm.gru_step",
        "of_x_bar = jnp.concatenate([r_bar, u_bar, n_bar], axis=-1)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "lstm.gru_step",
        "of_h_bar = jnp.concatenate([r_bar, u_bar, n_bar * r], axis=-1)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each("embedding.embed", _TABLE_BAR, [("jnp.zeros_like(table)", "(-jnp.zeros_like(table))", NOTHING)]),
    *_each(
        "embedding.embed",
        "positions_bar = jnp.zeros_like(positions).at[:ids.shape[1]].set(by_place)",
        [
            ("jnp.zeros_like(positions)", "(-jnp.zeros_like(positions))", ZERO),
            ("shape[1]", "shape[-1]", LAST),
            ("ids.shape", "y_bar.shape", "both have an axis of places, the second"),
        ],
    ),
    *_each("embedding.embed_padded", _TABLE_BAR, [("jnp.zeros_like(table)", "(-jnp.zeros_like(table))", NOTHING)]),
    *_each(
        "embedding.readout",
        "tokens = x.reshape(-1, x.shape[-1])",
        [("x.shape", other, "their last axes are the same") for other in ("x_bar.shape", "table.shape")],
    ),
    *_each("attention.softmax", _SOFTMAX_MEAN, [("axis=-1", "axis=1", LAST), ("(weights", "(residuals", SAME)]),
    *_each("attention.softmax", "return (weights * (weights_bar - mean),)", [("(weights", "(residuals", SAME)]),
    *_each(
        "attention.attend",
        "scaled = q / math.sqrt(q.shape[1])",
        [("shape[1]", "shape[-1]", LAST), *(("sqrt(q", f"sqrt({other}", HEAD) for other in ("k", "v"))],
    ),
    *_each(
        "attention.attend",
        "powers = powers_of(jnp.where(mask, scaled @ k.T, -jnp.inf))",
        [("powers_of", "-powers_of", "powers are divided by their total wherever they are used: the sign is in both")],
    ),
    *_each(
        "attention.attend",
        "mean = (y_bar * y).sum(axis=-1, keepdims=True)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "attention.attend",
        "q_bar = scores_bar @ k / math.sqrt(k.shape[1])",
        [
            ("shape[1]", "shape[-1]", LAST),
            *(("sqrt(k", f"sqrt({other}", HEAD) for other in ("y_bar", "v_bar", "scaled", "v", "y")),
        ],
    ),
    *(
        Equivalent("attention.self_attention", was, was.replace("swapaxes(1, 2)", "swapaxes(1, -2)"), "of four axes")
        for was in (
            "rows = y.swapaxes(1, 2).reshape(batch * seq, -1)",
            "y_bar = rows_bar.reshape(batch, seq, *params.w_out.shape[:2]).swapaxes(1, 2)",
            "projected_bar = jnp.stack([bar.swapaxes(1, 2) for bar in bars], axis=2).reshape(batch * seq, -1)",
        )
    ),
    *_each(
        "attention.self_attention",
        "batch, seq, d_model = x.shape",
        [("x.shape", "out_bar.shape", "the layer gives an array of the shape that it is given")],
    ),
    *_each(
        "attention.rotary",
        "first_bar, second_bar = jnp.split(y_bar, 2, axis=1)",
        [("axis=1", "axis=-1", LAST)],
    ),
    *_each("attention.rotary", "seq, half = first_bar.shape", [("first", "second", HALVES)]),
    *_each(
        "attention.rotary",
        "turn = angles(seq, half).astype(y_bar.dtype)",
        [("y_bar", half, HALVES) for half in ("first_bar", "second_bar")],
    ),
    *_each("attention.rotary", _TURNED_BACK, [("axis=1", "axis=-1", LAST)]),
    *_each("custom_rules.lengths", "squares = jnp.sum(x ** 2, axis=-1)", [("axis=-1", "axis=1", LAST)]),
    *_each(
        "custom_rules.lengths",
        "root = jnp.sqrt(jnp.where(is_zero, 1, squares))",
        [("1,", f"{other},", "neither the root of it nor its slope is taken on") for other in (2, -1)],
    ),
    *(
        Equivalent("custom_rules.fused_cross_entropy", was, was.replace("axis=-1", "axis=1"), LAST)
        for was in (
            "largest = jnp.max(logits, axis=-1, keepdims=True)",
            "total = jnp.sum(jnp.exp(logits - largest), axis=-1, keepdims=True)",
            "chosen = jnp.take_along_axis(logits, labels[:, None], axis=-1)",
        )
    ),
    *_each(
        "custom_rules.fused_cross_entropy",
        "is_chosen = jnp.arange(logits.shape[-1]) == labels[:, None]",
        [("shape[-1]", "shape[1]", LAST), ("logits", "probabilities", "both have the shape of the logits")],
    ),
    *_each(
        "custom_rules.fused_cross_entropy",
        "logits_bar = loss_bar / len(labels) * (probabilities - is_chosen)",
        [("(labels", f"({other}", ROWS) for other in ("logits", "largest", "total", "probabilities", "is_chosen")],
    ),
    *_each(
        "custom_rules.fake_quantize",
        "fits = jnp.abs(x) <= LEVELS * step",
        [("<=", "<", "no number is drawn on an edge of the grid")],
    ),
    *_each(
        "custom_rules.fake_quantize",
        "by_step = jnp.where(fits, jnp.round(x / step) - x / step, LEVELS * jnp.sign(x))",
        [
            ("(fits", "(x_bar", "where x fits it gets what was handed in, which is not zero"),
            ("* jnp", "/ jnp", "divided by 1 or by -1, it is the same as multiplied"),
        ],
    ),
    *_each(
        "custom_rules.clip_gradient",
        "length = jnp.linalg.norm(y_bar, axis=-1, keepdims=True)",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "custom_rules.clip_gradient",
        "return (factor * y_bar, jnp.zeros_like(limit))",
        [("jnp.zeros", "-jnp.zeros", ZERO)],
    ),
    *_each(
        "custom_rules.projected_cross_entropy",
        "rows = math.gcd(batch, ROWS)",
        [("batch", "d_model", "any divisor of the batch will do, and here it is 1")],
    ),
    *_each(
        "custom_rules.projected_cross_entropy",
        _SHARE,
        [("h.dtype", f"{other}.dtype", "all have one type") for other in ("w", "logits", "few_h", "loss")],
    ),
    *_each(
        "custom_rules.projected_cross_entropy",
        "w_bar, (losses, h_bar) = jax.lax.scan(part, jnp.zeros_like(w), parts)",
        [("jnp.zeros", "-jnp.zeros", NOTHING)],
    ),
    *_each(
        "flash_attention.attend_tile",
        "scores = jnp.where(mask, q / math.sqrt(q.shape[1]) @ k.T, -jnp.inf)",
        [("shape[1]", "shape[-1]", LAST), *(("sqrt(q", f"sqrt({other}", HEAD) for other in ("k", "v"))],
    ),
    *_each(
        "flash_attention.attend_tile",
        "scaled = q / math.sqrt(q.shape[1])",
        [("shape[1]", "shape[-1]", LAST), *(("sqrt(q", f"sqrt({other}", HEAD) for other in ("y_bar", "k", "v", "y"))],
    ),
    *_each(
        "flash_attention.attend_tile",
        "scores_bar = weights * (weights_bar - (y_bar * y).sum(axis=-1, keepdims=True))",
        [("axis=-1", "axis=1", LAST)],
    ),
    *_each(
        "flash_attention.attend_tile",
        "return (scores_bar @ k / math.sqrt(q.shape[1]), (scaled.T @ scores_bar).T, v_bar, None)",
        [
            ("shape[1]", "shape[-1]", LAST),
            *(("sqrt(q", f"sqrt({other}", HEAD) for other in ("y_bar", "scaled", "v_bar", "k", "v", "y")),
        ],
    ),
    *_each(
        "flash_attention.attend_all",
        "mask = all_seen(len(q), k.shape[1])",
        [
            ("k.shape", "v.shape", "keys and values come in the same tiles"),
            *(("len(q)", f"len({other})", "one row a query") for other in ("y_bar", "y", "lse")),
            ("k.shape", "lse.shape", "a mask of one column serves all keys, where all are seen"),
        ],
    ),
    *_each(
        "flash_attention.attend_all",
        "more, k_bar, v_bar, _ = attend_tile_bwd((q, *tile, mask, y, lse), y_bar)",
        [("mask", "lse", "a number that is not 0 counts as seen")],
    ),
    *_each(
        "flash_attention.attend_all",
        "q_bar, (k_bar, v_bar) = jax.lax.scan(look_back, jnp.zeros_like(q), (k, v))",
        [
            ("jnp.zeros_like", "-jnp.zeros_like", ZERO),
            *(("like(q)", f"like({other})", "as wide as the queries, and as many") for other in ("y_bar", "y")),
        ],
    ),
    *_each(
        "flash_attention.causal_attend",
        "y, (*_, lse) = attend_tile_fwd(q[row], k[column], v[column], seen(row, column, q.shape[1]))",
        [("q.shape", f"{other}.shape", TILED) for other in ("k", "v")],
    ),
    *_each(
        "flash_attention.causal_attend",
        "whole, _ = jax.lax.scan(visit, nothing(q), visits(len(q)))",
        [(f"{of}(q)", f"{of}({other})", TILED) for of in ("nothing", "len") for other in ("k", "v")],
    ),
    *_each(
        "flash_attention.causal_attend",
        "of_tile = (q[row], k[column], v[column], seen(row, column, q.shape[1]), y[row], lse[row])",
        [("q.shape", f"{other}.shape", TILED) for other in ("y_bar", "k", "v", "y", "lse")],
    ),
    *_each(
        "flash_attention.causal_attend",
        "bars, _ = jax.lax.scan(visit, (jnp.zeros_like(q), jnp.zeros_like(k), jnp.zeros_like(v)), visits(len(q)))",
        [
            *((f"jnp.zeros_like({of})", f"-jnp.zeros_like({of})", ZERO) for of in "qkv"),
            *(
                (f"zeros_like({of})", f"zeros_like({other})", TILED)
                for of in "qkv"
                for other in ("y_bar", "q", "k", "v", "y")
                if other != of
            ),
            *(("len(q)", f"len({other})", TILED) for other in ("y_bar", "k", "v", "y", "lse")),
        ],
    ),
    *_each(
        "flash_attention.multi_query",
        "y, kept = attend_all_fwd(q.reshape(-1, q.shape[-1]), k, v)",
        [("q.shape", f"{other}.shape", HEAD) for other in ("k", "v")],
    ),
    *_each(
        "transformer.feed_forward",
        "return (y, (kept_in, kept_gelu, kept_out))",
        [("kept_gelu", "z", "what gelu's pair keeps is its argument")],
    ),
    *_each(
        "transformer.block",
        "h = rows + attended.reshape(rows.shape)",
        [("rows.shape", "normed.shape", SHAPED)],
    ),
    *_each(
        "transformer.block",
        "return ((h + thought).reshape(x.shape), (kept_norm_attention, kept_attention, kept_norm_mlp, kept_mlp))",
        [("x.shape", "attended.shape", SHAPED)],
    ),
    *_each(
        "transformer.block",
        "attention_bar, normed_bar = self_attention_bwd(kept_attention, h_bar.reshape(y_bar.shape))",
        [
            ("y_bar.shape", other, "attention's backward pass makes rows of it anyhow")
            for other in ("rows_bar.shape", "h_bar.shape", "normed_bar.shape", "through_mlp.shape")
        ],
    ),
    *_each(
        "transformer.block",
        "through_attention, *norm_attention_bar = layer_norm_bwd(kept_norm_attention, normed_bar.reshape(h_bar.shape))",
        [("h_bar.shape", other, SHAPED) for other in ("rows_bar.shape", "through_mlp.shape")],
    ),
    *_each(
        "transformer.block",
        "return (params_bar, x_bar.reshape(y_bar.shape))",
        [("y_bar.shape", "normed_bar.shape", SHAPED)],
    ),
    *_each(
        "transformer.gpt_loss",
        "logits, kept_readout = readout_fwd(normed.reshape(x.shape), params.table)",
        [("x.shape", "normed.shape", "a readout takes rows as well, and the logits are made rows")],
    ),
    *_each(
        "transformer.gpt_loss",
        "loss, kept_loss = masked_cross_entropy_fwd(logits.reshape(labels.size, -1), labels.reshape(-1))",
        [("labels.size", "ids.size", "as many labels as ids")],
    ),
    *_each(
        "transformer.gpt_loss",
        "rows_bar, *norm_bar = layer_norm_bwd(kept_norm, normed_bar.reshape(-1, x.shape[-1]))",
        [("x.shape", other, "their last axes are the same") for other in ("normed_bar.shape", "table_bar.shape")],
    ),
    *_each(
        "transformer.gpt_loss",
        "x_bar = rows_bar.reshape(x.shape)",
        [("x.shape", "normed_bar.shape", SHAPED)],
    ),
    *_each(
        "transformer.accumulate",
        "nothing = (jnp.zeros((), shares.dtype), jax.tree.map(jnp.zeros_like, params))",
        [("jnp.zeros((", "-jnp.zeros((", NOTHING)],
    ),
)
