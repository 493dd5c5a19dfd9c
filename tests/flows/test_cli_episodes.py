"""driftflow episodes: the table, the document, and what is asked for."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from state.stores.episodes import StoredEpisode
from state.stores.sqlite import SqliteStore
from tests.command_line import Call, caller
from tests.contracts.store_values import an_episode

CONFIG = """
model: {name: fraud}
input: {path: events.jsonl}
time: {column: ts}
columns:
  amount: {kind: numeric}
windows:
  hourly: {size: 1h}
"""

MONDAY = 1_767_571_200_000
"""2026-01-05T00:00Z."""

HOUR = 3_600_000


def episode(id_: str, hour: int, **more: object) -> StoredEpisode:
    opened = MONDAY + hour * HOUR
    made = an_episode(id_, opened=opened, updated=opened)
    return replace(made, **{"since": opened - HOUR, **more})  # type: ignore[arg-type]  # drawn from the test


EPISODES = [
    episode("a", 5, is_open=False, updated=MONDAY + 9 * HOUR, severity="high", peak=0.41, windows=4),
    episode("b", 7),
    episode("c", 3, feature="country", window="sliding_6h_by_90m"),
    episode("other", 9, model_version="2"),
]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, 120)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def kept(config: Path) -> Path:
    (config.parent / "out").mkdir()
    with closing(SqliteStore(config.parent / "out" / "driftflow.sqlite")) as store:
        store.put_episodes(EPISODES)
    return config


def test_document_has_the_last_to_open_first(call: Call, kept: Path) -> None:
    told = call("episodes", kept, "--json").json()
    assert [found["id"] for found in told] == ["b", "a", "c"]
    assert told[1] == {
        "id": "a",
        "model": "fraud",
        "model_version": "1",
        "window": "1h",
        "feature": "amount",
        "reference": "r1",
        "state": "closed",
        "family": "drift",
        "check": "",
        "severity": "high",
        "peak_effect": 0.41,
        "worst": None,
        "since": "2026-01-05T04:00:00.000Z",
        "opened": "2026-01-05T05:00:00.000Z",
        "updated": "2026-01-05T09:00:00.000Z",
        "windows": 4,
    }


def test_open_ones_and_those_of_a_column(call: Call, kept: Path) -> None:
    assert [found["id"] for found in call("episodes", kept, "--open", "--json").json()] == ["b", "c"]
    told = call("episodes", kept, "--open", "--feature", "country", "--json").json()
    assert [found["id"] for found in told] == ["c"]


def test_table_says_the_same(call: Call, kept: Path) -> None:
    lines = call("episodes", kept).out.splitlines()
    assert [line.split()[:6] for line in lines[2:5]] == [
        ["amount", "drift", "1h", "open", "medium", "0.300"],
        ["amount", "drift", "1h", "closed", "high", "0.410"],
        ["country", "drift", "sliding_6h_by_90m", "open", "medium", "0.300"],
    ]
    assert "01-05 04:00  01-05 05:00  01-05 09:00" in lines[3]
    assert lines[5] == " 3 episodes, 2 open; event times in 2026, UTC"


def test_a_violation_is_told_by_its_check_and_its_worst_value(call: Call, kept: Path) -> None:
    more = {"family": "quality", "check": "missing_share", "severity": "", "peak": 0.31}
    with closing(SqliteStore(kept.parent / "out" / "driftflow.sqlite")) as store:
        store.put_episodes([episode("v", 11, feature="amount", **more), episode("w", 12, feature="", **more)])
    lines = call("episodes", kept).out.splitlines()
    nothing = "–"  # noqa: RUF001  # as the table has it
    assert lines[2].split()[:6] == [nothing, "missing_share", "1h", "open", nothing, "31%"]
    assert lines[3].split()[:6] == ["amount", "missing_share", "1h", "open", nothing, "31%"]
    told = call("episodes", kept, "--json").json()[1]
    assert (told["family"], told["check"], told["worst"]) == ("quality", "missing_share", 0.31)
    assert (told["severity"], told["peak_effect"]) == (None, None)


@pytest.mark.parametrize("width", [100, 80, 60, 50])
def test_table_fits_its_terminal(
    kept: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    told = caller(capsys, monkeypatch, width)("episodes", kept)
    assert max(map(len, told.out.splitlines())) <= width
    for word in ("amount", "open", "closed", "high", "01-05 05:00"):
        assert word in told.out


def test_rows_are_told_as_rows(call: Call, kept: Path) -> None:
    kept.write_text(CONFIG.replace("column: ts", "rows: true").replace("1h", "10 rows"))
    assert call("episodes", kept, "--json").json()[0]["opened"] == MONDAY + 7 * HOUR
    assert "row 1,767,596,400,000" in call("episodes", kept).out


def test_nothing_is_said_and_no_store_is_left_behind(call: Call, config: Path) -> None:
    told = call("episodes", config, "--open")
    assert (told.code, told.out) == (0, "")
    assert "no open episode of fraud/1" in told.err
    assert call("episodes", config, "--json").json() == []
    assert not (config.parent / "out").exists()
