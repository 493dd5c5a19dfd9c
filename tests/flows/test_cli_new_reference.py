"""driftflow reference activate --from: a reference that takes over at a moment."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import Call, caller

CONFIG = """
model: {name: m}
input: {path: events.jsonl, batch_rows: 50}
time: {column: ts, zone: Europe/Berlin}
columns:
  x: {kind: numeric}
windows:
  block: {size: 4h}
  sliding: {size: 4h, slide: 2h}
recovery: {folder: snapshots}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    write(tmp_path / "events.jsonl", 600, seed=9)
    return path


@pytest.fixture
def versions(call: Call, config: Path, tmp_path: Path) -> Sequence[str]:
    """Two references, of which the first is active."""
    files = [write(tmp_path / f"{seed}.jsonl", 200, seed) for seed in (1, 2)]
    return [call("reference", "build", config, file, "--json").json()["version"] for file in files]


def write(path: Path, rows: int, seed: int) -> Path:
    """A row every two minutes from 2026-01-05T00:00 in Berlin on."""
    start = np.datetime64("2026-01-04T23:00:00")
    values = np.random.default_rng(seed).normal(size=rows)
    lines = [{"ts": f"{start + np.timedelta64(2 * i, 'm')}Z", "x": float(x)} for i, x in enumerate(values)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def references_of(config: Path) -> dict[tuple[str, str], str]:
    """The reference of each report, by window and start."""
    lines = (config.parent / "out" / "events.jsonl").read_text().splitlines()
    data = [event["data"] for event in map(json.loads, lines) if event["type"].endswith("report")]
    return {(d["window"]["name"], d["window"]["start"]): d["reference"]["version"] for d in data}


def test_windows_that_start_from_then_on_are_compared_with_it(
    call: Call, config: Path, versions: Sequence[str]
) -> None:
    told = call("reference", "activate", config, versions[1], "--from", "2026-01-05T10:00:00", "--json")
    assert told.json() == {
        "model": "m",
        "version": versions[1],
        "before": versions[0],
        "takes_over": "2026-01-05T10:00:00+01:00",
    }
    listed = call("reference", "list", config, "--json").json()
    assert [item["takes_over"] for item in listed] == [[None], ["2026-01-05T10:00:00+01:00"]]
    assert "takes over for windows that start at 2026-01-05T10:00:00+01:00" in " ".join(
        call("reference", "list", config).out.split()
    )

    shown = call("reference", "show", config, versions[1])
    assert "takes over for windows that start at 2026-01-05T10:00:00+01:00" in " ".join(shown.out.split())
    shown = call("reference", "show", config, versions[0], "--json").json()
    assert (shown["active"], shown["takes_over"]) == (False, [None])

    told = call("run", config, "--json")
    assert told.code == 0
    assert told.json()["reference"] == versions[0]
    assert told.json()["later_references"] == [
        {"reference": versions[1], "reference_rows": 200, "takes_over": "2026-01-05T10:00:00+01:00"}
    ]

    found = references_of(config)
    assert len(found) > 10
    for (_, start), version in found.items():
        assert version == (versions[0] if start < "2026-01-05T09:00:00.000Z" else versions[1])
    assert found["block", "2026-01-05T07:00:00.000Z"] == versions[0]
    assert found["sliding", "2026-01-05T09:00:00.000Z"] == versions[1]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (
            "2026-01-05T09:30:00",
            "between panes are 2026-01-05T08:00:00+01:00 and 2026-01-05T10:00:00+01:00",
        ),
        ("2026-01-05T10:00:00Z", "within a pane of the configured windows"),
        ("soon", "found 'soon', wanted a time such as"),
        ("2026-01-06T10:00:00", "does so at 2026-01-06T12:00:00+01:00; name a later moment"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(
    call: Call, config: Path, versions: Sequence[str], moment: str, said: str
) -> None:
    assert call("reference", "activate", config, versions[1], "--from", "2026-01-06T12:00:00").code == 0
    before = call("reference", "list", config, "--json").json()
    refused = call("reference", "activate", config, versions[0], "--from", moment)
    assert refused.code == 2
    assert said in " ".join(refused.err.split())
    assert call("reference", "list", config, "--json").json() == before


def test_there_must_be_one_before_it(call: Call, config: Path, tmp_path: Path) -> None:
    built = call("reference", "build", config, tmp_path / "events.jsonl", "--no-activate", "--json").json()
    refused = call("reference", "activate", config, built["version"], "--from", "2026-01-06T12:00:00")
    assert refused.code == 2
    assert "activate one without '--from' first" in " ".join(refused.err.split())


def test_rows_that_were_read_keep_their_reference(call: Call, config: Path, versions: Sequence[str]) -> None:
    assert call("run", config).code == 0
    # The last of 600 rows is at 19:58 in Berlin, in the pane that ends at 20:00.
    early = ("reference", "activate", config, versions[1], "--from", "2026-01-05T18:00:00")
    refused = call(*early)
    assert refused.code == 2
    assert "the earliest one possible is 2026-01-05T20:00:00+01:00" in " ".join(refused.err.split())

    # A run refuses it too, where the command did not know the folder.
    config.write_text(CONFIG.replace("recovery: {folder: snapshots}", ""))
    assert call(*early).code == 0
    config.write_text(CONFIG)
    again = call("run", config)
    assert again.code == 2
    assert "the earliest one possible is 2026-01-05T20:00:00+01:00" in " ".join(again.err.split())
    shown = call("state", "show", config, "--json").json()
    assert not shown["fits"]
    assert "the earliest one possible" in shown["changed"][0]

    for words in ((versions[0],), (versions[1], "--from", "2026-01-05T20:00:00")):
        assert call("reference", "activate", config, *words).code == 0
    assert call("run", config).code == 0
    assert call("state", "show", config, "--json").json()["fits"]


def test_row_numbers(call: Call, config: Path, versions: Sequence[str]) -> None:
    config.write_text(
        CONFIG.replace("{column: ts, zone: Europe/Berlin}", "{rows: true}")
        .replace("4h", "100 rows")
        .replace("2h", "50 rows")
    )
    assert call("reference", "activate", config, versions[0]).code == 0
    refused = call("reference", "activate", config, versions[1], "--from", "120")
    assert "nearest moments between panes are 100 and 150" in " ".join(refused.err.split())
    told = call("reference", "activate", config, versions[1], "--from", "150", "--json")
    assert told.json()["takes_over"] == "150"
    ran = call("run", config)
    assert f"from 150 on {versions[1]} of 200 rows" in " ".join(ran.out.split())
    found = references_of(config)
    assert {version for (_, start), version in found.items() if int(start) < 150} == {versions[0]}
    assert {version for (_, start), version in found.items() if int(start) >= 150} == {versions[1]}
