"""Judges the judge: `python -m evidence [SECTION ...] [--list | --slice | --page]`."""

from __future__ import annotations

import importlib
import os

import click

from course.compile_cache import use_compile_cache
from course.quick_compile import compile_quickly
from tests.one_context import share_lowering_context

SECTIONS = ("corpus", "mutation", "lazy", "attacks")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(SECTIONS), metavar="[SECTION ...]")
@click.option("--list", "unexplained", is_flag=True, help="Print the mutants that nothing explains.")
@click.option("--slice", "sample", is_flag=True, help="Run a fixed sample, in a minute, and write nothing.")
@click.option("--page", is_flag=True, help="Judge nothing: make the page from what was found before.")
@click.pass_context
def main(context: click.Context, names: tuple[str, ...], unexplained: bool, sample: bool, page: bool) -> None:
    """Judges the judge, by SECTION: corpus, mutation, lazy, attacks; all of them by default.

    A whole run writes docs/evidence.md, where what was found on other versions of JAX stands beside; it exits with 1
    where something is not as it must be. What was done already is not done again until a source that it runs changes.
    """
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    use_compile_cache()
    compile_quickly()
    share_lowering_context()
    from evidence import report

    sections = {name: importlib.import_module(f"evidence.{name}") for name in names or SECTIONS}
    if page:
        report.write_page(sections)
    elif sample:
        context.exit(report.run_sample(sections))
    else:
        context.exit(report.run(sections, whole=not names, unexplained=unexplained))


if __name__ == "__main__":
    main(prog_name="python -m evidence")
