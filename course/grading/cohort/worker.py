"""A worker: one process that judges submissions one after the other. Requests and verdicts are lines of JSON.

It runs strangers' programs, though none of their Python, so that it may be ended by one. Whoever started it then goes
on with another.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

MOST_MEMORY = 8 << 30
"""Bytes: many times what a judgement takes."""


def main() -> None:
    """Judges what comes on standard input until it ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing that is printed by accident gets between the verdicts
    import resource  # Windows has none

    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    from course.grading.ready import keep_programs
    from course.grading.strangers.server import end_with_parent
    from course.quick_compile import compile_quickly

    end_with_parent()
    keep_programs()
    compile_quickly()
    from course.exercises import open_course, papers
    from course.grading.soundness import require_sound_jax
    from course.grading.strangers.processes import Server, Terms

    terms = json.loads(sys.stdin.readline())
    open_course(terms["course"]) if terms["course"] else papers()
    require_sound_jax()
    server = Server(Terms(seconds=terms["seconds"], trust=terms["trust"], course=terms["course"]))
    server.launch()
    _tell(out, {"ready": True})
    for line in sys.stdin:
        _judge(json.loads(line), server, out)
    server.close()


def _judge(request: dict[str, Any], server: Any, out: TextIO) -> None:
    """Judges what is asked for of one submission, and tells each verdict at once."""
    import jax

    from course.exercises import find_exercise, lesson_names, select
    from course.grading.sentences import stopped_verdict
    from course.grading.strangers.judging import judge_stranger
    from course.grading.strangers.processes import NotConfined
    from course.grading.strangers.remote import Remote, roles_of
    from course.records import Feedback
    from course.show.card import verdict_card
    from course.show.terminal import verdict_text

    path = Path(request["path"])
    given = frozenset(lesson_names()) if server.terms.course else frozenset()
    remote = Remote(request["student"], path, server, roles_of(select()), given=given)
    level = Feedback[request["level"].upper()]
    try:
        for name, seed in request["seeds"].items():
            exercise = find_exercise(name)
            if name in request["stopped"]:
                verdict = stopped_verdict(exercise, request["stopped"][name], request["student"], level)
            else:
                verdict = judge_stranger(exercise, remote, seed=seed, feedback=level)
            told = {"verdict": json.loads(verdict.to_json()), "seed": seed}
            told |= {"text": verdict_text(verdict, encoding="utf-8"), "html": verdict_card(verdict)}
            _tell(out, told)
        remote.close()
        _tell(out, {"done": True, "jax_version": jax.__version__, "cpu_seconds": remote.cpu_seconds})
    except NotConfined as missing:
        _tell(out, {"not_confined": str(missing)})
    finally:
        remote.close()


def _tell(out: TextIO, content: dict[str, Any]) -> None:
    out.write(json.dumps(content) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
