"""Answers to `transformer`: what people hand from pair to pair, forget to add, and take for the mean of a batch."""

from tests.corpus.answers import Answer, right, variants, wrong


def _feed_forward() -> tuple[Answer, ...]:
    exercise = "transformer.feed_forward"
    through, met = "gelu_tanh_bwd(z, hidden_bar)[0]", "affine_bwd((hidden, params.w_out), y_bar)"
    entered = "affine_bwd((tokens, params.w_in), z_bar)"
    returned = "FeedForward(w_in_bar, b_in_bar, w_out_bar, b_out_bar), tokens_bar"
    one, other = variants(
        exercise,
        f"""
def feed_forward_fwd(params, tokens):
    z = tokens @ params.w_in + params.b_in
    hidden = gelu_tanh_fwd(z)[0]
    return hidden @ params.w_out + params.b_out, (params, tokens, z, hidden)


def feed_forward_bwd(residuals, y_bar):
    params, tokens, z, hidden = residuals
    hidden_bar, w_out_bar, b_out_bar = {met}
    z_bar = {through}
    tokens_bar, w_in_bar, b_in_bar = {entered}
    return {returned}
""",
    )
    return (
        one("handed on", through, "hidden_bar", mistake="gelu left out"),
        one("the value", through, "hidden_bar * hidden", mistake="gelu's value for its slope"),
        one("of hidden", through, "gelu_tanh_bwd(hidden, hidden_bar)[0]", mistake="gelu's slope at its value"),
        one("as relu", through, "jnp.where(z > 0, hidden_bar, 0)", mistake="relu's slope"),
        one("met z", met, "affine_bwd((z, params.w_out), y_bar)", mistake="w_out met z"),
        one(
            "w's means",
            returned,
            "FeedForward(w_in_bar / len(z), b_in_bar, w_out_bar / len(z), b_out_bar), tokens_bar",
            mistake="weights averaged",
        ),
        one(
            "b's means",
            returned,
            "FeedForward(w_in_bar, b_in_bar / len(z), w_out_bar, b_out_bar / len(z)), tokens_bar",
            mistake="biases averaged",
        ),
        one("ones", met, "affine_bwd((hidden, params.w_out), jnp.ones_like(y_bar))", mistake="y_bar left out"),
        one("a minus", through, "-gelu_tanh_bwd(z, hidden_bar)[0]", slip="sign"),
        one(
            "the wrong order",
            returned,
            "FeedForward(w_out_bar, b_in_bar, w_in_bar, b_out_bar), tokens_bar",
            slip="shape",
        ),
        one("y_bar past the first product", entered, "affine_bwd((tokens, params.w_in), hidden_bar * 2)"),
        one("loose leaves", returned, "w_in_bar, b_in_bar, w_out_bar, b_out_bar, tokens_bar", fault="structure"),
        one(
            "the exact gelu",
            "hidden = gelu_tanh_fwd(z)[0]",
            "hidden = jax.nn.gelu(z, approximate=False)",
            fault="value",
        ),
        other("hidden again", met, "affine_bwd((jax.nn.gelu(z), params.w_out), y_bar)"),
        other("a tuple", returned, "(w_in_bar, b_in_bar, w_out_bar, b_out_bar), tokens_bar"),
        other(
            "the slope kept",
            "(params, tokens, z, hidden)",
            "(params, tokens, gelu_tanh_bwd(z, jnp.ones_like(z))[0], hidden)",
            through,
            "z * hidden_bar",
        ),
        other(
            "by einsum",
            entered,
            'jnp.einsum("nh,dh->nd", z_bar, params.w_in), jnp.einsum("nd,nh->dh", tokens, z_bar), z_bar.sum(0)',
        ),
    )


def _block() -> tuple[Answer, ...]:
    exercise = "transformer.block"
    h_bar, x_bar = "y_bar + through_mlp", "h_bar + through_attention"
    mlp_norm = "layer_norm_bwd(kept_norm_mlp, normed_bar)"
    attention = "self_attention_bwd(kept_attention, h_bar.reshape(shape))"
    attention_norm = "layer_norm_bwd(kept_norm_attention, normed_bar.reshape(-1, shape[-1]))"
    returned = "Block(Norm(*norm_attention_bar), attention_bar, Norm(*norm_mlp_bar), mlp_bar)"
    start = "y_bar = y_bar.reshape(-1, shape[-1])"
    one, other = variants(
        exercise,
        f"""
def block_bwd(residuals, y_bar):
    kept_norm_attention, kept_attention, kept_norm_mlp, kept_mlp = residuals
    shape = y_bar.shape
    {start}
    mlp_bar, normed_bar = feed_forward_bwd(kept_mlp, y_bar)
    through_mlp, *norm_mlp_bar = {mlp_norm}
    h_bar = {h_bar}
    attention_bar, normed_bar = {attention}
    through_attention, *norm_attention_bar = {attention_norm}
    x_bar = {x_bar}
    return {returned}, x_bar.reshape(shape)
""",
    )
    return (
        one("no skip to h", h_bar, "through_mlp", mistake="the second skip lost"),
        one("no skip to x", x_bar, "through_attention", mistake="the first skip lost"),
        one("no skips", h_bar, "through_mlp", x_bar, "through_attention", mistake="both skips lost"),
        one("no branch to h", h_bar, "y_bar", mistake="through the network lost"),
        one("no branch to x", x_bar, "h_bar", mistake="through attention lost"),
        one(
            "norms passed by",
            mlp_norm,
            "(normed_bar, *layer_norm_bwd(kept_norm_mlp, normed_bar)[1:])",
            attention_norm,
            "(normed_bar.reshape(-1, shape[-1]), *layer_norm_bwd(kept_norm_attention, "
            "normed_bar.reshape(-1, shape[-1]))[1:])",
            mistake="norms handed on",
        ),
        one(
            "y_bar for attention",
            attention,
            "self_attention_bwd(kept_attention, y_bar.reshape(shape))",
            mistake="branches side by side",
        ),
        one("ones", start, "y_bar = jnp.ones_like(y_bar).reshape(-1, shape[-1])", mistake="y_bar left out"),
        one(
            "norms exchanged",
            returned,
            "Block(Norm(*norm_mlp_bar), attention_bar, Norm(*norm_attention_bar), mlp_bar)",
            slip="exchanged",
        ),
        one("y_bar added last", x_bar, "y_bar + through_attention", line="taken for another"),
        one("skip twice", x_bar, "h_bar + y_bar + through_attention"),
        one("a minus", h_bar, "y_bar - through_mlp", line="wrong sign"),
        one(
            "scale and bias exchanged",
            returned,
            returned.replace("Norm(*norm_mlp_bar)", "Norm(*norm_mlp_bar[::-1])"),
            slip="exchanged",
        ),
        wrong(
            exercise,
            "post-norm",
            ("    # 3. The second branch", "    y_bar = 1.0 * y_bar\n    # 3. The second branch"),
            ("return (h + thought).reshape(x.shape)", "return (normed + thought).reshape(x.shape)"),
            fault="value",
        ),
        other("a list of bars", returned, "[norm_attention_bar, attention_bar, norm_mlp_bar, mlp_bar]"),
        other("x_bar in one", x_bar, "y_bar + through_mlp + through_attention"),
        other("by rows of a batch", start, "y_bar = jnp.concatenate(list(y_bar))"),
        other("by einsum", h_bar, 'jnp.einsum("and->nd", jnp.stack([y_bar, through_mlp]))'),
    )


def _gpt() -> tuple[Answer, ...]:
    exercise = "transformer.gpt_loss"
    logits = "logits_bar, _ = masked_cross_entropy_bwd(kept_loss, loss_bar)"
    picked = "picked_bar, positions_bar, _ = embed_bwd(kept_embed, x_bar)"
    rows = "rows_bar, *norm_bar = layer_norm_bwd(kept_norm, normed_bar.reshape(-1, x.shape[-1]))"
    back = "block_bar, x_bar = block_bwd(kept, x_bar)"
    returned = "return Gpt(table_bar + picked_bar, positions_bar, blocks_bar[::-1], Norm(*norm_bar)), None, None"
    return (
        wrong(
            exercise,
            "no embedding",
            (returned, returned.replace("table_bar + picked_bar", "table_bar")),
            mistake="the table as readout alone",
        ),
        wrong(
            exercise,
            "no readout",
            (returned, returned.replace("table_bar + picked_bar", "picked_bar")),
            mistake="the table as embedding alone",
        ),
        wrong(
            exercise,
            "set for add",
            (picked, picked + "\n    picked_bar = jnp.zeros_like(table_bar).at[kept_embed[2]].set(x_bar)"),
            mistake="the last use alone",
        ),
        wrong(
            exercise,
            "positions' mean",
            (picked, picked + "\n    positions_bar = positions_bar / len(x)"),
            mistake="positions averaged",
        ),
        wrong(
            exercise,
            "not turned round",
            (returned, returned.replace("[::-1]", "")),
            mistake="blocks in backward's order",
        ),
        wrong(
            exercise,
            "nothing handed down",
            (back, "block_bar, x_bar = block_bwd(kept, x_bar)\n        x_bar = 0 * x_bar"),
            mistake="the last block alone",
        ),
        wrong(
            exercise, "past the norm", (rows, rows + "\n    rows_bar = normed_bar"), mistake="the last norm handed on"
        ),
        wrong(exercise, "loss_bar of 1", (logits, logits.replace("loss_bar)", "1.0)")), mistake="loss_bar left out"),
        wrong(exercise, "minus", (logits, logits.replace("loss_bar)", "-loss_bar)")), slip="sign"),
        wrong(
            exercise,
            "blocks first to last",
            ("for kept in reversed(kept_blocks):", "for kept in kept_blocks:"),
        ),
        wrong(exercise, "no positions", (returned, returned.replace("positions_bar", "None")), fault="structure"),
        right(
            exercise,
            "loss_bar last",
            (logits, logits.replace("loss_bar)", "1.0)")),
            (
                returned,
                "bars = Gpt(table_bar + picked_bar, positions_bar, blocks_bar[::-1], Norm(*norm_bar))\n"
                "    return jax.tree.map(lambda bar: loss_bar * bar, bars), None, None",
            ),
        ),
        right(
            exercise, "blocks put in front", (returned, returned.replace("blocks_bar[::-1]", "[*reversed(blocks_bar)]"))
        ),
        right(
            exercise,
            "added in place",
            (picked, picked + "\n    picked_bar = table_bar.at[kept_embed[2]].add(x_bar)"),
            (returned, returned.replace("table_bar + picked_bar", "picked_bar")),
        ),
        right(
            exercise,
            "a tuple for the norm",
            (returned, returned.replace("Norm(*norm_bar)", "tuple(norm_bar)")),
        ),
    )


def _accumulate() -> tuple[Answer, ...]:
    exercise = "transformer.accumulate"
    counted = "[(part != IGNORED).sum() for part in labels]"
    share = "count / jnp.maximum(sum(counts), 1)"
    added = "jax.tree.map(lambda total, own: total + share * own, carried, found)"
    one, other = variants(
        exercise,
        f"""
def accumulate(loss_and_gradient, params, ids, labels):
    counts = {counted}
    carried = 0.0, jax.tree.map(jnp.zeros_like, params)
    for own_ids, own_labels, count in zip(ids, labels, counts):
        share = {share}
        found = loss_and_gradient(params, own_ids, own_labels)
        carried = {added}
    return carried
""",
    )
    return (
        one("a mean", share, "1 / len(ids)", mistake="mean of means"),
        one("a sum", share, "1", mistake="sum of means"),
        one(
            "by sequences",
            counted,
            "[(part != IGNORED).any(axis=1).sum() for part in labels]",
            mistake="by sequences that count",
        ),
        one("overwritten", added, "found", mistake="the last part alone"),
        one("by size", share, "count / labels.size", mistake="by all labels"),
        one("not divided", share, "count", mistake="not divided"),
        one("upside down", share, "jnp.maximum(sum(counts), 1) / jnp.maximum(count, 1)"),
        one(
            "the loss's mean",
            added,
            "(carried[0] + found[0] / 3, jax.tree.map(lambda total, own: total + share * own, carried[1], found[1]))",
        ),
        one("divided by nothing", share, "count / sum(counts)", case="no part in which anything counts"),
        one("a minus", added, "jax.tree.map(lambda total, own: total - share * own, carried, found)", slip="sign"),
        other(
            "as one batch",
            added,
            "loss_and_gradient(params, ids.reshape(-1, ids.shape[2]), labels.reshape(-1, ids.shape[2]))",
        ),
        other(
            "divided at the end",
            share,
            "count",
            "return carried",
            "return jax.tree.map(lambda leaf: leaf / jnp.maximum(sum(counts), 1), carried)",
        ),
        other("NumPy's count", counted, "np.sum(np.asarray(labels) != IGNORED, axis=(1, 2))"),
    )


ANSWERS = (*_feed_forward(), *_block(), *_gpt(), *_accumulate())
