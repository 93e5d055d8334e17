"""Claims about training on several devices: a process of its own divides the CPU into four."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course.training import checkpoints

ROOT = Path(__file__).parents[2]

ON_FOUR = """
import json
import jax
import numpy as np
from course.compile_cache import use_compile_cache
use_compile_cache()
from course.training import TrainingError
from course.training.devices import by_hand_on, by_jax_on, make_mesh, simulate_devices
simulate_devices(4)
from course.training.demo import find_demo
from course.training.gradients import by_hand
from course.training.pair import find_pair
from course.training.plan import Request, make_plan
from course.training.steps import cast

def apart(ways, batch, params):
    loss, gradient = jax.jit(by_hand(*pair))(params, *batch)
    found = {}
    for name, way in ways.items():
        other_loss, other = jax.jit(way)(params, *batch)
        scale = max(np.abs(leaf).max() for leaf in jax.tree.leaves(gradient))
        off = jax.tree.map(lambda a, b: float(np.abs(np.asarray(a) - np.asarray(b)).max() / scale), gradient, other)
        devices = {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(other)}
        found[name] = [float(abs(other_loss / loss - 1)), max(jax.tree.leaves(off)), *devices]
    return found

jax.config.update("jax_enable_x64", True)
told, mesh = {}, make_mesh(4)
for name, rows in (("mlp", 64), ("ode", 8), ("char-rnn", 12)):
    demo = find_demo(name)
    pair = find_pair(demo).functions
    fwd, bwd = pair
    ways = {
        "by hand": by_hand_on(mesh, demo.counted, fwd, bwd),
        "in another form": by_hand_on(mesh, demo.counted, fwd, lambda residuals, bar: list(bwd(residuals, bar))),
        "by jax": by_jax_on(mesh, demo.loss),
    }
    batch = tuple(array[:rows] for array in cast(demo.read_data().train, "float64"))
    told[name] = apart(ways, batch, cast(demo.init(jax.random.key(0)), "float64"))
def refused(call, *given):
    try:
        call(*given)
    except TrainingError as error:
        return str(error)

told["refused"] = [refused(make_mesh, 5), refused(make_plan, Request("mlp", devices=3))]
print(json.dumps(told))
"""


def run(code, *arguments, **where):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
        **where,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_gradient_on_four_devices_is_that_on_one():
    told = json.loads(run(ON_FOUR).splitlines()[-1])
    too_many, uneven = told.pop("refused")
    assert too_many == "--devices must be at most 4, as many as JAX finds here; 5 came."
    assert uneven.endswith("so that each gets as many examples; 64 examples and 3 devices came.")
    for demo, ways in told.items():
        for way, (loss_off, gradient_off, devices) in ways.items():
            assert loss_off < 1e-14, (demo, way)
            assert gradient_off < 1e-13, (demo, way)
            assert devices == 4


TRAIN = "import sys; from course.cli import main; sys.exit(main())"
BY_HAND = ["train", "mlp", "--gradient", "hand"]


@pytest.mark.slow
def test_a_run_goes_on_on_another_number_of_devices_to_the_losses_of_one(tmp_path):
    said = run(TRAIN, *BY_HAND, "--devices", "4", "--steps", "27", cwd=tmp_path)
    assert said.startswith("On 4 devices, each a simulated CPU")
    run(TRAIN, *BY_HAND, "--devices", "2", "--steps", "54", "--resume", cwd=tmp_path)
    run(TRAIN, *BY_HAND, "--steps", "54", "--folder", "alone", cwd=tmp_path)
    shared, alone = (checkpoints.newest(tmp_path / name / "mlp-hand" / "checkpoints") for name in ("runs", "alone"))
    assert shared.step == alone.step == 54
    assert np.allclose(shared.histories["hand"]["losses"], alone.histories["hand"]["losses"], rtol=0, atol=1e-14)
