"""NumPy alone: right for numbers, where nothing is traced."""

import numpy as np


def layer_bwd(residuals, y_bar):
    x, w, b = map(np.asarray, residuals)
    z_bar = np.asarray(y_bar) * (1 - np.tanh(x @ w + b) ** 2)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
