"""The demo `cnn`: the lesson's convolutional network reads handwritten digits.

    8 x 8 pixels -> convolution, max_pool, relu -> 4 x 4 x 16 -> convolution, max_pool, relu -> 2 x 2 x 32 -> 10 logits

They are the pictures of the demo `mlp`, of which that one sees rows of 64 numbers.
"""

import jax
import jax.numpy as jnp

from course.lessons.losses import softmax_cross_entropy
from course.lessons.pooling import Cnn, cnn, cnn_loss, init_cnn
from course.training.data import Splits, digits
from course.training.demo import PERCENT_RIGHT, Demo, Metrics, Score, Settings

SIDE = 8
"""Pixels a side."""

CHANNELS, CLASSES = (1, 16, 32), 10
"""Of the pictures, then of each convolution."""


def pictures() -> Splits:
    """The digits as pictures, and their labels."""
    return as_pictures(digits(), SIDE)


def as_pictures(parts: Splits, side: int) -> Splits:
    """Makes of every row of pixels a square of one channel."""
    return Splits(*((rows.reshape(-1, side, side, 1), labels) for rows, labels in parts))


def metrics(params: Cnn, x: jax.Array, labels: jax.Array) -> Metrics:
    """The loss in nats, and the share of pictures whose largest logit is the right one."""
    logits = cnn(params, x)
    right = jnp.argmax(logits, axis=-1) == labels
    return {"loss": softmax_cross_entropy(logits, labels), "accuracy": jnp.mean(right, dtype=logits.dtype)}


DEMO = Demo(
    name="cnn",
    title="a convolutional network reads handwritten digits",
    exercises=("pooling.cnn_loss",),
    loss=cnn_loss,
    init=lambda key: init_cnn(key, (SIDE, SIDE), CHANNELS, CLASSES),
    read_data=pictures,
    metrics=metrics,
    score=Score("accuracy", PERCENT_RIGHT, aim=0.97),
    # In float64 for the same reason as the demo `mlp`: a relu's kink, and here the ties of max_pool.
    settings=Settings(steps=540, batch=64, lr=3e-3, dtype="float64"),
    chunk_steps=20,
)
