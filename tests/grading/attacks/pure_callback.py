"""A host callback that differentiates."""

import jax
import numpy as np


def layer_bwd(residuals, y_bar):
    def there(p, y_bar):
        found = jax.vjp(layer, *jax.tree.map(jax.numpy.asarray, p))[1](jax.numpy.asarray(y_bar))
        return jax.tree.map(np.asarray, found)

    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), residuals)
    return jax.pure_callback(there, shapes, residuals, y_bar)
