"""What is timed: a loss, its pair, parameters and a batch, at the sizes of the demos and at larger ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.training import in_torch
from course.lessons.attention import Attention, attend, causal, self_attention
from course.lessons.convolution import conv_2d
from course.lessons.embedding import embed
from course.lessons.linear_and_activations import affine, relu
from course.lessons.losses import half_squared_error, masked_cross_entropy, softmax_cross_entropy
from course.lessons.mlp import Layer, Mlp, init_mlp, mlp_loss
from course.lessons.pooling import Cnn, blocks, cnn_loss, init_cnn, keeping_size
from course.lessons.recurrent import Cell, CharRnn, char_rnn_loss
from course.lessons.transformer import Gpt, feed_forward, gpt_loss, norm_tokens
from course.training import char_lstm, char_rnn, gpt, ode
from course.training.char_lstm import CharLstm
from course.training.demo import Params, TwoFunctions, find_demo
from course.training.pair import find_pair
from course.training.steps import cast
from solutions.attention import self_attention_bwd, self_attention_fwd
from solutions.custom_rules import fused_cross_entropy_bwd, fused_cross_entropy_fwd
from solutions.flash_attention import causal_attend_bwd, causal_attend_fwd
from solutions.losses import half_squared_error_bwd, half_squared_error_fwd
from solutions.mlp import mlp_loss_bwd, mlp_loss_fwd
from solutions.pooling import cnn_loss_bwd, cnn_loss_fwd
from solutions.recurrent import char_rnn_loss_bwd, char_rnn_loss_fwd
from solutions.transformer import gpt_loss_bwd, gpt_loss_fwd

Arrays = tuple[jax.Array, ...]


@dataclass(frozen=True)
class Model:
    """One row of the table; `expected` is what was expected of hand / plain, said before it was measured."""

    name: str
    expected: str
    loss: Callable[..., jax.Array]
    pair: TwoFunctions
    params: Params
    batch: Arrays
    best: Callable[..., jax.Array] | None = None
    torch: Callable[[Params, Arrays, float], in_torch.Trainer] | None = None


def models() -> list[Model]:
    """All rows, small ones first."""
    return [
        _mlp("MLP 64-128-64-10, 64 rows", (64, 128, 64, 10), 64, "1.0: the same products"),
        _mlp("MLP 784-512-512-10, 128 rows", (784, 512, 512, 10), 128, "1.0: the same products"),
        _cnn(),
        _names(),
        _rnn(),
        _lstm(),
        _ode(),
        _attention(),
        _long_attention(),
        _gpt("GPT 2 blocks of 64, 64 tokens, 12 rows", gpt.Size(65, 64, 64, 256, 2, 2), 12),
        _gpt("GPT 4 blocks of 128, 128 tokens, 8 rows", gpt.Size(65, 128, 128, 512, 4, 4), 8),
        _cross_entropy(),
    ]


def _mlp(name: str, sizes: Sequence[int], rows: int, expected: str) -> Model:
    random = np.random.default_rng(0)
    x, labels = random.normal(size=(rows, sizes[0])), random.integers(0, sizes[-1], rows)
    params: Mlp = init_mlp(jax.random.key(0), sizes)
    pair = (mlp_loss_fwd, mlp_loss_bwd)
    return Model(name, expected, mlp_loss, pair, params, _arrays(x, labels), torch=in_torch.mlp)


def _cnn() -> Model:
    random = np.random.default_rng(0)
    params = init_cnn(jax.random.key(0), (28, 28), (1, 8, 16), 10)
    x, labels = random.normal(size=(64, 28, 28, 1)), random.integers(0, 10, 64)

    def best(params: Cnn, x: jax.Array, labels: jax.Array) -> jax.Array:
        for layer in params.convolutions:
            x = relu(blocks(conv_2d(x, layer.w, layer.b, keeping_size(layer.w))).max(axis=(2, 4)))
        return softmax_cross_entropy(affine(x.reshape(len(x), -1), *params.readout), labels)

    pair, expected = (cnn_loss_fwd, cnn_loss_bwd), "0.22, by an early trial: which pixel was largest by comparing"
    return Model(
        "CNN 28x28, 8 and 16 channels, 64 rows",
        expected,
        cnn_loss,
        pair,
        params,
        _arrays(x, labels),
        best,
        in_torch.cnn,
    )


def _names() -> Model:
    demo = find_demo("char-rnn")
    batch = tuple(array[:64] for array in cast(demo.read_data().train, "float32"))
    pair = (char_rnn_loss_fwd, char_rnn_loss_bwd)
    params = char_rnn.init(jax.random.key(0))
    expected = "0.8: weights' cotangents in one product after the loop"
    return Model("names, RNN 128, 12 steps, 64 rows", expected, demo.loss, pair, params, batch, torch=in_torch.char_rnn)


def _rnn() -> Model:
    vocab, d_in, d_hidden, rows, seq = 65, 64, 128, 32, 64
    random = np.random.default_rng(0)

    def weights(*shape: int) -> jax.Array:
        return jnp.asarray(random.normal(size=shape) / np.sqrt(shape[0]), jnp.float32)

    cell = Cell(weights(d_in, d_hidden), weights(d_hidden, d_hidden), jnp.zeros(d_hidden))
    readout = Layer(weights(d_hidden, vocab), jnp.zeros(vocab))
    params = CharRnn(weights(vocab, d_in), cell, readout)
    batch = _arrays(*(random.integers(0, vocab, (rows, seq)) for _ in range(2)))
    pair = (char_rnn_loss_fwd, char_rnn_loss_bwd)
    expected = "0.61, by an early trial"
    return Model("RNN 128, 64 steps, 32 rows", expected, char_rnn_loss, pair, params, batch, torch=in_torch.char_rnn)


def _lstm() -> Model:
    vocab, rows, seq = 65, 32, 64
    random = np.random.default_rng(0)
    params: CharLstm = char_lstm.init(jax.random.key(0), char_lstm.Size(vocab, 64, 128))
    batch = _arrays(*(random.integers(0, vocab, (rows, seq)) for _ in range(2)))
    pair = find_pair(find_demo("char-lstm")).functions
    expected = "0.87, by an early trial: weights' cotangents in one product after the loop"
    return Model("LSTM 128, 64 steps, 32 rows", expected, char_lstm.loss, pair, params, batch, torch=in_torch.char_lstm)


def _ode() -> Model:
    demo = find_demo("ode")
    batch = tuple(array[:36] for array in cast(demo.read_data().train, "float32"))
    params = ode.init(jax.random.key(0))
    expected = "0.7: one step's record at a time"
    return Model("hares and lynxes, 24 steps, 36 rows", expected, demo.loss, find_pair(demo).functions, params, batch)


def _attention() -> Model:
    rows, seq, heads, d_head = 8, 128, 4, 32
    d_model = heads * d_head
    random = np.random.default_rng(0)
    params = Attention(
        jnp.asarray(random.normal(size=(d_model, 3, heads, d_head)) / np.sqrt(d_model), jnp.float32),
        jnp.asarray(random.normal(size=(heads, d_head, d_model)) / np.sqrt(d_model), jnp.float32),
    )
    x, target = (random.normal(size=(rows, seq, d_model)) for _ in range(2))

    def loss(params: Attention, x: jax.Array, target: jax.Array) -> jax.Array:
        return half_squared_error(_flat(self_attention(params, x)), _flat(target))

    def best(params: Attention, x: jax.Array, target: jax.Array) -> jax.Array:
        return half_squared_error(_flat(_attention_in_two_dimensions(params, x)), _flat(target))

    def fwd(params: Attention, x: jax.Array, target: jax.Array) -> tuple[jax.Array, Any]:
        y, attended = self_attention_fwd(params, x)
        value, compared = half_squared_error_fwd(_flat(y), _flat(target))
        return value, (attended, compared)

    def bwd(residuals: Any, loss_bar: jax.Array) -> tuple[Attention, None, None]:
        attended, compared = residuals
        y_bar, _ = half_squared_error_bwd(compared, loss_bar)
        params_bar, _ = self_attention_bwd(attended, y_bar.reshape(rows, seq, d_model))
        return params_bar, None, None

    expected = "0.7: nothing transposed, the weights of softmax alone kept"
    name = "attention, 4 heads of 32, 128 tokens, 8 rows"
    return Model(name, expected, loss, (fwd, bwd), params, _arrays(x, target), best, in_torch.attention)


def _attention_in_two_dimensions(params: Attention, x: jax.Array) -> jax.Array:
    """The primal as a matrix product for each projection: what `jax.value_and_grad` does best with."""
    rows, seq, d_model = x.shape
    _, _, heads, d_head = params.w_qkv.shape
    qkv = (x.reshape(-1, d_model) @ params.w_qkv.reshape(d_model, -1)).reshape(rows, seq, 3, heads, d_head)
    y = _heads_by_softmax(*qkv.transpose(2, 0, 3, 1, 4)).swapaxes(1, 2).reshape(rows * seq, -1)
    return (y @ params.w_out.reshape(-1, d_model)).reshape(x.shape)


def _heads_by_softmax(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    scores = (q / np.sqrt(q.shape[-1])) @ k.swapaxes(-1, -2)
    return jax.nn.softmax(jnp.where(causal(q.shape[-2]), scores, -jnp.inf)) @ v


def _long_attention() -> Model:
    heads, seq, d_head, tile = 4, 2048, 64, 256
    random = np.random.default_rng(0)
    q, k, v, target = _arrays(*random.normal(size=(4, heads, seq, d_head)))

    def loss_by(attention: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
        return lambda qkv, target: half_squared_error(_flat(attention(*qkv)), _flat(target))

    def fwd(qkv: Arrays, target: jax.Array) -> tuple[jax.Array, Any]:
        y, attended = jax.vmap(causal_attend_fwd)(*(x.reshape(heads, -1, tile, d_head) for x in qkv))
        value, compared = half_squared_error_fwd(_flat(y), _flat(target))
        return value, (attended, compared)

    def bwd(residuals: Any, loss_bar: jax.Array) -> tuple[Arrays, None]:
        attended, compared = residuals
        y_bar, _ = half_squared_error_bwd(compared, loss_bar)
        bars = jax.vmap(causal_attend_bwd)(attended, y_bar.reshape(heads, -1, tile, d_head))
        return tuple(bar.reshape(heads, seq, d_head) for bar in bars), None

    return Model(
        "attention in tiles, 4 heads of 64, 2048 tokens",
        "0.3, by an early trial: no array of pairs in memory, and half of them not looked at",
        loss_by(jax.vmap(lambda q, k, v: attend(q, k, v, causal(seq)))),
        (fwd, bwd),
        (q, k, v),
        (target,),
        loss_by(_heads_by_softmax),
        in_torch.heads,
    )


def _gpt(name: str, size: gpt.Size, rows: int) -> Model:
    random = np.random.default_rng(0)
    params: Gpt = gpt.init(jax.random.key(0), size)
    batch = _arrays(*(random.integers(0, size.vocab, (rows, size.seq)) for _ in range(2)))

    def best(params: Gpt, ids: jax.Array, labels: jax.Array) -> jax.Array:
        x = embed(params.table, params.positions, ids)
        for own in params.blocks:
            h = x + _attention_in_two_dimensions(own.attention, norm_tokens(own.norm_attention, x))
            tokens = norm_tokens(own.norm_mlp, h).reshape(-1, h.shape[-1])
            x = h + feed_forward(own.mlp, tokens).reshape(h.shape)
        tokens = norm_tokens(params.norm, x).reshape(labels.size, -1)
        return masked_cross_entropy(tokens @ params.table.T, labels.reshape(-1))

    pair, expected = (gpt_loss_fwd, gpt_loss_bwd), "0.52, by an early trial: every product of two matrices"
    return Model(name, expected, gpt_loss, pair, params, batch, best, in_torch.gpt)


def _cross_entropy() -> Model:
    random = np.random.default_rng(0)
    logits = jnp.asarray(random.normal(size=(256, 32_000)), jnp.float32)
    labels = jnp.asarray(random.integers(0, 32_000, 256))
    pair = (fused_cross_entropy_fwd, fused_cross_entropy_bwd)
    expected = "0.13, by an early trial: no log-softmax kept"
    return Model(
        "softmax cross-entropy, 32,000 classes, 256 rows",
        expected,
        softmax_cross_entropy,
        pair,
        logits,
        (labels,),
        torch=in_torch.cross_entropy,
    )


def _flat(array: jax.Array) -> jax.Array:
    return array.reshape(len(array), -1)


def _arrays(*arrays: np.ndarray) -> Arrays:
    """Floating ones in float32."""
    return tuple(jnp.asarray(a, jnp.float32 if np.issubdtype(a.dtype, np.floating) else None) for a in arrays)
