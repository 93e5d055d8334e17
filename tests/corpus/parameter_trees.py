"""Answers to `parameter_trees`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong


def _line() -> tuple[Answer, ...]:
    exercise = "parameter_trees.line"
    error, slope, bias = "loss_bar * error / len(error)", "jnp.sum(error_bar * x)", "jnp.sum(error_bar)\n"
    returned = "return Line(slope_bar, bias_bar), None, None"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("loss_bar forgotten", error, "error / len(error)", mistake="loss_bar left out"),
        made("the mean forgotten", error, "loss_bar * error", mistake="mean lost"),
        made("two errors", error, "2 * loss_bar * error / len(error)", mistake="half lost"),
        made("half an error", error, "loss_bar * error / (2 * len(error))", mistake="half counted twice"),
        made("the sign alone", error, "loss_bar * jnp.sign(error) / len(error)", mistake="error's sign for the error"),
        made("the square", error, "loss_bar * error**2 / len(error)", mistake="error squared"),
        made("turned", error, "-loss_bar * error / len(error)", slip="sign"),
        made("no x", slope, "jnp.sum(error_bar)", mistake="x left out"),
        made("two means", slope, "jnp.sum(error_bar) * jnp.mean(x)", mistake="product of the means"),
        made("the sizes of x", slope, "jnp.sum(error_bar * abs(x))", mistake="x without its sign"),
        made("the first row", slope, "error_bar[0] * x[0]", mistake="slope from the first row"),
        made("the last row of the bias", bias, "error_bar[-1]\n", mistake="bias overwritten"),
        made("the bias not averaged", bias, "jnp.sum(error) * loss_bar\n", mistake="bias summed, slope averaged"),
        made("exchanged", returned, "return Line(bias_bar, slope_bar), None, None", slip="exchanged"),
        made("rows for a number", slope, "error_bar * x", slip="not summed"),
        made("the line alone", returned, "return Line(slope_bar, bias_bar)", fault="structure"),
        made("seven rows", error, "loss_bar * error / 7", case="a batch of one row"),
        right(exercise, "a product of vectors", (slope, "error_bar @ x"), (bias, "error_bar.sum()\n")),
        right(
            exercise,
            "means",
            (error, "loss_bar * error"),
            (slope, "jnp.mean(error_bar * x)"),
            (bias, "jnp.mean(error_bar)\n"),
        ),
        right(exercise, "NumPy", (slope, "np.dot(np.asarray(x), np.asarray(error_bar))")),
        right(exercise, "a tuple", (returned, "return (slope_bar, bias_bar), None, None")),
        right(exercise, "a loop", (bias, "sum(error_bar[i] for i in range(len(error_bar)))\n")),
    )


def _descend() -> tuple[Answer, ...]:
    exercise, moved = "parameter_trees.descend", "p - learning_rate * p_bar"
    whole = f"jax.tree.map(lambda p, p_bar: {moved}, params, params_bar)"

    def made(name: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (moved, now), **what)

    return (
        made("uphill", "p + learning_rate * p_bar", mistake="up the slope"),
        made("no rate", "p - p_bar", mistake="no learning rate"),
        made("the step", "-learning_rate * p_bar", mistake="the step alone"),
        made("brackets", "(p - p_bar) * learning_rate", mistake="the rate on both"),
        made("divided", "p - p_bar / learning_rate", mistake="divided by the learning rate"),
        made("signs", "p - learning_rate * jnp.sign(p_bar)", mistake="direction alone"),
        made("one row for all", "p - learning_rate * p_bar[0]"),
        made("a number a leaf", "jnp.sum(p - learning_rate * p_bar)", slip="summed"),
        wrong(exercise, "a list", (whole, f"jax.tree.leaves({whole})"), fault="structure"),
        wrong(
            exercise,
            "a network alone",
            (
                whole,
                "[type(p)(p.w - learning_rate * b.w, p.b - learning_rate * b.b) for p, b in zip(params, params_bar)]",
            ),
            case="a tree of another form",
        ),
        right(exercise, "a sum", (moved, "p + (-learning_rate) * p_bar")),
        right(exercise, "NumPy", (moved, "np.subtract(p, np.multiply(learning_rate, p_bar))")),
        right(
            exercise,
            "flattened",
            functions=(
                "def descend(params, params_bar, learning_rate):\n"
                "    leaves, treedef = jax.tree.flatten(params)\n"
                "    moved = [p - learning_rate * bar for p, bar in zip(leaves, jax.tree.leaves(params_bar))]\n"
                "    return jax.tree.unflatten(treedef, moved)\n"
            ),
        ),
    )


def _norm() -> tuple[Answer, ...]:
    exercise, each, once = "parameter_trees.norm", "jnp.sum(leaf**2)", "jnp.sqrt(sum(squares))"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("squared", once, "sum(squares)", mistake="no root"),
        made("lengths", once, "sum(jnp.sqrt(square) for square in squares)", mistake="lengths added"),
        made("means", each, "jnp.mean(leaf**2)", mistake="mean of each leaf"),
        made("summed before", each, "jnp.sum(leaf) ** 2", mistake="summed, then squared"),
        made("first leaf", once, "jnp.sqrt(squares[0])", mistake="one leaf alone"),
        made("sizes", once, "sum(jnp.sum(abs(leaf)) for leaf in jax.tree.leaves(tree))", mistake="sizes added"),
        made(
            "largest",
            once,
            "jnp.array([abs(leaf).max() for leaf in jax.tree.leaves(tree)]).max()",
            mistake="largest number",
        ),
        made("half", once, "jnp.sqrt(sum(squares)) / 2", slip="factor"),
        made("each leaf's", once, "jax.tree.map(jnp.sqrt, squares)", fault="structure"),
        made("a network alone", each, "jnp.sum(leaf[:, None] ** 2)", case="a tree of another form"),
        made("by itself", once, "jnp.sqrt(sum(squares)) ** 2 / jnp.sqrt(sum(squares))", case="a tree of zeros"),
        right(
            exercise,
            "a row",
            (once, "jnp.linalg.norm(jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(tree)]))"),
        ),
        right(exercise, "the norm of norms", (once, "jnp.linalg.norm(jnp.sqrt(jnp.array(squares)))")),
        right(exercise, "Python's root", (once, "math.sqrt(sum(map(float, squares)))")),
        right(exercise, "dot products", (each, "jnp.vdot(leaf, leaf)")),
    )


def _init() -> tuple[Answer, ...]:
    exercise = "parameter_trees.init"
    keys, scale, shape = "jax.random.split(key, len(sizes) - 1)", "jnp.sqrt(2 / d_in)", "(d_in, d_out))"
    zeros, own = "jnp.zeros(d_out)", "layer(keys[i], sizes[i], sizes[i + 1])"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("one key", own, "layer(key, sizes[i], sizes[i + 1])", mistake="one key for all"),
        made("from the end", own, "layer(keys[-1 - i], sizes[i], sizes[i + 1])", mistake="keys from the end"),
        made("the variance", scale, "(2 / d_in)", mistake="variance for the deviation"),
        made("one over", scale, "jnp.sqrt(1 / d_in)", mistake="the two lost"),
        made("outputs", scale, "jnp.sqrt(2 / d_out)", mistake="d_out for d_in"),
        made("no scale", scale, "1", mistake="not scaled"),
        made("biases", zeros, "jax.random.normal(layer_key, (d_out,))", mistake="biases drawn"),
        made("transposed", shape, "(d_out, d_in))", slip="shape"),
        made("biases of one", zeros, "jnp.ones(d_out)", slip="not zero"),
        made("the next key", own, "layer(keys[i + 1], sizes[i], sizes[i + 1])"),
        made("no layer lost", "for i in range(len(keys))]", "for i in range(len(keys) - 1)]", fault="structure"),
        made("uniform", "jax.random.normal(", "jax.random.uniform("),
        wrong(
            exercise,
            "one by one",
            (keys, "[]\n    for _ in sizes[1:]:\n        key, one = jax.random.split(key)\n        keys.append(one)"),
            mistake="keys one by one",
        ),
        right(
            exercise,
            "zip",
            (f"[{own} for i in range(len(keys))]", "[layer(*of) for of in zip(keys, sizes, sizes[1:])]"),
        ),
        right(exercise, "divided", (f"* {scale}", "/ (d_in / 2) ** 0.5")),
        right(
            exercise,
            "JAX's own",
            (
                f"jax.random.normal(layer_key, (d_in, d_out)) * {scale}",
                "math.sqrt(2 / d_in) * jax.random.normal(layer_key, [d_in, d_out])",
            ),
        ),
        right(exercise, "tuples", ("return Layer(", "return (")),
    )


def _fit() -> tuple[Answer, ...]:
    exercise = "parameter_trees.fit"
    bar, handed_on = (
        "line_loss_bwd(residuals, jnp.ones_like(loss))",
        "return descend(now, now_bar, learning_rate), loss",
    )
    forward, run = "loss, residuals = line_loss_fwd(now, x, target)", "return jax.lax.scan(step, params, length=steps)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("the loss for its bar", bar, "line_loss_bwd(residuals, loss)", mistake="the loss handed in"),
        made("uphill", handed_on, "return descend(now, now_bar, -learning_rate), loss", mistake="up the slope"),
        made(
            "the start's gradient",
            forward,
            "loss, _ = line_loss_fwd(now, x, target)\n        _, residuals = line_loss_fwd(params, x, target)",
            mistake="gradient of the start",
        ),
        made("never moved", handed_on, "return now, loss", mistake="never moved"),
        made(
            "losses after",
            handed_on,
            "now = descend(now, now_bar, learning_rate)\n        return now, line_loss_fwd(now, x, target)[0]",
            mistake="losses after the steps",
        ),
        made(
            "added up",
            run,
            "last, losses = jax.lax.scan(step, params, length=steps)\n    return last, jnp.cumsum(losses)",
            mistake="losses added up",
        ),
        made(
            "exchanged",
            run,
            "last, losses = jax.lax.scan(step, params, length=steps)\n    return losses, last",
            fault="structure",
        ),
        made("one too many", run, "return jax.lax.scan(step, params, length=steps + 1)", slip="shape"),
        made("lines on record", handed_on, "return descend(now, now_bar, learning_rate), now", fault="structure"),
        made("one thing", handed_on, "return descend(now, now_bar, learning_rate)", fault="exception"),
        made("rows, not steps", run, "return jax.lax.scan(step, params, jnp.zeros(5))", case="a single step"),
        right(
            exercise,
            "a Python loop",
            (
                run,
                "losses = []\n"
                "    for _ in range(steps):\n"
                "        params, loss = step(params, None)\n"
                "        losses.append(loss)\n"
                "    return params, jnp.array(losses)",
            ),
        ),
        right(exercise, "numbers of the steps", (run, "return jax.lax.scan(step, params, jnp.arange(steps))")),
        right(exercise, "a loss_bar of 1.0", (bar, "line_loss_bwd(residuals, 1.0)")),
        right(
            exercise, "jitted", (run, "return jax.jit(lambda start: jax.lax.scan(step, start, length=steps))(params)")
        ),
    )


ANSWERS = (*_line(), *_descend(), *_norm(), *_init(), *_fit())
