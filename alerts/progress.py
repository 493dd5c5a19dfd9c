"""What alerting keeps of its way: where reading goes on, and what is remembered."""

import msgspec

from alerts.deciding import Memory
from alerts.monitor import MonitorState
from alerts.policy_state import state_bytes, state_of
from alerts.retrain_state import RetrainState
from state.codec import fingerprint_of, pack, unpack

KIND, VERSION = "alert-progress", 1


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; what came after the first release of version 1 has a default.

    Attributes
    ----------
    position
        Opaque here: where the source goes on.
    policy
        What `alerts.policy_state.state_bytes` wrote.
    folds
        Ids of digests, with those of the notices that each stands for, until these are settled.
    retraining, monitor, heard_ms
        As `alerts.deciding.Memory` has them.
    """

    position: bytes
    policy: bytes
    folds: dict[str, tuple[str, ...]] = {}
    retraining: RetrainState = RetrainState()
    monitor: MonitorState = MonitorState()
    heard_ms: int | None = None

    @property
    def memory(self) -> Memory:
        """What decisions remember; raises `CodecError` where it is damaged, or of another version."""
        return Memory(
            policy=state_of(self.policy),
            retraining=self.retraining,
            monitor=self.monitor,
            heard_ms=self.heard_ms,
        )


def saved_of(memory: Memory, *, position: bytes, folds: dict[str, tuple[str, ...]]) -> Saved:
    """Put together what is stored after a turn."""
    return Saved(
        position=position,
        policy=state_bytes(memory.policy),
        folds=folds,
        retraining=memory.retraining,
        monitor=memory.monitor,
        heard_ms=memory.heard_ms,
    )


def progress_bytes(saved: Saved) -> bytes:
    """Write it."""
    return pack(KIND, VERSION, fingerprint_of([]), msgspec.json.encode(saved))


def progress_of(data: bytes) -> Saved:
    """Read what `progress_bytes` wrote.

    Raises
    ------
    CodecError
        It is damaged, or of another version.
    """
    payload = unpack(data, kind=KIND, versions=(VERSION,), fingerprint=None).payload
    return msgspec.json.decode(payload, type=Saved)
