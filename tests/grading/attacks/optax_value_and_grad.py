"""Optax's `value_and_grad_from_state`."""

import optax


def layer_bwd(residuals, y_bar):
    def weighed(p):
        return (layer(*p) * y_bar).sum()

    state = optax.lbfgs().init(residuals)
    return optax.value_and_grad_from_state(weighed)(residuals, state=state)[1]
