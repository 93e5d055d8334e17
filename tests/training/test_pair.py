"""Claims about whose pair is trained on."""

import json

import pytest

import course
from course.answers import MARKER
from course.training import pair as pairs
from course.training.mlp import DEMO
from course.training.pair import NoPair, find_pair

PAIR = """
def mlp_loss_fwd(params, x, labels):
    return 0.0, None


def mlp_loss_bwd(residuals, loss_bar):
    return None, None, None
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A learner's folder, and we are in it."""
    place = tmp_path / "work"
    place.mkdir()
    (place / MARKER).write_text(json.dumps({}), encoding="utf-8")
    monkeypatch.chdir(place)
    return place


def test_in_a_checkout_it_is_the_courses_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pair = find_pair(DEMO)
    assert not pair.theirs
    assert pair.functions[1].__module__ != pairs.__name__


def test_in_a_learners_folder_it_is_theirs(folder):
    (folder / "mlp.py").write_text(PAIR, encoding="utf-8")
    pair = find_pair(DEMO)
    assert pair.theirs
    assert pair.path == "work"
    assert pair.functions[0](None, None, None) == (0.0, None)


def test_a_path_goes_before_the_learners_folder(folder, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(PAIR, encoding="utf-8")
    assert find_pair(DEMO, str(other)).path == str(other)


def test_a_pair_that_is_not_written_yet_is_said_in_one_sentence(folder):
    stub = PAIR.replace("return 0.0, None", "raise NotImplementedError").replace(
        "return None, None, None", "raise NotImplementedError"
    )
    (folder / "mlp.py").write_text(stub, encoding="utf-8")
    with pytest.raises(NoPair, match="mlp_loss_fwd and mlp_loss_bwd in work are not written yet"):
        find_pair(DEMO)


def test_a_pair_with_a_syntax_error_is_said_with_its_line(tmp_path):
    file = tmp_path / "mlp.py"
    file.write_text(PAIR + "\nx = (1,\n", encoding="utf-8")
    with pytest.raises(NoPair, match="line"):
        find_pair(DEMO, str(file))


def test_an_installed_package_says_that_it_has_no_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(course, "__file__", str(tmp_path / "site-packages" / "course" / "__init__.py"))
    with pytest.raises(NoPair, match="not part of an installed package"):
        find_pair(DEMO)
