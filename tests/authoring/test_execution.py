"""Claims about the kernel that executes notebooks."""

import pytest

from course.authoring.execute import CellFailed, kernel


@pytest.fixture(scope="module")
def there():
    with kernel() as running:
        yield running


def one_cell(code):
    cell = {"cell_type": "code", "id": "a", "metadata": {"name": "here"}, "source": [code], "outputs": []}
    cells = [{**cell, "execution_count": None}]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_nothing_of_one_notebook_is_left_for_the_next(there):
    first = "import jax\njax.config.update('jax_enable_x64', True)\nleft = 1"
    second = "assert 'left' not in globals()\nimport jax\nassert not jax.config.jax_enable_x64"
    there.run(one_cell(first))
    there.run(one_cell(second))


def test_a_cell_that_raises_is_named(there):
    with pytest.raises(CellFailed, match='cell "here": ZeroDivisionError: division by zero'):
        there.run(one_cell("1 / 0"))


def test_a_kernel_that_dies_is_told_and_not_waited_for():
    with kernel() as short_lived, pytest.raises(CellFailed, match="the kernel died"):
        short_lived.run(one_cell("import os\nos._exit(1)"))
