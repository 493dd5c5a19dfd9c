"""driftflow serve as a process of its own, for tests that look at its pages."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.command_line import COMMAND


@contextmanager
def serving(*configs: Path, keys: str = "") -> Iterator[str]:
    """Serve models, and return the address; keys as the environment gives them."""
    # What the library of the pages would take for a test of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["DRIFTFLOW_API_KEYS"] = keys
    command = [*COMMAND, "serve", *map(str, configs), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert address is not None, said
            yield address[0]
        finally:
            process.terminate()
            process.wait(timeout=30)
