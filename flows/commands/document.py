"""JSON on stdout."""

import msgspec
import typer


def print_json(value: object) -> None:
    """Print one document; what is not finite is written as null, which is all that JSON has for it."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
