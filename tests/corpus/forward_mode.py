"""Answers to `forward_mode`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong


def _dual_multiply() -> tuple[Answer, ...]:
    exercise = "forward_mode.dual_multiply"
    value, tangent = "value = a.value * b.value", "a.tangent * b.value + a.value * b.tangent"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("the tangents' product", tangent, "a.tangent * b.tangent", mistake="tangents multiplied"),
        made("the tangents' sum", tangent, "a.tangent + b.tangent", mistake="tangents added"),
        made("the second term alone", tangent, "a.value * b.tangent", mistake="a stands still"),
        made("the first term alone", tangent, "a.tangent * b.value", mistake="b stands still"),
        made("each beside its own", tangent, "a.value * a.tangent + b.value * b.tangent", mistake="each with its own"),
        made("a minus", tangent, "a.tangent * b.value - a.value * b.tangent", mistake="a minus between"),
        made("the other minus", tangent, "a.value * b.tangent - a.tangent * b.value"),
        made("the values' sum", value, "value = a.value + b.value"),
        made("with eps squared", tangent, "a.tangent * b.value + a.value * b.tangent + a.tangent * b.tangent"),
        made("exchanged", "return Dual(value, tangent)", "return Dual(tangent, value)", slip="exchanged"),
        made("a bare tangent", "return Dual(value, tangent)", "return tangent", fault="structure"),
        made(
            "of arrays alone",
            value,
            "value = a.value.copy() * b.value",
            case="Python's numbers, one of which stands still",
        ),
        right(exercise, "by names", ("return Dual(value, tangent)", "return Dual(tangent=tangent, value=value)")),
        right(exercise, "the other order", (tangent, "b.tangent * a.value + b.value * a.tangent")),
        right(exercise, "a quotient of nothing", (value, "value = b.value * a.value")),
        right(
            exercise,
            "by two unpackings",
            functions="""
def dual_multiply(a, b):
    (x, x_dot), (y, y_dot) = a, b
    return Dual(x * y, jnp.add(x_dot * y, x * y_dot))
""",
        ),
    )


def _tanh() -> tuple[Answer, ...]:
    exercise = "forward_mode.tanh"
    y_dot, returned = "(1 - y**2) * x_dot", "return y, (1 - y**2) * x_dot"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("without the square", y_dot, "(1 - y) * x_dot", mistake="square left out"),
        made("the square outside", y_dot, "(1 - y) ** 2 * x_dot", mistake="square outside"),
        made("a plus", y_dot, "(1 + y**2) * x_dot", mistake="slope of tan"),
        made("the value", y_dot, "y * x_dot", mistake="value for slope"),
        made("the 1 forgotten", y_dot, "y**2 * x_dot", mistake="value squared for slope"),
        made("at y", y_dot, "(1 - tanh(y) ** 2) * x_dot", mistake="slope taken at y"),
        made("at half of x", y_dot, "(1 - tanh(x / 2) ** 2) * x_dot", mistake="slope at half the argument"),
        made("a cosh not squared", y_dot, "x_dot / jnp.cosh(x)", mistake="root of the slope"),
        made("a minus", y_dot, "(y**2 - 1) * x_dot", slip="sign"),
        made("four times", y_dot, "4 * (1 - y**2) * x_dot", slip="factor"),
        made("as it came", y_dot, "x_dot", slip="handed on"),
        made("zero", y_dot, "0 * x_dot", slip="zero"),
        made("the slope alone", y_dot, "1 - y**2", slip="proportion"),
        made("tanh of the tangent", y_dot, "tanh(x_dot)", line="these are the numbers of the primal at the tangents"),
        made("the tangent squared", y_dot, "(1 - y**2) * x_dot**2", slip="proportion"),
        made("x for y", "y = tanh(x)\n    return y, ", "y = x\n    return y, ", fault="value"),
        made("the tangent alone", returned, "return (1 - y**2) * x_dot", fault="structure"),
        made("exchanged", returned, "return (1 - y**2) * x_dot, y", fault="value"),
        made("a tuple of it", y_dot, "((1 - y**2) * x_dot,)", fault="structure"),
        made("summed", y_dot, "((1 - y**2) * x_dot).sum()", slip="summed"),
        made(
            "exponentials that overflow",
            y_dot,
            "4 * x_dot * jnp.exp(2 * x) / (jnp.exp(2 * x) + 1) ** 2",
            case="inputs of +-1e4",
        ),
        right(exercise, "factors", (y_dot, "x_dot * (1 - y) * (1 + y)")),
        right(exercise, "a difference", (y_dot, "x_dot - y * y * x_dot")),
        right(exercise, "by cosh", (y_dot, "x_dot / jnp.cosh(x) ** 2")),
        right(
            exercise,
            "by places",
            functions="""
def tanh_jvp(primals, tangents):
    y = jnp.tanh(primals[0])
    return y, tangents[0] * jax.nn.sigmoid(2 * primals[0]) * jax.nn.sigmoid(-2 * primals[0]) * 4
""",
        ),
    )


def _matmul() -> tuple[Answer, ...]:
    exercise = "forward_mode.matmul"
    parts, together = "a_dot @ b, a @ b_dot", "return matmul(a, b), by_a + by_b"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("a alone", together, "return matmul(a, b), by_a", mistake="b stands still"),
        made("b alone", together, "return matmul(a, b), by_b", mistake="a stands still"),
        made("a minus", together, "return matmul(a, b), by_a - by_b", mistake="what b does subtracted"),
        made("the other minus", together, "return matmul(a, b), by_b - by_a", mistake="what a does subtracted"),
        made("a twice", parts, "a_dot @ b, a_dot @ b", mistake="a's motion twice"),
        made("b twice", parts, "a @ b_dot, a @ b_dot", mistake="b's motion twice"),
        made(
            "averaged inside",
            together,
            "return matmul(a, b), (by_a + by_b) / len(b)",
            mistake="averaged over the inner index",
        ),
        made("averaged", together, "return matmul(a, b), (by_a + by_b) / 2", slip="factor"),
        made("both with a minus", together, "return matmul(a, b), -by_a - by_b", slip="sign"),
        made(
            "the tangents' product",
            parts,
            "a_dot @ b_dot, 0",
            line="these are the numbers of the primal at the tangents",
        ),
        made("moved at once", parts, "(a + a_dot) @ (b + b_dot), -(a @ b)", slip="proportion"),
        made(
            "the value", together, "return matmul(a, b), matmul(a, b)", line="these are the numbers of the value itself"
        ),
        made("side by side", together, "return matmul(a, b), (by_a, by_b)", fault="structure"),
        made("multiplied", together, "return matmul(a, b), by_a * by_b", slip="proportion"),
        made("zero", together, "return matmul(a, b), 0 * by_a", slip="zero"),
        made("entry by entry", parts, "a_dot * b, a * b_dot", fault="exception"),
        made("turned", parts, "b @ a_dot, a @ b_dot", fault="exception"),
        made("squeezed", parts, "a_dot.squeeze() @ b, a.squeeze() @ b_dot", case="a matrix of one row"),
        made("no value", together, "return by_a, by_a + by_b", fault="value"),
        made("two in one", parts, "jnp.hstack([a_dot, a]) @ jnp.vstack([b, b_dot]), 0", fault="refused"),
        right(exercise, "einsum", (parts, "jnp.einsum('ri,ic->rc', a_dot, b), jnp.einsum('ri,ic->rc', a, b_dot)")),
        right(exercise, "turned twice", (parts, "(b.T @ a_dot.T).T, (b_dot.T @ a.T).T")),
        right(exercise, "the other order", (together, "return a @ b, by_b + by_a")),
        right(
            exercise,
            "a row at a time",
            functions="""
def matmul_jvp(primals, tangents):
    a, b = primals
    a_dot, b_dot = tangents

    def row(of_a, of_a_dot):
        return of_a @ b, of_a_dot @ b + of_a @ b_dot

    return jax.vmap(row)(a, a_dot)
""",
        ),
    )


def _network() -> tuple[Answer, ...]:
    exercise = "forward_mode.network"
    first = "matmul_jvp((x, params.w1), (x_dot, params_dot.w1))"
    activated = "tanh_jvp((z1 + params.b1,), (z1_dot + params_dot.b1,))"
    second = "matmul_jvp((a1, params.w2), (a1_dot, params_dot.w2))"
    prediction, error = "z2 + params.b2, z2_dot + params_dot.b2", "prediction - target, prediction_dot - target_dot"
    loss_dot = "jnp.sum(error * error_dot) / len(x)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made(
            "no slope", activated, "jnp.tanh(z1 + params.b1), z1_dot + params_dot.b1", mistake="tanh's slope left out"
        ),
        made(
            "the slope at the value",
            activated,
            "tanh_jvp((z1 + params.b1,), (z1_dot + params_dot.b1,))\n"
            "    a1_dot = (1 - jnp.tanh(a1) ** 2) * (z1_dot + params_dot.b1)",
            mistake="tanh's slope taken at its value",
        ),
        made("x as data", first, first.replace("x_dot", "0 * x_dot"), mistake="x stands still"),
        made("the target as data", error, "prediction - target, prediction_dot", mistake="the target stands still"),
        made(
            "the target added",
            error,
            "prediction - target, prediction_dot + target_dot",
            mistake="the target's tangent added",
        ),
        wrong(
            exercise,
            "no biases",
            (activated, activated.replace(" + params_dot.b1", "")),
            (prediction, "z2 + params.b2, z2_dot"),
            mistake="the biases stand still",
        ),
        made(
            "w2 at rest",
            second,
            second.replace("params_dot.w2", "0 * params.w2"),
            mistake="the last matrix stands still",
        ),
        made("the first layer lost", second, second.replace("a1_dot", "0 * a1"), mistake="the first layer lost"),
        made("the error forgotten", loss_dot, "jnp.sum(error_dot) / len(x)", mistake="the error left out"),
        made("the last bias at rest", prediction, "z2 + params.b2, z2_dot", line="params.b2"),
        made("not averaged", loss_dot, "jnp.sum(error * error_dot)", slip="factor"),
        made("not halved", loss_dot, "2 * jnp.sum(error * error_dot) / len(x)", slip="factor"),
        made("over all entries", loss_dot, "jnp.mean(error * error_dot)", slip="factor"),
        made("of the tangents alone", loss_dot, "jnp.sum(error_dot**2) / len(x)", slip="proportion"),
        made("of the error alone", loss_dot, "jnp.sum(error**2) / len(x)", slip="proportion"),
        made("a minus", loss_dot, "-jnp.sum(error * error_dot) / len(x)", slip="sign"),
        made("a loss of each row", loss_dot, "jnp.sum(error * error_dot, axis=1)", slip="shape"),
        made(
            "no half in the loss",
            "return half_squared_error(prediction, target)",
            "return jnp.sum(error**2)",
            fault="value",
        ),
        made("the first bias forgotten", activated, "tanh_jvp((z1,), (z1_dot + params_dot.b1,))", fault="value"),
        made("values for tangents", first, "matmul_jvp((x, params.w1), (x, params.w1))", slip="proportion"),
        right(
            exercise,
            "in one go",
            (loss_dot, "jnp.vdot(prediction - target, error_dot) / x.shape[0]"),
        ),
        right(
            exercise,
            "the loss by its error",
            ("return half_squared_error(prediction, target)", "return 0.5 * jnp.sum(error**2) / len(error)"),
        ),
        right(exercise, "a mean of rows", (loss_dot, "jnp.mean(jnp.sum(error * error_dot, axis=1))")),
        right(
            exercise,
            "from scratch",
            functions="""
def network_jvp(primals, tangents):
    (w1, b1, w2, b2), x, target = primals
    (w1_dot, b1_dot, w2_dot, b2_dot), x_dot, target_dot = tangents
    a1 = jnp.tanh(x @ w1 + b1)
    a1_dot = (x_dot @ w1 + x @ w1_dot + b1_dot) / jnp.cosh(x @ w1 + b1) ** 2
    error = a1 @ w2 + b2 - target
    error_dot = a1_dot @ w2 + a1 @ w2_dot + b2_dot - target_dot
    return 0.5 * (error**2).sum() / len(x), (error * error_dot).sum() / len(x)
""",
        ),
    )


def _jacobian() -> tuple[Answer, ...]:
    exercise = "forward_mode.jacobian"
    directions, columns = "directions = jnp.eye(len(x))", "push(x, x_dot)[1] for x_dot in directions"
    laid = "return jnp.stack(columns, axis=1)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("as rows", laid, "return jnp.stack(columns)", mistake="rows for columns"),
        made("all at once", directions, "directions = jnp.ones((len(x), len(x)))", mistake="all inputs at once"),
        made("along x", directions, "directions = jnp.diag(x)", mistake="each input by its own size"),
        made("values", columns, "push(x, x_dot)[0] for x_dot in directions", mistake="values for tangents"),
        made(
            "backwards",
            columns,
            "push(x, x_dot)[1] for x_dot in directions[::-1]",
            mistake="the columns in the opposite order",
        ),
        made("added up", laid, "return sum(columns)", slip="summed"),
        made("both things", columns, "push(x, x_dot) for x_dot in directions", fault="exception"),
        made("at the directions", columns, "push(x_dot, x_dot)[1] for x_dot in directions"),
        made("by nudges", columns, "(push(x + 1e-4 * d, d)[0] - push(x, d)[0]) / 1e-4 for d in directions"),
        made("of seven inputs", directions, "directions = jnp.eye(7)", case="an arm of one joint"),
        right(exercise, "turned at the end", (laid, "return jnp.array(columns).T")),
        right(exercise, "column_stack", (laid, "return jnp.column_stack(columns)")),
        right(
            exercise,
            "mapped",
            functions="""
def jacobian(push, x):
    return jax.vmap(lambda x_dot: push(x, x_dot)[1], out_axes=1)(jnp.eye(x.size))
""",
        ),
        right(
            exercise,
            "a loop that fills",
            functions="""
def jacobian(push, x):
    found = np.zeros((2, len(x)))
    for j in range(len(x)):
        found[:, j] = push(x, jnp.zeros(len(x)).at[j].set(1.0))[1]
    return found
""",
        ),
    )


def _quotient() -> tuple[Answer, ...]:
    exercise = "forward_mode.quotient"
    y_dot = "(top_dot - y * bottom_dot) / bottom"

    def made(name: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (y_dot, now), **what)

    return (
        made("a plus", "(top_dot + y * bottom_dot) / bottom", mistake="a plus for a minus"),
        made("the top alone", "top_dot / bottom", mistake="the bottom stands still"),
        made("the bottom alone", "-y * bottom_dot / bottom", mistake="the top stands still"),
        made("the product's", "top_dot * bottom + top * bottom_dot", mistake="the product's rule"),
        made("a factor missing", "(top_dot - top * bottom_dot) / bottom**2", mistake="a factor of the top forgotten"),
        made(
            "not squared",
            "(bottom * top_dot - top * bottom_dot) / bottom",
            mistake="the bottom not squared",
        ),
        made(
            "as if the top were 1",
            "top_dot / bottom - bottom_dot / bottom**2",
            mistake="the top left out beside the bottom's tangent",
        ),
        made("turned", "(top * bottom_dot - bottom * top_dot) / bottom**2", slip="sign"),
        made(
            "the tangents' quotient", "top_dot / bottom_dot", line="these are the numbers of the primal at the tangents"
        ),
        made("moved at once", "(top + top_dot) / (bottom + bottom_dot) - y", slip="proportion"),
        made("of all", "jnp.sum((top_dot - y * bottom_dot) / bottom)", slip="summed"),
        made("the value", "y", line="these are the numbers of the value itself"),
        wrong(exercise, "no division", ("y = quotient(top, bottom)", "y = top * bottom"), fault="value"),
        right(exercise, "the school's form", (y_dot, "(top_dot * bottom - top * bottom_dot) / bottom**2")),
        right(exercise, "term by term", (y_dot, "top_dot / bottom - top * bottom_dot / (bottom * bottom)")),
        right(exercise, "by the inverse", (y_dot, "(1 / bottom) * top_dot - y * (1 / bottom) * bottom_dot")),
        right(exercise, "the other order", (y_dot, "-(y * bottom_dot - top_dot) / bottom")),
    )


def _logsumexp() -> tuple[Answer, ...]:
    exercise = "forward_mode.logsumexp"
    shares, y_dot = "jnp.exp(logits - y[:, None])", "jnp.sum(shares * logits_dot, axis=-1)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made(
            "not divided",
            shares,
            "jnp.exp(logits - logits.max(axis=-1, keepdims=True))",
            mistake="shares not normalised",
        ),
        made("of the batch", shares, "jax.nn.softmax(logits, axis=None)", mistake="normalised over the batch"),
        made("the mean", y_dot, "logits_dot.mean(axis=-1)", mistake="the mean of the tangents"),
        made("the sum", y_dot, "logits_dot.sum(axis=-1)", mistake="the sum of the tangents"),
        made(
            "the largest",
            shares,
            "jnp.where(logits == logits.max(axis=-1, keepdims=True), 1.0, 0.0)",
            mistake="the largest alone",
        ),
        made("by the logits", shares, "logits", mistake="logits for shares"),
        made("turned round", shares, "jax.nn.softmax(-logits)", mistake="the smallest weighs most"),
        made("a minus", y_dot, "-jnp.sum(shares * logits_dot, axis=-1)", line="has the wrong sign"),
        made("a mean of shares", y_dot, "jnp.mean(shares * logits_dot, axis=-1)", slip="factor"),
        made("along the columns", shares, "jax.nn.softmax(logits, axis=0)"),
        made(
            "of the tangents",
            y_dot,
            "logsumexp(logits_dot)",
            line="these are the numbers of the primal at the tangents",
        ),
        made("shares alone", y_dot, "jnp.sum(shares, axis=-1)", slip="proportion"),
        made("not summed", y_dot, "shares * logits_dot", slip="not summed"),
        made("over the batch", y_dot, "jnp.sum(shares * logits_dot, axis=0)", slip="shape"),
        made(
            "exponentials that overflow",
            shares,
            "jnp.exp(logits) / jnp.sum(jnp.exp(logits), axis=-1, keepdims=True)",
            case="inputs of +-1e4",
        ),
        right(exercise, "by softmax", (shares, "jax.nn.softmax(logits, axis=-1)")),
        right(exercise, "einsum", (y_dot, "jnp.einsum('nc,nc->n', shares, logits_dot)")),
        right(
            exercise,
            "shifted by hand",
            (shares, "jnp.exp(logits - logits.max(-1, keepdims=True))"),
            (y_dot, "(shares * logits_dot).sum(-1) / shares.sum(-1)"),
        ),
        right(
            exercise,
            "a row at a time",
            functions="""
def logsumexp_jvp(primals, tangents):
    def row(logits, logits_dot):
        y = jax.nn.logsumexp(logits)
        return y, jnp.exp(logits - y) @ logits_dot

    return jax.vmap(row)(*primals, *tangents)
""",
        ),
    )


ANSWERS = (*_dual_multiply(), *_tanh(), *_matmul(), *_network(), *_jacobian(), *_quotient(), *_logsumexp())
"""Every answer, exercise by exercise."""
