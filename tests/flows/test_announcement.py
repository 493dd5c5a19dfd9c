from pathlib import Path

import pytest

from flows.announcement import announced
from state.event_data import MissingReferenceData
from state.events import missing_reference_event

TOLD = missing_reference_event(
    MissingReferenceData(model="m", model_version="1", columns=("x",)), fingerprint="f"
).body
LINE = TOLD + b"\n"


@pytest.mark.parametrize(
    ("held", "kept"),
    [
        (b"", 0),
        (LINE, len(LINE)),
        (LINE + LINE + b'{"type": "io.driftflow.window.report"}\n' + LINE, 2 * len(LINE)),
        (b'{"type": "io.driftflow.window.report"}\n' + LINE, 0),
        # Half a line, and lines of other programs.
        (LINE + TOLD, len(LINE)),
        (LINE + b"\xff\xfe\n", len(LINE)),
        (b'{"type": 7}\n', 0),
        (b"no JSON\n", 0),
    ],
)
def test_what_stands_at_the_head_of_a_file(tmp_path: Path, held: bytes, kept: int) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(held)
    assert announced(path) == kept


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert announced(tmp_path / "events.jsonl") == 0
    assert announced(tmp_path) == 0
