"""The two numbers that a JAX must get right before anything is judged with it."""

import json

import pytest

from course.grading import soundness
from course.grading.soundness import EXPECTED, Unsound, last_square, require_sound_jax


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Asks as in a new process, with an empty cache folder."""
    monkeypatch.setattr(soundness, "_folder", lambda: tmp_path)

    def run():
        require_sound_jax.__wrapped__()
        return sorted(tmp_path.iterdir())

    return run


@pytest.mark.parametrize("dtype", EXPECTED)
def test_this_jax_gives_the_known_number(dtype):
    rows, right = EXPECTED[dtype]
    assert last_square(rows, dtype) == right == (rows - 1) ** 2


def test_it_is_remembered_with_the_numbers_and_not_computed_again(ask, monkeypatch):
    (stamp,) = ask()
    assert json.loads(stamp.read_text())["float64"] == [16385, 268435456.0]
    monkeypatch.setattr(soundness, "last_square", lambda *_: pytest.fail("computed again"))
    assert ask() == [stamp]


def test_another_jax_is_asked_anew(ask, monkeypatch):
    ask()
    monkeypatch.setattr("jax.__version__", "99.0")
    assert len(ask()) == 2


def test_a_wrong_number_is_refused_with_what_came_and_what_to_do(ask, monkeypatch):
    monkeypatch.setattr(soundness, "last_square", lambda rows, dtype: 266342400.0)
    with pytest.raises(Unsound, match=r"must be 268435456.*gives 266342400.*install"):
        ask()


def test_the_version_known_to_be_wrong_is_refused_by_its_number(ask, monkeypatch):
    monkeypatch.setattr("jax.__version__", "0.10.2")
    with pytest.raises(Unsound, match=r"jax-ml/jax#39103.*jax!=0.10.2"):
        ask()


def test_where_nothing_can_be_written_it_is_asked_each_time(ask, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(soundness, "_folder", lambda: tmp_path / "file")
    require_sound_jax.__wrapped__()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
