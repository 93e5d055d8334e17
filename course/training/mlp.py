"""The demo `mlp`: the lesson's network reads handwritten digits.

64 pixels -> affine -> relu -> affine -> relu -> affine -> 10 logits
"""

import jax
import jax.numpy as jnp

from course.lessons.losses import softmax_cross_entropy
from course.lessons.mlp import Mlp, init_mlp, mlp, mlp_loss
from course.training.data import digits
from course.training.demo import PERCENT_RIGHT, Demo, Metrics, Score, Settings

SIZES = (64, 128, 64, 10)
"""From 8 x 8 pixels to ten classes."""


def metrics(params: Mlp, x: jax.Array, labels: jax.Array) -> Metrics:
    """The loss in nats, and the share of images whose largest logit is the right one."""
    logits = mlp(params, x)
    right = jnp.argmax(logits, axis=-1) == labels
    return {"loss": softmax_cross_entropy(logits, labels), "accuracy": jnp.mean(right, dtype=logits.dtype)}


DEMO = Demo(
    name="mlp",
    title="a 64-128-64-10 network reads handwritten digits",
    exercises=("mlp.mlp_loss",),
    loss=mlp_loss,
    init=lambda key: init_mlp(key, SIZES),
    read_data=digits,
    metrics=metrics,
    score=Score("accuracy", PERCENT_RIGHT, aim=0.97),
    # In float64 two right gradients stay together to the last step. In float32 rounding pushes a relu across its
    # kink now and then, and the two curves part by 1e-4.
    settings=Settings(steps=1080, batch=64, lr=3e-3, dtype="float64"),
    chunk_steps=100,
)
