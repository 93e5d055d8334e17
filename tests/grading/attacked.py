"""The exercise under attack, tanh(x w + b), and files that answer it: by cheating, or honestly in unlike styles."""

import base64
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from course.exercises.exercise import Exercise
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.task import Sitting
from course.grading.submission import Submission

HERE = Path(__file__).parent
ATTACKS = sorted(path.stem for path in (HERE / "attacks").glob("*.py"))
HONEST = sorted(path.stem for path in (HERE / "honest").glob("*.py"))
SHAPES = ((7, 5), (5, 3), (3,), (7, 3))
"""Of x, w, b and y: the sizes that are drawn when an answer is judged."""

PRELUDE = f"""
import jax.numpy as jnp

SHAPES = {SHAPES}


def layer(x, w, b):
    return jnp.tanh(x @ w + b)


def layer_fwd(x, w, b):
    return layer(x, w, b), (x, w, b)
"""


def layer(x, w, b):
    return jnp.tanh(x @ w + b)


LAYER = Exercise(
    name="attacked.layer",
    title="layer",
    task=PairTask(
        primal=layer,
        fwd="layer_fwd",
        bwd="layer_bwd",
        draw=lambda draw: (draw.normal("batch", "d_in"), draw.normal("d_in", "d_out"), draw.normal("d_out")),
        limits=Limits(),
        traceable=False,
    ),
    points=4,
    cost_points=1,
)


def source(name: str) -> str:
    """The whole text of an attack, or of an honest file, as a student would hand it in."""
    path = next(path for kind in ("attacks", "honest") if (path := HERE / kind / f"{name}.py").exists())
    text = path.read_text(encoding="utf-8")
    for dtype in ("float32", "float64"):
        place = f"@{dtype.upper()}@"
        text = text.replace(place, _exported(dtype)) if place in text else text
    return PRELUDE + text


def undefended(names: list[str]) -> None:
    """Prints how answers fare where nothing is refused, in this process."""
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            found = submission(Path(folder), name).find(LAYER.task.names)
            with found.at_home():
                status = found.fault.kind if found.fault else LAYER.task.judge(found.values, Sitting()).status.value
        print(name, status, flush=True)


def submission(folder: Path, name: str) -> Submission:
    """An attack, or an honest file, as a submission."""
    file = folder / "work.py"
    file.write_text(source(name), encoding="utf-8")
    return Submission.read(file)


def _exported(dtype: str) -> str:
    """The layer's derivative as an attacker exports it at home."""
    with jax.enable_x64(dtype == "float64"):
        *primals, y_bar = (np.ones(shape, dtype) for shape in SHAPES)
        program = export.export(jax.jit(lambda x, w, b, y_bar: jax.vjp(layer, x, w, b)[1](y_bar)))(*primals, y_bar)
    return base64.b64encode(program.serialize()).decode()
