"""Answers to `chain_rule`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong


def _square() -> tuple[Answer, ...]:
    exercise, line = "chain_rule.square", "y_bar * 2 * x"
    returned = "return (x_bar,)\n\n\ndef sine"

    def made(name: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (line, now), **what)

    def returns(name: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (returned, f"{now}\n\n\ndef sine"), **what)

    return (
        made("y_bar forgotten", "2 * x", slip="left out"),
        made("slope halved", "y_bar * x", mistake="slope halved"),
        made("the value for the slope", "y_bar * x**2", mistake="value for slope"),
        made("exponent not lowered", "y_bar * 2 * x**2", mistake="exponent not lowered"),
        made("the slope of the cube", "y_bar * 3 * x**2", mistake="slope of the cube"),
        made("the slope of a line", "y_bar * 2", mistake="slope of a line"),
        made("the slope squared", "y_bar * (2 * x) ** 2", mistake="slope squared"),
        made("y_bar alone", "y_bar", slip="handed on"),
        made("sign", "-y_bar * 2 * x", slip="sign"),
        made("added, not multiplied", "y_bar + 2 * x", slip="proportion"),
        made("divided", "y_bar / (2 * x + 1)"),
        made("y_bar squared", "y_bar * y_bar * 2 * x", slip="proportion"),
        made("the slope at y_bar", "2 * y_bar", mistake="slope of a line"),
        made("zero", "0.0", slip="zero"),
        made("one", "1.0 + 0 * y_bar", slip="ones"),
        made("NaN", "y_bar * float('nan')", slip="not finite"),
        made("the size of the slope", "y_bar * 2 * abs(x)", case="a negative x"),
        made("the value over x", "y_bar * 2 * x**2 / x", case="x = 0"),
        returns("nothing", "return None", fault="structure"),
        returns("two numbers", "return (x_bar, y_bar)", fault="structure"),
        returns("an empty tuple", "return ()", fault="structure"),
        returns("None in a tuple", "return (None,)", fault="structure"),
        returns("an array of two", "return (jnp.array([x_bar, x_bar]),)", slip="shape"),
        returns("a text", 'return ("x_bar",)', fault="structure"),
        right(exercise, "a bare number", (returned, "return x_bar\n\n\ndef sine")),
        right(exercise, "a list", (returned, "return [x_bar]\n\n\ndef sine")),
        right(exercise, "a sum", (line, "y_bar * x + y_bar * x")),
        right(exercise, "Python's numbers", (line, "float(y_bar) * 2 * float(x)")),
        right(exercise, "NumPy's numbers", (line, "np.multiply(y_bar, 2 * np.asarray(x))")),
        right(exercise, "a loop", (line, "sum(y_bar * x for _ in range(2))")),
    )


def _sine_of_square() -> tuple[Answer, ...]:
    exercise, first, second = "chain_rule.sine_of_square", "y_bar * jnp.cos(u)", "u_bar * 2 * x"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("the cosine at x", first, "y_bar * jnp.cos(x)", mistake="cosine at x"),
        made("the cosine forgotten", first, "y_bar", mistake="sine's slope left out"),
        made("the square forgotten", second, "u_bar", mistake="square's slope left out"),
        made("the square at u", second, "u_bar * 2 * u", mistake="square's slope at u"),
        made("minus cosine", first, "-y_bar * jnp.cos(u)", slip="sign"),
        made("sine again", first, "y_bar * jnp.sin(u)", mistake="sine for its slope"),
        made("the slope of cosine", first, "-y_bar * jnp.sin(u)", mistake="slope of the cosine"),
        made(
            "the slope inside the cosine", first, "y_bar * jnp.cos(2 * x) / (2 * x)", mistake="slope inside the cosine"
        ),
        made("y_bar forgotten", first, "jnp.cos(u)", slip="left out"),
        made("u_bar forgotten", second, "y_bar * 2 * x", mistake="sine's slope left out"),
        made("slopes added", second, "u_bar + 2 * x", slip="proportion"),
        made("y_bar twice", second, "u_bar * y_bar * 2 * x", slip="proportion"),
        made("the slope without its 2", second, "u_bar * x", mistake="square's slope halved"),
        made("the root of u for x", second, "u_bar * 2 * jnp.sqrt(u)", case="a negative x"),
        made("u over x", second, "u_bar * 2 * u / x", case="x = 0"),
        made("a name that is not there", first, "y_bar * cosine(u)", fault="exception"),
        right(exercise, "math", (first, "y_bar * math.cos(u)")),
        right(exercise, "NumPy", (first, "y_bar * np.cos(u)")),
        right(exercise, "u again", (first, "y_bar * jnp.cos(x**2)")),
        right(
            exercise,
            "the earlier answer",
            ("x_bar = u_bar * 2 * x\n    return (x_bar,)", "return square_bwd(x, u_bar)"),
        ),
        right(exercise, "by cases", (second, "(u_bar * 2 * x if x > 0 else -u_bar * 2 * abs(x))")),
        right(exercise, "a sine moved by a quarter turn", (first, "y_bar * jnp.sin(u + jnp.pi / 2)")),
    )


def _neuron_loss() -> tuple[Answer, ...]:
    exercise = "chain_rule.neuron_loss"
    loss, sigmoid, w, b = (
        "a_bar = loss_bar * error\n",
        "z_bar = a_bar * a * (1 - a)",
        "w_bar = z_bar * x",
        "b_bar = z_bar\n",
    )
    returned = "return w_bar, b_bar, None, None"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("loss_bar forgotten", loss, "a_bar = error\n", slip="left out"),
        made("the 2 of the square", loss, "a_bar = 2 * loss_bar * error\n", mistake="half lost"),
        made("the half kept", loss, "a_bar = 0.5 * loss_bar * error\n", mistake="half counted twice"),
        made("the error squared", loss, "a_bar = loss_bar * error**2\n", mistake="error squared"),
        made("target minus output", loss, "a_bar = -loss_bar * error\n", slip="sign"),
        made("no error", loss, "a_bar = loss_bar\n", mistake="error left out"),
        made("the output for the error", loss, "a_bar = loss_bar * a\n", mistake="output for error"),
        made("sigmoid forgotten", sigmoid, "z_bar = a_bar", mistake="sigmoid's slope left out"),
        made("tanh's slope", sigmoid, "z_bar = a_bar * (1 - a**2)", mistake="slope of tanh"),
        made("half of sigmoid's slope", sigmoid, "z_bar = a_bar * (1 - a)", mistake="half of sigmoid's slope"),
        made("sigmoid's value", sigmoid, "z_bar = a_bar * a", mistake="sigmoid's value for its slope"),
        made("x forgotten", w, "w_bar = z_bar", mistake="x left out"),
        made("x by b", b, "b_bar = z_bar * x\n", mistake="b taken for a weight"),
        made("b_bar as it came", b, "b_bar = loss_bar\n", slip="handed on"),
        made("b_bar zero", b, "b_bar = 0 * z_bar\n", line="a path back through `z = w * x + b` is missing"),
        made("exchanged", returned, "return b_bar, w_bar, None, None", slip="exchanged"),
        made("x_bar wrong", returned, "return w_bar, b_bar, z_bar, None", slip="exchanged"),
        made("the size of x", w, "w_bar = z_bar * abs(x)", case="a negative x"),
        right(exercise, "sigmoid's slope multiplied out", (sigmoid, "z_bar = a_bar * (a - a**2)")),
        right(exercise, "target_bar too", (returned, "return w_bar, b_bar, None, -a_bar")),
        right(exercise, "a list", (returned, "return [w_bar, b_bar, None, None]")),
        right(exercise, "Python's numbers", (loss, "a_bar = float(loss_bar * error)\n")),
        right(exercise, "fused", (w, "w_bar = loss_bar * error * a * (1 - a) * x")),
    )


def _swish() -> tuple[Answer, ...]:
    exercise = "chain_rule.swish"
    both, sigmoid = "direct + by_way_of_a", "by_way_of_a = a_bar * a * (1 - a)"
    product, other = "direct = y_bar * a\n", "a_bar = y_bar * x\n"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("only the product", both, "direct", mistake="path by the sigmoid lost"),
        made("only the sigmoid", both, "by_way_of_a", mistake="path by the product lost"),
        made("multiplied", both, "direct * by_way_of_a", slip="proportion"),
        made("subtracted", both, "direct - by_way_of_a", mistake="paths subtracted"),
        made("averaged", both, "(direct + by_way_of_a) / 2", mistake="paths averaged"),
        made("factors exchanged", product, "direct = y_bar * x\n", mistake="factors exchanged"),
        made("y_bar forgotten once", other, "a_bar = x\n", line="`x` itself stands where"),
        made("x forgotten", other, "a_bar = y_bar\n", mistake="x left out of a_bar"),
        made("sigmoid's slope forgotten", sigmoid, "by_way_of_a = a_bar", mistake="sigmoid's slope left out"),
        made("sigmoid's value", sigmoid, "by_way_of_a = a_bar * a", mistake="sigmoid's value for its slope"),
        made("tanh's slope", sigmoid, "by_way_of_a = a_bar * (1 - a**2)", mistake="slope of tanh"),
        made("a passed to itself", other, "a_bar = y_bar * a\n", line="`a` stands where `x` belongs"),
        made("the size of x", other, "a_bar = y_bar * abs(x)\n", case="a negative x"),
        right(exercise, "fused", (both, "y_bar * a * (1 + x * (1 - a))")),
        right(exercise, "a sum of a list", (both, "sum([direct, by_way_of_a])")),
        right(exercise, "exponentials", (sigmoid, "by_way_of_a = a_bar * math.exp(-x) / (1 + math.exp(-x)) ** 2")),
        right(exercise, "by the value", (both, "y_bar * (x * a + a * (1 - x * a))")),
    )


def _forked() -> tuple[Answer, ...]:
    exercise = "chain_rule.forked"
    v, d, u = "v_bar = y_bar / d\n", "-y_bar * v / d**2", "v_bar + d_bar * 2 * u"
    w, x, returned = "w_bar = u_bar * x", "v_bar + u_bar * w", "return x_bar, w_bar"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("y_bar forgotten", v, "v_bar = 1 / d\n", slip="proportion"),
        made("sign of the quotient", d, "y_bar * v / d**2", mistake="minus of the quotient lost"),
        made("d not squared", d, "-y_bar * v / d", mistake="d not squared"),
        made("v forgotten", d, "-y_bar / d**2", mistake="v left out of d_bar"),
        made("v_bar by d squared", v, "v_bar = y_bar / d**2\n", mistake="d squared under v"),
        made("u_bar overwritten", u, "d_bar * 2 * u", mistake="u_bar overwritten"),
        made("d's path forgotten", u, "v_bar", mistake="path by d lost"),
        made("slope of u**2", u, "v_bar + d_bar * u", mistake="slope of u**2 halved"),
        made("w_bar by w", w, "w_bar = u_bar * w", mistake="w handed its own value"),
        made("w_bar too early", w, "w_bar = v_bar * x", mistake="w_bar too early"),
        made("x_bar overwritten", x, "u_bar * w", mistake="x's own path lost"),
        made("x's path by u forgotten", x, "v_bar", mistake="x's path by u lost"),
        made("x_bar multiplied", x, "v_bar * u_bar * w", slip="proportion"),
        made("exchanged", returned, "return w_bar, x_bar", slip="exchanged"),
        made("u over x for w", x, "v_bar + u_bar * u / x", case="x = 0"),
        made("u over w for x", w, "w_bar = u_bar * u / w", case="w = 0"),
        right(exercise, "by v_bar", (d, "-v_bar * v / d")),
        right(
            exercise,
            "added bit by bit",
            (f"u_bar = {u}", "u_bar = v_bar\n    u_bar += d_bar * u\n    u_bar += d_bar * u"),
        ),
        right(exercise, "fused", (x, "y_bar * ((1 + w) * d - v * 2 * w * u) / d**2")),
        right(exercise, "Python's numbers", (returned, "return float(x_bar), float(w_bar)")),
        right(exercise, "a list of paths", (x, "sum([v_bar, v_bar * w, d_bar * 2 * u * w])")),
    )


ANSWERS = (*_square(), *_sine_of_square(), *_neuron_loss(), *_swish(), *_forked())
