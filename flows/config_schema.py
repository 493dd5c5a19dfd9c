"""The JSON Schema of the configuration, made from the structs that read it."""

from typing import Any

import msgspec

from flows.schema import FileConfig

SCHEMA_ID = "https://driftflow.io/schemas/configuration.v1.json"


def configuration_schema() -> dict[str, Any]:
    """Describe the configuration file as JSON Schema, draft 2020-12."""
    found = msgspec.json.schema(FileConfig)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Configuration of driftflow",
        **found,
    }
