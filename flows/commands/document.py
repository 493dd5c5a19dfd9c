"""Documents: JSON on stdout, pages of HTML in files."""

from pathlib import Path

import msgspec
import typer

from flows.commands.console import say, shown


def print_json(value: object) -> None:
    """Print one document; what is not finite is written as null, which is all that JSON has for it."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def write_page(path: Path, page: str) -> None:
    """Write a page for a browser, and say where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    say(f"Wrote {shown(path)}: open it in a browser.")
