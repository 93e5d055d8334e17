"""One MLIR context for all programs of a process of the suite, or of the evidence.

JAX makes one a program, which takes 7 ms and is a fifth of what a test that judges does; a context only keeps each type
and constant once. JAX has no door to it, so this is for tests and evidence: what users run keeps JAX's way.
"""

import functools


def share_lowering_context() -> None:
    """Makes JAX lower every program of this process in one context."""
    from jax._src.interpreters import mlir

    mlir.make_ir_context = functools.cache(mlir.make_ir_context)
