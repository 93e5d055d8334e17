"""The demo `gpt`: the lesson's language model learns to write like "The Tragedie of Hamlet".

    ids -> table + positions -> 2 blocks of 2 heads -> layer norm -> logits of the next character, by the same table

The score is in bits per character, and a guess by counting is what it is compared with.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from course.lessons.attention import Attention
from course.lessons.transformer import Block, FeedForward, Gpt, Norm, gpt_logits, gpt_loss
from course.show.plots import Level
from course.training.alphabet import ids_of, text_of
from course.training.data import Splits
from course.training.demo import BITS, Demo, Score, Settings, in_bits
from course.training.ngram import level_by_counting
from course.training.play import ALPHABET, SEQ, play

SYMBOLS = len(ALPHABET)


class Size(NamedTuple):
    """How large a model is."""

    vocab: int = SYMBOLS
    seq: int = SEQ
    d_model: int = 64
    d_hidden: int = 256
    heads: int = 2
    blocks: int = 2


_SIZE = Size()

_TABLE = 0.2
"""The size of a number of the table at first."""
_WARM_UP = 50
"""Steps in which the learning rate rises to its height, from where it falls along half a wave of a cosine."""
_LAST = 0.05
"""The part of it that is left at the end."""
_DRAWN, _SHARPER = 280, 1.4
"""Characters of a sample, and by how much likely ones are preferred in it."""
_OPENING = "Enter Hamlet.\n\nHam. To be, or not to be, that is the Question:\n".rjust(SEQ)
"""What a sample goes on from."""


def init(key: jax.Array, size: Size = _SIZE) -> Gpt:
    """Draws weights at which numbers keep their size, and what the branches add to it is 1 in all; biases are zero."""
    table_key, positions_key, *keys = jax.random.split(key, 2 + size.blocks)
    table = _TABLE * jax.random.normal(table_key, (size.vocab, size.d_model))
    positions = _TABLE / 5 * jax.random.normal(positions_key, (size.seq, size.d_model))
    return Gpt(table, positions, [_init_block(key, size) for key in keys], _init_norm(size.d_model))


def _init_block(key: jax.Array, size: Size) -> Block:
    qkv_key, out_key, in_key, hidden_key = jax.random.split(key, 4)
    d_model, d_hidden, heads = size.d_model, size.d_hidden, size.heads
    d_head, branches = d_model // heads, 2 * size.blocks
    attention = Attention(
        jax.random.normal(qkv_key, (d_model, 3, heads, d_head)) / jnp.sqrt(d_model),
        jax.random.normal(out_key, (heads, d_head, d_model)) / jnp.sqrt(d_model * branches),
    )
    mlp = FeedForward(
        jax.random.normal(in_key, (d_model, d_hidden)) / jnp.sqrt(d_model),
        jnp.zeros(d_hidden),
        jax.random.normal(hidden_key, (d_hidden, d_model)) / jnp.sqrt(d_hidden * branches),
        jnp.zeros(d_model),
    )
    return Block(_init_norm(d_model), attention, _init_norm(d_model), mlp)


def _init_norm(d_model: int) -> Norm:
    return Norm(jnp.ones(d_model), jnp.zeros(d_model))


def learning_rate(settings: Settings) -> optax.Schedule:
    """Rises to its height, and then falls to the last step."""
    warm_up = min(_WARM_UP, settings.steps // 2)
    return optax.warmup_cosine_decay_schedule(0.0, settings.lr, warm_up, settings.steps, _LAST * settings.lr)


def optimiser(settings: Settings) -> optax.GradientTransformation:
    """Adam, which forgets gradients sooner than usual: the run is short."""
    return optax.adam(learning_rate(settings), b2=0.99)


def sample(params: Gpt, key: jax.Array) -> str:
    """How it goes on from a famous beginning."""
    return " / ".join(filter(None, text_of(ALPHABET, np.asarray(_draw(params, key))).splitlines()))


@jax.jit
def _draw(params: Gpt, key: jax.Array) -> jax.Array:
    """Ids."""

    def step(ids: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        drawn = jax.random.categorical(key, _SHARPER * gpt_logits(params, ids[None])[0, -1])
        return jnp.append(ids[1:], drawn), drawn

    return jax.lax.scan(step, jnp.asarray(ids_of(ALPHABET, _OPENING)), jax.random.split(key, _DRAWN))[1]


def by_counting(splits: Splits) -> Level:
    """What counting needs for the same characters: it sees each of the training data once."""
    return level_by_counting(ALPHABET, splits._replace(train=play(stride=SEQ).train))


DEMO = Demo(
    name="gpt",
    title="a GPT of two blocks learns to write like Hamlet",
    exercises=("transformer.gpt_loss",),
    loss=gpt_loss,
    init=init,
    read_data=play,
    metrics=in_bits(gpt_loss),
    score=Score("bits", BITS, aim=2.54, less=True),
    level=by_counting,
    sample=sample,
    optimiser=optimiser,
    settings=Settings(steps=1800, batch=12, lr=1.5e-2),
    chunk_steps=25,
    steps_between_looks=100,
)
