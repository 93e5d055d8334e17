"""Answers to `embedding`: what people write for rows picked by number, and for a table that is used twice."""

from tests.corpus.answers import Answer, right, variants, wrong


def _embed() -> tuple[Answer, ...]:
    exercise = "embedding.embed"
    scatter, by_place = "jnp.zeros_like(table).at[ids].add(y_bar)", "y_bar.sum(axis=0)"
    into = "jnp.zeros_like(positions).at[: ids.shape[1]].set(by_place)"
    one, other = variants(
        exercise,
        f"""
def embed_bwd(residuals, y_bar):
    table, positions, ids = residuals
    table_bar = {scatter}
    by_place = {by_place}
    positions_bar = {into}
    return table_bar, positions_bar, None
""",
    )
    return (
        one("set for add", scatter, "jnp.zeros_like(table).at[ids].set(y_bar)", mistake="overwritten"),
        one(
            "mean of the picks",
            scatter,
            f"{scatter} / jnp.maximum(jnp.bincount(ids.ravel(), length=len(table)), 1)[:, None]",
            mistake="averaged",
        ),
        one(
            "ids from one",
            scatter,
            "jnp.zeros_like(table).at[(ids + 1) % len(table)].add(y_bar)",
            mistake="one row off",
        ),
        one(
            "the place for the token",
            scatter,
            "jnp.zeros_like(table).at[: ids.shape[1]].add(y_bar.sum(axis=0))",
            mistake="tokens by place",
        ),
        one("mean over the batch", by_place, "y_bar.mean(axis=0)", mistake="places averaged"),
        one("the first sequence", by_place, "y_bar[0]", mistake="places from one sequence"),
        one(
            "places by ids",
            into,
            "jnp.zeros_like(positions).at[ids].add(y_bar)",
            mistake="places by token",
        ),
        one(
            "the last rows",
            into,
            "jnp.zeros_like(positions).at[-ids.shape[1] :].set(by_place)",
            mistake="places from the end",
        ),
        one("both sums", by_place, "y_bar.sum(axis=(0, 1))", mistake="places summed over the sequence"),
        one("the wrong sum", by_place, "y_bar.sum(axis=1)", fault="exception"),
        one("used rows alone", into, "by_place", slip="shape"),
        one("table_bar with a minus", scatter, f"-{scatter}", line="wrong sign"),
        one("y_bar left out", scatter, "jnp.zeros_like(table).at[ids].add(1.0)", mistake="y_bar left out"),
        one("no ids", "return table_bar, positions_bar, None", "return table_bar, positions_bar", fault="structure"),
        other("no entry more", into, "jnp.pad(by_place, ((0, len(positions) - len(by_place)), (0, 0)))"),
        other(
            "one-hot",
            scatter,
            "jnp.einsum('ntv,ntk->vk', jax.nn.one_hot(ids, len(table), dtype=y_bar.dtype), y_bar)",
        ),
        other("rows in a row", scatter, "jax.ops.segment_sum(y_bar.reshape(ids.size, -1), ids.ravel(), len(table))"),
        other("a loop", by_place, "sum(y_bar[n] for n in range(len(y_bar)))"),
        right(
            exercise,
            "places kept",
            functions="""
def embed_fwd(table, positions, ids):
    places = jnp.broadcast_to(jnp.arange(ids.shape[1]), ids.shape)
    return table[ids] + positions[places], (table, positions, ids, places)


def embed_bwd(residuals, y_bar):
    table, positions, ids, places = residuals
    return jnp.zeros_like(table).at[ids].add(y_bar), jnp.zeros_like(positions).at[places].add(y_bar), None
""",
        ),
    )


def _embed_padded() -> tuple[Answer, ...]:
    exercise = "embedding.embed_padded"
    scatter, end = "jnp.zeros_like(table).at[ids].add(y_bar)", "table_bar.at[PADDING].set(0)"
    one, other = variants(
        exercise,
        f"""
def embed_padded_bwd(residuals, y_bar):
    table, ids = residuals
    table_bar = {scatter}
    return {end}, None
""",
    )
    return (
        one("padding forgotten", end, "table_bar", mistake="padding gets something"),
        one(
            "the wrong way round",
            end,
            "table_bar - table_bar.at[PADDING].set(0)",
            mistake="padding alone",
        ),
        one("the last row", end, "table_bar.at[-1].set(0)", mistake="nothing for the last row"),
        one(
            "a place for an id",
            scatter,
            f"{scatter} - jnp.zeros_like(table).at[ids[:, 0]].add(y_bar[:, 0])",
            mistake="nothing for the first token",
        ),
        one("set for add", scatter, "jnp.zeros_like(table).at[ids].set(y_bar)", mistake="overwritten"),
        one(
            "mean of the picks",
            scatter,
            f"{scatter} / jnp.maximum(jnp.bincount(ids.ravel(), length=len(table)), 1)[:, None]",
            mistake="averaged",
        ),
        one("ones", scatter, "jnp.zeros_like(table).at[ids].add(jnp.ones_like(y_bar))", mistake="y_bar left out"),
        one("a minus", end, f"-{end}", slip="sign"),
        one("halved", end, f"{end} / 2", slip="factor"),
        wrong(
            exercise,
            "no zeros in forward",
            ("return embed_padded(table, ids), (table, ids)", "return table[ids], (table, ids)"),
            fault="value",
        ),
        one("turned", end, f"{end}.T", slip="transposed"),
        one("ids alone", f"return {end}, None", "return None, None", fault="structure"),
        other(
            "nothing sent",
            scatter,
            "jnp.zeros_like(table).at[ids].add(jnp.where((ids == PADDING)[..., None], 0, y_bar))",
            end,
            "table_bar",
        ),
        other("multiplied", end, "table_bar * (jnp.arange(len(table)) != PADDING)[:, None]"),
        other("rows below", end, "jnp.concatenate([jnp.zeros_like(table[:1]), table_bar[1:]])"),
        other(
            "one-hot",
            scatter,
            "jnp.einsum('ntv,ntk->vk', jax.nn.one_hot(ids, len(table), dtype=y_bar.dtype), y_bar)",
        ),
    )


def _readout() -> tuple[Answer, ...]:
    exercise = "embedding.readout"
    x_bar, tokens, table_bar = "logits_bar @ table", "x.reshape(-1, x.shape[-1])", "rows.T @ tokens"
    rows = "logits_bar.reshape(len(tokens), -1)"
    one, other = variants(
        exercise,
        f"""
def readout_bwd(residuals, logits_bar):
    x, table = residuals
    x_bar = {x_bar}
    tokens = {tokens}
    rows = {rows}
    table_bar = {table_bar}
    return x_bar, table_bar
""",
    )
    return (
        one("mean over tokens", table_bar, "rows.T @ tokens / len(tokens)", mistake="averaged over tokens"),
        one("mean over the batch", table_bar, "rows.T @ tokens / len(x)", mistake="averaged over the batch"),
        one("the last token", table_bar, "logits_bar[:, -1].T @ x[:, -1]", mistake="the last token alone"),
        one("the first sequence", table_bar, "logits_bar[0].T @ x[0]", mistake="the first sequence alone"),
        one("mixed up", tokens, "x.swapaxes(0, 1).reshape(-1, x.shape[-1])", mistake="tokens mixed up"),
        one("shifted", tokens, "jnp.roll(x, 1, axis=1).reshape(-1, x.shape[-1])", mistake="the token before"),
        one("sum of scores", table_bar, "rows.T @ jnp.ones_like(tokens)", mistake="x left out of table_bar"),
        one("no table", x_bar, "logits_bar @ jnp.ones_like(table)", mistake="the table left out of x_bar"),
        one("mean over words", x_bar, "logits_bar @ table / len(table)", mistake="averaged over the words"),
        one("not summed over the batch", table_bar, "jnp.einsum('ntv,ntk->nvk', logits_bar, x)", slip="not summed"),
        one("turned", table_bar, "tokens.T @ rows", slip="transposed"),
        one("a minus", x_bar, "-logits_bar @ table", line="wrong sign"),
        one("the table turned", x_bar, "logits_bar @ table.T", fault="exception"),
        one("swapped", "return x_bar, table_bar", "return table_bar, x_bar", slip="shape"),
        other("einsum", table_bar, "jnp.einsum('ntv,ntk->vk', logits_bar, x)"),
        other("tensordot", table_bar, "jnp.tensordot(logits_bar, x, axes=([0, 1], [0, 1]))"),
        other("rows first", x_bar, "(logits_bar.reshape(-1, len(table)) @ table).reshape(x.shape)"),
        other("sequence by sequence", table_bar, "sum(logits_bar[n].T @ x[n] for n in range(len(x)))"),
    )


def _tied_model() -> tuple[Answer, ...]:
    exercise = "embedding.tied_model"
    readout, x, w_bar, x_bar = "readout_bwd((h, table), logits_bar)", "table[picked]", "x.T @ h_bar", "h_bar @ w.T"
    end = "table_bar.at[picked].add(x_bar)"
    one, other = variants(
        exercise,
        f"""
def tied_model_bwd(residuals, logits_bar):
    table, w, ids, h = residuals
    h_bar, table_bar = {readout}
    picked = ids.reshape(-1)
    h_bar = h_bar.reshape(len(picked), -1)
    x = {x}
    w_bar = {w_bar}
    x_bar = {x_bar}
    table_bar = {end}
    return table_bar, w_bar, None
""",
    )
    zeros = "jnp.zeros_like(table)"
    return (
        one("one use", end, "table_bar", mistake="the pick left out"),
        one("the other use", end, f"{zeros}.at[picked].add(x_bar)", mistake="the readout left out"),
        one("set over it", end, "table_bar.at[picked].set(x_bar)", mistake="the pick over the readout"),
        one("set apart", end, f"table_bar + {zeros}.at[picked].set(x_bar)", mistake="picks overwritten"),
        one("mean of the uses", end, f"({end}) / 2", mistake="the two uses averaged"),
        one("w as it is", x_bar, "h_bar @ w", mistake="w not turned"),
        one("h for x", x, "h.reshape(len(picked), -1)", mistake="what came out of w for what went in"),
        one("x for h", readout, "readout_bwd((table[ids], table), logits_bar)", mistake="the readout by x"),
        one("no w", x_bar, "h_bar", mistake="past w"),
        one("w_bar turned", w_bar, "h_bar.T @ x", slip="transposed"),
        one("w_bar averaged", w_bar, "x.T @ h_bar / len(x)", slip="factor"),
        one("a minus", end, "table_bar.at[picked].add(-x_bar)", line="wrong sign"),
        one("no w_bar", "table_bar, w_bar, None", "table_bar, None", fault="structure"),
        one("shape forgotten", "h_bar = h_bar.reshape(len(picked), -1)", "h_bar = h_bar", fault="exception"),
        other("two tables", end, f"table_bar + {zeros}.at[picked].add(x_bar)"),
        other("one-hot", end, "table_bar + jax.nn.one_hot(picked, len(table), dtype=x.dtype).T @ x_bar"),
        other("einsum", w_bar, "jnp.einsum('ni,nk->ik', x, h_bar)", x_bar, "jnp.einsum('nk,ik->ni', h_bar, w)"),
        right(
            exercise,
            "x kept",
            functions="""
def tied_model_fwd(table, w, ids):
    x = table[ids]
    logits, kept = readout_fwd(x @ w, table)
    return logits, (kept, x, w, ids)


def tied_model_bwd(residuals, logits_bar):
    kept, x, w, ids = residuals
    h_bar, table_bar = readout_bwd(kept, logits_bar)
    w_bar = jnp.einsum('nti,ntk->ik', x, h_bar)
    return table_bar.at[ids].add(h_bar @ w.T), w_bar, None
""",
        ),
        right(
            exercise,
            "nothing kept",
            functions="""
def tied_model_fwd(table, w, ids):
    return readout_fwd(table[ids] @ w, table)[0], (table, w, ids)


def tied_model_bwd(residuals, logits_bar):
    table, w, ids = residuals
    x = table[ids]
    h_bar, table_bar = readout_bwd((x @ w, table), logits_bar)
    w_bar = x.reshape(-1, len(w)).T @ h_bar.reshape(-1, len(w))
    return table_bar.at[ids].add(h_bar @ w.T), w_bar, None
""",
        ),
    )


def _sparse_sgd() -> tuple[Answer, ...]:
    step = "table.at[ids].add(-rate * x_bar)"
    one, other = variants("embedding.sparse_sgd", f"def sparse_sgd(table, ids, x_bar, rate):\n    return {step}\n")
    return (
        one("set", step, "table.at[ids].set(table[ids] - rate * x_bar)", mistake="overwritten"),
        one("plus", step, "table.at[ids].add(rate * x_bar)", mistake="uphill"),
        one("no rate", step, "table.at[ids].add(-x_bar)", mistake="rate left out"),
        one("mean", step, "table.at[ids].add(-rate * x_bar / len(x_bar))", mistake="averaged over the batch"),
        one("the update", step, "jnp.zeros_like(table).at[ids].add(-rate * x_bar)", mistake="the step alone"),
        one("the rows", step, "table[ids] - rate * x_bar", slip="shape"),
        one("rate squared", step, "table.at[ids].add(-(rate**2) * x_bar)"),
        one("ids from one", step, "table.at[ids + 1].add(-rate * x_bar)"),
        other("less zeros", step, "table - rate * jnp.zeros_like(table).at[ids].add(x_bar)"),
        other("subtracted", step, "table.at[ids].subtract(rate * x_bar)"),
        other("one by one", step, "table.at[ids.ravel()].add(-rate * x_bar.reshape(ids.size, -1))"),
    )


ANSWERS = (*_embed(), *_embed_padded(), *_readout(), *_tied_model(), *_sparse_sgd())
