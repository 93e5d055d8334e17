"""Answers to `vanishing_gradients`, wrong and right: norms by layer, a deep stack, and weights drawn in two ways."""

from tests.corpus.answers import Answer, right, wrong


def _norms() -> tuple[Answer, ...]:
    exercise = "vanishing_gradients.gradient_norms"
    back = "h_bar = (h_bar * slope(z)) @ weights.T"
    size = "return h_bar, jnp.sqrt(jnp.sum(h_bar**2))"
    sweep = "return jax.lax.scan(layer, y_bar, (z, w), reverse=True)[1]"
    return (
        wrong(exercise, "no slope", (back, "h_bar = h_bar @ weights.T"), mistake="the slope left out"),
        wrong(exercise, "not turned", (back, "h_bar = (h_bar * slope(z)) @ weights"), mistake="weights not turned"),
        wrong(
            exercise,
            "weights first",
            (back, "h_bar = h_bar @ weights.T * slope(z)"),
            mistake="weights before the slope",
        ),
        wrong(
            exercise, "forward's order", (sweep, sweep.replace(", reverse=True", "")), mistake="the first layer first"
        ),
        wrong(exercise, "last one first", (sweep, f"{sweep}[::-1]"), mistake="the last layer's norm first"),
        wrong(
            exercise,
            "what comes in",
            (back, "came, h_bar = h_bar, (h_bar * slope(z)) @ weights.T"),
            (size, size.replace("h_bar**2", "came**2")),
            mistake="one layer too late",
        ),
        wrong(exercise, "squares", (size, "return h_bar, jnp.sum(h_bar**2)"), mistake="the root left out"),
        wrong(exercise, "of one number", (size, size.replace("jnp.sum", "jnp.mean")), mistake="the root of the mean"),
        wrong(exercise, "of z_bar", (back, "h_bar = h_bar * slope(z)\n        unused = weights")),
        wrong(exercise, "row by row", (size, "return h_bar, jnp.linalg.norm(h_bar, axis=1)"), slip="shape"),
        wrong(exercise, "y_bar for all", (size, size.replace("return h_bar", "return y_bar"))),
        wrong(exercise, "tanh always", (back, "h_bar = (h_bar / jnp.cosh(z) ** 2) @ weights.T"), case="relu"),
        right(exercise, "by einsum", (back, 'h_bar = jnp.einsum("nj,ij->ni", h_bar * slope(z), weights)')),
        right(exercise, "by norm", (size, "return h_bar, jnp.linalg.norm(h_bar)")),
        right(
            exercise,
            "a loop",
            functions="""
def gradient_norms(slope, z, w, y_bar):
    norms = []
    for l in reversed(range(len(w))):
        y_bar = y_bar * slope(z[l]) @ w[l].T
        norms.insert(0, jnp.sqrt((y_bar * y_bar).sum()))
    return norms
""",
        ),
    )


def _deep() -> tuple[Answer, ...]:
    exercise = "vanishing_gradients.deep_tanh"
    slope = "z_bar = h_bar * (1 - a**2)"
    handed = "return z_bar @ weights.T, h.T @ z_bar"
    before = "before = jnp.concatenate([x[None], after[:-1]])"
    sweep = "x_bar, w_bar = jax.lax.scan(layer, y_bar, (before, w, after), reverse=True)"
    return (
        wrong(exercise, "no slope", (slope, "z_bar = h_bar"), mistake="the slope left out"),
        wrong(exercise, "a quarter", (slope, "z_bar = h_bar * (1 - a**2) / 4"), mistake="a quarter of the slope"),
        wrong(exercise, "the sigmoid's", (slope, "z_bar = h_bar * a * (1 - a)"), mistake="the sigmoid's slope"),
        wrong(
            exercise, "of z", (slope, "z_bar = h_bar * (1 - (h @ weights) ** 2)"), mistake="the slope of what goes in"
        ),
        wrong(exercise, "twice", (slope, "z_bar = h_bar * (1 - a**2) ** 2"), mistake="the slope twice"),
        wrong(exercise, "no square", (slope, "z_bar = h_bar * (1 - a)"), mistake="the square left out"),
        wrong(exercise, "not turned", (handed, "return z_bar @ weights, h.T @ z_bar"), mistake="weights not turned"),
        wrong(
            exercise,
            "what came out",
            (before, "before = after"),
            mistake="what came out for what went in",
        ),
        wrong(
            exercise, "forward's order", (sweep, sweep.replace(", reverse=True", "")), mistake="the first layer first"
        ),
        wrong(exercise, "y_bar for all", (slope, "z_bar = y_bar * (1 - a**2)"), mistake="nothing handed on"),
        wrong(exercise, "a plus", (slope, "z_bar = h_bar * (1 + a**2)"), mistake="a plus for the minus"),
        wrong(exercise, "x at the end", (before, "before = jnp.concatenate([after[:-1], x[None]])")),
        wrong(
            exercise,
            "weights' cotangents turned",
            ("return x_bar, w_bar", "return x_bar, w_bar.swapaxes(1, 2)"),
            slip="transposed",
        ),
        wrong(exercise, "minus", ("return x_bar, w_bar", "return -x_bar, -w_bar"), slip="sign"),
        wrong(exercise, "no x_bar", ("return x_bar, w_bar", "return y_bar, w_bar"), slip="handed on"),
        right(exercise, "by cosh", (slope, "z_bar = h_bar / jnp.cosh(h @ weights) ** 2")),
        right(exercise, "by factors", (slope, "z_bar = h_bar * (1 - a) * (1 + a)")),
        right(
            exercise,
            "both on record",
            functions="""
def deep_tanh_fwd(x, w):
    def layer(h, weights):
        after = jnp.tanh(h @ weights)
        return after, h

    y, before = jax.lax.scan(layer, x, w)
    return y, (before, y, w)


def deep_tanh_bwd(residuals, y_bar):
    before, y, w = residuals

    def layer(carried, kept):
        h_bar, a = carried
        h, weights = kept
        z_bar = h_bar - h_bar * a**2
        return (z_bar @ weights.T, h), h.T @ z_bar

    (x_bar, _), w_bar = jax.lax.scan(layer, (y_bar, y), (before, w), reverse=True)
    return x_bar, w_bar
""",
        ),
        right(
            exercise,
            "loops",
            functions="""
def deep_tanh_fwd(x, w):
    h = [x]
    for weights in w:
        h.append(jnp.tanh(h[-1] @ weights))
    return h[-1], (h, w)


def deep_tanh_bwd(residuals, y_bar):
    h, w = residuals
    bars = []
    for l in range(len(w) - 1, -1, -1):
        z_bar = y_bar * (1 - h[l + 1] * h[l + 1])
        bars = [h[l].T @ z_bar, *bars]
        y_bar = z_bar @ w[l].T
    return y_bar, jnp.stack(bars)
""",
        ),
    )


def _xavier() -> tuple[Answer, ...]:
    exercise = "vanishing_gradients.xavier"
    variance = "variance = 2 / (d_in + d_out)"
    drawn = "return jnp.sqrt(variance) * jax.random.normal(key, (d_in, d_out))"
    bounded = "return jax.random.uniform(key, (d_in, d_out), minval=-{0}, maxval={0})"
    return (
        wrong(
            exercise,
            "no root",
            (drawn, drawn.replace("jnp.sqrt(variance)", "variance")),
            mistake="variance for deviation",
        ),
        wrong(exercise, "forward's", (variance, "variance = 1 / d_in"), mistake="forward's wish alone"),
        wrong(exercise, "backward's", (variance, "variance = 1 / d_out"), mistake="backward's wish alone"),
        wrong(exercise, "no 2", (variance, "variance = 1 / (d_in + d_out)"), mistake="the sum for the mean"),
        wrong(exercise, "He's", (variance, "variance = 2 / d_in"), mistake="He's"),
        wrong(
            exercise,
            "the deviation for a bound",
            (drawn, bounded.format("jnp.sqrt(variance)")),
            mistake="a uniform draw with the deviation for its bound",
        ),
        wrong(
            exercise,
            "a bound for the deviation",
            (variance, "variance = 6 / (d_in + d_out)"),
            mistake="a uniform draw's bound for a deviation",
        ),
        wrong(
            exercise,
            "not centred",
            (drawn, bounded.replace("-{0}", "0").format("2 * jnp.sqrt(3 * variance)")),
            slip="mean",
        ),
        wrong(exercise, "constant", (drawn, "return jnp.full((d_in, d_out), jnp.sqrt(variance))"), slip="key"),
        wrong(exercise, "its own key", (drawn, drawn.replace("(key,", "(jax.random.key(0),")), slip="key"),
        wrong(exercise, "turned", (drawn, drawn.replace("(d_in, d_out))", "(d_out, d_in))")), slip="shape"),
        wrong(
            exercise,
            "one column",
            (drawn, drawn.replace("(d_in, d_out))", "(d_in, 1)) * jnp.ones(d_out)")),
            slip="dependent",
        ),
        wrong(
            exercise,
            "cut off",
            (drawn, drawn.replace("normal(key, ", "truncated_normal(key, -2, 2, ")),
            slip="variance",
        ),
        right(exercise, "uniform", (drawn, bounded.format("jnp.sqrt(3 * variance)"))),
        right(exercise, "signs", (drawn, drawn.replace("normal", "rademacher"))),
        right(exercise, "in NumPy", (drawn, drawn.replace("jnp.sqrt(variance)", "float(np.sqrt(variance))"))),
    )


def _he() -> tuple[Answer, ...]:
    exercise = "vanishing_gradients.he_layers"
    scaled = "jnp.sqrt(2 / d_in) * jax.random.normal(layer_key, (d_in, d_out))"
    keys = "keys = jax.random.split(key, len(sizes) - 1)"
    return (
        wrong(exercise, "no root", (scaled, scaled.replace("jnp.sqrt", "")), mistake="variance for deviation"),
        wrong(exercise, "d_out", (scaled, scaled.replace("2 / d_in", "2 / d_out")), mistake="d_out for d_in"),
        wrong(exercise, "Xavier's", (scaled, scaled.replace("2 / d_in", "2 / (d_in + d_out)")), mistake="Xavier's"),
        wrong(exercise, "no 2", (scaled, scaled.replace("2 / d_in", "1 / d_in")), mistake="no 2"),
        wrong(
            exercise,
            "2 outside",
            (scaled, scaled.replace("jnp.sqrt(2 / d_in)", "2 / jnp.sqrt(d_in)")),
            mistake="the 2 outside the root",
        ),
        wrong(exercise, "one key for all", (keys, "keys = [key] * (len(sizes) - 1)"), slip="dependent"),
        wrong(
            exercise,
            "keys counted",
            (keys, "keys = [jax.random.key(place) for place in range(len(sizes) - 1)]"),
            slip="key",
        ),
        wrong(exercise, "three keys", (keys, "keys = jax.random.split(key, 3)"), case="fifty layers"),
        wrong(
            exercise,
            "one layer too few",
            ("sizes[:-1], sizes[1:], strict=True)\n    ]", "sizes[:-1], sizes[1:-1])\n    ]"),
            fault="structure",
        ),
        right(exercise, "a tuple", ("return [\n", "return tuple([\n"), ("strict=True)\n    ]", "strict=True)\n    ])")),
        right(
            exercise,
            "uniform",
            (scaled, "jnp.sqrt(6 / d_in) * jax.random.uniform(layer_key, (d_in, d_out), minval=-1, maxval=1)"),
        ),
        right(
            exercise,
            "key by key",
            functions="""
def he_layers(key, sizes):
    weights = []
    for layer, (d_in, d_out) in enumerate(zip(sizes, sizes[1:])):
        own = jax.random.fold_in(key, layer)
        weights.append(jax.random.normal(own, (d_in, d_out)) * math.sqrt(2 / d_in))
    return weights
""",
        ),
    )


ANSWERS = (*_norms(), *_deep(), *_xavier(), *_he())
