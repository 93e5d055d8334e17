"""Answers to `normalization`: what people write for layer norm, its steps and its relatives."""

from tests.corpus.answers import Answer, variants


def _centre() -> tuple[Answer, ...]:
    bar = "y_bar - y_bar.mean(axis=-1, keepdims=True)"
    one, other = variants(
        "normalization.centre",
        f"""
def centre_fwd(x):
    return centre(x), None


def centre_bwd(residuals, y_bar):
    x_bar = {bar}
    return (x_bar,)
""",
    )
    return (
        one("as it came", bar, "y_bar", mistake="mean taken for a constant"),
        one("the mean alone", bar, "0 * y_bar - y_bar.mean(-1, keepdims=True)", mistake="only by way of the mean"),
        one("the mean added", bar, "y_bar + y_bar.mean(axis=-1, keepdims=True)", mistake="mean added"),
        one("a sum", bar, "y_bar - y_bar.sum(axis=-1, keepdims=True)", mistake="sum for mean"),
        one("n - 1", bar, "y_bar - y_bar.sum(-1, keepdims=True) / (y_bar.shape[-1] - 1)", mistake="n - 1 for n"),
        one("columns", bar, "y_bar - y_bar.mean(axis=0)", mistake="mean down the columns"),
        one("everything", bar, "y_bar - y_bar.mean()", mistake="mean of everything"),
        one("each its own", bar, "y_bar * (1 - 1 / y_bar.shape[-1])", mistake="own share alone"),
        one("a minus", bar, "y_bar.mean(axis=-1, keepdims=True) - y_bar", slip="sign"),
        one("zeros", bar, "jnp.zeros_like(y_bar)", slip="zero"),
        one("halved", bar, "(y_bar - y_bar.mean(axis=-1, keepdims=True)) / 2", slip="factor"),
        one(
            "centred by the batch size",
            bar,
            "y_bar - y_bar.sum(-1, keepdims=True) / len(y_bar)",
            line="multiplied by a number",
        ),
        one("the first number", bar, "y_bar - y_bar[:, :1]"),
        one("no keepdims", bar, "y_bar - y_bar.mean(axis=-1)", fault="exception"),
        one("forward by columns", "centre(x), None", "x - x.mean(axis=0), None", fault="value"),
        other("centre again", bar, "centre(y_bar)"),
        other("a matrix", bar, "y_bar @ (jnp.eye(y_bar.shape[-1]) - 1 / y_bar.shape[-1])"),
        other("row by row", bar, "jax.vmap(lambda row: row - jnp.mean(row))(y_bar)"),
        other("residuals that nobody asks for", "centre(x), None", "x - jnp.average(x, -1)[:, None], {'x': x}"),
    )


def _reciprocal_std() -> tuple[Answer, ...]:
    root, share = "-0.5 * rstd_bar * rstd**3", "variance_bar * 2 * centred / centred.shape[-1]"
    one, other = variants(
        "normalization.reciprocal_std",
        f"""
def reciprocal_std_fwd(centred):
    rstd = reciprocal_std(centred)
    return rstd, (centred, rstd)


def reciprocal_std_bwd(residuals, rstd_bar):
    centred, rstd = residuals
    variance_bar = {root}
    centred_bar = {share}
    return (centred_bar,)
""",
    )
    return (
        one("without the half", root, "-rstd_bar * rstd**3", mistake="half lost"),
        one("without the 2", share, "variance_bar * centred / centred.shape[-1]", mistake="square's 2 lost"),
        one("without the mean", share, "variance_bar * 2 * centred", mistake="mean lost"),
        one("n - 1", share, "variance_bar * 2 * centred / (centred.shape[-1] - 1)", mistake="n - 1 for n"),
        one("a root's slope", root, "0.5 * rstd_bar * rstd", mistake="root for one over it"),
        one("squared", root, "-0.5 * rstd_bar * rstd**2", mistake="one power short"),
        one("to the first", root, "-0.5 * rstd_bar * rstd", mistake="two powers short"),
        one("no power", root, "-0.5 * rstd_bar", mistake="power left out"),
        one("a plus", root, "0.5 * rstd_bar * rstd**3", slip="sign"),
        one(
            "the root of the variance alone",
            root,
            "-0.5 * rstd_bar * (centred**2).mean(-1, keepdims=True) ** -1.5",
            mistake="epsilon forgotten",
        ),
        one("one share for all", share, "variance_bar * 2 * jnp.ones_like(centred) / centred.shape[-1]"),
        one("divided by the rows", share, "variance_bar * 2 * centred / len(centred)", slip="factor"),
        one("to the fifth", root, "-0.5 * rstd_bar * rstd**5"),
        one("zeros", share, "0 * centred", slip="zero"),
        one("the square for the slope", share, "variance_bar * centred**2 / centred.shape[-1]",
            line="another derivative"),
        one(
            "divided by itself",
            share,
            "variance_bar * 2 * centred**2 / centred / centred.shape[-1]",
            case="a row of zeros",
        ),
        one("forward turned round", "rstd = reciprocal_std", "rstd = 1 / reciprocal_std", fault="value"),
        other("one line", share, "-rstd_bar * rstd**3 * centred / centred.shape[-1]"),
        other("the variance kept", "(centred, rstd)", "(centred, (centred**2).mean(-1, keepdims=True) + EPSILON)",
              root, "-0.5 * rstd_bar * rstd**-1.5"),
        other("by the average", share, "variance_bar * jax.vmap(lambda row: 2 * row / row.size)(centred)"),
        other("rsqrt", "reciprocal_std(centred)", "jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + EPSILON)"),
    )  # fmt: skip


X_HAT = "rstd * (x_hat_bar - along_ones - along_x_hat)"
ALONG_ONES = "x_hat_bar.mean(axis=-1, keepdims=True)"
ALONG_X_HAT = "x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True)"
SCALE_BAR = "(y_bar * x_hat).sum(axis=0)"


def _in_steps() -> tuple[Answer, ...]:
    total = "x_hat_bar * rstd + reciprocal_std_bwd(kept_rstd, rstd_bar)[0]"
    last, root = "(x_bar,) = centre_bwd(kept_centre, centred_bar)", "(x_hat_bar * centred).sum(axis=-1, keepdims=True)"
    one, other = variants(
        "normalization.layer_norm_in_steps",
        f"""
def layer_norm_in_steps_fwd(x, scale, bias):
    centred, kept_centre = centre_fwd(x)
    rstd, kept_rstd = reciprocal_std_fwd(centred)
    x_hat = centred * rstd
    return x_hat * scale + bias, (kept_centre, kept_rstd, centred, rstd, x_hat, scale)


def layer_norm_in_steps_bwd(residuals, y_bar):
    kept_centre, kept_rstd, centred, rstd, x_hat, scale = residuals
    scale_bar = {SCALE_BAR}
    bias_bar = y_bar.sum(axis=0)
    x_hat_bar = y_bar * scale
    rstd_bar = {root}
    centred_bar = {total}
    {last}
    return x_bar, scale_bar, bias_bar
""",
    )
    return (
        one("the product's way alone", total, "x_hat_bar * rstd", mistake="variance taken for a constant"),
        one("centre forgotten", last, "x_bar = centred_bar", mistake="mean taken for a constant"),
        one(
            "neither",
            *(total, "x_hat_bar * rstd"),
            *(last, "x_bar = centred_bar"),
            mistake="mean and variance taken for constants",
        ),
        one(
            "overwritten",
            *(total, "reciprocal_std_bwd(kept_rstd, rstd_bar)[0]"),
            line="centred",
        ),
        one(
            "taken away",
            *(total, "x_hat_bar * rstd - reciprocal_std_bwd(kept_rstd, rstd_bar)[0]"),
            mistake="sign of the variance's part",
        ),
        one("without scale", "x_hat_bar = y_bar * scale", "x_hat_bar = y_bar", mistake="scale left out of x_bar"),
        one("scale_bar of what is centred", SCALE_BAR, "(y_bar * centred).sum(axis=0)",
            mistake="scale_bar from what is only centred"),
        one("means for sums", SCALE_BAR, "(y_bar * x_hat).mean(0)", "y_bar.sum(axis=0)", "y_bar.mean(0)",
            mistake="scale_bar and bias_bar averaged"),
        one("rstd's mean", root, "(x_hat_bar * centred).mean(axis=-1, keepdims=True)", line="multiplied by 1/5"),
        one("rstd by x_hat", root, "(x_hat_bar * x_hat).sum(axis=-1, keepdims=True)",
            line="`x_hat` stands where"),
        one("rstd in no sum", root, "x_hat_bar * centred"),
        one("bias_bar in no sum", "bias_bar = y_bar.sum(axis=0)", "bias_bar = y_bar", slip="not summed"),
        one("a minus", last, last + "\n    x_bar = -x_bar", line="wrong sign"),
        other("x_hat made again", "x_hat, scale)", "x, scale)", "rstd, x_hat, scale = residuals",
              "rstd, _, scale = residuals\n    x_hat = centred * rstd"),
        other("scale first", "x_hat_bar = y_bar * scale", "x_hat_bar = jnp.einsum('nk,k->nk', y_bar, scale)"),
        other("added the other way", total, "reciprocal_std_bwd(kept_rstd, rstd_bar)[0] + rstd * x_hat_bar"),
        other("a matrix product", SCALE_BAR, "jnp.einsum('nk,nk->k', y_bar, x_hat)"),
    )  # fmt: skip


def _layer() -> tuple[Answer, ...]:
    forward = "(x, scale, mean, rstd)"
    one, other = variants(
        "normalization.layer_norm",
        f"""
def layer_norm_fwd(x, scale, bias):
    mean = x.mean(axis=-1, keepdims=True)
    rstd = reciprocal_std(x - mean)
    return (x - mean) * rstd * scale + bias, {forward}


def layer_norm_bwd(residuals, y_bar):
    x, scale, mean, rstd = residuals
    x_hat = (x - mean) * rstd
    scale_bar = {SCALE_BAR}
    bias_bar = y_bar.sum(axis=0)
    x_hat_bar = y_bar * scale
    along_ones = {ALONG_ONES}
    along_x_hat = {ALONG_X_HAT}
    x_bar = {X_HAT}
    return x_bar, scale_bar, bias_bar
""",
    )
    return (
        one("no first part", X_HAT, "rstd * (x_hat_bar - along_x_hat)", mistake="mean taken for a constant"),
        one("no second part", X_HAT, "rstd * (x_hat_bar - along_ones)", mistake="variance taken for a constant"),
        one("neither part", X_HAT, "rstd * x_hat_bar", mistake="mean and variance taken for constants"),
        one("the second added", X_HAT, "rstd * (x_hat_bar - along_ones + along_x_hat)",
            mistake="sign of the variance's part"),
        one("the first added", X_HAT, "rstd * (x_hat_bar + along_ones - along_x_hat)",
            mistake="sign of the mean's part"),
        one("sums", ALONG_ONES, "x_hat_bar.sum(axis=-1, keepdims=True)", ALONG_X_HAT,
            "x_hat * (x_hat_bar * x_hat).sum(axis=-1, keepdims=True)", mistake="sums for means"),
        one("x_hat once", ALONG_X_HAT, "(x_hat_bar * x_hat).mean(axis=-1, keepdims=True)",
            mistake="x_hat left out of its own part"),
        one("without scale", "x_hat_bar = y_bar * scale", "x_hat_bar = y_bar", mistake="scale left out of x_bar"),
        one("without rstd", X_HAT, "x_hat_bar - along_ones - along_x_hat", mistake="rstd left out of x_bar"),
        one("rstd squared", X_HAT, f"rstd * {X_HAT}", mistake="rstd twice"),
        one("scale_bar from x", SCALE_BAR, "(y_bar * x).sum(axis=0)", mistake="scale_bar from x"),
        one("scale_bar from what is centred", SCALE_BAR, "(y_bar * (x - mean)).sum(axis=0)",
            mistake="scale_bar from what is only centred"),
        one("down the columns", ALONG_ONES, "x_hat_bar.mean(axis=0)", ALONG_X_HAT,
            "x_hat * (x_hat_bar * x_hat).mean(axis=0)"),
        one("the last row's scale_bar", SCALE_BAR, "(y_bar * x_hat)[-1]", mistake="one row's scale_bar"),
        one("scale_bar along the rows", SCALE_BAR, "(y_bar * x_hat).sum(axis=1)", slip="shape"),
        one("a minus", X_HAT, f"-{X_HAT}", line="wrong sign"),
        one("scaled at the end", "x_hat_bar = y_bar * scale", "x_hat_bar = y_bar", X_HAT, f"scale * {X_HAT}"),
        one("the variance by n - 1", "rstd = reciprocal_std(x - mean)",
            "rstd = 1 / jnp.sqrt(x.var(-1, keepdims=True, ddof=1) + EPSILON)", fault="value"),
        one("epsilon outside", "rstd = reciprocal_std(x - mean)",
            "rstd = 1 / (x.std(-1, keepdims=True) + EPSILON)", fault="value"),
        one("no epsilon in backward", "x_hat = (x - mean) * rstd",
            "rstd = 1 / jnp.maximum(x.std(-1, keepdims=True), 1e-9)\n    x_hat = (x - mean) * rstd"),
        other("x_hat kept", "(x - mean) * rstd * scale + bias, (x, scale, mean, rstd)",
              "(x - mean) * rstd * scale + bias, ((x - mean) * rstd, scale, mean, rstd)",
              "x_hat = (x - mean) * rstd", "x_hat = x"),
        other("one bracket over d", X_HAT,
              "rstd / x.shape[-1] * (x.shape[-1] * x_hat_bar - x_hat_bar.sum(-1, keepdims=True)"
              " - x_hat * (x_hat_bar * x_hat).sum(-1, keepdims=True))"),
        other("everything made again", "(x - mean) * rstd * scale + bias, (x, scale, mean, rstd)",
              "(x - mean) * rstd * scale + bias, (x, scale)", "x, scale, mean, rstd = residuals",
              "x, scale = residuals\n    mean = x.mean(-1, keepdims=True)\n    rstd = reciprocal_std(x - mean)"),
        other("row by row", X_HAT,
              "jax.vmap(lambda r, b, h: r * (b - b.mean() - h * jnp.dot(b, h) / h.size))(rstd, x_hat_bar, x_hat)"),
    )  # fmt: skip


def _rms() -> tuple[Answer, ...]:
    x_bar = "rstd * (x_hat_bar - x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True))"
    one, other = variants(
        "normalization.rms_norm",
        f"""
def rms_norm_fwd(x, scale):
    rstd = reciprocal_std(x)
    return x * rstd * scale, (x, scale, rstd)


def rms_norm_bwd(residuals, y_bar):
    x, scale, rstd = residuals
    x_hat = x * rstd
    scale_bar = {SCALE_BAR}
    x_hat_bar = y_bar * scale
    x_bar = {x_bar}
    return x_bar, scale_bar
""",
    )
    return (
        one("the root held", x_bar, "rstd * x_hat_bar", mistake="root taken for a constant"),
        one("added", x_bar, x_bar.replace(" - ", " + "), mistake="sign of the root's part"),
        one("layer norm's first part, too", x_bar, x_bar.replace("(x_hat_bar - ", f"(x_hat_bar - {ALONG_ONES} - "),
            mistake="mean's part as in layer norm"),
        one("a sum", x_bar, x_bar.replace(".mean(", ".sum("), mistake="sum for mean"),
        one("x_hat once", x_bar, "rstd * (x_hat_bar - (x_hat_bar * x_hat).mean(axis=-1, keepdims=True))",
            mistake="x_hat left out of its own part"),
        one("without scale", "x_hat_bar = y_bar * scale", "x_hat_bar = y_bar", mistake="scale left out of x_bar"),
        one("without rstd", x_bar, x_bar.removeprefix("rstd * "), mistake="rstd left out of x_bar"),
        one("scale_bar from x", SCALE_BAR, "(y_bar * x).sum(axis=0)", mistake="scale_bar from x"),
        one("averaged", SCALE_BAR, "(y_bar * x_hat).mean(axis=0)", mistake="scale_bar averaged"),
        one("a minus", x_bar, f"-{x_bar}", line="wrong sign"),
        one("layer norm", x_bar, "rstd * (x_hat_bar - x_hat_bar.mean(-1, keepdims=True) - x_hat * "
            "(x_hat_bar * x_hat).mean(-1, keepdims=True))", mistake="mean's part as in layer norm"),
        one("down the columns", x_bar, x_bar.replace("axis=-1, keepdims=True", "axis=0")),
        one("forward centred", "x * rstd * scale", "(x - x.mean(-1, keepdims=True)) * rstd * scale", fault="value"),
        one("no sum", SCALE_BAR, "y_bar * x_hat", slip="not summed"),
        other("x_hat kept", "(x, scale, rstd)", "(x * rstd, scale, rstd)", "x_hat = x * rstd", "x_hat = x"),
        other("by x", x_bar, "rstd * x_hat_bar - rstd**3 * x * (x_hat_bar * x).mean(-1, keepdims=True)"),
        other("the root made again", "(x, scale, rstd)", "(x, scale)", "x, scale, rstd = residuals",
              "x, scale = residuals\n    rstd = reciprocal_std(x)"),
        other("einsum", SCALE_BAR, "jnp.einsum('nk,nk->k', y_bar, x_hat)"),
    )  # fmt: skip


def _batch() -> tuple[Answer, ...]:
    along_ones, along_x_hat = "x_hat_bar.mean(axis=0)", "x_hat * (x_hat_bar * x_hat).mean(axis=0)"
    one, other = variants(
        "normalization.batch_norm",
        f"""
def batch_norm_fwd(x, scale, bias, running):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    rstd = 1 / jnp.sqrt(variance + EPSILON)
    x_hat = (x - mean) * rstd
    keep = DECAY
    moved = Running(keep * running.mean + (1 - keep) * mean, keep * running.variance + (1 - keep) * variance)
    return (x_hat * scale + bias, moved), (x_hat, scale, rstd)


def batch_norm_bwd(residuals, bars):
    x_hat, scale, rstd = residuals
    y_bar, running_bar = bars
    scale_bar = {SCALE_BAR}
    bias_bar = y_bar.sum(axis=0)
    x_hat_bar = y_bar * scale
    along_ones = {along_ones}
    along_x_hat = {along_x_hat}
    x_bar = {X_HAT}
    return x_bar, scale_bar, bias_bar, None
""",
    )
    return (
        one("no first part", X_HAT, "rstd * (x_hat_bar - along_x_hat)", mistake="mean taken for a constant"),
        one("no second part", X_HAT, "rstd * (x_hat_bar - along_ones)", mistake="variance taken for a constant"),
        one("neither part", X_HAT, "rstd * x_hat_bar", mistake="mean and variance taken for constants"),
        one("sums", along_ones, "x_hat_bar.sum(axis=0)", along_x_hat, "x_hat * (x_hat_bar * x_hat).sum(axis=0)",
            mistake="sums for means"),
        one("the second added", X_HAT, "rstd * (x_hat_bar - along_ones + along_x_hat)",
            mistake="sign of the variance's part"),
        one("without scale", "x_hat_bar = y_bar * scale", "x_hat_bar = y_bar", mistake="scale left out of x_bar"),
        one("without rstd", X_HAT, "x_hat_bar - along_ones - along_x_hat", mistake="rstd left out of x_bar"),
        one("means for sums", SCALE_BAR, "(y_bar * x_hat).mean(axis=0)", "bias_bar = y_bar.sum",
            "bias_bar = y_bar.mean", mistake="scale_bar and bias_bar averaged"),
        one("as in layer norm", along_ones, ALONG_ONES, along_x_hat, ALONG_X_HAT),
        one("the state's cotangent added", X_HAT, f"{X_HAT} + (1 - DECAY) * running_bar.mean / len(x_hat)",
            mistake="the state sends something back"),
        one("by the running statistics", "(x_hat, scale, rstd)", "(x_hat, scale, 1 / jnp.sqrt(running.variance "
            "+ EPSILON))", X_HAT, "rstd * x_hat_bar", mistake="running statistics in training"),
        one("the decay turned round", "keep = DECAY", "keep = 1 - DECAY", fault="value"),
        one("a variance by n - 1 for the state", "(1 - keep) * variance)", "(1 - keep) * x.var(axis=0, ddof=1))",
            fault="value"),
        one("the state as it was", "bias, moved)", "bias, running)", fault="value"),
        one("the state forgotten", "(x_hat * scale + bias, moved)", "x_hat * scale + bias", fault="structure"),
        one("by the running mean", "x_hat = (x - mean)", "x_hat = (x - running.mean)", fault="value"),
        other("zeros for the state", "bias_bar, None", "bias_bar, jax.tree.map(jnp.zeros_like, running_bar)"),
        other("x kept", "(x_hat, scale, rstd)", "(x, mean, scale, rstd)", "x_hat, scale, rstd = residuals",
              "x, mean, scale, rstd = residuals\n    x_hat = (x - mean) * rstd"),
        other("a tuple for the state", "moved = Running(", "moved = ("),
        other("column by column", X_HAT, "jax.vmap(lambda r, b, h: r * (b - b.mean() - h * jnp.dot(b, h) / h.size), "
              "in_axes=(0, 1, 1), out_axes=1)(rstd, x_hat_bar, x_hat)"),
    )  # fmt: skip


def _evaluation() -> tuple[Answer, ...]:
    x_bar, x_hat = "y_bar * scale * rstd", "(x - running.mean) * rstd"
    scale_bar = f"(y_bar * {x_hat}).sum(axis=0)"
    one, other = variants(
        "normalization.batch_norm_evaluation",
        f"""
def batch_norm_evaluation_fwd(x, scale, bias, running):
    return (x - running.mean) / jnp.sqrt(running.variance + EPSILON) * scale + bias, (x, scale, running)


def batch_norm_evaluation_bwd(residuals, y_bar):
    x, scale, running = residuals
    rstd = 1 / jnp.sqrt(running.variance + EPSILON)
    x_bar = {x_bar}
    scale_bar = {scale_bar}
    bias_bar = y_bar.sum(axis=0)
    return x_bar, scale_bar, bias_bar, None
""",
    )
    return (
        one("without scale", x_bar, "y_bar * rstd", mistake="scale left out of x_bar"),
        one("without rstd", x_bar, "y_bar * scale", mistake="rstd left out of x_bar"),
        one("by the variance", x_bar, "y_bar * scale * rstd**2", mistake="variance for its root"),
        one("divided by rstd", x_bar, "y_bar * scale / rstd", mistake="multiplied by the deviation"),
        one("scale_bar from x", scale_bar, "(y_bar * x).sum(axis=0)", mistake="scale_bar from x"),
        one("scale_bar from what is centred", scale_bar, "(y_bar * (x - running.mean)).sum(axis=0)",
            mistake="scale_bar from what is only centred"),
        one("means for sums", scale_bar, f"(y_bar * {x_hat}).mean(axis=0)", "y_bar.sum(axis=0)\n    return",
            "y_bar.mean(axis=0)\n    return", mistake="scale_bar and bias_bar averaged"),
        one("as in training", x_bar, "(lambda b: rstd * (b - b.mean(0)))(y_bar * scale)"),
        one("a minus", x_bar, "-y_bar * scale * rstd", line="wrong sign"),
        one("zeros", x_bar, "0 * x", line="is missing"),
        one("no sum", "bias_bar = y_bar.sum(axis=0)", "bias_bar = y_bar", slip="not summed"),
        one("by the batch", "(x - running.mean) / jnp", "(x - x.mean(axis=0)) / jnp", fault="value"),
        one("the place of the state left out", "bias_bar, None", "bias_bar", fault="structure"),
        other("the root kept", "* scale + bias, (x, scale, running)",
              "* scale + bias, (x, scale, (running.mean, 1 / jnp.sqrt(running.variance + EPSILON)))",
              "x, scale, running = residuals\n    rstd = 1 / jnp.sqrt(running.variance + EPSILON)",
              "x, scale, (mean, rstd) = residuals", scale_bar, "(y_bar * (x - mean) * rstd).sum(axis=0)"),
        other("by a column", scale_bar, "jnp.einsum('nk,nk,k->k', y_bar, x - running.mean, rstd)"),
        other("rsqrt", "rstd = 1 / jnp.sqrt(running.variance + EPSILON)",
              "rstd = jax.lax.rsqrt(running.variance + EPSILON)"),
        other("the factor made first", x_bar, "y_bar * (scale * rstd)"),
    )  # fmt: skip


def _group() -> tuple[Answer, ...]:
    scale_bar, bias_bar = "(y_bar * x_hat.reshape(y_bar.shape)).sum(axis=(0, 2))", "y_bar.sum(axis=(0, 2))"
    one, other = variants(
        "normalization.group_norm",
        f"""
def group_norm_fwd(x, scale, bias):
    centred = centre(x.reshape(len(x) * GROUPS, -1))
    rstd = reciprocal_std(centred)
    x_hat = centred * rstd
    return x_hat.reshape(x.shape) * scale[:, None] + bias[:, None], (x_hat, rstd, scale)


def group_norm_bwd(residuals, y_bar):
    x_hat, rstd, scale = residuals
    scale_bar = {scale_bar}
    bias_bar = {bias_bar}
    x_hat_bar = (y_bar * scale[:, None]).reshape(x_hat.shape)
    along_ones = {ALONG_ONES}
    along_x_hat = {ALONG_X_HAT}
    x_bar = {X_HAT}
    return x_bar.reshape(y_bar.shape), scale_bar, bias_bar
""",
    )
    return (
        one("no first part", X_HAT, "rstd * (x_hat_bar - along_x_hat)", mistake="mean taken for a constant"),
        one("no second part", X_HAT, "rstd * (x_hat_bar - along_ones)", mistake="variance taken for a constant"),
        one("neither part", X_HAT, "rstd * x_hat_bar", mistake="mean and variance taken for constants"),
        one("sums", ALONG_ONES, "x_hat_bar.sum(axis=-1, keepdims=True)", ALONG_X_HAT,
            "x_hat * (x_hat_bar * x_hat).sum(axis=-1, keepdims=True)", mistake="sums for means"),
        one("the second added", X_HAT, "rstd * (x_hat_bar - along_ones + along_x_hat)",
            mistake="sign of the variance's part"),
        one("without scale", "(y_bar * scale[:, None])", "y_bar", mistake="scale left out of x_bar"),
        one("without rstd", X_HAT, "x_hat_bar - along_ones - along_x_hat", mistake="rstd left out of x_bar"),
        one("averaged over the batch", scale_bar, "(y_bar * x_hat.reshape(y_bar.shape)).sum(2).mean(0)", bias_bar,
            "y_bar.sum(2).mean(0)", mistake="scale_bar and bias_bar averaged"),
        one("summed over the batch alone", bias_bar, "y_bar.sum(axis=0)", slip="not summed"),
        one("a minus", X_HAT, f"-{X_HAT}", line="wrong sign"),
        one("means of everything", ALONG_ONES, "x_hat_bar.mean()", ALONG_X_HAT,
            "x_hat * (x_hat_bar * x_hat).mean()", place="groups"),
        one("laid out wrongly", "x_bar.reshape(y_bar.shape)",
            "x_bar.reshape(y_bar.shape[::-1]).T", place="groups"),
        one("one group", "len(x) * GROUPS", "len(x)", fault="value"),
        one("not put back", "x_bar.reshape(y_bar.shape)", "x_bar", slip="shape"),
        other("three axes", "x.reshape(len(x) * GROUPS, -1)", "x.reshape((x.shape[0] * GROUPS, -1))"),
        other("row by row", X_HAT,
              "jax.vmap(lambda r, b, h: r * (b - b.mean() - h * jnp.dot(b, h) / h.size))(rstd, x_hat_bar, x_hat)"),
        other("one bracket over n", X_HAT,
              "rstd / x_hat.shape[-1] * (x_hat.shape[-1] * x_hat_bar - x_hat_bar.sum(-1, keepdims=True)"
              " - x_hat * (x_hat_bar * x_hat).sum(-1, keepdims=True))"),
        other("einsum", scale_bar, "jnp.einsum('ncl,ncl->c', y_bar, x_hat.reshape(y_bar.shape))"),
    )  # fmt: skip


ANSWERS = (
    *_centre(),
    *_reciprocal_std(),
    *_in_steps(),
    *_layer(),
    *_rms(),
    *_batch(),
    *_evaluation(),
    *_group(),
)
