"""The JSON Schema of the configuration, made from the structs that read it."""

from typing import Any

import msgspec

from flows.config_keys import meanings, structs
from flows.schema import FileConfig

SCHEMA_ID = "https://driftflow.io/schemas/configuration.v1.json"


def configuration_schema() -> dict[str, Any]:
    """Describe the configuration file as JSON Schema, draft 2020-12."""
    found = msgspec.json.schema(FileConfig)
    for struct in structs():
        described = found["$defs"][struct.__name__]["properties"]
        for name, meaning in meanings(struct).items():
            # Beside a reference a description is allowed since draft 2019-09.
            described[name]["description"] = meaning
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Configuration of driftflow",
        **found,
    }
