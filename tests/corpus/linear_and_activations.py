"""Answers to `linear_and_activations`, wrong and right."""

from functools import partial

from tests.corpus.answers import Answer, right, wrong


def _affine() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.affine"
    x, w, b = "y_bar @ w.T", "x.T @ y_bar", "y_bar.sum(axis=0)"
    forward, returned, unpacked = "return affine(x, w, b), (x, w)", "return x_bar, w_bar, b_bar", "x, w = residuals"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("x_bar transposed", x, "w @ y_bar.T", slip="transposed"),
        made("x_bar averaged", x, "y_bar @ w.T / len(x)", slip="factor"),
        made("x_bar without y_bar", x, "jnp.ones_like(y_bar) @ w.T", mistake="y_bar left out of x_bar"),
        made("w_bar transposed", w, "y_bar.T @ x", slip="transposed"),
        made("w_bar averaged", w, "x.T @ y_bar / len(x)", mistake="w_bar averaged"),
        made("w_bar with a minus", w, "-x.T @ y_bar", line="has the wrong sign"),
        made("w_bar without y_bar", w, "x.T @ jnp.ones_like(y_bar)", mistake="y_bar left out of w_bar"),
        made("w_bar of each row", w, "x[:, :, None] * y_bar[:, None, :]", slip="not summed"),
        made("w_bar from the first row", w, "jnp.outer(x[0], y_bar[0])", mistake="w_bar from the first row"),
        made("w_bar overwritten", w, "jnp.outer(x[-1], y_bar[-1])", mistake="w_bar overwritten"),
        made("w_bar of sizes", w, "abs(x).T @ y_bar", mistake="w_bar from x without its sign"),
        made("b_bar not summed", b, "y_bar", slip="not summed"),
        made("b_bar averaged", b, "y_bar.mean(axis=0)", mistake="b_bar averaged"),
        made("b_bar over the wrong axis", b, "y_bar.sum(axis=1)", slip="shape"),
        made("b_bar as a row", b, "y_bar.sum(axis=0, keepdims=True)", slip="shape"),
        made("b_bar as one number", b, "y_bar.sum()", slip="summed"),
        made("b_bar of ones", b, "jnp.ones(y_bar.shape[1])", slip="ones"),
        made("b_bar from the first row", b, "y_bar[0]", mistake="b_bar from the first row"),
        made("b_bar overwritten", b, "y_bar[-1]", mistake="b_bar overwritten"),
        made("b_bar zero", b, "0 * y_bar[0]", line="the path through `b`"),
        made("exchanged", returned, "return x_bar, b_bar, w_bar", slip="shape"),
        made("y_bar never asked", unpacked, f"{unpacked}\n    y_bar = jnp.ones_like(y_bar)", mistake="y_bar left out"),
        wrong(exercise, "both averaged", (w, "x.T @ y_bar / len(x)"), (b, "y_bar.mean(axis=0)"), slip="factor"),
        made("the bias forgotten", forward, "return x @ w, (x, w)", fault="value"),
        made("no residuals", forward, "return affine(x, w, b)", fault="structure"),
        made("no b_bar", returned, "return x_bar, w_bar", fault="structure"),
        made("None for b_bar", returned, "return x_bar, w_bar, None", fault="structure"),
        made("squeezed", b, "y_bar.squeeze().sum(axis=0)", case="a batch of one row"),
        made("w the wrong way round", x, "y_bar @ w", fault="exception"),
        made("residuals the wrong way round", forward, "return affine(x, w, b), (w, x)", fault="exception"),
        right(exercise, "einsum", (x, "jnp.einsum('nj,ij->ni', y_bar, w)"), (w, "jnp.einsum('ni,nj->ij', x, y_bar)")),
        right(
            exercise,
            "the other way round",
            (x, "(w @ y_bar.T).T"),
            (w, "(y_bar.T @ x).T"),
            (b, "jnp.ones(len(y_bar)) @ y_bar"),
        ),
        right(exercise, "loops", (w, "sum(jnp.outer(x[n], y_bar[n]) for n in range(len(x)))"), (b, "sum(y_bar)")),
        right(
            exercise,
            "a dict of residuals",
            (forward, "return x @ w + b[None, :], {'x': x, 'w': w}"),
            (unpacked, "x, w = residuals['x'], residuals['w']"),
        ),
        right(
            exercise,
            "more residuals",
            (forward, "return affine(x, w, b), (x, w, b)"),
            (unpacked, "x, w, b = residuals"),
        ),
        right(exercise, "a list", (returned, "return [x_bar, w_bar, b_bar]")),
        right(
            exercise,
            "a row at a time, mapped",
            functions="""
def affine_fwd(x, w, b):
    return jax.vmap(lambda row: jnp.dot(row, w) + b)(x), {"w": w, "x": x}


def affine_bwd(residuals, y_bar):
    def one(row, row_bar):
        return jnp.dot(residuals["w"], row_bar), jnp.outer(row, row_bar), row_bar

    x_bar, w_bars, b_bars = jax.vmap(one)(residuals["x"], y_bar)
    return x_bar, w_bars.sum(0), b_bars.sum(0)
""",
        ),
        right(
            exercise,
            "a scan that adds up",
            functions="""
def affine_bwd(residuals, y_bar):
    x, w = residuals

    def step(sums, row):
        w_bar, b_bar = sums
        x_n, y_n = row
        return (w_bar + x_n[:, None] * y_n[None, :], b_bar + y_n), w @ y_n

    start = jnp.zeros_like(w), jnp.zeros_like(y_bar[0])
    (w_bar, b_bar), x_bar = jax.lax.scan(step, start, (x, y_bar))
    return x_bar, w_bar, b_bar
""",
        ),
    )


def _relu() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.relu"
    back, forward = "jnp.where(positive, y_bar, 0)", "return relu(x), x > 0"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    def of_x(name: str, now: str, **what: str) -> Answer:
        """The residuals are x, under the name x."""
        return wrong(exercise, name, (forward, "return relu(x), x"), (back, now.replace("x", "positive")), **what)

    return (
        made("lets all pass", back, "y_bar", mistake="relu left out"),
        made("lets the others pass", back, "jnp.where(positive, 0, y_bar)", mistake="relu turned round"),
        made("the slope alone", back, "1.0 * positive", mistake="y_bar left out"),
        made("by the cotangent's sign", back, "jnp.where(y_bar > 0, y_bar, 0)", mistake="by the cotangent's sign"),
        made("by both signs", back, "jnp.where(positive & (y_bar > 0), y_bar, 0)", mistake="by both signs"),
        made("leaky", back, "jnp.where(positive, y_bar, 0.01 * y_bar)", mistake="leaky"),
        made("the absolute value's", back, "jnp.where(positive, y_bar, -y_bar)", mistake="slope of the absolute value"),
        made("where x was negative", forward, "return relu(x), x < 0", mistake="relu turned round"),
        of_x("the value for the slope", "(x > 0) * x * y_bar", mistake="value for slope"),
        of_x("x for the slope", "x * y_bar", mistake="argument for slope"),
        of_x("the value and no cotangent", "(x > 0) * x / 2", slip="proportion"),
        made("zero", back, "0 * y_bar", slip="zero"),
        made("a minus", back, "-jnp.where(positive, y_bar, 0)", slip="sign"),
        made("no forward", forward, "return x, x > 0", fault="value"),
        made("an absolute value", forward, "return abs(x), x > 0", fault="value"),
        made("open at zero", forward, "return relu(x), x >= 0", case="inputs that are exactly zero"),
        of_x("half at zero", "(1 + jnp.sign(x)) / 2 * y_bar", case="inputs that are exactly zero"),
        of_x("value over argument", "y_bar * relu(x) / x", case="inputs that are exactly zero"),
        made(
            "Python's max",
            forward,
            "return jnp.array([[max(v, 0) for v in row] for row in x]), x > 0",
            fault="tracing",
        ),
        right(exercise, "a product", (back, "y_bar * positive")),
        right(
            exercise,
            "by y",
            (forward, "y = jnp.maximum(x, 0)\n    return y, y"),
            (back, "jnp.where(positive > 0, y_bar, 0)"),
        ),
        right(exercise, "heaviside", (forward, "return x * (x > 0), x"), (back, "jnp.heaviside(positive, 0) * y_bar")),
        right(exercise, "JAX's relu", (forward, "return jax.nn.relu(x), x > 0")),
        right(exercise, "a bare array", (f"return ({back},)", f"return {back}")),
        right(exercise, "select", (back, "jax.lax.select(positive, y_bar, jnp.zeros_like(y_bar))")),
    )


def _sigmoid() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.sigmoid"
    back, forward = "y_bar * y * (1 - y)", "y = sigmoid(x)\n    return y, y"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("half of it", back, "y_bar * (1 - y)", mistake="half of the slope"),
        made("the other half", back, "y_bar * y", mistake="value for slope"),
        made("without y_bar", back, "y * (1 - y)", mistake="y_bar left out"),
        made("tanh's", back, "y_bar * (1 - y * y)", mistake="slope of tanh"),
        made("with a minus", back, "y_bar * y * (y - 1)", slip="sign"),
        made("a plus for a minus", back, "y_bar * y * (1 + y)", mistake="a plus for a minus"),
        made("the steepest slope everywhere", back, "0.25 * y_bar", mistake="steepest slope everywhere"),
        made("taken twice", back, "y_bar * sigmoid(y) * (1 - sigmoid(y))", mistake="slope taken at y"),
        made("at twice the x", forward, "return sigmoid(x), sigmoid(2 * x)", mistake="slope halved in width"),
        made("as it came", back, "y_bar", slip="handed on"),
        made("squared", back, "y_bar * (y * (1 - y)) ** 2", line="applied twice"),
        made("x taken for y", forward, "return sigmoid(x), x", line="at the argument"),
        made("turned round", forward, "y = 1 / (1 + jnp.exp(x))\n    return y, y", fault="value"),
        wrong(
            exercise,
            "an exponential that overflows",
            (forward, "return sigmoid(x), x"),
            (f"return ({back},)", "e = jnp.exp(-residuals)\n    return (y_bar * e / (1 + e) ** 2,)"),
            case="inputs of +-1e4",
        ),
        right(exercise, "two sigmoids", (forward, "return sigmoid(x), x"), (back, "y_bar * sigmoid(y) * sigmoid(-y)")),
        right(exercise, "the formula", (forward, "y = 1 / (1 + jnp.exp(-x))\n    return y, y")),
        right(exercise, "the slope kept", (forward, "y = sigmoid(x)\n    return y, y - y * y"), (back, "y_bar * y")),
        right(exercise, "a parabola", (back, "y_bar * (0.25 - (y - 0.5) ** 2)")),
        right(
            exercise,
            "by tanh",
            (forward, "y = 0.5 + 0.5 * jnp.tanh(x / 2)\n    return y, {'y': y}"),
            ("y = residuals  # not x: the slope would need its exp", "y = residuals['y']  # its exp"),
        ),
    )


def _tanh() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.tanh"
    back, forward = "y_bar * (1 - y**2)", "y = tanh(x)\n    return y, y"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("without the square", back, "y_bar * (1 - y)", mistake="square left out"),
        made("the square outside", back, "y_bar * (1 - y) ** 2", mistake="square outside"),
        made("without y_bar", back, "1 - y**2", mistake="y_bar left out"),
        made("with a minus", back, "y_bar * (y**2 - 1)", slip="sign"),
        made("a plus for a minus", back, "y_bar * (1 + y**2)", mistake="slope of tan"),
        made("the value", back, "y_bar * y", mistake="value for slope"),
        made("the 1 forgotten", back, "y_bar * y**2", mistake="value squared for slope"),
        made("sigmoid's", back, "y_bar * y * (1 - y) * 1"),
        made("four times", back, "4 * y_bar * (1 - y**2)", slip="factor"),
        made("taken twice", back, "y_bar * (1 - tanh(y) ** 2)", mistake="slope taken at y"),
        made("at half the x", forward, "return tanh(x), tanh(x / 2)", mistake="slope at half the argument"),
        made(
            "a cosh not squared", forward, "return tanh(x), jnp.sqrt(1 - 1 / jnp.cosh(x))", mistake="root of the slope"
        ),
        made("zero", back, "0 * y_bar", slip="zero"),
        made("x taken for y", forward, "return tanh(x), x", line="at the argument"),
        made("half the width", forward, "y = 2 * sigmoid(x) - 1\n    return y, y", fault="value"),
        made(
            "a quotient that overflows",
            forward,
            "y = jnp.sinh(x) / jnp.cosh(x)\n    return y, y",
            case="inputs of +-1e4",
        ),
        made("math's tanh", forward, "y = jnp.vectorize(math.tanh)(x)\n    return y, y", fault="tracing"),
        right(exercise, "factors", (back, "y_bar * (1 - y) * (1 + y)")),
        right(exercise, "a difference", (back, "y_bar - y_bar * y * y")),
        right(exercise, "by cosh", (forward, "return tanh(x), x"), (back, "y_bar / jnp.cosh(y) ** 2")),
        right(exercise, "by sigmoid", (forward, "y = 2 * sigmoid(2 * x) - 1\n    return y, y")),
        right(
            exercise,
            "sigmoid kept",
            (forward, "s = sigmoid(2 * x)\n    return 2 * s - 1, s"),
            (back, "4 * y_bar * y * (1 - y)"),
        ),
        right(
            exercise,
            "staged, an entry at a time",
            functions="""
def tanh_fwd(x):
    y = jax.vmap(jax.vmap(jnp.tanh))(x)
    return y, (y,)


@jax.jit
def tanh_bwd(residuals, y_bar):
    def one(y, bar):
        return bar * jax.lax.sub(1.0, jax.lax.mul(y, y))

    return [jax.vmap(jax.vmap(one))(*residuals, y_bar)]
""",
        ),
    )


def _made(exercise: str, name: str, old: str, now: str, **what: str) -> Answer:
    return wrong(exercise, name, (old, now), **what)


def _softplus() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.softplus"
    back, forward = "y_bar * sigmoid(x)", "return softplus(x), x"
    made = partial(_made, exercise)
    return (
        made("softplus itself", back, "y_bar * softplus(x)", mistake="value for slope"),
        made("relu's", back, "y_bar * (x > 0)", mistake="slope of relu"),
        made("the logarithm alone", back, "y_bar / (1 + jnp.exp(x))", mistake="turned round"),
        made("sigmoid's", back, "y_bar * sigmoid(x) * sigmoid(-x)", mistake="slope of sigmoid"),
        made("y taken for x", forward, "return softplus(x), softplus(x)", mistake="slope taken at y"),
        made("the inside alone", back, "y_bar * jnp.exp(x)", mistake="slope of exp"),
        made("a tanh", back, "y_bar * jnp.tanh(x)", mistake="tanh for sigmoid"),
        made("without y_bar", back, "sigmoid(x)", mistake="y_bar left out"),
        made("with a minus", back, "-y_bar * sigmoid(x)", line="has the wrong sign"),
        made("as it came", back, "y_bar", slip="handed on"),
        made("a half of it", back, "y_bar * sigmoid(x) / 2", slip="factor"),
        made("an exponential that overflows", back, "y_bar * jnp.exp(x) / (1 + jnp.exp(x))", case="inputs of +-1e4"),
        made("a value that overflows", forward, "return jnp.log(1 + jnp.exp(x)), x", case="inputs of +-1e4"),
        made("a relu for the value", forward, "return relu(x), x", fault="value"),
        right(exercise, "the formula", (back, "y_bar / (1 + jnp.exp(-x))")),
        right(exercise, "y kept", (forward, "y = softplus(x)\n    return y, y"), (back, "-y_bar * jnp.expm1(-x)")),
        right(exercise, "the slope kept", (forward, "return softplus(x), sigmoid(x)"), (back, "y_bar * x")),
        right(
            exercise,
            "the careful value",
            (forward, "return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-abs(x))), x"),
            (back, "y_bar * (jnp.tanh(x / 2) + 1) / 2"),
        ),
    )


def _silu() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.silu"
    slope, forward, gate = "gate + x * gate * (1 - gate)", "return silu(x), x", "gate = sigmoid(x)"
    made = partial(_made, exercise)
    return (
        made("the gate alone", slope, "gate", mistake="gate held still"),
        made("the gate's way alone", slope, "x * gate * (1 - gate)", mistake="gate's way alone"),
        made("a product of slopes", slope, "gate * (1 - gate)", mistake="slopes multiplied"),
        made("no x", slope, "gate + gate * (1 - gate)", mistake="x left out of the gate's way"),
        made("subtracted", slope, "gate - x * gate * (1 - gate)", mistake="ways subtracted"),
        made("y for the gate", slope, "x * gate + x * gate * (1 - gate)", mistake="value for gate"),
        made("half of the gate's slope", slope, "gate + x * gate", mistake="gate's value for its slope"),
        made("a plus", slope, "gate + x * gate * (1 + gate)", mistake="a plus for a minus"),
        made("tanh's", slope, "gate + x * (1 - gate**2)", mistake="slope of tanh for the gate"),
        made("y taken for x", forward, "return silu(x), silu(x)", mistake="slope taken at y"),
        made("without y_bar", f"y_bar * ({slope})", slope, mistake="y_bar left out"),
        made("with a minus", f"y_bar * ({slope})", f"-y_bar * ({slope})", slip="sign"),
        made(
            "an exponential that overflows",
            f"y_bar * ({slope})",
            "y_bar * jnp.exp(x) * (1 + x + jnp.exp(x)) / (1 + jnp.exp(x)) ** 2",
            case="inputs of +-1e4",
        ),
        made("a sigmoid for the value", forward, "return sigmoid(x), x", fault="value"),
        right(exercise, "in brackets", (slope, "gate * (1 + x * (1 - gate))")),
        right(exercise, "by y", (slope, "gate + silu(x) * (1 - gate)")),
        right(
            exercise,
            "the slope kept",
            (forward, "s = sigmoid(x)\n    return x * s, s + x * s * sigmoid(-x)"),
            (slope, "x"),
        ),
        right(
            exercise,
            "both kept",
            (forward, "s = sigmoid(x)\n    return x * s, (x, s)"),
            (gate, "x, gate = x"),
        ),
    )


def _gelu() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.gelu"
    slope, forward = "normal_cdf(x) + x * density", "return gelu(x), x"
    density = "jnp.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)"
    made = partial(_made, exercise)
    return (
        made("the gate alone", slope, "normal_cdf(x)", mistake="gate held still"),
        made("the gate's way alone", slope, "x * density", mistake="gate's way alone"),
        made("the density alone", slope, "density", mistake="slopes multiplied"),
        made("no x", slope, "normal_cdf(x) + density", mistake="x left out of the gate's way"),
        made("subtracted", slope, "normal_cdf(x) - x * density", mistake="ways subtracted"),
        made("y for the gate", slope, "gelu(x) + x * density", mistake="value for gate"),
        made("a bell of height 1", density, "jnp.exp(-(x**2) / 2)", mistake="density not normalised"),
        made("twice the density", density, f"2 * {density}", mistake="half lost"),
        made("a root too few", density, "jnp.exp(-(x**2) / 2) / math.sqrt(math.pi)", mistake="inside of erf left out"),
        made("too narrow", density, "jnp.exp(-(x**2)) / math.sqrt(2 * math.pi)", mistake="exponent not halved"),
        made(
            "the tanh form's",
            slope,
            "gelu_tanh_bwd(x, jnp.ones_like(x))[0]",
            mistake="slope of the tanh form",
        ),
        made("silu's", slope, "silu_bwd(x, jnp.ones_like(x))[0]", mistake="slope of silu"),
        made("without y_bar", f"y_bar * ({slope})", slope, mistake="y_bar left out"),
        made("with a minus", f"y_bar * ({slope})", f"-y_bar * ({slope})", slip="sign"),
        made("the tanh form for the value", forward, "return gelu_tanh(x), x", fault="value"),
        right(
            exercise, "JAX's own functions", (slope, "jax.scipy.stats.norm.cdf(x) + x * jax.scipy.stats.norm.pdf(x)")
        ),
        right(
            exercise,
            "the slope kept",
            (forward, "return gelu(x), gelu_bwd_slope(x)"),
            (slope, "x"),
            functions="""
def gelu_bwd_slope(x):
    return normal_cdf(x) + x * jnp.exp(-x * x / 2) * 0.3989422804014327
""",
        ),
        right(exercise, "by erf", (slope, "0.5 + 0.5 * jax.lax.erf(x * 0.5**0.5) + x * density")),
        right(exercise, "by erfc", (forward, "return x * jax.lax.erfc(-x / math.sqrt(2)) / 2, x")),
    )


def _gelu_tanh() -> tuple[Answer, ...]:
    exercise = "linear_and_activations.gelu_tanh"
    slope, forward = "(1 + t) / 2 + x * gate_slope", "return gelu_tanh(x), x"
    gate_slope, inside = "(1 - t**2) * inside_slope / 2", "TANH_SCALE * (1 + 3 * TANH_CUBE * x**2)"
    made = partial(_made, exercise)
    return (
        made("the gate alone", slope, "(1 + t) / 2", mistake="gate held still"),
        made("the gate's way alone", slope, "x * gate_slope", mistake="gate's way alone"),
        made("a product of slopes", slope, "gate_slope", mistake="slopes multiplied"),
        made("no x", slope, "(1 + t) / 2 + gate_slope", mistake="x left out of the gate's way"),
        made("subtracted", slope, "(1 + t) / 2 - x * gate_slope", mistake="ways subtracted"),
        made("y for the gate", slope, "x * (1 + t) / 2 + x * gate_slope", mistake="value for gate"),
        made("past the inside", gate_slope, "(1 - t**2) / 2", mistake="slope of the inside left out"),
        made("without the cube", inside, "TANH_SCALE", mistake="cube left out"),
        made("without the 3", inside, "TANH_SCALE * (1 + TANH_CUBE * x**2)", mistake="exponent of the cube left above"),
        made("without the scale", inside, "1 + 3 * TANH_CUBE * x**2", mistake="scale left out"),
        made("without the half", gate_slope, "(1 - t**2) * inside_slope", mistake="half lost"),
        made("without the square", gate_slope, "(1 - t) * inside_slope / 2", mistake="square of tanh left out"),
        made("the exact one's", slope, "gelu_bwd(x, jnp.ones_like(x))[0]", mistake="slope of the exact form"),
        made("without y_bar", f"y_bar * ({slope})", slope, mistake="y_bar left out"),
        made("with a minus", f"y_bar * ({slope})", f"-y_bar * ({slope})", slip="sign"),
        made(
            "a shorter cube", forward, "return x * (1 + jnp.tanh(TANH_SCALE * (x + 0.04 * x**3))) / 2, x", fault="value"
        ),
        right(exercise, "halves", (slope, "0.5 + 0.5 * t + 0.5 * x * (1 - t) * (1 + t) * inside_slope")),
        right(exercise, "multiplied out", (inside, "TANH_SCALE + 3 * TANH_SCALE * TANH_CUBE * x * x")),
        right(
            exercise,
            "as a sigmoid",
            functions="""
def gelu_tanh_bwd(residuals, y_bar):
    x = residuals
    s = sigmoid(2 * TANH_SCALE * x * (1 + TANH_CUBE * x * x))
    return y_bar * s * (1 + 2 * x * (1 - s) * TANH_SCALE * (1 + 3 * TANH_CUBE * x * x))
""",
        ),
        right(
            exercise,
            "the tanh kept",
            (forward, "t = jnp.tanh(TANH_SCALE * x * (1 + TANH_CUBE * x**2))\n    return x * (1 + t) / 2, (x, t)"),
            ("x = residuals  # not the tanh too: twice the bytes", "x, t = residuals"),
            ("t = tanh(TANH_SCALE * x * (1 + TANH_CUBE * x**2))\n    inside", "inside"),
        ),
    )


ANSWERS = (
    *_affine(),
    *_relu(),
    *_sigmoid(),
    *_tanh(),
    *_softplus(),
    *_silu(),
    *_gelu(),
    *_gelu_tanh(),
)
