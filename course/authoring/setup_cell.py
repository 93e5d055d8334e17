"""The first code cell of every notebook: finds the course, or says how to get it."""

from __future__ import annotations

INSTALL_SOURCE = ""
"""What pip installs the course from. Empty until it is published; the cell then says how to set up a clone."""

_FOUND = """\
# Run this cell first.
try:
    import course
except ModuleNotFoundError:
"""

_HOW_TO = """\
    raise ModuleNotFoundError(
        "This kernel does not have the course. In a terminal, in the course's own folder (a clone of its repository), "
        "run `python3 run.py` once; then choose the Python in its folder .venv as the kernel of this notebook."
    ) from None
"""

_INSTALL = """\
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "{source}"], check=True)
    import course
"""


def setup_cell(source: str = INSTALL_SOURCE) -> str:
    """The text of the cell, for JupyterLab, VS Code and Colab alike."""
    return (_FOUND + (_INSTALL.format(source=source) if source else _HOW_TO)).rstrip()
