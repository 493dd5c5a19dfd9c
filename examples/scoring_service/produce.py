"""Starts the scoring service, asks it about some thousand customers, and stops it: produce.py [--rows N]."""

import os
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

FOLDER = Path(__file__).parent
START_S = 60.0


@contextmanager
def service() -> Iterator[str]:
    """Run the service on a free port while the context lasts; give its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(FOLDER), "app:app", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=os.environ)  # noqa: S603  # this very interpreter
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/health", process)
        yield url
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the service answers.

    Raises
    ------
    TimeoutError
        It has ended, or does not answer in time.
    """
    until = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < until:
        try:
            urlopen(url, timeout=5).close()  # noqa: S310  # a URL of our own
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} does not answer; see the service's messages above")


def main() -> None:
    """Write the log of a service that was asked: `data/events.jsonl`, or a topic (see app.py)."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=12_000)
    given = parser.parse_args()
    (FOLDER / "data" / "events.jsonl").unlink(missing_ok=True)
    with service() as url:
        asking = [sys.executable, str(FOLDER / "load.py"), url, "--rows", str(given.rows), "--pace", "1000"]
        subprocess.run(asking, check=True)  # noqa: S603  # the same


if __name__ == "__main__":
    main()
