"""Writes the configuration that a file suggests."""

import os
from pathlib import Path

from flows.commands.console import commands_lines, messages, say, show, shown
from flows.commands.proposed_config import propose, proposed_text
from flows.commands.usage import UsageError
from flows.config import parse_config
from flows.field_samples import sample_fields
from flows.render.compared import left_out_lines
from flows.render.words import count_text
from flows.replacing import replaced
from state.columns import Role


def propose_and_write(file: Path, out: Path, *, force: bool) -> None:
    """Look at the first records of a file, and write a configuration that is accepted.

    Raises
    ------
    UsageError
        There is a configuration already, or nothing to watch.
    SourceError
        The file cannot be read.
    """
    if out.exists() and not force:
        raise UsageError(
            f"{out} is there already: name another file with --out, or write over it with --force"
        )
    found = propose(sample_fields(file))
    if not any(column.role.watched for column in found.columns):
        said = "; ".join(f"{item.name}: {item.reason}" for item in found.left_out[:5])
        raise UsageError(f"{file}: there is no column to watch ({said or 'it holds no record'})")
    folder = out.resolve().parent
    path = Path(os.path.relpath(file.absolute(), folder)).as_posix()
    text = proposed_text(found, model=file.name.split(".")[0], path=path)
    # What is written can be run: the check is the one of every command.
    parse_config(text, folder=folder, name=str(out))
    folder.mkdir(parents=True, exist_ok=True)
    with replaced(out) as target:
        target.write(text.encode())
    roles = [
        f"{column.name} is the {column.role}" for column in found.columns if column.role is not Role.FEATURE
    ]
    told = f"; {', '.join(roles)}" if roles else ""
    clock = "no time, so rows are counted" if found.time is None else f"time is {found.time.path}"
    say(f"Wrote {shown(out)}: {count_text(len(found.columns), 'column')}{told}; {clock}.")
    show(messages(), left_out_lines(found.left_out, messages().width))
    following = [f"driftflow reference build {shown(out)} GOOD_DATA", f"driftflow run {shown(out)}"]
    show(messages(), commands_lines("Look through it, then:", following))
