"""Every fault that can be put into a file is told in its first windows, and nothing is told before."""

from pathlib import Path

from bench.kinds import line, watch
from bench.kinds_table import KINDS, STREAMS


def test_injected_faults_are_told_at_once_and_nothing_else(tmp_path: Path) -> None:
    watched = watch(STREAMS["stationary"], tmp_path, seed=3)
    found = {kind.name: line(kind, watched)[-2:] for kind in KINDS if kind.stream == "stationary"}
    # Each begins with a window and lasts two: seen after one, or after the second.
    assert {name: seen for name, seen in found.items() if seen not in {("1", "0"), ("2", "0")}} == {}
