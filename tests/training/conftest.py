"""A small demo, quick to compile: the digits, a network of one hidden layer of twelve."""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course.lessons.mlp import init_mlp
from course.training.demo import Settings
from course.training.gradients import by_hand, by_jax
from course.training.loop import Training
from course.training.mlp import DEMO
from course.training.pair import find_pair
from course.training.results import HAND, JAX


@pytest.fixture(scope="session")
def demo():
    settings = Settings(steps=40, batch=64, lr=3e-3, dtype="float64")
    return dataclasses.replace(DEMO, init=lambda key: init_mlp(key, (64, 12, 10)), settings=settings)


@pytest.fixture(scope="session")
def splits():
    return DEMO.read_data()


@pytest.fixture(scope="session")
def solution():
    """The course's own pair, as (fwd, bwd)."""
    return find_pair(DEMO).functions


@pytest.fixture(scope="session")
def trainings(demo, splits, solution):
    """Makes a training of the small demo; those of the same settings share their compiled programs."""
    gradients = {HAND: by_hand(*solution), JAX: by_jax(demo.loss)}
    made = {}

    def make(names=(HAND, JAX), **settings):
        key = (tuple(names), *sorted(settings.items()))
        if key not in made:
            changed = dataclasses.replace(demo.settings, **settings)
            made[key] = Training(demo, changed, {name: gradients[name] for name in names}, splits)
        return made[key]

    return make


def to_the_end(training, run):
    while run.step < training.settings.steps:
        run = training.advance(run)
    return run


@pytest.fixture(scope="session", name="to_the_end")
def _to_the_end():
    """Trains to the last step."""
    return to_the_end


@pytest.fixture
def default_score(tmp_path):
    """Trains a demo by hand with its default settings, and reads its score on the test data.

    In a process of its own: the suite compiles without optimising, by which training takes ages.
    """

    def run(demo):
        environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "JAX_PLATFORMS": "cpu"}
        code = "import sys; from course.cli import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code, "train", demo.name, "--gradient", "hand"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        told = re.search(rf"test {demo.score.scale.name} +([0-9.]+) ", done.stdout)
        assert told, done.stdout
        return float(told[1]) / demo.score.scale.units

    return run
