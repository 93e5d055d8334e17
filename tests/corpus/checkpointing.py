"""Answers to `checkpointing`, wrong and right: everything kept, a part, next to nothing; steps; blocks run backward."""

from tests.corpus.answers import Answer, right, wrong


def _separate() -> tuple[Answer, ...]:
    exercise = "checkpointing.separate_layers"
    z_bar = "z_bar = y_bar * (1 - y**2)\n        return (x, z_bar @ w.T), x.T @ z_bar"
    back = "(_, x_bar), ws_bar = jax.lax.scan(layer, (y, y_bar), (ws, xs), reverse=True)"

    def changed(old: str, new: str) -> tuple[str, str]:
        return z_bar, z_bar.replace(old, new)

    return (
        wrong(exercise, "no slope", changed("y_bar * (1 - y**2)", "y_bar"), mistake="tanh left out"),
        wrong(exercise, "slope of x", changed("y**2", "x**2"), mistake="the slope of what came in"),
        wrong(exercise, "y_bar on", changed("(x, z_bar @", "(x, y_bar @"), mistake="handed on without its slope"),
        wrong(exercise, "w as it is", changed("w.T", "w"), mistake="weights not turned"),
        wrong(exercise, "y met", changed("x.T", "y.T"), mistake="what came out for what came in"),
        wrong(exercise, "y_bar kept", changed("(x, z_bar @ w.T)", "(x, y_bar)"), mistake="never handed on"),
        wrong(
            exercise,
            "ys forward",
            (
                back,
                "ys = jnp.concatenate([xs[1:], y[None]])\n"
                "    back = lambda bar, at: layer((at[2], bar[1]), at[:2])\n"
                "    (_, x_bar), ws_bar = jax.lax.scan(back, (y, y_bar), (ws, xs, ys))",
            ),
            mistake="the first layer first",
        ),
        wrong(
            exercise,
            "stacked as found",
            (back, back + "\n    ws_bar = ws_bar[::-1]"),
            mistake="in the order of the way back",
        ),
        wrong(exercise, "minus", changed("x.T @", "-x.T @"), line="the wrong sign"),
        wrong(exercise, "doubled", changed("x.T @", "2 * x.T @"), slip="factor"),
        wrong(exercise, "turned", changed("x.T @ z_bar", "z_bar.T @ x"), slip="transposed"),
        wrong(exercise, "y carried", changed("(x, z_bar", "(y, z_bar")),
        wrong(exercise, "x_bar of a mean", (back, back + "\n    x_bar = x_bar / len(x_bar)"), slip="factor"),
        right(
            exercise,
            "what came out",
            functions="""
def separate_layers_fwd(ws, x):
    def layer(x, w):
        y = jnp.tanh(x @ w)
        return y, y

    y, ys = jax.lax.scan(layer, x, ws)
    return y, (ws, x, ys)


def separate_layers_bwd(residuals, y_bar):
    ws, x, ys = residuals

    def layer(y_bar, at):
        w, x, y = at
        z_bar = y_bar - y_bar * y * y
        return z_bar @ w.T, x.T @ z_bar

    x_bar, ws_bar = jax.lax.scan(layer, y_bar, (ws, jnp.concatenate([x[None], ys[:-1]]), ys), reverse=True)
    return ws_bar, x_bar
""",
        ),
        right(
            exercise,
            "a loop",
            functions="""
def separate_layers_bwd(residuals, y_bar):
    ws, xs, y = residuals
    found = []
    for w, x in zip(ws[::-1], xs[::-1]):
        z_bar = y_bar * (1 - y) * (1 + y)
        found.append(x.T @ z_bar)
        y, y_bar = x, z_bar @ w.T
    return jnp.stack(found[::-1]), y_bar
""",
        ),
        right(exercise, "einsum", changed("x.T @ z_bar", 'jnp.einsum("bi,bj->ij", x, z_bar)')),
        right(exercise, "slope factored", changed("(1 - y**2)", "(1 - y) * (1 + y)")),
    )


def _segmented() -> tuple[Answer, ...]:
    exercise = "checkpointing.segmented_layers"
    again = "_, record = separate_layers_fwd(ws, x)"
    back = "x_bar, ws_bar = jax.lax.scan(segment, y_bar, (ws, starts), reverse=True)"
    handed = "ws_bar, x_bar = separate_layers_bwd(record, y_bar)\n        return x_bar, ws_bar"
    return (
        wrong(exercise, "from x", (again, again.replace("x)", "starts[0])")), mistake="every segment from the input"),
        wrong(
            exercise,
            "from the end",
            (again, again.replace("x)", "separate_layers(ws, x))")),
            mistake="the end for the start",
        ),
        wrong(
            exercise,
            "starts turned round",
            (back, back.replace("(ws, starts)", "(ws, starts[::-1])")),
            mistake="another segment's start",
        ),
        wrong(
            exercise,
            "y_bar kept",
            (handed, handed.replace("return x_bar", "return y_bar")),
            (
                back,
                "_, ws_bar = jax.lax.scan(segment, y_bar, (ws, starts), reverse=True)\n"
                "    x_bar = separate_layers_bwd(separate_layers_fwd(ws[0], starts[0])[1], y_bar)[1]",
            ),
            mistake="not handed to the segment before",
        ),
        wrong(exercise, "not reversed", (back, back.replace(", reverse=True", "")), mistake="the first segment first"),
        wrong(
            exercise,
            "stacked as found",
            (back, back + "\n    ws_bar = ws_bar[::-1]"),
            mistake="segments in the order of the way back",
        ),
        wrong(
            exercise,
            "the last alone",
            (back, back + "\n    ws_bar = ws_bar.at[:-1].set(0.0)"),
            mistake="only the last segment's weights",
        ),
        wrong(
            exercise,
            "y_bar handed on",
            (handed, handed.replace("return x_bar", "return y_bar")),
            mistake="not handed to the segment before",
        ),
        wrong(exercise, "minus", (handed, handed.replace("x_bar, ws_bar", "x_bar, -ws_bar", 1)), line="the wrong sign"),
        wrong(
            exercise,
            "halved",
            (handed, handed.replace("return x_bar, ws_bar", "return x_bar, ws_bar / 2")),
            slip="factor",
        ),
        wrong(
            exercise,
            "layers turned round",
            (handed, handed.replace("return x_bar, ws_bar", "return x_bar, ws_bar[::-1]")),
            slip="reversed",
        ),
        wrong(exercise, "weights turned round", (back, back.replace("(ws, starts)", "(ws[::-1], starts)"))),
        right(
            exercise,
            "a loop",
            functions="""
def segmented_layers_bwd(residuals, y_bar):
    ws, starts = residuals
    found = []
    for s in range(len(ws) - 1, -1, -1):
        ws_bar, y_bar = separate_layers_bwd(separate_layers_fwd(ws[s], starts[s])[1], y_bar)
        found.insert(0, ws_bar)
    return jnp.stack(found), y_bar
""",
        ),
        right(
            exercise,
            "written out",
            functions="""
def segmented_layers_bwd(residuals, y_bar):
    ws, starts = residuals

    def segment(y_bar, at):
        ws, x = at
        ys = jax.lax.scan(lambda x, w: 2 * (jnp.tanh(x @ w),), x, ws)[1]

        def layer(y_bar, at):
            w, x, y = at
            z_bar = y_bar * (1 - y**2)
            return z_bar @ w.T, x.T @ z_bar

        return jax.lax.scan(layer, y_bar, (ws, jnp.concatenate([x[None], ys[:-1]]), ys), reverse=True)

    return jax.lax.scan(segment, y_bar, (ws, starts), reverse=True)[::-1]
""",
        ),
        right(
            exercise,
            "forward by the pair",
            (
                "return separate_layers(ws, x), x\n\n    y, starts",
                "return separate_layers_fwd(ws, x)[0], x\n\n    y, starts",
            ),
        ),
        right(
            exercise,
            "turned by hand",
            (
                back,
                back.replace(", reverse=True", "").replace("(ws, starts)", "(ws[::-1], starts[::-1])")
                + "\n    ws_bar = ws_bar[::-1]",
            ),
        ),
    )


def _halved() -> tuple[Answer, ...]:
    exercise = "checkpointing.halved_layers"
    middle = "middle = separate_layers(ws[:half], x)"
    second = "second_bar, middle_bar = halved_layers_bwd((ws[half:], middle), y_bar)"
    first = "first_bar, x_bar = halved_layers_bwd((ws[:half], x), middle_bar)"
    joined = "jnp.concatenate([first_bar, second_bar])"
    slope = "z_bar = y_bar * (1 - y**2)\n        return (x.T @ z_bar)[None]"
    return (
        wrong(exercise, "from x", (second, second.replace("middle)", "x)")), mistake="both halves from the input"),
        wrong(
            exercise,
            "by the second half",
            (middle, middle.replace("ws[:half]", "ws[half:]")),
            mistake="the second half for the first",
        ),
        wrong(exercise, "the end", (middle, middle.replace("ws[:half]", "ws")), mistake="the end for the middle"),
        wrong(
            exercise, "y_bar twice", (first, first.replace("middle_bar)", "y_bar)")), mistake="y_bar for both halves"
        ),
        wrong(
            exercise,
            "first half first",
            (second, "first_bar, middle_bar = halved_layers_bwd((ws[:half], x), y_bar)"),
            (first, "second_bar, x_bar = halved_layers_bwd((ws[half:], middle), middle_bar)"),
            mistake="the first half first",
        ),
        wrong(
            exercise,
            "second in front",
            (joined, "jnp.concatenate([second_bar, first_bar])"),
            mistake="halves exchanged",
        ),
        wrong(exercise, "no slope", (slope, slope.replace(" * (1 - y**2)", "")), mistake="tanh left out of a layer"),
        wrong(exercise, "slope of x", (slope, slope.replace("y**2", "x**2"))),
        wrong(exercise, "middle_bar returned", (joined + ", x_bar", joined + ", middle_bar")),
        wrong(exercise, "y met", (slope, slope.replace("x.T", "y.T")), line="another value was used"),
        wrong(exercise, "minus", (slope, slope.replace("(x.T", "(-x.T")), line="the wrong sign"),
        wrong(exercise, "not a stack", (slope, slope.replace("[None]", "")), slip="shape"),
        right(
            exercise,
            "by the pair",
            functions="""
def halved_layers_bwd(residuals, y_bar):
    ws, x = residuals
    if len(ws) <= 2:
        return separate_layers_bwd(separate_layers_fwd(ws, x)[1], y_bar)
    half = len(ws) // 2
    second_bar, middle_bar = halved_layers_bwd((ws[half:], separate_layers(ws[:half], x)), y_bar)
    first_bar, x_bar = halved_layers_bwd((ws[:half], x), middle_bar)
    return jnp.concatenate([first_bar, second_bar]), x_bar
""",
        ),
        right(
            exercise,
            "no barrier",
            ("(ws, x), y_bar = jax.lax.optimization_barrier((residuals, y_bar))", "ws, x = residuals"),
        ),
        right(exercise, "the larger half first", ("half = len(ws) // 2", "half = (len(ws) + 1) // 2")),
        right(
            exercise,
            "with what came out",
            functions="""
def halved_layers_fwd(ws, x):
    y = separate_layers(ws, x)
    return y, (list(ws), x, y)


def halved_layers_bwd(residuals, y_bar):
    def back(ws, x, y, y_bar):
        if len(ws) == 1:
            z_bar = y_bar * (1 - y**2)
            return [x.T @ z_bar], z_bar @ ws[0].T
        half = len(ws) // 2
        middle = x
        for w in ws[:half]:
            middle = jnp.tanh(middle @ w)
        second, middle_bar = back(ws[half:], middle, y, y_bar)
        first, x_bar = back(ws[:half], x, middle, middle_bar)
        return first + second, x_bar

    ws_bar, x_bar = back(*residuals, y_bar)
    return jnp.stack(ws_bar), x_bar
""",
        ),
    )


def _steps() -> tuple[Answer, ...]:
    exercise = "checkpointing.fewest_steps"
    alone = "n * (n - 1) // 2"
    tries = "(j + least[n - j, held - 1] + least[j, held] for j in range(1, n))"

    def changed(old: str, new: str) -> tuple[str, str]:
        return tries, tries.replace(old, new)

    return (
        wrong(
            exercise,
            "in the middle",
            changed("for j in range(1, n)", "for j in [n // 2] if n > 1"),
            mistake="always in the middle",
        ),
        wrong(
            exercise,
            "both less",
            changed("least[j, held]", "least[j, held - 1]"),
            mistake="a slot less for both sides",
        ),
        wrong(
            exercise,
            "less for the first",
            changed("least[n - j, held - 1] + least[j, held]", "least[n - j, held] + least[j, held - 1]"),
            mistake="as if every state were held",
        ),
        wrong(exercise, "j forgotten", changed("(j + ", "("), mistake="the way to the middle for nothing"),
        wrong(exercise, "run once", (alone, "n - 1"), mistake="as if every state were held"),
        wrong(exercise, "n + 1", (alone, alone.replace("n - 1", "n + 1")), mistake="each layer itself as well"),
        wrong(exercise, "the dearest", ("min(", "max(")),
        right(
            exercise,
            "by recursion",
            functions="""
@functools.cache
def fewest_steps(layers, slots):
    if layers == 1:
        return 0
    if slots == 1:
        return sum(range(layers))
    return min(j + fewest_steps(layers - j, slots - 1) + fewest_steps(j, slots) for j in range(1, layers))
""",
        ),
        right(
            exercise,
            "by a formula",
            functions="""
def fewest_steps(layers, slots):
    times = 0
    while math.comb(slots + times, slots) < layers:
        times += 1
    return times * layers - math.comb(slots + times, times - 1) if times else 0
""",
        ),
        right(exercise, "a sum", (alone, "sum(range(n))")),
    )


def _reversible() -> tuple[Answer, ...]:
    exercise = "checkpointing.reversible_blocks"
    of_left, right_ = "of_left = tanh(after.left @ params.g)", "right = after.right - of_left"
    by_g = "z_bar = bar.right * (1 - of_left**2)"
    to_left = "g_bar, left_bar = after.left.T @ z_bar, bar.left + z_bar @ params.g.T"
    of_right, by_f = "of_right = tanh(right @ params.f)", "z_bar = left_bar * (1 - of_right**2)"
    before = "before = Streams(after.left - of_right, right)"
    returned = "return (before, Streams(left_bar, bar.right + z_bar @ params.f.T)), Blocks(right.T @ z_bar, g_bar)"
    back = "jax.lax.scan(block, (after, after_bar), params, reverse=True)"
    return (
        wrong(
            exercise,
            "nothing undone",
            (right_, "right = after.right"),
            (before, "before = after"),
            mistake="nothing undone",
        ),
        wrong(
            exercise,
            "left first",
            (of_left, "of_left = tanh((after.left - tanh(after.right @ params.f)) @ params.g)"),
            (by_g, "true = tanh(after.left @ params.g)\n        z_bar = bar.right * (1 - true**2)"),
            (before, "before = Streams(after.left - tanh(after.right @ params.f), right)"),
            mistake="undone from the wrong end",
        ),
        wrong(
            exercise,
            "added",
            (right_, right_.replace("-", "+")),
            (before, before.replace("left - ", "left + ")),
            mistake="added once more",
        ),
        wrong(
            exercise,
            "left not handed past",
            (returned, returned.replace("Streams(left_bar,", "Streams(0 * left_bar,")),
            mistake="past the block forgotten",
        ),
        wrong(
            exercise,
            "g not followed",
            (to_left, to_left.replace(" + z_bar @ params.g.T", "")),
            mistake="left's use by g forgotten",
        ),
        wrong(exercise, "no slopes", (by_g, "z_bar = bar.right"), (by_f, "z_bar = left_bar"), mistake="tanh left out"),
        wrong(exercise, "not reversed", (back, back.replace(", reverse=True", ""))),
        wrong(
            exercise,
            "right not handed past",
            (returned, returned.replace("bar.right + ", "")),
            line="as if that were a constant",
        ),
        wrong(
            exercise,
            "f not turned",
            (returned, returned.replace("params.f.T", "params.f")),
            line="its transpose are exchanged",
        ),
        wrong(exercise, "the old right", (of_right, of_right.replace("right @", "after.right @"))),
        wrong(
            exercise,
            "exchanged",
            (returned, returned.replace("Blocks(right.T @ z_bar, g_bar)", "Blocks(g_bar, right.T @ z_bar)")),
            slip="exchanged",
        ),
        right(
            exercise,
            "a tuple",
            (returned, returned.replace("Blocks(right.T @ z_bar, g_bar)", "(right.T @ z_bar, g_bar)")),
        ),
        right(exercise, "slopes factored", (by_g, "z_bar = bar.right * (1 - of_left) * (1 + of_left)")),
        right(
            exercise,
            "einsum",
            (to_left, to_left.replace("after.left.T @ z_bar", 'jnp.einsum("bi,bj->ij", after.left, z_bar)')),
        ),
        right(
            exercise,
            "a loop",
            functions="""
def reversible_blocks_bwd(residuals, after_bar):
    params, (left, right) = residuals
    left_bar, right_bar = after_bar
    f_bars, g_bars = [], []
    for f, g in zip(params.f[::-1], params.g[::-1]):
        t = jnp.tanh(left @ g)
        right = right - t
        z_bar = right_bar * (1 - t * t)
        g_bars.insert(0, left.T @ z_bar)
        left_bar = left_bar + z_bar @ g.T
        t = jnp.tanh(right @ f)
        left = left - t
        z_bar = left_bar * (1 - t * t)
        f_bars.insert(0, right.T @ z_bar)
        right_bar = right_bar + z_bar @ f.T
    return (jnp.stack(f_bars), jnp.stack(g_bars)), (left_bar, right_bar)
""",
        ),
    )


ANSWERS = (*_separate(), *_segmented(), *_halved(), *_steps(), *_reversible())
