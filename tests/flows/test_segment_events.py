"""A whole run with segments: found where they were put, figures as of the rows alone, no other decision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson
import pytest
from jsonschema import Draft202012Validator

from detectors.coarse import coarsen, divergence_inflation
from detectors.effects import psi_divergence
from flows.config import parse_config
from flows.inline import run_inline
from flows.input import config_input, file_input, partition_opener
from flows.plan import make_plan
from flows.reference_build import build_reference
from state.generations import Generations
from state.reference import BadReferenceError, Reference
from state.report import Output
from state.sketches.base import Sketch
from state.sketches.numeric import NumericBins
from state.stores.base import Point, StoredEvent

CONFIG = """
model: {name: shop}
input: {path: events.jsonl}
time: {column: t, format: s}
windows: {hourly: {size: 1h}}
columns:
  amount: {kind: numeric}
  plan: {kind: categorical}
  country: {kind: categorical, role: segment}
detection: {evidence: {rows: 200}}
"""
SEGMENTS = "segments: {columns: [country, plan], top: 3, min_rows: 400}\n"
COUNTRIES = ("DE", "FR", "US", "CH", "AT")
USUAL = (0.4, 0.3, 0.15, 0.1, 0.05)
HOURS, A_WINDOW = 8, 600


@dataclass(frozen=True)
class Story:
    """What happens in the second half: the traffic, how far each country's amounts move, the share lost."""

    traffic: tuple[float, ...] = USUAL
    moved: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    lost: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)


CALM = Story()
GERMANY = Story(moved=(1.0, 0.0, 0.0, 0.0, 0.0))
EVERYWHERE = Story(moved=(0.6, 0.6, 0.6, 0.6, 0.6))
LOSS = Story(lost=(0.0, 0.4, 0.0, 0.0, 0.0))
TRAFFIC = Story(traffic=(0.25, 0.1, 0.15, 0.4, 0.1))

Row = dict[str, Any]


def rows(rng: np.random.Generator, count: int, story: Story, start: int) -> list[Row]:
    """Amounts are larger in Switzerland, always."""
    country = rng.choice(5, count, p=story.traffic)
    amounts = rng.normal(np.array([0, 0, 0, 1.5, 0])[country] + np.array(story.moved)[country])
    plans = rng.choice(["basic", "plus"], count)
    missing, lost_rows = rng.random(count) < 0.03, rng.random(count) < np.array(story.lost)[country]
    return [
        {
            "t": start + i * 3_600 // A_WINDOW,
            "amount": None if gone or lost else amount,
            "plan": plan,
            **({} if gone else {"country": COUNTRIES[place]}),
        }
        for i, (amount, plan, place, gone, lost) in enumerate(
            zip(*(c.tolist() for c in (amounts, plans, country, missing, lost_rows)), strict=True)
        )
    ]


def stream_of(story: Story) -> list[Row]:
    rng = np.random.default_rng(3)
    half = HOURS * A_WINDOW // 2
    return [*rows(rng, half, CALM, 0), *rows(rng, half, story, half * 3_600 // A_WINDOW)]


def written(path: Path, content: Sequence[Row]) -> None:
    path.write_bytes(b"\n".join(map(orjson.dumps, content)) + b"\n")


@cache
def built(config_text: str) -> Reference:
    with TemporaryDirectory() as name:
        path = Path(name) / "reference.jsonl"
        config = parse_config(config_text, folder=path.parent)
        written(path, rows(np.random.default_rng(1), 5_000, CALM, 0))
        source = file_input(path, columns=config.fields, time=config.time)
        return build_reference(
            source, config.columns, model="shop", now_ms=0, segments=config.segments
        ).reference


@cache
def ran(
    story: Story, config_text: str = CONFIG + SEGMENTS, built_for: str | None = None
) -> tuple[Reference, list[Output]]:
    """Run a story; the reference is built for the same configuration, or for another one."""
    reference, outputs = built(built_for or config_text), list[Output]()
    with TemporaryDirectory() as name:
        config = parse_config(config_text, folder=Path(name))
        written(Path(name) / "events.jsonl", stream_of(story))
        found = config_input(config)
        opener = partition_opener(config, found, config.state_fingerprint(reference.version))
        plan = make_plan(config, Generations((reference,)), tuple(found.readers), opener)
        run_inline(plan, outputs.extend)
    return reference, outputs


def events(outputs: Sequence[Output], kind: str) -> list[dict[str, Any]]:
    return [
        orjson.loads(item.body)
        for item in outputs
        if isinstance(item, StoredEvent) and item.type.endswith(kind)
    ]


def told(story: Story, column: str) -> dict[str, Any]:
    """What the event that opened the drift of `amount` says of the segments of a field."""
    (opened,) = [e for e in events(ran(story)[1], "opened") if e["data"]["result"]["feature"] == "amount"]
    (found,) = [each for each in opened["data"]["segments"] if each["column"] == column]
    assert isinstance(found, dict)
    return found


def test_a_drift_in_one_country_is_found_there() -> None:
    found = told(GERMANY, "country")
    assert (found["where"], found["named"]) == ("segments", ["DE"])
    assert found["explained"] > 0.8
    assert found["segments"][0]["segment"] == "DE"
    assert found["segments"][0]["against"] == "segment"
    # Plans have nothing to do with it: each of the two drifts like the whole.
    assert told(GERMANY, "plan")["where"] == "everywhere"


def test_a_change_of_the_traffic_is_told_from_a_change_within() -> None:
    found = told(TRAFFIC, "country")
    assert found["where"] == "mix"
    # Switzerland has no segment of its own: three have, and it is the fourth.
    assert found["named"][0] == "(rest)"
    assert found["reweighted"] < 0.02
    rest = found["segments"][0]
    assert rest["share"] > 2 * rest["reference_share"]
    assert rest["mix"] > 3 * abs(rest["within"])


def test_a_drift_everywhere_names_no_segment() -> None:
    found = told(EVERYWHERE, "country")
    assert (found["where"], found["named"], found["explained"]) == ("everywhere", [], None)
    assert found["reweighted"] > 0.1


@pytest.mark.parametrize("story", [CALM, GERMANY, TRAFFIC, LOSS], ids=["calm", "germany", "traffic", "loss"])
def test_segments_change_nothing_but_what_is_said_of_them(story: Story) -> None:
    with_reference, split = ran(story)
    reference, plain = ran(story, CONFIG)
    assert [e["type"] for e in bare(split, with_reference)] == [e["type"] for e in bare(plain, reference)]
    assert bare(split, with_reference) == bare(plain, reference)
    whole = [(p.key, p.time, p.value) for p in points(split) if not p.key.segment]
    assert whole == [(p.key, p.time, p.value) for p in points(plain)]
    assert not any(b'"segments"' in item.body for item in plain if isinstance(item, StoredEvent))
    assert bool(events(split, "opened")) == (story in {GERMANY, TRAFFIC})


def bare(outputs: Sequence[Output], reference: Reference) -> list[dict[str, Any]]:
    """Events without segments, and without what hangs on the version of a reference that has them."""
    bodies = [item.body for item in outputs if isinstance(item, StoredEvent)]
    named = {orjson.loads(body)["data"].get("episode", {}).get("id") for body in bodies}
    read = []
    for body in bodies:
        text = body.decode().replace(reference.version, "VERSION")
        for each in named - {None}:
            text = text.replace(each, "EPISODE")
        event = orjson.loads(text)
        del event["id"]
        event["data"].pop("segments", None)
        for feature in event["data"].get("features", ()):
            feature.pop("segments", None)
        read.append(event)
    return read


def points(outputs: Sequence[Output]) -> list[Point]:
    return [item for item in outputs if isinstance(item, Point)]


def test_series_of_segments_are_those_of_their_rows_alone() -> None:
    reference, outputs = ran(GERMANY)
    feature = reference.feature("amount")
    series = {
        (p.key.segment, p.key.metric, p.time): p.value for p in points(outputs) if p.key.feature == "amount"
    }
    traffic = {(p.key.segment, p.key.metric, p.time): p.value for p in points(outputs) if not p.key.feature}
    built_from = rows(np.random.default_rng(1), 5_000, CALM, 0)
    assert reference.segments.columns[0].values == ("DE", "FR", "US")
    for hour in range(HOURS):
        window = [row for row in stream_of(GERMANY) if row["t"] // 3_600 == hour]
        end = (hour + 1) * 3_600_000
        for label in ("DE", "FR", "US", "(rest)", "(missing)"):
            name = f"country={label}"
            own, before = (
                list(compress(part, map(in_segment(label), part))) for part in (window, built_from)
            )
            assert traffic[name, "rows", end] == len(own)
            assert traffic[name, "share", end] == len(own) / len(window)
            if not own:
                continue
            missing = sum(row["amount"] is None for row in own) / len(own)
            assert series[name, "missing_share", end] == missing
            if missing == 1:
                assert (name, "effect", end) not in series
                continue
            assert isinstance(feature.bins, NumericBins)
            # Segments with fewer rows than `min_rows` are compared with the whole column.
            large = sum(row["amount"] is not None for row in before) >= 400
            against = feature.bins.summary(sketch(feature.bins, before)) if large else feature.summary
            current = feature.bins.summary(sketch(feature.bins, own))
            n = sum(row["amount"] is not None for row in window)
            effect = psi_divergence(
                coarsen(against.counts, against.groups),
                coarsen(current.counts, against.groups),
                inflation=divergence_inflation(feature.summary, n),
            )
            assert series[name, "effect", end] == pytest.approx(effect.debiased)


def in_segment(label: str) -> Callable[[Row], bool]:
    if label == "(missing)":
        return lambda row: "country" not in row
    if label == "(rest)":
        return lambda row: row.get("country") in {"CH", "AT"}
    return lambda row: row.get("country") == label


def sketch(bins: NumericBins, content: Sequence[Row]) -> Sketch:
    values = np.array(
        [np.nan if row["amount"] is None else row["amount"] for row in content], dtype=np.float64
    )
    nothing = np.zeros(1, dtype=np.int64)
    return bins.summarize(values, nothing, nothing)[0]


@pytest.mark.parametrize("story", [GERMANY, LOSS, EVERYWHERE], ids=["germany", "loss", "everywhere"])
def test_events_with_segments_keep_to_the_schema(story: Story) -> None:
    schema = orjson.loads((Path(__file__).parents[2] / "docs/schemas/drift-event.v1.json").read_bytes())
    validator = Draft202012Validator(schema)
    for event in events(ran(story)[1], ""):
        validator.validate(event["data"])


def test_a_violated_check_names_the_segments_that_make_it_up() -> None:
    (opened,) = [e for e in events(ran(LOSS)[1], "quality.violated") if e["data"]["change"] == "opened"]
    data = opened["data"]
    assert (data["feature"], data["check"]["name"]) == ("amount", "missing_share")
    country, plan = data["segments"]
    assert (country["column"], country["segments"][0]["segment"]) == ("country", "FR")
    window = [row for row in stream_of(LOSS) if row["t"] // 3_600 == HOURS // 2]
    france = [row for row in window if row.get("country") == "FR"]
    lost = sum(row["amount"] is None for row in france)
    assert country["segments"][0]["rows"] == len(france)
    assert country["segments"][0]["value"] == pytest.approx(lost / len(france))
    before = rows(np.random.default_rng(1), 5_000, CALM, 0)
    # In the reference France lost nothing, so all of its lost rows are part of the change.
    change = (
        sum(r["amount"] is None for r in window) / len(window)
        - sum(r["amount"] is None for r in before) / 5_000
    )
    assert country["segments"][0]["part"] == pytest.approx(lost / len(window) / change)
    assert sum(each["part"] for each in plan["segments"]) == pytest.approx(1)
    assert next(e["data"].get("segments") for e in events(ran(LOSS, CONFIG)[1], "quality.violated")) is None


def test_a_run_may_name_fewer_segments_than_its_reference_has() -> None:
    plans = CONFIG + "segments: {columns: [plan], min_rows: 400}\n"
    reference, fewer = ran(GERMANY, plans, CONFIG + SEGMENTS)
    whole_reference, both = ran(GERMANY)
    assert reference.version == whole_reference.version
    values = {(p.key, p.time): p.value for p in points(both) if not p.key.segment.startswith("country=")}
    assert {(p.key, p.time): p.value for p in points(fewer)} == values


def test_a_run_does_not_start_with_segments_that_its_reference_lacks() -> None:
    with pytest.raises(BadReferenceError, match="knows no segments of country, plan"):
        ran(CALM, CONFIG + SEGMENTS, CONFIG)


def test_a_report_lists_the_segments_that_are_furthest() -> None:
    *_, last = events(ran(GERMANY)[1], "report")
    (amount,) = [each for each in last["data"]["features"] if each["feature"] == "amount"]
    (country,) = [each for each in amount["segments"] if each["column"] == "country"]
    assert [len(each["segments"]) for each in amount["segments"]] == [3, 2]
    assert country["segments"][0]["segment"] == "DE"
    assert country["segments"][0]["effect_low"] > max(each["effect"] for each in country["segments"][1:])
