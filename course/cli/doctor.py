"""`course doctor`: what this machine has for the course, what it lacks, and what to do about that."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from course.answers import find_folder
from course.show.words import command, size

EXTRAS = {
    "notebook": ("jupyterlab", "notebooks in the browser"),
    "plots": ("matplotlib", "pictures"),
    "train": ("sklearn", "the training demos"),
    "grade": ("flatbuffers", "grading a class"),
}
"""For each optional part of the installation, a package that tells whether it is there, and what it is for."""

_LAYERS = """
import tempfile
from course.grading.strangers.sandbox import Confinement, confine
with tempfile.TemporaryDirectory() as scratch:
    print(*confine(Confinement(("/",), scratch)), flush=True)
    import os
    os._exit(0)
"""


class Finding(NamedTuple):
    """One thing that was looked at; `advice` says what to do where it is not well."""

    well: bool
    what: str
    says: str
    advice: str = ""


@click.command()
def doctor() -> int:
    """Look at Python, JAX, the device, the caches and your folder, and say what to do.

    The exit status is 0 when the course can be worked through here.
    """
    from rich.console import Console

    from course.show import faces
    from course.show.page import Page

    page = Page(Console(highlight=False), 100)
    found = []
    for finding in _findings():
        face = faces.of_row(finding.well)
        page.put(page.sentence(f"{face.glyph} {finding.what:<10} {finding.says}", style=face.terminal))
        if finding.advice and not finding.well:
            page.put(page.sentence(finding.advice, indent="    "))
        found.append(finding)
    return 0 if all(finding.well for finding in found if finding.what in ("Python", "JAX")) else 1


def _findings() -> Iterator[Finding]:
    yield _python()
    yield from _jax()
    yield from _cache()
    yield from _extras()
    yield _folder()
    yield _confinement()


def _python() -> Finding:
    version = platform.python_version()
    well = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(well, "Python", f"{version} at {sys.executable}", "The course is for Python 3.11 to 3.13.")


def _jax() -> Iterator[Finding]:
    try:
        import jax

        from course.comparison.by_hand.routes import TESTED, is_tested
        from course.grading.soundness import Unsound, require_sound_jax
    except ImportError as error:
        yield Finding(False, "JAX", f"can't be imported: {error}", "Install the course again.")
        return
    try:
        require_sound_jax()
    except Unsound as error:
        yield Finding(False, "JAX", f"{jax.__version__} computes wrongly", str(error))
        return
    tested = "tested" if is_tested() else f"not tested; {' and '.join(TESTED)} are"
    yield Finding(True, "JAX", f"{jax.__version__}, {tested}; two known numbers come out right")
    devices = ", ".join(sorted({f"{device.platform}: {device.device_kind}" for device in jax.devices()}))
    yield Finding(True, "device", f"{devices}. Judging runs on the CPU, training on the first of these.")


def _cache() -> Iterator[Finding]:
    from course.compile_cache import cache_folder

    place = cache_folder()
    files = [file for file in place.rglob("*") if file.is_file()]
    kept = sum(file.stat().st_size for file in files)
    yield Finding(True, "cache", f"{size(kept)} of compiled programs in {place}; it may be deleted at any time.")


def _extras() -> Iterator[Finding]:
    for extra, (package, what) in EXTRAS.items():
        there = importlib.util.find_spec(package) is not None
        says = f"{what}: {'installed' if there else f'{package} is not installed'}"
        yield Finding(there, extra, says, f"pip install 'handgrad[{extra}]'")


def _folder() -> Finding:
    folder = find_folder(Path.cwd())
    if folder is None:
        return Finding(False, "folder", "this is no folder of the course", f"Make one: {command('start')}")
    from course.cli.folder import attempts_in

    known = attempts_in(folder).known
    return Finding(True, "folder", f"{folder}: {sum(tried.right for tried in known.values())} right so far")


def _confinement() -> Finding:
    """Which layers a stranger's answer would be confined by here; a teacher's question."""
    from course.grading.strangers.sandbox import LAYERS

    done = subprocess.run([sys.executable, "-c", _LAYERS], capture_output=True, text=True)
    held = done.stdout.split()
    missing = [layer for layer in LAYERS if layer not in held]
    if not missing:
        return Finding(True, "sandbox", f"strangers' answers run confined: {', '.join(held)}")
    advice = "Nothing of a stranger's is run here unless `course grade` is told --trust-submissions: use Linux 5.13 up."
    return Finding(False, "sandbox", f"missing here: {', '.join(missing)}", advice)
