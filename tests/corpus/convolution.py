"""Answers to `convolution`, wrong and right."""

from tests.corpus.answers import Answer, right, variants

ZEROS = "jnp.zeros_like(x)"
PIECE = "x_bar.at[k : k + len(y_bar)].add(w[k] * y_bar)"
DOTS = "jnp.stack([x[k : k + len(y_bar)] @ y_bar for k in range(len(w))])"


def _slide() -> tuple[Answer, ...]:
    one, other = variants(
        "convolution.slide",
        f"""
def slide_fwd(x, w):
    return slide(x, w), (x, w)


def slide_bwd(residuals, y_bar):
    x, w = residuals
    x_bar = {ZEROS}
    for k in range(len(w)):
        x_bar = {PIECE}
    w_bar = {DOTS}
    return x_bar, w_bar
""",
    )
    return (
        one("set for add", ".add(w[k] * y_bar)", ".set(w[k] * y_bar)", mistake="overwritten for added"),
        one("the kernel from its end", "add(w[k]", "add(w[len(w) - 1 - k]",
            mistake="kernel the wrong way round in x_bar"),
        one("w_bar from its end", DOTS, f"{DOTS}[::-1]", mistake="w_bar turned round"),
        one("y_bar from its end", "x, w = residuals", "x, w = residuals\n    y_bar = y_bar[::-1]",
            mistake="y_bar turned round"),
        one("the first place alone", "for k in range(len(w)):\n", "for k in range(1):\n",
            mistake="one place of the kernel alone"),
        one("a mean of products", DOTS, f"{DOTS} / len(y_bar)", mistake="w_bar averaged over the windows"),
        one("a mean over the kernel", "return x_bar,", "return x_bar / len(w),",
            mistake="x_bar averaged over the kernel"),
        one("ones for y_bar", "x, w = residuals", "x, w = residuals\n    y_bar = jnp.ones_like(y_bar)",
            mistake="y_bar left out"),
        one("a place to the right", "return x_bar,", "return jnp.pad(x_bar[:-1], (1, 0)),",
            mistake="x_bar moved by a place"),
        one("a minus", "return x_bar, w_bar", "return x_bar, -w_bar", line="wrong sign"),
        one("w left out", "add(w[k] * y_bar)", "add(y_bar)"),
        one("the last window forgotten", "x[k : k + len(y_bar)] @ y_bar", "x[k : k + len(y_bar) - 1] @ y_bar[:-1]"),
        one("products not added", "] @ y_bar", "] * y_bar", slip="not summed"),
        one("kept windows", "return slide(x, w), (x, w)", "return slide(x, w[::-1]), (x, w)", fault="value"),
        one("one alone", "return x_bar, w_bar", "return (x_bar,)", fault="structure"),
        other("numpy's convolution", ZEROS, "jnp.convolve(y_bar, w)", f"        x_bar = {PIECE}\n", "        pass\n"),
        other("correlated", DOTS, "jnp.correlate(x, y_bar)"),
        other("window by window", PIECE, "x_bar + jnp.pad(w[k] * y_bar, (k, len(w) - 1 - k))"),
        other("a matrix of windows", DOTS, "y_bar @ x[jnp.arange(len(y_bar))[:, None] + jnp.arange(len(w))]"),
    )  # fmt: skip


CONV = "lax.conv_general_dilated"


def _conv_1d() -> tuple[Answer, ...]:
    x_bar = f'{CONV}(y_bar, w[::-1], (1,), [ends], dimension_numbers=("NWC", "WOI", "NWC"))'
    w_bar = f'{CONV}(x, y_bar, (1,), [(0, 0)], dimension_numbers=("CWN", "IWO", "WNC"))'
    one, other = variants(
        "convolution.conv_1d",
        f"""
def conv_1d_fwd(x, w):
    return conv_1d(x, w), (x, w)


def conv_1d_bwd(residuals, y_bar):
    x, w = residuals
    ends = (len(w) - 1, len(w) - 1)
    x_bar = {x_bar}
    w_bar = {w_bar}
    return x_bar, w_bar
""",
    )
    loops = "sum(jnp.pad(y_bar @ w[k].T, ((0, 0), (k, len(w) - 1 - k), (0, 0))) for k in range(len(w)))"
    return (
        one("not turned", "w[::-1]", "w", mistake="kernel the wrong way round in x_bar"),
        one("w_bar turned", w_bar, f"{w_bar}[::-1]", mistake="w_bar turned round"),
        one("all turned", "x, w = residuals", "x, w = residuals\n    y_bar = y_bar[:, ::-1]",
            mistake="y_bar turned round"),
        one("one place", "w[::-1]", "w[::-1].at[:-1].set(0)", mistake="one place of the kernel alone"),
        one("mean over the windows", "return x_bar, w_bar", "return x_bar, w_bar / y_bar.shape[1]",
            mistake="w_bar averaged over the windows"),
        one("mean over the kernel", "return x_bar,", "return x_bar / len(w),",
            mistake="x_bar averaged over the kernel"),
        one("mean over the batch", "return x_bar, w_bar", "return x_bar, w_bar / len(x)",
            mistake="w_bar averaged over the batch"),
        one("the first example", f"w_bar = {CONV}(x, y_bar", f"w_bar = {CONV}(x[:1], y_bar[:1]",
            mistake="w_bar of the first example"),
        one("ones for y_bar", "x, w = residuals", "x, w = residuals\n    y_bar = jnp.ones_like(y_bar)",
            mistake="y_bar left out"),
        one("all zeros before", "ends = (len(w) - 1, len(w) - 1)", "ends = (2 * len(w) - 2, 0)"),
        one("a place too far", "ends = (len(w) - 1, len(w) - 1)", "ends = (len(w), len(w) - 2)",
            mistake="x_bar moved by a place"),
        one("a minus", "return x_bar, w_bar", "return -x_bar, w_bar", line="wrong sign"),
        one("no zeros around", "ends = (len(w) - 1, len(w) - 1)", "ends = (0, 0)", slip="shape"),
        one("channels not swapped", '"WOI"', '"WIO"', fault="exception"),
        one("another layout", '"IWO", "WNC"', '"IWO", "WCN"', slip="transposed"),
        other("matrix by matrix", x_bar, loops),
        other("an einsum a place", w_bar,
              "jnp.stack([jnp.einsum('nti,nto->io', x[:, k : k + y_bar.shape[1]], y_bar) for k in range(len(w))])"),
        other("swapped beforehand", "w[::-1]", "w[::-1].swapaxes(1, 2)", '"WOI"', '"WIO"'),
        other("all axes laid out as forward has them", w_bar,
              f"{CONV}(x.transpose(2, 1, 0), y_bar.transpose(1, 0, 2), (1,), [(0, 0)],"
              ' dimension_numbers=("NWC", "WIO", "NWC")).swapaxes(0, 1)'),
    )  # fmt: skip


def _paddings() -> tuple[Answer, ...]:
    after, reach = "stride * (outputs - 1) + dilation * (width - 1) - before - (length - 1)", "dilation * (width - 1)"
    returned = "(reach - before, reach - after), (before, after)"
    one, other = variants(
        "convolution.bar_paddings",
        f"""
def bar_paddings(length, width, outputs, stride, before, dilation):
    after = {after}
    reach = {reach}
    return {returned}
""",
    )
    return (
        one("one for both", returned, "(before, after), (before, after)", mistake="one padding for both"),
        one("the other order", returned, "(before, after), (reach - before, reach - after)", mistake="the two swapped"),
        one("turned with the kernel", "(reach - before, reach - after)", "(reach - after, reach - before)",
            mistake="sides swapped for x_bar"),
        one("counted from 1", "(length - 1)", "length", mistake="one place too far"),
        one("no stride", "stride * (outputs - 1)", "(outputs - 1)", mistake="stride left out"),
        one("no dilation", after, "stride * (outputs - 1) + (width - 1) - before - (length - 1)",
            f"reach = {reach}", "reach = width - 1", mistake="dilation left out"),
        one("a width too many", f"reach = {reach}", "reach = dilation * width", mistake="width for reach"),
        one("as much at both ends", returned, "(reach - before, reach - before), (before, before)",
            slip="exchanged"),
        one("never less than nothing", f"after = {after}", f"after = max({after}, 0)",
            case="places at the end that no window reads"),
        one("forward's padding forgotten", returned, "(reach, reach), (before, after)"),
        one("only one of the two", returned, "(reach - before, reach - after)", fault="structure"),
        other("from the last window's beginning", after,
              "(stride * (outputs - 1) - before) + dilation * (width - 1) + 1 - length"),
        other("by listing", after,
              "max(stride * t + dilation * k for t in range(outputs) for k in range(width)) - before - length + 1"),
        other("arrays", returned, "jnp.array([[reach - before, reach - after], [before, after]])"),
        other("lists", returned, "[[reach - before, reach - after], [before, after]]"),
    )  # fmt: skip


def _conv_2d() -> tuple[Answer, ...]:
    of_x, of_w = "tuple(each[0] for each in paddings)", "tuple(each[1] for each in paddings)"
    one, other = variants(
        "convolution.conv_2d",
        f"""
def conv_2d_fwd(x, w, b, window):
    return conv_2d(x, w, b, window), (x, w, window)


def conv_2d_bwd(residuals, y_bar):
    x, w, window = residuals
    befores = [before for before, _ in window.padding]
    axes = zip(x.shape[1:3], w.shape, y_bar.shape[1:3], window.stride, befores, window.dilation)
    paddings = [bar_paddings(*axis) for axis in axes]
    of_x = {of_x}
    of_w = {of_w}
    turned = w[::-1, ::-1]
    x_bar = {CONV}(y_bar, turned, (1, 1), of_x, window.stride, window.dilation, ("NHWC", "HWOI", "NHWC"))
    w_bar = {CONV}(x, y_bar, window.dilation, of_w, (1, 1), window.stride, ("CHWN", "IHWO", "HWNC"))
    b_bar = y_bar.sum((0, 1, 2))
    return x_bar, w_bar, b_bar, None
""",
    )
    return (
        one("not turned", "w[::-1, ::-1]", "w", mistake="kernel the wrong way round in x_bar"),
        one("turned along one axis", "w[::-1, ::-1]", "w[::-1]", mistake="turned along the height alone"),
        one("turned along the other", "w[::-1, ::-1]", "w[:, ::-1]", mistake="turned along the width alone"),
        one("w_bar turned", "return x_bar, w_bar,", "return x_bar, w_bar[::-1, ::-1],", mistake="w_bar turned round"),
        one("sides swapped for x_bar", of_x, "tuple(each[0][::-1] for each in paddings)",
            mistake="padding's sides swapped for x_bar"),
        one("sides swapped for w_bar", of_w, "tuple(each[1][::-1] for each in paddings)",
            mistake="padding's sides swapped for w_bar"),
        one("a mean over the image", "y_bar.sum((0, 1, 2))", "y_bar.mean((1, 2)).sum(0)",
            mistake="b_bar averaged over the image"),
        one("a mean over the batch", "y_bar.sum((0, 1, 2))", "y_bar.sum((1, 2)).mean(0)",
            mistake="b_bar averaged over the batch"),
        one("w's mean over the batch", "return x_bar, w_bar,", "return x_bar, w_bar / len(x),",
            mistake="w_bar averaged over the batch"),
        one("the first image", f"w_bar = {CONV}(x, y_bar,", f"w_bar = {CONV}(x[:1], y_bar[:1],",
            mistake="w_bar of the first example"),
        one("a mean of everything", "y_bar.sum((0, 1, 2))", "y_bar.mean((0, 1, 2))", slip="factor"),
        one("a bias for each place", "y_bar.sum((0, 1, 2))", "y_bar.sum(0)", slip="not summed"),
        one("stride and dilation not swapped", "window.dilation, of_w, (1, 1), window.stride",
            "window.stride, of_w, (1, 1), window.dilation", slip="shape"),
        one("nothing between y_bar's entries", "of_x, window.stride,", "of_x, (1, 1),", slip="shape"),
        one("never cut off", of_w, "tuple((b, max(a, 0)) for _, (b, a) in paddings)",
            case="pixels that no window reads"),
        one("for the window None left out", "b_bar, None", "b_bar", fault="structure"),
        other("with keywords", "window.dilation, of_w, (1, 1), window.stride, (", "window.dilation, of_w,"
              " rhs_dilation=window.stride, dimension_numbers=("),
        other("swapped beforehand", "w[::-1, ::-1]", "jnp.flip(w, (0, 1)).swapaxes(2, 3)", '"HWOI"', '"HWIO"'),
        other("the bias by einsum", "y_bar.sum((0, 1, 2))", "jnp.einsum('nhwo->o', y_bar)"),
        other("laid out beforehand", "(x, y_bar, window", "(x.transpose(3, 1, 2, 0),"
              " y_bar.transpose(1, 2, 0, 3), window",
              '("CHWN", "IHWO", "HWNC"))', '("NHWC", "HWIO", "NHWC")).transpose(1, 2, 0, 3)'),
    )  # fmt: skip


def _transposed() -> tuple[Answer, ...]:
    y = f'{CONV}(x, w[::-1], (1,), [ends], window.stride, window.dilation, ("NWC", "WOI", "NWC"))'
    w_bar = f'{CONV}(y_bar, x, window.dilation, window.padding, (1,), window.stride, ("CWN", "IWO", "WNC"))'
    one, other = variants(
        "convolution.transposed_conv_1d",
        f"""
def transposed_conv_1d_fwd(x, w, window):
    reach = window.dilation[0] * (len(w) - 1)
    ends = tuple(reach - end for end in window.padding[0])
    y = {y}
    return y, (x, w, window)


def transposed_conv_1d_bwd(residuals, y_bar):
    x, w, window = residuals
    x_bar = {CONV}(y_bar, w, window.stride, window.padding, (1,), window.dilation, ("NWC", "WIO", "NWC"))
    w_bar = {w_bar}
    return x_bar, w_bar, None
""",
    )
    returned = "return x_bar, w_bar, None"
    return (
        one("turned", f"x_bar = {CONV}(y_bar, w,", f"x_bar = {CONV}(y_bar, w[::-1],",
            mistake="kernel the wrong way round in x_bar"),
        one("w_bar turned", returned, "return x_bar, w_bar[::-1], None", mistake="w_bar turned round"),
        one("y_bar turned", "x, w, window = residuals", "x, w, window = residuals\n    y_bar = y_bar[:, ::-1]",
            mistake="y_bar turned round"),
        one("one place", f"x_bar = {CONV}(y_bar, w,", f"x_bar = {CONV}(y_bar, w.at[1:].set(0),",
            mistake="one place of the kernel alone"),
        one("a mean of windows", returned, "return x_bar, w_bar / y_bar.shape[1], None",
            mistake="w_bar averaged over the windows"),
        one("a mean over the kernel", returned, "return x_bar / len(w), w_bar, None",
            mistake="x_bar averaged over the kernel"),
        one("a mean over the batch", returned, "return x_bar, w_bar / len(x), None",
            mistake="w_bar averaged over the batch"),
        one("the first example", f"w_bar = {CONV}(y_bar, x,", f"w_bar = {CONV}(y_bar[:1], x[:1],",
            mistake="w_bar of the first example"),
        one("a place aside", returned, "return jnp.pad(x_bar[:, :-1], ((0, 0), (1, 0), (0, 0))), w_bar, None",
            mistake="x_bar moved by a place"),
        one("a minus", returned, "return x_bar, -w_bar, None", line="wrong sign"),
        one("moved by the stride", "y_bar, x, window.dilation,", "y_bar, x, window.stride,", slip="shape"),
        one("forward not turned", "(x, w[::-1]", "(x, w", fault="value"),
        one("no None", returned, "return x_bar, w_bar", fault="structure"),
        other("swapped beforehand", "(x, w[::-1]", "(x, w[::-1].swapaxes(1, 2)", '"WOI"', '"WIO"'),
        other("JAX's own", y,
              "lax.conv_transpose(x, w[::-1].swapaxes(1, 2), window.stride, [ends], window.dilation)"),
        other("settings by name", "(y_bar, w, window.stride, window.padding, (1,), window.dilation, (",
              "(y_bar, w, window.stride, window.padding, rhs_dilation=window.dilation, dimension_numbers=("),
        other("place by place", w_bar,
              "jnp.stack([jnp.einsum('nto,nti->oi', wide[:, start : start + count : step], x) for start in starts])",
              "    x_bar =", "    wide, step = jnp.pad(y_bar, ((0, 0), window.padding[0], (0, 0))), window.stride[0]\n"
              "    starts = [window.dilation[0] * k for k in range(len(w))]\n"
              "    count = step * (x.shape[1] - 1) + 1\n    x_bar ="),
    )  # fmt: skip


def _grouped() -> tuple[Answer, ...]:
    letters = 'dimension_numbers=("NWC", "WIO", "NWC")'
    x_bar = f"{CONV}(y_bar, swapped, (1,), [ends], {letters}, feature_group_count=GROUPS)"
    one, other = variants(
        "convolution.grouped_conv_1d",
        f"""
def grouped_conv_1d_fwd(x, w):
    return grouped_conv_1d(x, w), (x, w)


def grouped_conv_1d_bwd(residuals, y_bar):
    x, w = residuals
    width, each, _ = w.shape
    swapped = w[::-1].reshape(width, each, GROUPS, -1).transpose(0, 3, 2, 1).reshape(width, -1, x.shape[-1])
    ends = (width - 1, width - 1)
    x_bar = {x_bar}
    w_bar = {CONV}(x, y_bar, (1,), [(0, 0)], dimension_numbers=("CWN", "IWO", "WNC"), batch_group_count=GROUPS)
    return x_bar, w_bar
""",
    )
    halves = """
def grouped_conv_1d_fwd(x, w):
    kept = list(zip(jnp.split(x, GROUPS, -1), jnp.split(w, GROUPS, -1)))
    return jnp.concatenate([conv_1d_fwd(*part)[0] for part in kept], -1), (x, w)


def grouped_conv_1d_bwd(residuals, y_bar):
    parts = zip(*(jnp.split(array, GROUPS, -1) for array in (*residuals, y_bar)))
    bars = [conv_1d_bwd((x, w), bar) for x, w, bar in parts]
    return tuple(jnp.concatenate(each, -1) for each in zip(*bars))
"""
    returned = "return x_bar, w_bar"
    return (
        one("not turned", "w[::-1]", "w", mistake="kernel the wrong way round in x_bar"),
        one("w_bar turned", returned, "return x_bar, w_bar[::-1]", mistake="w_bar turned round"),
        one("y_bar turned", "x, w = residuals", "x, w = residuals\n    y_bar = y_bar[:, ::-1]",
            mistake="y_bar turned round"),
        one("one place", "w[::-1]", "w[::-1].at[:-1].set(0)", mistake="one place of the kernel alone"),
        one("a mean of windows", returned, "return x_bar, w_bar / y_bar.shape[1]",
            mistake="w_bar averaged over the windows"),
        one("a mean over the kernel", returned, "return x_bar / width, w_bar",
            mistake="x_bar averaged over the kernel"),
        one("a mean over the batch", returned, "return x_bar, w_bar / len(x)", mistake="w_bar averaged over the batch"),
        one("the first example", f"w_bar = {CONV}(x, y_bar", f"w_bar = {CONV}(x[:1], y_bar[:1]",
            mistake="w_bar of the first example"),
        one("groups swapped", returned, "return jnp.roll(x_bar, each, -1), w_bar",
            mistake="groups in the opposite order"),
        one("a minus", returned, "return x_bar, -w_bar", line="wrong sign"),
        one("channels not laid out by group", "transpose(0, 3, 2, 1)", "transpose(0, 3, 1, 2)"),
        one("one group backward", ", batch_group_count=GROUPS", "", slip="shape"),
        one("one group forward", "feature_group_count=GROUPS", "feature_group_count=1", fault="exception"),
        one("one alone", returned, "return (x_bar,)", fault="structure"),
        other("group by group", x_bar, f"jnp.concatenate([{CONV}(bar, part, (1,), [ends], {letters}) for bar, part in"
              " zip(jnp.split(y_bar, GROUPS, -1), jnp.split(swapped, GROUPS, -1))], -1)"),
        other("with WOI", "transpose(0, 3, 2, 1).reshape(width, -1, x.shape[-1])",
              "transpose(0, 2, 1, 3).reshape(width, x.shape[-1], -1)", x_bar, x_bar.replace("WIO", "WOI")),
        other("flipped", "w[::-1]", "jnp.flip(w, 0)"),
        right("convolution.grouped_conv_1d", "by one's own conv_1d", functions=halves),
    )  # fmt: skip


ANSWERS = (*_slide(), *_conv_1d(), *_paddings(), *_conv_2d(), *_transposed(), *_grouped())
