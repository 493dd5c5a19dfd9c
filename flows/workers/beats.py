"""Signs of life of a set: members touch files as epochs end or services are away; the supervisor looks."""

import shutil
from collections.abc import Callable
from pathlib import Path

_FOLDER = "beats"


def begin_beat(folder: Path, process_id: int) -> Callable[[], None]:
    """Give the first beat of a member, and return what gives the next ones.

    Parameters
    ----------
    folder
        The recovery folder.
    """
    path = folder / _FOLDER / str(process_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path.touch


class Watchdog:
    """Tells for how long no epoch has ended, and nothing has been waited for.

    An epoch ends for all members or for none: a partition does not read on before the epoch behind it has
    passed every worker. So one beat of any member says that all of them move; and a member without
    partitions, or one whose partitions have ended, needs no beat. Nor can an epoch end while an output waits
    for a service that is away: a new set would wait for it too, so each try in vain is a beat as well.

    Parameters
    ----------
    folder
        The recovery folder.
    limit_s
        How long no beat may come before the set counts as standing still.
    clock
        Monotonic seconds.
    """

    def __init__(self, folder: Path, *, limit_s: float, clock: Callable[[], float]) -> None:
        self._folder = folder / _FOLDER
        self._limit_s = limit_s
        self._clock = clock
        self._seen: dict[str, int] = {}
        self._changed_s = self._looked_s = clock()

    @property
    def beaten(self) -> bool:
        """Whether any member has given a beat since `begin`."""
        return bool(self._seen)

    def begin(self) -> None:
        """Forget the beats of an earlier set; called while no member lives."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._seen = {}
        self._changed_s = self._looked_s = self._clock()

    def complaint(self) -> str | None:
        """Look at the beats; say what stands still, None while all is well.

        Nothing is held against a set before its first beat: members wait for a broker that is away as long
        as it takes. Nor is time in which nobody looked: a machine or a container that was paused as a whole
        gets its full limit again.
        """
        now_s = self._clock()
        seen = self._beats()
        if seen != self._seen or now_s - self._looked_s > self._limit_s / 2:
            self._seen, self._changed_s = seen, now_s
        self._looked_s = now_s
        still_s = now_s - self._changed_s
        if not seen or still_s <= self._limit_s:
            return None
        first = min(seen, key=lambda member: seen[member])
        return f"no epoch has ended for {still_s:.1f} s, and member {first} was the first to fall silent"

    def _beats(self) -> dict[str, int]:
        """Return when each member beat last, in nanoseconds of the file system's clock."""
        if not self._folder.is_dir():
            return {}
        return {path.name: path.stat().st_mtime_ns for path in self._folder.iterdir()}
