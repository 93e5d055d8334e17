"""Which use of a line is meant, where a primal goes through it several times: by the code, or by what enters there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from course.comparison.gates.places import Place
from course.comparison.gates.tape import Step, Value


def named_uses(steps: Sequence[Step]) -> list[str]:
    """What tells each use of one line from the others, in program order; empty where nothing known does.

    That is the line from which it is called, where that is another one each time, else the arguments that come to it
    first in this use.
    """
    lines = _calling(steps)
    if len(steps) > 1 and lines:
        return [f"called in `{line.statement}`" for line in lines]
    entering = [_common(names) for names in _entering(steps)]
    told = all(entering) and len(set(entering)) == len(entering)
    return [f"with `{name}`" for name in entering] if told else [""] * len(steps)


def _calling(steps: Sequence[Step]) -> list[Place]:
    """The innermost frames around the uses that are all different; empty where there are none."""
    for frames in zip(*(step.calls for step in steps), strict=False):
        if len({frame.statement for frame in frames}) == len(steps):
            return list(frames)
    return []


def _entering(steps: Sequence[Step]) -> Iterator[list[str]]:
    """The arguments on which each use depends and none before it does; of the first those that are like the others'."""
    hung_on = [{name for slot in step.inputs if isinstance(slot, Value) for name in slot.origins} for step in steps]
    later = [now.difference(*hung_on[:use]) for use, now in enumerate(hung_on) if use]
    alike = {_parts(name)[0] for names in later for name in names}
    yield sorted(name for name in hung_on[0] if _parts(name)[0] in alike)
    yield from map(sorted, later)


def _common(names: Sequence[str]) -> str:
    """What all names begin with, cut between their parts: `layers[1]` of `layers[1].w` and `layers[1].b`."""
    if not names:
        return ""
    same = []
    for parts in zip(*map(_parts, names), strict=False):
        if len(set(parts)) > 1:
            break
        same.append(parts[0])
    return "".join(same)


def _parts(name: str) -> list[str]:
    return re.findall(r"\[[^\]]*\]|\.?\w+", name) or [name]
