"""Ctrl-C, in two stages: the first asks the loop to stop where it can, the second ends the process at once.

A signal can arrive while a chunk is running, which has taken the memory of the last state: nothing could be saved then.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stoppable(on_request: Callable[[], None] = lambda: None) -> Iterator[Callable[[], bool]]:
    """Within it Ctrl-C only raises a flag, and calls `on_request`; yields what tells whether the flag is up.

    In another thread than the main one, which gets no signals, the flag stays down.
    """
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the next one is the operating system's business
        on_request()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
