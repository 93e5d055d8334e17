"""Mistakes that people make in `losses`: means over the wrong axis, other losses, labels that are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, valued
from course.lessons.losses import (
    IGNORED,
    binary_cross_entropy,
    half_squared_error,
    masked_cross_entropy,
    smoothed_cross_entropy,
    softmax_cross_entropy,
)

LARGEST_EXPONENT = 700.0
"""exp of it is finite in float64; that of 710 is not."""

_MEAN_LOST = "The losses of the rows were added, and not averaged."
_ASK_MEAN = "When one row's loss grows by 1, by how much does their mean grow?"


def _squared(sloped: Callable[..., Any]) -> Callable[..., Any]:
    """The squared error with the derivative of a function of the prediction and the target."""
    return lambda prediction, target: valued(half_squared_error(prediction, target), sloped(prediction, target))


def _by_error(sloped: Callable[[Any], Any]) -> Callable[..., Any]:
    """The squared error with the derivative of another loss of each error, averaged over the rows."""
    return _squared(lambda prediction, target: jnp.sum(sloped(prediction - target)) / len(target))


def _for_error(of: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The squared error with something else in the error's place on the way back."""
    return _squared(
        lambda prediction, target: jnp.sum(held(of(prediction, target)) * (prediction - target)) / len(target)
    )


HALF_SQUARED_ERROR = (
    Mistake(
        "mean lost",
        _squared(lambda prediction, target: len(target) * half_squared_error(prediction, target)),
        _MEAN_LOST,
        f"{_ASK_MEAN}   (step 1)",
    ),
    Mistake(
        "mean over every number",
        _squared(lambda prediction, target: half_squared_error(prediction, target) / target.shape[1]),
        "The mean was taken over all numbers of the error, not over its rows.",
        "How many losses are averaged?   (step 1)",
    ),
    Mistake(
        "mean over the outputs",
        _squared(lambda prediction, target: jnp.sum((prediction - target) ** 2) / 2 / target.shape[1]),
        "The mean was taken over the outputs of a row, not over the rows.",
        "Along which axis do the examples lie?   (step 1)",
    ),
    Mistake(
        "half lost",
        _by_error(jnp.square),
        "This is what a loss without its half would hand back.",
        "What does the half do to the exponent that comes down?   (step 1)",
    ),
    Mistake(
        "half counted twice",
        _by_error(lambda error: error**2 / 4),
        "The half entered once more than it should.",
        "What does the half do to the exponent that comes down?   (step 1)",
    ),
    Mistake(
        "error squared",
        _by_error(lambda error: error**3 / 3),
        "loss_bar met the square of the error: the value, not its slope.",
        "How fast does the square of an error grow with the error?   (step 1)",
    ),
    Mistake(
        "error's sign alone",
        _by_error(jnp.abs),
        "Only the side on which a prediction lies was asked for, not how far off it is.",
        "Is the loss as steep near the target as far from it?   (step 1)",
    ),
    Mistake(
        "error left out",
        _by_error(lambda error: error),
        "Every prediction got the same, however far it was off.",
        "What stands beside the exponent when it has come down?   (step 1)",
    ),
    Mistake(
        "prediction for error",
        _for_error(lambda prediction, target: prediction),
        "The prediction stands where the error belongs.",
        "Which difference was squared?   (step 1)",
    ),
    Mistake(
        "sum for difference",
        _for_error(lambda prediction, target: prediction + target),
        "Prediction and target were added where their difference belongs.",
        "Which difference was squared?   (step 1)",
    ),
    Mistake(
        "target treated like the prediction",
        lambda prediction, target: half_squared_error(prediction, valued(target, -target)),
        "The target got what the prediction got.",
        "When the target moves up, does it come nearer to a prediction above it, or get farther away?   (step 2)",
    ),
    Mistake(
        "target left out",
        lambda prediction, target: half_squared_error(prediction, held(target)),
        "The target got nothing, as if it were data: here its cotangent is asked for.",
        "On which side of the difference does the target stand?   (step 2)",
    ),
)


def _squared_error(probabilities: Any, chosen: Any) -> Any:
    """Half the squared error of probabilities, less a constant, from these and those of what is the case."""
    return jnp.sum(probabilities**2) / 2 - jnp.sum(chosen)


def _binary(sloped: Callable[..., Any]) -> Callable[..., Any]:
    """Binary cross-entropy with the derivative of another loss of each logit, averaged over the batch."""
    return lambda logits, target: valued(
        binary_cross_entropy(logits, target), jnp.sum(sloped(logits, target)) / len(logits)
    )


def _instead_of_softplus(sloped: Callable[[Any], Any]) -> Callable[..., Any]:
    """Binary cross-entropy with the derivative of another function in softplus's place."""
    return _binary(lambda logits, target: sloped(logits) - target * logits)


BINARY_CROSS_ENTROPY = (
    Mistake(
        "mean lost",
        _binary(lambda logits, target: len(logits) * (jax.nn.softplus(logits) - target * logits)),
        _MEAN_LOST,
        f"{_ASK_MEAN}   (step 2)",
    ),
    Mistake(
        "target left out",
        _binary(lambda logits, target: jax.nn.softplus(logits)),
        "The targets had no say: every example was pushed the same way.",
        "The loss has two terms. What does the one with the target add?   (step 2)",
    ),
    Mistake(
        "softplus left out",
        _binary(lambda logits, target: -target * logits),
        "Only the term with the target sent something back.",
        "The loss has two terms. What is the slope of the other one?   (step 1)",
    ),
    Mistake(
        "target added",
        _binary(lambda logits, target: jax.nn.softplus(logits) + target * logits),
        "What the term with the target adds has the wrong sign.",
        "With which sign does the target stand in the loss?   (step 2)",
    ),
    Mistake(
        "yes and no exchanged",
        _binary(lambda logits, target: jax.nn.softplus(logits) - (1 - target) * logits),
        "Every yes was taken for a no, and every no for a yes.",
        "Which target does a large logit want?   (step 2)",
    ),
    Mistake(
        "slope of sigmoid too",
        _binary(lambda logits, target: _squared_error(jax.nn.sigmoid(logits), target * jax.nn.sigmoid(logits))),
        "The slope of sigmoid came in once more: this is the squared error of the probabilities.",
        "The slope of softplus is a sigmoid already: does the sigmoid's own slope enter, too?   (step 1)",
    ),
    Mistake(
        "logit for probability",
        _instead_of_softplus(lambda logits: logits**2 / 2),
        "The logits stand where probabilities belong.",
        "Which function is the slope of softplus?   (step 1)",
    ),
    Mistake(
        "tanh for sigmoid",
        _instead_of_softplus(lambda logits: jnp.logaddexp(logits, -logits)),
        "A tanh stands where the slope of softplus belongs.",
        "Which function is the slope of softplus: where does it go far to the left?   (step 1)",
    ),
    Mistake(
        "sigmoid turned round",
        _instead_of_softplus(lambda logits: -jax.nn.softplus(-logits)),
        "The probability of no stands where that of yes belongs.",
        "Where does the slope of softplus go far to the left, and far to the right?   (step 1)",
    ),
    Mistake(
        "sigmoid taken twice",
        _instead_of_softplus(lambda logits: jax.nn.softplus(valued(jax.nn.sigmoid(logits), logits))),
        "The sigmoid was taken twice.",
        "What did forward keep: logits, or probabilities already?   (step 1)",
    ),
    Mistake(
        "probability rounded",
        _instead_of_softplus(jax.nn.relu),
        "The probabilities were rounded to 0 or 1.",
        "Is softplus a relu, or only near one far out?   (step 1)",
    ),
)


def _softmax(sloped: Callable[..., Any]) -> Callable[..., Any]:
    """Softmax cross-entropy with the derivative of another loss of each row, averaged over the rows."""

    def mistaken(logits: Any, labels: Any) -> Any:
        return valued(softmax_cross_entropy(logits, labels), jnp.sum(sloped(logits, labels)) / len(logits))

    return mistaken


def _chosen(logits: Any, labels: Any) -> Any:
    return jnp.take_along_axis(logits, labels[:, None], axis=-1)[:, 0]


def _marked(logits: Any, labels: Any) -> Any:
    """Where the labelled entry of each row lies; nowhere in a row whose label is no class."""
    return labels[:, None] == jnp.arange(logits.shape[-1])


def _normaliser(logits: Any) -> Any:
    return jax.nn.logsumexp(logits, axis=-1)


def _instead_of_normaliser(sloped: Callable[[Any], Any]) -> Callable[..., Any]:
    """Softmax cross-entropy with another sum over all logits in the place of the normalisers'."""
    return _softmax(lambda logits, labels: jnp.sum(sloped(logits)) - jnp.sum(_chosen(logits, labels)))


def _instead_of_label(other: Callable[[Any], Any]) -> Callable[..., Any]:
    """Softmax cross-entropy with other labels for its derivative's sake; one beyond the classes chooses nothing."""

    def sloped(logits: Any, labels: Any) -> Any:
        marked = _marked(logits, other(labels))
        return _normaliser(logits) - jnp.sum(jnp.where(marked, logits, 0), axis=-1)

    return _softmax(sloped)


softmax_down_the_columns = _instead_of_normaliser(lambda logits: jax.nn.logsumexp(logits, axis=0))
"""Is `softmax_cross_entropy`, each class of which is normalised over the rows on the way back."""

SOFTMAX_CROSS_ENTROPY = (
    Mistake(
        "mean lost",
        _softmax(lambda logits, labels: len(logits) * (_normaliser(logits) - _chosen(logits, labels))),
        _MEAN_LOST,
        f"{_ASK_MEAN}   (step 3)",
    ),
    Mistake(
        "mean over every number",
        _softmax(lambda logits, labels: (_normaliser(logits) - _chosen(logits, labels)) / logits.shape[1]),
        "The mean was taken over all logits, not over the rows.",
        "How many losses are averaged?   (step 3)",
    ),
    Mistake(
        "label left out",
        _softmax(lambda logits, labels: _normaliser(logits)),
        "The labels had no say: every class of a row was pushed down.",
        "Which single entry of each row did the loss pick, and with which sign?   (step 2)",
    ),
    Mistake(
        "normaliser left out",
        _softmax(lambda logits, labels: -_chosen(logits, labels)),
        "Only the chosen logit of each row got something.",
        "The loss of a row has two terms. On which logits does the other one depend?   (step 1)",
    ),
    Mistake(
        "taken away everywhere",
        _softmax(lambda logits, labels: _normaliser(logits) - jnp.sum(logits, axis=-1)),
        "What belongs to the chosen entry was taken from every entry of its row.",
        "How many entries of a row did the loss pick?   (step 2)",
    ),
    Mistake(
        "chosen entry alone",
        lambda logits, labels: softmax_cross_entropy(jnp.where(_marked(logits, labels), logits, held(logits)), labels),
        "The chosen entries are right; the others of each row got nothing.",
        "Does the loss fall or rise when a logit that was not chosen grows?   (step 1)",
    ),
    Mistake(
        "softmax down the columns",
        softmax_down_the_columns,
        "The softmax was taken down the columns.",
        "Along which axis do the classes lie?   (step 1)",
    ),
    Mistake(
        "softmax of everything",
        _instead_of_normaliser(lambda logits: jax.nn.logsumexp(logits)),
        "One softmax was taken of all rows together.",
        "Over which logits do the probabilities of one row add up to 1?   (step 1)",
    ),
    Mistake(
        "a sigmoid each",
        _instead_of_normaliser(jax.nn.softplus),
        "Each logit was put through a sigmoid by itself, as if the classes had nothing to do with one another.",
        "What do the probabilities of a row add up to?   (step 1)",
    ),
    Mistake(
        "not normalised",
        _instead_of_normaliser(lambda logits: jnp.exp(jnp.minimum(logits, LARGEST_EXPONENT))),
        "The exponentials were not divided by their sum.",
        "What do the probabilities of a row add up to?   (step 1)",
    ),
    Mistake(
        "logits for probabilities",
        _instead_of_normaliser(lambda logits: logits**2 / 2),
        "The logits stand where probabilities belong.",
        "What is the slope of logsumexp?   (step 1)",
    ),
    Mistake(
        "slope of softmax too",
        _softmax(
            lambda logits, labels: _squared_error(jax.nn.softmax(logits), _chosen(jax.nn.softmax(logits), labels))
        ),
        "The slope of softmax came in once more: this is the squared error of the probabilities.",
        "The slope of logsumexp is a softmax already: does the softmax's own slope enter, too?   (step 1)",
    ),
    Mistake(
        "labels one too high",
        _instead_of_label(lambda labels: labels + 1),
        "The class after the label was chosen.",
        "What is the number of the first class?   (step 2)",
    ),
    Mistake(
        "labels one too low",
        _instead_of_label(lambda labels: labels - 1),
        "The class before the label was chosen.",
        "What is the number of the first class?   (step 2)",
    ),
    Mistake(
        "first label for every row",
        _instead_of_label(lambda labels: jnp.full_like(labels, labels[0])),
        "Every row was given the first row's label.",
        "Whose label is labels[0]?   (step 2)",
    ),
)


def _towards(truth: Callable[[Any, Any, int], Any]) -> Callable[..., Any]:
    """Smoothed cross-entropy, pulled towards another truth: one of where the labels are, the smoothing, the classes."""

    def mistaken(logits: Any, labels: Any, smoothing: Any) -> Any:
        classes = logits.shape[-1]
        marked = jnp.where(_marked(logits, labels), jnp.ones_like(logits), 0)
        pulled = _normaliser(logits) - jnp.sum(held(truth(marked, smoothing, classes)) * logits, axis=-1)
        return valued(smoothed_cross_entropy(logits, labels, smoothing), jnp.mean(pulled))

    return mistaken


def _smoothed(sloped: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Smoothed cross-entropy with the derivative of a function of itself and the logits."""

    def mistaken(logits: Any, labels: Any, smoothing: Any) -> Any:
        loss = smoothed_cross_entropy(logits, labels, smoothing)
        return valued(loss, sloped(loss, logits))

    return mistaken


_ASK_TRUTH = "What does the truth of a row give to the label, what to each of the others, and what do they add up to?"

SMOOTHED_CROSS_ENTROPY = (
    Mistake(
        "smoothing left out",
        _towards(lambda marked, smoothing, classes: marked),
        "The logits are pulled towards the labels themselves, as if nothing were smoothed.",
        f"{_ASK_TRUTH}   (step 1)",
    ),
    Mistake(
        "nothing taken from the label",
        _towards(lambda marked, smoothing, classes: marked + smoothing / classes),
        "Every class got its share, and the label kept all that it had: the truth adds up to more than 1.",
        f"{_ASK_TRUTH}   (step 1)",
    ),
    Mistake(
        "share not divided",
        _towards(lambda marked, smoothing, classes: marked - smoothing * marked + smoothing),
        "Every class got all of the smoothing, where they share it.",
        f"{_ASK_TRUTH}   (step 1)",
    ),
    Mistake(
        "nothing for the others",
        _towards(lambda marked, smoothing, classes: marked - smoothing * marked),
        "What was taken from the label went to nobody: the truth adds up to less than 1.",
        f"{_ASK_TRUTH}   (step 1)",
    ),
    Mistake(
        "shared by the others alone",
        _towards(
            lambda marked, smoothing, classes: jnp.where(marked > 0, 1 - smoothing, smoothing / max(classes - 1, 1))
        ),
        "What was taken from the label was shared by the others alone; here the label has a share, too.",
        "Among how many classes is the smoothing shared?   (step 1)",
    ),
    Mistake(
        "shares exchanged",
        _towards(lambda marked, smoothing, classes: smoothing * marked + (1 - smoothing) / classes),
        "What the label keeps and what is shared were exchanged.",
        "Without smoothing, who has all of the truth?   (step 1)",
    ),
    Mistake(
        "mean lost",
        _smoothed(lambda loss, logits: len(logits) * loss),
        _MEAN_LOST,
        f"{_ASK_MEAN}   (step 3)",
    ),
    Mistake(
        "mean over every number",
        _smoothed(lambda loss, logits: loss / logits.shape[1]),
        "The mean was taken over all logits, not over the rows.",
        "How many losses are averaged?   (step 3)",
    ),
    Mistake(
        "normaliser left out",
        _smoothed(lambda loss, logits: loss - jnp.mean(_normaliser(logits))),
        "The truth alone was sent back, with a minus; the probabilities are missing.",
        "What is the slope of logsumexp?   (step 2)",
    ),
    Mistake(
        "softmax down the columns",
        _smoothed(
            lambda loss, logits: (
                loss + (jnp.sum(jax.nn.logsumexp(logits, axis=0)) - jnp.sum(_normaliser(logits))) / len(logits)
            )
        ),
        "The softmax was taken down the columns.",
        "Along which axis do the classes lie?   (step 2)",
    ),
    Mistake(
        "logits for probabilities",
        _smoothed(lambda loss, logits: loss + (jnp.sum(logits**2) / 2 - jnp.sum(_normaliser(logits))) / len(logits)),
        "The logits stand where probabilities belong.",
        "What is the slope of logsumexp?   (step 2)",
    ),
)


def _masked(sloped: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """Masked cross-entropy with the derivative of a function of the logits, the labels and which rows count."""

    def mistaken(logits: Any, labels: Any) -> Any:
        return valued(masked_cross_entropy(logits, labels), sloped(logits, labels, jnp.not_equal(labels, IGNORED)))

    return mistaken


def _count(counted: Any) -> Any:
    return jnp.maximum(jnp.sum(counted), 1)


def _every_row(labelled: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Every row counts, the ignored ones with a label of their own; the mean is over those that should count."""

    def sloped(logits: Any, labels: Any, counted: Any) -> Any:
        marked = _marked(logits, jnp.where(counted, labels, labelled(logits, labels)))
        losses = _normaliser(logits) - jnp.sum(jnp.where(marked, logits, 0), axis=-1)
        return jnp.sum(losses) / _count(counted)

    return _masked(sloped)


def _of_counted(term: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """A term of each row that counts, averaged over these."""
    return _masked(
        lambda logits, labels, counted: jnp.sum(jnp.where(counted, term(logits, labels, counted), 0)) / _count(counted)
    )


_ASK_ROWS = "Which rows count, and how many are they?   (step 1)"
_ASK_IGNORED = "What does the loss ask of a row that is ignored, and what comes back to it?   (step 3)"

MASKED_CROSS_ENTROPY = (
    Mistake(
        "mean over all rows",
        _masked(lambda logits, labels, counted: masked_cross_entropy(logits, labels) * jnp.sum(counted) / len(labels)),
        "The mean was taken over all rows, those that are ignored included.",
        _ASK_ROWS,
    ),
    Mistake(
        "mean over the ignored rows",
        _masked(
            lambda logits, labels, counted: (
                masked_cross_entropy(logits, labels) * jnp.sum(counted) / _count(labels == IGNORED)
            )
        ),
        "The mean was taken over the number of rows that are ignored.",
        _ASK_ROWS,
    ),
    Mistake(
        "mean lost",
        _masked(lambda logits, labels, counted: masked_cross_entropy(logits, labels) * jnp.sum(counted)),
        _MEAN_LOST,
        f"{_ASK_MEAN}   (step 3)",
    ),
    Mistake(
        "ignored rows pushed down",
        _every_row(lambda logits, labels: labels),
        "A row that is ignored has no label, but all of its logits were pushed down all the same.",
        _ASK_IGNORED,
    ),
    Mistake(
        "ignored rows taken for the last class",
        _every_row(lambda logits, labels: logits.shape[-1] - 1),
        "A label of -1 was taken for the last class, as an index would be.",
        _ASK_IGNORED,
    ),
    Mistake(
        "ignored rows taken for the first class",
        _every_row(lambda logits, labels: 0),
        "Rows that are ignored were taught the first class.",
        _ASK_IGNORED,
    ),
    Mistake(
        "only the ignored rows",
        _masked(lambda logits, labels, counted: jnp.sum(jnp.where(counted, 0, _normaliser(logits))) / _count(counted)),
        "Something came back to the rows that are ignored, and nothing to those that count.",
        _ASK_ROWS,
    ),
    Mistake(
        "label left out",
        _of_counted(lambda logits, labels, counted: _normaliser(logits)),
        "The labels had no say: every class of a row was pushed down.",
        "Which single entry of each row did the loss pick, and with which sign?   (step 2)",
    ),
    Mistake(
        "normaliser left out",
        _of_counted(lambda logits, labels, counted: -_chosen(logits, labels)),
        "Only the chosen logit of each row got something.",
        "The loss of a row has two terms. On which logits does the other one depend?   (step 2)",
    ),
    Mistake(
        "logits for probabilities",
        _of_counted(lambda logits, labels, counted: jnp.sum(logits**2, axis=-1) / 2 - _chosen(logits, labels)),
        "The logits stand where probabilities belong.",
        "What is the slope of logsumexp?   (step 2)",
    ),
)
