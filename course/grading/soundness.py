"""Whether this JAX computes right on this machine: two known numbers, asked for once and remembered.

JAX 0.10.2 gives wrong sums on the CPU under `jit(vmap(...))`, without a message (jax-ml/jax#39103). For
f(row) = sum((I @ row)**2) over the rows (i, 0, 0), i < n, the last entry must be (n - 1)**2.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from course.compile_cache import cache_folder

EXPECTED = {"float64": (16385, 268435456.0), "float32": (32769, 1073741824.0)}
"""For each dtype, how many rows, and what the last entry must be."""

KNOWN_WRONG = ("0.10.2",)


class Unsound(Exception):
    """JAX computes wrongly here, so nothing is judged: what must hold, what came, what to do."""


@functools.cache
def require_sound_jax() -> None:
    """Asks for the two numbers, unless this JAX has given them on this machine before.

    Raises:
        Unsound: They are wrong, or this version is known for it.
    """
    if jax.__version__ in KNOWN_WRONG:
        raise Unsound(
            f"JAX {jax.__version__} gives wrong numbers on the CPU without a message (jax-ml/jax#39103), "
            'so nothing is judged with it: install another, as by `pip install "jax!=0.10.2"`.'
        )
    stamp = _stamp()
    if stamp.exists():
        return
    for dtype, (rows, right) in EXPECTED.items():
        came = last_square(rows, dtype)
        if came != right:
            raise Unsound(
                f"A known sum in {dtype} must be {right:.0f}, and JAX {jax.__version__} gives {came:.0f} here, "
                "so nothing is judged with it: install the version that constraints.txt names."
            )
    _remember(stamp)


def last_square(rows: int, dtype: str) -> float:
    """The square of the last row's length, computed the way that fails where JAX is at fault."""
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        table = np.zeros((rows, 3), dtype)
        table[:, 0] = np.arange(rows)
        identity = jnp.eye(3, dtype=dtype)
        squares = jax.jit(jax.vmap(lambda row: jnp.sum((identity @ row) ** 2)))(table)
        return float(squares[-1])


def _circumstances() -> dict[str, str]:
    return {"jax": jax.__version__, "python": platform.python_version(), "machine": " ".join(platform.uname()[:5:2])}


def _stamp() -> Path:
    """The file that stands where these circumstances were found sound."""
    name = hashlib.sha256(json.dumps(_circumstances()).encode()).hexdigest()[:12]
    return _folder() / f"sound-{name}.json"


def _folder() -> Path:
    return Path(getattr(jax.config, "jax_compilation_cache_dir", None) or cache_folder())


def _remember(stamp: Path) -> None:
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(json.dumps({**_circumstances(), **EXPECTED}, indent=2) + "\n", encoding="utf-8")
    except OSError:
        return  # it is asked again next time
