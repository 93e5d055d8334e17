"""Claims about training in several processes: two real ones, on this machine."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from course.training import TrainingError, checkpoints
from course.training.processes import LOST, Joined

ROOT = Path(__file__).parents[2]
COURSE = [sys.executable, "-c", "import sys; from course.cli import main; sys.exit(main())"]
BY_HAND = ["train", "mlp", "--gradient", "hand"]


def test_a_place_among_processes_reads_as_it_is_written():
    joined = Joined.read("localhost:9731,2,1")
    assert joined == Joined("localhost:9731", 2, 1)
    assert Joined.read(str(joined)) == joined


@pytest.mark.parametrize("text", ["localhost,2,0", "localhost:9731,2", "localhost:9731,2,2", "localhost:9731,two,0"])
def test_what_is_no_place_among_processes_is_refused(text):
    with pytest.raises(TrainingError, match=re.escape(text) if not text.endswith(",2,2") else "number 1; 2 came"):
        Joined.read(text)


def started(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    command = [*COURSE, *BY_HAND, *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


def losses_in(folder):
    saved = checkpoints.newest(folder / "mlp-hand" / "checkpoints")
    return saved.step, saved.histories["hand"]["losses"]


def wait_for_a_checkpoint(folder, process):
    steps = folder / "mlp-hand" / "checkpoints"
    for _ in range(600):
        if steps.is_dir() and any(place.name.isdigit() for place in steps.iterdir()):
            return
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.2)
    raise AssertionError("no checkpoint came")


def lost_one(folder):
    """The first process of two, and what it said and told, after the second one was killed."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    long = ["--steps", "18000", "--save-every", "0.5"]
    first, second = (started(folder, *long, "--distributed", f"{address},2,{index}") for index in (0, 1))
    wait_for_a_checkpoint(folder / "runs", first)
    second.kill()
    said, told = (text.decode() for text in first.communicate(timeout=60))
    second.communicate()
    return first.returncode, said, told


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one_and_when_one_is_killed_the_run_goes_on_alone(tmp_path):
    for folder in (tmp_path / "once", tmp_path / "again"):
        status, said, told = lost_one(folder)
        if status != -signal.SIGABRT:  # rarely JAX's runtime ends the process before we can say anything
            break
    assert status == LOST, told
    assert "2 devices, each a CPU, in 2 processes" in said
    assert re.search(r"Another process is gone .*; the checkpoint of step \d+ is good", told)
    assert "--resume" in told

    step, together = losses_in(folder / "runs")
    going_on = started(folder, "--resume", "--steps", str(step + 18))
    alone = started(folder, "--steps", str(step + 18), "--folder", "alone")
    for process in (going_on, alone):
        assert process.communicate(timeout=120) is not None
        assert process.returncode == 0
    (_, resumed), (last, uninterrupted) = losses_in(folder / "runs"), losses_in(folder / "alone")
    assert last == step + 18
    assert np.allclose(together, uninterrupted[:step], rtol=0, atol=1e-13)
    assert np.allclose(resumed, uninterrupted, rtol=0, atol=1e-13)
