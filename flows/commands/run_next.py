"""Commands that go on from where a run has ended."""

from collections.abc import Sequence

from flows.commands.run_asked import RunAsked
from flows.render.findings import FoundEpisode
from flows.render.styles import severity_rank


def following(
    asked: RunAsked, episodes: Sequence[FoundEpisode], *, finished: bool, snapshots: bool, together: bool
) -> list[str]:
    """Return them, the worst episode first: it is the one to look at.

    Parameters
    ----------
    finished
        Whether the input was read to its end.
    snapshots
        Whether the run can go on from snapshots.
    together
        Whether `driftflow up` started it, which then goes on as well.
    """
    if finished:
        worst = min(episodes, key=lambda e: (severity_rank(e.severity), -e.peak_effect), default=None)
        explain = [] if worst is None else [f"driftflow explain {asked.config} {worst.id[:12]}"]
        return [*explain, f"driftflow episodes {asked.config}", f"driftflow reference show {asked.config}"]
    command = f"driftflow {'up' if together else 'run'} {asked.config}"
    if asked.input is not None:
        command += f" --input {asked.input}"
    if not snapshots:
        return [f"{command} --overwrite --recovery snapshots   (starts anew, and can be stopped)"]
    if asked.events is not None:
        command += f" --events {asked.events}"
    if asked.recovery is not None:
        command += f" --recovery {asked.recovery}"
    return [f"{command}   (goes on from here)"]
