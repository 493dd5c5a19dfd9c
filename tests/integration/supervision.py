"""Starts supervisors as processes, and follows what they and their members say."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from tests.integration.processes import ROOT

PATIENCE_S = 60.0


@dataclass(slots=True)
class Supervised:
    """A supervisor and its members, by what they say on stderr."""

    process: subprocess.Popen[str]
    out: Path
    recovery: Path
    said: list[str] = field(default_factory=list)
    told: str = ""
    _threads: list[Thread] = field(default_factory=list)

    def listen(self) -> None:
        self._threads = [Thread(target=self._read, daemon=True), Thread(target=self._hear, daemon=True)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip())

    def _hear(self) -> None:
        assert self.process.stdout is not None
        self.told = self.process.stdout.read()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for thread in self._threads:
            thread.join(PATIENCE_S)
        return code

    def until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.005)

    def lines(self, pattern: str) -> list[re.Match[str]]:
        return [match for line in list(self.said) if (match := re.fullmatch(pattern, line))]

    def members(self) -> dict[int, int]:
        """Return the process ids of the latest members."""
        return {int(m[1]): int(m[2]) for m in self.lines(r"\[(\d)\] member \d (\d+)")}

    def readings(self) -> int:
        return len(self.lines(r"\[\d\] reading"))

    @property
    def written(self) -> int:
        events = self.out / "events.jsonl"
        return events.stat().st_size if events.exists() else 0


@contextmanager
def supervised(config: Path, tmp_path: Path, *options: object, workers: int = 2) -> Iterator[Supervised]:
    out, recovery = tmp_path / "out", tmp_path / "recovery"
    command = [sys.executable, "-m", "tests.integration.supervised", config, out, recovery]
    process = subprocess.Popen(
        [str(part) for part in (*command, "--workers", workers, *options)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run = Supervised(process, out, recovery)
    run.listen()
    try:
        yield run
    finally:
        process.kill()
        run.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
    # Whoever ends it, and how: no member is left.
    deadline = time.monotonic() + PATIENCE_S
    while any(alive(member) for member in run.members().values()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    # One that nobody has waited for is dead all the same.
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
