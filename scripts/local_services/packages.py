"""Downloads through the ordinary package clients, with a line every few seconds."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.local_services.base import ServiceError, say
from scripts.local_services.places import locked

_SAY_EVERY_S = 3.0
_LIMIT_S = 900.0
_LAST_LINES = 15


def run(argv: Sequence[str], *, doing: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end; what it says is shown only when it fails."""
    began = time.monotonic()
    say(doing)
    with tempfile.TemporaryFile(mode="w+", errors="replace") as output:
        process = subprocess.Popen(  # noqa: S603 - the argument list is ours, no shell reads it
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        try:
            code = _wait(process, doing=doing, began=began)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code != 0:
            output.seek(0)
            last = "".join(output.readlines()[-_LAST_LINES:])
            raise ServiceError(f"{doing}: {argv[0]} ended with {code}, want 0. Its last lines:\n{last}")


def _wait(process: subprocess.Popen[bytes], *, doing: str, began: float) -> int:
    while True:
        try:
            return process.wait(_SAY_EVERY_S)
        except subprocess.TimeoutExpired:
            spent = time.monotonic() - began
            if spent > _LIMIT_S:
                raise ServiceError(f"{doing}: not done after {spent:.0f} s; is the network slow?") from None
            say(f"  … {spent:.0f} s")


def program(name: str, *, package: str) -> str:
    """Path of a program; on Debian as root its package is installed where it is missing.

    Raises
    ------
    ServiceError
        The program is missing and cannot be installed from here.
    """
    found = shutil.which(name)
    if found is None and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        apt = shutil.which("apt-get")
        if apt is not None:
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            run([apt, "update"], doing="reading Debian's package lists", environment=quiet)
            install = [apt, "install", "--yes", "--no-install-recommends", package]
            run(install, doing=f"installing Debian's {package}, for {name}", environment=quiet)
            found = shutil.which(name)
    if found is None:
        raise ServiceError(f"no program {name} on PATH: install it (on Debian: apt-get install {package})")
    return found


@contextmanager
def fresh_folder(target: Path) -> Iterator[Path | None]:
    """Give a folder that becomes `target` if all goes well, or None where `target` is there already.

    A download that was cut short never looks like a whole one, and two callers never make the same.
    """
    with locked(target.with_name(f"{target.name}.lock")):
        if target.exists():
            yield None
            return
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.part-") as scratch:
            made = Path(scratch) / target.name
            made.mkdir()
            yield made
            made.replace(target)
