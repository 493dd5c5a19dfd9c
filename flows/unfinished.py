"""What a run that was killed left in its recovery folder of an epoch that it did not finish.

Bytewax goes on at the frontier of the last execution, and of each key it reads the newest snapshot before
that. But it leaves snapshots from there on where they are. A key that the next execution does not wake before
it is killed too would then come back with one of them: with what another course of the stream had made of it.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from flows.recovery_note import RecoveryError


def drop_unfinished(snapshots: Path) -> None:
    """Delete the snapshots of the epoch at which a run will go on, and of those after it.

    Nothing may have the folder open.

    Raises
    ------
    RecoveryError
        A file cannot be read or written.
    """
    parts = sorted(snapshots.glob("part-*.sqlite3"))
    executions: list[tuple[int, int]] = []
    fronts: list[tuple[int, int]] = []
    try:
        for part in parts:
            with closing(sqlite3.connect(part)) as file:
                executions += file.execute("SELECT ex_num, resume_epoch FROM exs")
                fronts += file.execute("SELECT ex_num, worker_frontier FROM fronts")
        resume = resume_epoch(executions, fronts)
        for part in parts:
            with closing(sqlite3.connect(part)) as file, file:
                file.execute("DELETE FROM snaps WHERE snap_epoch >= ?", (resume,))
    except sqlite3.Error as error:
        raise RecoveryError(
            f"{snapshots}: {error}: check that its files can be written; if they are damaged, begin anew "
            "with 'driftflow run --overwrite'"
        ) from error


def resume_epoch(executions: Sequence[tuple[int, int]], fronts: Sequence[tuple[int, int]]) -> int:
    """Return the epoch at which a run goes on: the lowest frontier of the latest execution's workers.

    Parameters
    ----------
    executions
        Number of each, and the epoch at which it began; that counts where no worker got further.
    fronts
        Number of the execution and a worker's frontier.
    """
    latest, resume = max(executions, default=(0, 0))
    return min((front for execution, front in fronts if execution == latest), default=resume)
