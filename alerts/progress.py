"""What alerting keeps of its way: where reading goes on, and what the policy remembers."""

import msgspec

from state.codec import fingerprint_of, pack, unpack

KIND, VERSION = "alert-progress", 1


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes
    ----------
    position
        Opaque here: where the source goes on.
    policy
        What `alerts.policy_state.state_bytes` wrote.
    folds
        Ids of digests, with those of the notices that each stands for, until these are settled.
    """

    position: bytes
    policy: bytes
    folds: dict[str, tuple[str, ...]] = {}


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
