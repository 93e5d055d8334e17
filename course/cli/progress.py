"""One line on the terminal that says what takes so long, once something does."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

PATIENCE = 1.0
"""Seconds before anything is said."""


class Progress:
    """Says on stderr what is being done, if that is a terminal; leaves nothing behind."""

    def __init__(self, *, shown: bool = True) -> None:
        self._text = ""
        self._status: Status | None = None
        self._lock = threading.Lock()
        self._over = not (shown and sys.stderr.isatty())
        self._timer = threading.Timer(PATIENCE, self._appear)
        self._timer.daemon = True

    def __enter__(self) -> Progress:
        if not self._over:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._status is not None:
                self._status.stop()

    def say(self, text: str) -> None:
        """Changes the line."""
        from rich.markup import escape

        text = escape(text)
        with self._lock:
            self._text = text
            if self._status is not None:
                self._status.update(text)

    def tell(self, text: str) -> None:
        """Changes the line to something worth reading at once, while the rest takes longer."""
        self.say(text)
        self._timer.cancel()
        self._appear()

    def _appear(self) -> None:
        from rich.console import Console
        from rich.status import Status

        with self._lock:
            if not self._over and self._status is None:
                self._status = Status(self._text, console=Console(stderr=True))
                self._status.start()
