"""What holds where strangers are graded: every attack is stopped by a named layer, and honest answers are judged."""

import dataclasses
import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course.exercises import find_exercise, lesson_names, paper_of, select
from course.exercises.exercise import Exercise
from course.exercises.tasks.function import FunctionTask
from course.grading import Submission, judge
from course.grading.strangers import judging, processes
from course.grading.strangers.judging import judge_stranger
from course.grading.strangers.processes import NotConfined, Server, Terms
from course.grading.strangers.remote import Remote, roles_of
from course.grading.strangers.sandbox import LAYERS, Limits
from course.lessons.chain_rule import swish
from course.records import Feedback, Status
from tests.grading.attacked import ATTACKS, HONEST, LAYER, PRELUDE, source

pytestmark = pytest.mark.skipif(os.uname().sysname != "Linux", reason="the layers are Linux's")

SOLUTIONS = Path(__file__).parents[2] / "solutions"

TRACED = dataclasses.replace(LAYER, task=dataclasses.replace(LAYER.task, traceable=True))
"""The exercise as most are: an answer must be traceable, so that its code never sees a number."""

BY_WORK = {name for name in ATTACKS if name.startswith("differences") or name == "complex_step"}
NO_CHEATS = {"costly_formula": Status.COSTLY, "hard_coded": Status.WRONG, "replaced_numpy": Status.REFUSED}
SLOW = {"differences_in_python"}
READ = sorted(set(ATTACKS) - BY_WORK - {"costly_formula", "hard_coded"})
BY_RUNNING = {"minimize", "optax_value_and_grad", "sparse"}
"""Attacks that no word of their source gives away."""


FAIL_BY_THEMSELVES = {"stack_frames", "garbage_collector", "jax_imported_anew", "hard_coded", "replaced_numpy"}
NOT_HERE = {"equinox", "flax"} - {package for package in ("equinox", "flax") if importlib.util.find_spec(package)}
CHANGING = {"reload", "second_copy_of_ad", "jax_imported_anew", "replaced_numpy"}
"""Attacks that leave JAX or NumPy changed in the process that they run in."""
ALONE = [sorted({*ATTACKS} - CHANGING - NOT_HERE), *([name] for name in sorted(CHANGING))]


@pytest.fixture(scope="module")
def server():
    server = Server(Terms(Limits(cpu_seconds=10), seconds=20))
    yield server
    server.close()


@pytest.fixture
def remote(server, tmp_path):
    """A submission of this text, in a process of its own."""
    remotes = []

    def make(text, exercises=(LAYER,), **options):
        file = tmp_path / f"work{len(remotes)}.py"
        file.write_text(text, encoding="utf-8")
        remotes.append(Remote(file.name, file, server, roles_of(exercises), **options))
        return remotes[-1]

    yield make
    for one in remotes:
        one.close()


def needs(name):
    package = {"equinox": "equinox", "flax": "flax"}.get(name)
    return pytest.mark.skipif(bool(package) and importlib.util.find_spec(package) is None, reason="not installed")


def cases(names):
    return [pytest.param(name, marks=[needs(name), *([pytest.mark.slow] if name in SLOW else [])]) for name in names]


@pytest.mark.parametrize("name", cases(READ))
def test_what_the_source_gives_away_is_refused_with_its_line_before_it_runs(name, remote):
    answers = remote(source(name))
    verdict = judge(LAYER, answers, feedback=Feedback.PASS)
    assert verdict.status is Status.REFUSED
    assert re.search(r"`.+`", verdict.lines[0])
    assert "work0.py, line" in verdict.lines[0]
    assert verdict.points == 0
    assert bool(answers.layers) is (name in BY_RUNNING)


def test_a_dear_answer_is_told_why_and_in_which_expression_as_in_its_author_s_own_process(remote, tmp_path):
    answers = remote(source("costly_formula"), [TRACED])
    there, here = judge(TRACED, answers), judge(TRACED, Submission.read(answers.place))
    assert there.status is Status.COSTLY
    assert there.lines == here.lines
    assert "`" in there.comparison.excesses[0].text
    assert there.comparison.excesses == here.comparison.excesses


def test_a_loop_whose_length_depends_on_the_numbers_hides_no_cost(remote):
    again = "jax.lax.while_loop(lambda s: s[0] < 9 + 0 * x[0, 0], lambda s: (s[0] + 1, s[1] * 1), (0.0, y_bar))[1]"
    text = "import jax\n" + source("plain").replace("z_bar = y_bar", f"z_bar = {again}")
    verdict = judge(TRACED, remote(text, [TRACED]))
    assert verdict.status is Status.COSTLY
    assert verdict.cost_points == 0
    assert "while_loop" in " ".join(verdict.lines)


FORGING = """
import sys


def forge():
    frame = sys._getframe()
    while "describe_program" not in frame.f_globals:
        frame = frame.f_back
    told_truly = frame.f_globals["describe_program"]

    def told_falsely(program):
        told, arrays = told_truly(program)
        for equation in told["equations"]:
            if equation[0] == "scan":
                equation[1]["length"] = 1
        return told | {"flops": 1, "count": {"flops": 1}}, arrays

    frame.f_globals["describe_program"] = told_falsely
"""


def test_whoever_gets_at_the_description_of_a_program_changes_what_runs_and_not_what_it_costs(remote):
    dear = "jax.lax.scan(lambda c, _: (c * 1.01 @ jnp.eye(3), None), y_bar, length=60)[0] / 1.01**60"
    text = "import jax\n" + source("plain").replace("z_bar = y_bar", f"z_bar = {dear}")
    assert judge(TRACED, remote(text, [TRACED])).status is Status.COSTLY
    forged = text.replace("def layer_bwd", FORGING + "\n\ndef layer_bwd").replace(
        "    x, w, b = res", "    forge()\n    x, w, b = res"
    )
    assert judge(TRACED, remote(forged, [TRACED])).status is Status.REFUSED
    verdict = judge(TRACED, remote(forged, [TRACED], reads=False))
    assert verdict.status is Status.WRONG
    assert verdict.cost_points == 0


def test_a_step_along_the_imaginary_axis_is_refused_even_for_a_single_number(remote):
    square = find_exercise("chain_rule.square")
    text = (
        "import jax.numpy as jnp\ndef square_bwd(x, y_bar):\n    return (y_bar * ((x + 1e-20j) ** 2).imag / 1e-20,)\n"
    )
    verdict = judge(square, remote(text, [square]), feedback=Feedback.PASS)
    assert verdict.status is Status.REFUSED
    assert "complex numbers" in verdict.lines[0]


@pytest.mark.parametrize("name", cases(sorted(BY_WORK - {"complex_step"})))
def test_trying_the_inputs_one_by_one_is_refused_by_its_work(name, remote):
    verdict = judge(TRACED, remote(source(name)), feedback=Feedback.PASS)
    assert verdict.status is Status.REFUSED
    assert "times the work of jax.vjp" in verdict.lines[0]


@pytest.mark.parametrize("name", cases(sorted({*ATTACKS} - {*NO_CHEATS} - BY_WORK)))
def test_every_attack_is_stopped_though_nobody_reads_its_source(name, remote):
    verdict = judge(TRACED, remote(source(name), [TRACED], reads=False), feedback=Feedback.PASS)
    assert verdict.status in (Status.REFUSED, Status.BROKEN, Status.WRONG)
    assert verdict.points == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("names", ALONE, ids=lambda names: names[0] if len(names) == 1 else "all others")
def test_every_attack_works_where_nothing_is_defended(names):
    """But for those that fail by themselves: what they look for is not where an answer is called."""
    program = "import sys; from tests.grading.attacked import undefended; undefended(sys.argv[1:])"
    told = subprocess.run(
        [sys.executable, "-c", program, *names],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    ).stdout
    statuses = dict(line.split() for line in told.splitlines())
    assert {name for name in names if statuses[name] not in ("right", "costly")} == FAIL_BY_THEMSELVES & {*names}


@pytest.mark.parametrize("name", NO_CHEATS)
def test_what_is_no_cheating_is_judged_as_what_it_is(name, remote):
    assert judge(TRACED, remote(source(name))).status is NO_CHEATS[name]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_is_judged_as_in_its_author_s_own_process(name, remote):
    answers = remote(source(name))
    verdict = judge(LAYER, answers)
    assert verdict.right
    assert answers.weaker == ({"layer_bwd"} if name == "numpy_only" else set())


def test_a_route_that_the_exercise_allows_is_taken_and_no_other(remote):
    exercise = dataclasses.replace(TRACED, allows=frozenset({"jax.vjp"}))
    assert judge(exercise, remote(source("vjp"), [exercise])).right
    assert judge(exercise, remote(source("grad"), [exercise])).status is Status.REFUSED
    assert judge(exercise, remote(source("grad"), [exercise], reads=False)).status is Status.REFUSED


ROUNDABOUT = {
    "a module inside of another": "warnings.sys._getframe",
    "built-in names inside of another module": "dataclasses.builtins.exec",
    "a class's family": "().__class__.__base__",
    "a function's globals": "jnp.sum.__globals__",
    "a file": "np.load",
    "JAX's inside": "jax.numpy.linalg._src",
    "a changed module": "setattr(np, 'sum', None)",
}


@pytest.mark.parametrize("text", ROUNDABOUT.values(), ids=ROUNDABOUT)
def test_a_roundabout_way_to_what_is_refused_is_refused(text, remote):
    imports = "import dataclasses\nimport warnings\nimport jax\nimport numpy as np\n"
    hostile = source("plain").replace("    x, w, b = residuals\n", f"    {text}\n    x, w, b = residuals\n")
    answers = remote(imports + hostile)
    assert judge(LAYER, answers).status is Status.REFUSED
    assert not answers.layers


def test_a_name_of_one_s_own_is_no_built_in_one(remote):
    text = source("plain").replace("def layer_bwd", "def compile(x):\n    return x\n\n\ndef layer_bwd")
    assert judge(TRACED, remote(text.replace("y_bar * (1", "compile(y_bar) * (1"))).right


def test_an_answer_that_must_be_traceable_and_is_not_never_sees_a_number(remote):
    answers = remote(source("numpy_only"), [TRACED])
    verdict = judge(TRACED, answers)
    assert verdict.status is Status.WRONG
    assert "NumPy was given a value that JAX is tracing" in verdict.lines[0]
    assert not answers.weaker


def test_all_layers_hold_on_this_machine_and_the_verdict_names_them(remote):
    verdict = judge_stranger(LAYER, remote(source("plain")), seed=5)
    assert verdict.layers == ("source read", "traced without values", *LAYERS)
    assert verdict.comparison.seed == 5


def test_the_weaker_guarantee_is_said(remote):
    verdict = judge_stranger(LAYER, remote(source("numpy_only")), seed=5)
    assert "run on numbers" in verdict.layers
    assert "less sure to be by hand" in verdict.lines[-1]


def test_a_jax_on_which_nothing_was_tried_is_named(remote, monkeypatch):
    monkeypatch.setattr(judging, "is_tested", lambda: False)
    assert "not tested on JAX" in judge_stranger(LAYER, remote(source("plain")), seed=5).layers[-1]


@pytest.mark.parametrize("trust", [False, True])
def test_where_a_layer_is_missing_nothing_runs_unless_somebody_says_so(trust, tmp_path, monkeypatch):
    taken_out = "from course.grading.strangers import sandbox; sandbox._MACHINES = {}; from course"
    monkeypatch.setattr(processes, "_PROGRAM", processes._PROGRAM.replace("from course", taken_out))
    server = Server(Terms(trust=trust))
    (tmp_path / "work.py").write_text(source("plain"), encoding="utf-8")
    remote = Remote("work.py", tmp_path / "work.py", server, roles_of([LAYER]))
    if trust:
        assert judge(LAYER, remote).right
        assert remote.layers == ("rlimits", "no_new_privs", "landlock")
    else:
        with pytest.raises(NotConfined, match="no_caps, seccomp"):
            judge(LAYER, remote)
    remote.close()
    server.close()


# --- isolation: each ends in a verdict for that submission alone

BEFORE = "import os, sys, time, shutil, signal, socket, ctypes, pathlib\nimport numpy as np\n"
AT_IMPORT = {
    "endless loop": "def spin():\n    while True:\n        pass\nhostile = spin()\n",
    "loop that swallows interrupts": (
        "def spin():\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass\nhostile = spin()\n"
    ),
    "sleep": "hostile = time.sleep(1000)\n",
    "end of the process": "hostile = os._exit(0)\n",
    "segfault": "hostile = ctypes.string_at(0)\n",
    "memory": "hostile = [np.ones(10**9) for _ in range(13)]\n",
    "threads": (
        "import threading\ndef many():\n    while True:\n"
        "        threading.Thread(target=time.sleep, args=(99,)).start()\n"
        "hostile = many()\n"
    ),
    "exit": "hostile = sys.exit(0)\n",
    "recursion": "def deep():\n    return deep()\nhostile = deep()\n",
}
DENIED = {
    "fork bomb": "[os.fork() for _ in range(300)]",
    "program": "os.execv('/bin/true', ['true'])",
    "child": "os.posix_spawn('/bin/true', ['true'], {})",
    "signal to the grader": "os.kill(os.getppid(), signal.SIGKILL)",
    "signal to all": "os.kill(-1, signal.SIGKILL)",
    "deleted folder": "shutil.rmtree(pathlib.Path(WORK).parent)",
    "written submission": "open(WORK, 'w')",
    "changed rights": "os.chmod(WORK, 0o777)",
    "network": "socket.create_connection(('127.0.0.1', 80))",
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "passwords": "open('/etc/passwd').read()",
    "processes": "open('/proc/self/environ').read()",
    "home": "os.listdir(HOME)",
    "course": "open(COURSE + '/exercises/losses.py').read()",
    "answers": "open(COURSE + '/../solutions/losses.py').read()",
    "large file": "open('large', 'wb').write(bytes(1 << 26))",
    "more memory than allowed": "__import__('resource').setrlimit(__import__('resource').RLIMIT_DATA, (-1, -1))",
}


def stopped_then_next(remote, text):
    """Judges a hostile submission, then an honest one; returns the first verdict."""
    start = time.monotonic()
    text += source("plain").replace("    x, w, b = residuals\n", "    hostile\n    x, w, b = residuals\n")
    verdict = judge(LAYER, remote(BEFORE + text, reads=False))
    assert time.monotonic() - start < 60
    assert judge(LAYER, remote(source("plain"))).right
    return verdict


@pytest.mark.slow
@pytest.mark.parametrize("text", AT_IMPORT.values(), ids=AT_IMPORT)
def test_what_ends_or_never_ends_costs_nobody_else_anything(text, remote):
    assert stopped_then_next(remote, text).status in (Status.STOPPED, Status.BROKEN)


@pytest.mark.parametrize("text", DENIED.values(), ids=DENIED)
def test_what_reaches_outside_is_denied(text, remote, tmp_path):
    there = (
        f"WORK = {str(tmp_path / 'work0.py')!r}\nHOME = {str(Path.home())!r}\n"
        f"COURSE = {str(Path(judge.__code__.co_filename).parents[1])!r}\n"
        f"def reach():\n    return {text}\nreached = reach()\n"
        "def layer_fwd(x, w, b):\n    return reached\n"
        "def layer_bwd(residuals, y_bar):\n    return residuals\n"
    )
    verdict = judge(LAYER, remote(BEFORE + PRELUDE + there, reads=False))
    assert verdict.status is Status.BROKEN
    assert re.search(r"PermissionError|OSError|ValueError", verdict.lines[0])
    assert (tmp_path / "work0.py").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    ["print('x' * 10**8)", "[print('x' * 10**4) for _ in range(10**4)]", "os.write(1, bytes(10**8))"],
)
def test_endless_output_is_cut(line, remote):
    text = source("plain").replace("    x, w, b = residuals\n", f"    {line}\n    x, w, b = residuals\n")
    verdict = judge(LAYER, remote(BEFORE + text, reads=False))
    assert verdict.right
    assert len(verdict.printed) < 20_000


FORGED = {
    "another program": "b'\\x10\\x00\\x00\\x00\\x04\\x00\\x00\\x00{\"fixed\":[null]}junk'",
    "nonsense": "bytes(100)",
    "more than is allowed": "b'\\xff' * 8",
}


@pytest.mark.parametrize("bytes_written", FORGED.values(), ids=FORGED)
def test_a_forged_result_is_no_result(bytes_written, remote):
    """It writes to whatever is open before the real result is."""
    text = (
        "def forge():\n    for number in range(3, 64):\n        try:\n"
        f"            os.write(number, {bytes_written})\n        except OSError:\n            pass\n    return 1\n"
    )
    text += source("plain").replace("    x, w, b = residuals\n", "    forge()\n    x, w, b = residuals\n")
    verdict = judge(LAYER, remote(BEFORE + text, reads=False))
    assert verdict.status is Status.STOPPED
    assert judge(LAYER, remote(source("plain"))).right


def test_a_program_that_would_fill_the_grader_s_memory_is_not_run(remote):
    text = source("plain").replace("z_bar = y_bar", "z_bar = jnp.zeros((10**5, 10**5)).sum() + y_bar")
    verdict = judge(LAYER, remote(text))
    assert verdict.status is Status.STOPPED
    assert "array of shape 100000x100000" in verdict.lines[0]


def test_no_secret_is_in_the_environment(remote, monkeypatch):
    monkeypatch.setenv("A_SECRET", "1234")
    text = source("plain").replace("    x, w, b = residuals\n", "    seen\n    x, w, b = residuals\n")
    found = remote(BEFORE + "seen = print(sorted(os.environ))\n" + text, reads=False).find(["layer_bwd"])
    assert "HOME" in found.printed
    assert "SECRET" not in found.printed


def first_that_asks_for_code(lesson):
    return next(exercise for exercise in paper_of(lesson).exercises if exercise.task.names)


@pytest.fixture(scope="module")
def solved(server, tmp_path_factory):
    """All answers of the course, apart and in this process."""
    folder = tmp_path_factory.mktemp("solved")
    for path in SOLUTIONS.glob("[a-z]*.py"):
        text = re.sub(r"from solutions\.\w+ import", "from course.answers import", path.read_text(encoding="utf-8"))
        (folder / path.name).write_text(text, encoding="utf-8")
    remote = Remote("all", folder, server, roles_of(select()))
    yield remote, Submission.read(folder)
    remote.close()


def without_lines(costs):
    """Without the notes: what JAX traced before keeps the line at which it was traced first."""
    return [dataclasses.replace(cost, notes=()) for cost in costs]


def hold_apart_against_here(exercise, solved):
    there, here = (judge(exercise, submission) for submission in solved)
    for said in ("status", "lines", "points", "cost_points"):
        assert getattr(there, said) == getattr(here, said)
    assert bool(there.comparison) == bool(here.comparison)
    if here.comparison:
        assert without_lines(there.comparison.costs) == without_lines(here.comparison.costs)
        assert there.comparison.excesses == here.comparison.excesses


@pytest.mark.slow
@pytest.mark.parametrize("lesson", lesson_names())
def test_a_solution_is_right_and_costs_what_it_costs_in_one_s_own_process(lesson, solved):
    hold_apart_against_here(first_that_asks_for_code(lesson), solved)


@pytest.mark.exhaustive
@pytest.mark.parametrize("exercise", select(), ids=lambda exercise: exercise.name)
def test_every_solution_is_right_and_costs_what_it_costs_in_one_s_own_process(exercise, solved):
    hold_apart_against_here(exercise, solved)


SLOPE = Exercise(
    name="chain_rule.slope",
    title="slope",
    task=FunctionTask(
        lambda f, x, step: (f(x + step) - f(x)) / step, "slope", lambda draw: (swish, draw.normal(), 1e-3)
    ),
    points=1,
)


@pytest.mark.parametrize(
    "body, status, weaker",
    [
        ("return (f(x + step) - f(x)) / step", Status.RIGHT, set()),
        ("return (f(x) - f(x + step)) / step", Status.WRONG, set()),
        ("return [(f(x + step) - f(x)) / step for _ in range(int(step * 2000))][0]", Status.RIGHT, {"slope"}),
    ],
)
def test_a_function_that_is_handed_one_of_the_lesson_is_judged_apart(body, status, weaker, remote):
    answers = remote(f"def slope(f, x, step):\n    {body}\n", (SLOPE,))
    assert judge(SLOPE, answers).status is status
    assert answers.weaker == weaker


@pytest.mark.parametrize(
    "name, old, now, weaker",
    [
        ("complex_step", "1j * step", "step * 1j", set()),
        ("complex_step", "x + 1j * step", "complex(x, step)", {"complex_step"}),
        ("wrong_leaves", "jnp.logical_not(error <= tolerance)", "not error <= tolerance", {"wrong_leaves"}),
    ],
)
def test_complex_steps_and_differences_are_right_where_they_are_what_is_asked(name, old, now, weaker, remote):
    exercise = find_exercise(f"numerical_gradients.{name}")
    text = (SOLUTIONS / "numerical_gradients.py").read_text(encoding="utf-8")
    assert old in text
    answers = remote(text.replace(old, now), (exercise,))
    verdict = judge(exercise, answers)
    assert verdict.status is Status.RIGHT, verdict.lines
    assert answers.weaker == weaker


DRAWN = "jnp.sqrt(variance) * jax.random.normal(key, (d_in, d_out))"


@pytest.mark.parametrize(
    "instead, status, says",
    [
        (DRAWN, Status.RIGHT, ""),
        (f"2 * {DRAWN}", Status.WRONG, "times the right one"),
        (DRAWN.replace("key,", "jax.random.key(0),"), Status.WRONG, "Two keys give the same numbers"),
        (
            "jax.nn.initializers.glorot_normal()(key, (d_in, d_out))",
            Status.REFUSED,
            "`jax.nn.initializers.glorot_normal` has ready",
        ),
    ],
)
def test_what_draws_from_a_key_is_judged_apart_by_its_moments(instead, status, says, remote):
    exercise = find_exercise("vanishing_gradients.xavier")
    text = (SOLUTIONS / "vanishing_gradients.py").read_text(encoding="utf-8")
    assert text.count(DRAWN) == 1
    verdict = judge(exercise, remote(text.replace(DRAWN, instead), (exercise,)), seed=1 << 70, feedback=Feedback.NAME)
    assert verdict.status is status
    assert says in " ".join(verdict.lines)


STEP = find_exercise("optimizers.momentum")
STEP = dataclasses.replace(STEP, task=dataclasses.replace(STEP.task, mistakes=()))

MOMENTUM = """
import jax
import jax.numpy as jnp
{imports}

def momentum_init(params):
    return {start}


def momentum_update(grads, state, params, rate, decay):
    total = jax.tree.map(lambda g, u: g + decay * u, grads, {held})
    return jax.tree.map(lambda u: -rate * u, total), {then}
"""
TREE = {"imports": "", "start": "jax.tree.map(jnp.zeros_like, params)", "held": "state", "then": "total"}
OWN_CLASS = """
import dataclasses
@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Held:
    total: object
    steps: object
"""


@pytest.mark.parametrize(
    "parts, status, said",
    [
        ({}, Status.RIGHT, ""),
        (
            {
                "imports": OWN_CLASS,
                "start": "Held(jax.tree.map(jnp.zeros_like, params), 0)",
                "held": "state.total",
                "then": "Held(total, state.steps + 1)",
            },
            Status.RIGHT,
            "",
        ),
        ({"then": "grads"}, Status.WRONG, "Right for 2 of 100 steps"),
        ({"then": "(total, print)"}, Status.WRONG, "arrays and numbers"),
        (
            {"imports": "held = []", "held": "held[-1] if held else state", "then": "held.append(total) or state"},
            Status.WRONG,
            "",
        ),
        ({"imports": "import optax", "then": "optax.trace(decay)"}, Status.REFUSED, "`optax`"),
        ({"then": "__import__('optax')"}, Status.REFUSED, "__import__"),
        ({"imports": "import numpy as np", "then": "jax.tree.map(np.asarray, total)"}, Status.WRONG, "use `jnp`"),
    ],
    ids=[
        "a tree",
        "a class of one's own",
        "wrong",
        "no numbers in the state",
        "state kept outside",
        "Optax's",
        "Optax's by a way round",
        "not traceable",
    ],
)
def test_an_optimiser_is_judged_apart_along_its_run_whatever_its_state_is_made_of(parts, status, said, remote):
    answers = remote(MOMENTUM.format(**{**TREE, **parts}), (STEP,))
    verdict = judge(STEP, answers)
    assert verdict.status is status
    assert said in " ".join((verdict.headline, *verdict.lines))
    assert not answers.weaker


def test_a_tape_of_a_lesson_crosses_and_what_goes_along_it_is_judged_apart(remote):
    (sweep,) = select("reverse_mode.sweep")
    text = (SOLUTIONS / "reverse_mode.py").read_text(encoding="utf-8")
    answers = remote(text.partition("\n\n\ndef topological_order")[0], (sweep,))
    assert judge(sweep, answers).right
    assert answers.weaker == {"sweep"}
    backwards = remote(text.partition("\n\n\ndef topological_order")[0].replace("reversed(", "("), (sweep,))
    assert "the step of the output" in " ".join(judge(sweep, backwards, feedback=Feedback.NAME).lines)


@pytest.mark.parametrize("name", ["descend", "norm", "init", "fit", "line"])
def test_trees_and_keys_are_handed_to_a_submission_apart(name, remote):
    exercise = find_exercise(f"parameter_trees.{name}")
    answers = remote((SOLUTIONS / "parameter_trees.py").read_text(encoding="utf-8"), (exercise,))
    verdict = judge(exercise, answers)
    assert verdict.status is Status.RIGHT, verdict.lines
