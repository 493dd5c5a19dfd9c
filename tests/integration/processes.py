"""Starts runners as processes, waits for them, kills them."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@dataclass(slots=True)
class Runner:
    """One process; a thread reads what it says, so that its pipe never fills."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    reading: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def listen(self) -> None:
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("reading"):
                self.reading.set()
        # Whoever waits for the first batch learns that there will be none.
        self.reading.set()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        assert self._thread is not None
        self._thread.join(PATIENCE_S)
        return code

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.kill()

    def ask(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextmanager
def running(
    config: Path,
    out: Path,
    *,
    members: int = 1,
    recovery: Path | None = None,
    interval_s: float = 0.05,
    pause_s: float = 0.0,
    overwrite: bool = False,
) -> Iterator[list[Runner]]:
    """Start a run as one process or several; whatever still runs at the end is killed."""
    arguments = [str(config), str(out), "--interval-s", str(interval_s), "--pause-s", str(pause_s)]
    arguments += [] if recovery is None else ["--recovery", str(recovery)]
    arguments += ["--overwrite"] if overwrite else []
    addresses = [f"127.0.0.1:{port}" for port in free_ports(members)] if members > 1 else []
    with ExitStack() as stack:
        runners = []
        for member in range(members):
            own = ["--member", str(member), "--addresses", *addresses] if addresses else []
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.runner", *arguments, *own],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            runner = Runner(process)
            stack.callback(_end, runner)
            runner.listen()
            runners.append(runner)
        yield runners


def run_through(
    config: Path,
    out: Path,
    *,
    members: int = 1,
    recovery: Path | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Run to the end; return what the first member said last."""
    with running(config, out, members=members, recovery=recovery, overwrite=overwrite) as runners:
        codes = [runner.wait() for runner in runners]
        assert codes == [0] * members, [runner.said for runner in runners]
        return [runner.said[-1] for runner in runners]


def free_ports(count: int) -> Sequence[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _end(runner: Runner) -> None:
    if runner.running:
        runner.kill()
    runner.wait()
    assert runner.process.stdout is not None
    runner.process.stdout.close()
