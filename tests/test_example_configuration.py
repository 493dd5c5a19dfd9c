"""The example of a configuration is accepted and shows every key."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_origin

import msgspec
import pytest
import yaml

from flows.config import load_config
from flows.config_keys import structs_in
from flows.schema import FileConfig

ROOT = Path(__file__).parents[1]


def _keys(value: object, annotation: object, prefix: str = "") -> Iterator[str]:
    """Paths of the keys of a document, names of columns and windows as NAME."""
    structs = structs_in(annotation)
    if structs and isinstance(value, list):
        # A list of steps, of which those without options are texts.
        for item in value:
            yield from _keys(item, structs[0], prefix) if isinstance(item, dict) else ()
        return
    if not structs or not isinstance(value, dict):
        yield prefix
        return
    if get_origin(annotation) is dict:
        for item in value.values():
            yield from _keys(item, _one_of(structs, item), f"{prefix}.NAME")
        return
    struct = _one_of(structs, value)
    types = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    for key, item in value.items():
        # What tells kinds of a section apart is no key of any.
        if key != struct.__struct_config__.tag_field:
            yield from _keys(item, types[key], f"{prefix}.{key}" if prefix else key)


def _known(annotation: object, prefix: str = "") -> Iterator[str]:
    structs = structs_in(annotation)
    if not structs:
        yield prefix
    for struct in structs:
        if get_origin(annotation) is dict:
            yield from _known(struct, f"{prefix}.NAME")
            continue
        for field in msgspec.structs.fields(struct):
            yield from _known(field.type, f"{prefix}.{field.encode_name}" if prefix else field.encode_name)


def _one_of(structs: Sequence[type[msgspec.Struct]], value: dict[str, object]) -> type[msgspec.Struct]:
    tag = value.get(structs[0].__struct_config__.tag_field or "")
    return next((each for each in structs if each.__struct_config__.tag == tag), structs[0])


def test_the_example_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    config = load_config(ROOT / "driftflow.example.yaml")
    assert config.file.input.topics == ("fraud-predictions",)


def test_the_example_leaves_no_key_out() -> None:
    text = (ROOT / "driftflow.example.yaml").read_text()
    whole = yaml.safe_load(re.sub(r"^( *)#(?=[a-z_]+:)", r"\1", text, flags=re.MULTILINE))
    assert set(_keys(whole, FileConfig)) == set(_known(FileConfig))
    # What is commented out is of the right type, too; only `load_config` minds that alternatives meet.
    msgspec.convert(whole, FileConfig)
