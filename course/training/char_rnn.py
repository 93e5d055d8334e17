"""The demo `char-rnn`: the lesson's recurrent network learns to spell first names.

    ids -> table -> tanh network, character by character -> affine -> logits of the next character

The score is in bits per character, and a guess by counting is what it is compared with.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.lessons.linear_and_activations import affine
from course.lessons.losses import IGNORED
from course.lessons.mlp import Layer
from course.lessons.recurrent import Cell, CharRnn, char_rnn_loss, rnn_step
from course.show.plots import Level
from course.training.data import Splits
from course.training.demo import BITS, Demo, Score, Settings, in_bits
from course.training.names import ALPHABET, DOT, first_names, spell
from course.training.ngram import level_by_counting

SYMBOLS, D_IN, D_HIDDEN = len(ALPHABET), 16, 128
NAMES, LONGEST = 8, 14
"""How many names are drawn to show what was learned, and how many characters of each at most."""


def init(key: jax.Array) -> CharRnn:
    """Draws weights at which numbers keep their size on the way through; biases are zero."""
    table_key, x_key, h_key, readout_key = jax.random.split(key, 4)
    table = jax.random.normal(table_key, (SYMBOLS, D_IN))
    w_x = jax.random.normal(x_key, (D_IN, D_HIDDEN)) / jnp.sqrt(D_IN)
    w_h = jax.random.normal(h_key, (D_HIDDEN, D_HIDDEN)) / jnp.sqrt(D_HIDDEN)
    w = jax.random.normal(readout_key, (D_HIDDEN, SYMBOLS)) / jnp.sqrt(D_HIDDEN)
    return CharRnn(table, Cell(w_x, w_h, jnp.zeros(D_HIDDEN)), Layer(w, jnp.zeros(SYMBOLS)))


def counted(ids: jax.Array, labels: jax.Array) -> jax.Array:
    """How many characters a mean over these names is over."""
    return jnp.sum(labels != IGNORED)


def sample(params: CharRnn, key: jax.Array) -> str:
    """Some names, drawn character by character."""
    return names_of(_draw(params, key))


@jax.jit
def _draw(params: CharRnn, key: jax.Array) -> jax.Array:
    """Ids, a name a row."""

    def step(h: jax.Array, ids: jax.Array) -> tuple[jax.Array, jax.Array]:
        after = rnn_step(params.cell, h, params.table[ids])
        return after, affine(after, *params.readout)

    return draw(step, jnp.zeros((NAMES, D_HIDDEN), params.table.dtype), key)


def draw(step: Callable[[Any, jax.Array], tuple[Any, jax.Array]], start: Any, key: jax.Array) -> jax.Array:
    """Draws ids (NAMES, LONGEST), each by the logits of `step(state, ids) -> (state, logits)` after those before it."""

    def drawing(before: tuple[Any, jax.Array], key: jax.Array) -> tuple[tuple[Any, jax.Array], jax.Array]:
        state, logits = step(*before)
        drawn = jax.random.categorical(key, logits)
        return (state, drawn), drawn

    return jax.lax.scan(drawing, (start, jnp.full(NAMES, DOT)), jax.random.split(key, LONGEST))[1].T


def names_of(ids: jax.Array) -> str:
    """The names that rows of ids spell, in a line."""
    return " ".join(spell(row).capitalize() for row in np.asarray(ids))


def by_counting(splits: Splits) -> Level:
    """What counting needs for the same characters."""
    return level_by_counting(ALPHABET, splits)


DEMO = Demo(
    name="char-rnn",
    title="a recurrent network of 128 learns to spell first names",
    exercises=("recurrent.char_rnn_loss",),
    loss=char_rnn_loss,
    counted=counted,
    init=init,
    read_data=first_names,
    metrics=in_bits(char_rnn_loss),
    score=Score("bits", BITS, aim=2.9, less=True),
    level=by_counting,
    sample=sample,
    settings=Settings(steps=1060, batch=64, lr=2e-3),
    chunk_steps=60,
)
