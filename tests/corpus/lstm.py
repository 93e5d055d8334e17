"""Answers to `lstm`, wrong and right: a step, a sequence, a step of a GRU."""

from tests.corpus.answers import Answer, right, wrong

ORDER = "[i_bar * i * (1 - i), f_bar * f * (1 - f), g_bar * (1 - g**2), o_bar * o * (1 - o)]"


def _step() -> tuple[Answer, ...]:
    exercise = "lstm.lstm_step"
    c_bar = "c_bar = after_bar.c + after_bar.h * o * (1 - tanh_c**2)"
    bars = "i_bar, f_bar, g_bar, o_bar = c_bar * g, c_bar * state.c, c_bar * i, after_bar.h * tanh_c"
    params = "params_bar = GatedCell(x.T @ z_bar, state.h.T @ z_bar, z_bar.sum(axis=0))"
    returned = "return params_bar, State(z_bar @ params.w_h.T, c_bar * f), z_bar @ params.w_x.T"
    after = "after = f * state.c + i * g"
    return (
        wrong(exercise, "c alone", (c_bar, "c_bar = after_bar.c"), mistake="the state's share forgotten"),
        wrong(
            exercise,
            "h alone",
            (c_bar, "c_bar = after_bar.h * o * (1 - tanh_c**2)"),
            mistake="the cell's own share forgotten",
        ),
        wrong(
            exercise, "no tanh", (c_bar, "c_bar = after_bar.c + after_bar.h * o"), mistake="tanh of the cell left out"
        ),
        wrong(
            exercise,
            "the cell times h_bar",
            (bars, f"{after}\n    {bars.replace('after_bar.h * tanh_c', 'after_bar.h * after')}"),
            mistake="the cell for its tanh",
        ),
        wrong(
            exercise,
            "the new cell",
            (bars, f"{after}\n    {bars.replace('c_bar * state.c', 'c_bar * after')}"),
            mistake="the cell after for the cell before",
        ),
        wrong(
            exercise,
            "i and g exchanged",
            (bars, bars.replace("c_bar * g, c_bar * state.c, c_bar * i", "c_bar * i, c_bar * state.c, c_bar * g")),
            mistake="each its own factor",
        ),
        wrong(
            exercise,
            "sigmoid for g",
            (ORDER, ORDER.replace("g_bar * (1 - g**2)", "g_bar * g * (1 - g)")),
            mistake="the candidate as a sigmoid",
        ),
        wrong(
            exercise,
            "no sigmoids",
            (ORDER, "[i_bar, f_bar, g_bar * (1 - g**2), o_bar]"),
            mistake="the sigmoids left out",
        ),
        wrong(exercise, "no slopes", (ORDER, "[i_bar, f_bar, g_bar, o_bar]"), mistake="all four slopes left out"),
        wrong(
            exercise,
            "f first",
            (ORDER, "[f_bar * f * (1 - f), i_bar * i * (1 - i), g_bar * (1 - g**2), o_bar * o * (1 - o)]"),
            mistake="input and forget gate exchanged",
        ),
        wrong(
            exercise,
            "o before g",
            (ORDER, "[i_bar * i * (1 - i), f_bar * f * (1 - f), o_bar * o * (1 - o), g_bar * (1 - g**2)]"),
            mistake="candidate and output gate exchanged",
        ),
        wrong(
            exercise, "c_bar as it is", (returned, returned.replace("c_bar * f", "c_bar")), mistake="nothing forgotten"
        ),
        wrong(
            exercise,
            "times i",
            (returned, returned.replace("c_bar * f", "c_bar * i")),
            mistake="the input gate for the forget gate",
        ),
        wrong(
            exercise,
            "the new state",
            (params, params.replace("state.h.T", "(o * tanh_c).T")),
            mistake="what came out for what came in",
        ),
        wrong(exercise, "mean for sum", (params, params.replace("sum", "mean")), mistake="the bias as a mean"),
        wrong(exercise, "minus c", (returned, returned.replace("c_bar * f", "-c_bar * f")), line="the wrong sign"),
        wrong(exercise, "b not summed", (params, params.replace("z_bar.sum(axis=0)", "z_bar")), slip="not summed"),
        right(
            exercise,
            "by stack",
            (
                ORDER,
                "[part for part in jnp.split(jnp.concatenate([i_bar, f_bar, g_bar, o_bar], axis=-1)"
                " * jnp.concatenate([i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)], axis=-1), 4, axis=-1)]",
            ),
        ),
        right(
            exercise, "slopes factored", (c_bar, "c_bar = after_bar.c + after_bar.h * o * (1 + tanh_c) * (1 - tanh_c)")
        ),
        right(exercise, "a tuple", (returned, returned.replace("State(", "("))),
        right(
            exercise,
            "part by part",
            functions="""
def lstm_step_fwd(params, state, x):
    weights, of_h, b = (jnp.split(part, 4, axis=-1) for part in params)
    z = [x @ w + state.h @ u + s for w, u, s in zip(weights, of_h, b)]
    i, f, o = (1 / (1 + jnp.exp(-z[k])) for k in (0, 1, 3))
    c = f * state.c + i * jnp.tanh(z[2])
    return (o * jnp.tanh(c), c), (params, state, x, i, f, jnp.tanh(z[2]), o, c)


def lstm_step_bwd(residuals, after_bar):
    params, state, x, i, f, g, o, c = residuals
    h_bar, c_bar = after_bar
    t = jnp.tanh(c)
    c_bar = c_bar + h_bar * (o - o * t * t)
    z_bar = [c_bar * g * (i - i * i), c_bar * state.c * (f - f * f), c_bar * (i - i * g * g), h_bar * t * (o - o * o)]
    w_x_bar = jnp.concatenate([x.T @ bar for bar in z_bar], axis=1)
    w_h_bar = jnp.concatenate([state.h.T @ bar for bar in z_bar], axis=1)
    b_bar = jnp.concatenate([bar.sum(0) for bar in z_bar])
    z_bar = jnp.concatenate(z_bar, axis=1)
    return (w_x_bar, w_h_bar, b_bar), (z_bar @ params.w_h.T, f * c_bar), z_bar @ params.w_x.T
""",
        ),
    )


def _lstm() -> tuple[Answer, ...]:
    exercise = "lstm.lstm"
    h_bar = "h_bar = bar.h + row_bar"
    c_bar = "c_bar = bar.c + h_bar * o * (1 - tanh_c**2)"
    handed = "return State(z_bar @ turned, c_bar * f), z_bar"
    parts = "c_bar * g * i * (1 - i),\n                c_bar * before * f * (1 - f),"
    before = "before_h = jnp.concatenate([state.h[None], h[:-1]]).reshape(seq * batch, -1)"
    params = "params_bar = GatedCell(rows.T @ z_bar, before_h.T @ z_bar, z_bar.sum(axis=0))"
    inside = "inside = (all_gates, before_c, c, states_bar.swapaxes(0, 1))"
    x_bar = "x_bar = (z_bar @ params.w_x.T).reshape(seq, batch, -1).swapaxes(0, 1)"
    return (
        wrong(exercise, "c not carried", (c_bar, c_bar.replace("bar.c + ", "")), mistake="the highway closed"),
        wrong(exercise, "h not carried", (h_bar, "h_bar = row_bar"), mistake="the highway alone"),
        wrong(exercise, "c_bar as it is", (handed, handed.replace("c_bar * f", "c_bar")), mistake="nothing forgotten"),
        wrong(
            exercise, "no tanh", (c_bar, c_bar.replace(" * (1 - tanh_c**2)", "")), mistake="tanh of the cell left out"
        ),
        wrong(
            exercise,
            "cells not shifted",
            (inside, inside.replace("before_c", "c")),
            mistake="the cell after for the cell before",
        ),
        wrong(
            exercise,
            "states not shifted",
            (before, "before_h = h.reshape(seq * batch, -1)"),
            mistake="what each step gave for what entered it",
        ),
        wrong(
            exercise,
            "zeros before",
            (before, before.replace("state.h[None]", "0 * h[:1]")),
            mistake="the start forgotten",
        ),
        wrong(
            exercise,
            "the last z_bar",
            (
                params,
                "last = z_bars[-1]\n"
                "    params_bar = GatedCell(x[:, -1].T @ last, before_h[-batch:].T @ last, last.sum(0))",
            ),
            mistake="the last step's use alone",
        ),
        wrong(
            exercise,
            "the last row alone",
            (inside, inside.replace("states_bar.swap", "states_bar.at[:, :-1].set(0.0).swap")),
            mistake="the last state's cotangent alone",
        ),
        wrong(
            exercise,
            "rows afterwards",
            (h_bar, "h_bar = bar.h"),
            (handed, handed.replace("turned,", "turned + row_bar,")),
            mistake="a row one step late",
        ),
        wrong(
            exercise,
            "f first",
            (
                parts,
                "c_bar * before * f * (1 - f), c_bar * g * i * (1 - i),",
            ),
            mistake="input and forget gate exchanged",
        ),
        wrong(
            exercise,
            "x not turned",
            (params, params.replace("rows.T", "x.reshape(seq * batch, -1).T")),
            mistake="the rows of x mixed up",
        ),
        wrong(exercise, "x_bar time first", (x_bar, x_bar.replace(".swapaxes(0, 1)", "")), slip="shape"),
        wrong(exercise, "not reversed", (", reverse=True", ""), mistake="the first step first"),
        wrong(exercise, "b averaged", (params, params.replace("sum", "mean")), slip="factor"),
        right(
            exercise,
            "added in the loop",
            functions="""
def lstm_bwd(residuals, states_bar):
    params, state, x, h, c, gates = residuals
    hs, cs = (jnp.concatenate([start[None], rest[:-1]]) for start, rest in zip(state, (h, c)))

    def back(carried, inside):
        (h_bar, c_bar), total = carried
        h, before, c, x, gates, row_bar = inside
        kept = (params, State(h, before), x, gates, jnp.tanh(c))
        each, bar, x_bar = lstm_step_bwd(kept, State(h_bar + row_bar, c_bar))
        return (bar, jax.tree.map(jnp.add, total, each)), x_bar

    rows = (hs, cs, c, x.swapaxes(0, 1), gates, states_bar.swapaxes(0, 1))
    nothing = jax.tree.map(jnp.zeros_like, (state, params))
    (bar, params_bar), x_bar = jax.lax.scan(back, nothing, rows, reverse=True)
    return params_bar, bar, x_bar.swapaxes(0, 1)
""",
        ),
        right(
            exercise,
            "a loop",
            functions="""
def lstm_bwd(residuals, states_bar):
    params, state, x, h, c, gates = residuals
    bar, total = State(0 * state.h, 0 * state.c), jax.tree.map(jnp.zeros_like, params)
    x_bars = []
    for t in range(len(h) - 1, -1, -1):
        before = State(h[t - 1], c[t - 1]) if t else state
        kept = (params, before, x[:, t], [gate[t] for gate in gates], jnp.tanh(c[t]))
        each, bar, x_bar = lstm_step_bwd(kept, State(bar.h + states_bar[:, t], bar.c))
        total = jax.tree.map(jnp.add, total, each)
        x_bars.insert(0, x_bar)
    return total, bar, jnp.stack(x_bars, axis=1)
""",
        ),
        right(
            exercise,
            "by tensordot",
            (
                params,
                "params_bar = GatedCell(jnp.tensordot(rows, z_bar, (0, 0)), jnp.dot(before_h.T, z_bar), z_bar.sum(0))",
            ),
        ),
        right(
            exercise,
            "batch first",
            (params, params.replace("rows.T @ z_bar", 'jnp.einsum("nti,tnj->ij", x, z_bars)')),
        ),
    )


def _gru() -> tuple[Answer, ...]:
    exercise = "lstm.gru_step"
    n_bar = "n_bar = after_bar * (1 - u) * (1 - n**2)"
    u_bar = "u_bar = after_bar * (h - n) * u * (1 - u)"
    r_bar = "r_bar = n_bar * n_h * r * (1 - r)"
    of_h = "of_h_bar = jnp.concatenate([r_bar, u_bar, n_bar * r], axis=-1)"
    params = "params_bar = GatedCell(x.T @ of_x_bar, h.T @ of_h_bar, of_x_bar.sum(axis=0))"
    returned = "return params_bar, after_bar * u + of_h_bar @ params.w_h.T, of_x_bar @ params.w_x.T"
    return (
        wrong(
            exercise,
            "by w_h alone",
            (returned, returned.replace("after_bar * u + ", "")),
            mistake="the direct way forgotten",
        ),
        wrong(
            exercise,
            "1 - u before the state",
            (returned, returned.replace("after_bar * u +", "after_bar * (1 - u) +")),
            (n_bar, n_bar.replace("(1 - u)", "u")),
            mistake="the update gate the other way round",
        ),
        wrong(
            exercise,
            "h alone",
            (u_bar, u_bar.replace("(h - n)", "h")),
            mistake="the update gate's other use forgotten",
        ),
        wrong(
            exercise,
            "n minus h",
            (u_bar, u_bar.replace("h - n", "n - h")),
            mistake="the update gate with the wrong sign",
        ),
        wrong(
            exercise,
            "no r",
            (of_h, of_h.replace("n_bar * r", "n_bar")),
            mistake="the reset gate left out on the way back",
        ),
        wrong(
            exercise,
            "b of h's product",
            (params, params.replace("of_x_bar.sum", "of_h_bar.sum")),
            mistake="the reset gate everywhere",
        ),
        wrong(exercise, "h for n_h", (r_bar, r_bar.replace("n_h", "h")), mistake="the state for its product"),
        wrong(exercise, "no r_bar", (r_bar, "r_bar = 0 * n_bar"), mistake="nothing through the reset gate"),
        wrong(
            exercise,
            "no sigmoids",
            (u_bar, u_bar.replace(" * u * (1 - u)", "")),
            (r_bar, r_bar.replace(" * r * (1 - r)", "")),
            mistake="the sigmoids left out",
        ),
        wrong(exercise, "no tanh", (n_bar, n_bar.replace(" * (1 - n**2)", "")), line="`jnp.tanh(n_x + r * n_h)`"),
        wrong(
            exercise,
            "n_h with r in it",
            (r_bar, r_bar.replace("n_h", "(r * n_h)")),
            line="`r * n_h` stands where",
        ),
        wrong(exercise, "minus", (n_bar, n_bar.replace("after_bar", "-after_bar")), line="the wrong sign"),
        right(exercise, "u_bar as a difference", (u_bar, "u_bar = (after_bar * h - after_bar * n) * (u - u**2)")),
        right(exercise, "a tuple", (params, params.replace("GatedCell", ""))),
        right(
            exercise,
            "by einsum",
            (params, params.replace("h.T @ of_h_bar", 'jnp.einsum("ni,nj->ij", h, of_h_bar)')),
        ),
        right(
            exercise,
            "n_h made again",
            (r_bar, f"n_h = jnp.split(h @ params.w_h, 3, axis=1)[2]\n    {r_bar}"),
        ),
    )


ANSWERS = (*_step(), *_lstm(), *_gru())
