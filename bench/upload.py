"""Uploads to the service as one process: large comparisons, their progress and memory, and what is refused.

Usage: scripts/bench upload [--quick]. Sends two files of 1,000,000 rows and 30 columns (--quick: a
tenth) as CSV and as Parquet, asks for the progress until the comparison is done, and samples the memory
of the service. Then sends what must be refused. Ends with 1 where one is not, or an outcome is not what
the rows were made with.
"""

import argparse
import gzip
import io
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from bench.measure import say, show
from tests.command_line import COMMAND, prepared_demo

ROWS, COLUMNS = 1_000_000, 30
MOVED = "x03"
"""The one column that drifts, by half a standard deviation."""

MIB = 1 << 20
PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What one comparison took.

    Attributes
    ----------
    progress
        Different values of the progress that were seen.
    peak
        Largest resident memory of the service, bytes.
    """

    size: int
    sent_s: float
    total_s: float
    progress: int
    before: int
    peak: int
    drifted: list[str]


def main() -> int:
    """Make files, send them, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    rows = ROWS // 10 if parser.parse_args().quick else ROWS
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = {kind: made(folder, rows, kind) for kind in ("csv", "parquet")}
        busy = os.getloadavg()[0]
        found = {}
        for kind, pair in files.items():
            # A process for each: memory that one has taken may stay with it.
            with served(folder / f"demo-{kind}") as (address, process):
                found[kind] = compared(address, process, pair)
        report(found, rows, busy)
        with served(folder / "demo-refused") as (address, _process):
            wrong = refusals(address)
    return 1 if wrong or any(each.drifted != [MOVED] for each in found.values()) else 0


def made(folder: Path, rows: int, kind: str) -> tuple[Path, Path]:
    """Write both sides of a comparison."""
    paths = folder / f"baseline.{kind}", folder / f"current.{kind}"
    for seed, path in enumerate(paths):
        rng = np.random.default_rng(seed)
        columns = {f"x{number:02}": rng.normal(size=rows).round(4) for number in range(COLUMNS - 6)}
        columns |= {f"c{number}": rng.choice(["a", "b", "c", "d"], rows) for number in range(6)}
        if seed:
            columns[MOVED] = (columns[MOVED] + 0.5).round(4)
        table = pa.table(columns)
        if kind == "csv":
            pyarrow.csv.write_csv(table, path)
        else:
            pyarrow.parquet.write_table(table, path)
    return paths


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve a small demo; give the address and the id of the process."""
    folder.mkdir()
    config = prepared_demo(folder, "--rows", 1_000, "--reference-rows", 1_000)
    command = [*COMMAND, "serve", str(config), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert address is not None
        try:
            yield address[0], process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def compared(address: str, process: int, pair: tuple[Path, Path]) -> Compared:
    """Send two files and wait for the outcome."""
    over, peak = Event(), [0]

    def sample() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], resident(process))

    watcher = Thread(target=sample)
    with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
        client.get("/healthz")
        before, start = resident(process), perf_counter()
        watcher.start()
        with pair[0].open("rb") as baseline, pair[1].open("rb") as current:
            sent = {"baseline": (pair[0].name, baseline), "current": (pair[1].name, current)}
            answer = client.post("/v1/comparisons", files=sent)
        answer.raise_for_status()
        sent_s, seen, job = perf_counter() - start, set[float](), answer.json()
        while job["state"] not in {"done", "failed"}:
            job = client.get(f"/v1/comparisons/{job['id']}").json()
            seen.add(job["progress"])
            sleep(0.05)
        total_s = perf_counter() - start
        over.set()
        watcher.join()
        if job["state"] == "failed":
            raise SystemExit(job["error"])
    return Compared(
        size=sum(path.stat().st_size for path in pair),
        sent_s=sent_s,
        total_s=total_s,
        progress=len(seen),
        before=before,
        peak=peak[0],
        drifted=job["drifted"],
    )


def refusals(address: str) -> int:
    """Send what must be refused, print what came, and return how much was not."""
    good = b"x,=c\n" + b"".join(b"%d,a\n" % number for number in range(500))
    bomb = gzip.compress(b"0" * (1 << 28)) * 17
    cases: tuple[tuple[str, Callable[[httpx.Client], str], str], ...] = (
        ("body larger than both files may be", too_large, "413"),
        ("file larger than 512 MiB", lambda c: status(post(c, large(), "a.csv")), "413"),
        (
            f"gzip of {len(bomb) >> 20} MiB that holds 4.25 GiB",
            lambda c: status(post(c, bomb, "a.csv.gz")),
            "413",
        ),
        ("no column in common", lambda c: outcome(c, post(c, b"other\n1\n2\n", "a.csv")), "failed"),
        (
            "bytes by the name of a CSV",
            lambda c: outcome(c, post(c, os.urandom(4_096), "a.csv")),
            "failed",
        ),
        ("a format that is not known", lambda c: status(post(c, good, "a.exe")), "415"),
        ("an empty file", lambda c: status(post(c, b"", "a.csv")), "422"),
        ("a path in the name", lambda c: named(c, good), "passwd.csv"),
        ("a formula in the download", lambda c: table(c, good), "'=c"),
    )
    rows, wrong = [], 0
    with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
        for name, send, wanted in cases:
            start = perf_counter()
            got = send(client)
            wrong += got != wanted
            rows.append((name, wanted, got, f"{perf_counter() - start:.2f}"))
    show("What must be refused, or made harmless", ("sent", "wanted", "got", "seconds"), rows)
    return wrong


def post(client: httpx.Client, before: bytes | io.BufferedIOBase, name: str) -> httpx.Response:
    """Compare something with a good file of two columns."""
    good = b"x,=c\n" + b"".join(b"%d,a\n" % number for number in range(500))
    files = {"baseline": (name, before), "current": ("now.csv", good)}
    return client.post("/v1/comparisons", files=files)  # type: ignore[arg-type]  # bytes or a file


def status(answer: httpx.Response) -> str:
    """Return the status as text."""
    return str(answer.status_code)


def large() -> io.BufferedIOBase:
    """Return a file of one byte more than is taken."""
    return io.BytesIO(bytes((1 << 29) + 1))


def too_large(client: httpx.Client) -> str:
    """Tell of a body of 2 GiB, and send none of it."""
    connection = HTTPConnection(client.base_url.host, client.base_url.port, timeout=PATIENCE_S)
    with closing(connection):
        connection.putrequest("POST", "/v1/comparisons")
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", str(1 << 31))
        connection.endheaders()
        return str(connection.getresponse().status)


def outcome(client: httpx.Client, answer: httpx.Response) -> str:
    """Wait for a comparison; return its state, or the status where it was not even begun."""
    if answer.status_code != httpx.codes.ACCEPTED:
        return status(answer)
    job = answer.json()
    while job["state"] not in {"done", "failed"}:
        sleep(0.02)
        job = client.get(f"/v1/comparisons/{job['id']}").json()
    return str(job["state"])


def named(client: httpx.Client, good: bytes) -> str:
    """Send a file by the name of a path; return the name that the service took."""
    answer = post(client, good, "../../../../etc/passwd.csv")
    outcome(client, answer)
    files = client.get(f"/v1/comparisons/{answer.json()['id']}/document").json()["baseline"]["files"]
    return str(files[0])


def table(client: httpx.Client, good: bytes) -> str:
    """Return how a column that is called by a formula stands in the table."""
    answer = post(client, good, "a.csv")
    outcome(client, answer)
    lines = client.get(f"/v1/comparisons/{answer.json()['id']}/table").text.splitlines()
    return next(line.split(",")[0] for line in lines if "=c" in line)


def resident(process: int) -> int:
    """Return the resident memory of a process, bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def report(found: dict[str, Compared], rows: int, busy: float) -> None:
    """Print what comparisons took."""
    show(
        f"Two files of {rows:,} rows and {COLUMNS} columns, {os.cpu_count()} cores (load {busy:.1f} before)",
        ("format", "MiB sent", "sent after s", "done after s", "progress values", "MiB before", "peak MiB"),
        [
            (
                kind,
                f"{each.size / MIB:.0f}",
                f"{each.sent_s:.1f}",
                f"{each.total_s:.1f}",
                f"{each.progress:,}",
                f"{each.before / MIB:.0f}",
                f"{each.peak / MIB:.0f}",
            )
            for kind, each in found.items()
        ],
    )
    said = ", ".join(f"{kind} {each.drifted}" for kind, each in found.items())
    say(f"In drift: {said}; wanted {[MOVED]} of each.")


if __name__ == "__main__":
    raise SystemExit(main())
