"""Losses: halved squared error, binary cross-entropy with logits, softmax cross-entropy. All are means over the batch.

    half_squared_error(prediction, target) = mean over rows of 0.5 * sum((prediction - target)**2)
    binary_cross_entropy(logits, target)   = mean of softplus(logits) - target * logits            (nats)
    softplus(logit)                        = log(1 + exp(logit))
    softmax_cross_entropy(logits, labels)  = mean of logsumexp(logits) - logits[label]             (nats)

Each is written so that logits of +-1e4 give finite numbers.

Source: C. M. Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, chapters 1.2.5 and 4.3.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


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
