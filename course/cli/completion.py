"""`course completion`: lets a shell complete the command's words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

WHERE = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/completions/course.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(WHERE)))
def completion(shell: str) -> None:
    """Print what makes a SHELL complete the words of `course`; put it into the file that it names."""
    from course.cli import course

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(f"# To have it in every new shell: course completion {shell} >> {WHERE[shell]}")
    click.echo(kind(course, {}, "course", "_COURSE_COMPLETE").source())
