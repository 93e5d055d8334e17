"""Mistakes that people make in `losses`: means over the wrong axis, other losses, labels that are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, valued
from course.lessons.losses import binary_cross_entropy, half_squared_error, softmax_cross_entropy

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
