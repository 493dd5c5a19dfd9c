"""Asks other tools for their scores of pairs of real columns: the figures that tests hold driftflow's to."""

import argparse
import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import say
from bench.peers_environments import REQUIREMENTS, ROOT, prepare, python_of
from bench.tool_pairs import pairs

GOLDEN = ROOT / "tests" / "golden" / "tool_scores.json"


def main() -> None:
    """Ask the tools of every environment, and write what they say."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    found: dict[str, dict[str, float]] = {name: {} for name in pairs()}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.json"
        plain = {
            name: {**asdict(pair), "before": pair.before.tolist(), "now": pair.now.tolist()}
            for name, pair in pairs().items()
        }
        file.write_text(json.dumps(plain))
        for environment in REQUIREMENTS:
            prepare(environment)
            command = (str(python_of(environment)), str(ROOT / "bench" / "tool_scores_peer.py"), str(file))
            # None shall call home.
            quiet = {**os.environ, "DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
            said = subprocess.run(command, check=True, capture_output=True, text=True, env=quiet)  # noqa: S603  # ours
            for name, figures in json.loads(said.stdout.splitlines()[-1]).items():
                found[name] |= figures
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    say(f"{sum(map(len, found.values()))} figures of {len(found)} pairs are in {GOLDEN.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
