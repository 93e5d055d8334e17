"""Claims about the demo whose network reads digits as pictures."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course.training.cnn import DEMO, SIDE, pictures
from course.training.data import digits
from course.training.pair import compare_on_network, find_pair


def test_a_picture_has_the_pixels_of_its_row_in_reading_order():
    images, labels = pictures().test
    rows, same = digits().test
    assert images.shape == (len(rows), SIDE, SIDE, 1)
    assert np.array_equal(images[5, 2, 3, 0], rows[5, 2 * SIDE + 3])
    assert np.array_equal(labels, same)


def test_the_pair_agrees_with_jax_on_this_network():
    comparison = compare_on_network(find_pair(DEMO), pictures())
    assert comparison.agrees
    assert [array.path for array in comparison.arrays][-1] == "params_bar.readout.b"


@pytest.mark.slow
def test_the_default_settings_reach_the_stated_accuracy(tmp_path):
    """In a process of its own: the suite compiles without optimising, under which a convolution takes ages."""
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    command = [sys.executable, "-c", "import sys; from course.cli import main; sys.exit(main())", "train", "cnn"]
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [*command, "--gradient", "hand"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    reached = re.search(r"test accuracy +([0-9.]+) %", done.stdout)
    assert reached
    assert DEMO.score.reached(float(reached[1]) / 100)
