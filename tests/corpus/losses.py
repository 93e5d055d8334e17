"""Answers to `losses`, wrong and right."""

from tests.corpus.answers import Answer, right, wrong


def _half_squared_error() -> tuple[Answer, ...]:
    exercise = "losses.half_squared_error"
    back, target = "loss_bar * error / len(error)", "target_bar = -prediction_bar"
    forward = "return half_squared_error(prediction, target), prediction - target"
    unpacked, returned = "error = residuals", "return prediction_bar, target_bar"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("not averaged", back, "loss_bar * error", mistake="mean lost"),
        made("averaged over entries", back, "loss_bar * error / error.size", mistake="mean over every number"),
        made("over the wrong axis", back, "loss_bar * error / error.shape[1]", mistake="mean over the outputs"),
        made("the 2 left in", back, "loss_bar * 2 * error / len(error)", mistake="half lost"),
        made("the half left in", back, "loss_bar * 0.5 * error / len(error)", mistake="half counted twice"),
        made("without loss_bar", back, "error / len(error)", slip="left out"),
        made("with a minus", back, "-loss_bar * error / len(error)", slip="sign"),
        made("squared", back, "loss_bar * error**2 / len(error)", mistake="error squared"),
        made("its sign alone", back, "loss_bar * jnp.sign(error) / len(error)", mistake="error's sign alone"),
        made("no error", back, "loss_bar * jnp.ones_like(error) / len(error)", mistake="error left out"),
        made("the target alike", target, "target_bar = prediction_bar", mistake="target treated like the prediction"),
        made("the target not moved", target, "target_bar = 0 * prediction_bar", mistake="target left out"),
        made(
            "the wrong difference", forward, forward.replace("n - target", "n + target"), mistake="sum for difference"
        ),
        made(
            "the prediction kept",
            forward,
            forward.replace("prediction - target", "prediction"),
            mistake="prediction for error",
        ),
        made("squeezed", back, "loss_bar * jnp.squeeze(error) / len(jnp.squeeze(error))", case="a batch of one row"),
        made("one cotangent", returned, "return prediction_bar", fault="structure"),
        made("None for a target that is asked", target, "target_bar = None", fault="structure"),
        made("no residuals", forward, "return half_squared_error(prediction, target)", fault="structure"),
        right(exercise, "one over the rows", (back, "loss_bar * error * (1 / error.shape[0])")),
        right(
            exercise,
            "both kept",
            (forward, "return half_squared_error(prediction, target), (prediction, target)"),
            (unpacked, "error = residuals[0] - residuals[1]"),
        ),
        right(
            exercise,
            "a mean of sums",
            (forward, "error = prediction - target\n    return jnp.mean(jnp.sum(error**2, axis=1)) / 2, error"),
        ),
        right(exercise, "the target by itself", (target, "target_bar = loss_bar * (0 - error) / len(error)")),
        right(
            exercise,
            "einsum, the mean kept",
            functions="""
def half_squared_error_fwd(prediction, target):
    error = jnp.subtract(prediction, target)
    rows = error.shape[0]
    return jnp.einsum("ni,ni->", error, error) / (2 * rows), {"scaled": error / rows}


def half_squared_error_bwd(residuals, loss_bar):
    bar = jnp.einsum(",ni->ni", loss_bar, residuals["scaled"])
    return [bar, jnp.negative(bar)]
""",
        ),
    )


def _binary_cross_entropy() -> tuple[Answer, ...]:
    exercise = "losses.binary_cross_entropy"
    sigmoid, back = "jax.nn.sigmoid(logits)", "loss_bar * (probability - target) / len(logits)"
    forward = "return binary_cross_entropy(logits, target), (logits, target)"
    returned = "return logits_bar, None\n\n\ndef softmax"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("not averaged", back, "loss_bar * (probability - target)", mistake="mean lost"),
        made("without loss_bar", back, "(probability - target) / len(logits)", slip="left out"),
        made("with a minus", back, "loss_bar * (target - probability) / len(logits)", slip="sign"),
        made("without the target", back, "loss_bar * probability / len(logits)", mistake="target left out"),
        made("the target alone", back, "-loss_bar * target / len(logits)", mistake="softplus left out"),
        made("the target added", back, "loss_bar * (probability + target) / len(logits)", mistake="target added"),
        made(
            "no for yes", back, "loss_bar * (probability - (1 - target)) / len(logits)", mistake="yes and no exchanged"
        ),
        made(
            "the slope of a sigmoid too",
            back,
            "loss_bar * (probability - target) * probability * (1 - probability) / len(logits)",
            mistake="slope of sigmoid too",
        ),
        made("the logit for its probability", sigmoid, "logits", mistake="logit for probability"),
        made("a tanh", sigmoid, "jnp.tanh(logits)", mistake="tanh for sigmoid"),
        made("a sigmoid turned round", sigmoid, "jax.nn.sigmoid(-logits)", mistake="sigmoid turned round"),
        made("rounded", sigmoid, "(logits > 0)", mistake="probability rounded"),
        made("twice", sigmoid, "jax.nn.sigmoid(jax.nn.sigmoid(logits))", mistake="sigmoid taken twice"),
        made(
            "an exponential that overflows", sigmoid, "jnp.exp(logits) / (1 + jnp.exp(logits))", case="logits of +-1e4"
        ),
        made(
            "nothing at zero",
            sigmoid,
            "(logits > 0) - jnp.sign(logits) / (1 + jnp.exp(abs(logits)))",
            case="a logit that is exactly zero",
        ),
        made(
            "logarithms of probabilities",
            forward,
            "p, q = jax.nn.sigmoid(logits), jax.nn.sigmoid(-logits)\n"
            "    return -jnp.mean(target * jnp.log(p) + (1 - target) * jnp.log(q)), (logits, target)",
            case="logits of +-1e4",
        ),
        right(exercise, "the formula", (sigmoid, "1 / (1 + jnp.exp(-logits))")),
        right(exercise, "by tanh", (sigmoid, "0.5 * (1 + jnp.tanh(logits / 2))")),
        right(
            exercise,
            "logaddexp",
            (forward, "return jnp.mean(jnp.logaddexp(0, logits) - target * logits), (logits, target)"),
        ),
        right(
            exercise,
            "the probabilities kept",
            (sigmoid, "logits"),
            (forward, "return binary_cross_entropy(logits, target), (jax.nn.sigmoid(logits), target)"),
        ),
        right(exercise, "target_bar too", (returned, returned.replace("None", "-loss_bar * logits / len(logits)"))),
        right(
            exercise,
            "an example at a time, mapped",
            functions="""
def binary_cross_entropy_bwd(residuals, loss_bar):
    def one(logit, target):
        return jnp.where(target > 0.5, jax.nn.sigmoid(logit) - 1, jax.nn.sigmoid(logit))

    logits, target = residuals
    return jax.vmap(one)(logits, target) * loss_bar / logits.size, None
""",
        ),
    )


def _softmax_cross_entropy() -> tuple[Answer, ...]:
    exercise = "losses.softmax_cross_entropy"
    softmax, chosen = "jax.nn.softmax(logits, axis=-1)", "jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)"
    back = "loss_bar * (probabilities - chosen) / len(labels)"
    forward = "return softmax_cross_entropy(logits, labels), (logits, labels)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("not averaged", back, "loss_bar * (probabilities - chosen)", mistake="mean lost"),
        made(
            "averaged over entries",
            back,
            "loss_bar * (probabilities - chosen) / logits.size",
            mistake="mean over every number",
        ),
        made("without loss_bar", back, "(probabilities - chosen) / len(labels)", slip="left out"),
        made("with a minus", back, "loss_bar * (chosen - probabilities) / len(labels)", slip="sign"),
        made("without the label", back, "loss_bar * probabilities / len(labels)", mistake="label left out"),
        made("the label alone", back, "-loss_bar * chosen / len(labels)", mistake="normaliser left out"),
        made(
            "1 from every entry", back, "loss_bar * (probabilities - 1) / len(labels)", mistake="taken away everywhere"
        ),
        made(
            "the chosen entry alone",
            back,
            "loss_bar * (probabilities - 1) * chosen / len(labels)",
            mistake="chosen entry alone",
        ),
        made("down the columns", softmax, "jax.nn.softmax(logits, axis=0)", mistake="softmax down the columns"),
        made("over all entries", softmax, "jax.nn.softmax(logits, axis=None)", mistake="softmax of everything"),
        made("a sigmoid each", softmax, "jax.nn.sigmoid(logits)", mistake="a sigmoid each"),
        made("not normalised", softmax, "jnp.exp(logits)", mistake="not normalised"),
        made("the logits themselves", softmax, "logits", mistake="logits for probabilities"),
        made(
            "the slope of softmax too",
            back,
            "loss_bar * probabilities * ((probabilities - chosen) - ((probabilities - chosen) * probabilities).sum(1, "
            "keepdims=True)) / len(labels)",
            mistake="slope of softmax too",
        ),
        made(
            "the next class",
            chosen,
            "jax.nn.one_hot(labels + 1, logits.shape[-1], dtype=logits.dtype)",
            mistake="labels one too high",
        ),
        made(
            "the class before",
            chosen,
            "jax.nn.one_hot(labels - 1, logits.shape[-1], dtype=logits.dtype)",
            mistake="labels one too low",
        ),
        made(
            "every row's first label",
            chosen,
            "jax.nn.one_hot(labels[0], logits.shape[-1], dtype=logits.dtype)",
            mistake="first label for every row",
        ),
        made(
            "an exponential that overflows",
            softmax,
            "jnp.exp(logits) / jnp.exp(logits).sum(axis=1, keepdims=True)",
            case="logits of +-1e4",
        ),
        made(
            "the logarithm of a probability",
            forward,
            "p = jax.nn.softmax(logits)\n"
            "    return -jnp.mean(jnp.log(p[jnp.arange(len(p)), labels])), (logits, labels)",
            case="logits of +-1e4",
        ),
        made("a row of losses", forward, "return jax.nn.logsumexp(logits, axis=1), (logits, labels)", fault="value"),
        made("one number", back, "jnp.sum(loss_bar * (probabilities - chosen)) / len(labels)", slip="shape"),
        made("not traceable", chosen, "jnp.eye(logits.shape[1])[[int(n) for n in labels]]", fault="exception"),
        right(exercise, "by logsumexp", (softmax, "jnp.exp(logits - jax.nn.logsumexp(logits, axis=1, keepdims=True))")),
        right(
            exercise,
            "the probabilities kept",
            (forward, "p = jax.nn.softmax(logits)\n    return softmax_cross_entropy(logits, labels), (p, labels)"),
            (softmax, "logits"),
        ),
        right(exercise, "a comparison", (chosen, "(labels[:, None] == jnp.arange(logits.shape[1]))")),
        right(
            exercise,
            "a scatter",
            (back, "loss_bar / len(labels) * probabilities.at[jnp.arange(len(labels)), labels].add(-1)"),
        ),
        right(exercise, "the shape's rows", (back, "loss_bar * (probabilities - chosen) / logits.shape[0]")),
        right(
            exercise,
            "a row at a time, mapped, the largest taken away",
            functions="""
def softmax_cross_entropy_fwd(logits, labels):
    top = jnp.max(logits, axis=1, keepdims=True)
    exps = jnp.exp(logits - top)
    sums = exps.sum(1)
    losses = jnp.log(sums) + top[:, 0] - logits[jnp.arange(labels.size), labels]
    return losses.mean(), dict(p=exps / sums[:, None], labels=labels)


def softmax_cross_entropy_bwd(residuals, loss_bar):
    def one(p, label):
        return p.at[label].add(-1.0)

    rows = jax.vmap(one)(residuals["p"], residuals["labels"])
    return rows * (loss_bar / rows.shape[0]), None
""",
        ),
    )


def _smoothed_cross_entropy() -> tuple[Answer, ...]:
    exercise = "losses.smoothed_cross_entropy"
    truth, back = "label * (1 - smoothing) + smoothing / classes", "loss_bar * row_bars / batch"
    bars, returned = "jax.nn.softmax(logits) - truth", "return loss_bar * row_bars / batch, None, None"
    forward = "return smoothed_cross_entropy(logits, labels, smoothing), (logits, labels, smoothing)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return (
        made("not smoothed", truth, "label", mistake="smoothing left out"),
        made("the label whole", truth, "label + smoothing / classes", mistake="nothing taken from the label"),
        made("all of it to each", truth, "label * (1 - smoothing) + smoothing", mistake="share not divided"),
        made("only taken away", truth, "label * (1 - smoothing)", mistake="nothing for the others"),
        made(
            "to the others",
            truth,
            "label * (1 - smoothing) + (1 - label) * smoothing / (classes - 1)",
            mistake="shared by the others alone",
        ),
        made("exchanged", truth, "label * smoothing + (1 - smoothing) / classes", mistake="shares exchanged"),
        made("not averaged", back, "loss_bar * row_bars", mistake="mean lost"),
        made("averaged over entries", back, "loss_bar * row_bars / logits.size", mistake="mean over every number"),
        made("the truth alone", bars, "-truth", mistake="normaliser left out"),
        made("down the columns", bars, "jax.nn.softmax(logits, axis=0) - truth", mistake="softmax down the columns"),
        made("the logits themselves", bars, "logits - truth", mistake="logits for probabilities"),
        made("with a minus", bars, "truth - jax.nn.softmax(logits)", slip="sign"),
        made("without loss_bar", back, "row_bars / batch", slip="left out"),
        made("a tenth, whatever is asked", truth, "0.9 * label + 0.1 / classes"),
        made("three tenths, whatever is asked", truth, "0.7 * label + 0.3 / classes", case="no smoothing"),
        made(
            "an exponential that overflows",
            bars,
            "jnp.exp(logits) / jnp.exp(logits).sum(axis=1, keepdims=True) - truth",
            case="logits of +-1e4",
        ),
        made(
            "no smoothing forward",
            forward,
            forward.replace(
                "smoothed_cross_entropy(logits, labels, smoothing)", "softmax_cross_entropy(logits, labels)", 1
            ),
            fault="value",
        ),
        made("two cotangents", returned, "return loss_bar * row_bars / batch, None", fault="structure"),
        right(
            exercise,
            "by where",
            (truth, "jnp.where(label > 0, 1 - smoothing + smoothing / classes, smoothing / classes)"),
        ),
        right(
            exercise,
            "two losses",
            (
                bars,
                "jax.nn.softmax(logits) - (1 - smoothing) * label - jnp.full_like(label, smoothing / classes)",
            ),
        ),
        right(
            exercise,
            "smoothing_bar too",
            (
                returned,
                "return loss_bar * row_bars / batch, None, loss_bar * ((label - 1 / classes) * logits).sum() / batch",
            ),
        ),
        right(
            exercise,
            "the bars kept",
            functions="""
def smoothed_cross_entropy_fwd(logits, labels, smoothing):
    log_p = jax.nn.log_softmax(logits)
    truth = jnp.full_like(logits, smoothing / logits.shape[1])
    truth = truth.at[jnp.arange(len(labels)), labels].add(1 - smoothing)
    return -(truth * log_p).sum() / len(labels), (jnp.exp(log_p) - truth) / len(labels)


def smoothed_cross_entropy_bwd(residuals, loss_bar):
    return residuals * loss_bar, None, None
""",
        ),
    )


def _masked_cross_entropy() -> tuple[Answer, ...]:
    exercise = "losses.masked_cross_entropy"
    counted, back = "counted = labels != IGNORED", "loss_bar * jnp.where(counted[:, None], row_bars, 0) / rows"
    rows = "jnp.maximum(jnp.sum(counted, dtype=logits.dtype), 1)"
    bars = "jax.nn.softmax(logits) - jax.nn.one_hot(labels, logits.shape[1], dtype=logits.dtype)"
    forward = "return masked_cross_entropy(logits, labels), (logits, labels)"

    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    def every_row(name: str, labels: str, **what: str) -> Answer:
        return wrong(
            exercise,
            name,
            (back, "loss_bar * row_bars / rows"),
            (bars, f"jax.nn.softmax(logits) - jax.nn.one_hot({labels}, logits.shape[1], dtype=logits.dtype)"),
            **what,
        )

    return (
        made("over all rows", rows, "len(labels)", mistake="mean over all rows"),
        made("over the others", rows, "jnp.maximum(jnp.sum(~counted), 1)", mistake="mean over the ignored rows"),
        made("not averaged", rows, "1", mistake="mean lost"),
        every_row("none left out", "labels", mistake="ignored rows pushed down"),
        every_row("an index of -1", "labels % logits.shape[1]", mistake="ignored rows taken for the last class"),
        every_row("at least 0", "jnp.maximum(labels, 0)", mistake="ignored rows taken for the first class"),
        made(
            "the others",
            back,
            "loss_bar * jnp.where(counted[:, None], 0, row_bars) / rows",
            mistake="only the ignored rows",
        ),
        made("without the label", bars, "jax.nn.softmax(logits)", mistake="label left out"),
        made("the label alone", bars, f"-{bars.partition(' - ')[2]}", mistake="normaliser left out"),
        made(
            "the logits themselves",
            bars,
            bars.replace("jax.nn.softmax(logits)", "logits"),
            mistake="logits for probabilities",
        ),
        made("with a minus", back, f"-{back}", line="has the wrong sign"),
        made("without loss_bar", back, back.replace("loss_bar * ", ""), slip="left out"),
        made("at least two rows", rows, "jnp.maximum(jnp.sum(counted), 2)", case="a single row that counts"),
        made("nothing to divide by", rows, "jnp.sum(counted)", case="a batch whose rows are all ignored"),
        made(
            "a mean of what there is",
            forward,
            "losses = jax.nn.logsumexp(logits, axis=1) - logits[jnp.arange(len(labels)), labels]\n"
            "    return jnp.mean(losses, where=labels != IGNORED), (logits, labels)",
            case="a batch whose rows are all ignored",
        ),
        made(
            "every second row",
            counted,
            "counted = jnp.arange(len(labels)) % 2 == 0",
            case="a batch whose rows are all ignored",
        ),
        made(
            "an exponential that overflows",
            bars,
            bars.replace("jax.nn.softmax(logits)", "jnp.exp(logits) / jnp.exp(logits).sum(axis=1, keepdims=True)"),
            case="logits of +-1e4",
        ),
        made("boolean indexing", counted, "counted = labels != IGNORED\n    logits[counted]", fault="tracing"),
        made(
            "the mean over all rows, forward",
            forward,
            "return masked_cross_entropy(logits, labels) * jnp.mean(labels != IGNORED), (logits, labels)",
            fault="value",
        ),
        right(exercise, "a product", (back, "loss_bar * row_bars * counted[:, None] / rows")),
        right(exercise, "by sign", (counted, "counted = labels >= 0")),
        right(exercise, "a weight for each row", (back, "row_bars * (loss_bar * counted / rows)[:, None]")),
        right(
            exercise,
            "a mean with where",
            functions="""
def masked_cross_entropy_fwd(logits, labels):
    counted = labels != IGNORED
    losses = softmax_rows(logits) - jnp.take_along_axis(logits, labels[:, None] * counted[:, None], axis=1)[:, 0]
    return jnp.where(counted.any(), jnp.mean(losses, where=counted | ~counted.any()), 0.0), (logits, labels)


def softmax_rows(logits):
    return jax.nn.logsumexp(logits, axis=1)
""",
        ),
    )


ANSWERS = (
    *_half_squared_error(),
    *_binary_cross_entropy(),
    *_softmax_cross_entropy(),
    *_smoothed_cross_entropy(),
    *_masked_cross_entropy(),
)
