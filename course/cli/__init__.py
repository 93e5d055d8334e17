"""The command `course`. A command's module is imported when the command is run, so that what needs no JAX is quick."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

INTERRUPTED = 130
"""The exit status by which a shell knows Ctrl-C."""

OUR_FAULT = 70
"""The exit status by which programs of old say that they failed themselves."""


class _Command(NamedTuple):
    """Where a command is, and what it does in one line."""

    home: str
    says: str


COMMANDS = {
    "start": _Command("course.cli.start", "Make a folder to work in."),
    "check": _Command("course.cli.check", "Judge your answers."),
    "compare": _Command("course.cli.compare", "Judge a backward pass of your own."),
    "train": _Command("course.cli.train", "Train a network on a hand-written backward pass."),
    "tour": _Command("course.cli.tour", "See all of it in a minute."),
    "pack": _Command("course.cli.pack", "Make the file that you hand in."),
    "grade": _Command("course.cli.grade", "Judge what a class handed in."),
}


class _Course(click.Group):
    """The group, whose commands are known by name and loaded by need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a name, imported now."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[name].home), name)
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
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.says) for name, command in COMMANDS.items()])


@click.group(cls=_Course, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
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
