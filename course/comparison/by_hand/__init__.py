"""By hand means by hand: whether an answer lets JAX do the differentiating, and by which route.

Three cheap layers, for an answer that runs in the process of whoever wrote it:

    reading     the source names a route, such as jax.vjp
    machinery   JAX's differentiation machinery refuses while the answer runs
    marks       the traced program carries the marks that differentiation leaves

They find the honest mistake and the idle cheat, and are advice: what runs in this process can undo them. Grades of
strangers come from a process of its own, in which differentiation is off before the first import of theirs.
"""
