"""Losses: halved squared error, binary cross-entropy with logits, softmax cross-entropy. All are means over the batch.

    half_squared_error(prediction, target) = mean over rows of 0.5 * sum((prediction - target)**2)
    binary_cross_entropy(logits, target)   = mean of softplus(logits) - target * logits            (nats)
    softplus(logit)                        = log(1 + exp(logit))
    softmax_cross_entropy(logits, labels)  = mean of logsumexp(logits) - logits[label]             (nats)

    smoothed_cross_entropy(logits, labels, smoothing) = the same, of a truth that gives each class smoothing / classes,
                                                        and the rest of 1 to the label
    masked_cross_entropy(logits, labels)   = mean over the rows whose label is not IGNORED; 0 if there is none

Each is written so that logits of +-1e4 give finite numbers.

Source: C. M. Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, chapters 1.2.5 and 4.3. Smoothing:
C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015, arXiv:1512.00567, section 7.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

IGNORED = -1
"""The label of a row that has no truth and does not count, such as padding."""


def half_squared_error(
    prediction: Float[Array, "batch d_out"], target: Float[Array, "batch d_out"]
) -> Float[Array, ""]:
    """Returns the halved squared error, summed over a row and averaged over the batch."""
    return 0.5 * jnp.sum((prediction - target) ** 2) / len(prediction)


def binary_cross_entropy(logits: Float[Array, "batch"], target: Float[Array, "batch"]) -> Float[Array, ""]:
    """Returns the mean cross-entropy, in nats, of yes-or-no targets (1 or 0) under `sigmoid(logits)`."""
    return jnp.mean(jax.nn.softplus(logits) - target * logits)


def softmax_cross_entropy(logits: Float[Array, "batch classes"], labels: Int[Array, "batch"]) -> Float[Array, ""]:
    """Returns the mean cross-entropy, in nats, of each row's label under the softmax of its logits."""
    log_normaliser = jax.nn.logsumexp(logits, axis=-1)
    chosen = jnp.take_along_axis(logits, labels[:, None], axis=-1)[:, 0]
    return jnp.mean(log_normaliser - chosen)


def smoothed_cross_entropy(
    logits: Float[Array, "batch classes"], labels: Int[Array, "batch"], smoothing: Float[Array, ""]
) -> Float[Array, ""]:
    """Returns the mean cross-entropy, in nats, of labels of which `smoothing`, 0 to 1, is shared by all classes."""
    of_any_class = -jnp.mean(jax.nn.log_softmax(logits))
    return (1 - smoothing) * softmax_cross_entropy(logits, labels) + smoothing * of_any_class


def masked_cross_entropy(logits: Float[Array, "batch classes"], labels: Int[Array, "batch"]) -> Float[Array, ""]:
    """Returns the mean cross-entropy, in nats, of the rows whose label is not `IGNORED`; 0 if there is none."""
    counted = labels != IGNORED
    labels = jnp.where(counted, labels, 0)
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=-1)[:, 0]
    rows = jnp.sum(counted, dtype=logits.dtype)
    return jnp.sum(jnp.where(counted, -chosen, 0)) / jnp.maximum(rows, 1)
