"""Compiling without optimising, for programs that run once or twice on small arrays, where optimising does not pay.

Imports no JAX. On JAX 0.10.1 a small program is compiled in a fifth of the time, and what JAX runs op by op in a third;
on 0.12 in two thirds.
"""

import os
from importlib.metadata import version

QUICK: dict[str, bool | int] = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Options of XLA for one program."""

if version("jaxlib") == "0.10.1":  # a later XLA may not know them, and ends the process where it does not
    QUICK |= {"xla_cpu_use_fusion_emitters": False, "xla_cpu_parallel_codegen_split_count": 1}


def compile_quickly() -> None:
    """Compiles all programs of this process so, also what JAX runs op by op. Call it before JAX runs anything.

    Never where a time is measured, and not where something is trained. What is in XLA_FLAGS already has the last word.
    """
    ours = " ".join(f"--{name}={str(value).lower()}" for name, value in QUICK.items())
    given = os.environ.get("XLA_FLAGS", "")
    if ours not in given:
        os.environ["XLA_FLAGS"] = f"{ours} {given}".strip()
