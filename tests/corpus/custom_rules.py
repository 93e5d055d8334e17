"""Answers to `custom_rules`: slopes, a pair installed, a loss that keeps little, a grid, a clipped cotangent."""

from tests.corpus.answers import Answer, right, variants, wrong


def _log1pexp() -> tuple[Answer, ...]:
    exercise = "custom_rules.log1pexp"
    slope, value = "jax.nn.sigmoid(x)", "log1pexp(x)"
    one, other = variants(
        exercise,
        f"""
def log1pexp_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    slope = {slope}
    return {value}, slope * x_dot
""",
    )
    return (
        one("of exp", slope, "jnp.exp(x)", mistake="log left out"),
        one("of the log", slope, "1 / (1 + jnp.exp(x))", mistake="inside left out"),
        one("a step", slope, "jnp.where(x > 0, 1.0, 0.0)", mistake="slope of relu"),
        one("twice", slope, "jax.nn.sigmoid(x) * jax.nn.sigmoid(-x)", mistake="one derivative too many"),
        one("the value", slope, value, mistake="value for slope"),
        one("tanh", slope, "jnp.tanh(x / 2)", mistake="tanh for slope"),
        one("naive", slope, "jnp.exp(x) / (1 + jnp.exp(x))", case="inputs of +-1e4"),
        one("0 at 0", slope, "jnp.where(x == 0, 0, jax.nn.sigmoid(x))", case="inputs of 0"),
        one("a minus", slope, "-jax.nn.sigmoid(x)", line="has the wrong sign"),
        one("half", slope, "0.5 * jax.nn.sigmoid(x)", slip="factor"),
        one("slope alone", "slope * x_dot", "slope", slip="proportion"),
        one("value in the wrong place", f"{value}, slope * x_dot", f"slope * x_dot, {value}", fault="value"),
        other("one over", slope, "1 / (1 + jnp.exp(-x))"),
        other("by tanh", slope, "0.5 * (1 + jnp.tanh(x / 2))"),
        other("by the value", slope, "jnp.exp(x - log1pexp(x))"),
        other("relu and a rest", value, "jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))"),
    )


def _lengths() -> tuple[Answer, ...]:
    exercise = "custom_rules.lengths"
    squares, inside, outside = "jnp.sum(x**2, axis=-1)", "jnp.where(is_zero, 1, squares)", "jnp.where(is_zero, 0, root)"
    one, other = variants(
        exercise,
        f"""
def lengths(x):
    squares = {squares}
    is_zero = squares == 0
    root = jnp.sqrt({inside})
    return {outside}
""",
    )
    return (
        one("one where", inside, "squares", case="a row of zeros"),
        one("a one left", outside, "root", case="a row of zeros"),
        one("a little more", outside, "jnp.sqrt(squares + 1e-12)", case="a row of zeros"),
        one("squares", outside, "squares", mistake="squares"),
        one("absolute values", outside, "jnp.sum(jnp.abs(x), axis=-1)", mistake="absolute values"),
        one("a mean", squares, "jnp.mean(x**2, axis=-1)", mistake="mean of squares"),
        one("columns", squares, "jnp.sum(x**2, axis=0)", fault="exception"),
        one("held still", inside, "jax.lax.stop_gradient(jnp.where(is_zero, 1, squares))", slip="zero"),
        other("another number", inside, "jnp.where(is_zero, 7, squares)"),
        other("a factor", outside, "root * (1 - is_zero)"),
        other("the row replaced", squares, "jnp.sum(x * x, axis=1)"),
        right(
            exercise,
            "a row at a time",
            functions="""
def lengths(x):
    def length(row):
        some = jnp.any(row != 0)
        safe = jnp.where(some, row, 1)
        return jnp.where(some, jnp.sqrt(safe @ safe), 0)

    return jax.vmap(length)(x)
""",
        ),
        right(
            exercise,
            "a rule of its own",
            functions="""
@jax.custom_vjp
def lengths(x):
    return jnp.sqrt(jnp.sum(x**2, axis=-1))


def lengths_fwd(x):
    y = jnp.sqrt(jnp.sum(x**2, axis=-1))
    return y, (x, y)


def lengths_bwd(residuals, y_bar):
    x, y = residuals
    return ((y_bar / jnp.where(y > 0, y, 1))[:, None] * x,)


lengths.defvjp(lengths_fwd, lengths_bwd)
""",
        ),
    )


def _install() -> tuple[Answer, ...]:
    exercise = "custom_rules.install"
    value, rule, last = "fwd(*primals)[0]", "installed.defvjp(fwd, bwd)", "return installed"
    one, other = variants(
        exercise,
        f"""
def install(fwd, bwd):
    @jax.custom_vjp
    def installed(*primals):
        return {value}

    {rule}
    {last}
""",
    )
    return (
        one("no rule", last, "return lambda *primals: fwd(*primals)[0]", mistake="JAX's own derivative"),
        one(
            "ones for y_bar",
            rule,
            "installed.defvjp(fwd, lambda residuals, y_bar: bwd(residuals, jnp.ones_like(y_bar)))",
            mistake="y_bar left out",
        ),
        one(
            "straight through",
            rule,
            "installed.defvjp(fwd, lambda residuals, y_bar: (y_bar, *bwd(residuals, y_bar)[1:]))",
            mistake="straight through",
        ),
        one("a minus in the value", value, "-fwd(*primals)[0]", slip="sign"),
        one("what is kept for the value", value, "fwd(*primals)[1]"),
        one("never defined", rule, "pass", fault="exception"),
        one("turned round", rule, "installed.defvjp(bwd, fwd)", fault="exception"),
        one("nothing returned", last, "return None", fault="exception"),
        one(
            "a minus",
            rule,
            "installed.defvjp(fwd, lambda *a: jax.tree.map(jnp.negative, bwd(*a)))",
            slip="sign",
        ),
        one(
            "one argument",
            "*primals):",
            "primal):",
            value,
            "fwd(primal)[0]",
            case="a pair of two arguments",
        ),
        other("jit inside", last, "return jax.jit(installed)"),
        other("the whole value", value, "jax.tree.leaves(fwd(*primals))[0]"),
        other(
            "passes of its own",
            rule,
            "installed.defvjp(lambda *p: fwd(*p), lambda kept, y_bar: tuple(bwd(kept, y_bar)))",
        ),
        right(
            exercise,
            "by a name",
            functions="""
def install(fwd, bwd):
    def value(*primals):
        y, _ = fwd(*primals)
        return y

    f = jax.custom_vjp(value)
    f.defvjp(fwd, bwd)
    return f
""",
        ),
    )


def _fused_cross_entropy() -> tuple[Answer, ...]:
    exercise = "custom_rules.fused_cross_entropy"
    probabilities, chosen = "jnp.exp(logits - largest) / total", "(jnp.arange(logits.shape[-1]) == labels[:, None])"
    back = "loss_bar / len(labels) * (probabilities - chosen)"
    largest = "jnp.max(logits, axis=-1, keepdims=True)"
    one, other = variants(
        exercise,
        f"""
def fused_cross_entropy_fwd(logits, labels):
    largest = {largest}
    total = jnp.sum(jnp.exp(logits - largest), axis=-1, keepdims=True)
    label = jnp.take_along_axis(logits, labels[:, None], axis=-1)
    return jnp.mean(largest + jnp.log(total) - label), (logits, labels, largest, total)


def fused_cross_entropy_bwd(residuals, loss_bar):
    logits, labels, largest, total = residuals
    probabilities = {probabilities}
    chosen = {chosen}
    return {back}, None
""",
    )
    return (
        one("not averaged", back, "loss_bar * (probabilities - chosen)", mistake="mean lost"),
        one("over all", back, "loss_bar / logits.size * (probabilities - chosen)", mistake="mean over every number"),
        one("no label", back, "loss_bar / len(labels) * probabilities", mistake="label left out"),
        one("label alone", back, "-loss_bar / len(labels) * chosen", mistake="normaliser left out"),
        one("columns", probabilities, "jax.nn.softmax(logits, axis=0)", mistake="softmax down the columns"),
        one("sigmoids", probabilities, "jax.nn.sigmoid(logits)", mistake="a sigmoid each"),
        one("no total", probabilities, "jnp.exp(logits)", mistake="not normalised"),
        one("logits", probabilities, "logits", mistake="logits for probabilities"),
        one("a minus", back, "loss_bar / len(labels) * (chosen - probabilities)", slip="sign"),
        one("no loss_bar", back, "1 / len(labels) * (probabilities - chosen)", slip="left out"),
        one("largest not taken away", largest, "0 * jnp.max(logits, axis=-1, keepdims=True)", case="logits of +-1e4"),
        one("the total for its log", "jnp.log(total)", "total", fault="value"),
        one("largest left out", probabilities, "jnp.exp(logits) / total", line="another value"),
        other("by the log", probabilities, "jnp.exp(logits - (largest + jnp.log(total)))"),
        other("a scatter", back, "loss_bar / len(labels) * probabilities.at[jnp.arange(len(labels)), labels].add(-1)"),
        other("one-hot", chosen, "jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)"),
        other("the largest of all", largest, "jnp.broadcast_to(jnp.max(logits), (len(logits), 1))"),
        right(
            exercise,
            "the logarithm kept",
            functions="""
def fused_cross_entropy_fwd(logits, labels):
    logs = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=-1)), (logs, labels)


def fused_cross_entropy_bwd(residuals, loss_bar):
    logs, labels = residuals
    chosen = jnp.arange(logs.shape[-1]) == labels[:, None]
    return loss_bar / len(labels) * (jnp.exp(logs) - chosen), None
""",
        ),
    )


def _fake_quantize() -> tuple[Answer, ...]:
    exercise = "custom_rules.fake_quantize"
    x_bar, total = "jnp.where(fits, y_bar, 0)", "jnp.sum(y_bar * by_step)"
    by_step = "jnp.where(fits, jnp.round(x / step) - x / step, LEVELS * jnp.sign(x))"
    one, other = variants(
        exercise,
        f"""
def fake_quantize_bwd(residuals, y_bar):
    x, step = residuals
    fits = jnp.abs(x) <= LEVELS * step
    by_step = {by_step}
    return {x_bar}, {total}
""",
    )
    rounded = "jnp.where(fits, jnp.round(x / step), LEVELS * jnp.sign(x))"
    return (
        one("stairs", x_bar, "0 * y_bar", by_step, rounded, mistake="round held still"),
        one("everywhere", x_bar, "y_bar", mistake="passed on everywhere"),
        one("by the front", by_step, rounded, mistake="step by its first place alone"),
        one("no rounding", by_step, "jnp.where(fits, 0, LEVELS * jnp.sign(x))", mistake="step where x fits left out"),
        one(
            "no edges",
            by_step,
            "jnp.where(fits, jnp.round(x / step) - x / step, 0)",
            mistake="step beyond the edges left out",
        ),
        one("outside", x_bar, "jnp.where(fits, 0, y_bar)", mistake="turned round at the edges"),
        one("divided", x_bar, "jnp.where(fits, y_bar / step, 0)", mistake="divided by step"),
        one("a mean", total, "jnp.mean(y_bar * by_step)", mistake="step averaged"),
        one("the first row", total, "jnp.sum((y_bar * by_step)[0])", mistake="step from the first row"),
        one("each its own", total, "y_bar * by_step", slip="not summed"),
        one("a minus", total, "-jnp.sum(y_bar * by_step)", slip="sign"),
        one("no y_bar", total, "jnp.sum(by_step)", slip="proportion"),
        one("the other way", by_step, "jnp.where(fits, x / step - jnp.round(x / step), LEVELS * jnp.sign(x))"),
        other("a product", x_bar, "fits * y_bar"),
        other("by the value", by_step, "fake_quantize(x, step) / step - jnp.where(fits, x / step, 0)"),
        other("by vdot", total, "jnp.vdot(y_bar, by_step)"),
        right(
            exercise,
            "kept apart",
            functions="""
def fake_quantize_fwd(x, step):
    quotient = x / step
    fits = jnp.abs(quotient) <= LEVELS
    rounded = jnp.where(fits, jnp.round(quotient), LEVELS * jnp.sign(x))
    return step * rounded, (fits, rounded - jnp.where(fits, quotient, 0))


def fake_quantize_bwd(residuals, y_bar):
    fits, by_step = residuals
    return jnp.where(fits, y_bar, 0), jnp.sum(y_bar * by_step)
""",
        ),
    )


def _clip_gradient() -> tuple[Answer, ...]:
    exercise = "custom_rules.clip_gradient"
    length, factor = "jnp.linalg.norm(y_bar, axis=-1, keepdims=True)", "jnp.minimum(1, limit / length)"
    one, other = variants(
        exercise,
        f"""
def clip_gradient_bwd(limit, y_bar):
    length = {length}
    return {factor} * y_bar, jnp.zeros_like(limit)
""",
    )
    return (
        one("as it is", factor, "1", mistake="not clipped"),
        one("by number", f"{factor} * y_bar", "jnp.clip(y_bar, -limit, limit)", mistake="number by number"),
        one("all rows", length, "jnp.linalg.norm(y_bar)", mistake="all rows together"),
        one("always", factor, "limit / jnp.where(length > 0, length, 1)", mistake="short rows made longer"),
        one("gone", factor, "jnp.where(length > limit, 0, 1)", mistake="long rows left out"),
        one("zero by zero", factor, "jnp.where(length > limit, limit, length) / length", case="a row of zeros"),
        one("columns", length, "jnp.linalg.norm(y_bar, axis=0, keepdims=True)"),
        one("squared", length, "jnp.sum(y_bar**2, axis=-1, keepdims=True)"),
        one("the limit's sum", "jnp.zeros_like(limit)", "jnp.sum(y_bar)", slip="not zero"),
        other("None for the limit", "jnp.zeros_like(limit)", "None"),
        other("two wheres", factor, "jnp.where(length > limit, limit / jnp.where(length > limit, length, 1), 1)"),
        other("by the larger", factor, "limit / jnp.maximum(length, limit)"),
        other("by the root", length, "jnp.sqrt(jnp.sum(y_bar**2, axis=-1, keepdims=True))"),
    )


def _projected_cross_entropy() -> tuple[Answer, ...]:
    exercise = "custom_rules.projected_cross_entropy"
    carried = "w_bar + few_h.T @ logits_bar"
    loss, back = "jnp.mean(losses)", "return loss_bar * h_bar, loss_bar * w_bar, None"
    bar = "logits_bar @ w.T"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    share_of = "jnp.asarray(rows / batch, h.dtype)"
    return (
        made("mean lost", share_of, "jnp.asarray(rows, h.dtype)", mistake="mean lost"),
        made("no share", share_of, "jnp.ones((), h.dtype)", mistake="a part's share forgotten"),
        made("mean of means of means", share_of, "jnp.asarray(rows / batch**2, h.dtype)", slip="factor"),
        wrong(
            exercise,
            "overwritten",
            ("rows = math.gcd(batch, ROWS)", "rows = 1"),
            (carried, "few_h.T @ logits_bar"),
            mistake="w_bar overwritten",
        ),
        made("the last part", carried, "few_h.T @ logits_bar"),
        wrong(exercise, "averaged", (back, back.replace("w_bar,", "w_bar / len(h_bar),")), mistake="w_bar averaged"),
        made("not turned", bar, "logits_bar @ jnp.resize(w, w.T.shape)"),
        made("a sum", loss, "jnp.sum(losses)", fault="value"),
        made("no loss_bar", back, "return h_bar, w_bar, None", slip="left out"),
        made("minus", back, "return -loss_bar * h_bar, -loss_bar * w_bar, None", slip="sign"),
        made("turned", back, "return loss_bar * h_bar, loss_bar * w_bar.T, None", slip="transposed"),
        made("h_bar in reverse", "h_bar.reshape(h.shape)", "h_bar.reshape(h.shape)[::-1]", slip="reversed"),
        made("loss_bar twice", back, "return loss_bar**2 * h_bar, loss_bar**2 * w_bar, None", slip="proportion"),
        right(exercise, "one row at a time", ("rows = math.gcd(batch, ROWS)", "rows = 1")),
        right(exercise, "all rows at once", ("rows = math.gcd(batch, ROWS)", "rows = batch")),
        right(exercise, "einsum", (carried, "w_bar + jnp.einsum('nd,nv->dv', few_h, logits_bar)")),
        right(
            exercise,
            "the logits kept",
            functions="""
def projected_cross_entropy_fwd(h, w, labels):
    loss, residuals = fused_cross_entropy_fwd(h @ w, labels)
    return loss, (h, w, residuals)


def projected_cross_entropy_bwd(residuals, loss_bar):
    h, w, residuals = residuals
    logits_bar, _ = fused_cross_entropy_bwd(residuals, loss_bar)
    return logits_bar @ w.T, h.T @ logits_bar, None
""",
        ),
    )


ANSWERS = (
    *_log1pexp(),
    *_lengths(),
    *_install(),
    *_fused_cross_entropy(),
    *_fake_quantize(),
    *_clip_gradient(),
    *_projected_cross_entropy(),
)
"""Every answer, exercise by exercise."""
