"""driftflow config schema: what a configuration file may say, for editors."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

import sys

EXAMPLE = "Example: [cyan]driftflow config schema > driftflow.schema.json[/cyan]"


def print_schema() -> None:
    """Print the JSON Schema of the configuration; editors complete and check with it.

    Name it in the first line of a configuration: # yaml-language-server: $schema=driftflow.schema.json
    """
    import orjson

    from flows.config_schema import configuration_schema

    document = orjson.dumps(configuration_schema(), option=orjson.OPT_INDENT_2)
    sys.stdout.buffer.write(document + b"\n")
