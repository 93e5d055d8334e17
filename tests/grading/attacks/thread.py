"""Differentiates in a thread of its own."""

import threading

import jax


def layer_bwd(residuals, y_bar):
    found = []

    def work():
        with jax.enable_x64(y_bar.dtype == "float64"):
            found.append(jax.vjp(layer, *residuals)[1](y_bar))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]
