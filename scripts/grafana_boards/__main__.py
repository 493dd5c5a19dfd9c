"""Writes the boards, or says which file is not what its description says."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from scripts.grafana_boards.drift import drift_board
from scripts.grafana_boards.operations import operations_board
from scripts.grafana_boards.redis_series import redis_board

ROOT = Path(__file__).parents[2]


def boards() -> Mapping[str, str]:
    """Return the text of each file by its path below the root."""
    return {
        f"deploy/grafana/{name}.json": _text(board().build())
        for name, board in (
            ("dashboards/drift", drift_board),
            ("dashboards/operations", operations_board),
            ("redis/dashboards/series", redis_board),
        )
    }


def _text(board: Dashboard) -> str:
    # Links to a panel name its number.
    for number, panel in enumerate(board.panels or (), start=1):
        panel.id_val = number
    return JSONEncoder(sort_keys=True, indent=2).encode(board) + "\n"


def main() -> int:
    """Do what the command line asks; 0 when all is well."""
    parser = argparse.ArgumentParser(prog="scripts/dashboards", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 unless all is up to date"
    )
    check = parser.parse_args().check
    code = 0
    for name, text in boards().items():
        path = ROOT / name
        if check:
            if not path.exists() or path.read_text() != text:
                sys.stderr.write(f"{name} is not what scripts/grafana_boards says: run scripts/dashboards\n")
                code = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
