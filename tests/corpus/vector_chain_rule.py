"""Answers to `vector_chain_rule`, wrong and right."""

from collections.abc import Callable

from tests.corpus.answers import Answer, right, wrong


def _of(exercise: str) -> Callable[..., Answer]:
    """Makes wrong answers to an exercise from one edit."""

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return made


def _matvec() -> tuple[Answer, ...]:
    exercise = "vector_chain_rule.matvec"
    made = _of(exercise)
    w, x, returned, unpacked = "jnp.outer(y_bar, x)", "w.T @ y_bar", "return w_bar, x_bar", "w, x = residuals"
    return (
        made("w_bar transposed", w, "jnp.outer(x, y_bar)", slip="transposed"),
        made("w_bar with a minus", w, "-jnp.outer(y_bar, x)", line="has the wrong sign"),
        made("w_bar without y_bar", w, "jnp.outer(jnp.ones_like(y_bar), x)", mistake="y_bar left out of w_bar"),
        made("w_bar without x", w, "jnp.outer(y_bar, jnp.ones_like(x))", mistake="x left out of w_bar"),
        made("w_bar from sizes", w, "jnp.outer(y_bar, abs(x))", mistake="w_bar from x without its sign"),
        made("w_bar from w", w, "y_bar[:, None] * w"),
        made("w_bar zero", w, "0 * w", line="is missing. It is the path through `w`"),
        made("x_bar without w", x, "jnp.ones_like(w).T @ y_bar", mistake="w left out of x_bar"),
        made("x_bar without y_bar", x, "w.sum(axis=0)", mistake="y_bar left out of x_bar"),
        made("x_bar averaged", x, "w.T @ y_bar / len(y_bar)", mistake="x_bar averaged"),
        made("x_bar from the first row", x, "w[0] * y_bar[0]", mistake="x_bar from the first row of w"),
        made("x_bar overwritten", x, "w[-1] * y_bar[-1]", mistake="x_bar overwritten"),
        made("x_bar not summed", x, "w * y_bar[:, None]", slip="not summed"),
        made("x_bar twice", x, "2 * w.T @ y_bar", slip="factor"),
        made("no y_bar at all", unpacked, f"{unpacked}\n    y_bar = jnp.ones_like(y_bar)", mistake="y_bar left out"),
        made("w the wrong way round", x, "w @ y_bar", fault="exception"),
        made("exchanged", returned, "return x_bar, w_bar", slip="shape"),
        made("x_bar alone", returned, "return (x_bar,)", fault="structure"),
        right(exercise, "broadcast", (w, "y_bar[:, None] * x[None, :]"), (x, "y_bar @ w")),
        right(exercise, "einsum", (w, "jnp.einsum('i,j->ij', y_bar, x)"), (x, "jnp.einsum('ij,i->j', w, y_bar)")),
        right(exercise, "a sum of rows", (x, "(w * y_bar[:, None]).sum(axis=0)")),
        right(exercise, "NumPy", (w, "np.outer(y_bar, x)")),
        right(
            exercise,
            "index by index",
            functions="""
def matvec_bwd(residuals, y_bar):
    w, x = residuals
    w_bar = [[y_i * x_j for x_j in x] for y_i in y_bar]
    x_bar = [sum(w[i, j] * y_bar[i] for i in range(len(y_bar))) for j in range(len(x))]
    return jnp.array(w_bar), jnp.array(x_bar)
""",
        ),
    )


def _add_row() -> tuple[Answer, ...]:
    exercise = "vector_chain_rule.add_row"
    made = _of(exercise)
    x, row, returned = "x_bar = y_bar\n", "row_bar = y_bar.sum(axis=0)", "return x_bar, row_bar"
    return (
        made("row_bar not summed", row, "row_bar = y_bar", slip="not summed"),
        made("row_bar averaged", row, "row_bar = y_bar.mean(axis=0)", mistake="row_bar averaged"),
        made("row_bar over the wrong axis", row, "row_bar = y_bar.sum(axis=1)", slip="shape"),
        made("row_bar as a matrix", row, "row_bar = y_bar.sum(axis=0, keepdims=True)", slip="shape"),
        made("row_bar as one number", row, "row_bar = y_bar.sum()", slip="summed"),
        made("row_bar from the first row", row, "row_bar = y_bar[0]", mistake="row_bar from the first row"),
        made("row_bar overwritten", row, "row_bar = y_bar[-1]", mistake="row_bar overwritten"),
        made("row_bar counted", row, "row_bar = jnp.ones_like(y_bar).sum(axis=0)", mistake="row_bar counted"),
        made("row_bar ones", row, "row_bar = jnp.ones_like(y_bar[0])", slip="ones"),
        made("x_bar ones", x, "x_bar = jnp.ones_like(y_bar)\n", slip="ones"),
        made("x_bar with a minus", x, "x_bar = -y_bar\n", line="has the wrong sign"),
        made("x_bar summed as well", x, "x_bar = 0 * y_bar + y_bar.sum(0)\n", mistake="x_bar summed as well"),
        made("x_bar averaged", x, "x_bar = y_bar / len(y_bar)\n", slip="factor"),
        made("exchanged", returned, "return row_bar, x_bar", slip="summed; not summed"),
        made("x_bar alone", returned, "return x_bar", fault="structure"),
        made("squeezed", row, "row_bar = y_bar.squeeze().sum(axis=0)", case="a matrix of one row"),
        right(exercise, "a row of ones", (row, "row_bar = jnp.ones(len(y_bar)) @ y_bar")),
        right(exercise, "Python's sum", (row, "row_bar = sum(y_bar)")),
        right(exercise, "times one", (x, "x_bar = 1.0 * y_bar\n")),
        right(exercise, "NumPy", (row, "row_bar = np.sum(y_bar, 0)"), (returned, "return [x_bar, row_bar]")),
    )


def _row_sums() -> tuple[Answer, ...]:
    exercise = "vector_chain_rule.row_sums"
    made = _of(exercise)
    x = "jnp.broadcast_to(y_bar, x.shape)"
    return (
        made("averaged", x, "jnp.broadcast_to(y_bar / x.shape[1], x.shape)", mistake="averaged"),
        made("counted", x, "jnp.broadcast_to(y_bar * x.shape[1], x.shape)", mistake="counted"),
        made("multiplied by x", x, "y_bar * x", mistake="multiplied by x"),
        made("first column alone", x, "jnp.zeros_like(x).at[:, :1].set(y_bar)", mistake="first column alone"),
        made("last column alone", x, "jnp.zeros_like(x).at[:, -1:].set(y_bar)", mistake="last column alone"),
        made("resized", x, "jnp.resize(y_bar, x.shape)", mistake="written out in order"),
        made("summed again", x, "jnp.full_like(x, y_bar.sum())", mistake="summed again"),
        made("ones", x, "jnp.ones_like(x)", mistake="y_bar left out"),
        made("x itself", x, "x", line="`x` itself"),
        made("zeros", x, "jnp.zeros_like(x)", slip="zero"),
        made("with a minus", x, "jnp.broadcast_to(-y_bar, x.shape)", slip="sign"),
        made("as it came", x, "y_bar", slip="shape"),
        made("transposed", x, "jnp.broadcast_to(y_bar, x.shape).T", slip="transposed"),
        made("across the columns", x, "jnp.broadcast_to(y_bar.T, x.shape)", fault="exception"),
        right(exercise, "plus zeros", (x, "jnp.zeros_like(x) + y_bar")),
        right(exercise, "times ones", (x, "jnp.ones_like(x) * y_bar")),
        right(exercise, "repeated", (x, "jnp.repeat(y_bar, x.shape[1], axis=1)")),
        right(exercise, "tiled", (x, "jnp.tile(y_bar, (1, x.shape[1]))")),
        right(exercise, "a product with ones", (x, "y_bar @ jnp.ones((1, x.shape[1]))")),
    )


def _repeat_each() -> tuple[Answer, ...]:
    exercise = "vector_chain_rule.repeat_each"
    made = _of(exercise)
    cut, back = "y_bar.reshape(-1, COPIES)", "by_entry.sum(axis=1)"
    return (
        wrong(exercise, "as if tiled", (cut, "y_bar.reshape(COPIES, -1).T"), mistake="cut as if tiled"),
        wrong(
            exercise,
            "rounds",
            (cut, "y_bar.reshape(COPIES, -1)"),
            (back, "by_entry.sum(axis=0)"),
            mistake="cut as if tiled",
        ),
        made("averaged", back, "by_entry.mean(axis=1)", mistake="averaged"),
        made("first copy", back, "by_entry[:, 0]", mistake="first copy alone"),
        made("last copy", back, "by_entry[:, -1]", mistake="overwritten"),
        made("all summed", back, "by_entry.sum(axis=1) * 0 + by_entry.sum()", mistake="all summed"),
        made("one place off", cut, "jnp.roll(y_bar, -1).reshape(-1, COPIES)", mistake="one place off"),
        made("the number of copies", back, "COPIES * jnp.ones(len(by_entry))", mistake="y_bar left out"),
        made("the other axis", back, "by_entry.sum(axis=0)", slip="shape"),
        made("not summed", back, "by_entry", slip="not summed"),
        made("one number", back, "by_entry.sum()", slip="summed"),
        made("the largest", back, "by_entry.max(axis=1)"),
        made("with a minus", back, "-by_entry.sum(axis=1)", slip="sign"),
        made("in the opposite order", back, "by_entry.sum(axis=1)[::-1]", slip="reversed"),
        made("as it came", back, "y_bar", slip="shape"),
        right(exercise, "slices", (back, "y_bar[0::COPIES] + y_bar[1::COPIES] + y_bar[2::COPIES]")),
        right(exercise, "a row of ones", (back, "by_entry @ jnp.ones(COPIES)")),
        right(exercise, "axis -1", (cut, "y_bar.reshape((len(y_bar) // 3, 3))"), (back, "by_entry.sum(-1)")),
        right(
            exercise,
            "added where it came from",
            (back, "jnp.zeros(len(y_bar) // COPIES).at[jnp.arange(len(y_bar)) // COPIES].add(y_bar)"),
        ),
    )


def _gather() -> tuple[Answer, ...]:
    exercise = "vector_chain_rule.gather"
    made = _of(exercise)
    nothing, back, returned = "jnp.zeros_like(table)", "nothing.at[ids].add(y_bar)", "return table_bar, None"
    return (
        made("set for add", back, "nothing.at[ids].set(y_bar)", mistake="overwritten"),
        made(
            "overwritten in a loop",
            back,
            "nothing\n    for k in range(len(ids)):\n        table_bar = table_bar.at[ids[k]].set(y_bar[k])",
            mistake="overwritten",
        ),
        made(
            "first pick alone",
            back,
            "nothing\n    for k in reversed(range(len(ids))):\n        table_bar = table_bar.at[ids[k]].set(y_bar[k])",
            mistake="first pick alone",
        ),
        made(
            "averaged",
            back,
            "nothing.at[ids].add(y_bar) / jnp.maximum(jnp.bincount(ids, length=len(table)), 1)[:, None]",
            mistake="averaged",
        ),
        made("in order", back, "nothing.at[jnp.arange(len(ids)) % len(table)].add(y_bar)", mistake="in order"),
        made("ids sorted", back, "nothing.at[jnp.sort(ids)].add(y_bar)", mistake="ids sorted"),
        made("one row off", back, "nothing.at[(ids + 1) % len(table)].add(y_bar)", mistake="one row off"),
        made("to all rows", back, "nothing + y_bar.sum(axis=0)", mistake="to all rows"),
        made("counted", back, "nothing.at[ids].add(1)", mistake="y_bar left out"),
        made("onto the table", nothing, "table", slip="proportion"),
        made("onto ones", nothing, "jnp.ones_like(table)", slip="proportion"),
        made("taken away", back, "nothing.at[ids].add(-y_bar)", slip="sign"),
        made("the largest", back, "nothing.at[ids].max(y_bar)"),
        made("zeros", back, "nothing", slip="zero"),
        made("as it came", back, "y_bar", slip="shape"),
        made("picked again", back, "y_bar[ids]", slip="shape"),
        made("the table alone", returned, "return table_bar", fault="structure"),
        made("None for the table", returned, "return None, None", fault="structure"),
        right(exercise, "one-hot", (back, "jax.nn.one_hot(ids, len(table), dtype=y_bar.dtype).T @ y_bar")),
        right(exercise, "equal ids", (back, "(ids == jnp.arange(len(table))[:, None]).astype(y_bar.dtype) @ y_bar")),
        right(exercise, "segments", (back, "jax.ops.segment_sum(y_bar, ids, len(table))")),
        right(
            exercise,
            "a loop",
            (back, "nothing\n    for k, row in enumerate(ids):\n        table_bar = table_bar.at[row].add(y_bar[k])"),
        ),
        right(
            exercise, "zeros of a shape", (nothing, "jnp.zeros(table.shape)"), (returned, "return (table_bar, None)")
        ),
    )


def _turn() -> tuple[Answer, ...]:
    exercise = "vector_chain_rule.turn"
    made = _of(exercise)
    over, back = "turned_over = y_bar[::-1]", "x_bar = turned_over.T"
    return (
        made("not turned over", over, "turned_over = y_bar", mistake="not turned over"),
        made("turned on", over, "turned_over = y_bar[:, ::-1]", mistake="turned on"),
        made("in forward's order", back, "x_bar = y_bar.T[::-1]", mistake="turned on"),
        made("both ways", over, "turned_over = y_bar[::-1, ::-1]", mistake="turned over both ways"),
        made("reshaped", back, "x_bar = y_bar.reshape(y_bar.shape[::-1])", mistake="reshaped"),
        made(
            "turned over, then reshaped",
            back,
            "x_bar = turned_over.reshape(y_bar.shape[::-1])",
            mistake="turned over, then reshaped",
        ),
        made("ones", back, "x_bar = jnp.ones(y_bar.shape[::-1])", mistake="y_bar left out"),
        made("with a minus", back, "x_bar = -turned_over.T", slip="sign"),
        made("not transposed", back, "x_bar = turned_over", slip="transposed"),
        made("as it came", back, "x_bar = y_bar", slip="shape"),
        made("zeros", back, "x_bar = jnp.zeros(y_bar.shape[::-1])", slip="zero"),
        made("the columns sorted", back, "x_bar = jnp.sort(turned_over.T)"),
        right(exercise, "rot90", (back, "x_bar = jnp.rot90(y_bar, -1)")),
        right(exercise, "three more turns", (back, "x_bar = jnp.rot90(y_bar, 3)")),
        right(exercise, "transposed first", (back, "x_bar = y_bar.T[:, ::-1]")),
        right(
            exercise, "NumPy", (over, "turned_over = np.flip(y_bar, 0)"), (back, "x_bar = np.transpose(turned_over)")
        ),
    )


def _shares() -> tuple[Answer, ...]:
    exercise = "vector_chain_rule.shares"
    made = _of(exercise)
    top, total = "by_the_top = y_bar / total", "-(y_bar * spent / total**2).sum(axis=1, keepdims=True)"
    spent, amounts, prices = "by_the_top + total_bar", "spent_bar * prices", "(spent_bar * amounts).sum(axis=0)"
    returned = "return amounts_bar, prices_bar"
    return (
        made("no total", spent, "by_the_top", mistake="path by the total lost"),
        made("no top", spent, "0 * by_the_top + total_bar", mistake="path by the top lost"),
        made("a plus for the minus", total, total[1:], mistake="minus of the fraction lost"),
        made("subtracted", spent, "by_the_top - total_bar", mistake="minus of the fraction lost"),
        made(
            "total not squared",
            total,
            "-(y_bar * spent / total).sum(axis=1, keepdims=True)",
            mistake="total not squared",
        ),
        made(
            "spent forgotten", total, "-(y_bar / total**2).sum(1, keepdims=True)", mistake="spent left out of total_bar"
        ),
        made(
            "total_bar averaged",
            total,
            "-(y_bar * spent / total**2).mean(1, keepdims=True)",
            mistake="total_bar averaged",
        ),
        made("total_bar not summed", total, "-(y_bar * spent / total**2)", mistake="total_bar not summed"),
        made(
            "total_bar down the columns",
            total,
            "-(y_bar * spent / total**2).sum(axis=0)",
            mistake="total_bar summed the wrong way",
        ),
        made("keepdims forgotten", total, "-(y_bar * spent / total**2).sum(axis=1)", fault="exception"),
        made("amounts_bar as it came", amounts, "spent_bar", line="`prices` is left out"),
        made("amounts_bar by amounts", amounts, "spent_bar * amounts", mistake="amounts handed their own"),
        made("prices_bar not summed", prices, "spent_bar * amounts", slip="not summed"),
        made("prices_bar averaged", prices, "(spent_bar * amounts).mean(axis=0)", mistake="prices_bar averaged"),
        made(
            "prices_bar from the first row",
            prices,
            "spent_bar[0] * amounts[0]",
            mistake="prices_bar from the first row",
        ),
        made("prices_bar overwritten", prices, "spent_bar[-1] * amounts[-1]", mistake="prices_bar overwritten"),
        made("prices_bar over the wrong axis", prices, "(spent_bar * amounts).sum(axis=1)", slip="shape"),
        made("prices_bar by prices", prices, "(spent_bar * prices).sum(axis=0)", mistake="prices handed their own"),
        made("the top as it came", top, "by_the_top = y_bar", mistake="total left out under the top"),
        made("one total for all", total, "-(y_bar * spent / total**2).sum()", mistake="total_bar summed both ways"),
        made("exchanged", returned, "return prices_bar, amounts_bar", slip="shape"),
        wrong(
            exercise,
            "the product forgotten",
            (amounts, "spent_bar"),
            (prices, "spent_bar.sum(axis=0)"),
            mistake="product taken for a sum",
        ),
        made(
            "by dividing",
            amounts,
            "spent_bar * spent / amounts",
            case="an item that nobody bought",
        ),
        right(
            exercise,
            "by y",
            (total, "-(y_bar * (spent / total)).sum(1, keepdims=True)"),
            (spent, "(y_bar + total_bar) / total"),
        ),
        right(exercise, "einsum", (prices, "jnp.einsum('ni,ni->i', spent_bar, amounts)")),
        right(
            exercise,
            "no keepdims",
            (total, "-(y_bar * spent / total**2).sum(axis=1)"),
            (spent, "by_the_top + total_bar[:, None]"),
        ),
        right(exercise, "a negative power", (top, "by_the_top = y_bar * total**-1.0")),
        right(
            exercise,
            "row by row",
            functions="""
def shares_bwd(residuals, y_bar):
    amounts, prices, spent, total = residuals
    spent_bar = []
    for row_bar, row, sum_of_row in zip(y_bar, spent, total):
        through_total = -jnp.vdot(row_bar, row) / sum_of_row**2
        spent_bar.append(row_bar / sum_of_row + through_total)
    spent_bar = jnp.stack(spent_bar)
    return spent_bar * prices, sum(spent_bar * amounts)
""",
        ),
    )


ANSWERS = (*_matvec(), *_add_row(), *_row_sums(), *_repeat_each(), *_gather(), *_turn(), *_shares())
