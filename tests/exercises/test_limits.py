"""Claims about limits of cost: what is made and dropped again counts, though it isn't saved."""

from functools import partial

import jax
import jax.numpy as jnp
import pytest

from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.task import Sitting
from course.records import Status


def fwd(x):
    return (x**2).sum(), x


def narrow_bwd(x, loss_bar):
    return (2 * loss_bar * x,)


def wide_bwd(x, loss_bar):
    table = loss_bar * (x[:, None] + x)  # is dropped again, all but its diagonal
    return (jnp.diagonal(table),)


def rowwise_bwd(x, loss_bar):
    """As wide, a row at a time."""
    return (jax.lax.map(lambda place: loss_bar * (x[place] + x)[place], jnp.arange(len(x))),)


def judged(bwd, **limits):
    task = PairTask(
        primal=lambda x: (x**2).sum(),
        fwd="fwd",
        bwd="bwd",
        draw=lambda draw: (draw.normal("d"),),
        limits=Limits(flops=100.0, **limits),
    )
    return task.judge({"fwd": fwd, "bwd": bwd}, Sitting(example=False))


in_lines = partial(judged, peak_bytes=lambda x: 6 * x.nbytes)


@pytest.mark.parametrize(
    "bwd, status", [(narrow_bwd, Status.RIGHT), (rowwise_bwd, Status.RIGHT), (wide_bwd, Status.COSTLY)]
)
def test_a_table_that_is_not_saved_exceeds_a_limit_of_the_peak_and_its_rows_one_by_one_do_not(bwd, status):
    assert in_lines(bwd).status is status
    assert judged(bwd, residual_bytes=lambda x: 0).status is Status.RIGHT


def test_a_peak_that_is_exceeded_is_told_beside_what_is_enough():
    (remark,) = in_lines(wide_bwd).remarks
    assert "bytes at once" in remark.text
    assert f"{6 * 7 * 8} are enough" in remark.text
