"""Claims about "which mistake is this?": no draw is ambiguous, each is the same everywhere, every option is told."""

import jax.numpy as jnp
import numpy as np
import pytest

from course.exercises import find_exercise, papers
from course.exercises.showing import NoExhibit, exhibit_of
from course.exercises.tasks.question import ANSWER
from course.exercises.tasks.shown import Source
from course.exercises.tasks.task import Sitting
from course.exercises.tasks.which_mistake import NothingToShow, WhichMistake, draw_of
from course.lessons.losses import softmax_cross_entropy
from course.records import Status

ASKED = [e.name for paper in papers() for e in paper.exercises if isinstance(e.task, WhichMistake)]
LOSSES = find_exercise("losses.q4")


def judged(exercise, answer):
    return exercise.task.judge({ANSWER: answer}, Sitting())


def told_apart(one, other):
    """Whether a number differs by a twentieth of the largest of its array, or is there on one side only."""
    return set(one) != set(other) or any(differs(one[path], other[path]) for path in one)


def differs(a, b):
    if a.shape != b.shape or (np.isfinite(a) != np.isfinite(b)).any():
        return True
    gap, largest = (
        np.nan_to_num(array, posinf=0, neginf=0).max() for array in (abs(a - b), np.maximum(abs(a), abs(b)))
    )
    return gap > 1e-9 and gap >= 0.05 * largest


def holds(name, draw):
    """A draw has one right answer, and its four ways and the right numbers can all be told apart by what is shown."""
    exercise = find_exercise(name)
    picked = exercise.task.pick(draw)
    ways = [picked.shown.right, *(picked.shown.made[mistake.name] for mistake in picked.options.values())]
    assert len(ways) == 5
    for place, one in enumerate(ways):
        assert all(told_apart(one, other) for other in ways[:place]), (name, draw)
    statuses = {label: judged(exercise, label).status for label in picked.options}
    assert [label for label, status in statuses.items() if status is Status.RIGHT] == [picked.label]
    texts = list(exhibit_of(exercise, draw).options.values())
    assert len(set(texts)) == 4, (name, draw)


@pytest.mark.parametrize("name", ASKED)
def test_a_draw_has_four_ways_that_differ_clearly_and_one_is_right(name):
    for draw in (0, 1):
        holds(name, draw)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ASKED)
def test_no_draw_of_many_is_ambiguous(name):
    for draw in range(200):
        holds(name, draw)


def test_every_lesson_with_a_catalogue_asks_it_last():
    lessons = [paper for paper in papers() if any(getattr(e.task, "mistakes", ()) for e in paper.exercises)]
    asked = {find_exercise(name).lesson for name in ASKED}
    assert asked == {paper.lesson for paper in lessons if isinstance(paper.exercises[-1].task, WhichMistake)}
    assert len(asked) >= 11


def test_draws_differ_in_mistake_numbers_and_order():
    picked = [LOSSES.task.pick(draw) for draw in range(40)]
    assert len({one.source.name for one in picked}) == 3
    assert len({(one.source.name, one.mistake.name) for one in picked}) > 15
    assert {one.label[0] for one in picked} == set("abcd")


def test_what_is_shown_as_right_is_what_jax_gives():
    picked = next(p for p in map(LOSSES.task.pick, range(40)) if p.source.name == "softmax_cross_entropy_bwd")
    inputs = picked.shown.inputs
    logits, labels = inputs["logits"], inputs["labels"]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = float(inputs["loss_bar"]) * (shares - np.eye(logits.shape[1])[labels]) / len(logits)
    np.testing.assert_allclose(picked.shown.right["logits_bar"], right, rtol=1e-12)
    assert picked.shown.right["logits_bar"].dtype == np.float64
    assert softmax_cross_entropy(jnp.asarray(logits), jnp.asarray(labels)).shape == ()


def test_a_new_mistake_in_a_catalogue_leaves_most_draws_as_they_were():
    (source, *_) = LOSSES.task.sources
    whole = WhichMistake((source,))
    but_one = WhichMistake((Source(source.task, source.handed, but=(source.task.mistakes[-1].name,)),))
    same = [whole.pick(draw).mistake.name == but_one.pick(draw).mistake.name for draw in range(30)]
    assert sum(same) >= 25


def test_a_wrong_option_is_told_by_its_own_number_and_theirs():
    picked = LOSSES.task.pick(0)
    for label, mistake in picked.options.items():
        (remark,) = judged(LOSSES, label).remarks
        if label == picked.label:
            assert remark.text.startswith("Right. It shows most in logits_bar[2, 2]: -0.05625 where 0.9438 is right")
            continue
        made, theirs = picked.shown.made[mistake.name]["logits_bar"], picked.theirs["logits_bar"]
        place = np.unravel_index(np.argmax(np.abs(made - theirs)), made.shape)
        assert f"{made[place]:.4g}" in remark.text
        assert f"{theirs[place]:.4g}" in remark.text


def test_an_array_that_a_mistake_leaves_nearly_right_is_not_called_right():
    for draw in range(12):
        picked = LOSSES.task.pick(draw)
        for label, mistake in picked.options.items():
            text = judged(LOSSES, label).remarks[0].text
            called = [path for path in picked.shown.right if f"{path} would be right" in text]
            made = picked.shown.made[mistake.name]
            assert all(np.allclose(made[path], picked.shown.right[path], rtol=1e-5) for path in called)


@pytest.mark.parametrize("answer", ["c", " B ", "", "e7", "b", "417", 3, 0.5, None, ["b0"], "b1234567"])
def test_an_answer_of_another_form_is_told_what_is_asked_for(answer):
    findings = judged(LOSSES, answer)
    assert findings.status is Status.WRONG
    assert findings.headline == "not an answer to this question"
    assert "0" in findings.remarks[0].text
    assert "course show" in findings.remarks[0].text


def test_an_old_answer_of_one_letter_is_asked_for_its_draw():
    assert "say which draw c is an option of" in judged(LOSSES, "c").remarks[0].text.lower()


@pytest.mark.parametrize(("answer", "draw"), [("b417", 417), (" D 3 ", 3), ("b", None), (0.5, None), ("f4", None)])
def test_the_draw_is_part_of_the_answer(answer, draw):
    assert draw_of(answer) == draw


@pytest.mark.parametrize("draw", [-1, 10**6, 0.5, True, "3"])
def test_what_is_no_draw_is_refused_in_a_sentence(draw):
    with pytest.raises(NoExhibit, match="A draw is a whole number"):
        exhibit_of(LOSSES, draw)


def test_a_question_of_another_kind_shows_no_mistake():
    with pytest.raises(NoExhibit, match=r"losses.q1 shows no mistake"):
        exhibit_of(find_exercise("losses.q1"), 0)


def test_mistakes_that_cannot_be_told_apart_are_never_shown():
    (source, *_) = LOSSES.task.sources
    three = tuple(mistake.name for mistake in source.task.mistakes[3:])
    with pytest.raises(NothingToShow):
        WhichMistake((Source(source.task, but=three),)).pick(0)
