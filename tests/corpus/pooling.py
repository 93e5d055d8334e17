"""Answers to `pooling`, wrong and right; the pairs of earlier lessons that the network is made of are right."""

from tests.corpus.answers import Answer, right, variants, wrong


def _average_pool() -> tuple[Answer, ...]:
    share, repeated = "y_bar / 4", "jnp.repeat(jnp.repeat(share, 2, axis=1), 2, axis=2)"
    one, other = variants(
        "pooling.average_pool",
        f"""
def average_pool_fwd(x):
    return average_pool(x), ()


def average_pool_bwd(residuals, y_bar):
    share = {share}
    x_bar = {repeated}
    return (x_bar,)
""",
    )
    return (
        one("not divided", share, "y_bar", mistake="not divided"),
        one("by the side", share, "y_bar / 2", mistake="divided by the side"),
        one("by sixteen", share, "y_bar / 16", mistake="divided twice"),
        one("the first pixel", repeated, "jnp.zeros((len(share), 2 * share.shape[1], 2 * share.shape[2],"
            " share.shape[3])).at[:, ::2, ::2].set(share)", mistake="one pixel of each block"),
        one("the first row", "return (x_bar,)", "return (x_bar.at[:, 1::2].set(0),)", mistake="one row of each block"),
        one("tiled", repeated, "jnp.tile(share, (1, 2, 2, 1))", mistake="tiled for repeated"),
        one("a mean over the batch", share, "y_bar / 4 / len(y_bar)", mistake="averaged over the batch"),
        one("ones for y_bar", share, "jnp.ones_like(y_bar) / 4", mistake="y_bar left out"),
        one("a minus", share, "-y_bar / 4", slip="sign"),
        one("tiled along one axis", repeated, "jnp.tile(jnp.repeat(share, 2, axis=1), (1, 1, 2, 1))"),
        one("one axis alone", repeated, "jnp.repeat(share, 2, axis=1)", slip="shape"),
        one("a bare sum forward", "return average_pool(x), ()", "return 4 * average_pool(x), ()", fault="value"),
        other("broadcast", repeated, "jnp.broadcast_to(share[:, :, None, :, None], (len(share), share.shape[1], 2,"
              " share.shape[2], 2, share.shape[3])).reshape(len(share), 2 * share.shape[1], 2 * share.shape[2], -1)"),
        other("four pieces", repeated, "sum(jnp.zeros((len(share), 2 * share.shape[1], 2 * share.shape[2],"
              " share.shape[3])).at[:, i::2, j::2].set(share) for i in (0, 1) for j in (0, 1))"),
        other("by a product with ones", repeated, "jnp.kron(share, jnp.ones((1, 2, 2, 1)))"),
        other("halved twice", share, "y_bar * 0.5 * 0.5"),
        other("None kept", "average_pool(x), ()", "average_pool(x), None"),
    )  # fmt: skip


PICKED = "open_still & (x[place] == y)"
CLOSED = "open_still & ~picked"
SENT = "jnp.where(picked, y_bar, 0)"
FIRST = "x, y = residuals"
ALL = "        open_still = open_still & ~picked\n"


def _max_pool() -> tuple[Answer, ...]:
    one, other = variants(
        "pooling.max_pool",
        f"""
def max_pool_fwd(x):
    y = max_pool(x)
    return y, (x, y)


def max_pool_bwd(residuals, y_bar):
    {FIRST}
    x_bar, open_still = jnp.zeros_like(x), jnp.ones(y.shape, bool)
    for place in places(BLOCKS, y.shape):
        picked = {PICKED}
{ALL}        x_bar = x_bar.at[place].add({SENT})
    return (x_bar,)
""",
    )
    repeated = "jnp.repeat(jnp.repeat({}, 2, axis=1), 2, axis=2)"
    return (
        one("all that tie", ALL, "", mistake="to all that tie"),
        one("equal shares", ALL, "", SENT, f"{SENT} / {{}}".format(
            "sum(jnp.equal(x[p], y) for p in places(BLOCKS, y.shape))"), mistake="shared among those that tie"),
        one("the last", "in places(BLOCKS, y.shape):", "in places(BLOCKS, y.shape)[::-1]:",
            mistake="the last of those that tie"),
        one("an average", "return (x_bar,)", f"return ({repeated.format('y_bar / 4')},)", mistake="shared among all"),
        one("to every pixel", "return (x_bar,)", f"return ({repeated.format('y_bar')},)", mistake="to every pixel"),
        one("the smallest", FIRST, f"{FIRST}\n    y = -max_pool(-x)", ALL, "", mistake="to the smallest"),
        one("the first pixel", PICKED, "open_still", mistake="always to the first pixel"),
        one("the value", SENT, "jnp.where(picked, y * y_bar, 0)", mistake="multiplied by the value"),
        one("ones for y_bar", SENT, "jnp.where(picked, 1, 0)", mistake="y_bar left out"),
        one("a minus", SENT, "jnp.where(picked, -y_bar, 0)", slip="sign"),
        one("column by column", "in places(BLOCKS, y.shape):",
            "in [places(BLOCKS, y.shape)[k] for k in (0, 2, 1, 3)]:"),
        one("the last row forgotten", "in places(BLOCKS, y.shape):", "in places(BLOCKS, y.shape)[:2]:"),
        one("an averaged value", "y = max_pool(x)", "y = average_pool(x)", fault="value"),
        one("as small as y", "return (x_bar,)", "return (y_bar,)", slip="shape"),
        other("set", "].add(", "].set("),
        other("by argmax", PICKED, "jnp.argmax(jnp.stack([x[p] for p in places(BLOCKS, y.shape)]), axis=0)"
              " == len(seen)", "jnp.ones(y.shape, bool)\n", "jnp.ones(y.shape, bool)\n    seen = []\n",
              ALL, "        seen.append(place)\n"),
        other("not equal, but not smaller", PICKED, "open_still & (x[place] >= y)"),
        other("multiplied by the answer", SENT, "picked * y_bar"),
    )  # fmt: skip


def _overlapping() -> tuple[Answer, ...]:
    one, other = variants(
        "pooling.overlapping_max_pool",
        f"""
def overlapping_max_pool_fwd(x, pool):
    y = overlapping_max_pool(x, pool)
    return y, (x, y, pool)


def overlapping_max_pool_bwd(residuals, y_bar):
    x, y, pool = residuals
    x_bar, open_still = jnp.zeros_like(x), jnp.ones(y.shape, bool)
    for place in places(pool, y.shape):
        picked = {PICKED}
{ALL}        x_bar = x_bar.at[place].add({SENT})
    return x_bar, None
""",
    )
    every = "jnp.ones_like(picked)"
    return (
        one("all that tie", ALL, "", mistake="to all that tie"),
        one("equal shares", ALL, "", SENT,
            f"{SENT} / sum(jnp.equal(x[p], y) for p in places(pool, y.shape))",
            mistake="shared among those that tie"),
        one("the last", "in places(pool, y.shape):", "in places(pool, y.shape)[::-1]:",
            mistake="the last of those that tie"),
        one("an average", SENT, "y_bar / 6", mistake="shared among all"),
        one("to every pixel", SENT, f"jnp.where({every}, y_bar, 0)", mistake="to every pixel"),
        one("the first pixel", PICKED, "open_still", mistake="always to the first pixel"),
        one("the value", SENT, "jnp.where(picked, y * y_bar, 0)", mistake="multiplied by the value"),
        one("ones for y_bar", SENT, "jnp.where(picked, 1, 0)", mistake="y_bar left out"),
        one("set for add", "].add(", "].set(", mistake="overwritten for added"),
        one("a minus", SENT, "jnp.where(picked, -y_bar, 0)", slip="sign"),
        one("set where picked", f"].add({SENT})", "].set(jnp.where(picked, y_bar, x_bar[place]))"),
        one("for the pool None left out", "return x_bar, None", "return (x_bar,)", fault="structure"),
        one("the last place forgotten", "in places(pool, y.shape):", "in places(pool, y.shape)[:-1]:"),
        other("multiplied by the answer", SENT, "picked * y_bar"),
        other("added at the end", f"x_bar = x_bar.at[place].add({SENT})",
              f"x_bar = x_bar + jnp.zeros_like(x).at[place].set({SENT})"),
        other("indices written out", "in places(pool, y.shape):",
              "in [(slice(None), slice(i, i + 2 * y.shape[1] - 1, 2), slice(j, j + y.shape[2])) for i in range(3)"
              " for j in range(2)]:"),
        other("not equal, but not smaller", PICKED, "open_still & (x[place] >= y)"),
    )  # fmt: skip


def _cnn_loss() -> tuple[Answer, ...]:
    exercise = "pooling.cnn_loss"
    relu, pool = "(y_bar,) = relu_bwd(kept_relu, y_bar)", "        (y_bar,) = max_pool_bwd(kept_pool, y_bar)\n"
    loss, shape = "softmax_cross_entropy_bwd(kept_loss, loss_bar)", "rows_bar.reshape(pictures.shape)"
    convolution, returned = "conv_2d_bwd(kept_convolution, y_bar)", "Cnn(convolutions_bar[::-1], readout_bar)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    everything = "jax.tree.map(lambda array: {}, " + returned + ")"
    return (
        made("relu left out", relu, "pass", mistake="relu left out"),
        made("an average's backward", "max_pool_bwd(kept_pool, y_bar)", "average_pool_bwd((), y_bar)",
             mistake="the mean's backward for the largest's"),
        made("nothing below", convolution, f"{convolution}\n        y_bar = 0 * y_bar", mistake="last layer alone"),
        made("channels before pixels", shape,
             "rows_bar.reshape(len(pictures), -1, *pictures.shape[1:3]).transpose(0, 2, 3, 1)",
             mistake="pictures put together in another order"),
        made("a second mean", returned, everything.format("array / len(pictures)"),
             mistake="parameters averaged over the batch"),
        made("ones for logits_bar", "affine_bwd(kept_readout, logits_bar)",
             "affine_bwd(kept_readout, loss_bar * jnp.ones_like(logits_bar))", mistake="what comes back not asked"),
        made("uphill", returned, everything.format("-array"), slip="sign"),
        made("without loss_bar", loss, "softmax_cross_entropy_bwd(kept_loss, jnp.ones(()))", slip="left out"),
        made("no biases", "Convolution(w_bar, b_bar)", "Convolution(w_bar, 0 * b_bar)", slip="zero"),
        made("last layer first", returned, "Cnn(convolutions_bar, readout_bar)", slip="shape"),
        made("relu before the pooling", f"{relu}\n{pool}", f"pass\n{pool}        {relu}\n", fault="exception"),
        made("gradients for data", "return Cnn(convolutions_bar[::-1], readout_bar), None, None",
             "return (Cnn(convolutions_bar[::-1], readout_bar),)", fault="structure"),
        right(exercise, "relu before the pooling, on both ways",
              ("        x, kept_pool = max_pool_fwd(x)\n        x, kept_relu = relu_fwd(x)\n",
               "        x, kept_relu = relu_fwd(x)\n        x, kept_pool = max_pool_fwd(x)\n"),
              (f"{relu}\n{pool}", f"pass\n{pool}        {relu}\n")),
        right(exercise, "inserted in front", ("convolutions_bar.append(", "convolutions_bar.insert(0, "),
              (returned, "Cnn(convolutions_bar, readout_bar)")),
        right(exercise, "an average of equals", (shape, "rows_bar.reshape(len(pictures), *pictures.shape[1:])")),
        right(exercise, "a dict", (returned, '{"convolutions": convolutions_bar[::-1], "readout": readout_bar}')),
        right(exercise, "loss_bar at the end", (loss, "softmax_cross_entropy_bwd(kept_loss, jnp.ones(()))"),
              (returned, everything.format("loss_bar * array"))),
    )  # fmt: skip


ANSWERS = (*_average_pool(), *_max_pool(), *_overlapping(), *_cnn_loss())
