"""A class of answers to `affine`: right in several styles, wrong, broken and hostile, mixed by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

RIGHT = '''\
"""My answer to affine."""

import os
import signal

import jax
import jax.numpy as jnp


def affine_fwd(x, w, b):
    return x @ w + b, (x, w)


def affine_bwd(residuals, y_bar):
    x, w = residuals
    return y_bar @ w.T, x.T @ y_bar, y_bar.sum(axis=0)
'''
OPENING = "    x, w = residuals\n"


def _edited(old: str, new: str) -> str:
    assert old in RIGHT
    return RIGHT.replace(old, new)


def _first(*lines: str) -> str:
    """The right answer after other statements."""
    return _edited(OPENING, "".join(f"    {line}\n" for line in lines) + OPENING)


KINDS: dict[str, tuple[int, dict[str, str]]] = {
    "right": (
        60,
        {
            "plain": RIGHT,
            "einsum": _edited("x.T @ y_bar", 'jnp.einsum("ni,nj->ij", x, y_bar)'),
            "by row": _edited("x.T @ y_bar", "jax.vmap(jnp.outer)(x, y_bar).sum(axis=0)"),
            "list": _edited(
                "return y_bar @ w.T, x.T @ y_bar, y_bar.sum(axis=0)",
                "return [y_bar @ w.T, x.T @ y_bar, jnp.ones(len(x)) @ y_bar]",
            ),
        },
    ),
    "wrong": (
        20,
        {
            "transposed": _edited("x.T @ y_bar", "y_bar.T @ x"),
            "mean": _edited("y_bar.sum(axis=0)", "y_bar.mean(axis=0)"),
            "first row": _edited("y_bar.sum(axis=0)", "y_bar[0]"),
            "ones": _edited("x.T @ y_bar", "x.T @ jnp.ones_like(y_bar)"),
            "sign": _edited("y_bar @ w.T", "-y_bar @ w.T"),
            "forward": _edited("x @ w + b", "x @ w - b"),
        },
    ),
    "broken": (
        10,
        {
            "unknown name": _edited("x.T @ y_bar", "q.T @ y_bar"),
            "syntax": _edited("return x @ w", "return return x @ w"),
            "not written": _edited("    return x @ w + b, (x, w)\n", "    raise NotImplementedError\n"),
            "shapes": _edited("x.T @ y_bar", "x @ y_bar"),
        },
    ),
    "hostile": (
        10,
        {
            "jax.vjp": _first("return jax.vjp(lambda x, w, b: x @ w + b, *residuals, jnp.zeros(w.shape[1]))[1](y_bar)"),
            "solutions": _first("from solutions.linear_and_activations import affine_bwd as theirs"),
            "leaves": _first("os._exit(0)"),
            "kills": _first("os.kill(os.getppid(), signal.SIGKILL)"),
            "memory": _first("hoard = bytearray(10**11)"),
            "output": _first("while True: print('x' * 10**6)"),
            "processes": _first("while True: os.fork()"),
            "deletes": _first("import shutil; shutil.rmtree('/')"),
            "endless": _first("while True: pass"),
        },
    ),
}
"""For each kind its share of a class in percent, and its answers by name."""


def write_class(folder: Path, size: int, seed: int = 0) -> None:
    """Writes a class: one file a student, whose name tells its kind."""
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    for number, (kind, name) in enumerate(_drawn(rng, size)):
        student = f"{number:03}_{kind}_{name.replace(' ', '_').replace('.', '_')}"
        (folder / f"{student}.py").write_text(KINDS[kind][1][name] + f"\n# {student}\n", encoding="utf-8")


def _drawn(rng: random.Random, size: int) -> Iterator[tuple[str, str]]:
    kinds = [kind for kind, (share, _) in KINDS.items() for _ in range(size * share // 100)]
    rng.shuffle(kinds)
    yield from ((kind, rng.choice(list(KINDS[kind][1]))) for kind in kinds)
