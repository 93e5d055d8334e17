"""What going back through a deep network costs where few states are held: numbers known otherwise than by a search."""

from __future__ import annotations

from itertools import count
from math import comb


def fewest_steps(layers: int, slots: int) -> int:
    """How often a layer has to be run forward, at the least, for going back through all with slots for states.

    With r the first number for which comb(slots + r, slots) reaches the layers, it is r for each of them, less what
    the layers that are run less often save. Source: A. Griewank, "Achieving logarithmic growth of temporal and spatial
    complexity in reverse automatic differentiation", Optimization Methods and Software 1(1), 1992.
    """
    most = next(r for r in count() if comb(slots + r, slots) >= layers)
    return most * layers - comb(slots + most, most - 1) if most else 0


def fewest_run_again(layers: int, room: int) -> int:
    """How many layers have to be run again, at the least, where each array is one layer's and there is room for some.

    The first layers are cut into segments of one length, of which forward keeps the start alone; of all other layers it
    keeps everything. Most is held after forward, or while the last of the segments is gone back.
    """
    plans = ((number, length) for length in range(2, layers + 1) for number in range(layers // length + 1))
    return min(
        number * length
        for number, length in plans
        if number + layers - number * length <= room and (not number or number + length <= room)
    )
