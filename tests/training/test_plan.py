"""Claims about which run a request begins or goes on with; nothing is trained here."""

import dataclasses

import pytest

from course.training import TrainingError, checkpoints
from course.training.checkpoints import Origin, Saved
from course.training.mlp import DEMO
from course.training.plan import Request, make_plan

BEGAN = dataclasses.replace(DEMO.settings, steps=500, seed=7)


@pytest.fixture
def saved(monkeypatch, tmp_path):
    """Puts a checkpoint of step 180 in the way, of a run by JAX unless another gradient is said."""
    monkeypatch.chdir(tmp_path)

    def put(step=180, **changes):
        origin = dataclasses.replace(Origin("mlp", "jax", BEGAN), **changes)
        monkeypatch.setattr(checkpoints, "newest", lambda folder: Saved(step, origin, {}))

    return put


def request(**options):
    return Request("mlp", **{"gradient": "jax", **options})


def test_an_unfinished_run_goes_on_as_it_was_begun(saved):
    saved()
    plan = make_plan(request())
    assert plan.saved.step == 180
    assert plan.settings == BEGAN
    assert plan.notes == ("Going on from step 180 of 500; --fresh would start over.",)


def test_a_finished_run_is_begun_again_with_the_default_settings(saved):
    saved(step=500)
    plan = make_plan(request())
    assert plan.saved is None
    assert plan.settings == DEMO.settings


def test_fresh_forgets_the_run_that_was_there(saved):
    saved()
    assert make_plan(request(resume=False)).saved is None


def test_an_unfinished_run_may_be_made_longer(saved):
    saved()
    assert make_plan(request(chosen={"steps": 900})).settings == dataclasses.replace(BEGAN, steps=900)


@pytest.mark.parametrize("name, value", [("batch", 32), ("seed", 0), ("dtype", "float32"), ("lr", 0.1)])
def test_an_unfinished_run_is_not_bent_into_another(saved, name, value):
    saved()
    with pytest.raises(TrainingError, match=f"began with {name} .*, not {value}: --fresh starts over"):
        make_plan(request(chosen={name: value}))


def test_another_learning_rate_is_taken_when_going_on_is_asked_for(saved):
    saved()
    assert make_plan(request(chosen={"lr": 0.1}, resume=True)).settings.lr == 0.1


def test_a_pair_that_was_changed_meanwhile_is_said(saved):
    saved(gradient="hand", answer="the hash of another text")
    assert (
        "The pair was changed since then; the run goes on with the new one."
        in make_plan(request(gradient="hand")).notes
    )


def test_another_submission_is_another_run(saved, tmp_path):
    saved(gradient="hand", submission="theirs.py")
    with pytest.raises(TrainingError, match=r"began with submission theirs\.py, not none"):
        make_plan(request(gradient="hand"))


def test_epochs_are_counted_in_whole_batches(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert make_plan(request(epochs=3, chosen={"batch": 100})).settings.steps == 33  # of 1197 examples
