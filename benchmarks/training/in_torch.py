"""The same models in PyTorch: the same parameters, loss and optimiser. Imports it only where it is asked for."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from course.lessons.losses import IGNORED
from course.lessons.normalization import EPSILON

Arrays = Sequence[jax.Array]


class Trainer(NamedTuple):
    """A loss without arguments, and the optimiser of what it hangs on."""

    loss: Callable[[], Any]
    optimiser: Any


def installed() -> bool:
    """Whether PyTorch is here."""
    return importlib.util.find_spec("torch") is not None


def version() -> str:
    """Which one it is."""
    return importlib.metadata.version("torch") if installed() else "not installed here"


def eager(trainer: Trainer) -> Callable[[int], list[float]]:
    """Trains as it is written."""

    def train(steps: int) -> list[float]:
        losses = []
        for _ in range(steps):
            trainer.optimiser.zero_grad()
            loss = trainer.loss()
            loss.backward()
            trainer.optimiser.step()
            losses.append(loss.detach())
        return [float(loss) for loss in losses]

    return train


def compiled(trainer: Trainer) -> Callable[[int], list[float]]:
    """Trains on the loss that `torch.compile` makes of it."""
    import torch

    return eager(trainer._replace(loss=torch.compile(trainer.loss)))


def mlp(params: Any, batch: Arrays, lr: float) -> Trainer:
    """Affine layers with relu between them, and softmax cross-entropy."""
    import torch

    x, labels = _data(batch)
    layers = [(_leaf(layer.w), _leaf(layer.b)) for layer in params.layers]

    def loss() -> Any:
        h = x
        for place, (w, b) in enumerate(layers):
            h = torch.addmm(b, h, w)
            h = torch.relu(h) if place < len(layers) - 1 else h
        return torch.nn.functional.cross_entropy(h, labels)

    return Trainer(loss, _adam([leaf for layer in layers for leaf in layer], lr))


def cnn(params: Any, batch: Arrays, lr: float) -> Trainer:
    """Convolutions that keep the size, each with max pooling and relu, then an affine layer; channels come second."""
    import torch

    x, labels = _data(batch)
    x = x.permute(0, 3, 1, 2).contiguous()
    kernels = [(_leaf(layer.w.transpose(3, 2, 0, 1)), _leaf(layer.b)) for layer in params.convolutions]
    channels = params.convolutions[-1].w.shape[-1]
    # Ours reads out pixels with their channels side by side.
    by_pixel = params.readout.w.reshape(-1, channels, params.readout.w.shape[1])
    w, b = _leaf(by_pixel.transpose(1, 0, 2).reshape(params.readout.w.shape)), _leaf(params.readout.b)

    def loss() -> Any:
        h = x
        for kernel, bias in kernels:
            h = torch.relu(torch.nn.functional.max_pool2d(torch.nn.functional.conv2d(h, kernel, bias, padding=1), 2))
        return torch.nn.functional.cross_entropy(torch.addmm(b, h.reshape(len(h), -1), w), labels)

    return Trainer(loss, _adam([leaf for layer in kernels for leaf in layer] + [w, b], lr))


def char_rnn(params: Any, batch: Arrays, lr: float) -> Trainer:
    """`torch.nn.RNN`, between a table and an affine layer."""
    import torch

    return _spelling(torch.nn.RNN, params, batch, lr)


def char_lstm(params: Any, batch: Arrays, lr: float) -> Trainer:
    """`torch.nn.LSTM`, whose gates stand in the order of ours, between a table and an affine layer."""
    import torch

    return _spelling(torch.nn.LSTM, params, batch, lr)


def _spelling(network: Any, params: Any, batch: Arrays, lr: float) -> Trainer:
    import torch

    ids, labels = _data(batch)
    table, w, b = _leaf(params.table), _leaf(params.readout.w), _leaf(params.readout.b)
    d_in, d_hidden = len(params.cell.w_x), len(params.cell.w_h)
    rnn = network(d_in, d_hidden, batch_first=True)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(_tensor(params.cell.w_x).T)
        rnn.weight_hh_l0.copy_(_tensor(params.cell.w_h).T)
        rnn.bias_ih_l0.copy_(_tensor(params.cell.b))
        rnn.bias_hh_l0.zero_()
    rnn.bias_hh_l0.requires_grad_(False)  # one bias, as ours

    def loss() -> Any:
        states = rnn(table[ids])[0]
        logits = torch.addmm(b, states.reshape(-1, d_hidden), w)
        return torch.nn.functional.cross_entropy(logits, labels.reshape(-1), ignore_index=IGNORED)

    return Trainer(loss, _adam([table, w, b, rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0], lr))


def attention(params: Any, batch: Arrays, lr: float) -> Trainer:
    """`scaled_dot_product_attention` between two projections, and half the squared error."""
    import torch

    x, target = _data(batch)
    w_qkv, w_out = _leaf(params.w_qkv), _leaf(params.w_out)
    d_model, _, heads, d_head = params.w_qkv.shape
    rows, seq, _ = x.shape

    def loss() -> Any:
        qkv = (x.reshape(-1, d_model) @ w_qkv.reshape(d_model, -1)).reshape(rows, seq, 3, heads, d_head)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        y = y.transpose(1, 2).reshape(rows * seq, -1) @ w_out.reshape(-1, d_model)
        return 0.5 * (y.reshape(target.shape) - target).square().sum() / rows

    return Trainer(loss, _adam([w_qkv, w_out], lr))


def heads(params: Any, batch: Arrays, lr: float) -> Trainer:
    """`scaled_dot_product_attention` alone, of queries, keys and values that are themselves what is learned."""
    import torch

    leaves, (target,) = [_leaf(array) for array in params], _data(batch)

    def loss() -> Any:
        y = torch.nn.functional.scaled_dot_product_attention(*leaves, is_causal=True)
        return 0.5 * (y - target).square().sum() / len(y)

    return Trainer(loss, _adam(leaves, lr))


def gpt(params: Any, batch: Arrays, lr: float) -> Trainer:
    """Blocks of `scaled_dot_product_attention` and a gelu network, between a table and the same table."""
    import torch
    from torch.nn.functional import cross_entropy, gelu, layer_norm, scaled_dot_product_attention

    ids, labels = _data(batch)
    ours = jax.tree.map(_leaf, params)
    rows, seq = ids.shape
    d_model, _, heads, d_head = params.blocks[0].attention.w_qkv.shape

    def norm(x: Any, own: Any) -> Any:
        return layer_norm(x, (d_model,), own.scale, own.bias, eps=EPSILON)

    def attended(x: Any, own: Any) -> Any:
        qkv = (x @ own.w_qkv.reshape(d_model, -1)).reshape(rows, seq, 3, heads, d_head).permute(2, 0, 3, 1, 4)
        y = scaled_dot_product_attention(*qkv, is_causal=True)
        return y.transpose(1, 2).reshape(rows * seq, -1) @ own.w_out.reshape(-1, d_model)

    def loss() -> Any:
        x = (ours.table[ids] + ours.positions[:seq]).reshape(-1, d_model)
        for own in ours.blocks:
            x = x + attended(norm(x, own.norm_attention), own.attention)
            hidden = torch.addmm(own.mlp.b_in, norm(x, own.norm_mlp), own.mlp.w_in)
            x = x + torch.addmm(own.mlp.b_out, gelu(hidden, approximate="tanh"), own.mlp.w_out)
        return cross_entropy(norm(x, ours.norm) @ ours.table.T, labels.reshape(-1), ignore_index=IGNORED)

    return Trainer(loss, _adam(jax.tree.leaves(ours), lr))


def cross_entropy(params: Any, batch: Arrays, lr: float) -> Trainer:
    """The loss alone, of logits that are themselves what is learned."""
    import torch

    logits, (labels,) = _leaf(params), _data(batch)
    return Trainer(lambda: torch.nn.functional.cross_entropy(logits, labels), _adam([logits], lr))


def _adam(leaves: Sequence[Any], lr: float) -> Any:
    import torch

    torch.set_num_threads(1)
    return torch.optim.Adam(leaves, lr=lr, fused=True)


def _data(batch: Arrays) -> list[Any]:
    return [_tensor(array) for array in batch]


def _leaf(array: jax.Array) -> Any:
    return _tensor(array).requires_grad_()


def _tensor(array: jax.Array) -> Any:
    import torch

    found = np.array(array)
    return torch.from_numpy(found.astype(np.int64) if np.issubdtype(found.dtype, np.integer) else found)
