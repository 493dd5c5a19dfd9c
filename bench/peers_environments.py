"""Environments of their own for other tools: made once, from pinned requirements, away from driftflow's."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from bench.measure import say

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".venv-peers"

REQUIREMENTS = {name: ROOT / "bench" / f"peers-{name}.txt" for name in ("numpy2", "numpy1")}
"""Two, because River wants numpy 2 and alibi-detect numpy 1."""

INSTALL_S = 1_800


def python_of(name: str) -> Path:
    """Return where the interpreter of an environment is, or would be."""
    return HOME / name / "bin" / "python"


def prepare(name: str) -> None:
    """Make an environment unless it is there and up to date; where that fails, say so and go on without."""
    requirements = REQUIREMENTS[name]
    want = sha256(requirements.read_bytes()).hexdigest()
    stamp = HOME / name / ".requirements"
    if stamp.exists() and stamp.read_text() == want:
        return
    say(f"Installing {requirements.name} into {HOME.name}/{name} (gigabytes, and minutes) ...")
    pip = (str(python_of(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    try:
        for command in (
            (sys.executable, "-m", "venv", "--clear", str(HOME / name)),
            (*pip, "--requirement", str(requirements)),
        ):
            subprocess.run(command, check=True, timeout=INSTALL_S)  # noqa: S603  # pip
    except (OSError, subprocess.SubprocessError) as error:
        say(f"{name} could not be made, so its peers are missing from the tables: {error}")
        return
    stamp.write_text(want)
