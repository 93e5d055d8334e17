"""Answers to `flash_attention`: what people write for parts, a tile, all keys in tiles, causal tiles, shared keys."""

from tests.corpus.answers import Answer, right, variants


def _merge() -> tuple[Answer, ...]:
    lse, shares = "jnp.logaddexp(one.lse, other.lse)", "jnp.exp(one.lse - lse), jnp.exp(other.lse - lse)"
    y = "first * one.y + second * other.y"
    one, other = variants(
        "flash_attention.merge",
        f"""
def merge(one, other):
    lse = {lse}
    first, second = {shares}
    return Part({y}, lse)
""",
    )
    return (
        one("half and half", y, "(one.y + other.y) / 2", mistake="half and half"),
        one(
            "by logs",
            shares,
            "one.lse / (one.lse + other.lse), other.lse / (one.lse + other.lse)",
            mistake="shares of the logarithms",
        ),
        one("the wrong way round", y, "second * one.y + first * other.y", mistake="shares exchanged"),
        one("only the old rescaled", y, "first * one.y + other.y", mistake="the old part alone rescaled"),
        one("logs added", lse, "one.lse + other.lse", mistake="the logarithms added"),
        one("the maximum", lse, "jnp.maximum(one.lse, other.lse)", mistake="the higher of both"),
        one("plain sums", y, "one.y + other.y"),
        one("the lower", lse, "jnp.minimum(one.lse, other.lse)"),
        one("no logarithm", lse, "jnp.exp(one.lse) + jnp.exp(other.lse)"),
        one("overflow", lse, "jnp.log(jnp.exp(one.lse) + jnp.exp(other.lse))", case="lse of a thousand"),
        one("a tuple of three", f"Part({y}, lse)", f"{y}, lse, first", fault="structure"),
        other("by softmax", shares, "jax.nn.softmax(jnp.stack([one.lse, other.lse]), axis=0)"),
        other("by logsumexp", lse, "jax.nn.logsumexp(jnp.stack([one.lse, other.lse]), axis=0)"),
        other("by a sigmoid", shares, "jax.nn.sigmoid(one.lse - other.lse), jax.nn.sigmoid(other.lse - one.lse)"),
        other(
            "by the highest",
            lse,
            "(highest := jnp.maximum(one.lse, other.lse))"
            " + jnp.log(jnp.exp(one.lse - highest) + jnp.exp(other.lse - highest))",
        ),
    )


def _tile() -> tuple[Answer, ...]:
    again, mean = "jnp.exp(scores - lse)", "(y_bar * y).sum(axis=-1, keepdims=True)"
    weights_bar, scores_bar = "y_bar @ v.T", "weights * (weights_bar - mean)"
    q_bar, k_bar, v_bar = "scores_bar @ k / scale", "scores_bar.T @ q / scale", "weights.T @ y_bar"
    kept, lse = "highest + jnp.log(total)", "jnp.log(total)"
    one, other = variants(
        "flash_attention.attend_tile",
        f"""
def attend_tile_fwd(q, k, v, mask):
    scores = jnp.where(mask, q @ k.T / math.sqrt(q.shape[1]), -jnp.inf)
    highest = highest_of(scores)
    powers = jnp.exp(scores - highest)
    total = total_of(powers)
    return powers @ v / total, (q, k, v, mask, powers @ v / total, {kept})


def attend_tile_bwd(residuals, y_bar):
    q, k, v, mask, y, lse = residuals
    scale = math.sqrt(q.shape[1])
    scores = jnp.where(mask, q @ k.T / scale, -jnp.inf)
    weights = {again}
    weights_bar = {weights_bar}
    mean = {mean}
    scores_bar = {scores_bar}
    return {q_bar}, {k_bar}, {v_bar}, None
""",
    )
    back = "scale = math.sqrt(q.shape[1])\n    scores = jnp.where(mask, q @ k.T / scale, -jnp.inf)"
    plain = "scores = jnp.where(mask, q @ k.T / math.sqrt(q.shape[1]), -jnp.inf)\n    scale ="
    return (
        one("no scale on the way back", back, f"{plain} 1", mistake="the scale left out"),
        one("scale twice", back, f"{plain} q.shape[1]", mistake="the scale twice"),
        one(
            "no mask on the way back",
            back,
            "scale = math.sqrt(q.shape[1])\n    scores = q @ k.T / scale",
            mistake="the mask left out",
        ),
        one("as a sigmoid", scores_bar, "weights * (1 - weights) * weights_bar", mistake="each weight alone"),
        one("no mean", scores_bar, "weights * weights_bar", mistake="the total held still"),
        one("handed on", scores_bar, "jnp.where(weights > 0, weights_bar, 0)", mistake="softmax left out"),
        one("lse without the highest", kept, lse),
        one("lse without the total", kept, "highest"),
        one("weights' logs", again, "jnp.where(mask, scores - lse, 0)"),
        one("divided once more", again, "jnp.exp(scores - lse) / jnp.exp(lse)"),
        one("a plus", scores_bar, "weights * (weights_bar + mean)", line="wrong sign"),
        one("k_bar turned", k_bar, "q.T @ scores_bar / scale", slip="transposed"),
        one("k scaled alone", q_bar, "scores_bar @ k", slip="factor"),
        one("the mean over the width", mean, "(y_bar * y).mean(axis=-1, keepdims=True)", line="multiplied by 1/3"),
        one("the axis dropped", mean, "(y_bar * y).sum(axis=-1)", fault="exception"),
        one("one mean for all", mean, "(y_bar * y).sum()"),
        one("a minus", v_bar, "-weights.T @ y_bar", line="wrong sign"),
        one("the mask forgotten", f"{v_bar}, None", v_bar, fault="structure"),
        one(
            "no care for the large",
            "highest = highest_of(scores)",
            "highest = 0 * highest_of(scores)",
            case="scores of a thousand",
        ),
        one(
            "no care for the blind",
            "highest = highest_of(scores)",
            "highest = scores.max(axis=1, keepdims=True)",
            case="a query that sees nothing",
        ),
        other("the mean by weights", mean, "(weights * weights_bar).sum(axis=-1, keepdims=True)"),
        other("powers by lse again", again, "jnp.where(mask, jnp.exp(scores - lse), 0)"),
        other("by einsum", v_bar, "jnp.einsum('qk,qd->kd', weights, y_bar)"),
        other(
            "lse by JAX", kept, "jnp.maximum(jax.nn.logsumexp(scores, axis=1, keepdims=True), jnp.finfo(q.dtype).min)"
        ),
    )


def _all() -> tuple[Answer, ...]:
    of_tile, added = "(q, k_tile, v_tile, mask, y, lse)", "q_bar + more"
    part = "merge(part, Part(y, lse))"
    one, other = variants(
        "flash_attention.attend_all",
        f"""
def attend_all_fwd(q, k, v):
    mask = all_seen(len(q), k.shape[1])

    def look(part, tile):
        y, (*_, lse) = attend_tile_fwd(q, *tile, mask)
        return {part}, None

    (y, lse), _ = jax.lax.scan(look, nothing(q), (k, v))
    return y, (q, k, v, y, lse)


def attend_all_bwd(residuals, y_bar):
    q, k, v, y, lse = residuals
    mask = all_seen(len(q), k.shape[1])

    def back(q_bar, tile):
        k_tile, v_tile = tile
        more, k_bar, v_bar, _ = attend_tile_bwd({of_tile}, y_bar)
        return {added}, (k_bar, v_bar)

    q_bar, (k_bar, v_bar) = jax.lax.scan(back, jnp.zeros_like(q), (k, v))
    return q_bar, k_bar, v_bar
""",
    )
    own = "attend_tile_fwd(q, *tile, mask)[1]"
    mean = (
        "scale = math.sqrt(q.shape[1])\n"
        "        weights = jnp.exp(q @ k_tile.T / scale - lse)\n"
        "        weights_bar = y_bar @ v_tile.T\n"
        "        scores_bar = weights * ({})\n"
        "        more, k_bar, v_bar = scores_bar @ k_tile / scale, scores_bar.T @ q / scale, weights.T @ y_bar"
    ).format
    call = f"more, k_bar, v_bar, _ = attend_tile_bwd({of_tile}, y_bar)"
    return (
        one("each tile's own residuals", of_tile, own, mistake="each tile by itself"),
        one("each tile's own y", of_tile, f"(q, k_tile, v_tile, mask, {own}[4], lse)", mistake="the tile's own mean"),
        one(
            "the mean over a tile",
            call,
            mean("weights_bar - (weights * weights_bar).sum(axis=1, keepdims=True)"),
            mistake="the mean over a tile",
        ),
        one("no mean", call, mean("weights_bar"), mistake="the total held still"),
        one("set and not added", added, "more", mistake="the last tile alone for q"),
        one(
            "v before k",
            "return q_bar, k_bar, v_bar",
            "return q_bar, v_bar, k_bar",
            mistake="keys and values exchanged",
        ),
        one("y_bar unasked", call, call.replace("y_bar)", "jnp.ones_like(y_bar))"), mistake="y_bar left out"),
        one(
            "the highest lse",
            "return y, (q, k, v, y, lse)",
            "return y, (q, k, v, y, jnp.max(jnp.array([look(nothing(q), tile)[0].lse for tile in zip(k, v)]), axis=0))",
            mistake="the highest tile for the row",
        ),
        one("subtracted", added, "q_bar - more", line="wrong sign"),
        one("averaged", added, "q_bar + more / len(k)", slip="factor"),
        one("keys added up", "return q_bar, k_bar, v_bar", "return q_bar, 0 * k + k_bar.sum(axis=0), v_bar"),
        one(
            "the other way round",
            "return q_bar, k_bar, v_bar",
            "return q_bar, k_bar[::-1], v_bar[::-1]",
            slip="reversed",
        ),
        one(
            "tiles lost",
            "return q_bar, k_bar, v_bar",
            "return q_bar, k_bar.sum(axis=0), v_bar.sum(axis=0)",
            slip="summed",
        ),
        one("means added up", part, "Part(part.y + y, jnp.logaddexp(part.lse, lse))", fault="value"),
        one("from nothing", "nothing(q)", "Part(jnp.zeros_like(q), jnp.zeros((len(q), 1), q.dtype))", fault="value"),
        one(
            "no care for the large",
            part,
            "Part((jnp.exp(part.lse) * part.y + jnp.exp(lse) * y) / (jnp.exp(part.lse) + jnp.exp(lse)), "
            "jnp.log(jnp.exp(part.lse) + jnp.exp(lse)))",
            case="tiles whose scores lie far apart",
        ),
        other("by hand", call, mean("weights_bar - (y_bar * y).sum(axis=1, keepdims=True)")),
        other("backwards", "jnp.zeros_like(q), (k, v))", "jnp.zeros_like(q), (k, v), reverse=True)"),
        other("the new one first", part, "merge(Part(y, lse), part)"),
        other(
            "a loop in Python",
            "(y, lse), _ = jax.lax.scan(look, nothing(q), (k, v))",
            "y, lse = functools.reduce(lambda part, tile: look(part, tile)[0], zip(k, v), nothing(q))",
        ),
    )


def _causal() -> tuple[Answer, ...]:
    of_tile = "q[row], k[column], v[column], seen(row, column, tile), y[row], lse[row]"
    put = "q_bar.at[row].add(of_q), k_bar.at[column].add(of_k), v_bar.at[column].add(of_v)"
    bars = "(jnp.zeros_like(q), jnp.zeros_like(k), jnp.zeros_like(v))"
    visited, whole = f"jax.lax.scan(visit, {bars}, visits(tiles))", "jax.lax.scan(visit, nothing(q), visits(tiles))"
    mask = "attend_tile_fwd(q[row], k[column], v[column], seen(row, column, tile))"
    one, other = variants(
        "flash_attention.causal_attend",
        f"""
def causal_attend_fwd(q, k, v):
    tiles, tile, _ = q.shape

    def visit(parts, at):
        row, column = at
        y, (*_, lse) = {mask}
        merged = merge(Part(parts.y[row], parts.lse[row]), Part(y, lse))
        return Part(parts.y.at[row].set(merged.y), parts.lse.at[row].set(merged.lse)), None

    (y, lse), _ = {whole}
    return y, (q, k, v, y, lse)


def causal_attend_bwd(residuals, y_bar):
    q, k, v, y, lse = residuals
    tiles, tile, _ = q.shape

    def visit(bars, at):
        row, column = at
        q_bar, k_bar, v_bar = bars
        of_q, of_k, of_v, _ = attend_tile_bwd(({of_tile}), y_bar[row])
        return ({put}), None

    bars, _ = {visited}
    return bars
""",
    )
    return (
        one("set everywhere", put, put.replace(".add(", ".set("), mistake="the last visit alone"),
        one(
            "set for keys",
            put,
            "q_bar.at[row].add(of_q), k_bar.at[column].set(of_k), v_bar.at[column].set(of_v)",
            mistake="the last visit alone for keys",
        ),
        one(
            "the diagonal",
            visited,
            f"jax.lax.scan(visit, {bars}, (jnp.arange(tiles),) * 2)",
            mistake="the diagonal alone",
        ),
        one(
            "below the diagonal",
            visited,
            f"jax.lax.scan(visit, {bars}, np.tril_indices(tiles, -1))",
            mistake="the diagonal left out",
        ),
        one("all at the row", put, put.replace("column", "row"), mistake="keys at the row"),
        one("lse of the column", of_tile, of_tile.replace("lse[row]", "lse[column]"), mistake="the column's lse"),
        one(
            "no mask",
            of_tile,
            of_tile.replace("seen(row, column, tile)", "jnp.ones((tile, tile), bool)"),
            mistake="the mask left out",
        ),
        one(
            "a tile by itself",
            of_tile,
            f"*{mask}[1],",
            mistake="each tile by itself",
        ),
        one(
            "k and v",
            put,
            "q_bar.at[row].add(of_q), k_bar.at[column].add(of_v), v_bar.at[column].add(of_k)",
            mistake="keys and values exchanged",
        ),
        one("q at the column", put, put.replace("q_bar.at[row]", "q_bar.at[column]")),
        one("y of the column", of_tile, of_tile.replace("y[row]", "y[column]")),
        one("y_bar of the column", "y_bar[row])", "y_bar[column])"),
        one(
            "subtracted",
            put,
            put.replace("k_bar.at[column].add(of_k)", "k_bar.at[column].add(-of_k)"),
            line="wrong sign",
        ),
        one(
            "forward unmasked",
            mask,
            mask.replace("seen(row, column, tile)", "jnp.ones((tile, tile), bool)"),
            fault="value",
        ),
        one("forward's diagonal", whole, "jax.lax.scan(visit, nothing(q), (jnp.arange(tiles),) * 2)", fault="value"),
        one("a list", "return bars\n", "return [bars[0]]\n", fault="structure"),
        other("column by column", visited, f"jax.lax.scan(visit, {bars}, np.triu_indices(tiles)[::-1])"),
        other("from the last visit", visited, visited.replace("visits(tiles))", "visits(tiles), reverse=True)")),
        other("with jnp", visited, visited.replace("visits(tiles)", "jnp.tril_indices(tiles)")),
        other(
            "masked by hand",
            of_tile,
            of_tile.replace("seen(row, column, tile)", "jnp.tril(jnp.ones((tile, tile), bool)) | (column < row)"),
        ),
    )


def _multi_query() -> tuple[Answer, ...]:
    q, k, v = "q_bar.reshape(y_bar.shape)", "k_bar", "v_bar"
    cut, back = "y.reshape(q.shape)", "y_bar.reshape(-1, y_bar.shape[-1])"
    one, other = variants(
        "flash_attention.multi_query",
        f"""
def multi_query_fwd(q, k, v):
    y, kept = attend_all_fwd(q.reshape(-1, q.shape[-1]), k, v)
    return {cut}, kept


def multi_query_bwd(residuals, y_bar):
    q_bar, k_bar, v_bar = attend_all_bwd(residuals, {back})
    heads, queries, d_head = y_bar.shape
    return {q}, {k}, {v}
""",
    )
    last = f"return {q}, {k}, {v}"
    alone = "(y_bar * (jnp.arange(len(y_bar)) == {})[:, None, None]).reshape(-1, y_bar.shape[-1])".format
    apart = "q_bar, k_bar, v_bar = attend_all_bwd"
    return (
        one("averaged", last, f"return {q}, k_bar / heads, v_bar / heads", mistake="heads averaged"),
        one("heads mixed up", q, "q_bar.reshape(queries, heads, d_head).swapaxes(0, 1)"),
        one("cut by queries", q, f"{q}.swapaxes(0, 1).reshape(y_bar.shape)", mistake="heads mixed up"),
        one(
            "the first head",
            apart,
            f"_, k_bar, v_bar = attend_all_bwd(residuals, {alone(0)})\n    q_bar, _, _ = attend_all_bwd",
            mistake="the first head alone",
        ),
        one(
            "the last head",
            apart,
            f"_, k_bar, v_bar = attend_all_bwd(residuals, {alone('len(y_bar) - 1')})\n    q_bar, _, _ = attend_all_bwd",
            mistake="the last head alone",
        ),
        one("no scale", last, f"return {q} * d_head**0.5, k_bar * d_head**0.5, v_bar", mistake="the scale left out"),
        one("k and v", last, f"return {q}, v_bar, k_bar", mistake="keys and values exchanged"),
        one("once a head", last, f"return {q}, heads * k_bar, v_bar", slip="factor"),
        one("a minus", q, f"-{q}", line="wrong sign"),
        one("not cut", q, "q_bar", slip="shape"),
        one("y not cut", cut, "y", fault="value"),
        one("mixed on the way", back, "y_bar.swapaxes(0, 1).reshape(-1, y_bar.shape[-1])"),
        other("by sizes", q, "q_bar.reshape(heads, queries, d_head)"),
        other("concatenated", back, "jnp.concatenate(list(y_bar))"),
        other("by einops' way", cut, "jnp.stack(jnp.split(y, len(q)))"),
        right(
            "flash_attention.multi_query",
            "head by head",
            functions="""
def multi_query_fwd(q, k, v):
    return jax.vmap(attend_all_fwd, in_axes=(0, None, None))(q, k, v)


def multi_query_bwd(residuals, y_bar):
    q_bar, k_bar, v_bar = jax.vmap(attend_all_bwd)(residuals, y_bar)
    return q_bar, k_bar.sum(axis=0), v_bar.sum(axis=0)
""",
        ),
    )


ANSWERS = (*_merge(), *_tile(), *_all(), *_causal(), *_multi_query())
