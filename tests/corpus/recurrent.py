"""Answers to `recurrent`, wrong and right: a step, a sequence, stretches, unequal lengths, a network of characters."""

from tests.corpus.answers import Answer, right, wrong


def _step() -> tuple[Answer, ...]:
    exercise = "recurrent.rnn_step"
    z_bar = "z_bar = after_bar * (1 - after**2)"
    bars = "params_bar = Cell(x.T @ z_bar, h.T @ z_bar, z_bar.sum(axis=0))"
    returned = "return params_bar, z_bar @ params.w_h.T, z_bar @ params.w_x.T"
    return (
        wrong(exercise, "no slope", (z_bar, "z_bar = after_bar"), mistake="tanh's slope left out"),
        wrong(exercise, "not squared", (z_bar, "z_bar = after_bar * (1 - after)"), mistake="one minus the value"),
        wrong(exercise, "the value", (z_bar, "z_bar = after_bar * after"), mistake="the value for the slope"),
        wrong(
            exercise,
            "the state before squared",
            (z_bar, "z_bar = after_bar * (1 - h**2)"),
            mistake="the slope of the state before",
        ),
        wrong(exercise, "a plus", (z_bar, z_bar.replace("1 -", "1 +")), mistake="a plus for the minus"),
        wrong(
            exercise,
            "the sum squared",
            (z_bar, "z_bar = after_bar * (1 - (x @ params.w_x + h @ params.w_h + params.b) ** 2)"),
            mistake="the slope of the sum",
        ),
        wrong(
            exercise,
            "after_bar for the parameters",
            (bars, bars.replace("z_bar", "after_bar").replace("parafter_bar", "params_bar")),
            mistake="the slope for the inputs alone",
        ),
        wrong(exercise, "no T on w_h", (returned, returned.replace("w_h.T", "w_h")), mistake="w_h not turned"),
        wrong(
            exercise,
            "after for h",
            (bars, bars.replace("h.T", "after.T")),
            mistake="what came out for what came in",
        ),
        wrong(exercise, "mean for sum", (bars, bars.replace("sum", "mean")), mistake="the bias as a mean"),
        wrong(exercise, "a column of b", (bars, bars.replace("z_bar.sum(axis=0)", "z_bar[0]"))),
        wrong(exercise, "minus all", (z_bar, "z_bar = after_bar * (after**2 - 1)"), slip="sign"),
        wrong(exercise, "b not summed", (bars, bars.replace("z_bar.sum(axis=0)", "z_bar")), slip="not summed"),
        wrong(
            exercise,
            "x before h",
            (returned, "return params_bar, z_bar @ params.w_x.T, z_bar @ params.w_h.T"),
            slip="shape",
        ),
        right(
            exercise,
            "by einsum",
            (bars, 'params_bar = Cell(*(jnp.einsum("ni,nj->ij", a, z_bar) for a in (x, h)), jnp.ones(len(x)) @ z_bar)'),
        ),
        right(exercise, "by cosh", (z_bar, "z_bar = after_bar / jnp.cosh(jnp.arctanh(after)) ** 2")),
        right(exercise, "a tuple", (bars, "params_bar = (x.T @ z_bar, h.T @ z_bar, z_bar.sum(0))")),
        right(
            exercise,
            "as one layer",
            functions="""
def rnn_step_fwd(params, h, x):
    both = jnp.concatenate([x, h, jnp.ones_like(h[:, :1])], axis=1)
    w = jnp.concatenate([params.w_x, params.w_h, params.b[None]])
    after = jnp.tanh(both @ w)
    return after, (both, w, after, x)


def rnn_step_bwd(residuals, after_bar):
    both, w, after, x = residuals
    z_bar = after_bar * (1 + after) * (1 - after)
    w_bar, both_bar, d = both.T @ z_bar, z_bar @ w.T, x.shape[1]
    return Cell(w_bar[:d], w_bar[d:-1], w_bar[-1]), both_bar[:, d:-1], both_bar[:, :d]
""",
        ),
    )


def _rnn() -> tuple[Answer, ...]:
    exercise = "recurrent.rnn"
    z_bar = "z_bar = (h_bar + row_bar) * (1 - after**2)"
    handed = "return z_bar @ turned, z_bar\n"
    scan = "jax.lax.scan(step_back, nothing, (states, states_bar.swapaxes(0, 1)), reverse=True)"
    before = "before = jnp.concatenate([h[None], states[:-1]]).reshape(seq * batch, d_hidden)"
    bars = "params_bar = Cell(rows.T @ z_bar, before.T @ z_bar, z_bar.sum(axis=0))\n    x_bar"
    x_bar = "x_bar = (z_bar @ params.w_x.T).reshape(seq, batch, -1).swapaxes(0, 1)"
    return (
        wrong(
            exercise,
            "the last z_bar",
            (
                bars,
                "params_bar = Cell(x[:, -1].T @ z_bars[-1], before[-batch:].T @ z_bars[-1], z_bars[-1].sum(axis=0))\n"
                "    x_bar",
            ),
            mistake="the last step's use alone",
        ),
        wrong(
            exercise,
            "the first z_bar",
            (
                bars,
                "params_bar = Cell(x[:, 0].T @ z_bars[0], before[:batch].T @ z_bars[0], z_bars[0].sum(axis=0))\n"
                "    x_bar",
            ),
            mistake="the first step's use alone",
        ),
        wrong(
            exercise,
            "divided by seq",
            (bars, bars.replace("\n", "\n    params_bar = jax.tree.map(lambda bar: bar / seq, params_bar)\n")),
            mistake="the mean over the steps",
        ),
        wrong(
            exercise,
            "states not shifted",
            (before, "before = states.reshape(seq * batch, d_hidden)"),
            mistake="what each step gave for what entered it",
        ),
        wrong(
            exercise,
            "zeros before",
            (before, before.replace("h[None]", "jnp.zeros_like(h)[None]")),
            mistake="the start forgotten",
        ),
        wrong(
            exercise, "rows alone", (z_bar, z_bar.replace("(h_bar + row_bar)", "row_bar")), mistake="nothing handed on"
        ),
        wrong(
            exercise,
            "the last row alone",
            ("nothing = jnp.zeros_like(h)", "nothing = states_bar[:, -1]"),
            (z_bar, z_bar.replace("(h_bar + row_bar)", "h_bar")),
            mistake="the last state's cotangent alone",
        ),
        wrong(
            exercise,
            "rows afterwards",
            (z_bar, z_bar.replace("(h_bar + row_bar)", "h_bar")),
            (handed, "return z_bar @ turned + row_bar, z_bar\n"),
            mistake="a row one step late",
        ),
        wrong(exercise, "not reversed", (scan, scan.replace(", reverse=True", "")), mistake="the first step first"),
        wrong(exercise, "no T", ("turned = params.w_h.T", "turned = params.w_h"), mistake="w_h not turned"),
        wrong(exercise, "no slope", (z_bar, "z_bar = h_bar + row_bar"), mistake="tanh's slope left out"),
        wrong(exercise, "a plus", (z_bar, z_bar.replace("1 -", "1 +")), mistake="a plus for the minus"),
        wrong(
            exercise,
            "the sum on record",
            (handed, "return z_bar @ turned, h_bar + row_bar\n"),
            mistake="on record before tanh",
        ),
        wrong(
            exercise,
            "x not turned",
            (
                "z_bar = z_bars.reshape(seq * batch, d_hidden)",
                "z_bar = z_bars.reshape(seq * batch, d_hidden)\n    mixed = x.reshape(seq * batch, -1)",
            ),
            (bars, bars.replace("rows.T", "mixed.T")),
            mistake="the rows of x mixed up",
        ),
        wrong(
            exercise,
            "a stale slope",
            (scan, scan.replace("(states, ", "(jnp.concatenate([h[None], states[:-1]]), ")),
            mistake="the slope of the state before",
        ),
        wrong(
            exercise, "x_bar turned", (x_bar, x_bar.replace("(0, 1)", "(0, 1)[:, ::-1]")), mistake="x_bar turned round"
        ),
        wrong(exercise, "b alone averaged", (bars, bars.replace("sum", "mean")), slip="factor"),
        wrong(exercise, "x_bar time first", (x_bar, x_bar.replace(".swapaxes(0, 1)", "")), slip="shape"),
        right(
            exercise,
            "added in the loop",
            functions="""
def rnn_bwd(residuals, states_bar):
    params, h, x, states = residuals
    before = jnp.concatenate([h[None], states[:-1]])

    def back(carried, inside):
        h_bar, total = carried
        h, x, after, row_bar = inside
        bar, h_bar, x_bar = rnn_step_bwd((params, h, x, after), h_bar + row_bar)
        return (h_bar, jax.tree.map(jnp.add, total, bar)), x_bar

    inside = (before, x.swapaxes(0, 1), states, states_bar.swapaxes(0, 1))
    first = (jnp.zeros_like(h), jax.tree.map(jnp.zeros_like, params))
    (h_bar, params_bar), x_bar = jax.lax.scan(back, first, inside, reverse=True)
    return params_bar, h_bar, x_bar.swapaxes(0, 1)
""",
        ),
        right(
            exercise,
            "loops",
            functions="""
def rnn_bwd(residuals, states_bar):
    params, h, x, states = residuals
    bar, z_bars, x_bars, total = jnp.zeros_like(h), [], [], jax.tree.map(jnp.zeros_like, params)
    for t in range(len(states) - 1, -1, -1):
        before = states[t - 1] if t else h
        each, bar, x_bar = rnn_step_bwd((params, before, x[:, t], states[t]), bar + states_bar[:, t])
        total = jax.tree.map(jnp.add, total, each)
        x_bars.append(x_bar)
    return total, bar, jnp.stack(x_bars[::-1], axis=1)
""",
        ),
        right(
            exercise,
            "by tensordot",
            (
                bars,
                "params_bar = Cell(jnp.tensordot(rows, z_bar, (0, 0)), jnp.dot(before.T, z_bar), z_bar.sum(0))\n"
                "    x_bar",
            ),
        ),
        right(
            exercise,
            "batch first",
            (
                bars,
                'params_bar = Cell(jnp.einsum("nti,tnj->ij", x, z_bars), before.T @ z_bar, z_bars.sum((0, 1)))\n'
                "    x_bar",
            ),
        ),
    )


def _truncated() -> tuple[Answer, ...]:
    exercise = "recurrent.truncated_gradient"
    part = "part = slice(first, first + stretch)"
    back = "part_bar, _, _ = rnn_bwd(kept, states_bar[:, part])"
    added = "params_bar = jax.tree.map(jnp.add, params_bar, part_bar)"
    handed = "h = states[:, -1]"
    loop = "for first in range(0, x.shape[1], stretch):"
    return (
        wrong(exercise, "no loop", (part, "part = slice(None)"), (loop, "for first in (0,):"), mistake="nothing cut"),
        wrong(exercise, "h as it was", (handed, "pass"), mistake="every stretch from the first state"),
        wrong(
            exercise,
            "zeros",
            (loop, loop + "\n        h = jnp.zeros_like(h)"),
            mistake="every stretch from zeros",
        ),
        wrong(exercise, "one step each", (loop, "stretch = 1\n    " + loop), mistake="every step cut"),
        wrong(exercise, "overwritten", (added, "params_bar = part_bar"), mistake="the last stretch alone"),
        wrong(
            exercise,
            "whole stretches only",
            (loop, "for first in range(0, x.shape[1] // stretch * stretch, stretch):"),
            mistake="the rest left out",
        ),
        wrong(exercise, "the first state handed on", (handed, "h = states[:, 0]")),
        wrong(exercise, "minus", (back, back.replace("states_bar[", "-states_bar[")), slip="sign"),
        right(exercise, "by sums", (added, "params_bar = Cell(*(a + b for a, b in zip(params_bar, part_bar)))")),
        right(
            exercise,
            "first forward, then backward",
            functions="""
def truncated_gradient(params, h, x, states_bar, stretch):
    kept = []
    for first in range(0, x.shape[1], stretch):
        states, residuals = rnn_fwd(params, h, x[:, first : first + stretch])
        kept.append((first, residuals))
        h = states[:, -1]
    bars = [rnn_bwd(r, states_bar[:, first : first + stretch])[0] for first, r in reversed(kept)]
    return jax.tree.map(lambda *parts: sum(parts), *bars)
""",
        ),
        right(
            exercise,
            "step by step",
            functions="""
def truncated_gradient(params, h, x, states_bar, stretch):
    steps = []
    for t in range(x.shape[1]):
        h, kept = rnn_step_fwd(params, h, x[:, t])
        steps.append(kept)
    total, bar = jax.tree.map(jnp.zeros_like, params), jnp.zeros_like(h)
    for t in reversed(range(x.shape[1])):
        each, bar, _ = rnn_step_bwd(steps[t], bar + states_bar[:, t])
        total = jax.tree.map(jnp.add, total, each)
        bar = 0 * bar if t % stretch == 0 else bar
    return total
""",
        ),
    )


def _last() -> tuple[Answer, ...]:
    exercise = "recurrent.last_state"
    picked = "picked_bar = nothing.at[jnp.arange(batch), lengths].set(y_bar)"
    returned = "return params_bar, h_bar + picked_bar[:, 0], x_bar, None"

    def places(where: str) -> str:
        """Puts y_bar at the places that count, of their numbers and the lengths."""
        return f"n = jnp.arange(1 + seq); picked_bar = jnp.where(({where})[..., None], y_bar[:, None], 0.0)"

    return (
        wrong(
            exercise,
            "at the end",
            (picked, "picked_bar = nothing.at[:, -1].set(y_bar)"),
            mistake="padding taken for steps",
        ),
        wrong(
            exercise,
            "minus one",
            (picked, picked.replace("lengths", "lengths - 1")),
            (returned, returned.replace(" + picked_bar[:, 0]", "")),
            mistake="one step too early",
        ),
        wrong(
            exercise,
            "plus one",
            (picked, picked.replace("lengths", "jnp.minimum(lengths + 1, seq)")),
            mistake="one step too late",
        ),
        wrong(
            exercise,
            "all steps of a row",
            (picked, places("(n > 0) & (n <= lengths[:, None])")),
            mistake="every step of the row",
        ),
        wrong(exercise, "from the last on", (picked, places("n >= lengths[:, None]")), mistake="the padding, too"),
        wrong(
            exercise,
            "where counted from 0",
            (picked, picked.replace("lengths", "lengths.max() - 1")),
            mistake="the longest row's length",
        ),
        wrong(
            exercise,
            "full rows alone",
            (picked, places("(n == seq) & (lengths[:, None] == seq)")),
            mistake="padded rows dropped",
        ),
        wrong(
            exercise,
            "divided",
            (picked, picked.replace("set(y_bar)", "set(y_bar / lengths[:, None])")),
            mistake="shared among the steps",
        ),
        wrong(
            exercise,
            "no start",
            (returned, returned.replace(" + picked_bar[:, 0]", "")),
            case="a row without a step",
        ),
        wrong(exercise, "y_bar for the start", (returned, returned.replace("picked_bar[:, 0]", "y_bar"))),
        wrong(
            exercise,
            "no x_bar",
            (returned, "return params_bar, h_bar + picked_bar[:, 0], 0 * x_bar, None"),
            line="is missing",
        ),
        wrong(exercise, "minus all", (picked, picked.replace("set(y_bar)", "set(-y_bar)")), slip="sign"),
        right(exercise, "by where", (picked, places("n == lengths[:, None]"))),
        right(exercise, "added", (picked, picked.replace(".set(", ".add("))),
        right(
            exercise,
            "by one_hot",
            (picked, "picked_bar = jax.nn.one_hot(lengths, 1 + seq, dtype=y_bar.dtype)[..., None] * y_bar[:, None]"),
        ),
        right(
            exercise,
            "masks in the loop",
            functions="""
def last_state_fwd(params, h, x, lengths):
    entered = []
    for t in range(x.shape[1]):
        after, kept = rnn_step_fwd(params, h, x[:, t])
        entered.append(kept)
        h = jnp.where((t < lengths)[:, None], after, h)
    return h, (entered, params, lengths)


def last_state_bwd(residuals, h_bar):
    entered, params, lengths = residuals
    total, x_bars = jax.tree.map(jnp.zeros_like, params), []
    for t in reversed(range(len(entered))):
        goes_on = (t < lengths)[:, None]
        each, before_bar, x_bar = rnn_step_bwd(entered[t], jnp.where(goes_on, h_bar, 0))
        total = jax.tree.map(jnp.add, total, each)
        x_bars.append(x_bar)
        h_bar = before_bar + jnp.where(goes_on, 0, h_bar)
    return total, h_bar, jnp.stack(x_bars[::-1], axis=1), None
""",
        ),
    )


def _reach() -> tuple[Answer, ...]:
    exercise = "recurrent.reach"
    moved = "moved = (moved @ params.w_h) * (1 - after**2)"
    size = "jnp.linalg.norm(moved, ord=2)"
    return (
        wrong(exercise, "no slopes", (moved, "moved = moved @ params.w_h"), mistake="the slopes left out"),
        wrong(exercise, "slopes alone", (moved, "moved = moved * (1 - after**2)"), mistake="the weights left out"),
        wrong(
            exercise,
            "not multiplied on",
            (moved, "moved = params.w_h * (1 - after**2)"),
            mistake="each step by itself",
        ),
        wrong(exercise, "no ord", (size, "jnp.linalg.norm(moved)"), mistake="the root of all squares"),
        wrong(exercise, "the smallest", (size, size.replace("2", "-2")), mistake="the smallest singular value"),
        wrong(exercise, "ord inf", (size, size.replace("2", "jnp.inf")), mistake="the largest row's sum"),
        wrong(exercise, "w_h turned", (moved, moved.replace("w_h", "w_h.T"))),
        right(exercise, "by svd", (size, "jnp.linalg.svd(moved, compute_uv=False)[0]")),
        right(exercise, "columns", (moved, "moved = ((params.w_h * (1 - after**2)).T @ moved.T).T")),
        right(
            exercise,
            "a loop",
            functions="""
def reach(params, h, x):
    moved, found = jnp.eye(len(h)), []
    for row in x:
        h = jnp.tanh(row @ params.w_x + h @ params.w_h + params.b)
        moved = moved @ params.w_h @ jnp.diag(1 - h**2)
        found.append(jnp.linalg.norm(moved, 2))
    return jnp.array(found)
""",
        ),
    )


def _characters() -> tuple[Answer, ...]:
    exercise = "recurrent.char_rnn_loss"
    logits = "logits_bar, _ = masked_cross_entropy_bwd(kept_loss, loss_bar)"
    cell = "cell_bar, _, x_bar = rnn_bwd(kept_rnn, rows_bar.reshape(batch, seq, -1))"
    table = "table_bar, _ = gather_bwd(kept_table, x_bar.reshape(batch * seq, -1))"
    mixed = ".reshape(seq, batch, -1).swapaxes(0, 1)"
    returned = "return CharRnn(table_bar, cell_bar, Layer(*readout_bar)), None, None"
    return (
        wrong(
            exercise,
            "loss_bar of 1",
            (logits, logits.replace("loss_bar)", "1.0)")),
            mistake="what comes back not asked",
        ),
        wrong(
            exercise,
            "set for add",
            (
                table,
                "table_bar = jnp.zeros_like(kept_table[0]).at[ids.reshape(-1)].set(x_bar.reshape(batch * seq, -1))",
            ),
            mistake="characters that repeat overwritten",
        ),
        wrong(
            exercise,
            "divided by all",
            (
                logits,
                logits + "\n    counts = jnp.maximum((kept_loss[1] >= 0).sum(), 1)\n"
                "    logits_bar = logits_bar * counts / (batch * seq)",
            ),
            mistake="the mean over all labels",
        ),
        wrong(
            exercise,
            "padding counts",
            (
                logits,
                "picked, labels = kept_loss\n    counts = jnp.maximum((labels >= 0).sum(), 1)\n"
                "    truth = jax.nn.one_hot(labels, picked.shape[1], dtype=picked.dtype)\n"
                "    logits_bar = loss_bar * (jax.nn.softmax(picked) - truth) / counts",
            ),
            mistake="labels that don't count counted",
        ),
        wrong(
            exercise,
            "states mixed",
            (cell, cell.replace(".reshape(batch, seq, -1)", mixed)),
            mistake="rows of states_bar mixed up",
        ),
        wrong(
            exercise,
            "x mixed",
            (table, table.replace("x_bar.reshape", "x_bar.swapaxes(0, 1).reshape")),
            mistake="rows of x_bar mixed up",
        ),
        wrong(
            exercise,
            "the last state alone",
            (cell, cell.replace("-1)", "-1).at[:, :-1].set(0.0)")),
            mistake="the last character's loss alone",
        ),
        wrong(
            exercise,
            "the readout alone",
            (cell, cell.replace("rows_bar", "0 * rows_bar")),
            mistake="nothing below the readout",
        ),
        wrong(exercise, "minus", (logits, logits.replace("loss_bar)", "-loss_bar)")), slip="sign"),
        wrong(exercise, "no table", (returned, returned.replace("table_bar", "None")), fault="structure"),
        right(
            exercise, "a tuple for a Layer", (returned, returned.replace("Layer(*readout_bar)", "tuple(readout_bar)"))
        ),
        right(
            exercise,
            "loss_bar last",
            (logits, logits.replace("loss_bar)", "1.0)")),
            (
                returned,
                "bars = CharRnn(table_bar, cell_bar, Layer(*readout_bar))\n"
                "    return jax.tree.map(lambda bar: loss_bar * bar, bars), None, None",
            ),
        ),
        right(exercise, "sizes from x_bar", (table, table.replace("batch * seq, -1", "-1, x_bar.shape[-1]"))),
        right(
            exercise,
            "by one_hot",
            (
                table,
                "which = jax.nn.one_hot(ids, len(kept_table[0]), axis=0, dtype=x_bar.dtype)\n"
                '    table_bar = jnp.einsum("vbt,btd->vd", which, x_bar)',
            ),
        ),
    )


ANSWERS = (*_step(), *_rnn(), *_truncated(), *_last(), *_reach(), *_characters())
