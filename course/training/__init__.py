"""Training on real data: a demo is pure functions, its data and its settings; its hand-written pair is what is taught.

    data, gradients -> steps -> loop -> both -> results -> report
                              checkpoints, interrupt -> session

`DEMOS` says where each demo is, and imports none: the command line lists them without loading JAX.
"""

DEMOS = {
    "mlp": "course.training.mlp",
    "cnn": "course.training.cnn",
    "mnist": "course.training.mnist",
    "char-rnn": "course.training.char_rnn",
    "char-lstm": "course.training.char_lstm",
    "gpt": "course.training.gpt",
    "ode": "course.training.ode",
}
"""Each demo by the name it has on the command line, and the module whose `DEMO` it is."""


class TrainingError(Exception):
    """What keeps a run from beginning or going on: one sentence, for whoever asked for it."""
