"""Answers to `mlp`, wrong and right; the pairs that they are made of are right."""

from tests.corpus.answers import Answer, Edit, right, wrong


def _mlp() -> tuple[Answer, ...]:
    exercise = "mlp.mlp"
    relu, turned = "(y_bar,) = relu_bwd(kept_relu, x_bar)", "return Mlp(layers_bar[::-1]), x_bar"
    first, hidden = "affine_bwd(kept_affine, logits_bar)", "affine_bwd(kept_affine, y_bar)"
    loop, append = "for kept_affine, kept_relu in reversed(hidden):", "        layers_bar.append(Layer(w_bar, b_bar))"
    last, forward = "affine_fwd(x, last.w, last.b)", "x, kept_relu = relu_fwd(x)"
    final = "logits, kept_affine = affine_fwd(x, last.w, last.b)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    def gated(name: str, gate: str, **what: str) -> Answer:
        """relu's backward written out, of x_bar and of z, what went in."""
        edits = (
            (forward, "kept_relu = x\n        x, _ = relu_fwd(x)"),
            (relu, f"z = kept_relu\n        y_bar = {gate}"),
        )
        return wrong(exercise, name, *edits, **what)

    return (
        made("relu left out", relu, "y_bar = x_bar", mistake="relu left out"),
        made("relu's cotangent not handed on", hidden, "affine_bwd(kept_affine, x_bar)", mistake="relu left out"),
        gated("by the cotangent's sign", "x_bar * (x_bar > 0)", mistake="relu by the cotangent's sign"),
        gated("relu's value", "x_bar * jnp.maximum(z, 0)", mistake="relu's value for its slope"),
        gated(
            "the last relu left out",
            "jnp.where(len(layers_bar) == 1, x_bar, x_bar * (z > 0))",
            mistake="last relu left out",
        ),
        gated(
            "the first relu left out",
            "jnp.where(len(layers_bar) == 1, x_bar * (z > 0), x_bar)",
            mistake="first relu left out",
        ),
        gated("nothing below", "0 * x_bar", mistake="last layer alone"),
        made("a relu without its cotangent", relu, f"{relu}\n        y_bar = jnp.ones_like(y_bar)", place="x @ w + b"),
        wrong(
            exercise,
            "a relu before the logits",
            (final, f"{final}\n    kept_affine = kept_affine, logits > 0"),
            (
                "*hidden, kept_affine = residuals",
                "*hidden, (kept_affine, on) = residuals\n    logits_bar = logits_bar * on",
            ),
            mistake="a relu on the logits",
        ),
        wrong(
            exercise,
            "weights from before the relu",
            functions="""
def mlp_fwd(params, x):
    residuals, before = [], x
    *hidden, last = params.layers
    for layer in hidden:
        z, _ = affine_fwd(x, layer.w, layer.b)
        residuals.append(((before, layer.w), z > 0))
        before, (x, _) = z, relu_fwd(z)
    return affine_fwd(x, last.w, last.b)[0], [*residuals, (before, last.w)]
""",
            mistake="weights from before the relu",
        ),
        made("x_bar of ones", turned, "return Mlp(layers_bar[::-1]), jnp.ones_like(x_bar)", slip="ones"),
        made("x_bar with a minus", turned, "return Mlp(layers_bar[::-1]), -x_bar", line="has the wrong sign"),
        made("x_bar averaged", turned, "return Mlp(layers_bar[::-1]), x_bar / len(x_bar)", slip="factor"),
        made("biases not handed on", append, append.replace("b_bar", "0 * b_bar"), slip="zero"),
        made("hidden weights with a minus", append, append.replace("w_bar", "-w_bar"), slip="sign"),
        wrong(
            exercise,
            "weights averaged",
            (turned, "return Mlp([Layer(w / len(x_bar), b) for w, b in layers_bar[::-1]]), x_bar"),
            mistake="weights averaged",
        ),
        wrong(
            exercise,
            "biases averaged",
            (turned, "return Mlp([Layer(w, b / len(x_bar)) for w, b in layers_bar[::-1]]), x_bar"),
            mistake="biases averaged",
        ),
        made("logits_bar averaged", first, "affine_bwd(kept_affine, logits_bar / len(logits_bar))", slip="factor"),
        made(
            "no cotangent",
            first,
            "affine_bwd(kept_affine, jnp.ones_like(logits_bar))",
            mistake="what comes back not asked",
        ),
        wrong(
            exercise,
            "relu before its affine",
            (relu, "y_bar = x_bar"),
            (append, f"{append}\n        x_bar = x_bar * (x_bar > 0)"),
            place="x @ w + b",
        ),
        made("layers not turned round", turned, "return Mlp(layers_bar), x_bar", slip="shape"),
        made("a list for an Mlp", turned, "return layers_bar[::-1], x_bar", fault="structure"),
        made("no x_bar", turned, "return Mlp(layers_bar[::-1])", fault="structure"),
        made("backward from the front", loop, loop.replace("reversed(hidden)", "hidden"), fault="exception"),
        made("a relu on the logits forward", last, "affine_fwd(relu_fwd(x)[0], last.w, -last.b)", fault="value"),
        made("no relu at all", forward, "_, kept_relu = relu_fwd(x)", fault="value"),
        right(
            exercise, "reversed in place", (turned, "layers_bar.reverse()\n    return Mlp(layers=layers_bar), x_bar")
        ),
        right(
            exercise,
            "inserted in front",
            (append, "        layers_bar.insert(0, Layer(w_bar, b_bar))"),
            (turned, "return Mlp(layers_bar), x_bar"),
        ),
        right(exercise, "a list", (turned, "return [Mlp([*reversed(layers_bar)]), x_bar]")),
        right(
            exercise,
            "relu written out",
            (forward, "kept_relu = x > 0\n        x = jnp.maximum(x, 0)"),
            (relu, "y_bar = x_bar * kept_relu"),
        ),
        right(exercise, "the first of a tuple", (relu, "y_bar = relu_bwd(kept_relu, x_bar)[0]")),
        right(
            exercise,
            "without pairs, a pass by recursion",
            functions="""
def mlp_fwd(params, x):
    values = [x]
    for layer in params.layers[:-1]:
        values.append(jnp.maximum(values[-1] @ layer.w + layer.b, 0.0))
    return values[-1] @ params.layers[-1].w + params.layers[-1].b, (params, values)


def mlp_bwd(residuals, logits_bar):
    params, values = residuals

    def back(depth, bar):
        layer_bar = {"w": jnp.einsum("ni,nj->ij", values[depth], bar), "b": bar.sum(0)}
        below = jnp.einsum("nj,ij->ni", bar, params.layers[depth].w)
        if depth == 0:
            return [layer_bar], below
        layers_bar, x_bar = back(depth - 1, below * (values[depth] > 0))
        return layers_bar + [layer_bar], x_bar

    layers_bar, x_bar = back(len(values) - 1, logits_bar)
    return {"layers": tuple(layers_bar)}, x_bar
""",
        ),
    )


def _mlp_loss() -> tuple[Answer, ...]:
    exercise = "mlp.mlp_loss"
    loss, network = "softmax_cross_entropy_bwd(kept_loss, loss_bar)", "mlp_bwd(kept_network, logits_bar)"
    returned, forward = "return params_bar, None, None", "return loss, (kept_network, kept_loss)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    def layers(name: str, now: str, **what: str) -> Answer:
        return made(
            name, returned, f"return Mlp([{now} for n, (w, b) in enumerate(params_bar.layers)]), None, None", **what
        )

    def logits_bar(name: str, of: str, **what: str) -> Answer:
        """What the loss hands back written out, of p, the probabilities, and of the logits and labels."""
        edit: Edit = (
            f"logits_bar, _ = {loss}",
            f"logits, labels = kept_loss\n    p = jax.nn.softmax(logits)\n    logits_bar = loss_bar * {of}",
        )
        return wrong(exercise, name, edit, **what)

    return (
        made("without loss_bar", loss, "softmax_cross_entropy_bwd(kept_loss, jnp.ones(()))", slip="left out"),
        made("loss_bar twice", network, "mlp_bwd(kept_network, loss_bar * logits_bar)", slip="proportion"),
        made(
            "the mean twice", network, "mlp_bwd(kept_network, logits_bar / len(logits_bar))", mistake="mean taken twice"
        ),
        made("the mean undone", network, "mlp_bwd(kept_network, logits_bar * len(logits_bar))", mistake="mean lost"),
        layers("uphill", "Layer(-w, -b)", slip="sign"),
        made(
            "not the loss's cotangent",
            network,
            "mlp_bwd(kept_network, loss_bar * jnp.ones_like(logits_bar))",
            mistake="what comes back not asked",
        ),
        made(
            "the logits for their cotangent", network, "mlp_bwd(kept_network, kept_loss[0])", line="`x @ w + b` itself"
        ),
        logits_bar("without the label", "p / len(p)", mistake="label left out"),
        logits_bar(
            "the label alone", "-jax.nn.one_hot(labels, logits.shape[1]) / len(p)", mistake="normaliser left out"
        ),
        logits_bar(
            "the logits for probabilities",
            "(logits - jax.nn.one_hot(labels, logits.shape[1])) / len(p)",
            mistake="logits for probabilities",
        ),
        logits_bar(
            "a softmax down the columns",
            "(jax.nn.softmax(logits, 0) - jax.nn.one_hot(labels, logits.shape[1])) / len(p)",
            mistake="softmax down the columns",
        ),
        logits_bar(
            "a mean over every number",
            "(p - jax.nn.one_hot(labels, logits.shape[1])) / p.size",
            mistake="mean over every number",
        ),
        layers("no biases", "Layer(w, 0 * b)", slip="zero"),
        layers("the last layer alone", "Layer((n == 2) * w, (n == 2) * b)", mistake="last layer alone"),
        layers("the first layer frozen", "Layer((n > 0) * w, b)", line="in use 1 of 3 of this line"),
        layers("weights averaged", "Layer(w / len(logits_bar), b)", mistake="weights averaged"),
        layers("biases averaged", "Layer(w, b / len(logits_bar))", mistake="biases averaged"),
        made("gradients for data", returned, "return params_bar", fault="structure"),
        made("the loss's residuals for the network's", network, "mlp_bwd(kept_loss, logits_bar)", fault="exception"),
        right(exercise, "in brackets", (returned, "return (params_bar, None, None)")),
        right(
            exercise,
            "x_bar too",
            ("params_bar, _ = mlp_bwd", "params_bar, x_bar = mlp_bwd"),
            (returned, "return params_bar, x_bar, None"),
        ),
        right(
            exercise,
            "loss_bar later",
            (loss, "softmax_cross_entropy_bwd(kept_loss, jnp.ones(()))"),
            (network, "mlp_bwd(kept_network, loss_bar * logits_bar)"),
        ),
        right(exercise, "a list of residuals", (forward, "return loss, [kept_network, kept_loss]")),
        right(
            exercise,
            "dicts",
            functions="""
def mlp_loss_fwd(params, x, labels):
    logits, network = mlp_fwd(params, x)
    loss, after = softmax_cross_entropy_fwd(logits, labels)
    return loss, {"after": after, "network": network}


def mlp_loss_bwd(residuals, loss_bar):
    (logits_bar, *_), params_bar = softmax_cross_entropy_bwd(residuals["after"], loss_bar), None
    params_bar = mlp_bwd(residuals["network"], logits_bar)[0]
    return {"layers": [{"w": w, "b": b} for w, b in params_bar.layers]}, None, None
""",
        ),
    )


def _hidden_layers() -> tuple[Answer, ...]:
    exercise = "mlp.hidden_layers"
    relu = "(z_bar,) = relu_bwd(kept_relu, y_bar)"
    record, scan = "return x_bar, Stack(w_bar, b_bar)", "jax.lax.scan(layer, y_bar, residuals, reverse=True)"
    returned, forward = "return params_bar, x_bar", "y, kept_relu = relu_fwd(z)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    def at_the_end(name: str, of: str, **what: str) -> Answer:
        """The parameters' cotangents changed, array by array."""
        return made(name, returned, f"return jax.tree.map(lambda bars: {of}, params_bar), x_bar", **what)

    return (
        made("relu left out", relu, "z_bar = y_bar", mistake="relu left out"),
        made(
            "by the cotangent's sign",
            relu,
            "z_bar = jnp.where(y_bar > 0, y_bar, 0)",
            mistake="relu by the cotangent's sign",
        ),
        wrong(
            exercise,
            "the relu's value",
            (forward, "y = kept_relu = jnp.maximum(z, 0)"),
            (relu, "z_bar = y_bar * kept_relu"),
            mistake="relu's value for its slope",
        ),
        made(
            "a relu too many",
            record,
            record.replace("x_bar,", "jnp.maximum(x_bar, 0),"),
            mistake="relu after the affine",
        ),
        wrong(
            exercise,
            "the value kept for the argument",
            functions="""
def hidden_layers_fwd(params, x):
    def layer(x, own):
        y = jnp.maximum(x @ own.w + own.b, 0)
        return y, ((y, own.w), y > 0)

    return jax.lax.scan(layer, x, params)
""",
            mistake="what came out for what went in",
        ),
        made("the first layer first", scan, "jax.lax.scan(layer, y_bar, residuals)", mistake="the first layer first"),
        at_the_end("turned round", "bars[::-1]", mistake="records turned round"),
        at_the_end("shared", "jnp.broadcast_to(bars.sum(0), bars.shape)", mistake="one cotangent for all layers"),
        wrong(
            exercise,
            "nothing handed on",
            functions="""
def hidden_layers_bwd(residuals, y_bar):
    def layer(kept):
        kept_affine, kept_relu = kept
        x_bar, w_bar, b_bar = affine_bwd(kept_affine, *relu_bwd(kept_relu, y_bar))
        return Stack(w_bar, b_bar), x_bar

    params_bar, x_bars = jax.vmap(layer)(residuals)
    return params_bar, x_bars[0]
""",
            mistake="nothing handed on",
        ),
        at_the_end("the last alone", "bars.at[:-1].set(0)", mistake="last layer alone"),
        at_the_end("averaged", "bars / len(x_bar)", mistake="parameters averaged over the rows"),
        made(
            "y_bar never asked",
            scan,
            scan.replace("y_bar,", "jnp.ones_like(y_bar),"),
            mistake="what comes back not asked",
        ),
        at_the_end("uphill", "-bars", slip="sign"),
        made("no biases", record, "return x_bar, Stack(w_bar, 0 * b_bar)", line="the path through"),
        made("no x_bar", returned, "return (params_bar,)", fault="structure"),
        made("no relu", forward, "_, kept_relu = relu_fwd(z)\n        y = z", fault="value"),
        right(
            exercise,
            "a pair of arrays",
            (record, "return x_bar, (w_bar, b_bar)"),
            (returned, "return Stack(*params_bar), x_bar"),
        ),
        right(
            exercise,
            "relu by its value",
            (forward, "y = kept_relu = jnp.maximum(z, 0)"),
            (relu, "z_bar = jnp.where(kept_relu > 0, y_bar, 0)"),
        ),
        right(
            exercise,
            "weights not put on record again",
            functions="""
def hidden_layers_fwd(params, x):
    def layer(x, own):
        y = jnp.maximum(x @ own.w + own.b, 0)
        return y, (x, y > 0)

    y, record = jax.lax.scan(layer, x, params)
    return y, (params.w, *record)


def hidden_layers_bwd(residuals, y_bar):
    def layer(bar, kept):
        w, x, on = kept
        z_bar = bar * on
        return z_bar @ w.T, Stack(x.T @ z_bar, z_bar.sum(0))

    return jax.lax.scan(layer, y_bar, residuals, reverse=True)[::-1]
""",
        ),
        right(
            exercise,
            "a loop in Python",
            functions="""
def hidden_layers_fwd(params, x):
    values = [x]
    for w, b in zip(*params):
        values.append(jnp.maximum(values[-1] @ w + b, 0))
    return values[-1], (params.w, values)


def hidden_layers_bwd(residuals, y_bar):
    w, values = residuals
    bars = []
    for n in reversed(range(len(w))):
        z_bar = y_bar * (values[n + 1] > 0)
        bars.insert(0, (values[n].T @ z_bar, z_bar.sum(0)))
        y_bar = z_bar @ w[n].T
    return Stack(*(jnp.stack(arrays) for arrays in zip(*bars))), y_bar
""",
        ),
    )


ANSWERS = (*_mlp(), *_mlp_loss(), *_hidden_layers())
