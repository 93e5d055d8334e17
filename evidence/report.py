"""Runs sections under one progress bar, and writes what they found, by version of JAX, to docs/evidence.md."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from evidence.fares import VALUE
from evidence.pieces import Journal, Piece
from evidence.reached import ROOT

FOUND = ROOT / "evidence" / "found"
"""One small JSON a version of JAX."""

PAGE = ROOT / "docs" / "evidence.md"


def run(sections: Mapping[str, ModuleType], *, whole: bool, unexplained: bool) -> int:
    """Runs sections; returns 0 where all is as it must be, else 1.

    Args:
        sections: The modules, by name.
        whole: Whether to write the page.
        unexplained: Whether to print the mutants that nothing explains.
    """
    console = Console(highlight=False, soft_wrap=True)
    results = _results({name: section.pieces() for name, section in sections.items()}, console)
    complaints = [text for name, section in sections.items() for text in section.complaints(results[name])]
    if unexplained:
        for name, result in results.get("mutation", {}).items():
            silent = [row for row in result["rows"] if row[3][0] == VALUE and not row[3][1]]
            for operator, was, now, *_ in silent:
                console.print(f"{name}: {operator}: {was}  ->  {now}", markup=False)
    summaries = {name: section.summary(results[name]) for name, section in sections.items()}
    if whole:
        write(summaries, sections)
    else:
        version = importlib.metadata.version("jax")
        for name, section in sections.items():
            console.print(section.page({version: summaries[name]}), markup=False)
    return _ended(complaints, console)


def run_sample(sections: Mapping[str, ModuleType]) -> int:
    """Runs the sample of each section; returns 0 where all is as it must be, else 1. Writes no page."""
    console = Console(highlight=False, soft_wrap=True)
    results = _results({f"{name}, a sample": section.sample() for name, section in sections.items()}, console)
    found = zip(sections.values(), results.values(), strict=True)
    return _ended([text for section, result in found for text in section.complaints(result)], console)


def _ended(complaints: Sequence[str], console: Console) -> int:
    for text in complaints:
        console.print(text, markup=False)
    console.print(f"{len(complaints)} complaints" if complaints else "All is as it must be.")
    return 1 if complaints else 0


def _results(wanted: Mapping[str, Sequence[Piece]], console: Console) -> dict[str, dict[str, Any]]:
    """What each section's pieces give, by the name of the piece."""
    journal = Journal()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        found = {}
        for name, pieces in wanted.items():
            task = progress.add_task(name, total=sum(piece.steps for piece in pieces))
            found[name] = journal.results(name, pieces, lambda task=task: progress.advance(task))
    return found


def write(summaries: Mapping[str, Any], sections: Mapping[str, ModuleType]) -> None:
    """Keeps what was found on this JAX, and writes the page from what was found on every one."""
    FOUND.mkdir(exist_ok=True)
    here = FOUND / f"jax-{importlib.metadata.version('jax')}.json"
    here.write_text(json.dumps(summaries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    write_page(sections)


def write_page(sections: Mapping[str, ModuleType]) -> None:
    """Writes the page from what was found on every version so far."""
    PAGE.write_text(page(sections, FOUND), encoding="utf-8")


def page(sections: Mapping[str, ModuleType], folder: Path) -> str:
    """The page, from a folder of findings."""
    found = {path.stem.removeprefix("jax-"): json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    parts = ["# Evidence: the judge is judged", "`python -m evidence` wrote this page."]
    for name, section in sections.items():
        by_version = {version: summaries[name] for version, summaries in found.items() if name in summaries}
        parts += [f"## {section.TITLE}", section.page(by_version)]
    return "\n\n".join(parts) + "\n"
