"""Two files of a million rows and 30 columns, compared: time and memory beside Evidently's and NannyML's.

Each tool is a process of its own, from the files to the answer; memory is the largest that the process held.
The other tools run in environments of their own, see `bench/peers_environments.py`.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.measure import say, show
from bench.peers_environments import ROOT, prepare, python_of

ROWS, QUICK_ROWS = 1_000_000, 20_000
NUMERIC, CATEGORICAL = 24, 6
_BLOCK = 50_000
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took; None where it could not be run."""

    seconds: float
    cpu_s: float
    mebibytes: float
    drifted: str


def main() -> None:
    """Write the files, run each tool once, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 rows")
    rows = QUICK_ROWS if parser.parse_args().quick else ROWS
    prepare("numpy2")
    with TemporaryDirectory() as folder:
        files = [
            str(_written(Path(folder) / f"{name}.csv", rows, seed))
            for seed, name in enumerate(("before", "now"))
        ]
        size = sum(Path(file).stat().st_size for file in files) / _MEBIBYTE
        driftflow = (sys.executable, "-m", "flows.cli", "compare", *files, "--json")
        peer = (str(python_of("numpy2")), str(ROOT / "bench" / "compare_files_peer.py"))
        tools = {
            "driftflow compare": driftflow,
            "Evidently, DataDriftPreset": (*peer, "evidently", *files),
            "NannyML, Jensen-Shannon": (*peer, "nannyml", *files),
        }
        found = {name: _cost(command) for name, command in tools.items()}
    show(
        f"{rows:,} rows x {NUMERIC + CATEGORICAL} columns against as many, {size:,.0f} MiB of CSV",
        ("tool", "seconds", "CPU s", "memory, MiB", "columns called drifted (3 are)"),
        [
            (name, "-", "-", "-", "could not be run")
            if cost is None
            else (name, f"{cost.seconds:.1f}", f"{cost.cpu_s:.1f}", f"{cost.mebibytes:,.0f}", cost.drifted)
            for name, cost in found.items()
        ],
    )
    say("The first three numeric columns move by a fifth of a standard deviation; nothing else does.")


def _written(path: Path, rows: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    names = [f"n{i:02d}" for i in range(NUMERIC)] + [f"c{i}" for i in range(CATEGORICAL)]
    shift = np.where(np.arange(NUMERIC) < 3, 0.2 * seed, 0.0)
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        for start in range(0, rows, _BLOCK):
            size = min(_BLOCK, rows - start)
            numbers = rng.normal(size=(size, NUMERIC)) + shift
            letters = rng.choice(list("abcdefgh"), size=(size, CATEGORICAL))
            file.writelines(
                ",".join([*(f"{x:.6g}" for x in row), *words]) + "\n"
                for row, words in zip(numbers.tolist(), letters.tolist(), strict=True)
            )
    return path


def _cost(command: Sequence[str]) -> Cost | None:
    """Run a process to its end; the last line it prints, or its JSON, says which columns drifted."""
    # Neither shall call home while it is timed.
    environment = {**os.environ, "DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:  # noqa: S603  # ours
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return None
    cpu_s = used.ru_utime + used.ru_stime
    return Cost(time.perf_counter() - began, cpu_s, used.ru_maxrss / 1024, _drifted(said))


def _drifted(said: str) -> str:
    if said.lstrip().startswith("{"):
        return str(said.count('"verdict": "drift"'))
    return said.strip().splitlines()[-1]


if __name__ == "__main__":
    main()
