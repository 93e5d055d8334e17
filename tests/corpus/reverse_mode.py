"""Answers to `reverse_mode`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong


def _sweep() -> tuple[Answer, ...]:
    exercise = "reverse_mode.sweep"
    adds = "bars[place] += slope * bars[step.output]"
    start, first = "bars[tape.output] = y_bar", "[0.0] * len(tape.values)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("set, not added", adds, adds.replace("+=", "="), mistake="overwritten"),
        made(
            "from the start",
            "in reversed(tape.steps):\n        # 3. What does a step send",
            "in tape.steps:\n        # 3. What does a step send",
            mistake="from the start",
        ),
        made("no slopes", adds, "bars[place] += bars[step.output]", mistake="slopes left out"),
        made("no y_bar", start, "bars[tape.output] = 1.0", mistake="y_bar left out"),
        made("at the last place", start, "bars[-1] = y_bar", case="steps behind the output"),
        made("slopes added", adds, "bars[place] += slope + bars[step.output]"),
        made("the values for slopes", adds, "bars[place] += tape.values[place] * bars[step.output]"),
        made("the other way", adds, "bars[step.output] += slope * bars[place]", slip="zero"),
        made("starts at one", first, "[1.0] * len(tape.values)"),
        made("the inputs' bars alone", "return bars", "return bars[: tape.arguments]", fault="structure"),
        made(
            "each input once",
            "zip(step.inputs, step.slopes, strict=True)",
            "dict(zip(step.inputs, step.slopes)).items()",
            case="a step whose inputs are one place",
        ),
        made(
            "first inputs",
            "zip(step.inputs, step.slopes, strict=True)",
            "zip(step.inputs[:1], step.slopes)",
            mistake="first inputs alone",
        ),
        made("a place too far", adds, "bars[place + 1] += slope * bars[step.output]", slip="zero; exchanged; factor"),
        wrong(
            exercise,
            "the recursion that runs ahead",
            functions="""
def sweep(tape, y_bar):
    bars = [0.0] * len(tape.values)
    bars[tape.output] = y_bar

    def back(place):
        for step in tape.steps:
            if step.output == place:
                for i, s in zip(step.inputs, step.slopes):
                    bars[i] += s * bars[place]
                    back(i)

    back(tape.output)
    return bars
""",
            mistake="handed on too early",
        ),
        right(exercise, "a tuple", ("return bars", "return tuple(bars)")),
        right(exercise, "an array", ("return bars", "return jnp.array(bars)")),
        right(
            exercise,
            "every path by itself",
            functions="""
def sweep(tape, y_bar):
    bars = [0.0] * len(tape.values)
    made = {step.output: step for step in tape.steps}

    def back(place, share):
        bars[place] += share
        if place in made:
            for i, s in zip(made[place].inputs, made[place].slopes):
                back(i, s * share)

    back(tape.output, y_bar)
    return bars
""",
        ),
        right(
            exercise,
            "each bar asked for, and remembered",
            functions="""
def sweep(tape, y_bar):
    @functools.cache
    def bar(place):
        uses = [(s.output, slope) for s in tape.steps for i, slope in zip(s.inputs, s.slopes) if i == place]
        return sum((slope * bar(output) for output, slope in uses), y_bar if place == tape.output else 0.0)

    return [bar(place) for place in range(len(tape.values))]
""",
        ),
        right(
            exercise,
            "a matrix of slopes",
            functions="""
def sweep(tape, y_bar):
    bars = np.zeros(len(tape.values))
    bars[tape.output] = y_bar
    for step in reversed(tape.steps):
        np.add.at(bars, list(step.inputs), bars[step.output] * np.array(step.slopes))
    return bars.tolist()
""",
        ),
    )


def _order() -> tuple[Answer, ...]:
    exercise = "reverse_mode.order"
    once, before, after = "        if place in order:\n            return\n", "visit(part)", "order.append(place)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("no memory", once, "", slip="shape"),
        made("from the output", "return order", "return order[::-1]", mistake="output first"),
        made("put at the front", after, "order.insert(0, place)", mistake="output first"),
        made("without the output", "return order", "return order[:-1]", slip="shape"),
        made("the first part alone", before, "visit(part)\n            break", slip="shape"),
        made(
            "everything",
            "    visit(output)\n",
            "    for place in range(len(made_of)):\n        visit(place)\n",
            slip="shape",
        ),
        made("sorted", "return order", "return sorted(order)", mistake="by number"),
        made("a set", "return order", "return set(order)", fault="structure"),
        wrong(
            exercise,
            "met, then asked",
            functions="""
def topological_order(made_of, output):
    order = []

    def visit(place):
        if place not in order:
            order.append(place)
            for part in made_of[place]:
                visit(part)

    visit(output)
    return order
""",
            mistake="put in before its parts",
        ),
        wrong(
            exercise,
            "level by level",
            functions="""
def topological_order(made_of, output):
    order, waiting = [], [output]
    while waiting:
        place = waiting.pop(0)
        if place not in order:
            order.append(place)
            waiting.extend(made_of[place])
    return order[::-1]
""",
            mistake="level by level",
        ),
        right(
            exercise,
            "a set beside it",
            functions="""
def topological_order(made_of, output):
    order, done = [], set()

    def visit(place):
        if place not in done:
            done.add(place)
            for part in made_of[place]:
                visit(part)
            order.append(place)

    visit(output)
    return tuple(order)
""",
        ),
        right(
            exercise,
            "counting uses, as PyTorch does",
            functions="""
def topological_order(made_of, output):
    needed, waiting = set(), [output]
    while waiting:
        place = waiting.pop()
        if place not in needed:
            needed.add(place)
            waiting += made_of[place]
    uses = {place: 0 for place in needed}
    for place in needed:
        for part in made_of[place]:
            uses[part] += 1
    ready, order = [output], []
    while ready:
        place = ready.pop()
        order.append(place)
        for part in made_of[place]:
            uses[part] -= 1
            if uses[part] == 0:
                ready.append(part)
    return order[::-1]
""",
        ),
        right(
            exercise,
            "the standard library's",
            functions="""
def topological_order(made_of, output):
    import graphlib

    needed, waiting = {}, [output]
    while waiting:
        place = waiting.pop()
        if place not in needed:
            needed[place] = made_of[place]
            waiting += made_of[place]
    return list(graphlib.TopologicalSorter(needed).static_order())
""",
        ),
    )


def _unbroadcast() -> tuple[Answer, ...]:
    exercise = "reverse_mode.unbroadcast"
    front, ones = "bar.sum(axis=tuple(range(bar.ndim - x.ndim)))", "bar.sum(axis=copied, keepdims=True)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    def both(name: str, reduction: str, **what: str) -> Answer:
        return wrong(
            exercise, name, (front, front.replace("sum", reduction)), (ones, ones.replace("sum", reduction)), **what
        )

    return (
        both("averaged", "mean", mistake="averaged"),
        both("the largest", "max"),
        made("front averaged", front, front.replace("sum", "mean"), mistake="front axes averaged"),
        made("axes of one averaged", ones, ones.replace("sum", "mean"), slip="factor"),
        made("front not summed", front, "bar", slip="shape"),
        made("axes of one not summed", ones, "bar", slip="not summed"),
        made("axes of one lost", ones, "bar.sum(axis=copied)", slip="shape"),
        made("front kept", front, front[:-1] + ", keepdims=True)", slip="shape"),
        made("everything summed", ones, "jnp.full(x.shape, bar.sum())"),
        made("cut to size", ones, "bar[:, :1]", mistake="the first copy along axes of one"),
        made(
            "reshaped",
            front,
            "bar.reshape(-1, *x.shape)[0] if x.ndim == 3 else bar.sum(axis=0)",
            case="a single number",
        ),
        right(
            exercise,
            "one axis at a time",
            functions="""
def unbroadcast(bar, x):
    while bar.ndim > x.ndim:
        bar = bar.sum(axis=0)
    for axis, length in enumerate(x.shape):
        if length == 1:
            bar = bar.sum(axis=axis, keepdims=True)
    return bar
""",
        ),
        right(
            exercise,
            "all axes at once, then reshaped",
            functions="""
def unbroadcast(bar, x):
    lined = (1,) * (bar.ndim - x.ndim) + x.shape
    return bar.sum(axis=tuple(i for i, n in enumerate(lined) if n == 1 and bar.shape[i] > 1)).reshape(x.shape)
""",
        ),
        right(
            exercise,
            "NumPy",
            functions="""
def unbroadcast(bar, x):
    bar = np.asarray(bar)
    bar = np.sum(bar, axis=tuple(range(bar.ndim - np.ndim(x))))
    return np.sum(bar, axis=tuple(i for i, n in enumerate(np.shape(x)) if n == 1), keepdims=True)
""",
        ),
    )


def _pull_back() -> tuple[Answer, ...]:
    exercise = "reverse_mode.pull_back"
    mul, matmul, sin = "[y_bar * b, y_bar * a]", "[y_bar @ b.T, a.T @ y_bar]", "y_bar * jnp.cos(a)"
    last, spread = (
        "tuple(unbroadcast(bar, x) for bar, x in zip(bars, inputs, strict=True))",
        "jnp.broadcast_to(y_bar, a.shape)",
    )

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("own factors", mul, "[y_bar * a, y_bar * b]", mistake="own factor"),
        made("exchanged", mul, "[b * b * y_bar, y_bar * a]"),
        made("copies left", last, "tuple(bars)", slip="not summed"),
        made("one bar for both", mul, "[y_bar * a * b, y_bar * a * b]"),
        made("no y_bar in a product", mul, "[b + 0 * y_bar, a + 0 * y_bar]", mistake="y_bar left out"),
        made("the last input forgotten", last, last + "[:1]", fault="structure"),
        made("minus forgotten", "[y_bar, -y_bar]", "[y_bar, +y_bar]", case="the rule of sub"),
        made("product not turned", matmul, "[y_bar @ b.T, (y_bar.T @ a)]", case="the rule of matmul"),
        made("minus the sine", sin, "y_bar * -jnp.sin(a)", case="the rule of sin"),
        made("a for exp", "[y_bar * y]", "[y_bar * a]", case="the rule of exp"),
        made("a mean", spread, f"{spread} / a.size", case="the rule of sum"),
        made("a sum", spread, "y_bar", case="the rule of sum"),
        right(exercise, "exp anew", ("[y_bar * y]", "[y_bar * jnp.exp(a)]")),
        right(
            exercise,
            "einsum and ones",
            (matmul, "[jnp.einsum('nj,ij->ni', y_bar, b), jnp.einsum('ni,nj->ij', a, y_bar)]"),
            (spread, "y_bar * jnp.ones_like(a)"),
        ),
        right(
            exercise,
            "a dict of rules",
            functions="""
def pull_back(rule, inputs, y, y_bar):
    table = {
        "add": lambda a, b: (y_bar, y_bar),
        "sub": lambda a, b: (y_bar, -y_bar),
        "mul": lambda a, b: (y_bar * b, y_bar * a),
        "matmul": lambda a, b: (jnp.dot(y_bar, jnp.transpose(b)), jnp.dot(jnp.transpose(a), y_bar)),
        "sin": lambda a: (y_bar * jnp.cos(a),),
        "exp": lambda a: (y_bar * y,),
        "sum": lambda a: (jnp.full(jnp.shape(a), y_bar),),
    }
    return [unbroadcast(bar, x) for bar, x in zip(table[rule](*inputs), inputs)]
""",
        ),
    )


def _grad_of() -> tuple[Answer, ...]:
    exercise = "reverse_mode.grad_of"
    adds, order = "bars[place] = bars[place] + bar", "for step in reversed(tape.steps):\n        given"
    one, returned = "jnp.ones_like(tape.values[tape.output])", "tuple(bars[: tape.arguments])"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("set, not added", adds, "bars[place] = bar", mistake="overwritten"),
        made("averaged", adds, "bars[place] = (bars[place] + bar) / 2", mistake="averaged"),
        made("from the start", order, order.replace("reversed(tape.steps)", "tape.steps"), slip="zero"),
        made("the value for a start", one, "tape.values[tape.output]", mistake="started with the value"),
        made("never started", one, "jnp.zeros_like(tape.values[tape.output])", slip="zero"),
        made("at the first place", f"bars[tape.output] = {one}", f"bars[0] = {one}", slip="ones; zero"),
        made("all bars", returned, "tuple(bars)", fault="structure"),
        made("the first bar", returned, "bars[0]", fault="structure"),
        made(
            "first inputs",
            "zip(step.inputs, sent, strict=True)",
            "zip(step.inputs[:1], sent)",
            mistake="first inputs alone",
        ),
        made(
            "each place once",
            "zip(step.inputs, sent, strict=True)",
            "dict(zip(step.inputs, sent)).items()",
            mistake="overwritten",
        ),
        made("a product's rule for all", "pull_back(step.rule", "pull_back('mul'", fault="exception"),
        right(
            exercise,
            "a dict that grows",
            functions="""
def grad_of(program, *inputs):
    tape = record(program, *inputs)
    bars = {tape.output: jnp.ones_like(tape.values[tape.output])}
    for step in tape.steps[::-1]:
        y_bar = bars.get(step.output)
        if y_bar is None:
            continue
        values = [tape.values[place] for place in step.inputs]
        for place, bar in zip(step.inputs, pull_back(step.rule, values, tape.values[step.output], y_bar)):
            bars[place] = bars[place] + bar if place in bars else bar
    return [bars.get(place, jnp.zeros_like(value)) for place, value in enumerate(tape.values[: tape.arguments])]
""",
        ),
        right(
            exercise,
            "in the order of a graph",
            functions="""
def grad_of(program, *inputs):
    from course.lessons.reverse_mode import graph_of

    tape = record(program, *inputs)
    made = {step.output: step for step in tape.steps}
    bars = [0.0 * value for value in tape.values]
    bars[tape.output] = 1.0 + bars[tape.output]
    for place in topological_order(graph_of(tape.steps, len(tape.values)), tape.output)[::-1]:
        if place in made:
            parts = made[place].inputs
            values = tuple(tape.values[part] for part in parts)
            for part, bar in zip(parts, pull_back(made[place].rule, values, tape.values[place], bars[place])):
                bars[part] += bar
    return tuple(bars[: len(inputs)])
""",
        ),
        right(exercise, "added in place", (adds, "bars[place] += bar"), (returned, "bars[: len(inputs)]")),
    )


ANSWERS = (*_sweep(), *_order(), *_unbroadcast(), *_pull_back(), *_grad_of())
