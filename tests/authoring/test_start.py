"""Claims about a learner's copy of the course."""

import json
import subprocess
import sys

import pytest

from course.answers import MARKER, find_folder
from course.authoring import start as start_module
from course.authoring.notebook import notebook_text
from course.authoring.start import StartError, start
from course.grading import Submission
from tests.authoring.samples import made


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    """Two made notebooks, under the names of lessons; returns their paths, which a test may change."""
    text = notebook_text(made(tmp_path))
    places = [tmp_path / "made" / name for name in ("01_chain_rule.ipynb", "02_two_layer_network.ipynb")]
    places[0].parent.mkdir()
    for place in places:
        place.write_text(text)
    monkeypatch.setattr(start_module, "made_notebooks", lambda: list(places))
    return places


@pytest.mark.parametrize("files, suffix", [(False, ".ipynb"), (True, ".py")])
def test_it_makes_the_folder_with_a_file_a_lesson_and_its_marker(tmp_path, notebooks, files, suffix):
    folder = tmp_path / "deep" / "work"
    done = start(folder, files)
    assert done.made == (f"01_chain_rule{suffix}", f"02_two_layer_network{suffix}")
    assert (done.folder, done.kept) == (folder, ())
    assert sorted(place.name for place in folder.iterdir()) == sorted([MARKER, *done.made])
    assert find_folder(folder) == folder
    marker = json.loads((folder / MARKER).read_text())
    assert (marker["schema"], list(marker)) == (1, ["schema", "draw"])


def test_a_notebook_is_copied_byte_for_byte(tmp_path, notebooks):
    start(tmp_path / "work")
    assert (tmp_path / "work" / notebooks[0].name).read_bytes() == notebooks[0].read_bytes()


@pytest.mark.parametrize("files", [False, True])
def test_work_is_never_written_over_and_what_is_missing_is_added(tmp_path, notebooks, files):
    first = start(tmp_path / "work", files)
    mine = tmp_path / "work" / first.made[0]
    mine.write_text("mine")
    (tmp_path / "work" / MARKER).write_text('{"schema": 1, "exercises": {"a.b": {}}}')
    (tmp_path / "work" / first.made[1]).unlink()
    again = start(tmp_path / "work", files)
    assert (again.made, again.kept) == (first.made[1:], first.made[:1])
    assert mine.read_text() == "mine"
    assert "a.b" in (tmp_path / "work" / MARKER).read_text()


def test_a_lesson_whose_number_has_moved_is_kept_under_its_old_one(tmp_path, notebooks):
    start(tmp_path / "work")
    notebooks[1] = notebooks[1].rename(notebooks[1].with_name("03_two_layer_network.ipynb"))
    again = start(tmp_path / "work")
    assert again.kept == ("01_chain_rule.ipynb", "02_two_layer_network.ipynb")
    assert again.made == ()


def test_a_copy_reads_as_not_started(tmp_path, notebooks):
    del notebooks[1]
    start(tmp_path / "work")
    start(tmp_path / "work", files=True)
    submission = Submission.read(tmp_path / "work")
    assert submission.find(["bend_fwd", "bend_bwd"]).fault.kind == "not_started"


def test_a_folder_that_is_a_file_is_refused_in_a_sentence(tmp_path, notebooks):
    (tmp_path / "work").write_text("")
    with pytest.raises(StartError, match=r"work can't be written: "):
        start(tmp_path / "work")


def test_without_made_notebooks_it_says_how_they_are_made(tmp_path, notebooks):
    notebooks.clear()
    with pytest.raises(StartError, match=r"course\.authoring make"):
        start(tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_it_needs_neither_jax_nor_the_development_tools():
    program = "import sys, course.authoring.start; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"jax", "jaxlib", "numpy", "jupytext", "nbclient", "nbformat"} & set(done.stdout.split())
