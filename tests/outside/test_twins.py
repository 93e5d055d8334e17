"""That each pair has a twin in PyTorch is asked where there is no PyTorch, too."""

import ast
from pathlib import Path

from course.exercises import papers
from course.exercises.tasks.pair import PairTask


def twins():
    """The names in the table of tests/outside/test_torch.py, which can't be imported without torch."""
    tree = ast.parse(Path(__file__).with_name("test_torch.py").read_text(encoding="utf-8"))
    (table,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "IN_TORCH")
    return {key.value for key in table.keys}


def test_every_pair_of_the_course_is_held_against_torch():
    pairs = {exercise.name for paper in papers() for exercise in paper.exercises if isinstance(exercise.task, PairTask)}
    assert twins() == pairs
