"""A run from its first line to its last: judged, trained, stopped or summed up."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import shlex
import time
from collections.abc import Iterator

import jax
from rich.console import Console

from course.comparison.faults import fault_of
from course.show import words
from course.training import TrainingError, checkpoints
from course.training.bar import Bar
from course.training.both import race
from course.training.demo import Demo
from course.training.interrupt import stoppable
from course.training.loop import Diverged, Run, Training
from course.training.pair import Pair, compare_on_network, judge_of, largest_error
from course.training.plan import Plan, Request, make_plan
from course.training.processes import Lost, any_says, is_first, join
from course.training.report import Praise, print_results, save_picture, say
from course.training.results import HAND, LABELS, Results, results_of

INTERRUPTED = 130
"""The exit status by which a shell knows Ctrl-C."""

SAMPLES = "samples.txt"
"""The file in a run's folder that keeps what was shown while it learned."""

_RACE_STEPS, _RACE_TURNS = 360, 18
"""The most steps, and turns, of the race that measures the speed of an answer that was trained alone."""


def run_session(request: Request, out: Console, err: Console) -> int:
    """Trains as requested and returns the exit status; `err` gets what is shown for a while only.

    Raises:
        TrainingError: What was asked can't be done.
        SubmissionError: There is no such submission.
    """
    if request.joined:
        join(request.joined)
        out.quiet = err.quiet = not is_first()
    plan = make_plan(request)
    _say_what(plan, out)
    error = _judge(plan, out, err)
    training = Training(plan.demo, plan.settings, plan.gradients, plan.splits, plan.mesh)
    run = _begin(plan, training, err)
    try:
        run, finished = _train(plan, training, run, err)
    except Diverged as why:
        _say_diverged(plan, why, out)
        return 1
    except jax.errors.JaxRuntimeError as why:
        if not request.joined:
            raise
        raise Lost(_what_is_left(plan, why)) from why
    if not finished:
        say(out, f"Stopped and saved at step {run.step} of {plan.settings.steps}. To go on:")
        say(out, f"  {resume_command(request)}", whole=True)
        return INTERRUPTED
    if is_first():
        _sum_up(plan, training, run, error, out, err)
    return 0


def resume_command(request: Request) -> str:
    """What to type to go on; the settings are in the checkpoint."""
    options = {"--gradient": request.gradient, "--submission": request.submission}
    if request.folder != Request.folder:
        options["--folder"] = str(request.folder)
    if request.devices != Request.devices:
        options["--devices"] = str(request.devices)
    if request.joined:
        options["--distributed"] = str(request.joined)
    said = [word for option, value in options.items() if value is not None for word in (option, value)]
    return words.command(shlex.join(["train", request.demo, *said, *["--anyway"] * request.anyway, "--resume"]))


def _say_what(plan: Plan, out: Console) -> None:
    """Says on what, what, and how; the device is JAX's choice."""
    device, settings = jax.devices()[0], plan.settings
    kind = device.platform.upper() + (f" ({device.device_kind})" if device.device_kind != device.platform else "")
    if plan.mesh:
        simulated = device.platform == "cpu" and plan.mesh.size > jax.process_count()
        kind = f"{plan.mesh.size} devices, each a {'simulated ' * simulated}{kind}"
    if jax.process_count() > 1:
        kind += f", in {jax.process_count()} processes"
    say(out, f"On {kind}, JAX {jax.__version__}, {settings.dtype}: {plan.demo.title}.", style="bold")
    whose = {HAND: f" ({plan.pair.submission.where})" if plan.pair else ""}
    ways = " and ".join(LABELS[name] + whose.get(name, "") for name in plan.gradients)
    say(
        out,
        f"{settings.steps} steps of {settings.batch} examples · learning rate {settings.lr:g} · seed {settings.seed}",
    )
    say(out, f"gradient: {ways}")
    for note in plan.notes:
        say(out, note)


def _judge(plan: Plan, out: Console, err: Console) -> float | None:
    """Judges somebody's own pair; returns its largest relative error on the network, None where there is none to tell.

    Raises:
        TrainingError: The pair is wrong, and nobody said to train on it all the same.
    """
    if plan.pair is None or not plan.pair.theirs:
        return None
    with err.status("judging the pair"):
        wrong, error = _find_out(plan, plan.pair)
    if not wrong:
        return error
    if not plan.request.anyway:
        raise TrainingError(f"{wrong}. `{_check_command(plan)}` says more; --anyway trains on it as it is.")
    say(out, f"{wrong}; it is trained on anyway.")
    return None


def _find_out(plan: Plan, pair: Pair) -> tuple[str, float | None]:
    """What is wrong with a pair, if anything, and the largest error where nothing is."""
    for name, verdict in judge_of(pair).items():
        if not verdict.right:
            return f"The pair of {name} in {pair.submission.where} is not right: {verdict.headline}", None
    comparison = compare_on_network(pair, plan.splits)
    if not comparison.agrees:
        return f"The pair in {pair.submission.where} is not right on this network: {comparison.headline}", None
    return "", largest_error(comparison)


def _check_command(plan: Plan) -> str:
    """What to type to be told more about the pair."""
    path = plan.request.submission
    words_typed = ["check", *_lessons(plan.demo), *(["--submission", path] if path else [])]
    return words.command(shlex.join(words_typed))


def _lessons(demo: Demo) -> list[str]:
    """Those whose pairs a demo is trained on."""
    return sorted({name.partition(".")[0] for name in demo.exercises})


def _what_is_left(plan: Plan, error: Exception) -> str:
    """What is said where another process is gone, and how to go on."""
    saved = checkpoints.newest(plan.checkpoints)
    left = f"the checkpoint of step {saved.step} is good" if saved else "nothing was saved yet"
    again = f"To go on, in each process with its own number:\n  {resume_command(plan.request)}" if saved else ""
    return f"Another process is gone ({str(error).splitlines()[0][:90]}); {left}. {again}".rstrip()


def _begin(plan: Plan, training: Training, err: Console) -> Run:
    """Makes room for the run, reads its checkpoint if it goes on from one, and compiles.

    Raises:
        TrainingError: The folder can't be written, the checkpoint can't be read, or the pair can't be compiled.
    """
    if plan.saved is None and is_first():
        checkpoints.discard(plan.checkpoints)
        (plan.folder / SAMPLES).unlink(missing_ok=True)
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{plan.folder} can't be written ({error.strerror}): name another --folder.") from error
    with err.status("compiling"), _their_code(plan):
        run = training.start() if plan.saved is None else checkpoints.load(plan.checkpoints, plan.saved, training)
        training.prepare(run)
    return run


@contextlib.contextmanager
def _their_code(plan: Plan) -> Iterator[None]:
    """Runs somebody's code at home and silently; what it raises becomes one sentence.

    Raises:
        TrainingError: It can't be compiled.
    """
    if plan.pair is None or not plan.pair.theirs:
        yield
        return
    try:
        with plan.pair.found.at_home(), contextlib.redirect_stdout(io.StringIO()):
            yield
    except TrainingError:
        raise
    except Exception as error:
        fault = fault_of(error, plan.pair.names[0])
        place = f" ({fault.line})" if fault.line else ""
        raise TrainingError(f"The pair can't be compiled: {fault.message}{place}") from error


def _train(plan: Plan, training: Training, run: Run, err: Console) -> tuple[Run, bool]:
    """Trains to the last step, or until Ctrl-C, and saves. Returns also whether it was the last step.

    Raises:
        Diverged: The loss has left all bounds.
    """
    with (
        checkpoints.opened(plan.checkpoints) as manager,
        Bar(err, plan.settings.steps, plan.demo.score) as bar,
        stoppable(bar.say_stopping) as stop_asked,
    ):
        saved_at = time.monotonic()
        while run.step < plan.settings.steps and not any_says(stop_asked()):
            run = training.advance(run)
            bar.show(run)
            if is_first() and training.sampled(run.step):
                _show_sample(plan, training, run, bar)
            if time.monotonic() - saved_at > plan.request.save_every:
                checkpoints.save(manager, run, plan.origin)
                saved_at = time.monotonic()
        checkpoints.save(manager, run, plan.origin)
    return run, run.step >= plan.settings.steps


def _show_sample(plan: Plan, training: Training, run: Run, bar: Bar) -> None:
    """Shows what was learned so far, above the bar, and keeps it in the run's folder."""
    line = f"step {run.step}: {training.sample(run)}"
    bar.say(line)
    with (plan.folder / SAMPLES).open("a", encoding="utf-8") as file:
        print(line, file=file)


def _say_diverged(plan: Plan, why: Diverged, out: Console) -> None:
    """Says what happened, what may help, and what is left."""
    lower = f"--lr {plan.settings.lr / 10:g}"
    saved = checkpoints.newest(plan.checkpoints)
    if saved is None:
        say(out, f"{why}. A lower learning rate may help, as {lower}; nothing was saved yet.")
        return
    say(out, f"{why}. A lower learning rate may help, and the checkpoint of step {saved.step} is good:")
    say(out, f"  {resume_command(plan.request)} {lower}", whole=True)


def _sum_up(plan: Plan, training: Training, run: Run, error: float | None, out: Console, err: Console) -> None:
    """Prints and draws the results; an answer of somebody's own that is right gets its line of praise."""
    results = results_of(training, run)
    say(out, "")
    if results.sample:
        say(out, f"It writes: {results.sample}\n")
    print_results(out, results)
    praise = None if error is None or plan.pair is None else _praise(plan, plan.pair, results, error, err)
    try:
        png, svg = save_picture(results, plan.folder, praise)
    except ImportError:
        say(out, "The picture needs matplotlib: pip install 'handgrad[plots]'")
    else:
        say(out, f"Picture: {png} and {svg.name}", whole=True)
    if praise:
        say(out, f"\n{praise}", style="bold")


def _praise(plan: Plan, pair: Pair, results: Results, error: float, err: Console) -> Praise:
    ratio = results.ratio
    if ratio is None:
        demo = dataclasses.replace(plan.demo, settings=plan.settings)
        with err.status("measuring the speed beside jax.grad"), _their_code(plan):
            ratio = race(demo, *pair.functions, steps=min(_RACE_STEPS, _RACE_TURNS * demo.chunk_steps))
    return Praise(pair.found.line_count, error, ratio)
