"""The demo `mnist`: the network of the demo `cnn` reads larger digits, where the package that carries them is there.

28 x 28 pixels -> convolution, max_pool, relu -> 14 x 14 x 8 -> convolution, max_pool, relu -> 7 x 7 x 16 -> 10 logits
"""

import dataclasses

from course.lessons.pooling import init_cnn
from course.training import cnn
from course.training.cnn import CLASSES, as_pictures
from course.training.data import Splits, large_digits
from course.training.demo import PERCENT_RIGHT, Score, Settings

SIDE = 28
"""Pixels a side."""

CHANNELS = (1, 8, 16)
"""Of the pictures, then of each convolution."""


def pictures() -> Splits:
    """The large digits as pictures, and their labels."""
    return as_pictures(large_digits(), SIDE)


DEMO = dataclasses.replace(
    cnn.DEMO,
    name="mnist",
    title="a convolutional network reads handwritten digits of 28 x 28 pixels",
    init=lambda key: init_cnn(key, (SIDE, SIDE), CHANNELS, CLASSES),
    read_data=pictures,
    score=Score("accuracy", PERCENT_RIGHT, aim=0.95),
    settings=Settings(steps=520, batch=64, lr=3e-3),
    chunk_steps=13,
)
