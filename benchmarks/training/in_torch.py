"""The same models in PyTorch: the same parameters, loss and optimiser. Imports it only where it is asked for."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

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

    ids, labels = _data(batch)
    table, w, b = _leaf(params.table), _leaf(params.readout.w), _leaf(params.readout.b)
    d_in, d_hidden = params.cell.w_x.shape
    rnn = torch.nn.RNN(d_in, d_hidden, batch_first=True)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(_tensor(params.cell.w_x).T)
        rnn.weight_hh_l0.copy_(_tensor(params.cell.w_h).T)
        rnn.bias_ih_l0.copy_(_tensor(params.cell.b))
        rnn.bias_hh_l0.zero_()
    rnn.bias_hh_l0.requires_grad_(False)  # one bias, as ours

    def loss() -> Any:
        states = rnn(table[ids])[0]
        logits = torch.addmm(b, states.reshape(-1, d_hidden), w)
        return torch.nn.functional.cross_entropy(logits, labels.reshape(-1), ignore_index=-1)

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
