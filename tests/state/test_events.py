import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from itertools import product
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import msgspec
import numpy as np
import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from detectors.base import Reading, Status
from detectors.checks import Check, CheckStatus, Family
from detectors.performance.base import Task
from detectors.segments import Where
from detectors.verdicts import Rule, Rules, Severity, Verdict
from state import events as module
from state.columns import Role
from state.durations import Axis
from state.episodes import Change
from state.event_data import instant
from state.events import DATA_SCHEMA, EventType, deterministic_id
from state.explain import contributors, group_label
from state.grid import WindowSpec
from state.performance_data import (
    ConfusionData,
    MetricData,
    OutcomeCounts,
    PerformanceSegments,
    SegmentPerformance,
)
from state.performance_report import PerformanceReport
from state.reference import Reference
from state.report import Output, Report
from state.report_context import ReportContext
from state.scoring import Evidence, Gap
from state.segment_faults import FaultSegment, FaultSegments
from state.segment_scores import SegmentScore
from state.stores.base import Point, StoredEvent
from tests.evidence import FAMILY, HOUR, MOODS, context, evidence, reference, scored
from tests.performed import performance_context, window

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/drift-event.v1.json").read_text())
STRUCTS = [s for s in vars(module).values() if isinstance(s, type) and issubclass(s, msgspec.Struct)] + [
    MetricData,
    OutcomeCounts,
    ConfusionData,
]  # all of the module, so that a new one cannot be forgotten
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("uri-reference", raises=ValueError)
def is_reference(value: object) -> bool:
    return not isinstance(value, str) or urlsplit(value).geturl() == value


def validator(part: str = "") -> Draft202012Validator:
    schema = {**SCHEMA, "oneOf": [{"$ref": part}]} if part else SCHEMA
    return Draft202012Validator(schema, format_checker=FORMATS)


def refuse(token: str) -> NoReturn:
    raise AssertionError(f"{token} is no JSON")


def parsed(event: StoredEvent) -> dict[str, object]:
    found = json.loads(event.body, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


def payload(event: StoredEvent) -> dict[str, Any]:
    found = parsed(event)["data"]
    assert isinstance(found, dict)
    return found


def outputs(of: ReportContext) -> list[Output]:
    """Every mood of every column, each twice in a row and followed by calm, in both kinds of windows."""
    plot: list[tuple[int, int, dict[str, str] | None]] = []
    for mood, spec in product(MOODS, (0, 1)):
        k = sum(1 for held, _, _ in plot if held == spec)
        moods = [dict(zip(FAMILY, ("slight", mood, "large"), strict=True)), dict.fromkeys(FAMILY, mood)]
        plot += [(spec, k + i, each) for i, each in enumerate(moods)]
        plot += [(spec, k + 2, None)]
        plot += [(spec, k + 3 + i, dict.fromkeys(FAMILY, "calm")) for i in range(3)]
    said = evidence(plot, of)
    said["x"] = [with_checks(item, place) for place, item in enumerate(said["x"])]
    report = Report(of)
    return report.add(item for items in zip(*said.values(), strict=True) for item in items)


def with_checks(item: Evidence, place: int) -> Evidence:
    """Give a window a check of every family that is violated, and one of every other status."""
    if isinstance(item.found, Gap):
        return item
    bad = CheckStatus.VIOLATED if place % 3 else CheckStatus.OK
    made = [
        Check(name="a", family=family, status=bad, value=1.0, low=0.5, high=1.5, source="given", n=9)
        for family in Family
    ]
    few = Check(name="b", family=Family.QUALITY, status=CheckStatus.INSUFFICIENT, value=None, source="s", n=0)
    odd = Check(
        name="c",
        family=Family.QUALITY,
        status=CheckStatus.SUSPECT,
        value=1.0,
        reference=0.0,
        lower=-1.0,
        upper=2.0,
        source="s",
        p_value=0.01,
        level=1e-6,
        n=9,
        detail="why",
    )
    checks = tuple(replace(each, name=f"{each.family}_{each.name}") for each in (*made, few, odd))
    return msgspec.structs.replace(item, found=msgspec.structs.replace(item.found, checks=checks))


def events_of(of: ReportContext) -> list[StoredEvent]:
    performed = PerformanceReport(performance_context(of))
    moods = [(900, 100), (700, 300), (0, 0), (900, 100), (900, 100)]
    windows = [window(k, *mood, final=k > 1) for k, mood in enumerate(moods)]
    found = [*outputs(of), *performed.add(windows)]
    return [each for each in found if isinstance(each, StoredEvent)]


@pytest.fixture(scope="module", params=Axis)
def events(request: pytest.FixtureRequest) -> list[StoredEvent]:
    return events_of(context(axis=request.param))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == DATA_SCHEMA


def test_events_of_every_type_keep_to_the_schema(events: list[StoredEvent]) -> None:
    # Events that are about no window have tests of their own.
    assert {event.type for event in events} == set(EventType) - {EventType.MISSING, EventType.RETRAIN}
    whole, data = validator("#/$defs/Event"), validator()
    for event in events:
        found = parsed(event)
        whole.validate(found)
        data.validate(found["data"])
    said = [payload(event) for event in events]
    # What the examples must have shown for the schema to be tried.
    assert {d["direction"] for d in said if "direction" in d} >= {"up", "shape", "mix"}
    assert {d["status"] for d in said if "status" in d} == {"complete", "empty"}
    verdicts = {f["verdict"] for d in said for f in d.get("features", ())}
    assert verdicts >= {"ok", "drift", "insufficient"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "x"),
        (("time",), "yesterday"),
        (("time",), "2026-13-01T00:00:00.000Z"),
        (("type",), "io.driftflow.other"),
        (("data", "window", "start"), "2026-01-05"),
        (("data", "window", "rows"), -1),
        (("data", "direction"), "sideways"),
        (("data", "result", "severity"), "huge"),
        (("data", "result", "readings"), []),
        (("data", "histogram", "categories"), ["a"]),
        (("data", "episode"), None),
    ],
)
def test_the_schema_refuses_what_is_no_event(path: tuple[str, ...], value: object) -> None:
    event = next(e for e in events_of(context()) if e.type == EventType.OPENED and e.feature == "x")
    found: dict[str, object] = parsed(event)
    validator("#/$defs/Event").validate(found)
    place = found
    for key in path[:-1]:
        inner = place[key]
        assert isinstance(inner, dict)
        place = inner
    assert path[-1] in place
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        validator("#/$defs/Event").validate(found)


@pytest.mark.parametrize(
    "struct",
    [*STRUCTS, SegmentScore, FaultSegment, FaultSegments, PerformanceSegments, SegmentPerformance],
    ids=lambda s: s.__name__,
)
def test_every_field_stands_in_the_schema(struct: type[msgspec.Struct]) -> None:
    known = SCHEMA["$defs"][struct.__name__]
    fields = msgspec.structs.fields(struct)
    # Fields that are left out where they say nothing are the ones that need not be there.
    optional = struct.__struct_config__.omit_defaults
    required = [field.encode_name for field in fields if field.required or not optional]
    assert sorted(known["properties"]) == sorted(field.encode_name for field in fields)
    assert sorted(known["required"]) == sorted(required)


def test_a_reading_stands_in_the_schema() -> None:
    known = SCHEMA["$defs"]["Reading"]
    assert sorted(known["properties"]) == sorted(known["required"]) == sorted(Reading.__dataclass_fields__)


def test_a_check_stands_in_the_schema() -> None:
    known = SCHEMA["$defs"]["Check"]
    assert sorted(known["properties"]) == sorted(known["required"]) == sorted(Check.__dataclass_fields__)


@pytest.mark.parametrize(
    "closed_set",
    [Severity, Verdict, Role, Rule, Status, Family, CheckStatus, Change, Where, Task],
    ids=lambda e: e.__name__,
)
def test_closed_sets_are_those_of_the_program(closed_set: type[StrEnum]) -> None:
    assert SCHEMA["$defs"][closed_set.__name__]["enum"] == [item.value for item in closed_set]


def test_types_and_axes_are_those_of_the_program() -> None:
    assert SCHEMA["$defs"]["Event"]["properties"]["type"]["enum"] == list(EventType)
    assert SCHEMA["$defs"]["WindowData"]["properties"]["axis"]["enum"] == list(Axis)


def _properties(schema: object) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(schema, dict):
        if "required" in schema:
            yield from schema["properties"].items()
        for inner in schema.values():
            yield from _properties(inner)


def test_every_property_is_described() -> None:
    found = list(_properties(SCHEMA["$defs"]))
    assert len(found) > 80
    for name, schema in found:
        assert str(schema.get("description", "")).endswith("."), name


def test_attributes_are_those_of_cloudevents(events: list[StoredEvent]) -> None:
    for event in events:
        found = parsed(event)
        # CloudEvents 1.0, 3.1: names of attributes are lower-case letters and digits.
        assert all(name.isalnum() and name == name.lower() for name in found)
        data = found["data"]
        assert isinstance(data, dict)
        subject = ["credit", "7", data["window"]["name"], *([event.feature] if event.feature else [])]
        assert found["subject"] == "/".join(subject)
        assert (found["source"], found["partitionkey"]) == ("/driftflow/credit", "credit")
        assert (found["id"], found["type"]) == (event.id, event.type)
        # 3.1.1 of its JSON format: time is RFC 3339; here it is the end of the window.
        if data["window"]["axis"] == "rows":
            assert "time" not in found
            assert data["window"]["end"] == event.end
        else:
            assert found["time"] == data["window"]["end"] == instant(event.end, Axis.MILLISECONDS)
        assert (event.model, event.model_version) == ("credit", "7")
        assert event.window == data["window"]["name"]


def test_ids_are_unique_within_a_run_and_the_same_in_the_next(events: list[StoredEvent]) -> None:
    assert len({event.id for event in events}) == len(events)
    axis = Axis(payload(events[0])["window"]["axis"])
    assert events_of(context(axis=axis)) == events


def test_ids_differ_when_what_they_stand_for_does() -> None:
    ids = {e.id for e in events_of(context())}
    others = [
        context(fingerprint="f1"),
        context(of=Reference("other", reference().features, reference().provenance)),
        context(
            specs=(
                WindowSpec(name="a", size=2 * HOUR, slide=2 * HOUR),
                WindowSpec(name="b", size=5 * HOUR, slide=2 * HOUR),
            )
        ),
    ]
    for other in others:
        assert not ids & {e.id for e in events_of(other)}


def test_ids_tell_slides_apart() -> None:
    # One window of ten hours, whichever slide brought it: an episode closes after another number of windows.
    found = []
    for slide in (2, 5, 10):
        of = context(specs=(WindowSpec(name="w", size=10 * HOUR, slide=slide * HOUR),))
        said = evidence([(0, 0, dict.fromkeys(FAMILY, "large"))], of)
        outcome = Report(of).add(item for items in said.values() for item in items)
        found.append({e.id for e in outcome if isinstance(e, StoredEvent)})
    assert len(set.union(*found)) == sum(map(len, found))


def test_an_id_depends_on_every_part_and_its_place() -> None:
    # BLAKE2b-128 of the JSON array ["a","b",1], as `printf '["a","b",1]' | b2sum -l 128` gives it.
    assert deterministic_id(["a", "b", 1]) == "4e29d5619d20da7166440deae5db5a8c"
    assert (
        len({deterministic_id(p) for p in (["ab"], ["a", "b"], ["b", "a"], ["a", "b", ""], [1], ["1"])}) == 6
    )


def test_times_are_written_in_utc_with_milliseconds() -> None:
    # `date -u -d @1767571200`.
    assert instant(1_767_571_200_001, Axis.MILLISECONDS) == "2026-01-05T00:00:00.001Z"
    assert instant(-1, Axis.MILLISECONDS) == "1969-12-31T23:59:59.999Z"
    assert instant(77, Axis.ROWS) == 77


@pytest.mark.parametrize("column", FAMILY)
@pytest.mark.parametrize("mood", MOODS)
def test_contributors_are_groups_that_moved(column: str, mood: str) -> None:
    feature, found = reference().feature(column), scored(column, mood, spec=0, start=0, end=1)
    counts = np.frombuffer(found.counts, dtype="<i8").astype(np.int64)
    named = contributors(feature, counts)
    assert len(named) <= 3
    assert [c.psi for c in named] == sorted((c.psi for c in named), reverse=True)
    # A group that neither side holds did not move.
    assert all(c.psi > 0 and (c.reference > 0 or c.current > 0) for c in named)
    if mood == "barred":
        new = "(new)" if column == "c" else "> "
        best = max(named, key=lambda c: c.current)
        assert best.label.startswith(new)
        assert best.current == 1.0


def test_groups_are_named_for_people() -> None:
    feature = reference().feature("y")
    labels = [group_label(feature, group) for group in range(int(feature.bins.groups.max()) + 1)]
    assert labels[0] == "= 0"
    assert labels[-1] == "values the reference never held"
    assert len(set(labels)) == len(labels)
    names = reference().feature("c")
    assert [group_label(names, g) for g in range(5)] == ["a", "b", "c", "(other)", "(new)"]


def test_points_are_finite_and_one_per_series_and_end() -> None:
    points = [found for found in outputs(context(rules=Rules())) if isinstance(found, Point)]
    assert all(type(p.value) is float and isfinite(p.value) for p in points)
    assert len({(p.key, p.time) for p in points}) == len(points)
    metrics = {p.key.metric for p in points if p.key.feature == "x"}
    assert metrics >= {"ks", "psi", "p_value", "q_value", "effect", "rows", "missing_share"}
    assert {p.key.metric for p in points if not p.key.feature} == {"drift_share", "rows", "late_rows"}
