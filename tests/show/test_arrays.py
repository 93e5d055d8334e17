"""Claims about arrays in one line."""

import numpy as np
import pytest

from course.show import arrays


def test_whole_numbers_have_no_dot_and_rows_follow_each_other() -> None:
    values = {"x": np.array([[1.0, 2.0]]), "w": np.array([[3], [-1]]), "y_bar": 1.0}
    assert "  ".join(arrays.named(values)) == "x=[[1 2]]  w=[[3][-1]]  y_bar=1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.3333"),
        (-0.0, "0"),
        (12345.678, "1.235e+04"),
        (1e-17, "1e-17"),
        (1e30, "1e+30"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (True, "True"),
        (np.float32(0.5), "0.5"),
        (None, "None"),
        (np.zeros((0, 3)), "[] of shape (0, 3)"),
        (np.array([[[1, 2]], [[3, 4]]]), "[[[1 2]][[3 4]]]"),
        (np.arange(120).reshape(3, 40), "[0 1 2 3 …] of shape (3, 40)"),
    ],
)
def test_an_array_reads_as_on_paper(value: object, text: str) -> None:
    assert arrays.array(value) == text


def test_two_numbers_that_differ_late_get_digits_until_they_differ() -> None:
    assert arrays.apart(1 / 3, 1 / 3 + 1e-7) == ("0.3333333", "0.3333334")
    assert arrays.apart(0.5, 0.5) == ("0.5", "0.5")


def test_an_array_that_only_one_side_has_is_shown_on_that_side() -> None:
    assert arrays.named_apart({"x_bar": 1.0}, {"x_bar": 2.0, "w_bar": 3.0}) == (
        ["x_bar=1"],
        ["x_bar=2", "w_bar=3"],
    )
