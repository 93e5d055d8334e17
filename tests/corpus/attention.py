"""Answers to `attention`: what people write for softmax, a head with a mask, many heads, and turned pairs."""

from tests.corpus.answers import Answer, right, variants, wrong


def _softmax() -> tuple[Answer, ...]:
    exercise = "attention.softmax"
    mean, bar = "(weights * weights_bar).sum(axis=-1, keepdims=True)", "weights * (weights_bar - mean)"
    one, other = variants(
        exercise,
        f"""
def softmax_bwd(weights, weights_bar):
    mean = {mean}
    return ({bar},)
""",
    )
    return (
        one("as a sigmoid", bar, "weights * (1 - weights) * weights_bar", mistake="each weight alone"),
        one("top only", bar, "weights * weights_bar", mistake="the total held still"),
        one("handed on", bar, "weights_bar", mistake="softmax left out"),
        one("total only", bar, "-weights * mean", mistake="by the total alone"),
        one("a true mean", mean, "(weights * weights_bar).mean(axis=-1, keepdims=True)", mistake="the total averaged"),
        one("twice", bar, "weights * (weights_bar - 2 * mean)", mistake="the total twice"),
        one("weights left out of the mean", mean, "weights_bar.sum(axis=-1, keepdims=True)"),
        one("weights left out in front", bar, "weights_bar - mean"),
        one("the wrong axis", mean, "(weights * weights_bar).sum(axis=0, keepdims=True)"),
        one("one for all", mean, "(weights * weights_bar).sum()"),
        one("a plus", bar, "weights * (weights_bar + mean)", line="wrong sign"),
        one("a minus", bar, "-weights * (weights_bar - mean)", line="wrong sign"),
        one("axis dropped", mean, "(weights * weights_bar).sum(axis=-1)", fault="exception"),
        wrong(
            exercise,
            "overflow",
            functions="""
def softmax_fwd(scores):
    powers = jnp.exp(scores)
    weights = powers / powers.sum(axis=-1, keepdims=True)
    return weights, weights
""",
            case="scores of a thousand",
        ),
        other("by einsum", mean, "jnp.einsum('qk,qk->q', weights, weights_bar)[:, None]"),
        other("apart", bar, "weights * weights_bar - weights * mean"),
        other("row by row", mean, "jnp.stack([w @ b for w, b in zip(weights, weights_bar)])[:, None]"),
        right(
            exercise,
            "the Jacobian of each row",
            functions="""
def softmax_bwd(weights, weights_bar):
    jacobians = jax.vmap(lambda row: jnp.diag(row) - jnp.outer(row, row))(weights)
    return (jnp.einsum("qk,qkl->ql", weights_bar, jacobians),)
""",
        ),
        right(
            exercise,
            "the logarithm kept",
            functions="""
def softmax_fwd(scores):
    logs = jax.nn.log_softmax(scores)
    return jnp.exp(logs), logs


def softmax_bwd(logs, weights_bar):
    bar = weights_bar * jnp.exp(logs)
    return (bar - jnp.exp(logs) * bar.sum(axis=-1, keepdims=True),)
""",
        ),
    )


def _attend() -> tuple[Answer, ...]:
    exercise = "attention.attend"
    v_bar, weights_bar = "weights.T @ y_bar", "y_bar @ v.T"
    (softened,) = ("softmax_bwd(weights, weights_bar)[0]",)
    q_bar, k_bar = "scores_bar @ k / scale", "scores_bar.T @ q / scale"
    divided = "powers / total_of(powers)"
    one, other = variants(
        exercise,
        f"""
def attend_fwd(q, k, v, mask):
    scores = jnp.where(mask, q @ k.T / math.sqrt(q.shape[1]), -jnp.inf)
    powers = powers_of(scores)
    weights = {divided}
    return weights @ v, (q, k, v, weights)


def attend_bwd(residuals, y_bar):
    q, k, v, weights = residuals
    scale = math.sqrt(q.shape[1])
    v_bar = {v_bar}
    weights_bar = {weights_bar}
    scores_bar = {softened}
    q_bar = {q_bar}
    k_bar = {k_bar}
    return q_bar, k_bar, v_bar, None
""",
    )
    return (
        one("no scale", "scale = math.sqrt(q.shape[1])", "scale = 1", mistake="the scale left out"),
        one("scale twice", "scale = math.sqrt(q.shape[1])", "scale = q.shape[1]", mistake="the scale twice"),
        one(
            "weights again, unmasked",
            "q, k, v, weights = residuals",
            "q, k, v, _ = residuals\n    weights = jax.nn.softmax(q @ k.T / math.sqrt(q.shape[1]))",
            mistake="the mask left out",
        ),
        one("as a sigmoid", softened, "weights * (1 - weights) * weights_bar", mistake="each weight alone"),
        one("top only", softened, "weights * weights_bar", mistake="the total held still"),
        one("handed on", softened, "jnp.where(weights > 0, weights_bar, 0)", mistake="softmax left out"),
        one(
            "powers for v",
            "return weights @ v, (q, k, v, weights)",
            "return weights @ v, (q, k, v, weights, powers)",
            "q, k, v, weights = residuals",
            "q, k, v, weights, powers = residuals",
            v_bar,
            "powers.T @ y_bar",
            mistake="v by powers",
        ),
        one("no v", weights_bar, "y_bar @ jnp.ones_like(v).T", line="is missing"),
        one("handed on past the mask", softened, "weights_bar", line="taken for another"),
        one("the other product", q_bar, "k / scale", slip="shape"),
        one("k_bar turned", k_bar, "q.T @ scores_bar / scale", slip="transposed"),
        one("q scaled alone", k_bar, "scores_bar.T @ q", slip="factor"),
        one("a minus", v_bar, "-weights.T @ y_bar", line="wrong sign"),
        one(
            "masked after softmax",
            "scores = jnp.where(mask, q @ k.T / math.sqrt(q.shape[1]), -jnp.inf)",
            "scores = q @ k.T / math.sqrt(q.shape[1])",
            divided,
            "jnp.where(mask, powers / total_of(powers), 0)",
            fault="value",
        ),
        one(
            "no care for the blind",
            "powers = powers_of(scores)",
            "powers = jnp.exp(scores - scores.max(axis=-1, keepdims=True))",
            case="a query that sees nothing",
        ),
        one("mask as a product", "return q_bar, k_bar, v_bar, None", "return q_bar, k_bar, v_bar", fault="structure"),
        other(
            "as it stands", softened, "weights * (weights_bar - (weights * weights_bar).sum(axis=-1, keepdims=True))"
        ),
        other("by y", softened, "weights * (weights_bar - (y_bar * (weights @ v)).sum(axis=-1, keepdims=True))"),
        other(
            "by einsum",
            v_bar,
            "jnp.einsum('qk,qd->kd', weights, y_bar)",
            k_bar,
            "jnp.einsum('qk,qd->kd', scores_bar, q) / scale",
        ),
        other(
            "a very low score",
            "-jnp.inf)",
            "-1e30)",
            divided,
            "jnp.where(mask, powers, 0) / total_of(jnp.where(mask, powers, 0))",
        ),
        other("the mask once more", softened, "jnp.where(weights > 0, softmax_bwd(weights, weights_bar)[0], 0)"),
    )


def _self_attention() -> tuple[Answer, ...]:
    exercise = "attention.self_attention"
    back, order = "jax.vmap(jax.vmap(attend_bwd))(kept, y_bar)[:3]", "(q_bar, k_bar, v_bar)"
    joined = "rows_bar.reshape(batch, seq, heads, d_head).swapaxes(1, 2)"
    x_bar = "jnp.einsum('ntchk,dchk->ntd', bars, params.w_qkv)"
    w_qkv_bar, w_out_bar = (
        "jnp.einsum('ntd,ntchk->dchk', x, bars)",
        "(rows.T @ out_bar).reshape(heads, d_head, d_model)",
    )
    one, other = variants(
        exercise,
        f"""
def self_attention_fwd(params, x):
    q, k, v = jnp.einsum("ntd,dchk->cnhtk", x, params.w_qkv)
    of_heads = jax.vmap(attend_fwd, in_axes=(0, 0, 0, None))
    y, kept = jax.vmap(of_heads, in_axes=(0, 0, 0, None))(q, k, v, causal(x.shape[1]))
    return jnp.einsum("nhtk,hkd->ntd", y, params.w_out), (params, x, y, kept)


def self_attention_bwd(residuals, out_bar):
    params, x, y, kept = residuals
    batch, seq, d_model = x.shape
    heads, d_head = params.w_out.shape[:2]
    rows = y.swapaxes(1, 2).reshape(batch * seq, -1)
    out_bar = out_bar.reshape(-1, d_model)
    w_out_bar = {w_out_bar}
    rows_bar = out_bar @ params.w_out.reshape(-1, d_model).T
    y_bar = {joined}
    q_bar, k_bar, v_bar = {back}
    bars = jnp.stack([bar.swapaxes(1, 2) for bar in {order}], axis=2)
    w_qkv_bar = {w_qkv_bar}
    x_bar = {x_bar}
    return Attention(w_qkv_bar, w_out_bar), x_bar
""",
    )
    return (
        one("reshaped at once", joined, "rows_bar.reshape(batch, heads, seq, d_head)", mistake="heads mixed up"),
        one("v before k", order, "(q_bar, v_bar, k_bar)", mistake="keys and values exchanged"),
        one("k before q", order, "(k_bar, q_bar, v_bar)", mistake="queries and keys exchanged"),
        one(
            "q alone for x",
            x_bar,
            "jnp.einsum('nthk,dhk->ntd', bars[:, :, 0], params.w_qkv[:, 0])",
            mistake="x by queries alone",
        ),
        one(
            "mean of heads",
            joined,
            "rows_bar.reshape(batch, seq, heads, d_head).swapaxes(1, 2) / heads",
            mistake="heads averaged",
        ),
        one(
            "one head",
            joined,
            "jnp.zeros_like(y).at[:, 0].set(rows_bar.reshape(batch, seq, heads, d_head)[:, :, 0])",
            mistake="the first head alone",
        ),
        one(
            "no scale",
            back,
            "(lambda q, k, v: (q * d_head**0.5, k * d_head**0.5, v))(*jax.vmap(jax.vmap(attend_bwd))(kept, y_bar)[:3])",
            mistake="the scale left out",
        ),
        one("w_out_bar turned", w_out_bar, "(out_bar.T @ rows).reshape(heads, d_head, d_model)"),
        one("w_out_bar of x_bar's kind", w_out_bar, "rows.T @ out_bar", slip="shape"),
        one("w_qkv_bar averaged", w_qkv_bar, "jnp.einsum('ntd,ntchk->dchk', x, bars) / (batch * seq)", slip="factor"),
        one("a minus", x_bar, "-jnp.einsum('ntchk,dchk->ntd', bars, params.w_qkv)", line="wrong sign"),
        one("no mask", "causal(x.shape[1])", "jnp.ones((x.shape[1], x.shape[1]), bool)", fault="value"),
        one(
            "no parameters' tree",
            "Attention(w_qkv_bar, w_out_bar), x_bar",
            "w_qkv_bar, w_out_bar, x_bar",
            fault="structure",
        ),
        other(
            "rows for w_qkv",
            w_qkv_bar,
            "(x.reshape(-1, d_model).T @ bars.reshape(batch * seq, -1)).reshape(params.w_qkv.shape)",
        ),
        other(
            "x in three", x_bar, "sum(jnp.einsum('nthk,dhk->ntd', bars[:, :, c], params.w_qkv[:, c]) for c in range(3))"
        ),
        other("by einsum", w_out_bar, "jnp.einsum('nhtk,ntd->hkd', y, out_bar.reshape(x.shape))"),
        right(
            exercise,
            "head by head",
            functions="""
def self_attention_fwd(params, x):
    kept, out = [], 0
    q, k, v = jnp.einsum("ntd,dchk->cnhtk", x, params.w_qkv)
    for h in range(params.w_out.shape[0]):
        pairs = [attend_fwd(q[n, h], k[n, h], v[n, h], causal(x.shape[1])) for n in range(len(x))]
        kept.append([pair[1] for pair in pairs])
        out = out + jnp.stack([pair[0] for pair in pairs]) @ params.w_out[h]
    return out, (params, x, kept)


def self_attention_bwd(residuals, out_bar):
    params, x, kept = residuals
    x_bar, w_qkv_bars, w_out_bars = 0, [], []
    for h, of_head in enumerate(kept):
        y = jnp.stack([one[-1] for one in of_head])
        w_out_bars.append(jnp.einsum("ntk,ntd->kd", y, out_bar))
        y_bar = out_bar @ params.w_out[h].T
        bars = [attend_bwd(one, y_bar[n])[:3] for n, one in enumerate(of_head)]
        bars = jnp.stack([jnp.stack(three) for three in bars])
        w_qkv_bars.append(jnp.einsum("ntd,nctk->dck", x, bars))
        x_bar = x_bar + jnp.einsum("nctk,dck->ntd", bars, params.w_qkv[:, :, h])
    return Attention(jnp.stack(w_qkv_bars, axis=2), jnp.stack(w_out_bars)), x_bar
""",
        ),
    )


def _rotary() -> tuple[Answer, ...]:
    first, second = "first_bar * cos + second_bar * sin", "second_bar * cos - first_bar * sin"
    turn, split = "angles(len(y_bar), half).astype(y_bar.dtype)", "jnp.split(y_bar, 2, axis=1)"
    one, other = variants(
        "attention.rotary",
        f"""
def rotary_bwd(residuals, y_bar):
    half = y_bar.shape[1] // 2
    first_bar, second_bar = {split}
    turn = {turn}
    cos, sin = jnp.cos(turn), jnp.sin(turn)
    return (jnp.concatenate([{first}, {second}], axis=1),)
""",
    )
    return (
        one(
            "turned on",
            first,
            "first_bar * cos - second_bar * sin",
            second,
            "second_bar * cos + first_bar * sin",
            mistake="turned on",
        ),
        one("handed on", "return (jnp.concatenate", "return (y_bar,) or (jnp.concatenate", mistake="not turned"),
        one("twice the angle", turn, "2 * angles(len(y_bar), half).astype(y_bar.dtype)", mistake="turned twice"),
        one("from one", turn, "angles(len(y_bar) + 1, half)[1:].astype(y_bar.dtype)", mistake="one place off"),
        one("no sines", first, "first_bar * cos", second, "second_bar * cos", mistake="sines left out"),
        one("one rate", turn, "angles(len(y_bar), half)[:, :1].astype(y_bar.dtype)", mistake="all at one rate"),
        one("one sign", second, "second_bar * cos + first_bar * sin", line="wrong sign"),
        one("the other sign", first, "first_bar * cos - second_bar * sin", line="wrong sign"),
        one("exchanged", f"[{first}, {second}]", f"[{second}, {first}]"),
        one(
            "first half alone",
            second,
            "second_bar",
        ),
        one("a minus", "return (jnp.concatenate", "return (-jnp.concatenate", line="wrong sign"),
        one("the halves lost", f"jnp.concatenate([{first}, {second}], axis=1)", first, slip="shape"),
        other("the lesson's, by minus the angle", second, "-(first_bar * sin - second_bar * cos)"),
        other(
            "as a complex number",
            f"jnp.concatenate([{first}, {second}], axis=1)",
            "jnp.concatenate([turned.real, turned.imag], axis=1)",
            "cos, sin = jnp.cos(turn), jnp.sin(turn)",
            "turned = jax.lax.complex(first_bar, second_bar) * jnp.exp(-1j * turn)",
        ),
        other("by slices", split, "(y_bar[:, :half], y_bar[:, half:])"),
        other("by einsum", first, "jnp.einsum('tk,tk->tk', first_bar, cos) + second_bar * sin"),
    )


ANSWERS = (*_softmax(), *_attend(), *_self_attention(), *_rotary())
