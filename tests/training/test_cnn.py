"""Claims about the demo whose network reads digits as pictures."""

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
def test_the_default_settings_reach_the_stated_accuracy(default_score):
    assert DEMO.score.reached(default_score(DEMO))
