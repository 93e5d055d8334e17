"""Answers to `exploding_gradients`, wrong and right: a recurrent map, where a run went bad, and clipping."""

from tests.corpus.answers import Answer, right, wrong


def _recurrent() -> tuple[Answer, ...]:
    exercise = "exploding_gradients.recurrent"
    back = "return h_bar @ w.T, (h.T @ h_bar, h_bar)"
    sweep = "h_bar, (w_bars, x_bar) = jax.lax.scan(step, y_bar, before, reverse=True)"
    total = "w_bar = w_bars.sum(axis=0)"
    forward = "return h @ w + x, h"
    given = "return h_bar, w_bar, x_bar"
    return (
        wrong(exercise, "not turned", (back, back.replace("@ w.T", "@ w")), mistake="weights not turned"),
        wrong(exercise, "the last use", (total, "w_bar = w_bars[-1]"), mistake="the last use alone"),
        wrong(exercise, "overwritten", (total, "w_bar = w_bars[0]"), mistake="the first use alone"),
        wrong(exercise, "a mean", (total, "w_bar = w_bars.mean(axis=0)"), mistake="the mean of the uses"),
        wrong(
            exercise,
            "what came out",
            (forward, "return h @ w + x, h @ w + x"),
            mistake="what came out for what went in",
        ),
        wrong(
            exercise,
            "the first h",
            (sweep, f"before = before * 0 + before[0]\n    {sweep}"),
            mistake="the first h for all",
        ),
        wrong(
            exercise, "forward's order", (sweep, sweep.replace(", reverse=True", "")), mistake="the first step first"
        ),
        wrong(
            exercise,
            "y_bar for all",
            (back, "return y_bar @ w.T, (h.T @ y_bar, y_bar)"),
            mistake="nothing handed on",
        ),
        wrong(
            exercise,
            "x_bar later",
            (back, "return h_bar @ w.T, (h.T @ h_bar, h_bar @ w.T)"),
            mistake="x_bar behind the weights",
        ),
        wrong(exercise, "x_bar as met", (given, "return h_bar, w_bar, x_bar[::-1]"), mistake="x_bar turned round"),
        wrong(exercise, "minus", (given, "return -h_bar, -w_bar, -x_bar"), slip="sign"),
        wrong(exercise, "w_bar turned", (given, "return h_bar, w_bar.T, x_bar"), slip="transposed"),
        wrong(exercise, "every use", (total, "w_bar = w_bars"), slip="not summed"),
        wrong(
            exercise,
            "w_bar later",
            (back, "return h_bar @ w.T, (h.T @ (h_bar @ w.T), h_bar)"),
            mistake="w_bar behind the weights",
        ),
        right(
            exercise,
            "one sum carried",
            functions="""
def recurrent_bwd(residuals, y_bar):
    w, before = residuals

    def step(carried, h):
        h_bar, total = carried
        return (h_bar @ w.T, total + h.T @ h_bar), h_bar

    (h_bar, w_bar), x_bar = jax.lax.scan(step, (y_bar, jnp.zeros_like(w)), before, reverse=True)
    return h_bar, w_bar, x_bar
""",
        ),
        right(exercise, "by einsum", (total, 'w_bar = jnp.einsum("tni,tnj->ij", before, x_bar)')),
        right(exercise, "by factors", (back, back.replace("h_bar @ w.T", "(w @ h_bar.T).T"))),
        right(
            exercise,
            "loops",
            functions="""
def recurrent_fwd(h, w, x):
    entered = []
    for row in x:
        entered.append(h)
        h = h @ w + row
    return h, (w, entered)


def recurrent_bwd(residuals, y_bar):
    w, entered = residuals
    w_bar, x_bars = 0 * w, []
    for h in reversed(entered):
        x_bars.insert(0, y_bar)
        w_bar = w_bar + h.T @ y_bar
        y_bar = y_bar @ w.T
    return y_bar, w_bar, jnp.stack(x_bars)
""",
        ),
    )


def _first_bad_step() -> tuple[Answer, ...]:
    exercise = "exploding_gradients.first_bad_step"
    fine = "return jnp.isfinite(array).reshape(len(array), -1).all(axis=1)"
    arrays = "fine = jnp.stack([is_fine(array) for array in jax.tree.leaves(history)]).all(axis=0)"
    first = "return jnp.where(fine.all(), len(fine), jnp.argmin(fine))"
    return (
        wrong(
            exercise,
            "NaN alone",
            (fine, fine.replace("jnp.isfinite(array)", "(~jnp.isnan(array))")),
            mistake="NaN alone",
        ),
        wrong(
            exercise,
            "one array",
            (arrays, "fine = is_fine(jax.tree.leaves(history)[0])"),
            mistake="the first array alone",
        ),
        wrong(exercise, "the loss", (arrays, 'fine = is_fine(history["loss"])'), mistake="the loss alone"),
        wrong(
            exercise, "any array", (arrays, arrays.replace(".all(axis=0)", ".any(axis=0)")), mistake="all arrays bad"
        ),
        wrong(
            exercise,
            "the last",
            (first, "return len(fine) - 1 - jnp.argmin(fine[::-1])"),
            mistake="the last bad step",
        ),
        wrong(exercise, "a count", (first, "return (~fine).sum()"), mistake="a count"),
        wrong(exercise, "from 1", (first, f"{first} + 1"), mistake="counted from 1"),
        wrong(exercise, "0 for none", (first, "return jnp.argmin(fine)"), case="a run that stays finite"),
        wrong(exercise, "-1 for none", (first, first.replace("len(fine)", "-1")), case="a run that stays finite"),
        wrong(exercise, "infinities of one sign", (fine, fine.replace("jnp.isfinite(array)", "(array < jnp.inf)"))),
        wrong(exercise, "all steps", (first, "return fine"), slip="shape"),
        right(exercise, "by NumPy", (fine, "return np.isfinite(np.asarray(array)).reshape(len(array), -1).all(1)")),
        right(exercise, "a product", (first, "return jnp.cumprod(fine).sum()")),
        right(
            exercise,
            "a loop",
            functions="""
def first_bad_step(history):
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(history)]
    for step in range(len(leaves[0])):
        if any(not np.isfinite(leaf[step]).all() for leaf in leaves):
            return step
    return len(leaves[0])
""",
        ),
    )


def _by_value() -> tuple[Answer, ...]:
    exercise = "exploding_gradients.clip_by_value"
    cut = "jnp.clip(leaf, -limit, limit)"
    return (
        wrong(exercise, "from above", (cut, "jnp.minimum(leaf, limit)"), mistake="from above alone"),
        wrong(exercise, "no sign", (cut, "jnp.minimum(jnp.abs(leaf), limit)"), mistake="the sign lost"),
        wrong(
            exercise,
            "dropped",
            (cut, "jnp.where(jnp.abs(leaf) < limit, leaf, 0.0)"),
            mistake="zero for what is too large",
        ),
        wrong(exercise, "signs", (cut, "limit * jnp.sign(leaf)"), mistake="signs alone"),
        wrong(
            exercise,
            "the largest",
            (cut, "leaf * jnp.minimum(1, limit / jnp.max(jnp.abs(leaf)))"),
            mistake="scaled by the largest",
        ),
        wrong(exercise, "to one", (cut, "jnp.clip(leaf, -1, 1)")),
        wrong(
            exercise,
            "one array",
            ("jax.tree.map(lambda leaf: jnp.clip(leaf, -limit, limit), grads)", "jnp.clip(grads, -limit, limit)"),
            fault="exception",
        ),
        right(exercise, "by where", (cut, "jnp.where(jnp.abs(leaf) > limit, limit * jnp.sign(leaf), leaf)")),
        right(exercise, "both ends", (cut, "jnp.maximum(-limit, jnp.minimum(limit, leaf))")),
        right(exercise, "in NumPy", (cut, "np.clip(leaf, -limit, limit)")),
    )


def _by_global_norm() -> tuple[Answer, ...]:
    exercise = "exploding_gradients.clip_by_global_norm"
    norm = "norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(grads)))"
    scale = "scale = jnp.where(norm > max_norm, max_norm / norm, 1.0)\n    return jax.tree.map(lambda leaf: scale"
    map_ = "return jax.tree.map(lambda leaf: scale * leaf, grads)"

    def scaled(by: str) -> tuple[str, str]:
        return scale, f"scale = {by}\n    return jax.tree.map(lambda leaf: scale"

    return (
        wrong(
            exercise,
            "array by array",
            functions="""
def clip_by_global_norm(grads, max_norm):
    return jax.tree.map(lambda leaf: leaf * jnp.minimum(1, max_norm / jnp.sqrt(jnp.sum(leaf**2))), grads)
""",
            mistake="each array by itself",
        ),
        wrong(exercise, "no minimum", scaled("max_norm / norm"), case="gradients below the limit"),
        wrong(exercise, "no root", (norm, norm.replace("jnp.sqrt", "")), mistake="the square for the norm"),
        wrong(
            exercise,
            "norms added",
            (norm, "norm = sum(jnp.linalg.norm(leaf) for leaf in jax.tree.leaves(grads))"),
            mistake="norms added up",
        ),
        wrong(
            exercise,
            "the largest norm",
            (norm, "norm = max(jnp.linalg.norm(leaf) for leaf in jax.tree.leaves(grads))"),
            mistake="the largest norm",
        ),
        wrong(exercise, "to one", scaled("jnp.where(norm > max_norm, 1 / norm, 1.0)"), mistake="shortened to 1"),
        wrong(
            exercise,
            "by value",
            (map_, "return jax.tree.map(lambda leaf: jnp.clip(leaf, -max_norm, max_norm), grads)"),
            mistake="by value",
        ),
        wrong(
            exercise,
            "PyTorch's",
            scaled("jnp.minimum(max_norm / (norm + 1e-6), 1.0)"),
            mistake="PyTorch's epsilon",
        ),
        wrong(exercise, "the maximum", scaled("jnp.maximum(max_norm / norm, 1.0)"), slip="factor"),
        wrong(exercise, "turned round", scaled("jnp.where(norm > max_norm, norm / max_norm, 1.0)"), slip="factor"),
        wrong(
            exercise,
            "0 / 0",
            (map_, "return jax.tree.map(lambda leaf: jnp.minimum(norm, max_norm) * leaf / norm, grads)"),
            case="gradients that are all zero",
        ),
        wrong(
            exercise,
            "a list",
            (map_, f"{map_.replace('return', 'return jax.tree.leaves(')})"),
            fault="structure",
        ),
        right(exercise, "a minimum", scaled("jnp.minimum(1.0, max_norm / norm)")),
        right(exercise, "a maximum below", scaled("max_norm / jnp.maximum(norm, max_norm)")),
        right(
            exercise,
            "one row",
            (norm, "norm = jnp.linalg.norm(jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(grads)]))"),
        ),
    )


def _by_leaf_norm() -> tuple[Answer, ...]:
    exercise = "exploding_gradients.clip_by_leaf_norm"
    line = "return jax.tree.map(lambda leaf: clip_by_global_norm(leaf, max_norm), grads)"

    def each(what: str) -> tuple[str, str]:
        return line, f"return jax.tree.map(lambda leaf: {what}, grads)"

    return (
        wrong(
            exercise,
            "all together",
            (line, "return clip_by_global_norm(grads, max_norm)"),
            mistake="all arrays together",
        ),
        wrong(
            exercise,
            "always",
            each("leaf * max_norm / jnp.maximum(jnp.linalg.norm(leaf), 1e-300)"),
            mistake="always scaled",
        ),
        wrong(
            exercise,
            "squares",
            each("leaf * jnp.minimum(1, max_norm / jnp.sum(leaf**2))"),
            mistake="the square for the norm",
        ),
        wrong(
            exercise,
            "a mean",
            each("leaf * jnp.minimum(1, max_norm / jnp.sqrt(jnp.mean(leaf**2)))"),
            mistake="the root of the mean",
        ),
        wrong(exercise, "by value", each("jnp.clip(leaf, -max_norm, max_norm)"), mistake="by value"),
        wrong(
            exercise,
            "row by row",
            each("leaf * jnp.minimum(1, max_norm / jnp.linalg.norm(leaf, axis=-1, keepdims=True))"),
            mistake="row by row",
        ),
        wrong(
            exercise,
            "0 / 0",
            each("leaf / jnp.linalg.norm(leaf) * jnp.minimum(jnp.linalg.norm(leaf), max_norm)"),
            case="gradients that are all zero",
        ),
        right(exercise, "by norm", each("leaf * jnp.minimum(1, max_norm / jnp.linalg.norm(leaf))")),
        right(exercise, "by lists", each("clip_by_global_norm([leaf], max_norm)[0]")),
        right(
            exercise,
            "by hand",
            each("jnp.where((leaf**2).sum() > max_norm**2, leaf * max_norm / jnp.sqrt((leaf**2).sum()), leaf)"),
        ),
    )


def _clip_to_norm() -> tuple[Answer, ...]:
    exercise = "exploding_gradients.clip_to_norm"
    unit = "unit = g / jnp.where(norm > 0, norm, 1.0)"
    along = "along = jnp.sum(unit * y_bar)"
    g_bar = "g_bar = max_norm / norm * (y_bar - along * unit)"
    given = "return jnp.where(above, g_bar, y_bar), jnp.where(above, along, 0.0)"
    return (
        wrong(
            exercise,
            "a constant norm",
            (g_bar, "g_bar = max_norm / norm * y_bar"),
            mistake="the norm taken for a constant",
        ),
        wrong(exercise, "as if cut", (g_bar, "g_bar = 0 * g"), mistake="nothing comes back"),
        wrong(exercise, "straight through", (g_bar, "g_bar = y_bar"), mistake="straight through"),
        wrong(exercise, "no scale", (g_bar, "g_bar = y_bar - along * unit"), mistake="the scale left out"),
        wrong(
            exercise,
            "along alone",
            (g_bar, "g_bar = max_norm / norm * along * unit"),
            mistake="the part along g alone",
        ),
        wrong(exercise, "a plus", (g_bar, g_bar.replace("-", "+")), mistake="a plus for the minus"),
        wrong(
            exercise,
            "g for unit",
            (g_bar, "g_bar = max_norm / norm * (y_bar - jnp.sum(g * y_bar) * g)"),
            mistake="g for its direction",
        ),
        wrong(
            exercise,
            "g once",
            (g_bar, "g_bar = max_norm / norm * (y_bar - along * g)"),
            mistake="g once for its direction",
        ),
        wrong(exercise, "none to max_norm", (given, given.replace("along", "0.0")), mistake="nothing to max_norm"),
        wrong(
            exercise,
            "y_bar to max_norm",
            (given, given.replace("along", "y_bar.sum()")),
            mistake="all of y_bar to max_norm",
        ),
        wrong(
            exercise,
            "g to max_norm",
            (given, given.replace("along", "jnp.sum(g * y_bar)")),
            mistake="g for its direction, to max_norm",
        ),
        wrong(exercise, "above everywhere", (given, "return g_bar, along"), case="a norm below max_norm"),
        wrong(
            exercise,
            "0 / 0",
            (unit, "unit = g / norm"),
            (given, "return g_bar * above + y_bar * (1 - above), along * above"),
            case="a gradient of zero",
        ),
        wrong(
            exercise,
            "along below, too",
            (given, given.replace("jnp.where(above, along, 0.0)", "along")),
            case="a norm below max_norm",
        ),
        right(exercise, "by dot", (along, "along = jnp.dot(unit, y_bar)")),
        right(exercise, "multiplied out", (g_bar, "g_bar = max_norm * (y_bar / norm - g * (g @ y_bar) / norm**3)")),
        right(
            exercise,
            "no norm kept",
            functions="""
def clip_to_norm_fwd(g, max_norm):
    return g * jnp.minimum(1, max_norm / jnp.linalg.norm(g)), (g, max_norm)


def clip_to_norm_bwd(residuals, y_bar):
    g, max_norm = residuals
    norm = jnp.linalg.norm(g)
    u = jnp.where(norm > max_norm, g / norm, 0)
    along = u @ y_bar
    return jnp.minimum(1, max_norm / norm) * (y_bar - along * u), along
""",
        ),
        right(
            exercise,
            "by cond",
            functions="""
def clip_to_norm_bwd(residuals, y_bar):
    g, max_norm, norm = residuals

    def shortened():
        unit = g / norm
        along = unit @ y_bar
        return (y_bar - unit * along) * (max_norm / norm), along

    return jax.lax.cond(norm > max_norm, shortened, lambda: (y_bar, 0 * norm))
""",
        ),
    )


ANSWERS = (
    *_recurrent(),
    *_first_bad_step(),
    *_by_value(),
    *_by_global_norm(),
    *_by_leaf_norm(),
    *_clip_to_norm(),
)
