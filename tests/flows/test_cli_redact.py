"""output.redact: no value of a refused or late row in any file of a run."""

from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from tests.command_line import Call, caller

VALUE = "Zyzzyva-4711"
LATE = f'{{"ts":"2026-01-05T00:00:01Z","features":{{"income":1}},"note":"{VALUE}"}}'.encode()
REFUSED = (
    f"not json {VALUE}".encode(),
    f'{{"ts":"{VALUE}"}}'.encode(),
    f'{{"ts":"2026-01-05T01:00:00Z","features":{{"income":"{VALUE}"}}}}'.encode(),
    f'{{"ts":"2026-01-05T01:00:00Z","note":"{VALUE}'.encode(),
    VALUE.encode() + b"\xff",
)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def config(call: Call, tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    assert call("generate", "demo", "--out", tmp_path, "--rows", 2_000, "--reference-rows", 1_000).code == 0
    data = tmp_path / "events.jsonl"
    data.write_bytes(data.read_bytes() + b"\n".join([*REFUSED, LATE]) + b"\n")
    assert call("reference", "build", path, tmp_path / "reference.jsonl").code == 0
    return path


@pytest.mark.parametrize("redact", [True, False])
def test_no_value_leaks(call: Call, config: Path, redact: bool) -> None:  # noqa: FBT001  # the case
    config.write_text(f"{config.read_text()}  redact: {str(redact).lower()}\n  late_rows: late.jsonl\n")
    told = call("run", config)
    assert told.code == 0

    out = config.parent / "out"
    dead = [orjson.loads(line) for line in (out / "dead_letters.jsonl").read_bytes().splitlines()]
    late = [orjson.loads(line) for line in (out / "late.jsonl").read_bytes().splitlines()]
    assert (len(dead), len(late)) == (len(REFUSED), 1)
    leaks = [path.name for path in out.rglob("*") if path.is_file() and VALUE.encode() in path.read_bytes()]
    if not redact:
        # So the search is one that finds.
        assert set(leaks) == {"dead_letters.jsonl", "late.jsonl"}
        return
    assert leaks == []
    assert VALUE not in told.out + told.err
    assert [row["sha256"] for row in dead] == [sha256(raw).hexdigest() for raw in REFUSED]
    assert (late[0]["length"], late[0]["sha256"]) == (len(LATE), sha256(LATE).hexdigest())
    assert all("raw" not in row and "raw_base64" not in row for row in [*dead, *late])
