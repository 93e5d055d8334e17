"""Claims about compiling without optimising: no option that XLA doesn't know, and a person's own flags win."""

import os

import jax
import jax.numpy as jnp

from course.quick_compile import QUICK, compile_quickly


def test_the_installed_xla_knows_every_option():
    assert jax.jit(lambda x: x + 1, compiler_options=QUICK)(jnp.zeros(3))[0] == 1


def test_flags_are_put_before_one_s_own_and_only_once(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=2")
    compile_quickly()
    compile_quickly()
    flags = os.environ["XLA_FLAGS"].split()
    assert len(flags) == len(QUICK) + 1
    assert flags[-1] == "--xla_backend_optimization_level=2"


def test_flags_are_spelled_as_xla_reads_them(monkeypatch):
    monkeypatch.delenv("XLA_FLAGS")
    compile_quickly()
    assert "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true" in os.environ["XLA_FLAGS"]
