"""`course grade` of a mixed class, killed half-way and resumed, beside nbgrader's autograde of the same exercise."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.hand_ins import KINDS, write_class
from benchmarks.processes import seconds_of
from benchmarks.tables import table

ROOT = Path(__file__).parents[1]
EXERCISE = "linear_and_activations.affine"
STUDENTS = 300
BY_NBGRADER = 5
AIM = 0.3
SECONDS = 5
"""What one exercise may take: an endless loop takes all of it."""

SAYS = f"""\
## Grading a class

{STUDENTS} submissions of `{EXERCISE}`, {", ".join(f"{share} % {kind}" for kind, (share, _) in KINDS.items())} (endless
loops, process bombs and the like), each in a process of its own with every layer on, {SECONDS} s at most for one. The
run is made twice: once through, and once killed with SIGKILL half-way and resumed. Aim: at most {AIM} CPU s each.
Expected: 0.3, most of it tracing and exporting. Beside it `nbgrader autograde`, unconfined, of {BY_NBGRADER} right
answers in a notebook with this one exercise."""

AUTOGRADE = """
import sys
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config

config = Config()
config.CourseDirectory.root = "."
config.ExecutePreprocessor.timeout = 300
steps = [step for step in GenerateAssignment().preprocessors if step is not ClearSolutions]
config.GenerateAssignment.preprocessors = steps
nbgrader = NbGraderAPI(config=config)
for student in sys.argv[1:]:
    done = nbgrader.autograde("lesson", student)
    assert done["success"], done
if len(sys.argv) == 1:
    assert nbgrader.generate_assignment("lesson")["success"]
"""


def run() -> str:
    """Grades a class twice, and a few of it by nbgrader."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_class(folder / "class", STUDENTS)
        (folder / "key").write_bytes(bytes(range(32)))
        cpu, wall = _graded(folder, "through")
        _killed(folder, "resumed")
        _graded(folder, "resumed")
        same = (folder / "through.csv").read_bytes() == (folder / "resumed.csv").read_bytes()
        verdicts = _verdicts(folder / "through.csv")
        of_nbgrader = _nbgrader(folder / "nbgrader")
    rows = [
        ["`course grade`", str(STUDENTS), f"{cpu / STUDENTS:.2f}", f"{wall:.0f}", f"{3600 * STUDENTS / wall:,.0f}"],
        ["`nbgrader autograde`", str(BY_NBGRADER), *of_nbgrader],
    ]
    header = ["", "submissions", "CPU s each", "wall s", "submissions an hour"]
    resumed = "the same table" if same else "ANOTHER table"
    return f"{SAYS}\n\n{table(header, rows)}\n\nKilled and resumed, it gave {resumed}. Full points went to {verdicts}."


def _command(folder: Path, name: str) -> list[str]:
    course = str(Path(sys.executable).with_name("course"))
    options = ["--lesson", EXERCISE, "--seconds", str(SECONDS), "--secret", str(folder / "key")]
    return [course, "grade", str(folder / "class"), "--csv", str(folder / f"{name}.csv"), *options]


def _graded(folder: Path, name: str) -> tuple[float, float]:
    """CPU and wall seconds of grading the whole class."""
    return seconds_of(_command(folder, name), _environment(), ROOT)


def _environment() -> dict[str, str]:
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]  # nbgrader calls other programs
    return os.environ | {"PYTHONPATH": str(ROOT), "PATH": os.pathsep.join(paths)}


def _killed(folder: Path, name: str) -> None:
    """Begins to grade, and kills it once half the class is in the ledger."""
    ledger = folder / f"{name}.jsonl"
    process = subprocess.Popen(_command(folder, name), cwd=ROOT, env=_environment(), stderr=subprocess.DEVNULL)
    while process.poll() is None and (not ledger.exists() or ledger.read_bytes().count(b"\n") < STUDENTS // 2):
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _verdicts(path: Path) -> str:
    """How many of each kind got full points."""
    full: Counter[str] = Counter()
    every: Counter[str] = Counter()
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind = row["student"].split("_")[1]
            every[kind] += 1
            full[kind] += row["points"] == row["of"] and row["of"] != "0"
    return ", ".join(f"{full[kind]} of {every[kind]} {kind}" for kind in KINDS)


def _nbgrader(folder: Path) -> list[str]:
    """CPU seconds each, wall seconds, and submissions an hour of nbgrader."""
    students = [f"student{number}" for number in range(BY_NBGRADER)]
    for place in ("source", *(f"submitted/{student}" for student in students)):
        (folder / place / "lesson").mkdir(parents=True)
        (folder / place / "lesson" / "short.ipynb").write_text(_notebook(), encoding="utf-8")
    seconds_of([sys.executable, "-c", AUTOGRADE], _environment(), folder)
    cpu, wall = seconds_of([sys.executable, "-c", AUTOGRADE, *students], _environment(), folder)
    return [f"{cpu / BY_NBGRADER:.2f}", f"{wall:.0f}", f"{3600 * BY_NBGRADER / wall:,.0f}"]


def _notebook() -> str:
    """A notebook with this one exercise, answered right."""
    from course.authoring.checkout import this_checkout
    from course.authoring.notebook import Maker, notebook_text
    from course.authoring.solution import read_solution
    from course.authoring.source import parse_source
    from course.exercises import find_exercise
    from course.exercises.exercise import Paper

    lesson = EXERCISE.partition(".")[0]
    source = (
        '# %% [markdown] name="title"\n# # One exercise\n\n'
        f'# %% name="imports"\nfrom course.lessons.{lesson} import affine\n\n'
        f'# %% name="your-affine" tags=["exercise"]\nfrom solutions.{lesson} import affine_bwd, affine_fwd\n\n'
        '# %% name="check-affine" tags=["check"]\ncourse.check(affine_fwd, affine_bwd)\n'
    )
    solution = read_solution(this_checkout().solution(lesson))
    paper = Paper(lesson, (find_exercise(EXERCISE),))
    return notebook_text(Maker(parse_source(source, "short.py"), solution, paper, solved=True).make())
