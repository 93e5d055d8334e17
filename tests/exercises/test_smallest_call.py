"""The smallest counterexample of a function: whatever an exercise draws, a mistake's is true or there is none."""

import numpy as np
import pytest

from course.exercises import select
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.smallest_call import smallest_call
from course.show import arrays

TASKS = {e.name: e.task for e in select() if isinstance(e.task, FunctionTask) and e.task.mistakes}


@pytest.mark.parametrize("name", TASKS)
def test_a_mistake_s_example_shows_two_different_values(name):
    task = TASKS[name]
    example = smallest_call(task.reference, task.draw, task.mistakes[0].primal, 0, task.returns)
    if example is None:
        return
    ((path, yours),) = example.yours.items()
    assert not np.array_equal(yours, example.right[path])
    assert all(len(line) < 80 for line in arrays.named(example.inputs))
