"""Claims about Ctrl-C."""

import signal
import subprocess
import sys
import threading

from course.training.interrupt import stoppable

PROGRAM = """
import signal
from course.training.interrupt import stoppable
with stoppable(lambda: print("asked", flush=True)) as stop_asked:
    signal.raise_signal(signal.SIGINT)
    print(stop_asked(), flush=True)
    signal.raise_signal(signal.SIGINT)
    print("still here", flush=True)
"""


def test_the_first_ctrl_c_raises_a_flag_and_nothing_else():
    asked = []
    with stoppable(lambda: asked.append(1)) as stop_asked:
        assert not stop_asked()
        signal.raise_signal(signal.SIGINT)
        assert stop_asked()
    assert asked == [1]


def test_afterwards_ctrl_c_is_what_it_was():
    before = signal.getsignal(signal.SIGINT)
    with stoppable():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_the_process_at_once():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout.split() == ["asked", "True"]
    assert done.returncode != 0


def test_in_another_thread_nothing_is_touched():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work():
        with stoppable() as stop_asked:
            seen.append((stop_asked(), signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, True)]
