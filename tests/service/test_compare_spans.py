"""Two spans of a demo's past, held against its raw rows."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from scipy.stats import chi2_contingency

from flows.compare_spans import NoPanesError, SpansAsked, compare_spans
from flows.config import load_config
from flows.on_demand import file_ports
from state.closed_panes import read_pane
from state.stores.memory import MemoryStore
from state.stores.sqlite import SqliteStore
from tests.service.copies import copy
from tests.service.served import READ, WRITE, all_keys, client_of

URL = "/v1/models/demo/compare/spans"
BEFORE, NOW = ("2026-01-05T00:00:00", "2026-01-07T00:00:00"), ("2026-01-10T00:00:00", "2026-01-11T12:00:00")
"""On the borders of panes of 90 minutes."""


@pytest.fixture(scope="module")
def client(demo: Path) -> Iterator[TestClient]:
    config = load_config(demo)
    path = config.store
    assert isinstance(path, Path)
    with client_of(demo, lambda: SqliteStore(path), all_keys(), ports=file_ports({"demo": config})) as client:
        client.headers["X-API-Key"] = WRITE
        yield client


def asked(reference: tuple[str, str], current: tuple[str, str]) -> dict[str, dict[str, str]]:
    names = (("reference", reference), ("current", current))
    return {name: {"from": start, "to": end} for name, (start, end) in names}


def finished(client: TestClient, body: dict[str, Any]) -> Any:  # noqa: ANN401  # whatever the answer holds
    answer = client.post(URL, json=body)
    assert answer.status_code == 202, answer.text
    found = answer.json()
    for _ in range(600):
        found = client.get(f"/v1/comparisons/{found['id']}").json()
        if found["state"] in {"done", "failed"}:
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def rows_of(demo: Path, span: tuple[str, str]) -> list[dict[str, Any]]:
    records = map(json.loads, (demo.parent / "events.jsonl").read_text().splitlines())
    return [record["features"] for record in records if span[0] <= record["ts"] < span[1]]


def test_what_is_compared_are_the_rows_of_both_spans(client: TestClient, demo: Path) -> None:
    found = finished(client, asked(BEFORE, NOW))
    assert found["state"] == "done", found["error"]
    # What the scenario moves for good before the second span: the demo's own truth.
    truth = json.loads((demo.parent / "truth.json").read_text())
    moved = {each["feature"] for each in truth["features"] if each["drift"] == "sudden"}
    assert moved
    assert moved <= set(found["drifted"])

    document = client.get(found["links"]["document"]).json()
    before, now = rows_of(demo, BEFORE), rows_of(demo, NOW)
    assert (document["baseline"]["rows"], document["current"]["rows"]) == (len(before), len(now))
    assert document["current"]["files"] == ["panes from 2026-01-10T00:00:00.000Z to 2026-01-11T12:00:00.000Z"]
    columns = {column["column"]: column for column in document["columns"]}
    for side, rows in (("baseline", before), ("current", now)):
        amounts = [row["amount"] for row in rows]
        assert columns["amount"][side]["mean"] == pytest.approx(sum(amounts) / len(amounts), rel=1e-4)
        assert columns["amount"][side]["maximum"] == max(amounts)

    counts = [Counter(row["plan"] for row in rows) for rows in (before, now)]
    names = sorted(counts[0])
    told = chi2_contingency([[side[name] for name in names] for side in counts], correction=False)
    assert columns["plan"]["p_value"] == pytest.approx(told.pvalue, rel=1e-6)


def test_detectors_that_need_raw_rows_say_that_they_have_none(client: TestClient) -> None:
    found = finished(client, asked(BEFORE, NOW))
    document = client.get(found["links"]["document"]).json()
    readings = {
        (column["column"], reading["method"]): reading
        for column in document["columns"]
        for reading in column["readings"]
    }
    for method in ("wasserstein", "mean_shift"):
        reading = readings["amount", method]
        assert reading["score"] is not None
        assert (reading["p_value"], bool(reading["reason"])) == (None, True)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (asked(BEFORE, ("2026-01-06", "2026-01-08")), "spans that overlap"),
        (asked(("2026-01-06", "2026-01-05"), NOW), "reference: found a span that ends before"),
        (asked(BEFORE, ("soon", "2026-01-08")), "current.from: found 'soon', wanted a time"),
        ({"reference": {"from": "2026-01-05"}}, "body.reference.to"),
    ],
)
def test_spans_that_are_none(client: TestClient, body: dict[str, Any], told: str) -> None:
    answer = client.post(URL, json=body)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text


def test_what_is_not_kept_is_said(client: TestClient) -> None:
    found = finished(client, asked(("2025-01-05", "2025-01-06"), NOW))
    assert found["state"] == "failed"
    assert "income: no pane of the reference's span is kept" in found["error"]


def test_who_may_only_read_may_not(client: TestClient) -> None:
    answer = client.post(URL, json=asked(BEFORE, NOW), headers={"X-API-Key": READ})
    assert answer.status_code == 403


def test_columns_that_cannot_be_compared_are_left_out_with_the_reason(demo: Path) -> None:
    config = load_config(demo)
    assert isinstance(config.store, Path)
    source, store = SqliteStore(config.store), MemoryStore()
    names = tuple(column.name for column in config.columns)
    copy(source, store, "demo", "1", names[1:])
    panes = source.panes("demo", "1", names[0])
    source.close()
    size = panes[0].end - panes[0].start
    # Only two panes of the first column are kept.
    store.put_panes(panes[:2])
    middle = panes[len(panes) // 2].start
    spans = SpansAsked(
        version="1", reference=(panes[0].start, middle), current=(middle, panes[-1].end - size + 1)
    )
    found, left_out = compare_spans(store, config, spans)
    assert [(each.name, each.reason) for each in left_out] == [
        (names[0], "no pane of the current's span is kept (`output.panes` says how many are)")
    ]
    assert {column.column for column in found.columns} == set(names[1:])
    # The last pane lies only partly in the span: it does not count.
    rows = sum(read_pane(pane).sketch.rows for pane in panes if middle <= pane.start < panes[-1].start)
    assert found.current.rows == rows
    with pytest.raises(NoPanesError, match="there is no column to compare"):
        compare_spans(store, config, SpansAsked(version="2", reference=(0, 1), current=(1, 2)))
