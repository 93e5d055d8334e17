"""PyTorch's own autograd on every primal of the course: the answers, and the judge's oracle, agree with it.

An extra: `pip install handgrad[torch]`, or any PyTorch; skipped where there is none.
"""

import functools
import importlib
from functools import partial

import jax
import numpy as np
import pytest

from course.comparison.judging import judging, stream
from course.comparison.oracle import find_truth
from course.comparison.point import make_point
from course.comparison.precision import FLOAT64
from course.exercises import find_exercise
from course.exercises.tasks.drawing import Draw
from course.lessons.attention import SLOWEST
from course.lessons.convolution import GROUPS as CONV_GROUPS
from course.lessons.cost_of_backprop import ROUNDS
from course.lessons.custom_rules import LEVELS
from course.lessons.embedding import PADDING
from course.lessons.losses import IGNORED
from course.lessons.normalization import DECAY, EPSILON, GROUPS
from course.lessons.pooling import SIDE
from course.lessons.skip_connections import coins

torch = pytest.importorskip("torch")
functional = torch.nn.functional

SEEDS = (0, 1, 2)
TOLERANCE = 1e-11
"""Relative: both compute in float64."""


def dense(params, x):
    """A network of layers (w, b), w being d_in x d_out, with relu between them."""
    for place, (w, b) in enumerate(params):
        x = functional.linear(x if place == 0 else functional.relu(x), w.T, b)
    return x


def hidden_layers(params, x):
    for w, b in zip(*params, strict=True):
        x = functional.relu(functional.linear(x, w.T, b))
    return x


def deep_tanh(x, w):
    for weights in w:
        x = torch.tanh(torch.mm(x, weights))
    return x


def stacked_tanh(ws, x):
    return deep_tanh(x, ws)


def reversible_blocks(params, streams):
    left, right = streams
    for f, g in zip(*params, strict=True):
        left = left + torch.tanh(torch.mm(right, f))
        right = right + torch.tanh(torch.mm(left, g))
    return left, right


def recurrent(h, w, x):
    for row in x:
        h = torch.mm(h, w) + row
    return h


def drawn(key, rate, shape):
    """JAX draws: a key is its own, and PyTorch's numbers would be others."""
    return torch.tensor(np.asarray(coins(key, rate.item(), shape)))


def dropout(key, x, rate):
    return x * drawn(key, rate, x.shape) / (1 - rate)


def stochastic_depth(key, x, w, rate):
    return torch.addcdiv(x, functional.relu(x.mm(w)) * drawn(key, rate, (len(x), 1)), 1 - rate)


def clip_to_norm(g, max_norm):
    return g * torch.clamp(max_norm / torch.linalg.vector_norm(g), max=1)


def two_layer_loss(params, x, target):
    w1, b1, w2, b2 = params
    z2 = w2.mv(functional.relu(w1.mv(x) + b1)) + b2
    return functional.mse_loss(z2, target, reduction="sum") / 2


def nudged_loss(z2, w2, b2, a1, z1, w1, b1, params, x, target):
    a = functional.relu((params[0] + w1).mv(x) + params[1] + b1 + z1) + a1
    return functional.mse_loss((params[2] + w2).mv(a) + params[3] + b2 + z2, target, reduction="sum") / 2


def batch_loss(params, x, target):
    w1, b1, w2, b2 = params
    return functional.mse_loss(dense([(w1, b1), (w2, b2)], x), target, reduction="sum") / (2 * len(x))


def shared_layers(w, x):
    for _ in range(ROUNDS):
        x = torch.tanh(torch.mm(x, w))
    return x


def smoothed_cross_entropy(logits, labels, smoothing):
    """PyTorch's own takes the smoothing as a number that has no derivative."""
    of_any_class = functional.log_softmax(logits, 1).mean()
    return (1 - smoothing) * functional.cross_entropy(logits, labels) - smoothing * of_any_class


def batch_norm(x, scale, bias, running):
    """PyTorch moves its state in place, and by a variance divided by n - 1: here the state is moved beside it."""
    y = functional.batch_norm(x, None, None, scale, bias, training=True, eps=EPSILON)
    new = (x.mean(0), x.var(0, correction=0))
    moved = [DECAY * old + (1 - DECAY) * of_batch for old, of_batch in zip(running, new, strict=True)]
    return y, tuple(state.detach() for state in moved)


def batch_norm_evaluation(x, scale, bias, running):
    """PyTorch's own sends nothing back to its statistics."""
    return (x - running[0]) * (running[1] + EPSILON).rsqrt() * scale + bias


def channels_first(x, w):
    """Pictures and kernels as PyTorch lays them out, along one axis or two."""
    return x.movedim(-1, 1), w.movedim((-1, -2), (0, 1))


def conv_1d(x, w, groups=1):
    return functional.conv1d(*channels_first(x, w), groups=groups).movedim(1, -1)


def conv_2d(x, w, b, window):
    (up, down), (left, right) = window.padding
    x, w = channels_first(functional.pad(x, (0, 0, left, right, up, down)), w)
    return functional.conv2d(x, w, b, window.stride, dilation=window.dilation).movedim(1, -1)


def cnn_loss(params, x, labels):
    convolutions, (w, b) = params
    for kernel, bias in convolutions:
        z = functional.conv2d(*channels_first(x, kernel), bias, padding="same")
        x = functional.relu(functional.max_pool2d(z, SIDE)).movedim(1, -1)
    return functional.cross_entropy(x.flatten(1).mm(w) + b, labels)


def transposed_conv_1d(x, w, window):
    """PyTorch cuts as much off both ends; here each end is cut for itself."""
    x, w = channels_first(x, w)
    y = functional.conv_transpose1d(x, w, None, window.stride, dilation=window.dilation).movedim(1, -1)
    ((before, after),) = window.padding
    return y[:, before : y.shape[1] - after]


def growth(state, rates):
    (hares, lynxes), meetings = state, torch.prod(state)
    return torch.stack([rates[0] * hares - rates[1] * meetings, rates[2] * meetings - rates[3] * lynxes])


def rk4_step(state, rates, dt):
    k1 = growth(state, rates)
    k2 = growth(torch.addcmul(state, dt / 2, k1), rates)
    k3 = growth(torch.addcmul(state, dt / 2, k2), rates)
    k4 = growth(torch.addcmul(state, dt, k3), rates)
    return state + dt * torch.mv(torch.stack([k1, k2, k3, k4], dim=1), torch.tensor([1.0, 2, 2, 1]).to(dt)) / 6


def simulate(start, rates, dts):
    states = [start]
    for dt in dts:
        states.append(rk4_step(states[-1], rates, dt))
    return torch.stack(states[1:])


def by_torch_s_names(params):
    """Its cell multiplies from the other side, and has two biases."""
    return params.w_x.T, params.w_h.T, params.b, torch.zeros_like(params.b)


def rnn(params, h, x):
    """PyTorch's own layer over sequences, batch first."""
    return torch.rnn_tanh(x, h[None], by_torch_s_names(params), True, 1, 0.0, False, False, True)[0]


def last_state(params, h, x, lengths):
    ends = [
        rnn(params, start[None], row[None, :length])[0, -1] for start, row, length in zip(h, x, lengths, strict=True)
    ]
    return torch.stack(ends)


def char_rnn_loss(params, ids, labels):
    states = rnn(
        params.cell, torch.zeros(len(ids), len(params.cell.b)).to(params.table), functional.embedding(ids, params.table)
    )
    logits = functional.linear(states, params.readout.w.T, params.readout.b)
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


def lstm_step(params, state, x):
    weights = by_torch_s_names(params)
    return torch.lstm_cell(x, state, *weights)


def lstm(params, state, x):
    """PyTorch's own layer over sequences, whose gates stand in the same order."""
    return torch.lstm(x, [part[None] for part in state], by_torch_s_names(params), True, 1, 0.0, False, False, True)[0]


def embed_padded(table, ids):
    """PyTorch's own reads the row of the padding, and only keeps its gradient away; here a zero stands in its place."""
    rows = functional.embedding(ids, table, padding_idx=PADDING)
    return rows.masked_fill((ids == PADDING)[..., None], 0)


def self_attention(params, x):
    q, k, v = torch.tensordot(x, params[0], dims=1).permute(2, 0, 3, 1, 4)
    y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return torch.tensordot(y.transpose(1, 2), params[1], dims=2)


def in_tiles(q, k, v, **how):
    """PyTorch's own attention, of keys and values whose tiles stand in a row."""
    return functional.scaled_dot_product_attention(q, k.flatten(0, 1), v.flatten(0, 1), **how)


def feed_forward(params, x):
    hidden = functional.gelu(functional.linear(x, params.w_in.T, params.b_in), approximate="tanh")
    return functional.linear(hidden, params.w_out.T, params.b_out)


def transformer_block(params, x):
    h = x + self_attention(params.attention, functional.layer_norm(x, x.shape[-1:], *params.norm_attention))
    return h + feed_forward(params.mlp, functional.layer_norm(h, x.shape[-1:], *params.norm_mlp))


def gpt_loss(params, ids, labels):
    x = functional.embedding(ids, params.table) + params.positions[: ids.shape[1]]
    x = functools.reduce(lambda h, own: transformer_block(own, h), params.blocks, x)
    logits = functional.linear(functional.layer_norm(x, x.shape[-1:], *params.norm), params.table)
    return functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


def rotary(x):
    first, second = x.chunk(2, 1)
    rates = SLOWEST ** (-torch.arange(first.shape[1]).to(x) / first.shape[1])
    turn = torch.outer(torch.arange(len(x)).to(x), rates)
    pairs = torch.complex(first, second) * torch.polar(torch.ones_like(turn), turn)
    return torch.cat([pairs.real, pairs.imag], 1)


def fake_quantize(x, step):
    on_grid = torch.where(x.abs() <= LEVELS * step, x / step, LEVELS * x.sign())
    return step * (on_grid + (on_grid.round() - on_grid).detach())


IN_TORCH = {
    "chain_rule.square": torch.square,
    "chain_rule.sine_of_square": lambda x: torch.sin(torch.square(x)),
    "chain_rule.neuron_loss": lambda w, b, x, target: (torch.sigmoid(w * x + b) - target).square() / 2,
    "chain_rule.swish": functional.silu,
    "chain_rule.forked": lambda x, w: (x + w * x) / (1 + (w * x).square()),
    "vector_chain_rule.matvec": torch.mv,
    "vector_chain_rule.add_row": torch.add,
    "vector_chain_rule.row_sums": lambda x: x.sum(1, keepdim=True),
    "vector_chain_rule.repeat_each": lambda x: torch.repeat_interleave(x, 3),
    "vector_chain_rule.gather": lambda table, ids: functional.embedding(ids, table),
    "vector_chain_rule.turn": torch.rot90,
    "vector_chain_rule.shares": lambda amounts, prices: functional.normalize(amounts * prices, p=1, dim=1),
    "two_layer_network.cotangents": nudged_loss,
    "two_layer_network.pair": two_layer_loss,
    "two_layer_network.batch": batch_loss,
    "parameter_trees.line": lambda line, x, target: functional.mse_loss(line.slope * x + line.bias, target) / 2,
    "linear_and_activations.affine": lambda x, w, b: functional.linear(x, w.T, b),
    "linear_and_activations.relu": functional.relu,
    "linear_and_activations.sigmoid": torch.sigmoid,
    "linear_and_activations.tanh": torch.tanh,
    "linear_and_activations.softplus": functional.softplus,
    "linear_and_activations.silu": functional.silu,
    "linear_and_activations.gelu": functional.gelu,
    "linear_and_activations.gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "losses.half_squared_error": lambda p, t: functional.mse_loss(p, t, reduction="sum") / (2 * len(p)),
    "losses.binary_cross_entropy": functional.binary_cross_entropy_with_logits,
    "losses.softmax_cross_entropy": functional.cross_entropy,
    "losses.smoothed_cross_entropy": smoothed_cross_entropy,
    "losses.masked_cross_entropy": partial(functional.cross_entropy, ignore_index=IGNORED),
    "normalization.centre": lambda x: x - x.mean(-1, keepdim=True),
    "normalization.reciprocal_std": lambda x: (x.square().mean(-1, keepdim=True) + EPSILON).rsqrt(),
    "normalization.layer_norm_in_steps": lambda x, scale, bias: functional.layer_norm(x, scale.shape, scale, bias),
    "normalization.layer_norm": lambda x, scale, bias: functional.layer_norm(x, scale.shape, scale, bias),
    "normalization.rms_norm": lambda x, scale: functional.rms_norm(x, scale.shape, scale, EPSILON),
    "normalization.batch_norm": batch_norm,
    "normalization.batch_norm_evaluation": batch_norm_evaluation,
    "normalization.group_norm": lambda x, scale, bias: functional.group_norm(x, GROUPS, scale, bias),
    "skip_connections.skip_block": lambda x, w: x + functional.relu(x.mm(w)),
    "skip_connections.skip_stack": lambda x, w: functools.reduce(lambda h, ws: h + functional.relu(h.mm(ws)), w, x),
    "skip_connections.pre_norm_block": lambda x, scale, w: (
        x + functional.relu(functional.rms_norm(x, scale.shape, scale, EPSILON).mm(w))
    ),
    "skip_connections.post_norm_block": lambda x, scale, w: functional.rms_norm(
        x + functional.relu(x.mm(w)), scale.shape, scale, EPSILON
    ),
    "skip_connections.dropout": dropout,
    "skip_connections.stochastic_depth": stochastic_depth,
    "mlp.mlp": lambda params, x: dense(params[0], x),
    "mlp.hidden_layers": hidden_layers,
    "mlp.mlp_loss": lambda params, x, labels: functional.cross_entropy(dense(params[0], x), labels),
    "vanishing_gradients.deep_tanh": deep_tanh,
    "exploding_gradients.recurrent": recurrent,
    "exploding_gradients.clip_to_norm": clip_to_norm,
    "cost_of_backprop.shared_layers": shared_layers,
    "differentiable_programs.euler_step": lambda state, rates, dt: torch.addcmul(state, dt, growth(state, rates)),
    "differentiable_programs.rk4_step": rk4_step,
    "differentiable_programs.simulate": simulate,
    "convolution.slide": lambda x, w: functional.conv1d(x[None, None], w[None, None])[0, 0],
    "convolution.conv_1d": conv_1d,
    "convolution.conv_2d": conv_2d,
    "convolution.transposed_conv_1d": transposed_conv_1d,
    "convolution.grouped_conv_1d": partial(conv_1d, groups=CONV_GROUPS),
    "pooling.average_pool": lambda x: functional.avg_pool2d(x.movedim(-1, 1), SIDE).movedim(1, -1),
    "pooling.max_pool": lambda x: functional.max_pool2d(x.movedim(-1, 1), SIDE).movedim(1, -1),
    "pooling.overlapping_max_pool": lambda x, pool: functional.max_pool2d(
        x.movedim(-1, 1), pool.size, pool.stride
    ).movedim(1, -1),
    "pooling.cnn_loss": cnn_loss,
    "embedding.embed": lambda table, positions, ids: (
        functional.embedding(ids, table) + functional.embedding(torch.arange(ids.shape[1]), positions)
    ),
    "embedding.embed_padded": embed_padded,
    "embedding.readout": functional.linear,
    "embedding.tied_model": lambda table, w, ids: functional.linear(functional.embedding(ids, table).matmul(w), table),
    "attention.softmax": lambda scores: functional.softmax(scores, 1),
    "attention.attend": lambda q, k, v, mask: functional.scaled_dot_product_attention(q, k, v, mask.bool()),
    "attention.self_attention": self_attention,
    "attention.rotary": rotary,
    "flash_attention.attend_tile": lambda q, k, v, mask: functional.scaled_dot_product_attention(q, k, v, mask.bool()),
    "flash_attention.attend_all": in_tiles,
    "flash_attention.causal_attend": lambda q, k, v: in_tiles(q.flatten(0, 1), k, v, is_causal=True).reshape(q.shape),
    "flash_attention.multi_query": in_tiles,
    "differentiable_programs.least_squares": lambda a, b: torch.linalg.lstsq(a, b[:, None]).solution[:, 0],
    "recurrent.rnn_step": lambda params, h, x: torch.rnn_tanh_cell(x, h, *by_torch_s_names(params)),
    "recurrent.rnn": rnn,
    "recurrent.last_state": last_state,
    "recurrent.char_rnn_loss": char_rnn_loss,
    "checkpointing.separate_layers": stacked_tanh,
    "checkpointing.segmented_layers": lambda ws, x: stacked_tanh(ws.flatten(0, 1), x),
    "checkpointing.halved_layers": stacked_tanh,
    "checkpointing.reversible_blocks": reversible_blocks,
    "lstm.lstm_step": lstm_step,
    "lstm.lstm": lstm,
    "transformer.feed_forward": feed_forward,
    "transformer.block": transformer_block,
    "transformer.gpt_loss": gpt_loss,
    "lstm.gru_step": lambda params, h, x: torch.gru_cell(x, h, *by_torch_s_names(params)),
    "custom_rules.fused_cross_entropy": functional.cross_entropy,
    "custom_rules.fake_quantize": fake_quantize,
    "custom_rules.projected_cross_entropy": lambda h, w, labels: functional.cross_entropy(torch.mm(h, w), labels),
}


def as_tensor(leaf):
    """A tensor that moves where the array is floating; a key stays what it is."""
    if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return leaf
    tensor = torch.tensor(np.asarray(leaf))
    return tensor.requires_grad_() if tensor.is_floating_point() else tensor.to(torch.int64)


def by_torch(primal, point, y_bar):
    """All arrays of the value and the cotangents of all floating arrays by PyTorch; a state sends nothing back."""
    leaves, treedef = jax.tree.flatten(point.primals)
    tensors = [as_tensor(leaf) for leaf in leaves]
    y = jax.tree.leaves(primal(*jax.tree.unflatten(treedef, tensors)))
    bars = [torch.tensor(np.asarray(bar)) for bar in jax.tree.leaves(y_bar)]
    sent = [(output, bar) for output, bar in zip(y, bars, strict=True) if output.requires_grad]
    moving = [tensor for tensor in tensors if getattr(tensor, "requires_grad", False)]
    outputs, handed = zip(*sent, strict=True)
    grads = torch.autograd.grad(outputs, moving, handed, materialize_grads=True)
    return [output.detach().numpy() for output in y], [grad.numpy() for grad in grads]


def near(found, right):
    return np.shape(found) == right.shape and np.linalg.norm(np.asarray(found) - right) <= TOLERANCE * (
        np.linalg.norm(right) or 1.0
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", IN_TORCH)
def test_torch_gives_the_value_and_the_cotangents(name, seed):
    task = find_exercise(name).task
    answers = importlib.import_module(f"solutions.{name.partition('.')[0]}")
    with judging():
        point = make_point(task.primal, task.draw(Draw(seed))).cast(np.float64)
        truth = find_truth(point, FLOAT64, stream(seed))
        y, cotangents = by_torch(IN_TORCH[name], point, truth.y_bar)
        assert all(map(near, jax.tree.leaves(truth.y), y))
        assert len(truth.reverse) == len(cotangents)
        assert all(map(near, truth.reverse, cotangents))
        fwd = task.given or getattr(answers, task.fwd)
        by_hand = jax.tree.leaves(getattr(answers, task.bwd)(fwd(*point.primals)[1], truth.y_bar))
        others = iter(cotangents)  # in the same order; of data that was left out by hand torch has one, too
        assert all(any(near(array, other) for other in others) for array in by_hand)
