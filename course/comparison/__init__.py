"""The instrument: is a hand-written derivative right, what is wrong with it, and what does it cost?

Works on anybody's functions. Its doors are `compare`, `compare_jvp` and `compare_rule` in `compare.py` and `as_jax` in
`install.py`; `course` has them all. They are not imported here, so that what needs no JAX (`faults`, `compile_cache`)
does not start it.
"""
