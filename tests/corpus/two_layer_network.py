"""Answers to `two_layer_network`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong


def _cotangents() -> tuple[Answer, ...]:
    exercise = "two_layer_network.cotangents"
    z2, w2, b2, a1 = "loss_bar * error\n", "jnp.outer(z2_bar, a1)", "b2_bar = z2_bar\n", "w2.T @ z2_bar"
    relu, w1, b1 = "a1_bar * (z1 > 0)", "jnp.outer(z1_bar, x)", "b1_bar = z1_bar\n"
    returned = "return Cotangents(z2_bar, w2_bar, b2_bar, a1_bar, z1_bar, w1_bar, b1_bar)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("loss_bar forgotten", z2, "error\n", slip="left out"),
        made("the half forgotten", z2, "2 * loss_bar * error\n", mistake="half lost"),
        made("the half taken twice", z2, "0.5 * loss_bar * error\n", mistake="half counted twice"),
        made("the error squared", z2, "loss_bar * error**2\n", mistake="error squared"),
        made("no error", z2, "loss_bar * jnp.ones_like(error)\n", mistake="error left out"),
        made("target minus output", z2, "-loss_bar * error\n", slip="sign"),
        made("w2_bar transposed", w2, "jnp.outer(a1, z2_bar)", slip="transposed"),
        made("w2_bar from z1", w2, "jnp.outer(z2_bar, z1)", mistake="w2_bar from z1"),
        made("w2_bar broadcast wrongly", w2, "0 * w2 + z2_bar[:, None]", line="`moved_a1` is left out"),
        made("b2_bar summed", b2, "b2_bar = z2_bar.sum()\n", slip="summed"),
        made("b2_bar one", b2, "b2_bar = jnp.ones_like(z2_bar)\n", slip="ones"),
        made("a1_bar averaged", a1, "w2.T @ z2_bar / len(z2_bar)", slip="factor"),
        made("w2 left out", a1, "jnp.ones_like(w2).T @ z2_bar", mistake="w2 left out"),
        made("relu forgotten", relu, "a1_bar", mistake="relu left out"),
        made("relu by the cotangent's sign", relu, "a1_bar * (a1_bar > 0)", mistake="relu by the cotangent's sign"),
        made("relu's value for its slope", relu, "a1_bar * a1", mistake="relu's value for its slope"),
        made("relu's argument for its slope", relu, "a1_bar * z1", mistake="relu's argument for its slope"),
        made("relu turned round", relu, "a1_bar * (z1 < 0)", mistake="relu turned round"),
        wrong(
            exercise,
            "weights without their inputs",
            (w2, "jnp.outer(z2_bar, jnp.ones_like(a1))"),
            (w1, "jnp.outer(z1_bar, jnp.ones_like(x))"),
            mistake="inputs of the weights left out",
        ),
        made("w1_bar transposed", w1, "jnp.outer(x, z1_bar)", slip="transposed"),
        made("w1_bar before the relu", w1, "jnp.outer(a1_bar, x)", line="is left out"),
        made("b1_bar before the relu", b1, "b1_bar = a1_bar\n", slip="exchanged"),
        made("b1_bar zero", b1, "b1_bar = 0 * z1_bar\n", line="the path through `b1`"),
        made("nothing below", relu, "0 * a1_bar", mistake="hidden layer cut off"),
        made("a dict", returned, "return dict(z2=z2_bar, w2=w2_bar)", fault="structure"),
        made("open at zero", relu, "a1_bar * (z1 >= 0)", case="a hidden unit at exactly z1 = 0"),
        made("value over argument", relu, "a1_bar * a1 / z1", case="a hidden unit at exactly z1 = 0"),
        right(exercise, "broadcast", (w2, "z2_bar[:, None] * a1[None, :]"), (a1, "z2_bar @ w2")),
        right(
            exercise,
            "where and sums",
            (relu, "jnp.where(a1 > 0, a1_bar, 0)"),
            (a1, "(w2 * z2_bar[:, None]).sum(axis=0)"),
        ),
        right(exercise, "loops", (w1, "jnp.array([[z * v for v in x] for z in z1_bar])")),
        right(exercise, "a tuple", (returned, returned.replace("Cotangents(", "("))),
        right(exercise, "NumPy", (w1, "np.outer(z1_bar, x)"), (w2, "np.outer(z2_bar, a1)")),
        right(
            exercise,
            "einsum, a loop over layers",
            functions="""
def two_layer_cotangents(residuals, loss_bar):
    x, z1, a1, w2, error = residuals
    bar = {"z2": error * loss_bar}
    bar["a1"] = jnp.einsum("ij,i->j", w2, bar["z2"])
    bar["z1"] = jnp.where(z1 > 0, bar["a1"], jnp.zeros_like(z1))
    for layer, before in (("2", a1), ("1", x)):
        bar["w" + layer] = jnp.einsum("i,j->ij", bar["z" + layer], before)
        bar["b" + layer] = bar["z" + layer]
    return Cotangents(**bar)
""",
        ),
    )


def _pair() -> tuple[Answer, ...]:
    exercise = "two_layer_network.pair"
    called = "bar = two_layer_cotangents(residuals, loss_bar)"
    params = "TwoLayer(bar.w1, bar.b1, bar.w2, bar.b2)"
    data, first = "bar.b2), None, None", "TwoLayer(bar.w1, bar.b1"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    def network(name: str, **what: str) -> Answer:
        """The pair written out, with one line in another's place."""
        ((tier, cause),) = [(tier, cause) for tier, cause in what.items() if tier in ("mistake", "slip", "line")]
        lines = {
            "z2": "error * loss_bar",
            "w2": "jnp.outer(z2, a1)",
            "z1": "jnp.where(z1 > 0, w2.T @ z2, 0)",
            **{line: now for line, now in what.items() if line in ("z2", "w2", "z1")},
        }
        return wrong(exercise, name, functions=_OWN_PAIR.format(**lines), **{tier: cause})

    return (
        made("the order of TwoLayer", params, "TwoLayer(bar.w2, bar.b2, bar.w1, bar.b1)", slip="shape"),
        made("all seven", params, "bar", fault="structure"),
        made("data left out", data, "bar.b2)", fault="structure"),
        made("target left out", data, "bar.b2), None", fault="structure"),
        made("loss_bar taken for 1", called, "bar = two_layer_cotangents(residuals, 1)", slip="left out"),
        made("a1_bar for b1_bar", first, "TwoLayer(bar.w1, bar.a1", line="is left out"),
        made("the step of the update", first, "TwoLayer(-0.01 * bar.w1, bar.b1", slip="factor"),
        made("weights transposed", first, "TwoLayer(bar.w1.T, bar.b1", slip="transposed"),
        made("no bias", first, "TwoLayer(bar.w1, None", fault="structure"),
        made("a wrong x_bar", data, "bar.b2), residuals.x, None", line="`x` itself"),
        made("z2_bar for b1_bar", first, "TwoLayer(bar.w1, bar.z2", slip="shape"),
        network("relu forgotten", z1="w2.T @ z2", mistake="relu left out"),
        network("w2_bar from z1", w2="jnp.outer(z2, z1)", mistake="w2_bar from z1"),
        network("the half forgotten", z2="2 * error * loss_bar", mistake="half lost"),
        network("nothing below", z1="0 * z1", mistake="hidden layer cut off"),
        right(exercise, "by name", (params, "TwoLayer(w2=bar.w2, b2=bar.b2, w1=bar.w1, b1=bar.b1)")),
        right(
            exercise, "a list and a tuple", (f"{params}, None, None", "(bar.w1, bar.b1, bar.w2, bar.b2), None, None")
        ),
        right(exercise, "a dict", (params, "dict(w1=bar.w1, b1=bar.b1, w2=bar.w2, b2=bar.b2)")),
        right(exercise, "one by one", (params, "TwoLayer(*(getattr(bar, name) for name in TwoLayer._fields))")),
        right(
            exercise,
            "written out",
            functions=_OWN_PAIR.format(z2="error * loss_bar", w2="jnp.outer(z2, a1)", z1="(z1 > 0) * (z2 @ w2)"),
        ),
    )


_OWN_PAIR = """
def two_layer_loss_bwd(residuals, loss_bar):
    x, z1, a1, w2, error = residuals
    z2 = {z2}
    w2_bar = {w2}
    z1_bar = {z1}
    return TwoLayer(jnp.outer(z1_bar, x), z1_bar, w2_bar, z2), None, None
"""


def _batch() -> tuple[Answer, ...]:
    exercise = "two_layer_network.batch"
    mean, w2, b2, relu = (
        "loss_bar * error / len(x)",
        "a1.T @ z2_bar",
        "z2_bar.sum(axis=0)",
        "(z2_bar @ w2.T) * (z1 > 0)",
    )
    w1, b1, returned = "x.T @ z1_bar", "z1_bar.sum(axis=0)", "return BatchNetwork(w1_bar, b1_bar, w2_bar, b2_bar)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("the mean forgotten", mean, "loss_bar * error", mistake="mean lost"),
        made("a mean over every number", mean, "loss_bar * error / error.size", mistake="mean over every number"),
        made("a mean over the outputs", mean, "loss_bar * error / error.shape[1]", mistake="mean over the outputs"),
        made("a mean over the units", mean, "loss_bar * error / len(w2)", slip="factor"),
        made("loss_bar forgotten", mean, "error / len(x)", slip="left out"),
        made("the half forgotten", mean, "2 * loss_bar * error / len(x)", mistake="half lost"),
        made("the error squared", mean, "loss_bar * error**2 / len(x)", mistake="error squared"),
        made("the error's sign", mean, "loss_bar * jnp.sign(error) / len(x)", mistake="error's sign alone"),
        made("w2_bar transposed", w2, "z2_bar.T @ a1", slip="transposed"),
        made("w2_bar averaged", w2, "a1.T @ z2_bar / len(x)", slip="factor"),
        made("w2_bar from the first row", w2, "jnp.outer(a1[0], z2_bar[0])", mistake="weights from the first row"),
        made("w2_bar from z1", w2, "z1.T @ z2_bar", mistake="w2_bar from z1"),
        made("b2_bar not summed", b2, "z2_bar", slip="not summed"),
        made("b2_bar averaged", b2, "z2_bar.mean(axis=0)", slip="factor"),
        made("b2_bar over the wrong axis", b2, "z2_bar.sum(axis=1)", slip="shape"),
        made("b2_bar as a row", b2, "z2_bar.sum(axis=0, keepdims=True)", slip="shape"),
        wrong(
            exercise,
            "biases averaged",
            (b2, "z2_bar.mean(axis=0)"),
            (b1, "z1_bar.mean(axis=0)"),
            mistake="biases averaged",
        ),
        wrong(
            exercise,
            "biases of the first row",
            (b2, "z2_bar[0]"),
            (b1, "z1_bar[0]"),
            mistake="biases from the first row",
        ),
        wrong(
            exercise,
            "weights overwritten row by row",
            (w2, "jnp.outer(a1[-1], z2_bar[-1])"),
            (w1, "jnp.outer(x[-1], z1_bar[-1])"),
            mistake="weights overwritten",
        ),
        made("relu forgotten", relu, "z2_bar @ w2.T", mistake="relu left out"),
        made("relu's value for its slope", relu, "(z2_bar @ w2.T) * a1", mistake="relu's value for its slope"),
        made("relu turned round", relu, "(z2_bar @ w2.T) * (z1 < 0)", mistake="relu turned round"),
        made("no w2", relu, "(z2_bar @ jnp.ones_like(w2).T) * (z1 > 0)", mistake="w2 left out"),
        made("nothing below", relu, "0 * z1", mistake="hidden layer cut off"),
        made("the mean taken again", w1, "x.T @ z1_bar / len(x)", slip="factor"),
        made("b1_bar not summed", b1, "z1_bar", slip="not summed"),
        made("open at zero", relu, "(z2_bar @ w2.T) * (z1 >= 0)", case="a hidden unit at exactly z1 = 0"),
        made("squeezed", b2, "z2_bar.squeeze().sum(axis=0)", case="a batch of one row"),
        right(exercise, "einsum", (w2, "jnp.einsum('ni,nj->ij', a1, z2_bar)"), (b2, "jnp.ones(len(x)) @ z2_bar")),
        right(
            exercise,
            "the mean at the end",
            (mean, "loss_bar * error"),
            (returned, "return BatchNetwork(*(p / len(x) for p in (w1_bar, b1_bar, w2_bar, b2_bar)))"),
        ),
        right(exercise, "a loop over rows", (w1, "sum(jnp.outer(x[n], z1_bar[n]) for n in range(len(x)))")),
        right(
            exercise,
            "an example at a time, mapped",
            functions="""
def batch_loss_bwd(residuals, loss_bar):
    x, z1, a1, w2, error = residuals

    def one(x, z1, a1, error):
        z1_bar = (w2 @ error) * (z1 > 0)
        return BatchNetwork(jnp.outer(x, z1_bar), z1_bar, jnp.outer(a1, error), error)

    rows = jax.vmap(one)(x, z1, a1, error)
    return jax.tree.map(lambda row: loss_bar * row.mean(axis=0), rows), None, None
""",
        ),
        right(
            exercise,
            "NumPy",
            functions="""
def batch_loss_bwd(residuals, loss_bar):
    x, z1, a1, w2, error = (np.asarray(kept) for kept in residuals)
    z2_bar = float(loss_bar) / len(x) * error
    z1_bar = np.where(z1 > 0, np.dot(z2_bar, w2.T), 0.0)
    grads = [np.dot(x.T, z1_bar), np.sum(z1_bar, 0), np.dot(a1.T, z2_bar), np.sum(z2_bar, 0)]
    return grads, None, None
""",
        ),
    )


ANSWERS = (*_cotangents(), *_pair(), *_batch())
