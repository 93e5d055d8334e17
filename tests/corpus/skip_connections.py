"""Answers to `skip_connections`: what people write for blocks, stacks of them, and what coins drop."""

from tests.corpus.answers import Answer, right, variants


def _skip_block() -> tuple[Answer, ...]:
    exercise = "skip_connections.skip_block"
    kept, z_bar, w_bar, x_bar = "x, w, on", "jnp.where(on, y_bar, 0)", "x.T @ z_bar", "y_bar + z_bar @ w.T"
    one, other = variants(
        exercise,
        f"""
def skip_block_fwd(x, w):
    z = x @ w
    on = z > 0
    y = x + jnp.where(on, z, 0)
    return y, ({kept})


def skip_block_bwd(residuals, y_bar):
    {kept} = residuals
    z_bar = {z_bar}
    w_bar = {w_bar}
    x_bar = {x_bar}
    return x_bar, w_bar
""",
    )
    return (
        one("no skip", x_bar, "z_bar @ w.T", mistake="the skip connection left out"),
        one("no branch", x_bar, "y_bar", mistake="the branch left out"),
        one("no relu", z_bar, "y_bar", mistake="the relu left out"),
        one("switched skip", x_bar, "z_bar + z_bar @ w.T", mistake="the relu around both"),
        one("switches of the sum", "on = z > 0", "on = x + jnp.maximum(z, 0) > 0", fault="value"),
        one(
            "switches of y",
            "return y, (x, w, on)",
            "return y, (x, w, y > 0)",
            mistake="the relu of the sum",
        ),
        one("w as it is", x_bar, "y_bar + z_bar @ w", mistake="weights not turned"),
        one("y kept for x", "return y, (x, w, on)", "return y, (y, w, on)", mistake="what came out for what went in"),
        one("y_bar for w", w_bar, "x.T @ y_bar", mistake="w past the relu"),
        one("skip twice", x_bar, "2 * y_bar + z_bar @ w.T", mistake="the skip connection twice"),
        one("on at 0", "on = z > 0", "on = z >= 0", case="a row of zeros"),
        one("a minus", x_bar, "y_bar - z_bar @ w.T", line="wrong sign"),
        one("w_bar turned", w_bar, "z_bar.T @ x", slip="transposed"),
        one("w_bar averaged", w_bar, "x.T @ z_bar / len(x)", slip="factor"),
        one("no skip in forward", "y = x + jnp.where(on, z, 0)", "y = jnp.where(on, z, 0)", fault="value"),
        one("swapped", "return x_bar, w_bar", "return w_bar, x_bar", slip="shape"),
        one("no w_bar", "return x_bar, w_bar", "return (x_bar,)", fault="structure"),
        other("a product of switches", z_bar, "on * y_bar"),
        other(
            "by einsum", w_bar, "jnp.einsum('ni,nj->ij', x, z_bar)", x_bar, "y_bar + jnp.einsum('nj,ij->ni', z_bar, w)"
        ),
        other("the value of z kept", "return y, (x, w, on)", "return y, (x, w, z > 0.0)"),
        other("y less x", "return y, (x, w, on)", "return y, (x, w, y - x > 0)"),
    )


def _skip_stack() -> tuple[Answer, ...]:
    exercise = "skip_connections.skip_stack"
    record, carried, w_bar = "(h, on)", "h_bar + z_bar @ weights.T", "h.T @ z_bar"
    z_bar, back = "jnp.where(on, h_bar, 0)", "jax.lax.scan(layer, y_bar, (w, before, on), reverse=True)"
    one, other = variants(
        exercise,
        f"""
def skip_stack_fwd(x, w):
    def layer(h, weights):
        z = h @ weights
        on = z > 0
        after = h + jnp.where(on, z, 0)
        return after, {record}

    y, (before, on) = jax.lax.scan(layer, x, w)
    return y, (w, before, on)


def skip_stack_bwd(residuals, y_bar):
    w, before, on = residuals

    def layer(h_bar, kept):
        weights, h, on = kept
        z_bar = {z_bar}
        return {carried}, {w_bar}

    return {back}
""",
    )
    return (
        one("no skip", carried, "z_bar @ weights.T", mistake="the skip connection left out"),
        one("no branch", carried, "h_bar", mistake="the branch left out"),
        one("no relu", z_bar, "h_bar", mistake="the relu left out"),
        one("switched skip", carried, "z_bar + z_bar @ weights.T", mistake="the relu around both"),
        one("switches of the sum", record, "(h, after > 0)", mistake="the relu of the sum"),
        one("weights as they are", carried, "h_bar + z_bar @ weights", mistake="weights not turned"),
        one("what came out", record, "(after, on)", mistake="what came out for what went in"),
        one(
            "x for all",
            "return y, (w, before, on)",
            "return y, (w, jnp.broadcast_to(x, before.shape), on)",
            mistake="x met everywhere",
        ),
        one("forward's order", back, back.replace(", reverse=True", ""), mistake="the first block first"),
        one("y_bar for h_bar", carried, "y_bar + z_bar @ weights.T", mistake="y_bar on every skip connection"),
        one("a minus", carried, "h_bar - z_bar @ weights.T", line="wrong sign"),
        one("w_bar turned", w_bar, "z_bar.T @ h", slip="transposed"),
        one("turned round", back, f"jax.tree.map(lambda a: a[::-1], {back})", slip="reversed"),
        one("y_bar to the weights", w_bar, "h.T @ jnp.where(on, y_bar, 0)", line="is missing"),
        one(
            "the last block alone",
            "return y, (w, before, on)",
            "return y, (w[-1:], before[-1:], on[-1:])",
            line="every round of the loop but the last",
        ),
        other("switches as numbers", record, "(h, jnp.where(on, 1.0, 0.0).astype(h.dtype))", z_bar, "on * h_bar"),
        other(
            "z again",
            "weights, h, on = kept",
            "weights, h, _ = kept\n        on = h @ weights > 0",
        ),
        other("factored", carried, "z_bar @ weights.T + h_bar", w_bar, "jnp.einsum('ni,nj->ij', h, z_bar)"),
        other(
            "by a loop",
            f"    return {back}\n",
            """
    h_bar, w_bars = y_bar, []
    for kept in list(zip(w, before, on))[::-1]:
        h_bar, w_bar = layer(h_bar, kept)
        w_bars.insert(0, w_bar)
    return h_bar, jnp.stack(w_bars)
""",
        ),
        right(
            exercise,
            "the block's pair, scanned",
            functions="""
def skip_stack_fwd(x, w):
    return jax.lax.scan(skip_block_fwd, x, w)


def skip_stack_bwd(residuals, y_bar):
    return jax.lax.scan(lambda h_bar, kept: skip_block_bwd(kept, h_bar), y_bar, residuals, reverse=True)
""",
        ),
    )


def _pre_norm() -> tuple[Answer, ...]:
    exercise = "skip_connections.pre_norm_block"
    entered, z_bar = "normed, w, on)", "jnp.where(on, y_bar, 0)"
    through, added = "rms_norm_bwd(kept_norm, normed_bar)", "y_bar + through_branch"
    one, other = variants(
        exercise,
        f"""
def pre_norm_block_fwd(x, scale, w):
    normed, kept_norm = rms_norm_fwd(x, scale)
    z = normed @ w
    on = z > 0
    return x + jnp.where(on, z, 0), (kept_norm, {entered}


def pre_norm_block_bwd(residuals, y_bar):
    kept_norm, normed, w, on = residuals
    z_bar = {z_bar}
    w_bar = normed.T @ z_bar
    normed_bar = z_bar @ w.T
    through_branch, scale_bar = {through}
    return {added}, scale_bar, w_bar
""",
    )
    return (
        one("no skip", added, "through_branch", mistake="the skip connection left out"),
        one("no branch", added, "y_bar", mistake="the branch left out"),
        one(
            "added before the norm",
            through,
            "rms_norm_bwd(kept_norm, y_bar + normed_bar)",
            added,
            "through_branch",
            mistake="the norm on the skip connection",
        ),
        one("past the norm", added, "y_bar + normed_bar", mistake="past the norm"),
        one(
            "a constant root",
            added,
            "y_bar + normed_bar * kept_norm[1] * kept_norm[2]",
            mistake="the root held still",
        ),
        one("x for what was normed", entered, "x, w, on)", mistake="x into the product"),
        one("no relu", z_bar, "y_bar", mistake="the relu left out"),
        one("w as it is", "z_bar @ w.T", "z_bar @ w", mistake="weights not turned"),
        one("a minus", added, "y_bar - through_branch", line="wrong sign"),
        one("w_bar turned", "normed.T @ z_bar", "z_bar.T @ normed", slip="transposed"),
        one("skip twice", added, "2 * y_bar + through_branch", line="counted twice"),
        one("scale_bar of zeros", ", scale_bar, w_bar", ", 0 * scale_bar, w_bar", line="is missing"),
        one("no skip in forward", "return x + jnp.where(on, z, 0)", "return jnp.where(on, z, 0)", fault="value"),
        one("scale_bar left out", ", scale_bar, w_bar", ", w_bar", fault="structure"),
        other("switches multiplied", z_bar, "on * y_bar"),
        other("z kept", entered, "normed, w, z)", z_bar, "jnp.where(on > 0, y_bar, 0)"),
        other("by einsum", "normed.T @ z_bar", "jnp.einsum('ni,nj->ij', normed, z_bar)"),
        other(
            "the norm forward again",
            entered,
            "x, w, on)",
            "kept_norm, normed, w, on = residuals",
            "kept_norm, x, w, on = residuals\n    normed = x * kept_norm[2] * kept_norm[1]",
        ),
    )


def _post_norm() -> tuple[Answer, ...]:
    exercise = "skip_connections.post_norm_block"
    first, then = "rms_norm_bwd(kept_norm, y_bar)", "skip_block_bwd(kept_block, h_bar)"
    returned = "return x_bar, scale_bar, w_bar"
    one, other = variants(
        exercise,
        f"""
def post_norm_block_fwd(x, scale, w):
    h, kept_block = skip_block_fwd(x, w)
    y, kept_norm = rms_norm_fwd(h, scale)
    return y, (kept_block, kept_norm)


def post_norm_block_bwd(residuals, y_bar):
    kept_block, kept_norm = residuals
    h_bar, scale_bar = {first}
    x_bar, w_bar = {then}
    {returned}
""",
    )
    return (
        one("y_bar to the block", then, "skip_block_bwd(kept_block, y_bar)", mistake="past the norm"),
        one(
            "a constant root",
            then,
            "skip_block_bwd(kept_block, y_bar * kept_norm[1] * kept_norm[2])",
            mistake="the root held still",
        ),
        one(
            "y_bar over the skip",
            returned,
            "return x_bar - h_bar + y_bar, scale_bar, w_bar",
            mistake="the skip connection past the norm",
        ),
        one(
            "no skip",
            returned,
            "return x_bar - h_bar, scale_bar, w_bar",
            mistake="the skip connection left out",
        ),
        one("no branch", returned, "return h_bar, scale_bar, w_bar", mistake="the branch left out"),
        one(
            "no relu",
            then,
            "(h_bar + h_bar @ kept_block[1].T, kept_block[0].T @ h_bar)",
            mistake="the relu left out",
        ),
        one("skip twice", returned, "return x_bar + h_bar, scale_bar, w_bar", line="counted twice"),
        one("a minus", returned, "return -x_bar, scale_bar, w_bar", line="wrong sign"),
        one("w_bar turned", returned, "return x_bar, scale_bar, w_bar.T", slip="transposed"),
        one("halved", returned, "return x_bar, scale_bar / 2, w_bar", slip="factor"),
        one("the block first", first, "rms_norm_bwd(kept_norm, skip_block_bwd(kept_block, y_bar)[0])"),
        one("no norm in forward", "return y, (kept", "return h, (kept", fault="value"),
        one("swapped", returned, "return x_bar, w_bar, scale_bar", slip="shape"),
        other(
            "a dictionary",
            "return y, (kept_block, kept_norm)",
            "return y, {'a': kept_block, 'b': kept_norm}",
            "kept_block, kept_norm = residuals",
            "kept_block, kept_norm = residuals['a'], residuals['b']",
        ),
        other(
            "a list",
            "return y, (kept_block, kept_norm)",
            "return y, [kept_norm, kept_block]",
            "kept_block, kept_norm = residuals",
            "kept_norm, kept_block = residuals",
        ),
        other(
            "by the block's own parts",
            then,
            "(h_bar + (h_bar * kept_block[2]) @ kept_block[1].T, kept_block[0].T @ (h_bar * kept_block[2]))",
        ),
        other(
            "in one line",
            f"h_bar, scale_bar = {first}\n    x_bar, w_bar = {then}\n    {returned}",
            f"h_bar, scale_bar = {first}\n    return {then}[0], scale_bar, {then}[1]",
        ),
    )


def _dropout() -> tuple[Answer, ...]:
    exercise = "skip_connections.dropout"
    keep, unpack, x_bar = "(kept, rate)", "kept, rate = residuals", "jnp.where(kept, y_bar, 0) / (1 - rate)"
    drawn, returned = "kept = coins(key, rate, x.shape)", "return None, x_bar, None"
    one, other = variants(
        exercise,
        f"""
def dropout_fwd(key, x, rate):
    {drawn}
    y = jnp.where(kept, x, 0) / (1 - rate)
    return y, {keep}


def dropout_bwd(residuals, y_bar):
    {unpack}
    x_bar = {x_bar}
    {returned}
""",
    )
    again = "key, rate = residuals\n    {}kept = coins(key, rate, y_bar.shape)"
    return (
        one(
            "another key",
            keep,
            "(key, rate)",
            unpack,
            again.format("key = jax.random.fold_in(key, 1)\n    "),
            mistake="other coins",
        ),
        one("everything gets some", x_bar, "y_bar / (1 - rate)", mistake="no coins"),
        one("the dropped", x_bar, "jnp.where(kept, 0, y_bar) / (1 - rate)", mistake="the coins turned over"),
        one("not enlarged", x_bar, "jnp.where(kept, y_bar, 0)", mistake="not enlarged"),
        one("twice", x_bar, "jnp.where(kept, y_bar, 0) / (1 - rate) ** 2", mistake="enlarged twice"),
        one("multiplied", x_bar, "jnp.where(kept, y_bar, 0) * (1 - rate)", mistake="made smaller"),
        one("by the rate", x_bar, "jnp.where(kept, y_bar, 0) / rate", mistake="divided by the rate"),
        one("evaluation's", x_bar, "y_bar", mistake="that of evaluation"),
        one("a minus", x_bar, "-jnp.where(kept, y_bar, 0) / (1 - rate)", line="wrong sign"),
        one("zeros", x_bar, "0 * y_bar", line="is missing"),
        one(
            "times x",
            keep,
            "(x, kept, rate)",
            unpack,
            "x, kept, rate = residuals",
            x_bar,
            "x * kept * y_bar / (1 - rate)",
            line="another derivative",
        ),
        one("split", keep, "(key, rate)", unpack, again.format("key, _ = jax.random.split(key)\n    ")),
        one("a coin a row", drawn, "kept = coins(key, rate, (len(x), 1))", fault="value"),
        one("what is dropped is kept", drawn, "kept = ~coins(key, rate, x.shape)", fault="value"),
        one("not enlarged at all", "jnp.where(kept, x, 0) / (1 - rate)", "jnp.where(kept, x, 0)", fault="value"),
        one("a key of its own", drawn, "kept = coins(jax.random.key(0), rate, x.shape)", fault="value"),
        one("x_bar alone", returned, "return (x_bar,)", fault="structure"),
        other("drawn again", keep, "(key, rate)", unpack, again.format("")),
        other("a product", x_bar, "kept * y_bar / (1 - rate)"),
        other("JAX's own coins", drawn, "kept = jax.random.bernoulli(key, 1 - rate, x.shape)"),
        other("floating coins", keep, "(kept / (1 - rate), rate)", x_bar, "kept * y_bar"),
        other("the rate's cotangent, too", returned, "return None, x_bar, 0.0"),
    )


def _stochastic_depth() -> tuple[Answer, ...]:
    exercise = "skip_connections.stochastic_depth"
    z_bar, w_bar, x_bar = "jnp.where(on, y_bar, 0) / (1 - rate)", "x.T @ z_bar", "y_bar + z_bar @ w.T"
    keep, unpack, returned = (
        "(x, w, rate, kept, on)",
        "x, w, rate, kept, on = residuals",
        "return None, x_bar, w_bar, None",
    )
    value = "x + jnp.where(on, z, 0) / (1 - rate)"
    one, other = variants(
        exercise,
        f"""
def stochastic_depth_fwd(key, x, w, rate):
    kept = coins(key, rate, (len(x), 1))
    z = x @ w
    on = kept & (z > 0)
    return {value}, {keep}


def stochastic_depth_bwd(residuals, y_bar):
    {unpack}
    z_bar = {z_bar}
    w_bar = {w_bar}
    x_bar = {x_bar}
    {returned}
""",
    )
    z_keep, z_unpack = "(x, w, rate, kept, z)", "x, w, rate, kept, z = residuals"
    return (
        one(
            "another key",
            keep,
            "(x, w, rate, key, z)",
            unpack,
            "x, w, rate, key, z = residuals\n    on = coins(jax.random.fold_in(key, 1), rate, (len(x), 1)) & (z > 0)",
            mistake="other coins",
        ),
        one("no coins", keep, z_keep, unpack, f"{z_unpack}\n    on = z > 0", mistake="no coins"),
        one(
            "dropped rows", x_bar, "jnp.where(kept, y_bar, 0) + z_bar @ w.T", mistake="the skip connection dropped too"
        ),
        one("all enlarged", x_bar, "y_bar / (1 - rate) + z_bar @ w.T", mistake="the skip connection enlarged too"),
        one("not enlarged", z_bar, "jnp.where(on, y_bar, 0)", mistake="not enlarged"),
        one("twice", z_bar, "jnp.where(on, y_bar, 0) / (1 - rate) ** 2", mistake="enlarged twice"),
        one("no skip", x_bar, "z_bar @ w.T", mistake="the skip connection left out"),
        one(
            "all rows for w",
            keep,
            z_keep,
            unpack,
            f"{z_unpack}\n    on = kept & (z > 0)",
            w_bar,
            "x.T @ (y_bar * (z > 0) / (1 - rate))",
            mistake="w from all rows",
        ),
        one("no relu", z_bar, "jnp.where(kept, y_bar, 0) / (1 - rate)", mistake="the relu left out"),
        one("a minus", x_bar, "y_bar - z_bar @ w.T", line="wrong sign"),
        one("w_bar turned", w_bar, "z_bar.T @ x", slip="transposed"),
        one("w as it is", x_bar, "y_bar + z_bar @ w", line="transpose are exchanged"),
        one("a coin for each number", "(len(x), 1)", "x.shape", fault="value"),
        one("everything enlarged in forward", value, "(x + jnp.where(on, z, 0)) / (1 - rate)", fault="value"),
        one("three", returned, "return None, x_bar, w_bar", fault="structure"),
        other("a product", z_bar, "on * y_bar / (1 - rate)"),
        other(
            "drawn again",
            keep,
            "(x, w, rate, key, z > 0)",
            unpack,
            "x, w, rate, key, on = residuals\n    on = on & coins(key, rate, (len(x), 1))",
        ),
        other("in one factor", keep, "(x, w, rate, kept / (1 - rate), z > 0)", z_bar, "kept * (on * y_bar)"),
        other("x_bar by the coins", x_bar, "jnp.where(kept, y_bar + z_bar @ w.T, y_bar)"),
    )


ANSWERS = (*_skip_block(), *_skip_stack(), *_pre_norm(), *_post_norm(), *_dropout(), *_stochastic_depth())
