"""References that are activated while a run goes on: taken in with a restart, or left for the next start."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flows.config import Config
from flows.generations import TooEarlyError, moment_text
from flows.recovery import noted_lineage
from flows.recovery_facts import check_references
from flows.workers.requests import Watch
from state.generations import Lineage

logger = logging.getLogger("driftflow.references")

LOOK_S = 30.0
"""Seconds from one look into the store to the next."""


@dataclass(slots=True)
class ReferenceWatch:
    """Compares what a store has activated with what a set of processes was started with.

    Attributes
    ----------
    look
        Gives the references as the store has them now.
    folder
        The recovery folder, where the set notes what it was started with.
    """

    config: Config
    folder: Path
    look: Callable[[], Lineage]
    every_s: float = LOOK_S
    refused: Lineage | None = None
    _watch: Watch[Lineage] = field(init=False)

    def __post_init__(self) -> None:
        """Set up the thread that looks."""
        self._watch = Watch("references", self.look, every_s=self.every_s)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look while the context lasts."""
        with self._watch.running():
            yield

    def change(self) -> str | None:
        """Say what the set must be started again for; None where it has all, or cannot go on with the new.

        The latter is told once.
        """
        latest = self._watch.take()
        noted = None if latest is None else noted_lineage(self.folder)
        if latest is None or noted is None or latest in (noted, self.refused):
            return None
        try:
            check_references(self.folder, self.config, latest)
        except TooEarlyError as error:
            self.refused = latest
            logger.warning("%s. Until then the set goes on with what it was started with", error)
            return None
        return f"references have changed ({lineage_text(self.config, latest)})"


def notice(config: Config, started: Lineage, look: Callable[[], Lineage]) -> Watch[None]:
    """Make a watch for a run without a supervisor: it tells once that there is something new."""
    told = [started]

    def tell() -> None:
        latest = look()
        if latest != told[-1]:
            told.append(latest)
            logger.warning(
                "references have changed (%s): this process takes that in at its next start",
                lineage_text(config, latest),
            )

    return Watch("references", tell, every_s=LOOK_S)


def lineage_text(config: Config, lineage: Lineage) -> str:
    """Name the references, and when each takes over."""
    later = (
        f"{version} from {moment_text(config, config.grid.start_of(pane))}" for pane, version in lineage.later
    )
    return ", then ".join([lineage.first, *later])
