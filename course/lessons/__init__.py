"""The mathematics of the course: primal functions, and networks as parameter pytrees. One lesson a module.

`SYLLABUS` is the one table of lessons; the README, the site, the notebooks' numbers and `course next` come from it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """A row of the syllabus: `needs` are lessons that come before, `minutes` an estimate, `track` core or extra."""

    name: str
    title: str
    needs: tuple[str, ...]
    minutes: int
    track: str = "core"


SYLLABUS = (
    Lesson("chain_rule", "The chain rule, one number at a time", (), 45),
    Lesson("numerical_gradients", "Slopes from values alone, and when to trust them", ("chain_rule",), 60),
    Lesson("vector_chain_rule", "From numbers to arrays: a row times a Jacobian", ("chain_rule",), 75),
    Lesson("two_layer_network", "A whole network backward, every cotangent by name", ("vector_chain_rule",), 60),
    Lesson("parameter_trees", "Parameters as trees, and training as a loop", ("two_layer_network",), 75),
    Lesson("linear_and_activations", "Affine layers and activations as pairs", ("two_layer_network",), 60),
    Lesson("losses", "Losses that stay finite", ("linear_and_activations",), 60),
    Lesson("mlp", "A deep network from your own pairs", ("linear_and_activations", "losses"), 60),
    Lesson("reverse_mode", "How a program is differentiated: a tape, and a sweep over it", ("mlp",), 90),
    Lesson(
        "forward_mode", "Forward mode, and what a gradient costs without backpropagation", ("mlp", "reverse_mode"), 75
    ),
    Lesson("cost_of_backprop", "What a backward pass costs, in FLOPs and in memory", ("mlp", "forward_mode"), 60),
    Lesson("optimizers", "Optimisers, from gradient descent to AdamW", ("mlp", "cost_of_backprop"), 75),
    Lesson("vanishing_gradients", "Gradients that vanish on the way down, and how to start", ("optimizers",), 75),
    Lesson("normalization", "Normalisation: layers that keep their scale", ("vanishing_gradients",), 75),
    Lesson(
        "skip_connections",
        "Skip connections: a path without factors, and blocks dropped by a coin",
        ("vanishing_gradients", "normalization"),
        75,
    ),
    Lesson(
        "exploding_gradients",
        "Gradients that explode, and two ways to hold them",
        ("optimizers", "vanishing_gradients"),
        75,
    ),
    Lesson(
        "differentiable_programs",
        "The backward pass of a simulation, and of other programs",
        ("reverse_mode", "forward_mode", "optimizers"),
        90,
    ),
    Lesson("convolution", "Convolutions, whose backward pass is two convolutions", ("mlp", "cost_of_backprop"), 90),
    Lesson("pooling", "Pooling, and a whole network that sees", ("convolution",), 60),
    Lesson("recurrent", "Backpropagation through time", ("vanishing_gradients", "exploding_gradients"), 75),
    Lesson("lstm", "Gates, and a cell on which gradients travel far", ("recurrent", "skip_connections"), 60),
    Lesson(
        "embedding",
        "Embeddings: rows picked by number, and a table used twice",
        ("vector_chain_rule", "optimizers"),
        45,
    ),
    Lesson(
        "attention",
        "Attention: every token asks all the others",
        ("losses", "embedding"),
        90,
    ),
    Lesson(
        "transformer",
        "A transformer: a language model from your own pairs",
        ("normalization", "skip_connections", "embedding", "attention"),
        75,
    ),
    Lesson(
        "custom_rules",
        "Rules of your own: when a derivative is worth writing",
        ("losses", "forward_mode", "differentiable_programs"),
        75,
    ),
    Lesson(
        "checkpointing",
        "Checkpointing: save less, and compute it again",
        ("cost_of_backprop", "differentiable_programs"),
        75,
    ),
    Lesson(
        "flash_attention",
        "Attention in tiles: memory that grows with length, not with its square",
        ("attention", "cost_of_backprop"),
        90,
    ),
)


def lesson_named(name: str) -> Lesson:
    """Looks a lesson up in the syllabus.

    Raises:
        KeyError: No lesson has this name.
    """
    for lesson in SYLLABUS:
        if lesson.name == name:
            return lesson
    raise KeyError(name)
