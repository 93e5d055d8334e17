"""Answers to `numerical_gradients`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong

FORWARD = "(f(x + step) - f(x)) / step"
CENTRAL = "(f(x + step) - f(x - step)) / (2 * step)"


def _forward() -> tuple[Answer, ...]:
    exercise = "numerical_gradients.forward"

    def made(name: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (FORWARD, now), **what)

    return (
        made("not divided", "f(x + step) - f(x)", mistake="not divided"),
        made("brackets forgotten", "f(x + step) - f(x) / step", mistake="only one value divided"),
        made("the value at x forgotten", "f(x + step) / step", mistake="value not taken away"),
        made("to the left", "(f(x) - f(x - step)) / step", mistake="stepped back"),
        made("turned", "(f(x) - f(x + step)) / step", slip="sign"),
        made("two steps", "(f(x + step) - f(x)) / (2 * step)", mistake="divided by twice the step"),
        made("the central one", CENTRAL, mistake="central"),
        made("multiplied", "(f(x + step) - f(x)) * step", mistake="multiplied by the step"),
        made("a step of its own", "(f(x + 1e-6) - f(x)) / 1e-6"),
        made("one over", "step / (f(x + step) - f(x))"),
        made("by the place", "(f(x + step) - f(x)) / (x + step)"),
        made("no step for a negative x", "(f(abs(x) + step) - f(abs(x))) / step", case="a negative x"),
        made("the slope itself, by JAX", "jax.grad(f)(x)"),
        made("a pair", "(f(x), f(x + step))", fault="structure"),
        made("no function", "(x + step - x) / step * f", fault="exception"),
        right(exercise, "two lines", (f"return {FORWARD}", "change = f(x + step) - f(x)\n    return change / step")),
        right(exercise, "a quotient of two", (FORWARD, "f(x + step) / step - f(x) / step")),
        right(exercise, "NumPy", (FORWARD, "float(np.subtract(f(x + step), f(x))) / step")),
        right(exercise, "the distance as it is rounded", (FORWARD, "(f(x + step) - f(x)) / ((x + step) - x)")),
    )


def _central() -> tuple[Answer, ...]:
    exercise, line = "numerical_gradients.central", CENTRAL

    def made(name: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (line, now), **what)

    return (
        made("one step", "(f(x + step) - f(x - step)) / step", mistake="divided by one step"),
        made("brackets forgotten", "(f(x + step) - f(x - step)) / 2 * step", mistake="multiplied by the step"),
        made("the forward one", f"{FORWARD} + 0", mistake="one-sided"),
        made("added", "(f(x + step) + f(x - step)) / (2 * step)", mistake="values added"),
        made("turned", "(f(x - step) - f(x + step)) / (2 * step)", slip="sign"),
        made("half steps", "(f(x + step / 2) - f(x - step / 2)) / step", mistake="half a step to each side"),
        made(
            "half steps, whole ones below",
            "(f(x + step / 2) - f(x - step / 2)) / (2 * step)",
            mistake="half steps, divided by two",
        ),
        made("the mean of the values", "(f(x + step) + f(x - step)) / 2"),
        made("x twice", "(f(x + step) - f(x - step)) / (2 * x)"),
        made("at the size of x", "(f(abs(x) + step) - f(abs(x) - step)) / (2 * step)", case="a negative x"),
        right(exercise, "the mean of both", (line, f"({FORWARD} + (f(x) - f(x - step)) / step) / 2")),
        right(
            exercise, "a sum over both sides", (line, "sum(side * f(x + side * step) for side in (1, -1)) / (2 * step)")
        ),
        right(
            exercise,
            "the earlier answer",
            (line, "(forward_difference(f, x, step) + forward_difference(f, x, -step)) / 2"),
        ),
        right(exercise, "from the left", (line, "forward_difference(f, x - step, 2 * step)")),
    )


def _complex_step() -> tuple[Answer, ...]:
    exercise, asked, read = "numerical_gradients.complex_step", "f(x + 1j * step)", "jnp.imag(y) / step"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("the real part", read, "jnp.real(y) / step", mistake="real part"),
        made("not divided", read, "jnp.imag(y)", mistake="not divided"),
        made("the size", read, "abs(y) / step", mistake="size"),
        made("both sides' distance", read, "jnp.imag(y) / (2 * step)", mistake="divided by twice the step"),
        made("complex", read, "y / step", fault="dtype"),
        made("a step of 1j", asked, "f(x + 1j)"),
        made("the other way", asked, "f(x - 1j * step)", slip="sign"),
        made("x imaginary", asked, "f(1j * x + step)"),
        made(
            "along the real line",
            "y = f(x + 1j * step)",
            "return central_difference(f, x, step)",
            mistake="central difference",
        ),
        made(
            "a difference where it fits",
            "y = f(x + 1j * step)",
            "y = f(x + 1j * (step if step > 1e-9 else 0))",
            case="a step of 1e-20",
        ),
        right(exercise, "attributes", (read, "y.imag / step")),
        right(exercise, "NumPy", (read, "np.imag(np.asarray(y)) / step")),
        right(exercise, "a quotient of differences", (read, "jnp.real((y - f(x)) / (1j * step))")),
        right(exercise, "Python's complex", (asked, "f(complex(x, step))")),
        right(exercise, "from below", (read, "-jnp.imag(jnp.conj(y)) / step")),
    )


def _directional() -> tuple[Answer, ...]:
    exercise = "numerical_gradients.directional"
    moved, found = "lambda p, d: p + t * d, params, direction", "central_difference(loss_at, 0.0, step)"
    shares, returned = (
        "lambda bar, d: jnp.sum(bar * d), params_bar, direction",
        "return found, claimed",
    )

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("one-sided", found, "forward_difference(loss_at, 0.0, step)", mistake="one-sided"),
        made("by one step", found, "2 * central_difference(loss_at, 0.0, step)", mistake="divided by one step"),
        made(
            "every number by the same",
            moved,
            "lambda p, d: p + t, params, direction",
            mistake="direction left out of the steps",
        ),
        made("along the gradient", moved, "lambda p, d: p + t * d, params, params_bar"),
        made(
            "the sum of the slopes",
            shares,
            "lambda bar, d: jnp.sum(bar), params_bar, direction",
            mistake="direction left out of the claim",
        ),
        made(
            "the parameters",
            shares,
            "lambda bar, p: jnp.sum(bar * p), params_bar, params",
            mistake="parameters for the direction",
        ),
        made(
            "the last leaf",
            "jnp.sum(jnp.array(jax.tree.leaves(shares)))",
            "jax.tree.leaves(shares)[-1]",
            mistake="last leaf alone",
        ),
        made("away from it", shares, "lambda bar, d: -jnp.sum(bar * d), params_bar, direction", slip="sign"),
        made("at t = step", found, "central_difference(loss_at, step, step)"),
        made("a difference alone", returned, "return found - sum(jax.tree.leaves(shares))", fault="structure"),
        made("exchanged", returned, "return sum(jax.tree.leaves(shares)), found", slip="exchanged"),
        made("a tree of shares", returned, "return found, shares", fault="structure"),
        right(exercise, "a list", (returned, "return [found, sum(jax.tree.leaves(shares))]")),
        right(
            exercise,
            "rows",
            (
                "shares = jax.tree.map(lambda bar, d: jnp.sum(bar * d), params_bar, direction)",
                "shares = jnp.vdot(ravel_pytree(params_bar)[0], ravel_pytree(direction)[0])",
            ),
            (returned, "return found, shares"),
        ),
        right(
            exercise,
            "no earlier answer",
            (found, "(loss_at(step) - loss_at(-step)) / (2 * step)"),
        ),
    )


def _relative_errors() -> tuple[Answer, ...]:
    exercise = "numerical_gradients.relative_errors"
    error, root = "norm(given - r) / jnp.maximum(norm(r), least)", "jnp.sqrt(jnp.sum(leaf**2))\n"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("absolute", error, "norm(given - r)", mistake="not relative"),
        made("no floor", error, "norm(given - r) / norm(r)", case="a leaf that is zero in both"),
        made("a floor added", error, "norm(given - r) / (norm(r) + least)"),
        made(
            "the floor alone",
            error,
            "norm(given - r) / jnp.maximum(norm(r), floor)",
            case="a leaf that should be zero, and has rounding in it",
        ),
        made(
            "beside the given",
            error,
            "norm(given - r) / jnp.maximum(norm(given), least)",
            mistake="beside what was given",
        ),
        made(
            "norms compared",
            error,
            "abs(norm(given) - norm(r)) / jnp.maximum(norm(r), least)",
            mistake="difference of the norms",
        ),
        made("squares", root, "jnp.sum(leaf**2)\n", mistake="squares"),
        made("the largest", root, "jnp.max(abs(leaf))\n"),
        made("entry by entry", error, "jnp.max(abs(given - r) / jnp.maximum(abs(r), least))", mistake="worst entry"),
        made("every entry's own", error, "abs(given - r) / jnp.maximum(abs(r), least)", slip="shape"),
        made(
            "NaN counted as zero", error, "norm(jnp.nan_to_num(given - r)) / jnp.maximum(norm(r), least)", case="a NaN"
        ),
        right(exercise, "NumPy's norm", (error, "jnp.linalg.norm(jnp.ravel(given - r)) / jnp.maximum(norm(r), least)")),
        right(exercise, "the norm of the norms", ("sum(jnp.sum(leaf**2) for leaf", "sum(norm(leaf) ** 2 for leaf")),
        right(exercise, "Python's maximum", (error, "norm(given - r) / max(norm(r), least)")),
        right(
            exercise,
            "by flattening",
            ("jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(right)))", "norm(ravel_pytree(right)[0])"),
        ),
    )


def _wrong_leaves() -> tuple[Answer, ...]:
    exercise, told = "numerical_gradients.wrong_leaves", "jnp.logical_not(error <= tolerance)"

    def made(name: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (told, now), **what)

    return (
        made("larger", "error > tolerance", case="a NaN"),
        made("the other way round", "error <= tolerance", mistake="the right ones"),
        made("less", "jnp.logical_not(error < tolerance)", case="an error that is just the tolerance"),
        made(
            "NaN asked for, infinity not",
            "jnp.isnan(error) | ((error > tolerance) & (error < 1e9))",
            case="an infinite error",
        ),
        made("never", "jnp.asarray(False)", mistake="all or none"),
        made("always", "jnp.asarray(True)", mistake="one for all"),
        made("none at all", "error > 0", mistake="one for all"),
        made("the errors", "error", slip="not zero"),
        made("texts", "'wrong' if error > tolerance else 'right'", fault="structure"),
        right(exercise, "Python's not", (told, "not error <= tolerance")),
        right(exercise, "NaN asked for", (told, "jnp.isnan(error) | (error > tolerance)")),
        right(exercise, "tilde", (told, "~(error <= tolerance)")),
        right(exercise, "ones and zeros", (told, "jnp.where(error <= tolerance, 0, 1)")),
    )


def _gradient() -> tuple[Answer, ...]:
    exercise = "numerical_gradients.gradient"
    slope = "central_difference(lambda t: loss(as_tree(numbers.at[i].set(t))), numbers[i], step)"
    returned = "return as_tree(jnp.array([slope(i) for i in range(numbers.size)]))"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("one-sided", slope, slope.replace("central", "forward"), mistake="one-sided"),
        made("twice", slope, f"2 * {slope}", mistake="divided by one step"),
        made("at zero", slope, slope.replace("numbers[i], step", "0.0, step")),
        made("added, not set", slope, slope.replace(".set(t)", ".add(t)")),
        made("all at once", slope, slope.replace("numbers.at[i].set(t)", "numbers - numbers[i] + t")),
        made("a row", returned, returned.replace("as_tree(jnp", "(jnp"), fault="structure"),
        made("one too few", returned, returned.replace("numbers.size)", "numbers.size - 1)"), fault="exception"),
        made("backwards", returned, returned.replace("range(numbers.size)", "range(numbers.size)[::-1]")),
        made("the sign", returned, returned.replace("[slope(i)", "[-slope(i)"), slip="sign"),
        wrong(
            exercise,
            "never put back",
            functions=(
                "def central_gradient(loss, params, step):\n"
                "    numbers, as_tree = ravel_pytree(params)\n"
                "    numbers, slopes = np.array(numbers), []\n"
                "    for i in range(numbers.size):\n"
                "        numbers[i] += step\n"
                "        ahead = loss(as_tree(jnp.array(numbers)))\n"
                "        numbers[i] -= 2 * step\n"
                "        slopes.append((ahead - loss(as_tree(jnp.array(numbers)))) / (2 * step))\n"
                "    return as_tree(jnp.array(slopes))\n"
            ),
            mistake="never put back",
        ),
        wrong(
            exercise,
            "the form of one network",
            functions=(
                "def central_gradient(loss, params, step):\n"
                "    def of(group, name):\n"
                "        def at(i, t):\n"
                "            leaf = params[group][name].reshape(-1).at[i].set(t).reshape(params[group][name].shape)\n"
                "            return loss({**params, group: {**params[group], name: leaf}})\n"
                "        leaf, of = params[group][name], central_difference\n"
                "        slopes = [of(lambda t: at(i, t), x, step) for i, x in enumerate(leaf.ravel())]\n"
                "        return jnp.array(slopes).reshape(leaf.shape)\n"
                "    return {group: {name: of(group, name) for name in params[group]} for group in params}\n"
            ),
            case="a tree of another form",
        ),
        right(
            exercise,
            "unit vectors",
            (
                slope,
                "central_difference(lambda t: loss(as_tree(numbers + t * (jnp.arange(numbers.size) == i))), 0.0, step)",
            ),
        ),
        right(
            exercise,
            "NumPy's row",
            (returned, "return as_tree(np.array([float(slope(i)) for i in range(numbers.size)]))"),
        ),
        right(
            exercise,
            "leaf by leaf, place by place",
            functions=(
                "def central_gradient(loss, params, step):\n"
                "    leaves, treedef = jax.tree.flatten(params)\n"
                "    slopes = [np.zeros(leaf.shape) for leaf in leaves]\n"
                "    for k, leaf in enumerate(leaves):\n"
                "        for place in np.ndindex(leaf.shape):\n"
                "            def at(t):\n"
                "                moved = [*leaves[:k], leaf.at[place].set(t), *leaves[k + 1 :]]\n"
                "                return loss(jax.tree.unflatten(treedef, moved))\n"
                "            slopes[k][place] = central_difference(at, leaf[place], step)\n"
                "    return jax.tree.unflatten(treedef, slopes)\n"
            ),
        ),
    )


ANSWERS = (
    *_forward(),
    *_central(),
    *_complex_step(),
    *_directional(),
    *_relative_errors(),
    *_wrong_leaves(),
    *_gradient(),
)
