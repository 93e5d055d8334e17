"""`course train` as a person meets it: what it says, what it leaves behind, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course.cli import main
from course.training import DEMOS, checkpoints, session
from course.training.demo import find_demo
from course.training.plan import Request
from course.training.session import resume_command

ROOT = Path(__file__).parents[2]
COURSE = [sys.executable, "-W", "error", "-c", "import sys; from course.cli import main; sys.exit(main())"]

WRONG = """
import jax.numpy as jnp
from solutions.mlp import mlp_loss_bwd as right_bwd
from solutions.mlp import mlp_loss_fwd as right_fwd


def mlp_loss_fwd(params, x, labels):
    return right_fwd(params, x, labels)


def mlp_loss_bwd(residuals, loss_bar):
    params_bar, _, _ = right_bwd(residuals, 2 * loss_bar)
    return params_bar, None, None
"""


@pytest.fixture
def no_picture(monkeypatch, tmp_path):
    """Drawing takes seconds, and has a test of its own."""
    monkeypatch.setattr(session, "save_picture", lambda results, folder, praise: (folder / "c.png", folder / "c.svg"))


@pytest.fixture
def course(capsys, monkeypatch, tmp_path, no_picture):
    """Runs a command in an empty folder; returns its status and its words."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = main([*arguments])
        captured = capsys.readouterr()
        return status, " ".join((captured.out + captured.err).split())

    return run


def losses_in(folder):
    """The losses in the newest checkpoint of a folder, and its step."""
    saved = checkpoints.newest(folder / "checkpoints")
    return saved.step, {name: history["losses"] for name, history in saved.histories.items()}


def test_the_command_line_knows_every_demo_and_each_reaches_for_its_aim():
    for name in DEMOS:
        demo = find_demo(name)
        assert demo.name == name
        assert demo.score.aim > 0


def test_a_demo_with_samples_shows_them_as_it_learns_and_keeps_them(course, tmp_path):
    status, text = course("train", "char-rnn", "--gradient", "hand", "--steps", "106")
    assert status == 0
    assert re.search(r"step 53: [A-Z][a-z]+ .* step 106: [A-Z]", text)
    assert re.search(r"It writes: [A-Z][a-z]+ ", text)
    assert "counting, 3 back 2.95 bits per character" in text
    kept = (tmp_path / "runs" / "char-rnn-hand" / "samples.txt").read_text(encoding="utf-8").splitlines()
    assert [line.partition(":")[0] for line in kept] == ["step 53", "step 106"]


def test_both_says_the_device_and_that_the_curves_are_equal(course, tmp_path):
    status, text = course("train", "mlp", "--gradient", "both", "--steps", "18")
    assert status == 0
    assert text.startswith("On CPU, JAX ")
    assert "18 steps of 64 examples · learning rate 0.003 · seed 0" in text
    assert "gradient: by hand (solutions) and jax.value_and_grad" in text
    assert "The two curves are equal to rounding" in text
    assert losses_in(tmp_path / "runs" / "mlp-both")[0] == 18


def test_a_finished_run_is_begun_afresh_and_a_longer_one_goes_on_when_asked(course, tmp_path):
    options = ("train", "mlp", "--gradient", "jax")
    course(*options, "--steps", "18")
    assert "Going on" not in course(*options, "--steps", "18")[1]
    assert "Going on from step 18 of 36" in course(*options, "--epochs", "2", "--resume")[1]
    step, losses = losses_in(tmp_path / "runs" / "mlp-jax")
    assert (step, len(losses["jax"])) == (36, 36)
    status, text = course(*options, "--seed", "1", "--resume")
    assert status == 2
    assert re.search(r"began with seed 0, not 1: --fresh starts over", text)


def test_nothing_to_resume_is_one_sentence(course):
    assert course("train", "mlp", "--gradient", "jax", "--resume") == (
        2,
        "There is no run to resume in runs/mlp-jax: leave out --resume.",
    )


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["vgg"], "'vgg' is not one of 'mlp', 'cnn', 'mnist', 'char-rnn', 'char-lstm', 'gpt', 'ode'"),
        (["mlp", "--steps", "3", "--epochs", "3"], "Say --steps or --epochs, not both."),
        (["mlp", "--steps", "0"], "0 is not in the range"),
        (["mlp", "--batch", "5000"], "--batch must be at most 1197, the examples to learn from; 5000 came."),
        (["mlp", "--devices", "3"], "--devices must be at most 1, as many as JAX finds here; 3 came."),
        (["mlp", "--distributed", "here"], "--distributed takes HOST:PORT,COUNT,INDEX, as localhost:9731,2,0"),
        (["mlp", "--distributed", "here:1,2,2"], "The last of 2 processes is number 1; 2 came."),
        (["mlp", "--submission", "nowhere.py"], "There is no nowhere.py."),
    ],
)
def test_bad_input_is_one_sentence(course, arguments, says):
    status, text = course("train", *arguments)
    assert status == 2
    assert says in text
    assert "Traceback" not in text


def test_divergence_ends_with_the_step_and_advice(course):
    status, text = course("train", "mlp", "--gradient", "jax", "--lr", "1000", "--steps", "36")
    assert status == 1
    assert re.search(
        r"The loss is \S+ at step \d+; it was 2\.\d+ at step 1, and the gradient grew most in layers\[\d\]\.", text
    )
    assert "--lr 100" in text
    assert "nothing was saved yet" in text


def test_after_divergence_the_last_good_checkpoint_goes_on_at_a_lower_rate(course, tmp_path):
    options = ("train", "mlp", "--gradient", "jax")
    course(*options, "--steps", "18")
    status, text = course(*options, "--steps", "54", "--resume", "--lr", "1000")
    assert status == 1
    assert "the checkpoint of step 18 is good: course train mlp --gradient jax --resume --lr 100" in text
    assert course(*options, "--resume", "--lr", "0.001", "--steps", "36")[0] == 0
    assert losses_in(tmp_path / "runs" / "mlp-jax")[0] == 36


def test_a_wrong_pair_is_not_trained_on_unless_one_insists(course, tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    options = ("train", "mlp", "--submission", "wrong.py", "--steps", "18")
    status, text = course(*options)
    assert status == 2
    assert "The pair of mlp.mlp_loss in wrong.py is not right: " in text
    assert "`course check mlp --submission wrong.py` says more; --anyway trains on it as it is." in text
    assert not (tmp_path / "runs").exists()
    status, text = course(*options, "--anyway", "--gradient", "hand")
    assert status == 0
    assert "it is trained on anyway" in text
    assert "lines by hand" not in text


@pytest.mark.slow
def test_an_own_right_pair_is_praised_with_what_was_measured(course, tmp_path):
    (tmp_path / "mine.py").write_text(WRONG.replace("2 * loss_bar", "loss_bar"), encoding="utf-8")
    status, text = course("train", "mlp", "--submission", "mine.py", "--gradient", "hand", "--steps", "18")
    assert status == 0
    praise = re.search(r"(\d+) lines by hand, no autodiff · agrees to (\S+) · (\S+)× jax.grad's speed", text)
    assert int(praise[1]) > 3
    assert 0 < float(praise[2]) < 1e-14
    assert 0.2 < float(praise[3]) < 5


def test_without_answers_it_trains_on_jax_alone_and_says_so(course, monkeypatch, tmp_path):
    import course as package

    monkeypatch.setattr(package, "__file__", str(tmp_path / "course" / "__init__.py"))
    status, text = course("train", "mlp", "--steps", "18")
    assert status == 0
    assert "this trains on jax.value_and_grad alone" in text
    status, text = course("train", "mlp", "--gradient", "hand")
    assert status == 2
    assert "name your own with --submission, or train with --gradient jax" in text


def test_the_command_to_go_on_names_what_is_needed_and_no_more(monkeypatch):
    monkeypatch.setenv("HANDGRAD_COMMAND", "python3 run.py")
    assert resume_command(Request("mlp")) == "python3 run.py train mlp --resume"
    request = Request("mlp", "both", "my work/mlp.py", {"lr": 0.1}, anyway=True)
    assert resume_command(request) == (
        "python3 run.py train mlp --gradient both --submission 'my work/mlp.py' --anyway --resume"
    )


def test_help_needs_no_jax():
    program = "import sys; from course.cli import main; main(['train', '--help']); print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split()[-1] == "False"


class Process:
    """`course train mlp --gradient both --steps 360` in a process of its own, saving after every epoch."""

    arguments = ("train", "mlp", "--gradient", "both", "--steps", "360", "--save-every", "0")

    def __init__(self, folder):
        self.folder = folder / "runs" / "mlp-both"
        self.process = subprocess.Popen(
            [*COURSE, *self.arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for_step(self, step):
        """Waits until a checkpoint of this step or a later one is there."""
        while self.process.poll() is None:
            if any(int(path.name) >= step for path in self.folder.glob("checkpoints/*") if path.name.isdigit()):
                return
            time.sleep(0.02)
        raise AssertionError(self.process.communicate()[0])

    def end(self):
        """Waits for its end; returns its status and its words."""
        output = self.process.communicate(timeout=300)[0]
        return self.process.returncode, output


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The losses of a run that nothing happened to."""
    whole = Process(tmp_path_factory.mktemp("whole"))
    status, output = whole.end()
    assert status == 0, output
    return losses_in(whole.folder)


@pytest.mark.slow
def test_after_ctrl_c_the_said_command_gives_the_uninterrupted_run(course, tmp_path, uninterrupted):
    started = Process(tmp_path)
    started.wait_for_step(36)
    started.process.send_signal(signal.SIGINT)
    status, output = started.end()
    assert status == 130
    said = re.search(r"Stopped and saved at step (\d+) of 360\. To go on:\n\s+course (.*)", output)
    step, losses = losses_in(started.folder)
    assert int(said[1]) == step == len(losses["hand"]) < 360
    assert course(*said[2].split())[0] == 0
    assert losses_in(started.folder) == uninterrupted


@pytest.mark.slow
def test_after_kill_9_the_run_goes_on_to_the_uninterrupted_one(tmp_path, uninterrupted):
    for step in (18, 126):
        started = Process(tmp_path)
        started.wait_for_step(step)
        started.process.kill()
        started.end()
        assert losses_in(started.folder)[0] < 360
    status, output = Process(tmp_path).end()
    assert status == 0
    assert "Going on from step" in output
    assert losses_in(started.folder) == uninterrupted
