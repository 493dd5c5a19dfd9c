"""Declared steps in the configuration, in references, in runs and in comparisons."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from detectors.base import Kind
from flows.config import Config, parse_config
from flows.config_values import ConfigError
from flows.decode.factory import make_decoder
from flows.inline import run_inline
from flows.input import config_input, partition_opener
from flows.plan import make_plan
from flows.reference_build import build_reference
from flows.sources.formats import FileFormat
from state.generations import Generations
from state.reference import BadReferenceError, Reference
from state.report import Output
from state.sketches.categorical import Categories
from state.stores.base import StoredEvent
from tests.command_line import Call, caller

CONFIG = """
model: {name: shop}
input: {path: events.jsonl}
time: {rows: true}
columns:
  amount: {kind: numeric, path: order.amount, transform: [{fill: 0}, {clip: {high: 1000}}, log1p]}
  age: {kind: categorical, transform: [{bucket: [18, 65]}]}
  country: {kind: categorical, transform: [lower, {map: {uk: gb}}]}
  user: {kind: categorical, transform: [{hash: 8}]}
  hour: {kind: numeric, path: at, transform: [{date: hour}]}
windows: {block: {size: 500 rows}}
detection: {rule: window}
"""


def config_of(text: str = CONFIG, folder: Path = Path()) -> Config:
    return parse_config(text, folder=folder)


def records(seed: int, rows: int, *, grown: float = 1.0) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "order": {"amount": None if rng.random() < 0.1 else float(rng.lognormal(3) * grown)},
            "age": int(rng.integers(10, 80)),
            "country": str(rng.choice(["DE", "de ", "UK", "gb"])),
            "user": f"user {rng.integers(10**6)}",
            "at": f"2026-11-26T{rng.integers(24):02d}:15:00",
        }
        for _ in range(rows)
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def built(config: Config, rows: list[dict[str, object]]) -> Reference:
    source = config_input(config, write(config.folder / "reference.jsonl", rows))
    return build_reference(source, config.columns, model="shop", now_ms=0).reference


def test_fields_are_read_as_steps_take_them_and_columns_are_what_they_give() -> None:
    config = config_of()
    decoder = make_decoder(FileFormat.JSONL, config.fields, None)
    decoded = decoder.decode(
        [b'{"order":{"amount":null},"age":18,"country":" UK","user":"u","at":"2026-11-26T07:59:00"}']
    )
    assert decoded.refused == ()
    assert decoded.numeric["amount"].tolist() == [0.0]
    assert decoded.numeric["hour"].tolist() == [7.0]
    assert (decoded.categorical["age"], decoded.categorical["country"]) == (["18 to 65"], ["gb"])
    assert decoded.categorical.keys() == {"age", "country", "user"}
    # A field of another type than the first step takes is refused, by the column's name.
    (refusal,) = decoder.decode([b'{"age":"old"}']).refused
    assert refusal.column == "age"


def test_a_run_watches_what_the_reference_was_built_of(tmp_path: Path) -> None:
    config = config_of(folder=tmp_path)
    reference = built(config, records(1, 4_000))
    assert reference.feature("amount").column.formula == "log(1 + clip(fill(order.amount, 0), -inf, 1000))"
    ages = reference.feature("age").bins
    assert isinstance(ages, Categories)
    assert set(ages.names) == {"< 18", "18 to 65", ">= 65"}
    write(tmp_path / "events.jsonl", [*records(2, 1_000), *records(3, 1_000, grown=3.0)])
    source = config_input(config)
    opener = partition_opener(config, source, config.state_fingerprint(reference.version))
    outputs: list[Output] = []
    run_inline(make_plan(config, Generations((reference,)), tuple(source.readers), opener), outputs.extend)
    events = [json.loads(item.body) for item in outputs if isinstance(item, StoredEvent)]
    opened = {e["data"]["result"]["feature"] for e in events if e["type"] == "io.driftflow.drift.opened"}
    assert opened == {"amount"}


def test_a_reference_of_other_steps_is_refused(tmp_path: Path) -> None:
    reference = built(config_of(folder=tmp_path), records(1, 500))
    other = config_of(CONFIG.replace("high: 1000", "high: 500"))
    with pytest.raises(BadReferenceError, match=r"'amount' is derived by .*500.* and derived by .*1000"):
        reference.check_columns(other.columns)
    plain = config_of(CONFIG.replace("transform: [{bucket: [18, 65]}]", "path: age"))
    with pytest.raises(BadReferenceError, match="'age' is a field of the record in the configuration"):
        reference.check_columns(plain.columns)


def test_where_no_steps_are_declared_nothing_says_so_in_ids() -> None:
    # What is not set is left out of what fingerprints hash.
    file = config_of().file
    plain = config_of(CONFIG.replace(", transform: [{bucket: [18, 65]}]", "")).file
    assert "transform" in msgspec.to_builtins(file)["columns"]["age"]
    assert "transform" not in msgspec.to_builtins(plain)["columns"]["age"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{kind: numeric, transform: []}", "`columns.x.transform`: wanted at least one step, found none"),
        (
            "{kind: numeric, transform: [lower]}",
            "the last step gives categorical values, wanted numeric ones",
        ),
        (
            "{kind: numeric, transform: [lower, log]}",
            "`columns.x.transform[1]`: wanted a step that takes categorical",
        ),
        ("{kind: numeric, transform: [{}]}", "`columns.x.transform[0]`: wanted one step, found none"),
        ("{kind: numeric, transform: [{fill: 1, hash: 3}]}", "wanted one step, found fill, hash"),
        (
            "{kind: numeric, transform: [{clip: {}}]}",
            "`columns.x.transform[0].clip`: wanted `low`, `high` or both",
        ),
        (
            "{kind: numeric, transform: [{clip: {low: 2, high: 1}}]}",
            "clip.low`: found 2.0, wanted at most `high`",
        ),
        ("{kind: numeric, transform: [{scale: {width: 0}}]}", "`float` > 0.0"),
        ("{kind: categorical, transform: [{bucket: [2, 1]}]}", "bucket`: found 2, 1, wanted rising numbers"),
        ("{kind: categorical, transform: [{bucket: [1.0000001, 1.0000002]}]}", "six digits"),
        ("{kind: numeric, transform: [{date: minute}]}", "Invalid enum value 'minute'"),
        ("{kind: numeric, transform: [sqrt]}", "sqrt"),
        ("{kind: numeric, role: score, transform: [log]}", "wanted for role feature, found score"),
    ],
)
def test_steps_that_cannot_be_are_refused(given: str, said: str) -> None:
    above, _, _ = CONFIG.partition("columns:")
    text = f"{above}columns: {{x: {given}}}\nwindows: {{block: {{size: 500 rows}}}}\n"
    with pytest.raises(ConfigError) as refused:
        config_of(text)
    assert said in str(refused.value)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def test_comparisons_take_the_steps_too(tmp_path: Path, call: Call) -> None:
    (tmp_path / "driftflow.yaml").write_text(CONFIG)
    before = write(tmp_path / "before.jsonl", records(4, 2_000))
    now = write(tmp_path / "now.jsonl", records(5, 2_000))
    found = call("compare", before, now, "--config", tmp_path / "driftflow.yaml", "--json").json()
    assert {column["column"] for column in found["columns"]} == {"amount", "age", "country", "user", "hour"}
    assert {column["column"] for column in found["columns"] if column["kind"] == Kind.NUMERIC} == {
        "amount",
        "hour",
    }
    assert found["left_out"] == []
    (country,) = (column for column in found["columns"] if column["column"] == "country")
    assert country["new_categories"] == []


def test_epochs_are_read_as_numbers() -> None:
    text = CONFIG.replace(
        "path: at, transform: [{date: hour}]", "path: at, transform: [{epoch: {part: hour, unit: s}}]"
    )
    decoder = make_decoder(FileFormat.JSONL, config_of(text).fields, None)
    # date -u -d @1795679940 says 2026-11-26 07:59:00.
    decoded = decoder.decode([b'{"order":{"amount":1},"age":18,"country":"UK","user":"u","at":1795679940}'])
    assert decoded.refused == ()
    assert decoded.numeric["hour"].tolist() == [7.0]


def test_an_epoch_has_a_unit() -> None:
    with pytest.raises(ConfigError, match=r"unit"):
        config_of(CONFIG.replace("{date: hour}", "{epoch: {part: hour}}"))
