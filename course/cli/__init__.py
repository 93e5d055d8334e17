"""The command `course`. A command's module is imported when the command is run, so that what needs no JAX is quick."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

import click

INTERRUPTED = 130
"""The exit status by which a shell knows Ctrl-C."""

_ALL = "course.cli.all"

OUR_FAULT = 70
"""The exit status by which programs of old say that they failed themselves."""


class _Command(NamedTuple):
    """Where a command is, what it does in one line, and whether it is of every day."""

    home: str
    says: str
    daily: bool = False


COMMANDS = {
    "start": _Command("course.cli.start:start", "Make a folder to work in.", daily=True),
    "next": _Command("course.cli.here:next_", "Say what comes next.", daily=True),
    "check": _Command("course.cli.check:check", "Judge your answers.", daily=True),
    "watch": _Command("course.cli.watch:watch", "Judge what you save, as you save it.", daily=True),
    "hint": _Command("course.cli.hint:hint", "Give one hint more.", daily=True),
    "open": _Command("course.cli.opening:open_", "Open a lesson's file.", daily=True),
    "show": _Command("course.cli.show:show", "Show the numbers of a question.", daily=True),
    "progress": _Command("course.cli.standing:progress", "Show how far you are.", daily=True),
    "solution": _Command("course.cli.solution:solution", "Show our answer, once yours is right."),
    "reset": _Command("course.cli.reset:reset", "Put back what was handed out; yours is kept."),
    "explain": _Command("course.cli.explain:explain", "Explain a mistake by its name."),
    "tour": _Command("course.cli.tour:tour", "See all of it in a minute."),
    "train": _Command("course.cli.train:train", "Train a network on a hand-written backward pass."),
    "compare": _Command("course.cli.compare:compare", "Judge a backward pass of your own."),
    "pack": _Command("course.cli.pack:pack", "Make the file that you hand in."),
    "grade": _Command("course.cli.grade:grade", "Judge what a class handed in."),
    "doctor": _Command("course.cli.doctor:doctor", "Look at this machine, and say what to do."),
    "completion": _Command("course.cli.completion:completion", "Let your shell complete these words."),
}


class _Course(click.Group):
    """The group, whose commands are known by name and loaded by need."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Notes beforehand whether every command is to be listed: `--help` is answered before `--all` is read."""
        ctx.meta[_ALL] = "--all" in takewhile(lambda word: word.startswith("-"), args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name, imported now."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].home.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed.

        Raises:
            UsageError: There is none; the nearest name is in its message.
        """
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}."
            raise click.UsageError(f"There is no command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands of every day, or all, without importing them."""
        every = ctx.meta.get(_ALL, False)
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.says) for name, row in COMMANDS.items() if every or row.daily])
        if not every:
            formatter.write_text("There are more: course --help --all")


def _list_all(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(context.get_help())
        context.exit()


@click.group(cls=_Course, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--all", is_flag=True, expose_value=False, callback=_list_all, help="List every command.")
@click.version_option(package_name="handgrad", prog_name="handgrad", message="%(prog)s %(version)s")
@click.pass_context
def course(context: click.Context) -> None:
    """Write the backward pass by hand in JAX, and find out what is right, what is wrong and what it costs.

    Alone, it says where you are and what comes next.
    """
    if context.invoked_subcommand is None:
        from course.cli.here import say_where

        say_where()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status.

    What a person did wrong is said in one sentence, with status 2. What we did wrong, too, with status 70: the
    traceback is shown where HANDGRAD_TRACEBACK is set.
    """
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        return int(course.main(arguments, prog_name="course", standalone_mode=False) or 0)
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # as in `course check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again when it exits
        return 0
    except Exception as error:
        if os.environ.get("HANDGRAD_TRACEBACK"):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        click.echo(f"The course itself failed, which is our fault: {reason}", err=True)
        click.echo("Please report it, with what HANDGRAD_TRACEBACK=1 shows when you type the same again.", err=True)
        return OUR_FAULT
