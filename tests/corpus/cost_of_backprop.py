"""Answers to `cost_of_backprop`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong


def _affine() -> tuple[Answer, ...]:
    exercise = "cost_of_backprop.affine_flops"
    product, forward = "one_product = 2 * batch * d_in * d_out", "one_product + batch * d_out"
    pulled, summed = "x_bar = w_bar = one_product", "b_bar = batch * d_out\n"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("no additions", product, "one_product = batch * d_in * d_out", mistake="multiplications alone"),
        made("no bias", forward, "one_product", mistake="bias for nothing"),
        made("the bias once", forward, "one_product + d_out", mistake="bias added to one row"),
        made("b_bar free", summed, "b_bar = 0\n", mistake="b_bar for nothing"),
        made("b_bar a product", summed, "b_bar = one_product\n", mistake="b_bar like a product"),
        made("all like forward", pulled, "x_bar = w_bar = forward", mistake="the bias on the way back"),
        made("w_bar of a row", pulled, "x_bar, w_bar = one_product, 2 * d_in * d_out", mistake="w_bar of one row"),
        made("no x_bar", pulled, "x_bar, w_bar = 0, one_product", mistake="x_bar not counted"),
        made("a row", product, "batch, one_product = 1, 2 * d_in * d_out", mistake="one row alone"),
        wrong(
            exercise,
            "sums from their first number",
            (product, "one_product = (2 * d_in - 1) * batch * d_out"),
            (pulled, "x_bar, w_bar = (2 * d_out - 1) * batch * d_in, (2 * batch - 1) * d_in * d_out"),
            (summed, "b_bar = (batch - 1) * d_out\n"),
            mistake="one addition fewer",
        ),
        made("one off", forward, "one_product + batch * d_out + 1"),
        made("twice", pulled, "x_bar = w_bar = 2 * one_product", slip="factor"),
        made("three numbers", "(forward, x_bar, w_bar, b_bar)", "(forward, x_bar, w_bar, None)", fault="structure"),
        made("both in one", "AffineFlops(forward, x_bar, w_bar, b_bar)", "forward + x_bar", fault="structure"),
        right(
            exercise,
            "each by itself",
            (pulled, "x_bar, w_bar = batch * d_in * (d_out + d_out), d_in * d_out * 2 * batch"),
        ),
        right(exercise, "a tuple", ("AffineFlops(forward, x_bar, w_bar, b_bar)", "(forward, x_bar, w_bar, b_bar)")),
        right(exercise, "floating-point numbers", (product, "one_product = 2.0 * batch * d_in * d_out")),
        right(exercise, "NumPy", (product, "one_product = 2 * np.prod([batch, d_in, d_out])")),
    )


def _step() -> tuple[Answer, ...]:
    exercise = "cost_of_backprop.training_flops"
    each, back = "2 * batch * d_in * d_out for d_in, d_out in pairwise(sizes)", "2 * forward - products[0]"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("twice", back, "2 * forward", mistake="the images' cotangent"),
        made("once", back, "forward", mistake="one product a layer"),
        made("the last", back, "2 * forward - products[-1]", mistake="the last layer's product"),
        made("no first layer", back, "2 * (forward - products[0])", mistake="nothing of the first layer"),
        made("three times", back, "3 * forward - products[0]", mistake="forward in backward"),
        made(
            "no additions",
            each,
            "batch * d_in * d_out for d_in, d_out in pairwise(sizes)",
            mistake="multiplications alone",
        ),
        made("a row", each, "2 * d_in * d_out for d_in, d_out in pairwise(sizes)", mistake="one row alone"),
        made("no last layer", "pairwise(sizes)]", "pairwise(sizes[:-1])]", mistake="the hidden layers alone"),
        made("biases", each, "2 * batch * (d_in + 1) * d_out for d_in, d_out in pairwise(sizes)"),
        made("layers alike", back, "2 * forward - forward // len(products)"),
        made("a list", "(forward, backward)", "(products, backward)", fault="structure"),
        made(
            "two layers at least",
            back,
            "2 * forward - products[0] if products[1:] else 0",
            case="a network of one layer",
        ),
        right(exercise, "layer by layer", (back, "products[0] + 2 * sum(products[1:])")),
        right(
            exercise,
            "a loop",
            functions=(
                "def training_flops(batch, sizes):\n"
                "    forward = backward = 0\n"
                "    for i in range(len(sizes) - 1):\n"
                "        forward += 2 * batch * sizes[i] * sizes[i + 1]\n"
                "        backward += (4 if i else 2) * batch * sizes[i] * sizes[i + 1]\n"
                "    return forward, backward\n"
            ),
        ),
        right(exercise, "NumPy", ("forward = sum(products)", "forward = np.sum(products)")),
    )


def _kept() -> tuple[Answer, ...]:
    exercise = "cost_of_backprop.kept_bytes"
    units, loss, whole = "(4 + 1) * sum(hidden)", "4 * classes", "batch * (of_hidden + of_loss)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("wide masks", units, "8 * sum(hidden)", mistake="masks of four bytes"),
        made("no masks", units, "4 * sum(hidden)", mistake="no masks"),
        made("z as well", units, "9 * sum(hidden)", mistake="before the relu as well"),
        made("a mask too many", loss, "5 * classes", mistake="a mask of the logits"),
        made("no logits", loss, "0", mistake="no logits"),
        made("images", loss, "4 * (classes + sizes[0])", mistake="the images too"),
        made("numbers", whole, "batch * (2 * sum(hidden) + classes)", mistake="numbers for bytes"),
        made("double", whole, "batch * (9 * sum(hidden) + 8 * classes)", mistake="eight bytes a number"),
        made("a row", whole, "of_hidden + of_loss", mistake="one row alone"),
        made(
            "parameters",
            whole,
            "batch * (of_hidden + of_loss) + 4 * sum((a + 1) * b for a, b in pairwise(sizes))",
            mistake="the parameters too",
        ),
        made("layers alike", units, "(4 + 1) * len(hidden) * hidden[0] if hidden else 0"),
        made("two layers at least", units, "(4 + 1) * sum(hidden) if hidden else 1", case="a network of one layer"),
        made("a pair", whole, "batch * of_hidden, batch * of_loss", fault="structure"),
        right(exercise, "all, less the logits' masks", (whole, "batch * (5 * sum(sizes[1:]) - classes)")),
        right(exercise, "an array", (whole, "jnp.asarray(batch * (of_hidden + of_loss))")),
        right(
            exercise,
            "arrays that are not made",
            functions=(
                "def kept_bytes(batch, sizes):\n"
                "    size = lambda d, bytes: batch * d * bytes\n"
                "    return sum(size(d, 4) for d in sizes[1:]) + sum(size(d, 1) for d in sizes[1:-1])\n"
            ),
        ),
    )


def _batch() -> tuple[Answer, ...]:
    exercise = "cost_of_backprop.largest_batch"
    params, fixed, row = "(d_in + 1) * d_out", "2 * 4 * parameters", "4 * sizes[0] + kept_bytes(1, sizes)"
    whole = "max(0, (memory - fixed) // row)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("no gradient", fixed, "4 * parameters", mistake="no gradient"),
        made("nothing fixed", fixed, "0", mistake="neither parameters nor gradient"),
        made("no images", row, "kept_bytes(1, sizes)", mistake="no images"),
        made("images alone", row, "4 * sizes[0]", mistake="no activations"),
        made(
            "gradients", whole, "(memory - 4 * parameters) // (row + 4 * parameters)", mistake="a gradient for each row"
        ),
        made("rounded up", whole, "max(0, -(-(memory - fixed) // row))", mistake="one row too many"),
        made("numbers", fixed, "2 * parameters"),
        made("not whole", whole, "max(0, (memory - fixed) / row)"),
        made("less than nothing", whole, "(memory - fixed) // row", case="memory for half of what is there anyway"),
        made("rounded", whole, "max(0, round((memory - fixed) / row))", case="a byte less than some rows take"),
        right(exercise, "one by one", (params, "d_in * d_out + d_out")),
        right(exercise, "rounded down", (whole, "max(0, math.floor((memory - fixed) / row))")),
        right(
            exercise,
            "tried",
            functions=(
                "def largest_batch(sizes, memory):\n"
                "    fixed = 8 * sum(a * b + b for a, b in zip(sizes[:-1], sizes[1:]))\n"
                "    rows = 0\n"
                "    while fixed + (rows + 1) * 4 * sizes[0] + kept_bytes(rows + 1, sizes) <= memory:\n"
                "        rows += 1\n"
                "    return rows\n"
            ),
        ),
    )


def _shared() -> tuple[Answer, ...]:
    exercise = "cost_of_backprop.shared_layers"
    z_bar, back, order = "y_bar * (1 - y**2)", "return z_bar @ w.T, z_bar", "ys, reverse=True)"
    xs, w_bar = "jnp.concatenate([x[None], ys[:-1]])", 'jnp.einsum("rni,rnj->ij", xs, z_bars)'
    returned, kept = "return w_bar, x_bar", "return y, (w, x, ys)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("the first round", w_bar, "xs[0].T @ z_bars[0]", mistake="first round alone"),
        made("the last round", w_bar, "xs[-1].T @ z_bars[-1]", mistake="last round alone"),
        made("not x", w_bar, 'jnp.einsum("rni,rnj->ij", ys[:-1], z_bars[1:])', mistake="first round left out"),
        made(
            "to the last but one",
            w_bar,
            'jnp.einsum("rni,rnj->ij", xs[:-1], z_bars[:-1])',
            mistake="last round left out",
        ),
        made("a mean", w_bar, 'jnp.einsum("rni,rnj->ij", xs, z_bars) / len(xs)', mistake="averaged over the rounds"),
        made("no tanh", z_bar, "y_bar", mistake="tanh left out"),
        made("tanh of y", z_bar, "y_bar * (1 - tanh(y) ** 2)", mistake="tanh taken twice"),
        made("no square", z_bar, "y_bar * (1 - y)", mistake="slope without its square"),
        made("a plus", z_bar, "y_bar * (1 + y**2)", mistake="slope with a plus"),
        made("a minus", z_bar, "y_bar * (y**2 - 1)", mistake="a minus in every round"),
        made("y_bar kept", back, "return z_bar @ w.T, y_bar", mistake="no tanh before w"),
        made("y_bar handed on", back, "return y_bar @ w.T, z_bar", mistake="no tanh on the way on"),
        made("one slope", z_bar, "y_bar * (1 - ys[-1] ** 2)", mistake="last slope in every round"),
        made("y for x", xs, "ys", mistake="x after the round"),
        made("x alone", xs, "jnp.broadcast_to(x, ys.shape)", mistake="the first x in every round"),
        made("one list turned round", xs, "jnp.concatenate([x[None], ys[:-1]])[::-1]", mistake="every x turned round"),
        made("as it is", back, "return z_bar @ w, z_bar", mistake="w not transposed"),
        made("forward again", order, "ys)", mistake="rounds in forward's order"),
        made(
            "nothing comes in",
            "one_round, y_bar, ys",
            "one_round, jnp.ones_like(y_bar), ys",
            mistake="what comes back not asked",
        ),
        made("turned over", w_bar, 'jnp.einsum("rni,rnj->ji", xs, z_bars)', slip="transposed"),
        made("minus", returned, "return -w_bar, x_bar", line="has the wrong sign. It is the path through `w`"),
        made("for each round", w_bar, 'jnp.einsum("rni,rnj->rij", xs, z_bars)', slip="not summed"),
        made("exchanged", returned, "return x_bar, w_bar", slip="shape"),
        made(
            "for one row of five",
            w_bar,
            'jnp.einsum("rni,rnj->ij", xs, z_bars) * len(x) / 5',
            case="a batch of one row",
        ),
        right(exercise, "added up in the loop", functions=IN_THE_LOOP),
        right(exercise, "Python's loops", functions=_LOOPS),
        right(
            exercise, "one product of tall matrices", (w_bar, "xs.reshape(-1, len(w)).T @ z_bars.reshape(-1, len(w))")
        ),
        right(exercise, "all x kept", (kept, "return y, (w, jnp.concatenate([x[None], ys]))"), functions=_ALL_KEPT),
        right(exercise, "a sum of products", (w_bar, "(jnp.swapaxes(xs, 1, 2) @ z_bars).sum(axis=0)")),
    )


IN_THE_LOOP = """
def shared_layers_bwd(residuals, y_bar):
    w, x, ys = residuals

    def one_round(carry, kept):
        y_bar, w_bar = carry
        x, y = kept
        z_bar = y_bar * (1 + y) * (1 - y)
        return (z_bar @ w.T, w_bar + x.T @ z_bar), None

    xs = jnp.concatenate([x[None], ys[:-1]])
    (x_bar, w_bar), _ = jax.lax.scan(one_round, (y_bar, jnp.zeros_like(w)), (xs, ys), reverse=True)
    return w_bar, x_bar
"""

_LOOPS = """
def shared_layers_fwd(w, x):
    xs = [x]
    for _ in range(ROUNDS):
        xs.append(jnp.tanh(xs[-1] @ w))
    return xs[-1], (w, xs)


def shared_layers_bwd(residuals, y_bar):
    w, xs = residuals
    w_bar = 0
    while len(xs) > 1:
        *xs, y = xs
        z_bar = y_bar - y_bar * y * y
        w_bar = w_bar + xs[-1].T @ z_bar
        y_bar = z_bar @ w.T
    return w_bar, y_bar
"""

_ALL_KEPT = """
def shared_layers_bwd(residuals, y_bar):
    w, xs = residuals
    z_bars = []
    for y in xs[:0:-1]:
        z_bars.append(y_bar * (1 - y**2))
        y_bar = z_bars[-1] @ w.T
    return sum(x.T @ z_bar for x, z_bar in zip(xs, z_bars[::-1])), y_bar
"""

ANSWERS = (*_affine(), *_step(), *_kept(), *_shared(), *_batch())
