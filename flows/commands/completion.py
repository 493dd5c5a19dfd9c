"""driftflow completion: what a shell needs to complete commands, options and files."""

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]  # their --show-completion's

EXAMPLE = 'Example: [cyan]eval "$(driftflow completion bash)"[/cyan]'


class Shell(StrEnum):
    """Shells that are known."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="Your shell.", show_default=False)],
) -> None:
    """Print the lines that teach a shell to complete driftflow; put them into its start file."""
    script = get_completion_script(prog_name="driftflow", complete_var="_DRIFTFLOW_COMPLETE", shell=shell)
    typer.echo(script)
