"""Claims about checkpoints: what comes back is what was there, whatever happened in between."""

import jax
import numpy as np
import pytest

from course.training import checkpoints
from course.training.checkpoints import CheckpointError, Origin
from course.training.results import HAND, JAX


@pytest.fixture
def origin(demo):
    return Origin("mlp", "both", demo.settings, "work", "0123")


def train_until(training, run, step):
    while run.step < step:
        run = training.advance(run)
    return run


def save(folder, run, origin):
    with checkpoints.opened(folder) as manager:
        checkpoints.save(manager, run, origin)


def assert_same(one, other):
    """Bit for bit, times aside."""
    assert one.step == other.step
    for name, track in one.tracks.items():
        assert track.losses == other.tracks[name].losses
        assert track.scores == other.tracks[name].scores
        leaves = zip(jax.tree.leaves(track.state), jax.tree.leaves(other.tracks[name].state), strict=True)
        assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in leaves)


@pytest.fixture(scope="module")
def uninterrupted(trainings, to_the_end):
    return to_the_end(trainings(), trainings().start())


@pytest.mark.parametrize("stop", [18, 36])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(
    trainings, to_the_end, uninterrupted, origin, tmp_path, stop
):
    training = trainings()
    save(tmp_path, train_until(training, training.start(), stop), origin)
    saved = checkpoints.newest(tmp_path)
    assert saved.step == stop
    assert_same(to_the_end(training, checkpoints.load(tmp_path, saved, training)), uninterrupted)


def test_a_run_that_is_made_longer_is_the_long_run_bit_for_bit(trainings, to_the_end, uninterrupted, origin, tmp_path):
    short = trainings(steps=25)
    save(tmp_path, to_the_end(short, short.start()), origin)
    run = checkpoints.load(tmp_path, checkpoints.newest(tmp_path), trainings())
    assert_same(to_the_end(trainings(), run), uninterrupted)


def test_a_checkpoint_knows_what_its_run_was_told(trainings, origin, tmp_path):
    save(tmp_path, train_until(trainings(), trainings().start(), 18), origin)
    saved = checkpoints.newest(tmp_path)
    assert saved.origin == origin
    assert not saved.finished


def test_the_last_few_checkpoints_are_kept(trainings, origin, tmp_path):
    training = trainings([JAX])
    run = training.start()
    while run.step < 40:
        run = training.advance(run)
        save(tmp_path, run, origin)
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == [36, 40]


def test_a_half_written_checkpoint_is_not_seen_and_is_gone_after_the_next_one(trainings, origin, tmp_path):
    run = train_until(trainings([JAX]), trainings([JAX]).start(), 18)
    save(tmp_path, run, origin)
    half = tmp_path / "36.orbax-checkpoint-tmp"
    (half / "states").mkdir(parents=True)
    assert checkpoints.newest(tmp_path).step == 18
    save(tmp_path, train_until(trainings([JAX]), run, 36), origin)
    assert not half.exists()
    assert checkpoints.newest(tmp_path).step == 36


def test_a_damaged_checkpoint_is_one_sentence_with_a_way_out(trainings, origin, tmp_path):
    save(tmp_path, train_until(trainings([JAX]), trainings([JAX]).start(), 18), origin)
    for file in (tmp_path / "18" / "states").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    saved = checkpoints.newest(tmp_path)
    with pytest.raises(CheckpointError, match=r"step 18 in .* can't be read \(.*--fresh"):
        checkpoints.load(tmp_path, saved, trainings([JAX]))


def test_where_nothing_was_saved_there_is_no_checkpoint(tmp_path):
    assert checkpoints.newest(tmp_path / "nowhere") is None
    assert checkpoints.newest(tmp_path) is None


def test_an_old_checkpoint_of_another_network_is_refused_in_a_sentence(trainings, origin, tmp_path):
    save(tmp_path, train_until(trainings([JAX]), trainings([JAX]).start(), 18), origin)
    with pytest.raises(CheckpointError, match="can't be read"):
        checkpoints.load(tmp_path, checkpoints.newest(tmp_path), trainings([HAND]))
