"""Answers to `losses`: halved squared error, binary and softmax cross-entropy, stable for every finite logit."""

import jax
from jaxtyping import Array, Float, Int

import course
from course.lessons.losses import binary_cross_entropy, half_squared_error, softmax_cross_entropy


def half_squared_error_fwd(
    prediction: Float[Array, "batch d_out"], target: Float[Array, "batch d_out"]
) -> tuple[Float[Array, ""], Float[Array, "batch d_out"]]:
    """Returns the loss, and the residuals."""
    # 1. Which one array says all that backward needs about prediction and target?
    return half_squared_error(prediction, target), prediction - target


def half_squared_error_bwd(
    residuals: Float[Array, "batch d_out"], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch d_out"], Float[Array, "batch d_out"]]:
    """Returns (prediction_bar, target_bar)."""
    error = residuals
    # 1. The half and the square, the mean over rows: what is left in front of the error?
    prediction_bar = loss_bar * error / len(error)
    # 2. The target enters the same difference, on its other side.
    return prediction_bar, -prediction_bar


def binary_cross_entropy_fwd(
    logits: Float[Array, "batch"], target: Float[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch"], Float[Array, "batch"]]]:
    """Returns the loss, and the residuals."""
    # 1. Both arguments will be asked for again; nothing between them needs to be.
    return binary_cross_entropy(logits, target), (logits, target)


def binary_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch"], Float[Array, "batch"]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch"], Float[Array, "batch"]]:
    """Returns (logits_bar, target_bar)."""
    logits, target = residuals
    # 1. The derivative of softplus has a name that you know. What is left of the target?
    logits_bar = loss_bar * (jax.nn.sigmoid(logits) - target) / len(logits)
    # 2. The target stands in one term only.
    target_bar = -loss_bar * logits / len(logits)
    return logits_bar, target_bar


def softmax_cross_entropy_fwd(
    logits: Float[Array, "batch classes"], labels: Int[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch classes"], Int[Array, "batch"]]]:
    """Returns the loss, and the residuals."""
    # 1. The probabilities can be rebuilt from the logits: is it worth saving them too?
    return softmax_cross_entropy(logits, labels), (logits, labels)


def softmax_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch classes"], Int[Array, "batch"]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch classes"], None]:
    """Returns (logits_bar, None): labels are integers and have no tangent."""
    logits, labels = residuals
    # 1. What is the derivative of logsumexp, and how do you compute it when a logit is 10,000?
    probabilities = jax.nn.softmax(logits, axis=-1)
    # 2. Which single entry of each row did the loss pick, and with which sign?
    chosen = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    # 3. A mean over the batch: what does it do to every row?
    return loss_bar * (probabilities - chosen) / len(labels), None


course.answer("losses.q1", 0.0)
course.answer("losses.q2", "b")
